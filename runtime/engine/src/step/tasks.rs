//! Tasks come and go: raised with their letters, changed by people, moot by what happens.

use chrono::{DateTime, Utc};

use super::{Effect, Step};
use crate::event::Event;
use crate::letter::Task;
use crate::referral::Referral;
use crate::task::{ReferralTask, TASKS_MAX, TaskChange, TaskEnd, TaskOutcome};
use crate::workflow::Workflow;

/// What a person did with a task; whether that is news.
pub(super) fn learn(referral: &mut Referral, event: &Event, now: DateTime<Utc>) -> bool {
    let Event::Task { task, change, who, why, .. } = event else { return false };
    let known = referral.tasks.iter_mut().find(|known| known.letter == task.number);
    let Some(known) = known.filter(|known| known.takes(change)) else { return false };
    match change {
        TaskChange::Assigned { to } => known.assignee.clone_from(to),
        TaskChange::Snoozed { until } => known.snoozed_until = Some(*until),
        TaskChange::Done => {
            let (by, why) = (who.clone(), why.clone());
            known.ended = Some(TaskEnd { at: now, how: TaskOutcome::Done, by, why });
        }
        TaskChange::Reopened => (known.ended, known.snoozed_until) = (None, None),
    }
    true
}

/// Closes the open tasks that an event makes moot, by the workflow's `resolves:`. Whether there were any.
pub(super) fn resolve(workflow: &Workflow, referral: &mut Referral, event: &str, now: DateTime<Utc>) -> bool {
    let mut any = false;
    for task in referral.tasks.iter_mut().filter(|task| task.is_open()) {
        if workflow.resolves.get(&task.kind).is_some_and(|events| events.contains(event)) {
            let by = event.to_string();
            task.ended = Some(TaskEnd { at: now, how: TaskOutcome::Moot, by, why: String::new() });
            any = true;
        }
    }
    any
}

/// Takes up the tasks that this step raises. What ended first is forgotten first.
pub(super) fn raise(step: &mut Step, now: DateTime<Utc>) {
    let raised: Vec<ReferralTask> = step
        .letters()
        .filter_map(|(letter, effect)| {
            let Effect::Raise { task } = effect else { return None };
            Some(ReferralTask::raised(letter.number, task, now))
        })
        .collect();
    let tasks = &mut step.referral.tasks;
    tasks.extend(raised);
    while tasks.len() > TASKS_MAX {
        let oldest = tasks.iter().position(|task| !task.is_open()).unwrap_or_default();
        tasks.remove(oldest);
    }
}

/// The step by which a referral gets a task that no workflow raises.
pub fn hand_over(referral: &Referral, task: Task, now: DateTime<Utc>) -> Step {
    let mut referral = referral.clone();
    referral.version += 1;
    referral.letters = referral.letters.saturating_add(1);
    let because = format!("{}: a person is to see to it ({})", referral.state, task.kind);
    let mut step = Step { referral, effects: vec![Effect::Raise { task }], because };
    raise(&mut step, now);
    step
}

/// The kinds of those that a step has made moot, for the timeline.
pub(crate) fn made_moot(before: &Referral, after: &Referral) -> Vec<String> {
    let was_open = |letter: u32| before.tasks.iter().any(|task| task.letter == letter && task.is_open());
    let is_moot = |task: &&ReferralTask| task.ended.as_ref().is_some_and(|end| end.how == TaskOutcome::Moot);
    after.tasks.iter().filter(is_moot).filter(|task| was_open(task.letter)).map(|task| task.kind.clone()).collect()
}
