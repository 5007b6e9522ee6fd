//! Entries to try things with: a small practice whose life is a seed.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, Duration, TimeZone as _, Utc};
use ed25519_dalek::SigningKey;
use handoff_engine::event::{Event, LetterStatus};
use handoff_engine::ids::{BlindedName, Digest, LetterId, PatientId, ReferralId, StageKey, Token, VendorMessageId};
use handoff_engine::letter::{Audience, Letter, LetterBody, Task};
use handoff_engine::referral::{
    Channel, Consent, ContactPoint, Facts, Order, Patient, Priority, Provider, Referral, Timer,
};
use handoff_engine::task::{ReferralTask, TaskEnd, TaskOutcome};
use serde_json::json;

use crate::entry::{DeliveryVerdict, Entry, Origin, PauseCause, PauseScope, Record, Sealed, Settlement};
use crate::journal::DiskDice;
use crate::json::Json;

pub fn key(seed: u8) -> SigningKey {
    SigningKey::from_bytes(&[seed; 32])
}

pub fn noon() -> DateTime<Utc> {
    Utc.with_ymd_and_hms(2026, 1, 5, 12, 0, 0).single().unwrap_or_default()
}

pub fn token(text: &str) -> Token {
    Token(format!("ZPHIG00A{text:0>26}"))
}

pub fn referral_id(number: u64) -> ReferralId {
    ReferralId::derive(noon() + Duration::seconds(number as i64), &number.to_be_bytes())
}

pub fn letter_id(referral: u64, number: u32) -> LetterId {
    LetterId { referral: referral_id(referral), number }
}

pub fn patient(number: u64) -> Patient {
    Patient {
        id: PatientId(format!("patient-{number}")),
        given: token(&format!("GIVEN{number}")),
        family: token(&format!("FAMILY{number}")),
        born: None,
        identifiers: Vec::new(),
        reaches: vec![ContactPoint {
            channel: Channel::Sms,
            address: token(&format!("PHONE{number}")),
            consent: Consent::Granted,
            confirmed: true,
        }],
        languages: vec!["es".to_string()],
        preferred: Some(Channel::Sms),
        zone: Some(chrono_tz::America::New_York),
        other_zone: None,
        deceased: false,
        refused: false,
        as_of: None,
        opted_out: Vec::new(),
    }
}

pub fn order(number: u64) -> Order {
    Order {
        numbers: vec![token(&format!("ORDER{number}"))],
        priority: Priority::Routine,
        specialty: Default::default(),
        services: Vec::new(),
        diagnoses: Vec::new(),
        plan_id: "plan".to_string(),
        plan_name: "A plan".to_string(),
        referring: Provider { id: "1932745621".to_string(), ..Provider::default() },
        specialist: None,
        expires_at: None,
        named: None,
        as_of: None,
        authored_at: None,
    }
}

pub fn referral(number: u64) -> Referral {
    Referral {
        id: referral_id(number),
        deployment: Digest::of(b"first"),
        state: "ordered".to_string(),
        entered_at: noon(),
        ordered_at: noon(),
        version: 1,
        timers: vec![Timer { name: "remind".to_string(), due: noon() + Duration::days(3) }],
        letters: 0,
        facts: Facts {
            patient: patient(number).into(),
            order: order(number).into(),
            appointment: None,
            visit: None,
            note: None,
            last_letter: None,
            attempts: Vec::new(),
            tried: Vec::new(),
            rerouted: 0,
            withdrawn: None,
            marks: Vec::new(),
            calls: Vec::new(),
        },
        tasks: Vec::new(),
    }
}

pub fn stepped(referral: &Referral) -> Record {
    Record::Stepped { referral: Arc::new(referral.clone()), because: "a test".to_string() }
}

pub fn entry(at: DateTime<Utc>, records: Vec<Record>) -> Entry {
    Entry { at, records, sealed: Vec::new() }
}

/// An entry like the journal's usual one: an event and the step it led to.
pub fn usual(number: u64) -> Entry {
    let referral = referral(number);
    let happened = Record::Happened { referral: referral.id, event: Event::Timer { name: "remind".to_string() } };
    entry(noon() + Duration::seconds(number as i64), vec![happened, stepped(&referral)])
}

/// Makes entries that a practice might, and some that none would.
pub struct Practice {
    dice: DiskDice,
    now: DateTime<Utc>,
    referrals: BTreeMap<u64, Referral>,
}

const STATES: [&str; 4] = ["ordered", "contacting", "scheduled", "seen"];

impl Practice {
    pub fn new(seed: u64) -> Practice {
        Practice { dice: DiskDice::new(seed), now: noon(), referrals: BTreeMap::new() }
    }

    pub fn entries(&mut self, count: usize) -> Vec<Entry> {
        (0..count).map(|_| self.entry()).collect()
    }

    fn entry(&mut self) -> Entry {
        self.now += Duration::milliseconds(self.dice.below(90_000) as i64 - 10_000);
        let mut records = Vec::new();
        let mut sealed = Vec::new();
        for _ in 0..=self.dice.below(3) {
            let number = self.dice.below(12);
            if self.dice.below(3) == 0 {
                sealed.push(Sealed {
                    token: token(&format!("PHONE{number}")),
                    patient: PatientId(format!("patient-{number}")),
                    bytes: self.dice.next().to_be_bytes().to_vec(),
                    pieces: Vec::new(),
                });
            }
            let record = self.record(number);
            records.extend(record);
        }
        Entry { at: self.now, records, sealed }
    }

    #[expect(clippy::too_many_lines, reason = "a record of every kind")]
    fn record(&mut self, number: u64) -> Vec<Record> {
        let letter = letter_id(number, self.dice.below(3) as u32);
        let due = self.now + Duration::seconds(self.dice.below(100_000) as i64);
        let digest = Digest::of(&number.to_be_bytes());
        let why = "a test".to_string();
        match self.dice.below(25) {
            0..=4 => self.step(number),
            5 | 6 => {
                let letter = Letter { id: letter, due, expires: None, body: LetterBody::ReadRecord };
                vec![Record::Queued { letter, doubt: None }]
            }
            7 => vec![Record::Asked {
                letter,
                attempt: self.dice.below(4) as u32,
                stage: StageKey::new("sms"),
                plugin: digest,
                endpoint: "sms".to_string(),
                agreement: None,
                ask: Json::of(&json!({ "number": number })).expect("JSON"),
                lookup: self.dice.below(4) == 0,
            }],
            8 => {
                let response = Json::of(&json!({ "status": 201 })).expect("JSON");
                vec![Record::Answered { letter, response, lookup: self.dice.below(4) == 0 }]
            }
            9 => {
                let (attempts, in_doubt) = (self.dice.below(4) as u32, self.dice.below(2) == 0);
                vec![Record::Deferred { letter, due, attempts, why, in_doubt }]
            }
            10 => {
                let vendor_id =
                    (self.dice.below(2) == 0).then(|| VendorMessageId::new(format!("SM{}", self.dice.below(5))));
                vec![Record::Received { letter, outcome: "accepted".to_string(), vendor_id }]
            }
            11 => {
                vec![Record::Dropped { letter, dead: self.dice.below(2) == 0, why, in_doubt: self.dice.below(2) == 0 }]
            }
            24 => {
                let vendor_id = VendorMessageId::new(format!("SM{}", self.dice.below(5)));
                vec![Record::Reported { vendor_id, status: LetterStatus::Delivered, cure: None }]
            }
            12 => {
                let items = [letter.to_string(), digest.to_string()];
                let item = items[self.dice.below(2) as usize].clone();
                vec![Record::Settled { item, how: Settlement::Dismissed, who: "someone".to_string(), why }]
            }
            13 => {
                let names = [format!("number:{}", self.dice.below(6)), format!("patient:{number}")];
                let names = names.map(BlindedName::new).to_vec();
                vec![Record::Named { referral: referral_id(number), names }]
            }
            14 => {
                let channel = [Channel::Sms, Channel::Email][self.dice.below(2) as usize];
                let granted = self.dice.below(2) == 0;
                vec![Record::Consented {
                    address: BlindedName::new(format!("address:{number}")),
                    channel,
                    granted,
                    why,
                }]
            }
            15 => vec![Record::Keyed { patient: PatientId(format!("patient-{number}")), slot: self.dice.below(1000) }],
            16 => vec![self.delivery(digest)],
            17 => vec![Record::Held { referral: referral_id(number), who: "counsel".to_string(), why }],
            18 => {
                let referrals = vec![referral_id(number), referral_id(number + 1)];
                let (who, role, what) = ("someone".to_string(), Some("coordinator".to_string()), "a list".to_string());
                vec![Record::Looked { who, role, what, why, referrals }]
            }
            19 => {
                let (referral, who) = (referral_id(number), "a physician".to_string());
                vec![Record::BrokeGlass { referral, who, until: due, why }]
            }
            20 => vec![Record::Released { referral: referral_id(number), who: "counsel".to_string(), why }],
            21 | 22 => {
                let causes = [PauseCause::Operator, PauseCause::NotLive, PauseCause::Volume];
                let (cause, who) = (causes[self.dice.below(3) as usize], "someone".to_string());
                match self.dice.below(2) {
                    0 => vec![Record::Paused { cause, scope: PauseScope::Outreach, who, why }],
                    _ => vec![Record::Resumed { cause, who, why }],
                }
            }
            _ => vec![Record::Deployed {
                deployment: Digest::of(&self.dice.below(3).to_be_bytes()),
                workflow: "referral".to_string(),
                plugins: BTreeMap::new(),
                who: "someone".to_string(),
                why,
                origin: Origin::default(),
                returning: None,
                canary: None,
                since: None,
            }],
        }
    }

    fn delivery(&mut self, digest: Digest) -> Record {
        let text = || "a test".to_string();
        let verdict = match self.dice.below(4) {
            0 => DeliveryVerdict::Accepted { referrals: vec![referral_id(self.dice.below(12))] },
            1 => DeliveryVerdict::NotForUs { why: text() },
            2 => DeliveryVerdict::Dead { location: "PID-3".to_string(), message: text(), help: text() },
            _ => DeliveryVerdict::Unmatched {
                why: text(),
                candidates: vec![referral_id(self.dice.below(12))],
                applied: Vec::new(),
            },
        };
        let is_unmatched = matches!(verdict, DeliveryVerdict::Unmatched { .. });
        Record::Delivery {
            digest,
            source: "ehr".to_string(),
            kind: "REF^I12".to_string(),
            dedupe_key: BlindedName::new(format!("key-{}", self.dice.below(8))),
            verdict,
            bytes: is_unmatched.then(|| token("BYTES")),
            answer: None,
            envelope: json!({}),
            waits_for: if is_unmatched { vec![BlindedName::new("number:awaited".to_string())] } else { Vec::new() },
        }
    }

    fn step(&mut self, number: u64) -> Vec<Record> {
        let dice = &mut self.dice;
        let now = self.now;
        let known = self.referrals.get(&number).cloned();
        let event = match &known {
            None => Event::Ordered { patient: patient(number).into(), order: order(number).into() },
            Some(_) => Event::Timer { name: "remind".to_string() },
        };
        let mut referral = known.unwrap_or_else(|| referral(number));
        referral.version += 1;
        referral.entered_at = now;
        referral.deployment = Digest::of(&dice.below(2).to_be_bytes());
        referral.state = STATES[dice.below(4) as usize].to_string();
        Arc::make_mut(&mut referral.facts.order).specialist = match dice.below(3) {
            0 => None,
            other => Some(Provider { id: format!("npi-{other}"), ..Provider::default() }),
        };
        let timers = dice.below(3);
        referral.timers = (0..timers)
            .map(|timer| Timer {
                name: format!("timer-{timer}"),
                due: now + Duration::milliseconds(dice.below(200_000_000) as i64),
            })
            .collect();
        for task in &mut referral.tasks {
            match dice.below(4) {
                0 => {
                    let (how, by, why) = (TaskOutcome::Done, "ana".to_string(), String::new());
                    task.ended = Some(TaskEnd { at: now, how, by, why });
                }
                1 => task.assignee = Some("ana".to_string()),
                2 => task.snoozed_until = Some(now + Duration::milliseconds(dice.below(900_000) as i64)),
                _ => task.ended = None,
            }
        }
        if dice.below(2) == 0 && referral.tasks.len() < 4 {
            let task = Task {
                audience: Audience::ALL[dice.below(3) as usize],
                kind: ["stalled", "read-reply"][dice.below(2) as usize].to_string(),
                urgent: dice.below(2) == 0,
                summary: String::new(),
                due_in_hours: dice.below(48) as u32,
            };
            referral.tasks.push(ReferralTask::raised(referral.tasks.len() as u32, &task, now));
        }
        self.referrals.insert(number, referral.clone());
        vec![Record::Happened { referral: referral.id, event }, stepped(&referral)]
    }
}
