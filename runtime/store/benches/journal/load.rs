//! The load: referrals that take a step, as the line commits them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, TimeZone as _, Utc};
use handoff_engine::event::Event;
use handoff_engine::ids::{Digest, PatientId, ReferralId, Token};
use handoff_engine::referral::{
    Channel, Code, Consent, ContactPoint, Facts, Order, Patient, PatientIdentifier, Priority, Provider, Referral, Timer,
};
use handoff_store::{Entry, Record, Store};

/// Referrals that take turns in stepping, where nothing else is said.
pub const STEPPING: u64 = 10_000;

/// Commits of one committer alone from which the median is taken.
const ALONE: usize = 1_500;

/// Entries under way at once while a store is filled.
const FILLING: usize = 2_048;

pub trait Committer: Sync {
    /// Returns once it is durable.
    fn commit(&self, number: u64);
}

pub fn far_future() -> DateTime<Utc> {
    start() + TimeDelta::days(10_000)
}

fn start() -> DateTime<Utc> {
    Utc.with_ymd_and_hms(2026, 1, 5, 12, 0, 0).single().unwrap_or_default()
}

fn token(kind: &str, number: u64) -> Token {
    Token(format!("ZPHIG00A{kind}{number:0>width$}", width = 26 - kind.len()))
}

fn provider(number: u64) -> Provider {
    Provider {
        id: format!("19327456{:02}", number % 40),
        name: "Dr. Paul McWilliams".to_string(),
        organization: "Lakeside Cardiology".to_string(),
        phone: "+13125550142".to_string(),
        specialty: "Cardiology".to_string(),
    }
}

fn code(code: &str) -> Code {
    Code { system: "http://snomed.info/sct".to_string(), code: code.to_string(), display: "Cardiology".to_string() }
}

/// Whose turn it is: all of them once, in an order that no key order favours, then all again.
pub fn subject(number: u64, among: u64) -> u64 {
    // Invariant: the stride is a prime larger than any number of referrals here, so it leaves none out.
    const STRIDE: u64 = 2_654_435_761;
    (number % among).wrapping_mul(STRIDE) % among
}

fn referral(number: u64, among: u64) -> Referral {
    let subject = subject(number, among);
    let now = start() + TimeDelta::seconds(number as i64);
    let timer = |name: &str, days: i64| Timer { name: name.to_string(), due: now + TimeDelta::days(days) };
    Referral {
        id: ReferralId::derive(start() + TimeDelta::seconds(subject as i64), &subject.to_be_bytes()),
        deployment: Digest::of(b"deployment"),
        state: ["contacting", "scheduled", "visited"][number as usize % 3].to_string(),
        entered_at: now,
        ordered_at: start(),
        version: 1 + number / among,
        timers: vec![timer("remind", 3), timer("escalate", 21)],
        letters: 2,
        facts: Facts {
            patient: Arc::new(Patient {
                id: PatientId(format!("P{subject:026}")),
                given: token("G", subject),
                family: token("F", subject),
                born: None,
                identifiers: vec![PatientIdentifier {
                    value: token("M", subject),
                    authority: "LAKESIDE".to_string(),
                    kind: "MR".to_string(),
                }],
                reaches: vec![ContactPoint {
                    channel: Channel::Sms,
                    address: token("A", subject),
                    consent: Consent::Granted,
                    confirmed: true,
                }],
                languages: vec!["es".to_string()],
                preferred: Some(Channel::Sms),
                zone: None,
                other_zone: None,
                deceased: false,
                refused: false,
                as_of: None,
                opted_out: Vec::new(),
            }),
            order: Arc::new(Order {
                numbers: vec![token("O", subject)],
                priority: Priority::Routine,
                specialty: code("394579002"),
                services: Vec::new(),
                diagnoses: vec![code("I48.91")],
                plan_id: "H1234-001".to_string(),
                plan_name: "Blue Plan".to_string(),
                referring: provider(1),
                specialist: Some(provider(subject)),
                expires_at: None,
                named: None,
                as_of: None,
                authored_at: None,
            }),
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

/// The step of this number, when so many referrals take turns.
pub fn entry_of(number: u64, among: u64) -> Entry {
    let referral = referral(number, among);
    let happened = Record::Happened { referral: referral.id, event: Event::Timer { name: "remind".to_string() } };
    let stepped = Record::Stepped {
        referral: Arc::new(referral),
        because: "contacting -> scheduled on timer.remind".to_string(),
    };
    Entry { at: start() + TimeDelta::seconds(number as i64), records: vec![happened, stepped], sealed: Vec::new() }
}

pub fn json_of(number: u64, among: u64) -> Vec<u8> {
    serde_json::to_vec(&entry_of(number, among)).expect("json")
}

/// Commits per second of so many committers at once, each waiting for its own, from the step of this number on.
pub fn drive(committer: &dyn Committer, committers: u64, from: u64, time: Duration) -> f64 {
    let (stop, next) = (AtomicBool::new(false), AtomicU64::new(from));
    let began = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..committers {
            scope.spawn(|| {
                while !stop.load(Ordering::Relaxed) {
                    committer.commit(next.fetch_add(1, Ordering::Relaxed));
                }
            });
        }
        std::thread::sleep(time);
        stop.store(true, Ordering::Relaxed);
    });
    (next.load(Ordering::Relaxed) - from) as f64 / began.elapsed().as_secs_f64()
}

/// The median time of one commit with nobody else about.
pub fn median_alone(committer: &dyn Committer) -> Duration {
    let timed = |number: usize| {
        let began = Instant::now();
        committer.commit(number as u64);
        began.elapsed()
    };
    let mut times: Vec<Duration> = (0..ALONE).map(timed).collect();
    times.sort_unstable();
    times[ALONE / 2]
}

/// Puts so many referrals in flight.
pub fn fill(store: &Store, size: u64) {
    let mut tickets = std::collections::VecDeque::with_capacity(FILLING);
    for number in 0..size {
        tickets.push_back(store.commit(entry_of(number, size)));
        if tickets.len() == FILLING
            && let Some(ticket) = tickets.pop_front()
        {
            ticket.wait().expect("committed");
        }
    }
    tickets.into_iter().for_each(|ticket| {
        ticket.wait().expect("committed");
    });
}
