//! The `settings:` block.

use fhir::patient::Systems;
use serde::Deserialize;

use crate::Failure;

#[derive(Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// The endpoint's name in the workflow.
    pub endpoint: String,
    pub identifier_systems: Systems,
    /// Text a phone that the chart does not call mobile? Charts often say nothing; a text to a landline is lost.
    pub text_unmarked_phones: bool,
    pub consent_codes: ConsentCodes,
}

/// FHIR has no code for leave to text or mail: charts have their own, in `Consent.category` or `provision.action`.
#[derive(Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ConsentCodes {
    pub sms: Vec<String>,
    pub email: Vec<String>,
    pub portal: Vec<String>,
    /// Every channel.
    pub all: Vec<String>,
}

impl Settings {
    pub fn read(text: &str) -> Result<Settings, Failure> {
        fhir::settings::read("records-fhir", text)
    }
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            endpoint: "ehr".to_owned(),
            identifier_systems: Systems::default(),
            text_unmarked_phones: false,
            consent_codes: ConsentCodes::default(),
        }
    }
}

impl Default for ConsentCodes {
    fn default() -> ConsentCodes {
        let codes = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
        ConsentCodes {
            sms: codes(&["sms", "text-message"]),
            email: codes(&["email"]),
            portal: codes(&["portal"]),
            all: codes(&["contact"]),
        }
    }
}
