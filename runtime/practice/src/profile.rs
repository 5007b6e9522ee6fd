//! A practice, described: who its patients are and how they take to being written to, which specialists it refers to, how
//! badly its neighbours behave, what a message costs. [`Profile::default`] is the practice of the demo.
//!
//! As a file it is YAML in which chances and shares are percent; `workflows/practice.yaml` explains every key. What it
//! leaves out is as in the default.

mod mess;
pub(crate) mod percent;
mod shares;

use serde::{Deserialize, Deserializer, Serialize, de};

use crate::people::{Hears, PatientLanguage};
use crate::plan::{CarrierPlan, EhrPlan};
use crate::specialists::{Coverage, Network};

pub use mess::Mess;
pub use shares::Shares;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Profile {
    #[serde(deserialize_with = "orders_a_week")]
    pub referrals_per_week: u32,
    pub patients: Patients,
    pub answers: Answers,
    pub visits: Visits,
    pub network: Network,
    pub carrier: CarrierPlan,
    pub ehr: EhrPlan,
    pub mess: Mess,
    pub prices: Prices,
}

/// Who is referred, and what reaches them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Patients {
    pub languages: Shares<PatientLanguage>,
    pub hear: Shares<Hears>,
    pub plans: Shares<Coverage>,
    /// Have a refusal of messages in the chart.
    #[serde(with = "percent")]
    pub refuse_messages: f64,
    /// Have a mail address on file that their mail server does not know.
    #[serde(with = "percent")]
    pub bad_mailbox: f64,
    /// Arrange the visit without being asked.
    #[serde(with = "percent")]
    pub self_starting: f64,
}

/// The chance that somebody who is asked to arrange the visit does.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Answers {
    /// The first, second, … message; the last number stands for all that follow. The later ones reach those who ignored
    /// the earlier.
    #[serde(with = "percent::list")]
    pub heeded: Vec<f64>,
    /// A message to somebody who missed a visit.
    #[serde(with = "percent")]
    pub heeded_after_miss: f64,
    /// A coordinator's call.
    #[serde(with = "percent")]
    pub coordinator_books: f64,
}

/// How visits go.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Visits {
    /// Visits of which nobody reminds that are missed, in percent as written: the mean of the forgetful and the others.
    #[serde(deserialize_with = "percent::as_written")]
    pub missed: f64,
    /// Of those, so many are missed all the same after a reminder; again after a second and a third.
    #[serde(with = "percent")]
    pub missed_despite_reminder: f64,
}

/// What a message costs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Prices {
    #[serde(deserialize_with = "currency")]
    pub currency: String,
    /// Texts are billed by part: a long one has several.
    #[serde(deserialize_with = "price")]
    pub text_part: f64,
    #[serde(deserialize_with = "price")]
    pub mail: f64,
}

/// A group of fifty providers orders two thousand referrals a week; more is another kind of house.
const REFERRALS_PER_WEEK_MAX: u32 = 2_000;

impl Default for Profile {
    fn default() -> Profile {
        Profile {
            // A primary-care practice sends thirty to fifty.
            referrals_per_week: 40,
            patients: Patients::default(),
            answers: Answers::default(),
            visits: Visits::default(),
            network: Network::default(),
            carrier: CarrierPlan::default(),
            ehr: EhrPlan::default(),
            mess: Mess::default(),
            prices: Prices::default(),
        }
    }
}

impl Default for Patients {
    fn default() -> Patients {
        use PatientLanguage::{Chinese, English, Spanish, Vietnamese};
        Patients {
            languages: Shares::of([(66, English), (24, Spanish), (5, Chinese), (5, Vietnamese)]),
            hear: Shares::of([(90, Hears::TextsAndMails), (7, Hears::MailsOnly), (3, Hears::Nothing)]),
            plans: Shares::of([
                (45, Coverage::Ppo),
                (25, Coverage::Hmo),
                (18, Coverage::Medicaid),
                (12, Coverage::MedicareAdvantage),
            ]),
            refuse_messages: 0.02,
            bad_mailbox: 0.04,
            self_starting: 0.08,
        }
    }
}

impl Default for Answers {
    fn default() -> Answers {
        Answers { heeded: vec![0.58, 0.52, 0.5, 0.4, 0.3], heeded_after_miss: 0.7, coordinator_books: 0.55 }
    }
}

impl Answers {
    /// The chance that the message after so many others is heeded.
    pub(crate) fn heeded(&self, earlier: u32) -> f64 {
        let nth = usize::try_from(earlier).unwrap_or(usize::MAX).min(self.heeded.len().saturating_sub(1));
        self.heeded.get(nth).copied().unwrap_or_default()
    }
}

impl Default for Visits {
    fn default() -> Visits {
        Visits { missed: MISSED_PERCENT, missed_despite_reminder: 0.45 }
    }
}

/// Some are forgetful, and miss a third of the visits of which nobody reminds them; the others miss a tenth.
const FORGETFUL: f64 = 0.3;
const FORGETFUL_MISS: f64 = 0.32;
const OTHERS_MISS: f64 = 0.1;

/// The mean of both.
const MISSED_PERCENT: f64 = 16.6;

impl Visits {
    /// The share of forgetful people, and the chance that one of them and of the others misses a visit without reminder.
    pub(crate) fn forgetful(&self) -> (f64, f64, f64) {
        let times = self.missed / MISSED_PERCENT;
        if FORGETFUL_MISS * times <= 1.0 {
            return (FORGETFUL, FORGETFUL_MISS * times, OTHERS_MISS * times);
        }
        // The forgetful cannot miss more than all: the others miss the rest.
        (FORGETFUL, 1.0, (self.missed / 100.0 - FORGETFUL) / (1.0 - FORGETFUL))
    }
}

impl Default for Prices {
    fn default() -> Prices {
        // List prices in the USA without carriers' fees: Twilio's for a text part, Amazon's for a mail (SES).
        Prices { currency: "USD".into(), text_part: 0.0083, mail: 0.0001 }
    }
}

fn orders_a_week<'de, D: Deserializer<'de>>(from: D) -> Result<u32, D::Error> {
    let count = u32::deserialize(from)?;
    if (1..=REFERRALS_PER_WEEK_MAX).contains(&count) {
        return Ok(count);
    }
    Err(de::Error::custom(format!("{count} referrals a week: write 1 to {REFERRALS_PER_WEEK_MAX}")))
}

fn currency<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    let code = String::deserialize(from)?;
    if code.len() == 3 && code.bytes().all(|letter| letter.is_ascii_uppercase()) {
        return Ok(code);
    }
    Err(de::Error::custom(format!("{code:?} is no currency: write its three letters, such as USD (ISO 4217)")))
}

fn price<'de, D: Deserializer<'de>>(from: D) -> Result<f64, D::Error> {
    let price = f64::deserialize(from)?;
    if price.is_finite() && price >= 0.0 {
        return Ok(price);
    }
    Err(de::Error::custom(format!("{price} is no price: write what one costs, such as 0.0083")))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn read(file: Value) -> Result<Profile, String> {
        serde_json::from_value(file).map_err(|error| error.to_string())
    }

    #[test]
    fn what_is_left_out_is_as_in_the_default() {
        assert_eq!(read(json!({})).expect("a practice"), Profile::default());
        let profile = read(json!({ "answers": { "heeded": [10] } })).expect("a practice");
        assert_eq!(profile.answers, Answers { heeded: vec![0.1], ..Answers::default() });
    }

    #[test]
    fn the_default_written_out_is_the_default() {
        let written = serde_json::to_value(Profile::default()).expect("JSON");
        assert_eq!(written["answers"]["heeded"], json!([58.0, 52.0, 50.0, 40.0, 30.0]));
        assert_eq!(written["patients"]["languages"], json!({ "en": 66, "es": 24, "zh": 5, "vi": 5 }));
        assert_eq!(read(written).expect("a practice"), Profile::default());
    }

    #[test]
    fn what_cannot_be_is_refused_with_its_cure() {
        for (file, expected) in [
            (json!({ "visits": { "missed": 120 } }), "120 is no share: write 0 to 100, in percent"),
            (json!({ "answers": { "heeded": [10, -1] } }), "-1 is no share: write 0 to 100, in percent"),
            (json!({ "answers": { "heeded": [] } }), "no shares: write at least one, in percent"),
            (
                json!({ "patients": { "languages": { "en": 70, "es": 40 } } }),
                "the shares add up to 110 %: write them so that they add up to 100",
            ),
            (json!({ "patients": { "hear": { "texts": 62.5, "mails": 37.5 } } }), "62.5 is no whole percentage"),
            (json!({ "referrals_per_week": 0 }), "0 referrals a week: write 1 to 2000"),
            (json!({ "prices": { "currency": "Dollar" } }), "\"Dollar\" is no currency"),
            (json!({ "prices": { "mail": -0.1 } }), "-0.1 is no price"),
            (json!({ "network": { "specialists": [] } }), "no specialists: write at least one"),
            (json!({ "patients": { "langauges": {} } }), "unknown field `langauges`"),
        ] {
            let refused = read(file.clone()).expect_err("no practice");
            assert!(refused.contains(expected), "{file}: {refused}");
        }
    }

    #[test]
    fn the_mean_of_missed_visits_is_as_written() {
        assert_eq!(Visits::default().forgetful(), (0.3, 0.32, 0.1));
        for missed in [0.0, 5.0, 30.0, 70.0, 100.0] {
            let (share, forgetful, others) = Visits { missed, ..Visits::default() }.forgetful();
            let mean = share * forgetful + (1.0 - share) * others;
            assert!((mean * 100.0 - missed).abs() < 1e-9 && (0.0..=1.0).contains(&others), "{missed}: {mean}");
        }
    }
}
