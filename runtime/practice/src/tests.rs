//! The practice seen from outside, by a hand-written peer for each protocol.

mod carrier;
mod chart;
mod mail;
mod mess;
mod peer;
mod rehearsal;

use chrono::{DateTime, Utc};

use crate::{CarrierPlan, EhrPlan, Handoff, PracticePlan, Profile};

/// Monday, 14 September 2026, 06:00 in Chicago.
fn start() -> DateTime<Utc> {
    DateTime::from_timestamp(1_789_383_600, 0).expect("a valid moment")
}

/// A world in which nothing goes wrong.
fn fair_weather(referrals: usize) -> PracticePlan {
    let carrier = CarrierPlan { throttled: 0.0, failing: 0.0, dropped: 0.0, undelivered: 0.0 };
    let ehr = EhrPlan { duplicated: 0.0, overtaken: 0.0, by_webhook: 0.0, withdrawn: 0, unrelated: 0, malformed: 0 };
    PracticePlan {
        profile: Profile { carrier, ehr, ..Profile::default() },
        ..PracticePlan::new(11, referrals, start())
    }
}

const ACCOUNT: &str = "ACrehearsal";
const AUTH_TOKEN: &str = "12345";

/// Somewhere nobody listens, for tests that only talk to the practice.
fn nowhere() -> Handoff {
    Handoff {
        mllp: ([127, 0, 0, 1], 9).into(),
        http: "http://127.0.0.1:9".to_string(),
        public_url: "https://handoff.example".to_string(),
        callback_url: "https://handoff.example/callback".to_string(),
        twilio_account: ACCOUNT.to_string(),
        twilio_auth_token: AUTH_TOKEN.to_string(),
        sms_number: "+13125550199".to_string(),
        webhook: None,
    }
}
