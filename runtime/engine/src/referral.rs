//! What we know of one referral. Patient data appears as tokens; nothing here can be read back into a person.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use crate::ids::{Digest, LetterId, PatientId, ReferralId, Token};
use crate::task::ReferralTask;
use crate::vocabulary::vocabulary;

/// One workflow instance: an explicit state in a statechart, never a replayed call stack.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Referral {
    pub id: ReferralId,
    /// The workflow and plugins that decide for it.
    pub deployment: Digest,
    /// The state's name in the workflow.
    pub state: String,
    pub entered_at: DateTime<Utc>,
    pub ordered_at: DateTime<Utc>,
    /// Steps taken so far. Invariant: grows by one with each committed step, so a step can be taken once only.
    pub version: u64,
    pub timers: Vec<Timer>,
    /// Letters written so far; numbers the next one.
    pub letters: u32,
    pub facts: Facts,
    /// What people were asked to do about it, oldest first. At most [`crate::task::TASKS_MAX`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tasks: Vec<ReferralTask>,
}

/// A moment at which the workflow wants to be woken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Timer {
    pub name: String,
    pub due: DateTime<Utc>,
}

/// What events have taught us. Guards read these by the same names.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Facts {
    /// Seldom changed, and so shared by one step with the next.
    pub patient: Arc<Patient>,
    pub order: Arc<Order>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub appointment: Option<Appointment>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub visit: Option<Visit>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<Note>,
    /// The last letter to the patient: a reply answers this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_letter: Option<SentLetter>,
    /// Messages to the patient, oldest first. At most [`ATTEMPTS_MAX`].
    #[serde(default)]
    pub attempts: Vec<Attempt>,
    /// Specialists tried before the present one, by id.
    #[serde(default)]
    pub tried: Vec<String>,
    #[serde(default)]
    pub rerouted: u32,
    /// When the EHR withdrew the order: one that is newer begins anew.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub withdrawn: Option<DateTime<Utc>>,
    /// Days the workflow marked: `stalled`, `escalated`. Set by the workflow's `mark:` action, read by the dashboard.
    #[serde(default)]
    pub marks: Vec<Mark>,
    /// Telephone calls to the patient that a person has noted, oldest first. At most [`ATTEMPTS_MAX`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub calls: Vec<NotedCall>,
}

/// Attempts kept per referral: the workflow sends at most about a dozen; beyond that only the latest matter.
pub const ATTEMPTS_MAX: usize = 32;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    pub name: String,
    pub at: DateTime<Utc>,
}

/// A telephone call that a person has made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NotedCall {
    pub at: DateTime<Utc>,
    pub outcome: CallOutcome,
}

vocabulary! {
    /// What came of a telephone call.
    pub enum CallOutcome {
        Reached = "reached",
        MessageLeft = "message-left",
        NoAnswer = "no-answer",
        WrongNumber = "wrong-number",
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Patient {
    pub id: PatientId,
    pub given: Token,
    pub family: Token,
    /// `YYYY-MM-DD`, or as much of it as the order said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub born: Option<Token>,
    /// The chart's and the sender's numbers for the patient.
    pub identifiers: Vec<PatientIdentifier>,
    /// In the order in which they were learned.
    pub reaches: Vec<ContactPoint>,
    /// BCP 47, best first.
    pub languages: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preferred: Option<Channel>,
    /// Where the patient lives, for quiet hours and appointment times. From the address, never from the phone number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<Tz>,
    /// Where they may live as well, by what is known: nobody is written to but when both zones permit it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub other_zone: Option<Tz>,
    #[serde(default)]
    pub deceased: bool,
    /// The order says that the patient is not to be written to: nor is it at any address that is learned later.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub refused: bool,
    /// Since when what the EHR last said of reaching them is so: older news changes nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub as_of: Option<DateTime<Utc>>,
    /// By which channels they want no messages, at whatever address: one that becomes known later is no way round it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub opted_out: Vec<Channel>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PatientIdentifier {
    pub value: Token,
    pub authority: String,
    pub kind: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContactPoint {
    pub channel: Channel,
    pub address: Token,
    pub consent: Consent,
    /// The chart or a person has it, or the patient answered from it. Before, it may be anybody's, and letters there say no more than that
    /// there is a referral.
    #[serde(default)]
    pub confirmed: bool,
}

vocabulary! {
    /// A way to the patient.
    pub enum Channel {
        Sms = "sms",
        Email = "email",
        Portal = "portal",
    }
}

impl Channel {
    /// The same as [`Channel::as_str`].
    pub fn name(self) -> &'static str {
        self.as_str()
    }
}

vocabulary! {
    /// What is known of a patient's leave to write by a channel.
    pub enum Consent {
        Granted = "granted",
        Denied = "denied",
        Unknown = "unknown",
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Order {
    /// The order's own numbers in the ordering system.
    pub numbers: Vec<Token>,
    pub priority: Priority,
    pub specialty: Code,
    #[serde(default)]
    pub services: Vec<Code>,
    #[serde(default)]
    pub diagnoses: Vec<Code>,
    pub plan_id: String,
    pub plan_name: String,
    pub referring: Provider,
    /// Changes when the referral is re-routed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub specialist: Option<Provider>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<DateTime<Utc>>,
    /// Whom the order itself names, whoever sees the patient by now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub named: Option<Provider>,
    /// When its sender said so: an older version of it changes nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub as_of: Option<DateTime<Utc>>,
    /// When it was written, as its sender says. It may have come much later.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authored_at: Option<DateTime<Utc>>,
}

vocabulary! {
    /// How soon the order wants to be seen.
    pub enum Priority {
        Routine = "routine",
        Urgent = "urgent",
        Stat = "stat",
    }
}

vocabulary! {
    /// Why another specialist than the one named is to see the patient.
    pub enum RerouteReason {
        OutOfNetwork = "out-of-network",
        OverBooked = "over-booked",
        Declined = "declined",
        NoneNamed = "none-named",
    }
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Code {
    pub system: String,
    pub code: String,
    pub display: String,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Provider {
    pub id: String,
    pub name: String,
    pub organization: String,
    pub phone: String,
    pub specialty: String,
}

impl Provider {
    /// Whether both name the same clinician or place, as far as they say: by id, else by name.
    pub fn is_same(&self, other: &Provider) -> bool {
        let said = |one: &str, other: &str| !one.is_empty() && !other.is_empty();
        if said(&self.id, &other.id) {
            return self.id == other.id;
        }
        said(&self.name, &other.name) && self.name.to_lowercase() == other.name.to_lowercase()
    }

    /// The same one as another message has it. What this one leaves out is kept from before: many messages carry an id alone.
    #[must_use]
    pub fn told_again(&self, newer: &Provider) -> Provider {
        if !self.is_same(newer) {
            return newer.clone();
        }
        let fuller = |newer: &String, known: &String| if newer.is_empty() { known.clone() } else { newer.clone() };
        Provider {
            id: fuller(&newer.id, &self.id),
            name: fuller(&newer.name, &self.name),
            organization: fuller(&newer.organization, &self.organization),
            phone: fuller(&newer.phone, &self.phone),
            specialty: fuller(&newer.specialty, &self.specialty),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Appointment {
    /// The scheduling system's numbers for it.
    pub numbers: Vec<Token>,
    pub starts_at: DateTime<Utc>,
    pub minutes: u32,
    pub status: AppointmentStatus,
    /// When the scheduling system said so last: older news does not undo newer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub as_of: Option<DateTime<Utc>>,
}

vocabulary! {
    /// Where an appointment stands.
    pub enum AppointmentStatus {
        Booked = "booked",
        Cancelled = "cancelled",
        NoShow = "no-show",
        Arrived = "arrived",
        Completed = "completed",
    }
}

/// What became of the visit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Visit {
    pub attended: bool,
    pub at: DateTime<Utc>,
}

/// The consultation note that closes the loop.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    pub document_id: Token,
    pub kind: Code,
    /// Of its first document.
    pub media_type: String,
    pub content: Token,
    /// Its further documents, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attached: Vec<Attached>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub author: Option<Provider>,
    /// When it was written or signed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub written_at: Option<DateTime<Utc>>,
    pub received_at: DateTime<Utc>,
    /// What the chart has of it: `DocumentReference/77`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub in_chart: Vec<String>,
    /// What the chart has of the note whose place it takes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub replaces: Vec<String>,
    /// Its author has taken it back after it was in the chart.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub retracted: bool,
}

/// A document beside the first one of a note.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attached {
    pub media_type: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<Token>,
    pub content: Token,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SentLetter {
    pub id: LetterId,
    pub template: String,
    pub channel: Channel,
    pub language: String,
    pub asked: Asked,
    pub at: DateTime<Utc>,
}

vocabulary! {
    /// What a letter asked the patient; decides how a bare `1` is read.
    pub enum Asked {
        Schedule = "schedule",
        ConfirmVisit = "confirm-visit",
        Reminder = "reminder",
        NoShowFollowUp = "no-show-follow-up",
        Info = "info",
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    pub letter: LetterId,
    pub channel: Channel,
    pub at: DateTime<Utc>,
    pub outcome: AttemptOutcome,
}

vocabulary! {
    /// What became of a message.
    pub enum AttemptOutcome {
        Pending = "pending",
        Delivered = "delivered",
        Undeliverable = "undeliverable",
        Answered = "answered",
        /// It did not arrive, and its address is not at fault: our own rules, its hour, or the sender's set-up.
        Unsent = "unsent",
    }
}
