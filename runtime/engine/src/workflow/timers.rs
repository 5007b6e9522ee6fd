//! `timers:`: moments at which the workflow wants to be woken, relative to the order, the entry or the appointment.

use chrono::TimeDelta;

use super::node::{At, Node};
use super::reader::WorkflowReader;
use crate::calendar::parse_duration;
use crate::event::PlainEvent;
use crate::problem::Code;
use crate::vocabulary::vocabulary;

#[derive(Clone, Debug)]
pub struct TimerRule {
    pub name: String,
    pub when: When,
    pub late: Late,
    pub at: At,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    After {
        wait: TimeDelta,
        since: Since,
    },
    BeforeAppointment(TimeDelta),
    AfterAppointment(TimeDelta),
    /// When the visit stage said `open, ask again in so many hours`; at most so long.
    VisitOpen {
        at_most: TimeDelta,
    },
}

vocabulary! {
    /// From when a timer counts.
    pub enum Since {
        Entry = "entry",
        Order = "order",
    }
}

vocabulary! {
    /// What becomes of a timer whose moment has passed before it could be set.
    pub enum Late {
        /// It is not set: a 24 h reminder for a visit tomorrow morning says nothing new.
        Skip = "skip",
        /// It fires at once.
        Fire = "fire",
    }
}

/// The event that a timer may wait for in place of a duration.
pub(super) const VISIT_OPEN: PlainEvent = PlainEvent::VisitOpen;

const KEYS: &[&str] = &["after", "before", "since", "at_most", "late"];
/// A visit that stays open is looked at again daily unless the workflow says otherwise.
const VISIT_OPEN_HOURS_DEFAULT: i64 = 24;

pub(super) fn read(reader: &mut WorkflowReader, node: &Node, since: Since) -> Vec<TimerRule> {
    let mut timers = Vec::new();
    for (key, node) in reader.entries("timers", node) {
        let name = reader.name("timer", key);
        // A timer with a fault counts for the checks of the whole, so that one fault makes one message.
        let faulty = (When::After { wait: TimeDelta::zero(), since: Since::Entry }, Late::Skip);
        let (when, late) = read_timer(reader, &name, node, since).unwrap_or(faulty);
        timers.push(TimerRule { name, when, late, at: key.at });
    }
    timers
}

fn read_timer(reader: &mut WorkflowReader, name: &str, node: &Node, since: Since) -> Option<(When, Late)> {
    let block = reader.block(&format!("timer {name}"), node, KEYS);
    let since = block.get("since").and_then(|node| reader.choice("since", node, Since::ALL)).unwrap_or(since);
    let late = block.get("late").and_then(|node| reader.choice("late", node, Late::ALL)).unwrap_or(Late::Skip);
    let at_most = block.get("at_most").and_then(|node| read_duration(reader, "at_most", node));
    let when = match (block.get("after"), block.get("before")) {
        (Some(node), None) if says(node, VISIT_OPEN.as_str()) => {
            When::VisitOpen { at_most: at_most.unwrap_or(TimeDelta::hours(VISIT_OPEN_HOURS_DEFAULT)) }
        }
        (Some(node), None) => match read_anchored(reader, "after", node)? {
            Anchored::Plain(wait) => When::After { wait, since },
            Anchored::Appointment(wait) => When::AfterAppointment(wait),
        },
        (None, Some(node)) => match read_anchored(reader, "before", node)? {
            Anchored::Appointment(wait) => When::BeforeAppointment(wait),
            Anchored::Plain(_) => {
                reader.report(node.at, Code::BAD_DURATION, "before what?", "write `before: appointment 24h`");
                return None;
            }
        },
        (Some(_), Some(_)) | (None, None) => {
            let message = format!("timer `{name}` needs one of `after` and `before`");
            reader.report(block.at, Code::MISSING_KEY, message, "write `after: 3d` or `before: appointment 24h`");
            return None;
        }
    };
    Some((when, late))
}

fn says(node: &Node, words: &str) -> bool {
    matches!(&node.kind, super::node::NodeKind::Text(text) if text == words)
}

pub(super) enum Anchored {
    Plain(TimeDelta),
    Appointment(TimeDelta),
}

/// `3d` or `appointment 24h`.
pub(super) fn read_anchored(reader: &mut WorkflowReader, what: &str, node: &Node) -> Option<Anchored> {
    let text = reader.text(what, node)?;
    match text.strip_prefix("appointment") {
        Some(rest) => duration_at(reader, rest, node.at).map(Anchored::Appointment),
        None => duration_at(reader, &text, node.at).map(Anchored::Plain),
    }
}

pub(super) fn read_duration(reader: &mut WorkflowReader, what: &str, node: &Node) -> Option<TimeDelta> {
    let text = reader.text(what, node)?;
    duration_at(reader, &text, node.at)
}

fn duration_at(reader: &mut WorkflowReader, text: &str, at: At) -> Option<TimeDelta> {
    let parsed = parse_duration(text);
    if let Err(error) = &parsed {
        let message = format!("`{}` is no duration", text.trim());
        reader.report(at, Code::BAD_DURATION, message, error.to_string());
    }
    parsed.ok()
}
