//! The `settings:` block of a plugin that speaks FHIR.

use serde::de::DeserializeOwned;

use crate::wit::types::Failure;

/// Refuses what it cannot use and names the key.
pub fn read<T: DeserializeOwned>(plugin: &str, text: &str) -> Result<T, Failure> {
    serde_json::from_str(if text.is_empty() { "{}" } else { text })
        .map_err(|error| Failure::Misconfigured(format!("settings of {plugin}: {error}")))
}

/// What a `resume` remembers. It was written by the same plugin, so that only a changed plugin fails to read it.
pub fn read_state<T: DeserializeOwned>(state: &str) -> Result<T, Failure> {
    serde_json::from_str(state).map_err(|error| Failure::Other(format!("the state cannot be read: {error}")))
}
