//! What a practice may set for its HL7 v2 feed.

use serde::Deserialize;

use crate::problem::Fault;

#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// For times sent without a zone: `-05:00`.
    pub default_offset: String,
    pub orders: Orders,
    pub match_patient: MatchPatient,
    pub dedupe: Dedupe,
}

/// Which ORM^O01 and OMG^O19 orders are referrals.
#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Orders {
    /// Every one: the feed carries referrals only, which is how interface teams set it up.
    Referrals,
    /// Those whose service says so; the feed also carries laboratory, radiology or pharmacy orders.
    ByService,
}

/// When an appointment or a note also names its patient as a key.
#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MatchPatient {
    Never,
    /// When it carries no order number. One that carries a number we do not know is about another order.
    Unnumbered,
    Always,
}

/// What makes two deliveries the same.
#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Dedupe {
    /// MSH-3, MSH-4 and MSH-10, as HL7 v2.8, 2.9 has it.
    ControlId,
    /// The control id and the body, for senders that use a control id more than once.
    Content,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            default_offset: "+00:00".to_owned(),
            orders: Orders::Referrals,
            match_patient: MatchPatient::Unnumbered,
            dedupe: Dedupe::ControlId,
        }
    }
}

impl Settings {
    pub fn read(json: &str) -> Result<Settings, Fault> {
        let json = if json.trim().is_empty() { "{}" } else { json };
        let settings: Settings = serde_json::from_str(json).map_err(|error| Fault::settings(error.to_string()))?;
        if offset_is_valid(&settings.default_offset) {
            Ok(settings)
        } else {
            Err(Fault::settings("default_offset is no offset from UTC; write it as \"-05:00\"".to_owned()))
        }
    }
}

fn offset_is_valid(offset: &str) -> bool {
    moment::read_rfc3339(&format!("2000-01-01T00:00:00{offset}")).is_some()
}
