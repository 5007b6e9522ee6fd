//! The `settings:` block.

use serde::Deserialize;

use crate::{Audience, Failure};

#[derive(Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// The endpoint's name in the workflow.
    pub endpoint: String,
    /// The system under which our tasks are numbered. Never change it: a second write would not find the first.
    pub identifier_system: String,
    /// The systems of the patient's and the order's numbers, where they have but one.
    pub patient_system: String,
    pub order_system: String,
    /// Who works on an audience's tasks where no person is named: `coordinator: Group/referrals`.
    pub owners: Owners,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Owners {
    physician: Option<String>,
    coordinator: Option<String>,
    specialist: Option<String>,
}

impl Settings {
    pub fn read(text: &str) -> Result<Settings, Failure> {
        let settings: Settings = fhir::settings::read("escalation-inbox", text)?;
        if !settings.identifier_system.contains(':') {
            return Err(Failure::Misconfigured(
                "identifier_system: write a URI of yours, such as https://clinic.example/handoff".to_owned(),
            ));
        }
        let owners = &settings.owners;
        for (key, owner) in
            [("physician", &owners.physician), ("coordinator", &owners.coordinator), ("specialist", &owners.specialist)]
        {
            if owner.as_ref().is_some_and(|owner| !owner.contains('/')) {
                return Err(Failure::Misconfigured(format!("owners.{key}: write a reference such as Group/referrals")));
            }
        }
        Ok(settings)
    }
}

impl Owners {
    pub fn of(&self, audience: Audience) -> Option<&str> {
        match audience {
            Audience::Physician => self.physician.as_deref(),
            Audience::Coordinator => self.coordinator.as_deref(),
            Audience::Specialist => self.specialist.as_deref(),
        }
    }
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            endpoint: "ehr".to_owned(),
            identifier_system: "urn:x-handoff:task".to_owned(),
            patient_system: String::new(),
            order_system: String::new(),
            owners: Owners::default(),
        }
    }
}
