//! What people were asked to do, and what they do about it: a worklist, and each task's life.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, TimeDelta, Utc};
use handoff_engine::answer::ActorRole;
use handoff_engine::ids::{LetterId, ReferralId};
use handoff_engine::letter::{Audience, LetterBody};
use handoff_engine::task::{ReferralTask, TaskChange};
use handoff_identity::person::Person;
use handoff_identity::role::Role;
use handoff_pipeline::referrals::acts::ActError;
use handoff_store::Record;
use handoff_store::index::{Kind, OpenTask, Search, TaskFilter};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::acts::actor;
use crate::operations::{Operations, Operator, Request};
use crate::referrals::{PAGE_ROWS_MAX, PhiAccessError};
use crate::views::{TaskView, Visibility};

/// Read from the index at once.
const STRIDE: usize = 200;
/// Tasks looked at for one page of a physician, whose own are few among all.
const SCANNED_MAX: usize = 5_000;

/// Which open tasks; all that are given must hold.
#[derive(Clone, Debug, Default)]
pub struct WhichTasks {
    pub audience: Option<Audience>,
    pub kind: Option<String>,
    /// A person's name; `Some(None)` for what nobody has.
    pub assignee: Option<Option<String>>,
    pub due_by: Option<DateTime<Utc>>,
    /// Those put off as well.
    pub snoozed: bool,
    pub after: Option<TaskCursor>,
    /// At most [`PAGE_ROWS_MAX`].
    pub limit: usize,
}

/// Where a worklist goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TaskCursor(DateTime<Utc>, LetterId);

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this is no place in a worklist")]
pub struct MalformedCursor;

impl fmt::Display for TaskCursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}~{}", self.0.timestamp_millis(), self.1)
    }
}

impl FromStr for TaskCursor {
    type Err = MalformedCursor;
    fn from_str(text: &str) -> Result<TaskCursor, MalformedCursor> {
        let (due, task) = text.split_once('~').ok_or(MalformedCursor)?;
        let due = due.parse().ok().and_then(DateTime::from_timestamp_millis).ok_or(MalformedCursor)?;
        Ok(TaskCursor(due, task.parse().map_err(|_| MalformedCursor)?))
    }
}

/// Some tasks, in order of due date, and where to go on.
#[derive(Debug, Serialize, ToSchema)]
pub struct TaskPage {
    pub items: Vec<TaskView>,
    /// Absent at the end.
    pub next: Option<String>,
}

/// Do something about a task.
#[derive(Serialize, Deserialize)]
pub struct ChangeTask {
    pub task: LetterId,
    pub change: TaskChange,
}

impl Request for ChangeTask {
    const PATH: &'static str = "/tasks/change";
    const WHY: Option<&'static str> = None;
    type Answer = ReferralTask;

    fn perform(self, operations: &Operations, operator: Operator) -> anyhow::Result<ReferralTask> {
        let ChangeTask { task, change } = self;
        let actor = actor(operator, "a task")?;
        // Who runs the practice says who does what, and does it not themselves.
        if actor.role == Some(ActorRole::Manager) && !matches!(change, TaskChange::Assigned { .. }) {
            let (act, role) = ("a task, but for giving it to somebody".to_string(), ActorRole::Manager.to_string());
            return Err(ActError::NotYours { act, role, roles: "coordinator".to_string() }.into());
        }
        let changed = operations.pipeline.change_task(task, change, &actor);
        Ok(tokio::runtime::Handle::current().block_on(changed)?)
    }
}

/// Open tasks, by tokens: for whoever owns the machine.
#[derive(Default, Serialize, Deserialize)]
pub struct ListTasks {
    pub referral: Option<ReferralId>,
    pub audience: Option<Audience>,
    pub kind: Option<String>,
    pub assignee: Option<String>,
    pub snoozed: bool,
}

impl Request for ListTasks {
    const PATH: &'static str = "/tasks";
    const WHY: Option<&'static str> = Some("to see what is to be done");
    type Answer = Vec<OpenTask>;

    fn perform(self, operations: &Operations, _: Operator) -> anyhow::Result<Vec<OpenTask>> {
        let ListTasks { referral, audience, kind, assignee, snoozed } = self;
        let awake_at = (!snoozed).then(|| operations.pipeline.clock.now());
        let filter = TaskFilter { referral, audience, kind, assignee: assignee.map(Some), due_by: None, awake_at };
        Ok(operations.pipeline.store.index().tasks(&filter, None, usize::MAX))
    }
}

impl Operations {
    /// The open tasks of this person: all for whoever coordinates, a physician's own for a physician.
    ///
    /// # Errors
    /// When they cannot be read, or the journal does not take the look.
    pub fn tasks(&self, person: &Person, which: &WhichTasks) -> Result<TaskPage, PhiAccessError> {
        let now = self.pipeline.clock.now();
        let WhichTasks { audience, kind, assignee, due_by, snoozed, after, limit } = which.clone();
        let audience = if person.role == Role::Physician { Some(Audience::Physician) } else { audience };
        let awake_at = (!snoozed).then_some(now);
        let filter = TaskFilter { referral: None, audience, kind, assignee, due_by, awake_at };
        let limit = limit.clamp(1, PAGE_ROWS_MAX);
        let (mut seen, mut scanned, mut after) = (Vec::new(), 0, after);
        let next = 'pages: loop {
            let place = after.map(|TaskCursor(due, task)| (due, task));
            let page = self.pipeline.store.index().tasks(&filter, place, STRIDE);
            if page.is_empty() {
                break None;
            }
            for task in page {
                if seen.len() >= limit || scanned >= SCANNED_MAX {
                    break 'pages after;
                }
                (after, scanned) = (Some(TaskCursor(task.due_at, task.task)), scanned + 1);
                if self.may_see(person, task.task.referral)? {
                    seen.push(task);
                }
            }
        };
        let look = self.look_at(person, "tasks", seen.iter().map(|task| task.task.referral))?;
        let mut items = Vec::new();
        for task in seen {
            let summary = match &look {
                Some(_) => self.summary(task.task, task.raised_at)?,
                None => None,
            };
            items.push(TaskView::open(task, summary, now, look.as_ref()));
        }
        Ok(TaskPage { items, next: next.map(|next| next.to_string()) })
    }

    /// Every task of one referral, oldest first, those that have ended with how and by whom.
    ///
    /// # Errors
    /// When there is no such referral for them, or the journal does not take the look.
    pub fn referral_tasks(&self, person: &Person, id: ReferralId) -> Result<Vec<TaskView>, PhiAccessError> {
        let (referral, look) = self.one(person, id, "a referral's tasks")?;
        let now = self.pipeline.clock.now();
        let mut items = Vec::new();
        for task in &referral.tasks {
            let summary = match &look {
                Some(_) => self.summary(task.id(id), task.raised_at)?,
                None => None,
            };
            items.push(TaskView::of(id, task, summary, now, look.as_ref()));
        }
        Ok(items)
    }

    /// Changes a task for a person who is signed in.
    ///
    /// # Errors
    /// When there is no such task for them, it is another role's, or it has ended already.
    pub fn change_task(&self, person: &Person, change: ChangeTask, why: String) -> anyhow::Result<ReferralTask> {
        let task = change.task;
        let no_such_task = || ActError::NoSuchTask { task };
        let unknown = |error| match matches!(error, PhiAccessError::NoSuchReferral) {
            true => anyhow::Error::from(no_such_task()),
            false => error.into(),
        };
        let referral = self.visible(person, task.referral).map_err(unknown)?;
        let known = referral.tasks.iter().find(|known| known.letter == task.number).ok_or_else(no_such_task)?;
        if person.role == Role::Physician && known.audience != Audience::Physician {
            return Err(no_such_task().into());
        }
        let (who, role) = (person.name.clone(), Some(person.role.name().to_string()));
        change.perform(self, Operator { who, role, why })
    }

    fn may_see(&self, person: &Person, id: ReferralId) -> Result<bool, PhiAccessError> {
        if person.role != Role::Physician {
            return Ok(true);
        }
        let referral = self.pipeline.store.index().referral(&id)?;
        Ok(referral.is_some_and(|referral| Visibility::of(person, &referral, false).is_some()))
    }

    /// What a task says, with tokens: it stands in the letter that carries it, in the entry that raised it.
    fn summary(&self, task: LetterId, raised_at: DateTime<Utc>) -> Result<Option<String>, PhiAccessError> {
        let wanted = Search {
            referral: Some(task.referral),
            from: Some(raised_at),
            until: Some(raised_at + TimeDelta::milliseconds(1)),
            kind: Some(Kind::Queued),
            ..Search::default()
        };
        for position in self.pipeline.store.index().search(&wanted)? {
            let Some(entry) = self.pipeline.store.read(position)? else { continue };
            let said = entry.records.iter().find_map(|record| {
                let Record::Queued { letter, .. } = record else { return None };
                let LetterBody::Task(said) = &letter.body else { return None };
                (letter.id == task).then(|| said.summary.clone())
            });
            if said.is_some() {
                return Ok(said);
            }
        }
        Ok(None)
    }
}
