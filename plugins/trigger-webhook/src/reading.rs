//! What a delivery means: JSON to the reader of its schema.

use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::answer::{self, Fault};
use crate::fhir;
use crate::node::Node;
use crate::plain;
use crate::settings::Settings;
use crate::signing;
use crate::types::{Delivery, Event, Instant, Meaning, Reading};

/// A readable delivery's meaning.
pub enum Meant {
    Events(Vec<Event>),
    /// Why it is no concern of ours.
    NotForUs(String),
}

const BOM: &[u8] = b"\xEF\xBB\xBF";

/// Never fails and never panics, whatever the bytes: what cannot be read becomes a problem with its answer.
pub fn interpret(delivery: &Delivery, settings: &str) -> Reading {
    let body = delivery.body.strip_prefix(BOM).unwrap_or(&delivery.body);
    let document = match serde_json::from_slice::<Value>(body) {
        Ok(document) => document,
        Err(error) => return refuse(key(delivery, None), "webhook", Fault::syntax(error.line(), error.column())),
    };
    let kind = kind(&document);
    let key = key(delivery, own_name(&document));
    let settings = match Settings::read(settings) {
        Ok(settings) => settings,
        Err(error) => return refuse(key, &kind, Fault::settings(error.to_string())),
    };
    match read(&document, &settings) {
        Ok(Meant::Events(events)) => Reading {
            dedupe_key: key,
            kind,
            sender: String::new(),
            accepted: answer::accepted(events.len()),
            unavailable: answer::unavailable(),
            meaning: Meaning::Events(events.into_iter().map(|event| plausible(event, delivery.received_at)).collect()),
        },
        Ok(Meant::NotForUs(reason)) => Reading {
            dedupe_key: key,
            kind,
            sender: String::new(),
            accepted: answer::ignored(&reason),
            unavailable: answer::unavailable(),
            meaning: Meaning::NotForUs(reason),
        },
        Err(fault) => refuse(key, &kind, fault),
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
