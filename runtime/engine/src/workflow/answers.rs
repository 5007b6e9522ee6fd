//! Whoever asks must listen: a state that puts a question to a stage has something to say to each of its answers, a timer
//! that only an answer sets has somebody who asks, and a handler of the whole workflow has a state that leaves it its event.

use std::collections::BTreeSet;

use super::node::At;
use super::reader::WorkflowReader;
use super::states::{Action, Handler, State};
use super::timers::{VISIT_OPEN, When};
use super::{TimerRule, Workflow};
use crate::event::PlainEvent;
use crate::problem::Code;

pub(super) fn check(reader: &mut WorkflowReader, workflow: &Workflow) {
    for state in workflow.states.values() {
        check_answers(reader, workflow, state);
    }
    check_visit_timers(reader, workflow);
    check_left_to_all(reader, workflow);
}

/// The answers between which a referral's way divides; [`VISIT_OPEN`] is a timer's to hear.
fn answers_to(action: &Action) -> &'static [PlainEvent] {
    match action {
        Action::ReadRecord => &[PlainEvent::RecordFound, PlainEvent::RecordMissing],
        Action::AssessNetwork(_) => {
            &[PlainEvent::NetworkInNetwork, PlainEvent::NetworkAlternative, PlainEvent::NetworkNobody]
        }
        Action::CheckVisit => &[
            PlainEvent::VisitAttended,
            PlainEvent::VisitNoShow,
            PlainEvent::VisitCancelled,
            PlainEvent::VisitMoved,
            VISIT_OPEN,
        ],
        Action::Send { .. }
        | Action::SendAnswered
        | Action::WriteChart(_)
        | Action::Raise(_)
        | Action::RecallLetters
        | Action::Mark(_) => &[],
    }
}

fn check_answers(reader: &mut WorkflowReader, workflow: &Workflow, state: &State) {
    let stays = |handler: &&Handler| handler.to.as_ref().is_none_or(|to| *to == state.name);
    let handlers = state.on.values().flatten().filter(stays);
    let asked = handlers.flat_map(|handler| handler.actions.iter().map(|action| (action, handler.at)));
    let asked = state.enter.iter().map(|action| (action, state.at)).chain(asked);
    let mut missing = BTreeSet::new();
    for (action, at) in asked {
        for answer in answers_to(action).iter().filter(|answer| !listens(workflow, state, **answer)) {
            if missing.insert(answer) {
                let question = action.kind();
                let message = format!("state `{}` asks `{question}` and has no answer to `{answer}`", state.name);
                let help = if *answer == VISIT_OPEN {
                    format!("add a timer that asks again: `again: {{ after: {VISIT_OPEN}, at_most: 24h }}`")
                } else {
                    format!("add under `on:` a line `{answer}: …`, or name it under `ignore:`")
                };
                reader.report(at, Code::UNANSWERED, message, help);
            }
        }
    }
}

fn listens(workflow: &Workflow, state: &State, answer: PlainEvent) -> bool {
    let event = answer.as_str();
    let is_told = answer == VISIT_OPEN && state.timers.iter().chain(&workflow.timers).any(hears_open);
    is_told || state.on.contains_key(event) || state.ignore.contains(event) || workflow.on.contains_key(event)
}

fn hears_open(timer: &TimerRule) -> bool {
    matches!(timer.when, When::VisitOpen { .. })
}

fn check_visit_timers(reader: &mut WorkflowReader, workflow: &Workflow) {
    let handlers = workflow.states.values().map(|state| &state.on).chain([&workflow.on]);
    let handled = handlers.flat_map(|on| on.values().flatten()).flat_map(|handler| handler.actions.iter());
    let entered = workflow.states.values().flat_map(|state| &state.enter);
    if handled.chain(entered).any(|action| matches!(action, Action::CheckVisit)) {
        return;
    }
    let timers = workflow.states.values().flat_map(|state| &state.timers).chain(&workflow.timers);
    for timer in timers.filter(|timer| hears_open(timer)) {
        let message = format!("timer `{}` is never set: nothing asks `check-visit`", timer.name);
        reader.report(timer.at, Code::NEVER_SET, message, "add `check-visit` under `enter:`, or write `after: 24h`");
    }
}

/// A handler of the whole workflow that every state keeps its event from.
fn check_left_to_all(reader: &mut WorkflowReader, workflow: &Workflow) {
    let unconditional = |handlers: &[Handler]| handlers.iter().any(|handler| handler.guard.is_none());
    for (event, handlers) in &workflow.on {
        let Some(at) = handlers.first().map(|handler| handler.at) else { continue };
        let keeps = |state: &State| {
            state.ignore.contains(event) || state.on.get(event).is_some_and(|handlers| unconditional(handlers))
        };
        let always = handlers.iter().any(|handler| handler.always);
        let mut hears = workflow.states.values().filter(|state| always || !state.end);
        if hears.all(keeps) {
            never_taken(reader, at, event);
        }
    }
}

fn never_taken(reader: &mut WorkflowReader, at: At, event: &str) {
    let message = format!("no state leaves `{event}` to the whole workflow: this is never taken");
    reader.report(at, Code::NEVER_TAKEN, message, "take it away, or take it out of one of the states");
}
