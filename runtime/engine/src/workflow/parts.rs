//! A workflow taken apart: each part by name, and what it says in words that can be compared. Two workflows differ in the
//! parts whose words differ; a state's course is the parts that time alone can lead it through.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

use super::{ActRule, Action, Expiry, Handler, Handlers, Late, Since, TimerRule, When, Workflow};
use crate::event::TIMER_PREFIX;
use crate::ids::Digest;

/// One part of a workflow. `state: None` is the whole workflow's own.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "part", rename_all = "kebab-case")]
pub enum WorkflowPart {
    Start,
    State {
        state: String,
    },
    Entry {
        state: String,
    },
    Timer {
        state: Option<String>,
        timer: String,
    },
    Handler {
        state: Option<String>,
        event: String,
    },
    Ignored {
        state: String,
    },
    Letter {
        letter: String,
    },
    /// A letter's wording in one language.
    Wording {
        letter: String,
        language: String,
    },
    Contact {
        rule: String,
    },
    /// What a person may do.
    Act {
        act: String,
    },
    /// What makes a kind of task moot.
    Resolved {
        task: String,
    },
    Practice,
}

/// A part that is not as it was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartDifference {
    #[serde(flatten)]
    pub part: WorkflowPart,
    /// Absent when the part is new.
    pub before: Option<String>,
    /// Absent when the part is gone.
    pub after: Option<String>,
}

pub type WorkflowParts = BTreeMap<WorkflowPart, String>;

/// Every part, stages aside: those are who does it, not what is done.
pub fn parts(workflow: &Workflow) -> WorkflowParts {
    let mut parts = course_of_all(workflow);
    parts.insert(WorkflowPart::Start, workflow.start.clone());
    let practice = &workflow.practice;
    let sensitive = practice.sensitive.join(", ");
    parts.insert(WorkflowPart::Practice, format!("{}, {}; sensitive: {sensitive}", practice.name, practice.phone));
    for (letter, rule) in &workflow.letters {
        let asks = rule.asks;
        let expires = match rule.expires {
            None => "does not expire".to_string(),
            Some(Expiry::After(wait)) => format!("expires after {}", duration(wait)),
            Some(Expiry::BeforeAppointment(wait)) => format!("expires {} before the appointment", duration(wait)),
        };
        parts.insert(WorkflowPart::Letter { letter: letter.clone() }, format!("asks {asks}, {expires}"));
    }
    for (language, texts) in &workflow.languages {
        let around = format!("{:?}{:?}{:?}", texts.words, texts.calendar, texts.specialties);
        for (letter, texts) in &texts.letters {
            let part = WorkflowPart::Wording { letter: letter.clone(), language: language.clone() };
            // The words themselves are long; that they are others is what matters.
            let wording = Digest::of(format!("{texts:?}{around}").as_bytes());
            parts.insert(part, format!("wording {}", wording.short()));
        }
    }
    parts.extend(workflow.acts.iter().map(|act| (WorkflowPart::Act { act: act.name.clone() }, act_says(act))));
    for (task, events) in &workflow.resolves {
        let events: Vec<&str> = events.iter().map(String::as_str).collect();
        parts.insert(WorkflowPart::Resolved { task: task.clone() }, format!("moot on {}", events.join(", ")));
    }
    let contact = &workflow.contact;
    let holidays: Vec<String> = contact.holidays.iter().map(ToString::to_string).collect();
    let rules = [
        ("hours", format!("{}-{}", contact.hours.opens.format("%H:%M"), contact.hours.closes.format("%H:%M"))),
        ("per_day", contact.per_day.to_string()),
        ("per_week", contact.per_week.to_string()),
        ("holidays", holidays.join(", ")),
        ("sms_characters", contact.sms_characters.to_string()),
        ("zone", contact.zone.to_string()),
        ("opt_out", contact.opt_out.to_string()),
    ];
    parts.extend(rules.into_iter().map(|(rule, says)| (WorkflowPart::Contact { rule: rule.to_string() }, says)));
    parts
}

/// What one workflow says otherwise than the other.
pub fn differences(before: &Workflow, after: &Workflow) -> Vec<PartDifference> {
    let (mut before, mut after) = (parts(before), parts(after));
    let names: BTreeSet<WorkflowPart> = before.keys().chain(after.keys()).cloned().collect();
    let difference = |part: WorkflowPart| {
        let (before, after) = (before.remove(&part), after.remove(&part));
        (before != after).then_some(PartDifference { part, before, after })
    };
    names.into_iter().filter_map(difference).collect()
}

/// The parts through which time alone can lead a referral from here: equal courses bring equal letters.
pub fn course(workflow: &Workflow, state: &str) -> WorkflowParts {
    let mut parts = timers_and_handlers(None, &workflow.timers, &workflow.on);
    let (mut open, mut seen) = (vec![state], BTreeSet::new());
    while let Some(name) = open.pop() {
        let Some(state) = workflow.states.get(name).filter(|_| seen.insert(name)) else { continue };
        parts.extend(parts_of_state(workflow, name));
        let timed = |on: &'_ Handlers| -> Vec<String> {
            let timers = on.iter().filter(|(event, _)| event.starts_with(TIMER_PREFIX));
            timers.flat_map(|(_, handlers)| handlers).filter_map(|handler| handler.to.clone()).collect()
        };
        let next = timed(&state.on).into_iter().chain(timed(&workflow.on));
        open.extend(next.filter_map(|to| workflow.states.get_key_value(&to).map(|(name, _)| name.as_str())));
    }
    parts
}

fn course_of_all(workflow: &Workflow) -> WorkflowParts {
    let own = timers_and_handlers(None, &workflow.timers, &workflow.on);
    own.into_iter().chain(workflow.states.keys().flat_map(|state| parts_of_state(workflow, state))).collect()
}

fn parts_of_state(workflow: &Workflow, name: &str) -> WorkflowParts {
    let Some(state) = workflow.states.get(name) else { return WorkflowParts::new() };
    let mut parts = timers_and_handlers(Some(name), &state.timers, &state.on);
    let name = name.to_string();
    parts.insert(WorkflowPart::State { state: name.clone() }, if state.end { "an end" } else { "a state" }.to_string());
    if !state.enter.is_empty() {
        parts.insert(WorkflowPart::Entry { state: name.clone() }, actions(&state.enter));
    }
    if !state.ignore.is_empty() {
        let ignored: Vec<&str> = state.ignore.iter().map(String::as_str).collect();
        parts.insert(WorkflowPart::Ignored { state: name }, ignored.join(", "));
    }
    parts
}

fn timers_and_handlers(state: Option<&str>, timers: &[TimerRule], on: &Handlers) -> WorkflowParts {
    let state = || state.map(str::to_string);
    let timers =
        timers.iter().map(|rule| (WorkflowPart::Timer { state: state(), timer: rule.name.clone() }, says(rule)));
    let handlers = on.iter().map(|(event, handlers)| {
        let told: Vec<String> = handlers.iter().map(handler).collect();
        (WorkflowPart::Handler { state: state(), event: event.clone() }, told.join("; else "))
    });
    timers.chain(handlers).collect()
}

fn act_says(act: &ActRule) -> String {
    let roles: Vec<&str> = act.roles.iter().map(|role| role.as_str()).collect();
    let asks = act.asks.iter().map(|question| {
        let optional = if question.optional { "?" } else { "" };
        format!("{}{optional} ({})", question.name, question.kind)
    });
    let mut told = vec![format!("`{}` by {}", act.label, roles.join(", "))];
    told.extend((!act.asks.is_empty()).then(|| format!("asks {}", asks.collect::<Vec<_>>().join(", "))));
    told.extend(act.tells.map(|event| format!("tells {event}")));
    told.join(", ")
}

fn says(rule: &TimerRule) -> String {
    let when = match rule.when {
        When::After { wait, since: Since::Entry } => format!("{} after entry", duration(wait)),
        When::After { wait, since: Since::Order } => format!("{} after the order", duration(wait)),
        When::BeforeAppointment(wait) => format!("{} before the appointment", duration(wait)),
        When::AfterAppointment(wait) => format!("{} after the appointment", duration(wait)),
        When::VisitOpen { at_most } => format!("when the visit stage says, at most {}", duration(at_most)),
    };
    match rule.late {
        Late::Skip => when,
        Late::Fire => format!("{when}, also late"),
    }
}

fn handler(handler: &Handler) -> String {
    let mut told = Vec::new();
    told.extend(handler.guard.as_ref().map(|guard| format!("if {}", guard.source())));
    if !handler.actions.is_empty() {
        told.push(actions(&handler.actions));
    }
    told.extend(handler.to.as_ref().map(|to| format!("to {to}")));
    told.extend(handler.reenter.then(|| "anew".to_string()));
    told.extend(handler.always.then(|| "always".to_string()));
    if told.is_empty() { "nothing".to_string() } else { told.join(", ") }
}

fn actions(actions: &[Action]) -> String {
    actions.iter().map(action).collect::<Vec<_>>().join(", ")
}

fn action(action: &Action) -> String {
    let kind = action.kind();
    match action {
        Action::Send { letter, channel: Some(channel) } => format!("{kind} {letter} by {channel}"),
        Action::Send { letter, channel: None } => format!("{kind} {letter}"),
        Action::SendAnswered | Action::ReadRecord | Action::CheckVisit | Action::RecallLetters => kind.to_string(),
        Action::AssessNetwork(cause) => format!("{kind} {cause}"),
        Action::WriteChart(outcome) => format!("{kind} {outcome}"),
        Action::Raise(rule) => {
            let urgent = if rule.urgent { "urgent " } else { "" };
            let summary = Digest::of(format!("{:?}", rule.summary).as_bytes()).short();
            let (task, audience, hours) = (&rule.kind, rule.audience, rule.due_in_hours);
            format!("{kind} {urgent}{task} for the {audience} in {hours} h ({summary})")
        }
        Action::Mark(name) => format!("{kind} {name}"),
    }
}

/// As the YAML writes it: `1d12h`.
fn duration(wait: TimeDelta) -> String {
    let (days, hours, minutes) = (wait.num_days(), wait.num_hours() % 24, wait.num_minutes() % 60);
    let told: String = [(days, 'd'), (hours, 'h'), (minutes, 'm')]
        .into_iter()
        .filter(|(count, _)| *count != 0)
        .map(|(count, unit)| format!("{count}{unit}"))
        .collect();
    if told.is_empty() { "0m".to_string() } else { told }
}

impl fmt::Display for WorkflowPart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let of = |f: &mut fmt::Formatter<'_>, state: &Option<String>| match state {
            Some(state) => write!(f, " of state {state}"),
            None => f.write_str(" of the whole workflow"),
        };
        match self {
            WorkflowPart::Start => f.write_str("start"),
            WorkflowPart::State { state } => write!(f, "state {state}"),
            WorkflowPart::Entry { state } => write!(f, "entry of state {state}"),
            WorkflowPart::Timer { state, timer } => write!(f, "timer {timer}").and_then(|()| of(f, state)),
            WorkflowPart::Handler { state, event } => write!(f, "on {event}").and_then(|()| of(f, state)),
            WorkflowPart::Ignored { state } => write!(f, "what state {state} ignores"),
            WorkflowPart::Letter { letter } => write!(f, "letter {letter}"),
            WorkflowPart::Wording { letter, language } => write!(f, "letter {letter} in {language}"),
            WorkflowPart::Contact { rule } => write!(f, "contact rule {rule}"),
            WorkflowPart::Act { act } => write!(f, "action {act}"),
            WorkflowPart::Resolved { task } => write!(f, "what makes task {task} moot"),
            WorkflowPart::Practice => f.write_str("practice"),
        }
    }
}

impl fmt::Display for PartDifference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.before, &self.after) {
            // What words a letter has is for its own file to say.
            (Some(_), Some(_)) if matches!(self.part, WorkflowPart::Wording { .. }) => {
                write!(f, "~ {}: other words", self.part)
            }
            (Some(before), Some(after)) => write!(f, "~ {}: {before} -> {after}", self.part),
            (None, Some(after)) => write!(f, "+ {}: {after}", self.part),
            (Some(before), None) => write!(f, "- {}: {before}", self.part),
            (None, None) => Ok(()),
        }
    }
}
