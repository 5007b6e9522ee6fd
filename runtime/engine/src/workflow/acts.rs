//! `actions:`: what people may do to a referral, who may, what they are asked, and what that tells. And `resolves:`: what makes a
//! task moot.

use std::collections::{BTreeMap, BTreeSet};

use super::node::{At, Node, NodeKind};
use super::reader::{WorkflowReader, is_name};
use super::states::{Action, Handlers};
use super::{OptOutScope, Workflow};
use crate::answer::{ActorRole, AnswerKind, ToldEvent};
use crate::event::{PERSON_PREFIX, event_names, person_event};
use crate::problem::{Code, did_you_mean, nearest};

/// One thing that a person may do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ActRule {
    pub name: String,
    /// As it stands on a button.
    pub label: String,
    pub roles: Vec<ActorRole>,
    /// In the order of the file.
    pub asks: Vec<Question>,
    /// What is said once it is done.
    pub confirm: String,
    pub tells: Option<ToldEvent>,
    pub at: At,
}

/// One thing that whoever acts is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    pub name: String,
    pub kind: AnswerKind,
    pub label: String,
    pub optional: bool,
}

impl Question {
    /// The names under which it can be answered: its own, and one for each part.
    pub fn keys(&self) -> Vec<String> {
        let parts = self.kind.parts().iter().map(|part| format!("{}.{part}", self.name));
        std::iter::once(self.name.clone()).chain(parts).collect()
    }
}

/// By kind of task, the events that make it moot.
pub type Resolves = BTreeMap<String, BTreeSet<String>>;

/// The same with where each stands in the file.
pub(super) type WrittenResolves = BTreeMap<String, (At, Vec<(String, At)>)>;

/// Stands among those events for the end of the referral, whichever it is.
pub const THE_END: &str = "end";

pub(super) const ACT_KEYS: &[&str] = &["label", "roles", "asks", "confirm", "tells"];
pub(super) const QUESTION_KEYS: &[&str] = &["kind", "label", "optional"];

pub(super) fn read(reader: &mut WorkflowReader, node: &Node) -> Vec<ActRule> {
    let mut acts = Vec::new();
    for (key, node) in reader.entries("actions", node) {
        let name = reader.name("action", key);
        let block = reader.block(&format!("action {name}"), node, ACT_KEYS);
        let label = block.required_text(reader, "label").unwrap_or_else(|| name.clone());
        let roles = block.required(reader, "roles").map(|node| read_roles(reader, node)).unwrap_or_default();
        let asks = block.get("asks").map(|node| read_questions(reader, node)).unwrap_or_default();
        let confirm = block.text(reader, "confirm").unwrap_or_else(|| format!("{label}: done."));
        let tells = block.get("tells").and_then(|node| reader.choice("tells", node, ToldEvent::ALL));
        acts.push(ActRule { name, label, roles, asks, confirm, tells, at: key.at });
    }
    acts
}

/// Without `actions:`, whatever a handler waits for can be done by a coordinator, and asks nothing: as long as there have been
/// such handlers there have been workflows without.
pub(super) fn undeclared(on: &[&Handlers]) -> Vec<ActRule> {
    let names: BTreeMap<&str, At> = on.iter().flat_map(|on| people_events(on)).collect();
    let act = |(name, at): (&str, At)| ActRule {
        name: name.to_string(),
        label: name.replace('-', " "),
        roles: vec![ActorRole::Coordinator],
        asks: Vec::new(),
        confirm: format!("{name}: done."),
        tells: None,
        at,
    };
    names.into_iter().map(act).collect()
}

fn read_roles(reader: &mut WorkflowReader, node: &Node) -> Vec<ActorRole> {
    let items = reader.list(node);
    if items.is_empty() {
        let help = format!("name at least one of: {}", ActorRole::WORDS.join(", "));
        reader.report(node.at, Code::BAD_VALUE, "nobody may do this", help);
    }
    items.iter().filter_map(|item| reader.choice("roles", item, ActorRole::ALL)).collect()
}

/// `appointment: appointment`, or a block with `kind`, `label` and `optional`.
fn read_questions(reader: &mut WorkflowReader, node: &Node) -> Vec<Question> {
    let mut questions = Vec::new();
    for (key, node) in reader.entries("asks", node) {
        let name = reader.name("question", key);
        let spoken = name.replace('-', " ");
        if let NodeKind::Text(_) = &node.kind {
            let kind = reader.choice(&name, node, AnswerKind::ALL);
            questions.extend(kind.map(|kind| Question { name, kind, label: spoken, optional: false }));
            continue;
        }
        let block = reader.block(&format!("question {name}"), node, QUESTION_KEYS);
        let kind = block.required(reader, "kind").and_then(|node| reader.choice("kind", node, AnswerKind::ALL));
        let label = block.text(reader, "label").unwrap_or(spoken);
        let optional = block.get("optional").and_then(|node| reader.truth("optional", node)).unwrap_or(false);
        questions.extend(kind.map(|kind| Question { name, kind, label, optional }));
    }
    questions
}

pub(super) fn read_resolves(reader: &mut WorkflowReader, node: &Node) -> WrittenResolves {
    let mut resolves = BTreeMap::new();
    for (key, node) in reader.entries("resolves", node) {
        let events = reader.list(node).iter().filter_map(|item| Some((reader.text("resolves", item)?, item.at)));
        let events: Vec<(String, At)> = events.collect();
        for (event, at) in &events {
            let own = event
                .split_once('.')
                .is_some_and(|(family, name)| ["timer", "person"].contains(&family) && is_name(name));
            if !own && event != THE_END && !event_names().any(|known| known == event) {
                let help = did_you_mean(event, event_names());
                reader.report(*at, Code::UNKNOWN_EVENT, format!("there is no event `{event}`"), help);
            }
        }
        resolves.insert(key.name.clone(), (key.at, events));
    }
    resolves
}

/// Acts and handlers fit each other.
pub(super) fn check(reader: &mut WorkflowReader, workflow: &Workflow) {
    let handlers = || workflow.states.values().map(|state| &state.on).chain([&workflow.on]);
    for (name, at) in handlers().flat_map(people_events) {
        if workflow.act(name).is_none() {
            let known = || workflow.acts.iter().map(|act| act.name.as_str());
            let help = match nearest(name, known()) {
                Some(near) => format!("write `{}`", person_event(near)),
                None => format!("add under `actions:` a block `{name}: {{ label: …, roles: [coordinator] }}`"),
            };
            reader.report(at, Code::UNKNOWN_ACT, format!("nobody can do `{name}`: it is no action"), help);
        }
    }
    for act in &workflow.acts {
        if !workflow.states.values().any(|state| workflow.takes(state, act)) {
            let message = format!("no state takes the action `{}`", act.name);
            let help = format!("add under the `on:` of a state a line `{}: …`, or take the action away", {
                person_event(&act.name)
            });
            reader.report(act.at, Code::UNUSED_ACT, message, help);
        }
        check_questions(reader, workflow, act);
    }
}

/// What an act tells has to be asked, and what `send-answered` sends.
fn check_questions(reader: &mut WorkflowReader, workflow: &Workflow, act: &super::ActRule) {
    let by_channel = workflow.contact.opt_out == OptOutScope::Channel;
    let told = match act.tells {
        Some(ToldEvent::ReplyOptOut) if by_channel => Some(AnswerKind::Channel),
        Some(told) => told.needs(),
        None => None,
    };
    let event = person_event(&act.name);
    let handlers = workflow.states.values().map(|state| &state.on).chain([&workflow.on]);
    let mut done = handlers.filter_map(|on| on.get(&event)).flatten().flat_map(|handler| handler.actions.iter());
    let sent = done.any(|action| matches!(action, Action::SendAnswered)).then_some(AnswerKind::Letter);
    for kind in told.into_iter().chain(sent) {
        if !act.asks.iter().any(|question| question.kind == kind && !question.optional) {
            let message = format!("the action `{}` does not ask what it tells: {kind}", act.name);
            let help = format!("add under its `asks:` a line `{kind}: {kind}`");
            reader.report(act.at, Code::MISSING_KEY, message, help);
        }
    }
}

/// A kind of task that is resolved is one that is raised.
pub(super) fn check_resolves(reader: &mut WorkflowReader, workflow: &Workflow, resolves: &WrittenResolves) {
    let handled = workflow.states.values().map(|state| &state.on).chain([&workflow.on]);
    let handled = handled.flat_map(|on| on.values().flatten()).flat_map(|handler| handler.actions.iter());
    let entered = workflow.states.values().flat_map(|state| &state.enter);
    let kinds: BTreeSet<&str> = handled
        .chain(entered)
        .filter_map(|action| if let Action::Raise(rule) = action { Some(rule.kind.as_str()) } else { None })
        .collect();
    for (kind, (at, events)) in resolves {
        if !kinds.contains(kind.as_str()) {
            let help = did_you_mean(kind, kinds.iter().copied());
            reader.report(*at, Code::UNKNOWN_TASK, format!("no task of the kind `{kind}` is raised"), help);
        }
        for (event, at) in events {
            let Some(name) = event.strip_prefix(PERSON_PREFIX) else { continue };
            if workflow.act(name).is_none() {
                let help = did_you_mean(name, workflow.acts.iter().map(|act| act.name.as_str()));
                reader.report(*at, Code::UNKNOWN_ACT, format!("nobody can do `{name}`: it is no action"), help);
            }
        }
    }
}

fn people_events(on: &Handlers) -> impl Iterator<Item = (&str, At)> {
    on.iter().filter_map(|(event, handlers)| {
        Some((event.strip_prefix(PERSON_PREFIX)?, handlers.first().map(|handler| handler.at).unwrap_or_default()))
    })
}
