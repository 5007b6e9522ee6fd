//! What we know of one referral. Patient data appears as tokens; nothing here can be read back into a person.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use crate::ids::{Digest, LetterId, PatientId, ReferralId, Token};

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
    /// Days the workflow marked: `stalled`, `escalated`. Set by the workflow's `mark:` action, read by the dashboard.
    #[serde(default)]
    pub marks: Vec<Mark>,
}

/// Attempts kept per referral: the workflow sends at most about a dozen; beyond that only the latest matter.
pub const ATTEMPTS_MAX: usize = 32;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    pub name: String,
    pub at: DateTime<Utc>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Patient {
    pub id: PatientId,
    pub given: Token,
    pub family: Token,
    /// The chart's and the sender's numbers for the patient.
    pub identifiers: Vec<PatientIdentifier>,
    /// In the order in which they were learned.
    pub reaches: Vec<Reach>,
    /// BCP 47, best first.
    pub languages: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preferred: Option<Channel>,
    /// Where the patient lives, for quiet hours and appointment times. From the address, never from the phone number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<Tz>,
    #[serde(default)]
    pub deceased: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PatientIdentifier {
    pub value: Token,
    pub authority: String,
    pub kind: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reach {
    pub channel: Channel,
    pub address: Token,
    pub consent: Consent,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Channel {
    Sms,
    Email,
    Portal,
}

impl Channel {
    pub fn name(self) -> &'static str {
        match self {
            Channel::Sms => "sms",
            Channel::Email => "email",
            Channel::Portal => "portal",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Consent {
    Granted,
    Denied,
    Unknown,
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
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Priority {
    Routine,
    Urgent,
    Stat,
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

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Appointment {
    /// The scheduling system's numbers for it.
    pub numbers: Vec<Token>,
    pub starts_at: DateTime<Utc>,
    pub minutes: u32,
    pub status: AppointmentStatus,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AppointmentStatus {
    Booked,
    Cancelled,
    NoShow,
    Arrived,
    Completed,
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
    pub media_type: String,
    pub content: Token,
    pub received_at: DateTime<Utc>,
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

/// What a letter asked the patient; decides how a bare `1` is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Asked {
    Schedule,
    ConfirmVisit,
    Reminder,
    NoShowFollowUp,
    Info,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    pub letter: LetterId,
    pub channel: Channel,
    pub at: DateTime<Utc>,
    pub outcome: AttemptOutcome,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AttemptOutcome {
    Pending,
    Delivered,
    Undeliverable,
    Answered,
}
