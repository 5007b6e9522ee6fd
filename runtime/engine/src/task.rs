//! A task's life: raised by the workflow, taken by a person, put off, done; or moot, when what it asked for has come about.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::ids::{LetterId, ReferralId};
use crate::vocabulary::vocabulary;

/// A task as it is put before a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Task {
    pub audience: Audience,
    /// The workflow's word for it: `stalled`, `day-21`, `nudge-note`.
    pub kind: String,
    pub urgent: bool,
    pub summary: String,
    pub due_in_hours: u32,
}

vocabulary! {
    /// Whom a task is for.
    pub enum Audience {
        Physician = "physician",
        Coordinator = "coordinator",
        Specialist = "specialist",
    }
}

/// A task that a referral has raised. What is to be done stands in the letter that carries it to its inbox, as the journal has
/// it: here is only what changes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReferralTask {
    /// The number of the letter that carries it, by which the task is known.
    pub letter: u32,
    pub audience: Audience,
    /// The workflow's word for it.
    pub kind: String,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub urgent: bool,
    pub raised_at: DateTime<Utc>,
    pub due_at: DateTime<Utc>,
    /// Who has taken it, or was given it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assignee: Option<String>,
    /// Not to be shown before then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub snoozed_until: Option<DateTime<Utc>>,
    /// Absent while it is open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<TaskEnd>,
}

/// How and when a task came to its end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskEnd {
    pub at: DateTime<Utc>,
    pub how: TaskOutcome,
    /// The person who did it, or the event that made it moot.
    pub by: String,
    /// What they said of it; empty for what was moot.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub why: String,
}

vocabulary! {
    /// How a task ends.
    pub enum TaskOutcome {
        Done = "done",
        Moot = "moot",
    }
}

/// What a person does with a task.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "change", rename_all = "kebab-case")]
pub enum TaskChange {
    /// Somebody has it; nobody has it any more.
    Assigned {
        to: Option<String>,
    },
    /// It is shown again then.
    Snoozed {
        until: DateTime<Utc>,
    },
    Done,
    /// It was not done after all, or not moot.
    Reopened,
}

/// Tasks remembered per referral. A workflow raises a dozen at most; a patient who writes and writes must not swell the state.
pub const TASKS_MAX: usize = 64;

impl ReferralTask {
    pub fn raised(letter: u32, task: &Task, now: DateTime<Utc>) -> ReferralTask {
        let due = chrono::TimeDelta::hours(i64::from(task.due_in_hours));
        ReferralTask {
            letter,
            audience: task.audience,
            kind: task.kind.clone(),
            urgent: task.urgent,
            raised_at: now,
            due_at: now.checked_add_signed(due).unwrap_or(now),
            assignee: None,
            snoozed_until: None,
            ended: None,
        }
    }

    pub fn id(&self, referral: ReferralId) -> LetterId {
        LetterId { referral, number: self.letter }
    }

    pub fn is_open(&self) -> bool {
        self.ended.is_none()
    }

    /// Whether a change would change it.
    pub fn takes(&self, change: &TaskChange) -> bool {
        match change {
            TaskChange::Assigned { .. } | TaskChange::Snoozed { .. } | TaskChange::Done => self.is_open(),
            TaskChange::Reopened => !self.is_open(),
        }
    }
}
