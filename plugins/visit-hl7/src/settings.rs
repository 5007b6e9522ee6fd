//! How long a practice waits for its feed.

use serde::Deserialize;

use crate::types::Failure;

#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// Hours after the visit's end in which silence means nothing: front desks close the day in the evening.
    pub grace_hours: u32,
    /// Hours between two looks after that.
    pub again_hours: u32,
    /// Hours after the visit's end at which silence is judged as `give_up_as` says. Absent: never.
    pub give_up_hours: Option<u32>,
    pub give_up_as: GiveUpAs,
    /// Hours before the visit's start from which an arrival, an end or a note counts as this visit's.
    pub early_hours: u32,
}

#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum GiveUpAs {
    /// Nobody knows: the workflow's own escalation decides. A feed that forgets arrivals is common, and telling a patient
    /// who came that they did not is worse than waiting.
    Open,
    NoShow,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings { grace_hours: 4, again_hours: 24, give_up_hours: None, give_up_as: GiveUpAs::Open, early_hours: 12 }
    }
}

impl Settings {
    pub fn read(json: &str) -> Result<Settings, Failure> {
        let json = if json.trim().is_empty() { "{}" } else { json };
        let settings: Settings =
            serde_json::from_str(json).map_err(|error| Failure::Misconfigured(format!("visit-hl7: {error}")))?;
        if settings.again_hours == 0 {
            return Err(Failure::Misconfigured("visit-hl7: again_hours is 0; write at least 1".to_owned()));
        }
        Ok(settings)
    }
}
