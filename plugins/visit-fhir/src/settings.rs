//! The `settings:` block.

use serde::Deserialize;

use crate::Failure;

#[derive(Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// The endpoint's name in the workflow.
    pub endpoint: String,
    /// Ask again after so many hours while nobody knows.
    pub again_hours: u32,
    /// The systems of the appointment's and the order's numbers. `any` matches the number in every system: only where
    /// the server knows one, for two systems may give two patients the same number.
    appointment_system: Option<String>,
    order_system: Option<String>,
    /// Ask for the Encounter where the Appointment is still open.
    pub encounters: bool,
}

/// A visit that nobody has settled after a month is a person's to settle.
const AGAIN_HOURS_MAX: u32 = 720;

impl Settings {
    pub fn read(text: &str) -> Result<Settings, Failure> {
        let settings: Settings = fhir::settings::read("visit-fhir", text)?;
        if !(1..=AGAIN_HOURS_MAX).contains(&settings.again_hours) {
            return Err(Failure::Misconfigured("again_hours: write 1 to 720".to_owned()));
        }
        Ok(settings)
    }

    pub fn appointment_system(&self) -> Result<&str, Failure> {
        system("appointment_system", self.appointment_system.as_deref())
    }

    pub fn order_system(&self) -> Result<&str, Failure> {
        system("order_system", self.order_system.as_deref())
    }
}

fn system<'a>(key: &str, system: Option<&'a str>) -> Result<&'a str, Failure> {
    match system {
        Some("any") => Ok(""),
        Some(system) if system.contains(':') => Ok(system),
        Some(_) | None => Err(Failure::Misconfigured(format!(
            "{key}: write the URI of the numbers' system, or `any` if there is only one"
        ))),
    }
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            endpoint: "ehr".to_owned(),
            again_hours: 24,
            appointment_system: None,
            order_system: None,
            encounters: true,
        }
    }
}
