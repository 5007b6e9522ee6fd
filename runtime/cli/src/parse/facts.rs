//! What a reading says, fact by fact: each value with its path in the contract's words.

use handoff_host::contract::interpreter::{Event, Happening, Meaning, NoteStatus, Reading};
use serde_json::Value;

/// One value of an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fact {
    /// Which event of the message, from 0.
    pub event: usize,
    /// `order.patient.phones.0.number`, `about.referral.0.value`.
    pub path: String,
    pub value: String,
}

impl Fact {
    /// Alike are those that differ by their place in a list.
    pub fn kind(&self) -> String {
        let parts = self.path.split('.').map(|part| if is_index(part) { "*" } else { part });
        format!("{} {}", self.event, parts.collect::<Vec<_>>().join("."))
    }

    /// In words: `patient phones number`.
    pub fn label(&self) -> String {
        let parts = self.path.split('.').filter(|part| !is_index(part) && !["about", "order", "value"].contains(part));
        parts.collect::<Vec<_>>().join(" ").replace('_', " ")
    }
}

fn is_index(part: &str) -> bool {
    part.bytes().all(|byte| byte.is_ascii_digit())
}

/// Everything that the events of a reading say. What is empty says nothing.
pub(super) fn facts(reading: &Reading) -> Vec<Fact> {
    let Meaning::Events(events) = &reading.meaning else { return Vec::new() };
    let mut facts = Vec::new();
    for (number, event) in events.iter().enumerate() {
        // The contract's types always serialise.
        let Ok(Value::Object(members)) = serde_json::to_value(event) else { continue };
        for (name, value) in &members {
            match (name.as_str(), value) {
                ("what", Value::Object(what)) => {
                    what.values().for_each(|value| gather(&mut facts, number, thing(event), value));
                }
                ("what", _) => {}
                ("about", Value::Object(about)) => {
                    // By what it may be found is the plugin's rule, and nothing that the message says.
                    let said = about.iter().filter(|(name, _)| *name != "by_patient");
                    said.for_each(|(name, value)| gather(&mut facts, number, &format!("about.{name}"), value));
                }
                (name, value) => gather(&mut facts, number, name, value),
            }
        }
    }
    facts
}

fn gather(facts: &mut Vec<Fact>, event: usize, path: &str, value: &Value) {
    match value {
        Value::Null => {}
        Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            let value = value.as_str().map_or_else(|| value.to_string(), str::to_string);
            if !value.is_empty() {
                facts.push(Fact { event, path: path.to_string(), value });
            }
        }
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(at, item)| gather(facts, event, &format!("{path}.{at}"), item));
        }
        Value::Object(members) => {
            members.iter().for_each(|(name, value)| gather(facts, event, &format!("{path}.{name}"), value));
        }
    }
}

/// What an event's own facts are facts of.
fn thing(event: &Event) -> &'static str {
    match &event.what {
        Happening::Ordered(_) => "order",
        Happening::Withdrawn => "withdrawal",
        Happening::Declined(_) => "refusal",
        Happening::Appointment(_) => "visit",
        Happening::Note(_) | Happening::NoteRetracted => "note",
        Happening::PatientUpdated(_) | Happening::PatientDied => "patient",
        Happening::PatientMerged(_) => "was",
    }
}

/// What an event comes to, in words that can be counted.
pub(super) fn becomes(event: &Event) -> String {
    match &event.what {
        Happening::Ordered(_) => "a referral ordered".into(),
        Happening::Withdrawn => "a referral withdrawn".into(),
        Happening::Declined(_) => "a referral declined by the specialist's office".into(),
        Happening::Appointment(notice) => format!("a visit {}", dashed(&format!("{:?}", notice.change))),
        Happening::Note(note) => match note.status {
            NoteStatus::Preliminary => "a preliminary note".into(),
            NoteStatus::Final => "a final note".into(),
            NoteStatus::Corrected => "a corrected note".into(),
        },
        Happening::NoteRetracted => "a note taken back".into(),
        Happening::PatientUpdated(_) => "news of how a patient is reached".into(),
        Happening::PatientDied => "a patient's death".into(),
        Happening::PatientMerged(_) => "a merge of patients".into(),
    }
}

/// `AppointmentChange::NoShow` as `no-show`.
fn dashed(word: &str) -> String {
    let word = word.rsplit("::").next().unwrap_or_default();
    let mut out = String::new();
    for c in word.chars() {
        if c.is_ascii_uppercase() && !out.is_empty() {
            out.push('-');
        }
        out.push(c.to_ascii_lowercase());
    }
    out
}
