//! Turns a row's words into an event, and an effect into a row's words.

use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};
use chrono_tz::Tz;

use crate::calendar::{format_duration, local_moment, parse_duration};
use crate::event::{
    AppointmentChange, Assessment, Delegated, Event, LetterStatus, PatientRecord, PlainEvent, Reply, VisitFinding,
};
use crate::ids::{LetterId, Token};
use crate::referral::{Appointment, AppointmentStatus, Channel, Code, Note, Order, Provider, Referral};
use crate::step::Effect;
use crate::workflow::Workflow;

mod people;

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

/// When and where a row happens.
pub(super) struct Scene<'s> {
    pub referral: &'s Referral,
    pub start: DateTime<Utc>,
    pub zone: Tz,
    pub now: DateTime<Utc>,
}

/// What happens in a row: an event; or a person's act, and what it tells. An error is in plain words.
pub(super) fn events(happens: &str, scene: &Scene<'_>, workflow: &Workflow) -> Result<Vec<Event>, String> {
    match happens.split_once(' ') {
        Some(("person", rest)) => people::act(rest, scene, workflow),
        Some(_) | None => event(happens, scene).map(|event| vec![event]),
    }
}

fn event(happens: &str, scene: &Scene<'_>) -> Result<Event, String> {
    let (family, rest) = happens.split_once(' ').unwrap_or((happens, ""));
    let (word, rest) = rest.split_once(' ').unwrap_or((rest, ""));
    let rest = rest.trim();
    let read = match family {
        "reply" => reply(word, rest, scene),
        "appointment" => change(word, rest, scene),
        "task" => people::task(word, rest, scene).or_else(|| plain(family, word, rest, scene)),
        _ => plain(family, word, rest, scene),
    };
    read.ok_or_else(|| format!("`{happens}` is nothing that can happen"))
}

/// `reply scheduled by sms "ya tengo cita"`; with a question mark, one that was not understood surely.
fn reply(word: &str, rest: &str, scene: &Scene<'_>) -> Option<Event> {
    let (intent, confidence) = match word.strip_suffix('?') {
        Some(intent) => (intent, UNSURE),
        None => (word, SURE),
    };
    let channel = match rest.strip_prefix("by ") {
        Some(by) => by.split(' ').next()?.parse().ok()?,
        None => scene.referral.facts.last_letter.as_ref().map_or(Channel::Sms, |letter| letter.channel),
    };
    let language = scene.referral.facts.patient.languages.first().cloned().unwrap_or_default();
    let text = Token("ZPHIU00A00000000000000000000000000".to_string());
    let intent = intent.parse().ok()?;
    Some(Event::Reply { reply: Reply { intent, language, confidence, channel, from: None, text } })
}

/// `appointment booked for 12d`.
fn change(word: &str, rest: &str, scene: &Scene<'_>) -> Option<Event> {
    let change: AppointmentChange = word.parse().ok()?;
    let appointment = match rest.strip_prefix("for ") {
        Some(when) => Some(appointment(change.status(), moment(when, scene)?)),
        None => None,
    };
    Some(Event::Appointment { change, appointment, with: None, numbers: Vec::new(), as_of: None })
}

/// An event by its name in two words: `visit no-show` is `visit.no-show`.
fn plain(family: &str, word: &str, rest: &str, scene: &Scene<'_>) -> Option<Event> {
    let facts = &scene.referral.facts;
    let name = match (family, word) {
        ("record", "deceased") => return Some(Event::Record { record: Some(Box::new(record(true, rest))) }),
        ("note", "final") => PlainEvent::NoteReceived,
        ("withdrawn", _) => PlainEvent::Withdrawn,
        _ => format!("{family}.{word}").parse().ok()?,
    };
    let done = |what, succeeded| Event::Done { what, succeeded, reference: String::new() };
    Some(match name {
        PlainEvent::Withdrawn => Event::Withdrawn { as_of: None },
        PlainEvent::RecordFound => Event::Record { record: Some(Box::new(record(false, rest))) },
        PlainEvent::RecordMissing => Event::Record { record: None },
        PlainEvent::NetworkInNetwork => {
            let specialist = facts.order.specialist.clone().unwrap_or_else(|| provider("Dr. Ana Ruiz"));
            Event::Network { assessment: Assessment::InNetwork { specialist, next_available: None } }
        }
        PlainEvent::NetworkAlternative => {
            let (specialist, why) = (provider("Dr. Ana Ruiz"), rest.parse().ok()?);
            Event::Network { assessment: Assessment::Alternative { specialist, next_available: None, why } }
        }
        PlainEvent::NetworkNobody => Event::Network { assessment: Assessment::Nobody { reason: rest.to_string() } },
        PlainEvent::LetterNobody => Event::Unreachable { template: String::new(), reason: rest.to_string() },
        PlainEvent::LetterDelivered => status(LetterStatus::Delivered, scene),
        PlainEvent::LetterUndeliverable => status(LetterStatus::Undeliverable { code: rest.to_string() }, scene),
        PlainEvent::LetterRefused => status(LetterStatus::Refused { code: rest.to_string() }, scene),
        PlainEvent::OrderChanged => Event::OrderChanged { order: facts.order.clone(), redirected: false },
        PlainEvent::OrderRedirected => {
            let order = Order { specialist: Some(provider("Dr. Ana Ruiz")), ..Order::clone(&facts.order) };
            Event::OrderChanged { order: order.into(), redirected: true }
        }
        PlainEvent::SpecialistDeclined => Event::Declined { reason: rest.to_string() },
        PlainEvent::PatientUpdated => Event::PatientUpdated { update: Box::default() },
        PlainEvent::PatientDied => Event::PatientDied,
        PlainEvent::NoteReceived => Event::NoteReceived { note: note(scene.now), last: true, corrects: false },
        PlainEvent::NotePreliminary => Event::NoteReceived { note: note(scene.now), last: false, corrects: false },
        PlainEvent::NoteCorrected => Event::NoteReceived { note: note(scene.now), last: true, corrects: true },
        PlainEvent::NoteRetracted => Event::NoteRetracted,
        PlainEvent::VisitAttended => {
            let at = facts.appointment.as_ref().map_or(scene.now, |appointment| appointment.starts_at);
            Event::Visit { finding: VisitFinding::Attended { at } }
        }
        PlainEvent::VisitNoShow => Event::Visit { finding: VisitFinding::NoShow },
        PlainEvent::VisitCancelled => Event::Visit { finding: VisitFinding::Cancelled },
        PlainEvent::VisitMoved => {
            Event::Visit { finding: VisitFinding::Moved { to: moment(rest.strip_prefix("for ")?, scene)? } }
        }
        PlainEvent::VisitOpen => {
            let again_in_hours = rest.trim_end_matches('h').parse().unwrap_or(VISIT_OPEN_HOURS_DEFAULT);
            Event::Visit { finding: VisitFinding::Open { again_in_hours } }
        }
        PlainEvent::ChartWritten => done(Delegated::Chart, true),
        PlainEvent::ChartFailed => done(Delegated::Chart, false),
        PlainEvent::TaskRaised => done(Delegated::Task, true),
        PlainEvent::TaskFailed => done(Delegated::Task, false),
        // A story begins with its order, and its letters leave by themselves.
        PlainEvent::Ordered | PlainEvent::LetterSent | PlainEvent::LetterInDoubt => return None,
        // Of a task, by its kind.
        PlainEvent::TaskAssigned | PlainEvent::TaskSnoozed | PlainEvent::TaskDone | PlainEvent::TaskReopened => {
            return None;
        }
    })
}

/// What became of the last letter.
fn status(status: LetterStatus, scene: &Scene<'_>) -> Event {
    let last = LetterId { referral: scene.referral.id, number: scene.referral.letters };
    let letter = scene.referral.facts.last_letter.as_ref().map_or(last, |letter| letter.id);
    Event::LetterStatus { letter, status, channel: None }
}

/// `2026-03-02 10:00` in a zone.
pub(super) fn local(text: &str, zone: Tz) -> Option<DateTime<Utc>> {
    let naive = NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M").ok()?;
    Some(local_moment(naive, zone))
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
    Appointment { numbers, starts_at, minutes: VISIT_MINUTES, status, as_of: None }
}

fn record(deceased: bool, language: &str) -> PatientRecord {
    let languages = if language.is_empty() { Vec::new() } else { vec![language.to_string()] };
    PatientRecord {
        reaches: Vec::new(),
        languages,
        preferred: None,
        consents: Vec::new(),
        zone: None,
        other_zone: None,
        deceased,
    }
}

fn note(now: DateTime<Utc>) -> Note {
    Note {
        document_id: Token("ZPHIG00A00000000000000000000000002".to_string()),
        kind: Code { system: "LN".to_string(), code: "11488-4".to_string(), display: "Consult note".to_string() },
        media_type: "application/pdf".to_string(),
        content: Token("ZPHIU00A00000000000000000000000003".to_string()),
        attached: Vec::new(),
        author: None,
        written_at: None,
        received_at: now,
        in_chart: Vec::new(),
        replaces: Vec::new(),
        retracted: false,
    }
}

/// An effect as a row says it.
pub(super) fn effect(effect: &Effect) -> String {
    match effect {
        Effect::Send { template, channel, .. } => format!("{} {template}", channel.map_or("letter", Channel::as_str)),
        Effect::ReadRecord => "read record".to_string(),
        Effect::AssessNetwork { cause } => format!("assess network {cause}"),
        Effect::CheckVisit => "check visit".to_string(),
        Effect::WriteChart { outcome } => format!("write chart {outcome}"),
        Effect::Raise { task } => {
            let urgent = if task.urgent { "urgent " } else { "" };
            format!("{urgent}task {} {}", task.audience, task.kind)
        }
        Effect::RecallLetters => "recall letters".to_string(),
    }
}

/// As rows write a letter that has to wait: `03-03 08:00`, the patient's time.
pub(super) fn leaves(at: DateTime<Utc>, zone: Tz) -> String {
    at.with_timezone(&zone).format("%m-%d %H:%M").to_string()
}

/// `2d3h` into the story, for the timeline.
pub(super) fn since(start: DateTime<Utc>, now: DateTime<Utc>) -> String {
    format_duration((now - start).max(TimeDelta::zero()))
}
