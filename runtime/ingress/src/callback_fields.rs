//! Opens a vendor's callback: a form's fields or a JSON body's members by path, each value a token unless it is
//! granted in clear.

use std::fmt;

use chrono::{DateTime, Utc};
use handoff_engine::ids::PatientId;
use handoff_host::contract::carrier::Callback;
use handoff_host::contract::types::Attribute;
use handoff_vault::Sealing;
use serde_json::Value;
use zeroize::Zeroizing;

use crate::delivery::is_credential;

/// Vendors' callbacks have some thirty fields.
const FIELDS_MAX: usize = 1000;

/// What carriers' callbacks are sealed as, whatever the field's name: the same number is the same token in all of them.
const SEALED_AS: &str = "callback";

/// A callback's fields in clear, in the order in which they came.
#[derive(Clone, Default)]
pub struct Fields(Vec<(String, Zeroizing<String>)>);

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EnvelopeError {
    #[error("the body says it is JSON and is not")]
    NotJson,
    #[error("the body is neither a form nor JSON")]
    OtherType,
    #[error("the body has more than {FIELDS_MAX} fields")]
    TooMany,
}

impl Fields {
    /// Opens a body by its media type. A form's fields keep their names; a JSON body's texts, numbers and truths are
    /// named by their path, `data.payload.id`, array members by `to[].status`.
    ///
    /// # Errors
    /// When the body is neither, or has more fields than any vendor sends.
    pub fn open(content_type: &str, body: &[u8]) -> Result<Fields, EnvelopeError> {
        let media_type = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        let mut fields = Fields::default();
        match media_type.as_str() {
            "application/x-www-form-urlencoded" => {
                for (name, value) in url::form_urlencoded::parse(body) {
                    fields.push(name.into_owned(), value.into_owned())?;
                }
            }
            _ if media_type == "application/json" || media_type.ends_with("+json") => {
                let value: Value = serde_json::from_slice(body).map_err(|_| EnvelopeError::NotJson)?;
                fields.flatten(String::new(), value)?;
            }
            _ if body.is_empty() => {}
            _ => return Err(EnvelopeError::OtherType),
        }
        Ok(fields)
    }

    /// Every value of this name, in the order in which they came.
    pub fn values<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> + 'a {
        self.0.iter().filter(move |(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The callback as its stage sees it. `patient` owns what is sealed: the month's intake, until a referral is found.
    pub fn callback(
        &self,
        headers: &[Attribute],
        clear_fields: &[String],
        patient: &PatientId,
        sealing: &mut Sealing<'_>,
        received_at: DateTime<Utc>,
    ) -> Callback {
        let headers = headers.iter().filter(|header| !is_credential(&header.name));
        let fields = self.0.iter().map(|(name, value)| Attribute {
            name: name.clone(),
            value: match clear_fields.contains(name) {
                true => value.to_string(),
                false => sealing.seal(patient, SEALED_AS, value).0,
            },
        });
        Callback {
            headers: headers.cloned().collect(),
            fields: fields.collect(),
            received_at: received_at.timestamp_millis(),
        }
    }

    fn flatten(&mut self, path: String, value: Value) -> Result<(), EnvelopeError> {
        match value {
            Value::Null => Ok(()),
            Value::Bool(truth) => self.push(path, truth.to_string()),
            Value::Number(number) => self.push(path, number.to_string()),
            Value::String(text) => self.push(path, text),
            Value::Array(members) => members.into_iter().try_for_each(|it| self.flatten(format!("{path}[]"), it)),
            Value::Object(members) => members.into_iter().try_for_each(|(name, it)| {
                let path = if path.is_empty() { name } else { format!("{path}.{name}") };
                self.flatten(path, it)
            }),
        }
    }

    fn push(&mut self, name: String, value: String) -> Result<(), EnvelopeError> {
        if self.0.len() == FIELDS_MAX {
            return Err(EnvelopeError::TooMany);
        }
        self.0.push((name, Zeroizing::new(value)));
        Ok(())
    }
}

impl fmt::Debug for Fields {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Fields({} of them)", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use handoff_vault::{MasterKey, MemoryLookup, Vault, system_dice};

    const FORM: &str = "application/x-www-form-urlencoded; charset=UTF-8";

    #[test]
    fn envelopes_are_opened_by_type() {
        for (content_type, body, name, expected) in [
            (FORM, "Body=si%2C+ya&From=%2B15125550143&Body=2", "Body", Ok(vec!["si, ya", "2"])),
            (FORM, "Body=si", "body", Ok(vec![])),
            ("application/json", r#"{"data":{"payload":{"id":"m-1"}}}"#, "data.payload.id", Ok(vec!["m-1"])),
            (
                "application/cloudevents+json",
                r#"{"a":[{"b":1},{"b":true},{"b":null}]}"#,
                "a[].b",
                Ok(vec!["1", "true"]),
            ),
            ("application/json", r#"["x","y"]"#, "[]", Ok(vec!["x", "y"])),
            ("application/json", "{", "a", Err(EnvelopeError::NotJson)),
            ("text/xml", "<a/>", "a", Err(EnvelopeError::OtherType)),
            ("", "", "a", Ok(vec![])),
        ] {
            let fields = Fields::open(content_type, body.as_bytes());
            let found = fields.as_ref().map(|fields| fields.values(name).collect::<Vec<_>>()).map_err(|error| *error);
            assert_eq!(found, expected, "{content_type} {body}");
        }
        assert_eq!(Fields::open(FORM, "a=1&".repeat(FIELDS_MAX + 1).as_bytes()).err(), Some(EnvelopeError::TooMany));
    }

    #[test]
    fn only_granted_fields_stay_clear() {
        let dir = tempfile::tempdir().expect("a directory");
        let mut dice = system_dice();
        let vault = Vault::open(dir.path(), MasterKey::generate(&mut *dice), dice, 0).expect("opened");
        let index = MemoryLookup::default();
        let mut sealing = vault.sealing(&index);
        let at = DateTime::from_timestamp(1_790_000_000, 0).expect("a moment");
        let fields = Fields::open(FORM, b"MessageSid=SM1&From=%2B15125550143&Body=Xochiquetzal").expect("opened");
        assert!(!format!("{fields:?}").contains("Xochi"));
        let header = |name: &str| Attribute { name: name.into(), value: "v".into() };
        let headers = [header("x-twilio-signature"), header("authorization"), header("cookie")];
        let patient = vault.intake(at);
        let callback = fields.callback(&headers, &["MessageSid".into()], &patient, &mut sealing, at);
        assert_eq!(callback.headers, [header("x-twilio-signature")]);
        assert_eq!(callback.fields[0].value, "SM1");
        let token = handoff_engine::ids::Token(callback.fields[2].value.clone());
        assert_eq!(sealing.reveal(&token).expect("sealed").as_str(), "Xochiquetzal");
        assert_eq!(sealing.patient_of(&token), Some(patient));
        assert!(!format!("{callback:?}").contains("Xochi"));
    }
}
