//! JSON as the journal has it: written once, when it is made, and read only by who needs what is in it.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Error, Value};

/// Any value, as its text.
#[derive(Clone, Debug)]
pub struct Json(Box<RawValue>);

impl Json {
    /// # Errors
    /// When the value cannot be written as JSON.
    pub fn of(value: &impl Serialize) -> Result<Json, Error> {
        to_raw_value(value).map(Json)
    }

    /// # Errors
    /// When it is not a `T`.
    pub fn read<T: DeserializeOwned>(&self) -> Result<T, Error> {
        serde_json::from_str(self.text())
    }

    pub fn text(&self) -> &str {
        self.0.get()
    }
}

impl PartialEq for Json {
    fn eq(&self, other: &Json) -> bool {
        self.text() == other.text()
    }
}

impl Eq for Json {}

impl Serialize for Json {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Json, D::Error> {
        // A record is told by its tag, for which serde reads it into a form of its own first: its text is gone by then.
        let value = Value::deserialize(deserializer)?;
        to_raw_value(&value).map(Json).map_err(serde::de::Error::custom)
    }
}
