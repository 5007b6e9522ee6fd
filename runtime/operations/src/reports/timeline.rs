//! One referral's history as a person reads it, straight from the journal. Tokens only.

use std::fmt;

use chrono::{DateTime, Utc};
use handoff_engine::answer::ActAnswer;
use handoff_engine::event::Event;
use handoff_engine::ids::{ReferralId, Token};
use handoff_engine::letter::LetterBody;
use handoff_engine::task::TaskChange;
use handoff_store::journal::Entries;
use handoff_store::{Entry, Index, Record};
use serde::Serialize;

/// One line of a timeline.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TimelineMoment {
    pub at: DateTime<Utc>,
    pub what: String,
    /// The words themselves, with tokens where patient data belongs: what was written, or what the patient answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
}

/// # Errors
/// When the index or the journal cannot be read.
pub fn of(index: &dyn Index, entries: &dyn Entries, referral: ReferralId) -> anyhow::Result<Vec<TimelineMoment>> {
    let mut moments = Vec::new();
    for position in index.history(&referral)? {
        if let Some(entry) = entries.entry(position)? {
            moments.extend(told(&entry, referral));
        }
    }
    Ok(moments)
}

/// What an entry says about a referral.
pub fn told(entry: &Entry, referral: ReferralId) -> Vec<TimelineMoment> {
    let tell = |record| line(record, referral).map(|what| TimelineMoment { at: entry.at, what, text: words(record) });
    entry.records.iter().filter_map(tell).collect()
}

fn words(record: &Record) -> Option<String> {
    if let Record::Happened { event, .. } = record {
        return spoken(event).map(|token| token.0.clone());
    }
    let Record::Queued { letter, .. } = record else { return None };
    match &letter.body {
        LetterBody::Message(message) => Some(message.text.clone()),
        LetterBody::Task(task) => Some(task.summary.clone()),
        LetterBody::ReadRecord | LetterBody::CheckVisit | LetterBody::WriteChart { .. } => None,
    }
}

/// What the patient wrote, or a person noted.
fn spoken(event: &Event) -> Option<&Token> {
    match event {
        Event::Reply { reply } => Some(&reply.text),
        Event::Person { answers, .. } => answers.values().find_map(ActAnswer::text),
        Event::Ordered { .. }
        | Event::Withdrawn { .. }
        | Event::OrderChanged { .. }
        | Event::Declined { .. }
        | Event::PatientUpdated { .. }
        | Event::PatientDied
        | Event::NoteRetracted
        | Event::Record { .. }
        | Event::Network { .. }
        | Event::LetterSent { .. }
        | Event::LetterStatus { .. }
        | Event::Unreachable { .. }
        | Event::Appointment { .. }
        | Event::NoteReceived { .. }
        | Event::Visit { .. }
        | Event::Done { .. }
        | Event::Timer { .. }
        | Event::OptedOut { .. }
        | Event::Task { .. } => None,
    }
}

fn line(record: &Record, referral: ReferralId) -> Option<String> {
    let ours = |id: &handoff_engine::ids::LetterId| id.referral == referral;
    match record {
        Record::Happened { referral: of, event } if *of == referral => Some(happened(event)),
        Record::Stepped { referral: after, because } if after.id == referral => Some(format!("  → {because}")),
        Record::Ignored { referral: of, because } if *of == referral => Some(format!("  not taken: {because}")),
        Record::Queued { letter, .. } if ours(&letter.id) => {
            let what = match &letter.body {
                LetterBody::Message(message) => {
                    format!("{} {} ({})", message.channel.name(), message.template, message.language)
                }
                LetterBody::ReadRecord => "read the patient's record".into(),
                LetterBody::CheckVisit => "check the visit".into(),
                LetterBody::WriteChart { outcome } => format!("write to the chart: {outcome:?}"),
                LetterBody::Task(task) => format!("task for the {:?}: {}", task.audience, task.kind),
            };
            Some(format!("  letter {} due {}: {what}", letter.id.number, letter.due.format("%d %b %H:%M")))
        }
        Record::Deferred { letter, due, why, .. } if ours(letter) => {
            Some(format!("letter {} waits until {}: {why}", letter.number, due.format("%d %b %H:%M")))
        }
        Record::Received { letter, outcome, .. } if ours(letter) => {
            Some(format!("letter {}: {outcome}", letter.number))
        }
        Record::Held { referral: of, who, why } if *of == referral => Some(format!("held by {who}: {why}")),
        Record::Released { referral: of, who, why } if *of == referral => Some(format!("released by {who}: {why}")),
        // The reason is the auditor's to read.
        Record::BrokeGlass { referral: of, who, until, .. } if *of == referral => {
            Some(format!("opened in an emergency by {who}, until {}", until.format("%Y-%m-%d %H:%M")))
        }
        Record::Refused { letter, rule } if ours(letter) => Some(format!("letter {} refused: {rule}", letter.number)),
        Record::Dropped { letter, why, .. } if ours(letter) => Some(format!("letter {} dropped: {why}", letter.number)),
        Record::Delivery { .. }
        | Record::Held { .. }
        | Record::Released { .. }
        | Record::Paused { .. }
        | Record::Resumed { .. }
        | Record::Happened { .. }
        | Record::Stepped { .. }
        | Record::Ignored { .. }
        | Record::Decided { .. }
        | Record::Queued { .. }
        | Record::Asked { .. }
        | Record::Answered { .. }
        | Record::Deferred { .. }
        | Record::Received { .. }
        | Record::Reported { .. }
        | Record::Refused { .. }
        | Record::Dropped { .. }
        | Record::Settled { .. }
        | Record::Named { .. }
        | Record::Deployed { .. }
        | Record::Consented { .. }
        | Record::Looked { .. }
        | Record::Keyed { .. }
        | Record::Purged { .. }
        | Record::Rotated { .. }
        | Record::BackedUp { .. }
        | Record::Account { .. }
        | Record::SignedIn { .. }
        | Record::SignedOut { .. }
        | Record::SignInRefused { .. }
        | Record::LockedOut { .. }
        | Record::BrokeGlass { .. } => None,
    }
}

fn happened(event: &Event) -> String {
    match event {
        Event::Reply { reply } => format!("{} ({}, {} %)", event.name(), reply.language, reply.confidence),
        Event::OptedOut { channel, by, .. } => format!("{} ({channel}, {by})", event.name()),
        Event::Person { who, reason, .. } => format!("{} by {who}: {reason}", event.name()),
        Event::Task { task, kind, change, who, why, .. } => {
            let more = match change {
                TaskChange::Assigned { to: Some(to) } => format!(", to {to}"),
                TaskChange::Assigned { to: None } => ", to nobody".to_string(),
                TaskChange::Snoozed { until } => format!(", until {}", until.format("%d %b %H:%M")),
                TaskChange::Done | TaskChange::Reopened => String::new(),
            };
            format!("{} ({kind}, letter {}{more}) by {who}: {why}", event.name(), task.number)
        }
        Event::Declined { reason } if !reason.is_empty() => format!("{}: {reason}", event.name()),
        Event::Declined { .. } => event.name().to_string(),
        Event::Ordered { .. }
        | Event::Withdrawn { .. }
        | Event::OrderChanged { .. }
        | Event::PatientUpdated { .. }
        | Event::PatientDied
        | Event::NoteRetracted
        | Event::Record { .. }
        | Event::Network { .. }
        | Event::LetterSent { .. }
        | Event::LetterStatus { .. }
        | Event::Unreachable { .. }
        | Event::Appointment { .. }
        | Event::NoteReceived { .. }
        | Event::Visit { .. }
        | Event::Done { .. }
        | Event::Timer { .. } => event.name().to_string(),
    }
}

impl fmt::Display for TimelineMoment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}  {}", self.at.format("%Y-%m-%d %H:%M"), self.what)
    }
}
