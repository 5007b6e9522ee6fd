//! Turns a row's words into an event, and an effect into a row's words.

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;

use super::local;
use crate::calendar::parse_duration;
use crate::event::{
    AppointmentChange, Assessment, Errand, Event, Intent, LetterStatus, PatientRecord, Reply, RerouteReason,
    VisitFinding,
};
use crate::ids::{LetterId, Token};
use crate::letter::{Audience, ChartOutcome};
use crate::referral::{Appointment, AppointmentStatus, Channel, Code, Note, Provider, Referral};
use crate::step::{Effect, NetworkCause};

/// A person of this name, of whom nothing else is known.
pub(super) fn provider(name: &str) -> Provider {
    Provider {
        id: name.to_lowercase().replace(' ', "-"),
        name: name.to_string(),
        phone: "+15555550111".to_string(),
        ..Provider::default()
    }
}

/// Surely understood, and not: either side of any sensible threshold.
const SURE: u8 = 99;
const UNSURE: u8 = 20;
const VISIT_MINUTES: u32 = 30;
const VISIT_OPEN_HOURS_DEFAULT: u32 = 12;

const CHANGES: [AppointmentChange; 8] = [
    AppointmentChange::Booked,
    AppointmentChange::Moved,
    AppointmentChange::Changed,
    AppointmentChange::Cancelled,
    AppointmentChange::Deleted,
    AppointmentChange::NoShow,
    AppointmentChange::Arrived,
    AppointmentChange::Completed,
];

const CHANNELS: [Channel; 3] = [Channel::Sms, Channel::Email, Channel::Portal];

const INTENTS: [Intent; 13] = [
    Intent::Emergency,
    Intent::OptOut,
    Intent::WrongPerson,
    Intent::OptIn,
    Intent::Help,
    Intent::CancelVisit,
    Intent::Decline,
    Intent::Reschedule,
    Intent::Scheduled,
    Intent::Attended,
    Intent::Confirm,
    Intent::Question,
    Intent::Unclear,
];

/// When and where a row happens.
pub(super) struct Scene<'s> {
    pub referral: &'s Referral,
    pub start: DateTime<Utc>,
    pub zone: Tz,
    pub now: DateTime<Utc>,
}

/// The event of a row; an error in plain words.
pub(super) fn event(happens: &str, scene: &Scene<'_>) -> Result<Event, String> {
    let unknown = || format!("`{happens}` is nothing that can happen");
    let (first, rest) = happens.split_once(' ').unwrap_or((happens, ""));
    let (second, third) = rest.split_once(' ').unwrap_or((rest, ""));
    let third = third.trim();
    Ok(match (first, second) {
        ("withdrawn", _) => Event::Withdrawn,
        ("record", "missing") => Event::Record { record: None },
        ("record", "found" | "deceased") => {
            Event::Record { record: Some(Box::new(record(second == "deceased", third))) }
        }
        ("network", "in-network") => {
            let named = scene.referral.facts.order.specialist.clone();
            let specialist = named.unwrap_or_else(|| provider("Dr. Ana Ruiz"));
            Event::Network { assessment: Assessment::InNetwork { specialist, next_available: None } }
        }
        ("network", "alternative") => {
            let why = [
                ("out-of-network", RerouteReason::OutOfNetwork),
                ("over-booked", RerouteReason::OverBooked),
                ("declined", RerouteReason::Declined),
                ("none-named", RerouteReason::NoneNamed),
            ];
            let why = why.into_iter().find(|(word, _)| *word == third).ok_or_else(unknown)?.1;
            let specialist = provider("Dr. Ana Ruiz");
            Event::Network { assessment: Assessment::Alternative { specialist, next_available: None, why } }
        }
        ("network", "nobody") => Event::Network { assessment: Assessment::Nobody { reason: third.to_string() } },
        ("letter", "nobody") => Event::Unreachable { template: String::new(), reason: third.to_string() },
        ("letter", "delivered" | "undeliverable" | "refused") => {
            let last = LetterId { referral: scene.referral.id, number: scene.referral.letters };
            let letter = scene.referral.facts.last_letter.as_ref().map_or(last, |letter| letter.id);
            let code = third.to_string();
            let status = match second {
                "delivered" => LetterStatus::Delivered,
                "undeliverable" => LetterStatus::Undeliverable { code },
                _ => LetterStatus::Refused { code },
            };
            Event::LetterStatus { letter, status, channel: None }
        }
        ("reply", intent) => {
            let (intent, confidence) = match intent.strip_suffix('?') {
                Some(intent) => (intent, UNSURE),
                None => (intent, SURE),
            };
            let intent = INTENTS.into_iter().find(|it| it.name() == intent).ok_or_else(unknown)?;
            let channel = match third.strip_prefix("by ") {
                Some(by) => {
                    let named = by.split(' ').next();
                    CHANNELS.into_iter().find(|it| named == Some(it.name())).ok_or_else(unknown)?
                }
                None => scene.referral.facts.last_letter.as_ref().map_or(Channel::Sms, |letter| letter.channel),
            };
            let language = scene.referral.facts.patient.languages.first().cloned().unwrap_or_default();
            let text = Token("ZPHIU00A00000000000000000000000000".to_string());
            Event::Reply { reply: Reply { intent, language, confidence, channel, from: None, text } }
        }
        ("appointment", change) => {
            let change = CHANGES.into_iter().find(|it| it.event_name().ends_with(&format!(".{change}")));
            let change = change.ok_or_else(unknown)?;
            let appointment = match third.strip_prefix("for ") {
                Some(when) => Some(appointment(change.status(), moment(when, scene).ok_or_else(unknown)?)),
                None => None,
            };
            Event::Appointment { change, appointment, with: None }
        }
        ("note", "final" | "preliminary") => Event::NoteReceived { note: note(scene.now), last: second == "final" },
        ("visit", "attended") => {
            let at = scene.referral.facts.appointment.as_ref().map_or(scene.now, |appointment| appointment.starts_at);
            Event::Visit { finding: VisitFinding::Attended { at } }
        }
        ("visit", "no-show") => Event::Visit { finding: VisitFinding::NoShow },
        ("visit", "cancelled") => Event::Visit { finding: VisitFinding::Cancelled },
        ("visit", "moved") => {
            let when = third.strip_prefix("for ").ok_or_else(unknown)?;
            Event::Visit { finding: VisitFinding::Moved { to: moment(when, scene).ok_or_else(unknown)? } }
        }
        ("visit", "open") => {
            let again_in_hours = third.trim_end_matches('h').parse().unwrap_or(VISIT_OPEN_HOURS_DEFAULT);
            Event::Visit { finding: VisitFinding::Open { again_in_hours } }
        }
        ("chart" | "task", "written" | "raised" | "failed") => {
            let what = if first == "chart" { Errand::Chart } else { Errand::Task };
            Event::Done { what, succeeded: second != "failed", reference: String::new() }
        }
        ("person", verb) => {
            Event::Person { verb: verb.to_string(), who: "coordinator".to_string(), reason: third.to_string() }
        }
        _ => return Err(unknown()),
    })
}

/// `12d` after the order, or `2026-03-10 09:30` at the patient's.
fn moment(text: &str, scene: &Scene<'_>) -> Option<DateTime<Utc>> {
    match parse_duration(text) {
        Ok(after) => scene.start.checked_add_signed(after),
        Err(_) => local(text.trim(), scene.zone),
    }
}

fn appointment(status: AppointmentStatus, starts_at: DateTime<Utc>) -> Appointment {
    let numbers = vec![Token("ZPHIG00A00000000000000000000000001".to_string())];
    Appointment { numbers, starts_at, minutes: VISIT_MINUTES, status }
}

fn record(deceased: bool, language: &str) -> PatientRecord {
    let languages = if language.is_empty() { Vec::new() } else { vec![language.to_string()] };
    PatientRecord { reaches: Vec::new(), languages, preferred: None, consents: Vec::new(), zone: None, deceased }
}

fn note(now: DateTime<Utc>) -> Note {
    Note {
        document_id: Token("ZPHIG00A00000000000000000000000002".to_string()),
        kind: Code { system: "LN".to_string(), code: "11488-4".to_string(), display: "Consult note".to_string() },
        media_type: "application/pdf".to_string(),
        content: Token("ZPHIU00A00000000000000000000000003".to_string()),
        received_at: now,
    }
}

/// An effect as a row says it.
pub(super) fn effect(effect: &Effect) -> String {
    match effect {
        Effect::Send { template, channel, .. } => format!("{} {template}", channel.map_or("letter", Channel::name)),
        Effect::ReadRecord => "read record".to_string(),
        Effect::AssessNetwork { cause } => format!("assess network {}", cause_word(*cause)),
        Effect::CheckVisit => "check visit".to_string(),
        Effect::WriteChart { outcome } => format!("write chart {}", outcome_word(*outcome)),
        Effect::Raise { task } => {
            let urgent = if task.urgent { "urgent " } else { "" };
            format!("{urgent}task {} {}", audience_word(task.audience), task.kind)
        }
        Effect::RecallLetters => "recall letters".to_string(),
    }
}

fn cause_word(cause: NetworkCause) -> &'static str {
    match cause {
        NetworkCause::Ordered => "ordered",
        NetworkCause::OverBooked => "over-booked",
        NetworkCause::Declined => "declined",
    }
}

fn outcome_word(outcome: ChartOutcome) -> &'static str {
    match outcome {
        ChartOutcome::ClosedWithNote => "closed-with-note",
        ChartOutcome::ClosedWithoutNote => "closed-without-note",
        ChartOutcome::Declined => "declined",
        ChartOutcome::Cancelled => "cancelled",
        ChartOutcome::Unreachable => "unreachable",
        ChartOutcome::NoShow => "no-show",
    }
}

fn audience_word(audience: Audience) -> &'static str {
    match audience {
        Audience::Physician => "physician",
        Audience::Coordinator => "coordinator",
        Audience::Specialist => "specialist",
    }
}

/// As rows write a letter that has to wait: `03-03 08:00`, the patient's time.
pub(super) fn leaves(at: DateTime<Utc>, zone: Tz) -> String {
    at.with_timezone(&zone).format("%m-%d %H:%M").to_string()
}

/// `2d3h` into the story, for the timeline.
pub(super) fn since(start: DateTime<Utc>, now: DateTime<Utc>) -> String {
    crate::calendar::format_duration((now - start).max(TimeDelta::zero()))
}
