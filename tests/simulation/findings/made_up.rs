//! Records that never were, for tests of what looks for faults in them.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use handoff_engine::event::Event;
use handoff_engine::ids::{BlindedName, Digest, LetterId, ReferralId, StageKey, Token};
use handoff_engine::letter::{Letter, LetterBody, Message};
use handoff_engine::referral::{Asked, Channel};
use handoff_rehearsal::rehearsal;
use handoff_store::{DeliveryVerdict, Entry, Json, Position, Record};
use serde_json::{Value, json};

pub fn referral_id(name: &[u8]) -> ReferralId {
    ReferralId::derive(rehearsal::start(), name)
}

pub fn entry(records: impl IntoIterator<Item = Record>) -> (Position, Arc<Entry>) {
    let records = records.into_iter().collect();
    (Position::START, Arc::new(Entry { at: rehearsal::start(), records, sealed: Vec::new() }))
}

/// A referral after a step, with an appointment.
pub fn stepped(id: ReferralId, starts_at: DateTime<Utc>) -> Record {
    let provider = json!({ "id": "", "name": "", "organization": "", "phone": "", "specialty": "" });
    let referral = json!({
        "id": id, "deployment": Digest::of(b"workflow"), "state": "scheduled", "entered_at": rehearsal::start(),
        "ordered_at": rehearsal::start(), "version": 2, "timers": [], "letters": 1,
        "facts": {
            "patient": { "id": "p", "given": "g", "family": "f", "identifiers": [], "reaches": [], "languages": ["en"] },
            "order": {
                "numbers": ["n"], "priority": "routine", "specialty": { "system": "", "code": "", "display": "" },
                "plan_id": "", "plan_name": "", "referring": provider,
            },
            "appointment": { "numbers": ["a"], "starts_at": starts_at, "minutes": 30, "status": "booked" },
        },
    });
    Record::Stepped { referral: serde_json::from_value(referral).expect("a referral"), because: "test".into() }
}

pub fn happened(referral: ReferralId, event: Event) -> Record {
    Record::Happened { referral, event }
}

pub fn delivery(bytes: &[u8], verdict: DeliveryVerdict) -> Record {
    Record::Delivery {
        digest: Digest::of(bytes),
        source: "hl7".into(),
        kind: "REF^I12".into(),
        dedupe_key: BlindedName::new("key"),
        verdict,
        bytes: None,
        answer: None,
        envelope: Value::Null,
        waits_for: Vec::new(),
    }
}

pub fn message(id: LetterId, template: &str) -> Record {
    let message = Message {
        template: template.into(),
        channel: Channel::Sms,
        to: Token("to".into()),
        language: "en".into(),
        asked: Asked::Info,
        subject: String::new(),
        text: String::new(),
        vendors_tried: Vec::new(),
        again: 0,
    };
    let letter = Letter { id, due: rehearsal::start(), expires: None, body: LetterBody::Message(message) };
    Record::Queued { letter, doubt: None }
}

pub fn asked(letter: LetterId) -> Record {
    Record::Asked {
        letter,
        attempt: 1,
        stage: StageKey::new("outreach.sms"),
        plugin: Digest::of(b"plugin"),
        endpoint: "sms".into(),
        agreement: None,
        ask: Json::of(&Value::Null).expect("JSON"),
        lookup: false,
    }
}
