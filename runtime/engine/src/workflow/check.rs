//! What can be wrong with a workflow although each line of it is right: the statechart as a whole.

use std::collections::{BTreeMap, BTreeSet};

use super::node::At;
use super::reader::WorkflowReader;
use super::states::{Action, Handler, Handlers, State};
use super::timers::{Late, Since, TimerRule, When};
use super::{Mentions, StageKind, Workflow, acts, answers, moves};
use crate::event::{PERSON_PREFIX, TIMER_PREFIX, timer_event};
use crate::problem::{Code, did_you_mean, nearest};
use crate::referral::Channel;

pub(super) fn check(reader: &mut WorkflowReader, workflow: &Workflow, mentions: &Mentions) {
    check_names(reader, workflow, mentions);
    check_timers(reader, workflow);
    check_ends(reader, workflow);
    check_stages(reader, workflow);
    check_letters(reader, workflow);
    moves::check(reader, workflow, mentions);
    // Routes mean nothing while names lead nowhere.
    let names_hold = mentions.states.iter().all(|mention| workflow.states.contains_key(&mention.name));
    if names_hold {
        check_routes(reader, workflow);
        answers::check(reader, workflow);
        acts::check(reader, workflow);
        acts::check_resolves(reader, workflow, &mentions.resolves);
    }
}

fn check_names(reader: &mut WorkflowReader, workflow: &Workflow, mentions: &Mentions) {
    for mention in &mentions.states {
        if !workflow.states.contains_key(&mention.name) {
            let help = did_you_mean(&mention.name, workflow.states.keys().map(String::as_str));
            reader.report(mention.at, Code::UNKNOWN_STATE, format!("there is no state `{}`", mention.name), help);
        }
    }
    for mention in &mentions.letters {
        if !workflow.letters.contains_key(&mention.name) {
            let help = did_you_mean(&mention.name, workflow.letters.keys().map(String::as_str));
            reader.report(mention.at, Code::UNKNOWN_LETTER, format!("there is no letter `{}`", mention.name), help);
        }
    }
}

/// Every timer is handled, and every handled timer exists.
fn check_timers(reader: &mut WorkflowReader, workflow: &Workflow) {
    let global = names(&workflow.timers);
    let handled_in_all = timer_events(&workflow.on);
    for state in workflow.states.values() {
        let own = names(&state.timers);
        for (name, at) in timer_events(&state.on) {
            if !own.contains(name) && !global.contains(name) {
                let message = format!("state `{}` has no timer `{name}`", state.name);
                reader.report(at, Code::UNKNOWN_TIMER, message, cure_timer(name, own.union(&global).copied()));
            }
        }
        let handled: BTreeSet<&str> =
            timer_events(&state.on).chain(timer_events(&workflow.on)).map(|(name, _)| name).collect();
        for timer in state.timers.iter().filter(|timer| !handled.contains(timer.name.as_str())) {
            unused(reader, timer, &format!("state `{}`", state.name));
        }
        for timer in state.timers.iter().filter(|timer| global.contains(timer.name.as_str())) {
            let message = format!("timer `{}` is already the whole workflow's", timer.name);
            reader.report(timer.at, Code::DUPLICATE_KEY, message, "give one of the two another name");
        }
    }
    let local: BTreeSet<&str> = workflow.states.values().flat_map(|state| names(&state.timers)).collect();
    for (name, at) in handled_in_all {
        if !global.contains(name) && !local.contains(name) {
            reader.report(
                at,
                Code::UNKNOWN_TIMER,
                format!("there is no timer `{name}`"),
                cure_timer(name, global.iter().copied()),
            );
        }
    }
    for timer in &workflow.timers {
        let event = timer_event(&timer.name);
        let handled =
            workflow.on.contains_key(&event) || workflow.states.values().any(|state| state.on.contains_key(&event));
        if !handled {
            unused(reader, timer, "the workflow");
        }
    }
}

fn cure_timer<'a>(name: &str, candidates: impl Iterator<Item = &'a str>) -> String {
    match nearest(name, candidates) {
        Some(near) => format!("write `{}`", timer_event(near)),
        None => format!("add under `timers:` a line `{name}: {{ after: 3d }}`"),
    }
}

fn unused(reader: &mut WorkflowReader, timer: &TimerRule, place: &str) {
    let message = format!("nothing in {place} listens to timer `{}`", timer.name);
    reader.report(
        timer.at,
        Code::UNUSED_TIMER,
        message,
        format!("add under `on:` a line `{}: …`", timer_event(&timer.name)),
    );
}

fn names(timers: &[TimerRule]) -> BTreeSet<&str> {
    timers.iter().map(|timer| timer.name.as_str()).collect()
}

fn timer_events(on: &Handlers) -> impl Iterator<Item = (&str, At)> {
    on.iter().filter_map(|(event, handlers)| {
        Some((event.strip_prefix(TIMER_PREFIX)?, handlers.first().map(|handler| handler.at).unwrap_or_default()))
    })
}

/// A finished referral writes to nobody, waits for nothing and stays finished.
fn check_ends(reader: &mut WorkflowReader, workflow: &Workflow) {
    let sends =
        |actions: &[Action]| actions.iter().any(|action| matches!(action, Action::Send { .. } | Action::SendAnswered));
    for state in workflow.states.values().filter(|state| state.end) {
        let mut report = |at: At, message: String, help: &str| reader.report(at, Code::NOT_AT_AN_END, message, help);
        if let Some(timer) = state.timers.first() {
            report(timer.at, format!("state `{}` is an end and has a timer", state.name), "take the timer away");
        }
        if sends(&state.enter) {
            let message = format!("state `{}` is an end and writes to the patient", state.name);
            report(state.at, message, "send the letter on the way there and wait until it has left");
        }
        // What a person takes up again starts again, and may be written about.
        let by_itself = state.on.iter().filter(|(event, _)| !event.starts_with(PERSON_PREFIX));
        for handler in by_itself.flat_map(|(_, handlers)| handlers) {
            check_after_end(&mut report, workflow, handler, sends(&handler.actions));
        }
    }
    for handler in handlers(workflow).filter(|handler| sends(&handler.actions)) {
        if handler.to.as_ref().and_then(|to| workflow.states.get(to)).is_some_and(|state| state.end) {
            let help = "send it from a state before the end, and go on when it has left";
            reader.report(
                handler.at,
                Code::NOT_AT_AN_END,
                "this writes to the patient and ends the referral at once",
                help,
            );
        }
    }
    for handler in workflow.on.values().flatten().filter(|handler| handler.always) {
        let mut report = |at: At, message: String, help: &str| reader.report(at, Code::NOT_AT_AN_END, message, help);
        check_after_end(&mut report, workflow, handler, sends(&handler.actions));
    }
}

fn check_after_end(report: &mut impl FnMut(At, String, &str), workflow: &Workflow, handler: &Handler, sends: bool) {
    if sends {
        report(handler.at, "a finished referral would write to the patient".to_string(), "raise a task instead");
    }
    let leaves = handler.to.as_ref().and_then(|to| workflow.states.get(to)).is_some_and(|state| !state.end);
    if leaves {
        let help = "let it go to another end, or raise a task";
        report(handler.at, "a finished referral would start again".to_string(), help);
    }
}

/// Every stage that an action needs is there.
fn check_stages(reader: &mut WorkflowReader, workflow: &Workflow) {
    let stages = &workflow.stages;
    let mut missing: BTreeMap<StageKind, At> = BTreeMap::new();
    let mut need = |present: bool, kind: StageKind, at: At| {
        if !present {
            missing.entry(kind).or_insert(at);
        }
    };
    let entered = workflow.states.values().map(|state| (state.enter.as_slice(), state.at));
    let handled = handlers(workflow).map(|handler| (&*handler.actions, handler.at));
    for (action, at) in entered.chain(handled).flat_map(|(actions, at)| actions.iter().map(move |action| (action, at)))
    {
        match action {
            Action::Send { .. } | Action::SendAnswered => {
                need(stages.channel.is_some(), StageKind::Channel, at);
                need(stages.reply.is_some(), StageKind::Reply, at);
                need(!stages.outreach.is_empty(), StageKind::Outreach, at);
            }
            Action::ReadRecord => need(stages.records.is_some(), StageKind::Records, at),
            Action::AssessNetwork(_) => need(stages.network.is_some(), StageKind::Network, at),
            Action::CheckVisit => need(stages.visit.is_some(), StageKind::Visit, at),
            Action::WriteChart(_) => need(stages.chart.is_some(), StageKind::Chart, at),
            Action::Raise(_) => need(stages.escalation.is_some(), StageKind::Escalation, at),
            Action::RecallLetters | Action::Mark(_) => {}
        }
    }
    for (key, at) in missing {
        let help = format!("add under `stages:` a block `{key}: {{ plugin: … }}`");
        reader.report(at, Code::MISSING_STAGE, format!("this needs the `{key}` stage, and there is none"), help);
    }
}

fn handlers(workflow: &Workflow) -> impl Iterator<Item = &Handler> {
    workflow.states.values().map(|state| &state.on).chain([&workflow.on]).flat_map(|on| on.values().flatten())
}

/// Every letter can be written in every language by every channel that there is.
fn check_letters(reader: &mut WorkflowReader, workflow: &Workflow) {
    let channels: BTreeSet<Channel> = workflow.stages.outreach.iter().map(|carrier| carrier.channel).collect();
    for (letter, rule) in &workflow.letters {
        for language in workflow.languages.values() {
            let texts = language.letters.get(letter);
            for channel in &channels {
                let written = texts.is_some_and(|texts| match channel {
                    Channel::Sms => texts.sms.is_some(),
                    Channel::Email => texts.email.is_some(),
                    Channel::Portal => texts.portal.is_some() || texts.email.is_some(),
                });
                if !written {
                    let message = format!("letter `{letter}` has no {channel} text in `{}`", language.tag);
                    let help = format!("add it under `letters:` of `{}`", language.tag);
                    reader.report(rule.at, Code::MISSING_TEMPLATE, message, help);
                }
            }
        }
        if workflow.languages.is_empty() {
            let message = format!("letter `{letter}` has no text at all");
            reader.report(rule.at, Code::MISSING_TEMPLATE, message, "name a folder: `templates: templates/`");
        }
    }
}

/// Every state can be reached, leads to an end, and does not wait for ever.
fn check_routes(reader: &mut WorkflowReader, workflow: &Workflow) {
    let mut reached = BTreeSet::new();
    let mut open = vec![workflow.start.as_str()];
    open.extend(targets(&workflow.on));
    while let Some(name) = open.pop() {
        if reached.insert(name)
            && let Some(state) = workflow.states.get(name)
        {
            open.extend(targets(&state.on));
        }
    }
    // The workflow's own handlers do not count as a way out: `person.close` everywhere would hide every dead end.
    let mut leads: BTreeSet<&str> =
        workflow.states.values().filter(|state| state.end).map(|state| state.name.as_str()).collect();
    loop {
        let before = leads.len();
        let more = workflow.states.values().filter(|state| targets(&state.on).any(|to| leads.contains(to)));
        leads.extend(more.map(|state| state.name.as_str()).collect::<Vec<_>>());
        if leads.len() == before {
            break;
        }
    }
    for state in workflow.states.values() {
        if !reached.contains(state.name.as_str()) {
            let message = format!("no referral can come to state `{}`", state.name);
            reader.report(state.at, Code::UNREACHABLE_STATE, message, "add a `to:` that leads here, or take it away");
        }
        if !leads.contains(state.name.as_str()) {
            let message = format!("no handler of state `{}` leads on to an end", state.name);
            reader.report(
                state.at,
                Code::NO_WAY_TO_AN_END,
                message,
                "add a `to:` that leads on to an `end: true` state",
            );
        } else if !state.end && !wakes(state) {
            let message = format!("a referral can wait in state `{}` for ever", state.name);
            let help = "add a timer such as `overdue: { after: 14d }` and say under `on:` what happens then";
            reader.report(state.at, Code::WAITS_FOR_EVER, message, help);
        }
    }
}

/// Whether a timer is sure to be set on entry.
fn wakes(state: &State) -> bool {
    state.timers.iter().any(|timer| match timer.when {
        When::After { since: Since::Entry, .. } => true,
        When::After { since: Since::Order, .. } => timer.late == Late::Fire,
        When::BeforeAppointment(_) | When::AfterAppointment(_) | When::VisitOpen { .. } => false,
    })
}

fn targets(on: &Handlers) -> impl Iterator<Item = &str> {
    on.values().flatten().filter_map(|handler| handler.to.as_deref())
}
