//! What a delivery, a receipt or a timer means to one referral: small, typed, tokenised.

use std::borrow::Cow;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::ids::{LetterId, Token};
use crate::referral::{
    Appointment, AppointmentStatus, Channel, Consent, Note, Order, Patient, Provider, Reach, SentLetter,
};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum Event {
    /// The order came in; the referral is born with it. Workflow name: `ordered`.
    Ordered { patient: Arc<Patient>, order: Arc<Order> },
    /// The order was withdrawn by the EHR: `withdrawn`.
    Withdrawn,
    /// The chart answered: `record.found`, `record.missing`.
    Record { record: Option<Box<PatientRecord>> },
    /// `network.in-network`, `network.alternative`, `network.nobody`.
    Network { assessment: Assessment },
    /// A letter left the house: `letter.sent`. Recorded before any status can arrive. Or it may have left, and its vendor
    /// has yet to say so: `letter.in-doubt`. Until it does, what is decided must not send the same again.
    LetterSent {
        letter: SentLetter,
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        in_doubt: bool,
    },
    /// What the vendor says became of it: `letter.delivered`, `letter.undeliverable`, `letter.refused`.
    LetterStatus {
        letter: LetterId,
        status: LetterStatus,
        /// Which way it was to go; told of a letter that never left, because nothing else was.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        channel: Option<Channel>,
    },
    /// No channel is left for a letter: `letter.nobody`.
    Unreachable { template: String, reason: String },
    /// The patient answered: `reply.confirm`, `reply.opt-out`, …; `reply.unclear` below the confidence threshold.
    Reply { reply: Reply },
    /// The scheduling system spoke: `appointment.booked`, `.moved`, `.changed`, `.cancelled`, `.deleted`, `.no-show`,
    /// `.arrived`, `.completed`.
    Appointment { change: AppointmentChange, appointment: Option<Appointment>, with: Option<Provider> },
    /// A consultation note came back: `note.received` (final) or `note.preliminary`.
    NoteReceived { note: Note, last: bool },
    /// The visit stage found out: `visit.attended`, `visit.no-show`, `visit.cancelled`, `visit.moved`, `visit.open`.
    Visit { finding: VisitFinding },
    /// A write-back or a task ended: `chart.written`, `task.raised`; or gave up: `chart.failed`, `task.failed`.
    Done { what: Errand, succeeded: bool, reference: String },
    /// A timer fell due: `timer.NAME`.
    Timer { name: String },
    /// A person acted in the worklist: `person.VERB`, such as `person.close`.
    Person { verb: String, who: String, reason: String },
}

/// Every name a workflow can handle, but for `timer.…` and `person.…`.
pub const EVENT_NAMES: &[&str] = &[
    "ordered",
    "withdrawn",
    "record.found",
    "record.missing",
    "network.in-network",
    "network.alternative",
    "network.nobody",
    "letter.sent",
    "letter.in-doubt",
    "letter.delivered",
    "letter.undeliverable",
    "letter.refused",
    "letter.nobody",
    "reply.emergency",
    "reply.opt-out",
    "reply.wrong-person",
    "reply.opt-in",
    "reply.help",
    "reply.cancel-visit",
    "reply.decline",
    "reply.reschedule",
    "reply.scheduled",
    "reply.attended",
    "reply.confirm",
    "reply.question",
    "reply.unclear",
    "appointment.booked",
    "appointment.moved",
    "appointment.changed",
    "appointment.cancelled",
    "appointment.deleted",
    "appointment.no-show",
    "appointment.arrived",
    "appointment.completed",
    "note.received",
    "note.preliminary",
    "visit.attended",
    "visit.no-show",
    "visit.cancelled",
    "visit.moved",
    "visit.open",
    "chart.written",
    "chart.failed",
    "task.raised",
    "task.failed",
];

impl Event {
    /// The name by which a workflow handles this event. A reply is named after its intent; [`crate::step::step`] reads one
    /// below the workflow's confidence threshold as `reply.unclear`.
    pub fn name(&self) -> Cow<'static, str> {
        let name = match self {
            Event::Ordered { .. } => "ordered",
            Event::Withdrawn => "withdrawn",
            Event::Record { record: Some(_) } => "record.found",
            Event::Record { record: None } => "record.missing",
            Event::Network { assessment: Assessment::InNetwork { .. } } => "network.in-network",
            Event::Network { assessment: Assessment::Alternative { .. } } => "network.alternative",
            Event::Network { assessment: Assessment::Nobody { .. } } => "network.nobody",
            Event::LetterSent { in_doubt: false, .. } => "letter.sent",
            Event::LetterSent { in_doubt: true, .. } => "letter.in-doubt",
            Event::LetterStatus { status: LetterStatus::Delivered, .. } => "letter.delivered",
            Event::LetterStatus { status: LetterStatus::Undeliverable { .. }, .. } => "letter.undeliverable",
            Event::LetterStatus { status: LetterStatus::Refused { .. }, .. } => "letter.refused",
            Event::Unreachable { .. } => "letter.nobody",
            Event::Reply { reply } => reply.intent.event_name(),
            Event::Appointment { change, .. } => change.event_name(),
            Event::NoteReceived { last: true, .. } => "note.received",
            Event::NoteReceived { last: false, .. } => "note.preliminary",
            Event::Visit { finding: VisitFinding::Attended { .. } } => "visit.attended",
            Event::Visit { finding: VisitFinding::NoShow } => "visit.no-show",
            Event::Visit { finding: VisitFinding::Cancelled } => "visit.cancelled",
            Event::Visit { finding: VisitFinding::Moved { .. } } => "visit.moved",
            Event::Visit { finding: VisitFinding::Open { .. } } => "visit.open",
            Event::Done { what: Errand::Chart, succeeded: true, .. } => "chart.written",
            Event::Done { what: Errand::Chart, succeeded: false, .. } => "chart.failed",
            Event::Done { what: Errand::Task, succeeded: true, .. } => "task.raised",
            Event::Done { what: Errand::Task, succeeded: false, .. } => "task.failed",
            Event::Timer { name } => return Cow::Owned(format!("timer.{name}")),
            Event::Person { verb, .. } => return Cow::Owned(format!("person.{verb}")),
        };
        Cow::Borrowed(name)
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PatientRecord {
    pub reaches: Vec<Reach>,
    pub languages: Vec<String>,
    pub preferred: Option<Channel>,
    /// Consent for a channel, or for all of them.
    pub consents: Vec<(Option<Channel>, Consent)>,
    pub zone: Option<chrono_tz::Tz>,
    pub deceased: bool,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "assessment", rename_all = "kebab-case")]
pub enum Assessment {
    InNetwork { specialist: Provider, next_available: Option<DateTime<Utc>> },
    Alternative { specialist: Provider, next_available: Option<DateTime<Utc>>, why: RerouteReason },
    Nobody { reason: String },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RerouteReason {
    OutOfNetwork,
    OverBooked,
    Declined,
    NoneNamed,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "status", rename_all = "kebab-case")]
pub enum LetterStatus {
    Delivered,
    /// It will not arrive; why, in the contract's words (`wit/outreach.wit`).
    Undeliverable {
        code: String,
    },
    /// The gate or the vendor will not carry it; why, by the rule's or refusal's code.
    Refused {
        code: String,
    },
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reply {
    pub intent: Intent,
    pub language: String,
    /// 0 to 100.
    pub confidence: u8,
    pub channel: Channel,
    /// Which of the patient's addresses it came from, as the referral has it; absent when it has none like it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Token>,
    pub text: Token,
}

/// As `wit/reply.wit` has them, in order of precedence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Intent {
    Emergency,
    OptOut,
    WrongPerson,
    OptIn,
    Help,
    CancelVisit,
    Decline,
    Reschedule,
    Scheduled,
    Attended,
    Confirm,
    Question,
    Unclear,
}

impl Intent {
    pub fn event_name(self) -> &'static str {
        match self {
            Intent::Emergency => "reply.emergency",
            Intent::OptOut => "reply.opt-out",
            Intent::WrongPerson => "reply.wrong-person",
            Intent::OptIn => "reply.opt-in",
            Intent::Help => "reply.help",
            Intent::CancelVisit => "reply.cancel-visit",
            Intent::Decline => "reply.decline",
            Intent::Reschedule => "reply.reschedule",
            Intent::Scheduled => "reply.scheduled",
            Intent::Attended => "reply.attended",
            Intent::Confirm => "reply.confirm",
            Intent::Question => "reply.question",
            Intent::Unclear => "reply.unclear",
        }
    }

    /// The intent's own word: `opt-out`.
    pub fn name(self) -> &'static str {
        self.event_name().trim_start_matches("reply.")
    }

    /// Acted on however unsure the reading is: contacting too little here is safe, contacting too much is not.
    pub fn needs_no_certainty(self) -> bool {
        match self {
            Intent::Emergency | Intent::OptOut => true,
            Intent::WrongPerson
            | Intent::OptIn
            | Intent::Help
            | Intent::CancelVisit
            | Intent::Decline
            | Intent::Reschedule
            | Intent::Scheduled
            | Intent::Attended
            | Intent::Confirm
            | Intent::Question
            | Intent::Unclear => false,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AppointmentChange {
    Booked,
    Moved,
    Changed,
    Cancelled,
    Deleted,
    NoShow,
    Arrived,
    Completed,
}

impl AppointmentChange {
    pub fn event_name(self) -> &'static str {
        match self {
            AppointmentChange::Booked => "appointment.booked",
            AppointmentChange::Moved => "appointment.moved",
            AppointmentChange::Changed => "appointment.changed",
            AppointmentChange::Cancelled => "appointment.cancelled",
            AppointmentChange::Deleted => "appointment.deleted",
            AppointmentChange::NoShow => "appointment.no-show",
            AppointmentChange::Arrived => "appointment.arrived",
            AppointmentChange::Completed => "appointment.completed",
        }
    }

    pub fn status(self) -> AppointmentStatus {
        match self {
            AppointmentChange::Booked | AppointmentChange::Moved | AppointmentChange::Changed => {
                AppointmentStatus::Booked
            }
            AppointmentChange::Cancelled | AppointmentChange::Deleted => AppointmentStatus::Cancelled,
            AppointmentChange::NoShow => AppointmentStatus::NoShow,
            AppointmentChange::Arrived => AppointmentStatus::Arrived,
            AppointmentChange::Completed => AppointmentStatus::Completed,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "finding", rename_all = "kebab-case")]
pub enum VisitFinding {
    Attended { at: DateTime<Utc> },
    NoShow,
    Cancelled,
    Moved { to: DateTime<Utc> },
    Open { again_in_hours: u32 },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Errand {
    Chart,
    Task,
}
