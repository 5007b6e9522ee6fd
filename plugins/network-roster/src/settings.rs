//! The `settings:` block.

use serde::Deserialize;

use crate::Failure;
use crate::member::Member;

#[derive(Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    pub roster: Vec<Member>,
    /// A specialist whose next free visit is later has no room.
    pub max_wait_days: u32,
    pub urgent_wait_days: u32,
    /// A named specialist who is not in the roster.
    pub unknown_specialist: Unknown,
    /// An order that names no plan.
    pub unknown_plan: Unknown,
}

/// What the roster does not know, the referring physician may: accepted unless the practice says otherwise.
#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Unknown {
    Accept,
    Reroute,
}

impl Settings {
    /// Refuses what it cannot use and names the key.
    pub fn read(text: &str) -> Result<Settings, Failure> {
        let settings: Settings = serde_json::from_str(if text.is_empty() { "{}" } else { text })
            .map_err(|error| Failure::Misconfigured(format!("settings of network-roster: {error}")))?;
        for (index, member) in settings.roster.iter().enumerate() {
            if member.id.trim().is_empty() {
                return Err(Failure::Misconfigured(format!("roster[{index}].id: write the specialist's NPI")));
            }
            if settings.roster[..index].iter().any(|other| other.id == member.id) {
                return Err(Failure::Misconfigured(format!("roster[{index}].id: {} is there twice", member.id)));
            }
            if member.specialties.is_empty() {
                return Err(Failure::Misconfigured(format!("roster[{index}].specialties: name at least one")));
            }
        }
        Ok(settings)
    }
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            roster: vec![],
            max_wait_days: 30,
            urgent_wait_days: 7,
            unknown_specialist: Unknown::Accept,
            unknown_plan: Unknown::Accept,
        }
    }
}
