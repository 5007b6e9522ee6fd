//! What a delivery means: JSON to the reader of its schema.

use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::answer::{self, Fault};
use crate::fhir;
use crate::node::Node;
use crate::plain;
use crate::settings::Settings;
use crate::signing;
use crate::types::{Answer, Delivery, Event, Instant, Meaning, Reading};

/// A readable delivery's meaning.
pub enum Meant {
    Events(Vec<Event>),
    /// Why it is no concern of ours.
    NotForUs(String),
    /// Several things that stand by themselves, of which some cannot be read.
    Parts(Vec<Part>),
}

/// One of several, as a delivery of its own.
pub struct Part {
    pub body: Value,
    /// What is wrong with it, told by its place in the whole delivery.
    pub fault: Option<Fault>,
}

impl Meant {
    /// What each of several things means, and by what it is delivered alone: all that happened; or, where one is at fault, each by
    /// itself. What is no concern of ours is none of them.
    pub fn of_several(read: Vec<(Value, Result<Meant, Fault>)>, otherwise: &str) -> Result<Meant, Fault> {
        let is_ours = |meant: &Result<Meant, Fault>| !matches!(meant, Ok(Meant::NotForUs(_)));
        let several = read.iter().filter(|(_, meant)| is_ours(meant)).count() > 1;
        if several && read.iter().any(|(_, meant)| meant.is_err()) {
            let ours = read.into_iter().filter(|(_, meant)| is_ours(meant));
            return Ok(Meant::Parts(ours.map(|(body, meant)| Part { body, fault: meant.err() }).collect()));
        }
        let (mut events, mut reason) = (Vec::new(), None);
        for (_, meant) in read {
            match meant? {
                Meant::Events(more) => events.extend(more),
                Meant::NotForUs(why) => reason = reason.or(Some(why)),
                // One thing is not cut further.
                Meant::Parts(_) => {}
            }
        }
        Ok(if events.is_empty() {
            Meant::NotForUs(reason.unwrap_or_else(|| otherwise.to_owned()))
        } else {
            Meant::Events(events)
        })
    }
}

const BOM: &[u8] = b"\xEF\xBB\xBF";

/// Never fails and never panics, whatever the bytes: what cannot be read becomes a problem with its answer.
pub fn interpret(delivery: &Delivery, settings: &str) -> Reading {
    let settings = Settings::read(settings);
    let body = delivery.body.strip_prefix(BOM).unwrap_or(&delivery.body);
    let document = match serde_json::from_slice::<Value>(body) {
        Ok(document) => document,
        Err(error) => {
            // Whether the settings can be used shows without any delivery.
            let fault = settings.err().unwrap_or_else(|| Fault::syntax(error.line(), error.column()));
            return refuse(key(delivery, None), "webhook", fault);
        }
    };
    let kind = kind(&document);
    let key = key(delivery, own_name(&document));
    let settings = match settings {
        Ok(settings) => settings,
        Err(fault) => return refuse(key, &kind, fault),
    };
    let (meaning, accepted) = match read(&document, &settings) {
        Ok(Meant::Events(events)) => {
            let accepted = answer::accepted(events.len());
            let events = events.into_iter().map(|event| plausible(event, delivery.received_at)).collect();
            (Meaning::Events(events), accepted)
        }
        Ok(Meant::NotForUs(reason)) => {
            let accepted = answer::ignored(&reason);
            (Meaning::NotForUs(reason), accepted)
        }
        Ok(Meant::Parts(parts)) => {
            let accepted = partly(&document, &parts);
            (Meaning::Parts(parts.into_iter().map(|part| part.body.to_string().into_bytes()).collect()), accepted)
        }
        Err(fault) => return refuse(key, &kind, fault),
    };
    Reading { dedupe_key: key, kind, sender: String::new(), meaning, accepted, unavailable: answer::unavailable() }
}

/// What the sender of a Bundle or of several events is told of those that were taken and those that were not.
fn partly(document: &Value, parts: &[Part]) -> Answer {
    let faults: Vec<&Fault> = parts.iter().filter_map(|part| part.fault.as_ref()).collect();
    let taken = parts.len() - faults.len();
    match (document["resourceType"].as_str(), document["type"].as_str()) {
        (Some("Bundle"), Some("batch")) => answer::batch(document["entry"].as_array().map_or(0, Vec::len), &faults),
        (Some(_), _) => answer::outcome(taken, &faults),
        (None, _) => answer::partly(taken, &faults),
    }
}

fn read(document: &Value, settings: &Settings) -> Result<Meant, Fault> {
    let root = Node::root(document);
    if !root.is_object() {
        return Err(Fault::content("/", "this is not a JSON object", "send one object: an event, or a FHIR resource"));
    }
    if root.get("resourceType").exists() { fhir::read(document, settings) } else { plain::read(&root) }
}

/// News from ahead would stand against all that follows. Clocks may be a day apart.
fn plausible(event: Event, received_at: Instant) -> Event {
    let as_of = event.as_of.filter(|&at| at <= received_at.saturating_add(CLOCKS_APART_MILLIS));
    Event { as_of, ..event }
}

const CLOCKS_APART_MILLIS: i64 = 86_400_000;

fn refuse(dedupe_key: String, kind: &str, fault: Fault) -> Reading {
    Reading {
        dedupe_key,
        kind: kind.to_owned(),
        sender: String::new(),
        accepted: answer::refused(&fault),
        unavailable: answer::unavailable(),
        meaning: Meaning::Unreadable(fault.problem()),
    }
}

/// `FHIR ServiceRequest`, `webhook order`. Only words we know: the rest of a document might be anything.
fn kind(document: &Value) -> String {
    let resource = document["resourceType"].as_str().unwrap_or_default();
    if let Some(known) = fhir::KINDS.iter().find(|known| **known == resource) {
        return format!("FHIR {known}");
    }
    let event = document["event"].as_str().unwrap_or_default();
    let known = plain::EVENTS.iter().find(|known| **known == event);
    known.map_or_else(|| "webhook".to_owned(), |known| format!("webhook {known}"))
}

/// The sender's name for this delivery: an event id, notification event ids, a bundle's id.
fn own_name(document: &Value) -> Option<String> {
    let bundle = document["resourceType"] == "Bundle";
    if document.get("resourceType").is_none() || bundle {
        let notification = if bundle { fhir::notification_events(document) } else { None };
        return notification.or_else(|| document["id"].as_str().map(str::to_owned)).filter(|name| !name.is_empty());
    }
    None
}

/// What makes this delivery the same as another: the sender's name for it, the idempotency key, or its bytes.
fn key(delivery: &Delivery, own_name: Option<String>) -> String {
    let idempotency_key = signing::header(delivery, "idempotency-key");
    let (kind, name) = match own_name {
        Some(name) => ("id", name),
        None if !idempotency_key.is_empty() => ("idempotency-key", idempotency_key.to_owned()),
        None => ("sha256", Sha256::digest(&delivery.body).iter().map(|byte| format!("{byte:02x}")).collect()),
    };
    format!("{}|{kind}|{name}", delivery.source)
}
