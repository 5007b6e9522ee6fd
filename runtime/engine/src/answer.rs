//! What people answer when they act, as the journal has it; who may be asked, and what an act can tell.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use crate::ids::Token;
use crate::intent::Intent;
use crate::referral::{CallOutcome, Channel, Consent, Provider, RerouteReason};
use crate::vocabulary::vocabulary;

vocabulary! {
    /// Who may act, as a workflow says it.
    pub enum ActorRole {
        Coordinator = "coordinator",
        Physician = "physician",
        Manager = "manager",
    }
}

vocabulary! {
    /// What can be asked of whoever acts.
    pub enum AnswerKind {
        /// When the patient is expected; `.minutes` how long.
        Appointment = "appointment",
        /// A specialist's name; `.id`, `.organization`, `.phone`, `.specialty`.
        Specialist = "specialist",
        /// A telephone number or a mailbox; `.channel`, and `.replaces` for the one that it corrects.
        Address = "address",
        /// Whether the patient agrees to be written to.
        Consent = "consent",
        Channel = "channel",
        /// What a reply means.
        ReplyIntent = "reply-intent",
        CallOutcome = "call-outcome",
        RerouteReason = "reroute-reason",
        /// One of the workflow's letters.
        Letter = "letter",
        Text = "text",
        /// Its bytes in base64; `.type` is its media type.
        Document = "document",
        Date = "date",
    }
}

impl AnswerKind {
    /// What can be answered beside the answer itself, under `QUESTION.PART`.
    pub fn parts(self) -> &'static [&'static str] {
        match self {
            AnswerKind::Appointment => &["minutes"],
            AnswerKind::Specialist => &["id", "organization", "phone", "specialty"],
            AnswerKind::Address => &["channel", "replaces"],
            AnswerKind::Document => &["type"],
            AnswerKind::Consent
            | AnswerKind::Channel
            | AnswerKind::ReplyIntent
            | AnswerKind::CallOutcome
            | AnswerKind::RerouteReason
            | AnswerKind::Letter
            | AnswerKind::Text
            | AnswerKind::Date => &[],
        }
    }
}

/// An answer as the journal has it: patient data as tokens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "answer", rename_all = "kebab-case")]
pub enum ActAnswer {
    Appointment {
        starts_at: DateTime<Utc>,
        minutes: u32,
    },
    Specialist {
        specialist: Provider,
    },
    /// `consent` as it holds for this address from now on.
    Address {
        channel: Channel,
        address: Token,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        replaces: Option<Token>,
        consent: Consent,
    },
    Consent {
        consent: Consent,
    },
    Channel {
        channel: Channel,
    },
    ReplyIntent {
        intent: Intent,
    },
    CallOutcome {
        outcome: CallOutcome,
    },
    RerouteReason {
        reason: RerouteReason,
    },
    Letter {
        letter: String,
    },
    Text {
        text: Token,
    },
    Document {
        media_type: String,
        content: Token,
    },
    Date {
        date: NaiveDate,
    },
}

macro_rules! readings {
    ($($reading:ident: $case:ident . $field:ident -> $what:ty;)*) => {
        impl ActAnswer {
            $(
                pub fn $reading(&self) -> Option<&$what> {
                    if let ActAnswer::$case { $field, .. } = self { Some($field) } else { None }
                }
            )*
        }
    };
}

readings! {
    specialist: Specialist.specialist -> Provider;
    consent: Consent.consent -> Consent;
    channel: Channel.channel -> Channel;
    intent: ReplyIntent.intent -> Intent;
    call: CallOutcome.outcome -> CallOutcome;
    reroute_reason: RerouteReason.reason -> RerouteReason;
    letter: Letter.letter -> str;
    text: Text.text -> Token;
}

/// By the question's name.
pub type ActAnswers = BTreeMap<String, ActAnswer>;

vocabulary! {
    /// What an act can say has happened, by the event's name. `reply` is named after the intent that is answered.
    pub enum ToldEvent {
        AppointmentBooked = "appointment.booked",
        AppointmentMoved = "appointment.moved",
        AppointmentCancelled = "appointment.cancelled",
        AppointmentNoShow = "appointment.no-show",
        AppointmentCompleted = "appointment.completed",
        NetworkAlternative = "network.alternative",
        NoteReceived = "note.received",
        Withdrawn = "withdrawn",
        Reply = "reply",
        ReplyOptOut = "reply.opt-out",
        ReplyOptIn = "reply.opt-in",
        ReplyConfirm = "reply.confirm",
        ReplyScheduled = "reply.scheduled",
        ReplyDecline = "reply.decline",
        ReplyWrongPerson = "reply.wrong-person",
    }
}

impl ToldEvent {
    /// What has to be answered for it to be told.
    pub fn needs(self) -> Option<AnswerKind> {
        match self {
            ToldEvent::AppointmentBooked | ToldEvent::AppointmentMoved => Some(AnswerKind::Appointment),
            ToldEvent::NetworkAlternative => Some(AnswerKind::Specialist),
            ToldEvent::NoteReceived => Some(AnswerKind::Document),
            ToldEvent::Reply => Some(AnswerKind::ReplyIntent),
            ToldEvent::ReplyOptIn => Some(AnswerKind::Channel),
            ToldEvent::AppointmentCancelled
            | ToldEvent::AppointmentNoShow
            | ToldEvent::AppointmentCompleted
            | ToldEvent::Withdrawn
            | ToldEvent::ReplyOptOut
            | ToldEvent::ReplyConfirm
            | ToldEvent::ReplyScheduled
            | ToldEvent::ReplyDecline
            | ToldEvent::ReplyWrongPerson => None,
        }
    }

    /// The intent of a reply that is spoken, or read by a person: the one answered where it is not the act's own.
    pub(crate) fn intent(self, answers: &ActAnswers) -> Option<Intent> {
        match self {
            ToldEvent::Reply => answers.values().find_map(ActAnswer::intent).copied(),
            ToldEvent::ReplyOptOut => Some(Intent::OptOut),
            ToldEvent::ReplyOptIn => Some(Intent::OptIn),
            ToldEvent::ReplyConfirm => Some(Intent::Confirm),
            ToldEvent::ReplyScheduled => Some(Intent::Scheduled),
            ToldEvent::ReplyDecline => Some(Intent::Decline),
            ToldEvent::ReplyWrongPerson => Some(Intent::WrongPerson),
            ToldEvent::AppointmentBooked
            | ToldEvent::AppointmentMoved
            | ToldEvent::AppointmentCancelled
            | ToldEvent::AppointmentNoShow
            | ToldEvent::AppointmentCompleted
            | ToldEvent::NetworkAlternative
            | ToldEvent::NoteReceived
            | ToldEvent::Withdrawn => None,
        }
    }
}
