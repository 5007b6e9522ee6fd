//! What plugins of an earlier contract say and are told, beside the present contract's words.
//!
//! An answer keeps the form in which it was given, so that its digest stays what the journal recorded.

use std::borrow::Cow;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::contract::types::{Failure, Refusal};
use crate::contract::{interpreter, v0_1, write_back};

/// What the sender of a delivery in parts is told.
pub struct AnswersToAll {
    pub accepted: interpreter::Answer,
    pub unavailable: interpreter::Answer,
}

/// What a trigger made of a delivery.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum TriggerReading {
    V0_2(interpreter::Reading),
    V0_1(v0_1::interpreter::Reading),
}

impl TriggerReading {
    /// The parts of a delivery that is several, and how all of it is answered; what is none, as it was. Version 0.1.0 had no parts.
    ///
    /// # Errors
    /// The reading itself, where it is of one delivery.
    pub fn into_parts(self) -> Result<(Vec<Vec<u8>>, AnswersToAll), Box<TriggerReading>> {
        match self {
            TriggerReading::V0_2(interpreter::Reading {
                meaning: interpreter::Meaning::Parts(parts),
                accepted,
                unavailable,
                ..
            }) => Ok((parts, AnswersToAll { accepted, unavailable })),
            reading @ (TriggerReading::V0_2(_) | TriggerReading::V0_1(_)) => Err(Box::new(reading)),
        }
    }

    /// In the present contract's words. Version 0.1.0 had no authorities, no senders and no times of its own.
    pub fn current(self) -> interpreter::Reading {
        match self {
            TriggerReading::V0_2(reading) => reading,
            TriggerReading::V0_1(reading) => interpreter::Reading {
                dedupe_key: reading.dedupe_key,
                kind: reading.kind,
                sender: String::new(),
                meaning: match reading.meaning {
                    v0_1::interpreter::Meaning::Events(events) => {
                        interpreter::Meaning::Events(events.into_iter().map(event).collect())
                    }
                    v0_1::interpreter::Meaning::NotForUs(why) => interpreter::Meaning::NotForUs(why),
                    v0_1::interpreter::Meaning::Unreadable(problem) => {
                        interpreter::Meaning::Unreadable(unchanged(&problem))
                    }
                },
                accepted: unchanged(&reading.accepted),
                unavailable: unchanged(&reading.unavailable),
            },
        }
    }
}

/// Version 0.1.0 is not told that a delivery is cut off; what it makes of one counts for nothing.
pub(crate) fn delivery(delivery: &interpreter::Delivery) -> v0_1::interpreter::Delivery {
    v0_1::interpreter::Delivery {
        source: delivery.source.clone(),
        transport: match delivery.transport {
            interpreter::Transport::Mllp => v0_1::interpreter::Transport::Mllp,
            interpreter::Transport::Http => v0_1::interpreter::Transport::Http,
        },
        headers: delivery.headers.clone(),
        body: delivery.body.clone(),
        received_at: delivery.received_at,
    }
}

fn event(event: v0_1::interpreter::Event) -> interpreter::Event {
    use interpreter::Happening;
    let (reference, document, what) = match event {
        v0_1::interpreter::Event::Ordered(order) => {
            let order_of_today = interpreter::Order {
                priority: unchanged(&order.priority),
                ordered_at: order.ordered_at,
                expires_at: order.expires_at,
                patient: unchanged(&order.patient),
                referring: order.referring,
                referred_to: order.referred_to,
                specialty: order.specialty,
                services: order.services,
                diagnoses: order.diagnoses,
                coverages: unchanged(&order.coverages),
                authorization: order.authorization,
                extras: order.extras,
            };
            (order.reference, None, Happening::Ordered(order_of_today))
        }
        v0_1::interpreter::Event::Withdrawn(reference) => (reference, None, Happening::Withdrawn),
        v0_1::interpreter::Event::Appointment(notice) => {
            let appointment = interpreter::AppointmentNotice {
                change: unchanged(&notice.change),
                starts_at: notice.starts_at,
                minutes: notice.minutes,
                with: notice.with,
                place: notice.place,
            };
            (notice.reference, None, Happening::Appointment(appointment))
        }
        v0_1::interpreter::Event::Note(note) => {
            let whole = interpreter::VisitNote {
                kind: note.kind,
                status: if note.final_ { interpreter::NoteStatus::Final } else { interpreter::NoteStatus::Preliminary },
                author: note.author,
                visited_at: note.visited_at,
                written_at: None,
                documents: vec![interpreter::Document {
                    media_type: note.media_type,
                    title: String::new(),
                    content: note.content,
                }],
            };
            (note.reference, Some(note.document_id), Happening::Note(whole))
        }
    };
    let unnamed = |value: String| interpreter::Number { value, authority: String::new() };
    let by_patient = !reference.patient.is_empty();
    let about = interpreter::Reference {
        referral: reference.referral.into_iter().map(unnamed).collect(),
        appointment: reference.appointment.into_iter().map(unnamed).collect(),
        document: document.into_iter().map(unnamed).collect(),
        group: Vec::new(),
        patient: by_patient.then(|| interpreter::NamedPatient {
            identifiers: unchanged(&reference.patient),
            given: String::new(),
            family: String::new(),
            birth_date: String::new(),
        }),
        by_patient,
    };
    interpreter::Event { about, as_of: None, what }
}

/// What a chart plugin is asked to write. A journal of an earlier release holds it in the form of then.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum ChartEntry {
    V0_2(Box<write_back::Entry>),
    V0_1(Box<v0_1::write_back::Entry>),
}

impl ChartEntry {
    /// # Errors
    /// A refusal where the entry says more than version 0.1.0 has room for: it is put before a person then.
    pub(crate) fn as_v0_1(&self) -> Result<Cow<'_, v0_1::write_back::Entry>, Failure> {
        let entry = match self {
            ChartEntry::V0_1(entry) => return Ok(Cow::Borrowed(entry)),
            ChartEntry::V0_2(entry) => entry,
        };
        if entry.outcome == write_back::Outcome::NoteRetracted {
            return Err(too_much("cannot mark a note as entered in error"));
        }
        let note = entry.note.as_ref().map(|note| {
            let [document] = &note.documents[..] else { return Err(too_much("carries one document")) };
            if !note.replaces.is_empty() {
                return Err(too_much("cannot replace a note"));
            }
            Ok(v0_1::write_back::Note {
                kind: note.kind.clone(),
                media_type: document.media_type.clone(),
                content: document.content.clone(),
                received_at: note.received_at,
            })
        });
        Ok(Cow::Owned(v0_1::write_back::Entry {
            id: entry.id.clone(),
            referral: entry.referral.clone(),
            patient: unchanged(&entry.patient),
            ordered_at: entry.ordered_at,
            outcome: unchanged(&entry.outcome),
            specialist: entry.specialist.clone(),
            visited_at: entry.visited_at,
            note: note.transpose()?,
            now: entry.now,
            extras: entry.extras.clone(),
        }))
    }
}

fn too_much(what: &str) -> Failure {
    Failure::Refused(Refusal {
        code: "earlier-contract".into(),
        reason: format!(
            "this chart plugin is of contract 0.1.0, which {what}; install one of 0.2.0 and replay this entry"
        ),
    })
}

/// A record that is the same in both versions, and so the same JSON.
fn unchanged<Then: Serialize, Now: DeserializeOwned>(then: &Then) -> Now {
    let json = serde_json::to_value(then).and_then(serde_json::from_value);
    json.expect("both versions generate this record from the same lines of WIT")
}
