//! What is rehearsed: how many people, from when, in which practice, and how badly the world behaves.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Deserializer, Serialize, de};

use crate::profile::{Profile, percent};

/// The same plan and the same calls give the same behaviour, byte for byte.
#[derive(Clone, Debug, PartialEq)]
pub struct PracticePlan {
    pub seed: u64,
    /// Referrals, one per patient. At most [`REFERRALS_MAX`].
    pub referrals: usize,
    /// They are ordered within so many days of the start: ten, so that a month sees most of them through.
    pub order_days: u32,
    pub start: DateTime<Utc>,
    /// Nothing happens after so many days.
    pub days: u32,
    pub profile: Profile,
}

impl PracticePlan {
    pub fn new(seed: u64, referrals: usize, start: DateTime<Utc>) -> PracticePlan {
        PracticePlan { seed, referrals, order_days: 10, start, days: 30, profile: Profile::default() }
    }
}

/// Telephone numbers are told apart by four digits.
pub const REFERRALS_MAX: usize = 10_000;

/// Probabilities, each per request or per message.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CarrierPlan {
    /// Answered 429 and not acted upon.
    #[serde(with = "percent")]
    pub throttled: f64,
    /// Answered 500 and not acted upon.
    #[serde(with = "percent")]
    pub failing: f64,
    /// Acted upon, and the connection dropped before the answer.
    #[serde(with = "percent")]
    pub dropped: f64,
    /// Accepted and never delivered to the phone (30005).
    #[serde(with = "percent")]
    pub undelivered: f64,
}

impl Default for CarrierPlan {
    fn default() -> Self {
        CarrierPlan { throttled: 0.01, failing: 0.01, dropped: 0.01, undelivered: 0.01 }
    }
}

/// Probabilities, each per message, and counts.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct EhrPlan {
    /// Sent once more although it was acknowledged.
    #[serde(with = "percent")]
    pub duplicated: f64,
    /// Held back until a later message of the same visit has overtaken it.
    #[serde(with = "percent")]
    pub overtaken: f64,
    /// Orders that come as webhook JSON, where Handoff names a webhook.
    #[serde(with = "percent")]
    pub by_webhook: f64,
    /// Orders that are withdrawn after a day or two; in a practice file, of each hundred.
    #[serde(deserialize_with = "of_a_hundred")]
    pub withdrawn: usize,
    /// ADT messages, which are no concern of a referral.
    #[serde(skip)]
    pub unrelated: usize,
    /// Messages that nobody can read; they must come back AE or AR.
    #[serde(skip)]
    pub malformed: usize,
}

impl Default for EhrPlan {
    fn default() -> Self {
        EhrPlan { duplicated: 0.03, overtaken: 0.05, by_webhook: 0.1, withdrawn: 1, unrelated: 4, malformed: 2 }
    }
}

fn of_a_hundred<'de, D: Deserializer<'de>>(from: D) -> Result<usize, D::Error> {
    let count = usize::deserialize(from)?;
    if count <= 100 {
        return Ok(count);
    }
    Err(de::Error::custom(format!("{count} of a hundred orders: write 0 to 100")))
}
