//! `states:` and `on:`: the statechart itself.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::node::{At, Node, NodeKind};
use super::reader::{WorkflowReader, is_name};
use super::timers::{self, Since, TimerRule};
use super::{Mention, Mentions};
use crate::event::{PERSON_PREFIX, TIMER_PREFIX, event_names};
use crate::guard::Guard;
use crate::problem::{Code, did_you_mean};

pub use super::action::{Action, ActionKind, RaiseRule};

#[derive(Debug)]
pub struct State {
    pub name: String,
    /// Referrals that come here are finished.
    pub end: bool,
    pub enter: Vec<Action>,
    pub timers: Vec<TimerRule>,
    pub on: Handlers,
    /// Events that change nothing here, the workflow's own handlers included.
    pub ignore: BTreeSet<String>,
    pub at: At,
}

/// Handlers by event name; the first whose guard holds is taken.
pub type Handlers = BTreeMap<String, Vec<Handler>>;

#[derive(Clone, Debug)]
pub struct Handler {
    pub guard: Option<Arc<Guard>>,
    pub to: Option<String>,
    pub actions: Arc<[Action]>,
    /// Entering one's own state anew: its `enter:` and timers start over.
    pub reenter: bool,
    /// For the workflow's own handlers: taken after the end, too.
    pub always: bool,
    /// Of the event's name.
    pub at: At,
}

const KEYS: &[&str] = &["enter", "timers", "on", "ignore", "end"];
const HANDLER_KEYS: &[&str] = &["to", "if", "do", "reenter", "always"];

pub(super) fn read(reader: &mut WorkflowReader, mentions: &mut Mentions, node: &Node) -> BTreeMap<String, State> {
    let mut states = BTreeMap::new();
    for (key, node) in reader.entries("states", node) {
        let name = reader.name("state", key);
        let block = reader.block(&format!("state {name}"), node, KEYS);
        let state = State {
            end: block.get("end").and_then(|node| reader.truth("end", node)).unwrap_or(false),
            enter: block.get("enter").map(|node| super::action::read_all(reader, mentions, node)).unwrap_or_default(),
            timers: block.get("timers").map(|node| timers::read(reader, node, Since::Entry)).unwrap_or_default(),
            on: block.get("on").map(|node| read_handlers(reader, mentions, node)).unwrap_or_default(),
            ignore: block.get("ignore").map(|node| read_ignored(reader, node)).unwrap_or_default(),
            at: key.at,
            name: name.clone(),
        };
        states.insert(name, state);
    }
    states
}

fn read_ignored(reader: &mut WorkflowReader, node: &Node) -> BTreeSet<String> {
    let mut ignored = BTreeSet::new();
    for item in reader.list(node) {
        if let Some(name) = reader.text("ignore", item) {
            check_event(reader, &name, item.at);
            ignored.insert(name);
        }
    }
    ignored
}

/// Several events may share a handler: `reply.help, reply.question:`.
pub(super) fn read_handlers(reader: &mut WorkflowReader, mentions: &mut Mentions, node: &Node) -> Handlers {
    let mut handlers = Handlers::new();
    for (key, node) in reader.entries("on", node) {
        let read = read_alternatives(reader, mentions, key.at, node);
        for name in key.name.split(',').map(str::trim) {
            check_event(reader, name, key.at);
            if handlers.insert(name.to_string(), read.clone()).is_some() {
                let message = format!("`{name}` is handled twice in one place");
                reader.report(key.at, Code::DUPLICATE_KEY, message, "join the two into one list");
            }
        }
    }
    handlers
}

fn check_event(reader: &mut WorkflowReader, name: &str, at: At) {
    let of_its_own = [TIMER_PREFIX, PERSON_PREFIX].iter().filter_map(|prefix| name.strip_prefix(prefix)).any(is_name);
    if !of_its_own && !event_names().any(|known| known == name) {
        let help = did_you_mean(name, event_names());
        reader.report(at, Code::UNKNOWN_EVENT, format!("there is no event `{name}`"), help);
    }
}

fn read_alternatives(reader: &mut WorkflowReader, mentions: &mut Mentions, at: At, node: &Node) -> Vec<Handler> {
    let mut alternatives: Vec<Handler> = Vec::new();
    let mut always_taken = false;
    for item in reader.list(node) {
        if always_taken {
            let message = "this handler is never reached: one before it has no `if:`";
            reader.report(item.at, Code::NEVER_TAKEN, message, "give the one before an `if:`, or move it to the end");
        }
        always_taken |= !is_conditional(item);
        alternatives.extend(read_handler(reader, mentions, at, item));
    }
    alternatives
}

/// By what is written, so that a guard with a fault is not taken for none.
fn is_conditional(node: &Node) -> bool {
    match &node.kind {
        NodeKind::Map(entries) => entries.iter().any(|(key, _)| key.name == "if"),
        NodeKind::Nothing | NodeKind::Bool(_) | NodeKind::Number(_) | NodeKind::Text(_) | NodeKind::List(_) => false,
    }
}

/// `to-state` alone, or a block.
fn read_handler(reader: &mut WorkflowReader, mentions: &mut Mentions, at: At, node: &Node) -> Option<Handler> {
    let mut mention = |name: String, at: At| {
        mentions.states.push(Mention { name: name.clone(), at });
        name
    };
    if let NodeKind::Text(name) = &node.kind {
        let to = Some(mention(name.clone(), node.at));
        return Some(Handler { guard: None, to, actions: Arc::from([]), reenter: false, always: false, at });
    }
    let block = reader.block("handler", node, HANDLER_KEYS);
    let to = block.get("to").and_then(|node| Some(mention(reader.text("to", node)?, node.at)));
    let guard = block.get("if").and_then(|node| read_guard(reader, node));
    // A guard that does not compile has been reported; its handler still counts for the checks of the whole.
    let actions = block.get("do").map(|node| super::action::read_all(reader, mentions, node)).unwrap_or_default();
    let reenter = block.get("reenter").and_then(|node| reader.truth("reenter", node)).unwrap_or(false);
    let always = block.get("always").and_then(|node| reader.truth("always", node)).unwrap_or(false);
    Some(Handler { guard, to, actions: actions.into(), reenter, always, at })
}

fn read_guard(reader: &mut WorkflowReader, node: &Node) -> Option<Arc<Guard>> {
    let source = reader.text("if", node)?;
    match Guard::compile(&source) {
        Ok(guard) => Some(Arc::new(guard)),
        Err(faults) => {
            for fault in faults {
                reader.report(node.at, fault.code, fault.message, fault.help);
            }
            None
        }
    }
}
