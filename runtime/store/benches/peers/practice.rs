//! What the line would write down for one referral, made by the engine, in the order of its life.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use handoff_engine::deployment::Deployment;
use handoff_engine::event::{Event, Intent, Reply};
use handoff_engine::ids::{BlindedName, Digest, LetterId, PatientId, ReferralId, Token, VendorMessageId};
use handoff_engine::letter::{Letter, LetterBody, Message};
use handoff_engine::referral::{Channel, Order, Patient, Referral, SentLetter};
use handoff_engine::render::render;
use handoff_engine::scenario::Scenario;
use handoff_engine::step::{Effect, Step, begin, step};
use handoff_engine::workflow::Workflow;
use handoff_store::entry::{DeliveryVerdict, Record};
use handoff_store::{Entry, Json, Sealed};
use serde_json::json;

/// What the EHR sends, and every side keeps.
const ORDER: &str = include_str!("order.json");

const WORKFLOW: &str = include_str!("referral.yaml");

pub struct Practice {
    deployment: Deployment,
    patient: Patient,
    order: Order,
}

impl Practice {
    pub fn open() -> Practice {
        let workflow = Workflow::parse("referral.yaml", WORKFLOW).expect("the workflow");
        let Scenario { patient, order, .. } =
            Scenario::parse("none", "at 0h ordered -> contacting").expect("a patient and an order");
        Practice { deployment: Deployment::new(workflow, BTreeMap::new()), patient, order }
    }

    /// The referral that an order of this number begins.
    pub fn referral_of(&self, number: u64) -> ReferralId {
        ReferralId::derive(ordered_at(number), &number.to_be_bytes())
    }

    /// The order comes in: a delivery, the birth, the first letter owed.
    pub fn order(&self, number: u64) -> (Entry, LetterId) {
        let (id, now) = (self.referral_of(number), ordered_at(number));
        let (patient, order) = (Arc::new(self.patient_of(number)), Arc::new(self.order.clone()));
        let ordered = Event::Ordered { patient: Arc::clone(&patient), order: Arc::clone(&order) };
        let sealed = [
            ("D", ORDER),
            ("A", "MSH|^~\\&|HANDOFF|CEDAR|EPIC|CEDAR|20260105120000||ACK^I12|1|P|2.5.1\rMSA|AA|MSG00112"),
            ("G", "Ana"),
            ("F", "Morales"),
            ("P", "+13125550142"),
        ];
        let sealed = sealed.map(|(kind, bytes)| seal(&patient.id, kind, number, bytes)).to_vec();
        let mut records = vec![
            Record::Keyed { patient: patient.id.clone(), slot: number },
            Record::Delivery {
                digest: Digest::of(&number.to_be_bytes()),
                source: "hl7".into(),
                kind: "REF^I12".into(),
                dedupe_key: BlindedName::new(format!("key:{number}")),
                verdict: DeliveryVerdict::Accepted { referrals: vec![id] },
                bytes: Some(token("D", number)),
                answer: Some(token("A", number)),
                envelope: json!({ "transport": "mllp" }),
                waits_for: Vec::new(),
            },
            Record::Named {
                referral: id,
                names: [format!("number:{number}"), format!("address:{number}")].map(BlindedName::new).to_vec(),
            },
            Record::Happened { referral: id, event: ordered },
        ];
        let step = begin(&self.deployment, id, patient, order, now).expect("a birth");
        let letter = self.stepped(step, now, &mut records).expect("a letter");
        (Entry { at: now, records, sealed }, letter)
    }

    /// A letter is taken up: this is written down before it leaves.
    pub fn ask(&self, letter: LetterId) -> Entry {
        let ask = Json::of(
            &json!({ "method": "POST", "url": "/2010-04-01/Accounts/AC1/Messages.json", "body": "To=…&Body=…" }),
        )
        .expect("JSON");
        let asked = Record::Asked {
            letter,
            attempt: 1,
            stage: "outreach.sms".into(),
            plugin: self.deployment.digest,
            endpoint: "sms".into(),
            ask,
            agreement: None,
            lookup: false,
        };
        Entry { at: now_of(&letter.referral), records: vec![asked], sealed: Vec::new() }
    }

    /// The vendor took it: answer, receipt, and what the referral makes of it.
    pub fn receipt(&self, referral: &Referral, letter: &Letter) -> Entry {
        let now = now_of(&referral.id);
        let LetterBody::Message(message) = &letter.body else { panic!("only messages are written here") };
        let sent = SentLetter {
            id: letter.id,
            template: message.template.clone(),
            channel: message.channel,
            language: message.language.clone(),
            asked: message.asked,
            at: now,
        };
        let event = Event::LetterSent { letter: sent, in_doubt: false };
        let mut records = vec![
            Record::Answered {
                letter: letter.id,
                response: Json::of(&json!({ "status": 201, "sid": "SM1" })).expect("JSON"),
                lookup: false,
            },
            Record::Received {
                letter: letter.id,
                outcome: "accepted".into(),
                vendor_id: Some(VendorMessageId::new(format!("sms:{}", letter.id))),
            },
            Record::Happened { referral: referral.id, event: event.clone() },
        ];
        let step = step(&self.deployment, referral, &event, now).expect("a step");
        self.stepped(step, now, &mut records);
        Entry { at: now, records, sealed: Vec::new() }
    }

    /// The patient answers: a delivery, the step, the second letter owed.
    pub fn reply(&self, referral: &Referral) -> (Entry, LetterId) {
        let now = now_of(&referral.id);
        let text = Token(format!("{}-reply", referral.facts.patient.given));
        let reply = Reply {
            intent: Intent::Confirm,
            language: "en".into(),
            confidence: 95,
            channel: Channel::Sms,
            from: referral.facts.patient.reaches.first().map(|reach| reach.address.clone()),
            text: text.clone(),
        };
        let event = Event::Reply { reply };
        let patient = referral.facts.patient.id.clone();
        let mut records = vec![
            Record::Delivery {
                digest: Digest::of(text.0.as_bytes()),
                source: "sms".into(),
                kind: "reply".into(),
                dedupe_key: BlindedName::new(format!("reply:{}", referral.id)),
                verdict: DeliveryVerdict::Accepted { referrals: vec![referral.id] },
                bytes: Some(text.clone()),
                answer: None,
                envelope: json!({ "transport": "http" }),
                waits_for: Vec::new(),
            },
            Record::Happened { referral: referral.id, event: event.clone() },
        ];
        let step = step(&self.deployment, referral, &event, now).expect("a step");
        let letter = self.stepped(step, now, &mut records).expect("a letter");
        let sealed = vec![Sealed { token: text, patient, bytes: b"yes, I will be there".to_vec(), pieces: Vec::new() }];
        (Entry { at: now, records, sealed }, letter)
    }

    /// Notes a step and the letter that it owes.
    fn stepped(&self, step: Step, now: DateTime<Utc>, records: &mut Vec<Record>) -> Option<LetterId> {
        let owed = step.letters().find_map(|(id, effect)| match effect {
            Effect::Send { template, channel: _, asked, expires, words: _ } => {
                Some((id, template.clone(), *asked, *expires))
            }
            _ => None,
        });
        let letter = owed.map(|(id, template, asked, expires)| {
            let facts = &step.referral.facts;
            let reach = facts.patient.reaches.first().expect("a way to reach the patient");
            let filled = render(&self.deployment.workflow, facts, &template, reach, "en", None).expect("a letter");
            let to = reach.address.clone();
            let message = Message {
                template,
                channel: Channel::Sms,
                to,
                language: filled.language,
                asked,
                subject: filled.subject,
                text: filled.text,
                vendors_tried: Vec::new(),
                again: 0,
            };
            Letter { id, due: now, expires, body: LetterBody::Message(message) }
        });
        let id = letter.as_ref().map(|letter| letter.id);
        records.extend(letter.map(|letter| Record::Queued { letter, doubt: None }));
        records.push(Record::Stepped { referral: Arc::new(step.referral), because: step.because });
        id
    }

    fn patient_of(&self, number: u64) -> Patient {
        let mut patient = self.patient.clone();
        patient.id = PatientId(format!("P{number:026}"));
        patient.given = token("G", number);
        patient.family = token("F", number);
        patient.reaches.iter_mut().for_each(|reach| reach.address = token("P", number));
        patient
    }
}

fn token(kind: &str, number: u64) -> Token {
    Token(format!("ZPHIG00A{kind}{number:025}"))
}

fn seal(patient: &PatientId, kind: &str, number: u64, bytes: &str) -> Sealed {
    Sealed {
        token: token(kind, number),
        patient: patient.clone(),
        bytes: bytes.as_bytes().to_vec(),
        pieces: Vec::new(),
    }
}

/// One order each millisecond, over and over within some years: the clock is part of what is measured on no side.
fn ordered_at(number: u64) -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::days(20_000) + TimeDelta::milliseconds((number % 100_000_000_000) as i64)
}

/// The next thing happens an hour after the order.
fn now_of(referral: &ReferralId) -> DateTime<Utc> {
    let ordered = DateTime::from_timestamp_millis(referral.0.timestamp_ms() as i64).unwrap_or_default();
    ordered + TimeDelta::hours(1)
}
