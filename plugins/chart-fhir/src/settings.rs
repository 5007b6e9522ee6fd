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
    /// The system of the order numbers in `ServiceRequest.identifier`; absent matches the number in any system, which
    /// is safe among one patient's orders.
    pub order_system: Option<String>,
    /// The system under which our own entries are numbered. Never change it: a second write would not find the first.
    pub identifier_system: String,
}

impl Settings {
    pub fn read(text: &str) -> Result<Settings, Failure> {
        let settings: Settings = fhir::settings::read("chart-fhir", text)?;
        if !settings.identifier_system.contains(':') {
            return Err(Failure::Misconfigured(
                "identifier_system: write a URI of yours, such as https://clinic.example/handoff".to_owned(),
            ));
        }
        Ok(settings)
    }
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            endpoint: "ehr".to_owned(),
            identifier_systems: Systems::default(),
            order_system: None,
            identifier_system: "urn:x-handoff:chart-entry".to_owned(),
        }
    }
}
