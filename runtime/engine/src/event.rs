//! What a delivery, a receipt or a timer means to one referral: small, typed, tokenised.

use std::borrow::Cow;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::answer::ActAnswers;
use crate::ids::{LetterId, Token};
use crate::referral::{
    Appointment, AppointmentStatus, Channel, Consent, ContactPoint, Note, Order, Patient, Provider, SentLetter,
};
use crate::task::TaskChange;
use crate::vocabulary::vocabulary;

pub use crate::intent::Intent;
pub use crate::referral::RerouteReason;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum Event {
    /// The order came in; the referral is born with it. Workflow name: `ordered`.
    Ordered { patient: Arc<Patient>, order: Arc<Order> },
    /// The order was withdrawn by the EHR: `withdrawn`.
    Withdrawn {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        as_of: Option<DateTime<Utc>>,
    },
    /// The order came again and says something else: `order.changed`, or `order.redirected` where it names another specialist.
    OrderChanged { order: Arc<Order>, redirected: bool },
    /// The specialist's office does not take the patient: `specialist.declined`.
    Declined { reason: String },
    /// Where and how to reach the patient has changed: `patient.updated`.
    PatientUpdated { update: Box<PatientUpdate> },
    /// `patient.died`.
    PatientDied,
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
    /// Somebody else than the patient's own reply tells that the patient opted out: `reply.opt-out`, as the reply would be.
    OptedOut {
        channel: Channel,
        /// As in a [`Reply`].
        #[serde(default, skip_serializing_if = "Option::is_none")]
        from: Option<Token>,
        by: OptOutSource,
    },
    /// The scheduling system spoke: `appointment.booked`, `.moved`, `.changed`, `.cancelled`, `.deleted`, `.no-show`,
    /// `.arrived`, `.completed`.
    Appointment {
        change: AppointmentChange,
        appointment: Option<Appointment>,
        with: Option<Provider>,
        /// Which appointment is meant, where the news has no time of it.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        numbers: Vec<Token>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        as_of: Option<DateTime<Utc>>,
    },
    /// A consultation note came back: `note.received` (final) or `note.preliminary`; `note.corrected` where it takes the place
    /// of one that is here.
    NoteReceived {
        note: Note,
        last: bool,
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        corrects: bool,
    },
    /// Its sender takes the note back: `note.retracted`.
    NoteRetracted,
    /// The visit stage found out: `visit.attended`, `visit.no-show`, `visit.cancelled`, `visit.moved`, `visit.open`.
    Visit { finding: VisitFinding },
    /// A write-back or a task ended: `chart.written`, `task.raised`; or gave up: `chart.failed`, `task.failed`.
    Done { what: Delegated, succeeded: bool, reference: String },
    /// A timer fell due: `timer.NAME`.
    Timer { name: String },
    /// A person acted: `person.VERB`, such as `person.close`. What the act tells besides follows as an event of its own.
    Person {
        verb: String,
        who: String,
        reason: String,
        /// Absent where whoever acts owns the machine.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        role: Option<String>,
        #[serde(default, skip_serializing_if = "ActAnswers::is_empty")]
        answers: ActAnswers,
    },
    /// A person did something about a task: `task.assigned`, `task.snoozed`, `task.done`, `task.reopened`.
    Task {
        task: LetterId,
        kind: String,
        change: TaskChange,
        who: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        role: Option<String>,
        why: String,
    },
}

vocabulary! {
    /// Events that are called by a name of their own. A reply is called after its [`Intent`], news of an appointment after its
    /// [`AppointmentChange`].
    pub enum PlainEvent {
        Ordered = "ordered",
        Withdrawn = "withdrawn",
        OrderChanged = "order.changed",
        OrderRedirected = "order.redirected",
        SpecialistDeclined = "specialist.declined",
        PatientUpdated = "patient.updated",
        PatientDied = "patient.died",
        RecordFound = "record.found",
        RecordMissing = "record.missing",
        NetworkInNetwork = "network.in-network",
        NetworkAlternative = "network.alternative",
        NetworkNobody = "network.nobody",
        LetterSent = "letter.sent",
        LetterInDoubt = "letter.in-doubt",
        LetterDelivered = "letter.delivered",
        LetterUndeliverable = "letter.undeliverable",
        LetterRefused = "letter.refused",
        LetterNobody = "letter.nobody",
        NoteReceived = "note.received",
        NotePreliminary = "note.preliminary",
        NoteCorrected = "note.corrected",
        NoteRetracted = "note.retracted",
        VisitAttended = "visit.attended",
        VisitNoShow = "visit.no-show",
        VisitCancelled = "visit.cancelled",
        VisitMoved = "visit.moved",
        VisitOpen = "visit.open",
        ChartWritten = "chart.written",
        ChartFailed = "chart.failed",
        TaskRaised = "task.raised",
        TaskFailed = "task.failed",
        TaskAssigned = "task.assigned",
        TaskSnoozed = "task.snoozed",
        TaskDone = "task.done",
        TaskReopened = "task.reopened",
    }
}

/// What stands before a timer's own name.
pub const TIMER_PREFIX: &str = "timer.";
/// What stands before the verb of what a person did.
pub const PERSON_PREFIX: &str = "person.";

/// Every name a workflow can handle, but for `timer.…` and `person.…`.
pub fn event_names() -> impl Iterator<Item = &'static str> + Clone {
    let (before, after) = PlainEvent::WORDS.split_at(PlainEvent::NoteReceived as usize);
    [before, Intent::EVENT_NAMES, AppointmentChange::EVENT_NAMES, after].into_iter().flatten().copied()
}

/// The name of the event that a timer of this name fell due.
pub fn timer_event(timer: &str) -> String {
    format!("{TIMER_PREFIX}{timer}")
}

/// The name of the event that a person did this.
pub fn person_event(act: &str) -> String {
    format!("{PERSON_PREFIX}{act}")
}

impl Event {
    pub fn reply(&self) -> Option<&Reply> {
        if let Event::Reply { reply } = self { Some(reply) } else { None }
    }

    /// The name by which a workflow handles this event. A reply is named after its intent; [`crate::step::step`] reads one
    /// below the workflow's confidence threshold as `reply.unclear`.
    pub fn name(&self) -> Cow<'static, str> {
        let name = match self {
            Event::Ordered { .. } => PlainEvent::Ordered,
            Event::Withdrawn { .. } => PlainEvent::Withdrawn,
            Event::OrderChanged { redirected: false, .. } => PlainEvent::OrderChanged,
            Event::OrderChanged { redirected: true, .. } => PlainEvent::OrderRedirected,
            Event::Declined { .. } => PlainEvent::SpecialistDeclined,
            Event::PatientUpdated { .. } => PlainEvent::PatientUpdated,
            Event::PatientDied => PlainEvent::PatientDied,
            Event::Record { record: Some(_) } => PlainEvent::RecordFound,
            Event::Record { record: None } => PlainEvent::RecordMissing,
            Event::Network { assessment: Assessment::InNetwork { .. } } => PlainEvent::NetworkInNetwork,
            Event::Network { assessment: Assessment::Alternative { .. } } => PlainEvent::NetworkAlternative,
            Event::Network { assessment: Assessment::Nobody { .. } } => PlainEvent::NetworkNobody,
            Event::LetterSent { in_doubt: false, .. } => PlainEvent::LetterSent,
            Event::LetterSent { in_doubt: true, .. } => PlainEvent::LetterInDoubt,
            Event::LetterStatus { status: LetterStatus::Delivered, .. } => PlainEvent::LetterDelivered,
            Event::LetterStatus { status: LetterStatus::Undeliverable { .. }, .. } => PlainEvent::LetterUndeliverable,
            Event::LetterStatus { status: LetterStatus::Refused { .. }, .. } => PlainEvent::LetterRefused,
            Event::Unreachable { .. } => PlainEvent::LetterNobody,
            Event::Reply { reply } => return Cow::Borrowed(reply.intent.event_name()),
            Event::OptedOut { .. } => return Cow::Borrowed(Intent::OptOut.event_name()),
            Event::Appointment { change, .. } => return Cow::Borrowed(change.event_name()),
            Event::NoteReceived { corrects: true, .. } => PlainEvent::NoteCorrected,
            Event::NoteReceived { last: true, .. } => PlainEvent::NoteReceived,
            Event::NoteReceived { last: false, .. } => PlainEvent::NotePreliminary,
            Event::NoteRetracted => PlainEvent::NoteRetracted,
            Event::Visit { finding } => finding.event(),
            Event::Done { what: Delegated::Chart, succeeded: true, .. } => PlainEvent::ChartWritten,
            Event::Done { what: Delegated::Chart, succeeded: false, .. } => PlainEvent::ChartFailed,
            Event::Done { what: Delegated::Task, succeeded: true, .. } => PlainEvent::TaskRaised,
            Event::Done { what: Delegated::Task, succeeded: false, .. } => PlainEvent::TaskFailed,
            Event::Timer { name } => return Cow::Owned(timer_event(name)),
            Event::Person { verb, .. } => return Cow::Owned(person_event(verb)),
            Event::Task { change: TaskChange::Assigned { .. }, .. } => PlainEvent::TaskAssigned,
            Event::Task { change: TaskChange::Snoozed { .. }, .. } => PlainEvent::TaskSnoozed,
            Event::Task { change: TaskChange::Done, .. } => PlainEvent::TaskDone,
            Event::Task { change: TaskChange::Reopened, .. } => PlainEvent::TaskReopened,
        };
        Cow::Borrowed(name.as_str())
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PatientRecord {
    pub reaches: Vec<ContactPoint>,
    pub languages: Vec<String>,
    pub preferred: Option<Channel>,
    /// Consent for a channel, or for all of them.
    pub consents: Vec<(Option<Channel>, Consent)>,
    pub zone: Option<chrono_tz::Tz>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub other_zone: Option<chrono_tz::Tz>,
    pub deceased: bool,
}

/// What an EHR says anew of reaching a patient. An empty list says nothing.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PatientUpdate {
    /// Those of a channel take the place of the ones known for it.
    pub reaches: Vec<ContactPoint>,
    pub languages: Vec<String>,
    pub preferred: Option<Channel>,
    pub zone: Option<chrono_tz::Tz>,
    /// Where the address lies in one of two zones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub other_zone: Option<chrono_tz::Tz>,
    /// The patient is not to be written to, by any address.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub refused: bool,
    /// Since when it is so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub as_of: Option<DateTime<Utc>>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "assessment", rename_all = "kebab-case")]
pub enum Assessment {
    InNetwork { specialist: Provider, next_available: Option<DateTime<Utc>> },
    Alternative { specialist: Provider, next_available: Option<DateTime<Utc>>, why: RerouteReason },
    Nobody { reason: String },
}

vocabulary! {
    /// Why the network stage is asked.
    pub enum NetworkCause {
        Ordered = "ordered",
        OverBooked = "over-booked",
        Declined = "declined",
    }
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

impl LetterStatus {
    /// Whether it says that the address is no good. A letter that our own rules kept back, that came too late or that the sender
    /// was at fault for says nothing of where it was to go: the next one may go there.
    pub fn blames_address(&self) -> bool {
        match self {
            LetterStatus::Delivered => false,
            LetterStatus::Undeliverable { code } | LetterStatus::Refused { code } => {
                !BLAMELESS.contains(&code.as_str())
            }
        }
    }
}

/// The codes of a letter that did not arrive through no fault of its address: the contact rules' (`pipeline/src/contact_rules.rs`) and
/// the contract's (`wit/outreach.wit`).
const BLAMELESS: [&str; 14] = [
    "deceased",
    "opted-out",
    "text-too-long",
    "quiet-hours",
    "texts-per-day",
    "texts-per-week",
    "expired",
    "empty",
    "filtered",
    "mailbox-full",
    "no-vendor",
    "passing",
    "sender",
    "too-long",
];

vocabulary! {
    /// Who told of an opt-out that was no reply of the patient's.
    pub enum OptOutSource {
        /// The text vendor or the carrier has blocked the number after a STOP.
        Vendor = "vendor",
    }
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

vocabulary! {
    /// What the scheduling system says has happened to an appointment.
    pub enum AppointmentChange of "appointment" {
        Booked = "booked",
        Moved = "moved",
        Changed = "changed",
        Cancelled = "cancelled",
        Deleted = "deleted",
        NoShow = "no-show",
        Arrived = "arrived",
        Completed = "completed",
    }
}

impl AppointmentChange {
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

impl VisitFinding {
    fn event(&self) -> PlainEvent {
        match self {
            VisitFinding::Attended { .. } => PlainEvent::VisitAttended,
            VisitFinding::NoShow => PlainEvent::VisitNoShow,
            VisitFinding::Cancelled => PlainEvent::VisitCancelled,
            VisitFinding::Moved { .. } => PlainEvent::VisitMoved,
            VisitFinding::Open { .. } => PlainEvent::VisitOpen,
        }
    }

    /// Its own word: `no-show`.
    pub fn as_str(&self) -> &'static str {
        self.event().as_str().trim_start_matches("visit.")
    }
}

vocabulary! {
    /// What is done outside without an answer that matters.
    pub enum Delegated {
        Chart = "chart",
        Task = "task",
    }
}
