//! `enter:` and `do:`: what a workflow can have done.

use super::node::{Kind, Node};
use super::problem::{Code, did_you_mean};
use super::reader::{Reader, is_name};
use super::timers::read_duration;
use super::{Mention, Mentions, stages};
use crate::letter::{Audience, ChartOutcome};
use crate::referral::Channel;
use crate::render::{Place, Template};
use crate::step::NetworkCause;

#[derive(Clone, Debug)]
pub enum Action {
    Send { letter: String, channel: Option<Channel> },
    ReadRecord,
    AssessNetwork(NetworkCause),
    CheckVisit,
    WriteChart(ChartOutcome),
    Raise(RaiseRule),
    RecallLetters,
    Mark(String),
}

/// A task for a person, its summary not yet filled in.
#[derive(Clone, Debug)]
pub struct RaiseRule {
    pub audience: Audience,
    pub kind: String,
    pub urgent: bool,
    pub summary: Template,
    pub due_in_hours: u32,
}

const ACTIONS: &[&str] =
    &["send", "read-record", "assess-network", "check-visit", "write-chart", "raise", "recall-letters", "mark"];
const SEND_KEYS: &[&str] = &["letter", "channel"];
const RAISE_KEYS: &[&str] = &["audience", "kind", "urgent", "summary", "due_in"];
/// A task without a date of its own is due on the next working day or so.
const TASK_HOURS_DEFAULT: u32 = 48;

pub(super) const CAUSES: &[(&str, NetworkCause)] = &[
    ("ordered", NetworkCause::Ordered),
    ("over-booked", NetworkCause::OverBooked),
    ("declined", NetworkCause::Declined),
];

pub(super) const OUTCOMES: &[(&str, ChartOutcome)] = &[
    ("closed-with-note", ChartOutcome::ClosedWithNote),
    ("closed-without-note", ChartOutcome::ClosedWithoutNote),
    ("declined", ChartOutcome::Declined),
    ("cancelled", ChartOutcome::Cancelled),
    ("unreachable", ChartOutcome::Unreachable),
    ("no-show", ChartOutcome::NoShow),
];

pub(super) const AUDIENCES: &[(&str, Audience)] =
    &[("physician", Audience::Physician), ("coordinator", Audience::Coordinator), ("specialist", Audience::Specialist)];

pub(super) fn read_all(reader: &mut Reader, mentions: &mut Mentions, node: &Node) -> Vec<Action> {
    reader.list(node).iter().filter_map(|item| read(reader, mentions, item)).collect()
}

fn read(reader: &mut Reader, mentions: &mut Mentions, node: &Node) -> Option<Action> {
    match &node.kind {
        Kind::Text(word) => bare(reader, word, node),
        Kind::Map(entries) => match entries.as_slice() {
            [(key, value)] => with_argument(reader, mentions, &key.name, key.at, value),
            [] | [_, ..] => {
                let message = "each action is an item of its own";
                reader.report(node.at, Code::UNKNOWN_ACTION, message, "put a `-` before each action");
                None
            }
        },
        Kind::Nothing | Kind::Bool(_) | Kind::Number(_) | Kind::List(_) => {
            let message = format!("an action cannot be {}", node.kind.noun());
            reader.report(node.at, Code::UNKNOWN_ACTION, message, format!("one of: {}", ACTIONS.join(", ")));
            None
        }
    }
}

fn bare(reader: &mut Reader, word: &str, node: &Node) -> Option<Action> {
    match word {
        "read-record" => Some(Action::ReadRecord),
        "check-visit" => Some(Action::CheckVisit),
        "recall-letters" => Some(Action::RecallLetters),
        "send" | "assess-network" | "write-chart" | "raise" | "mark" => {
            let message = format!("`{word}` needs to know what");
            reader.report(node.at, Code::MISSING_KEY, message, format!("write `{word}: …`"));
            None
        }
        _ => unknown(reader, word, node.at),
    }
}

fn unknown(reader: &mut Reader, word: &str, at: super::node::At) -> Option<Action> {
    let help = did_you_mean(word, ACTIONS.iter().copied());
    reader.report(at, Code::UNKNOWN_ACTION, format!("there is no action `{word}`"), help);
    None
}

fn with_argument(
    reader: &mut Reader,
    mentions: &mut Mentions,
    word: &str,
    at: super::node::At,
    node: &Node,
) -> Option<Action> {
    match word {
        "send" => read_send(reader, mentions, node),
        "assess-network" => reader.choice(word, node, CAUSES).map(Action::AssessNetwork),
        "write-chart" => reader.choice(word, node, OUTCOMES).map(Action::WriteChart),
        "raise" => read_raise(reader, node).map(Action::Raise),
        "mark" => {
            let name = reader.text(word, node)?;
            if !is_name(&name) {
                let help = "use lower-case words joined by hyphens: `stalled`";
                reader.report(node.at, Code::BAD_NAME, format!("`{name}` is no name for a mark"), help);
            }
            Some(Action::Mark(name))
        }
        "read-record" | "check-visit" | "recall-letters" => {
            let message = format!("`{word}` takes nothing");
            reader.report(node.at, Code::WRONG_KIND, message, format!("write `- {word}`"));
            None
        }
        _ => unknown(reader, word, at),
    }
}

/// `send: reminder-1`, or `send: { letter: reminder-1, channel: sms }`.
fn read_send(reader: &mut Reader, mentions: &mut Mentions, node: &Node) -> Option<Action> {
    let (named, channel) = match &node.kind {
        Kind::Text(_) => (Some(node), None),
        Kind::Nothing | Kind::Bool(_) | Kind::Number(_) | Kind::List(_) | Kind::Map(_) => {
            let block = reader.block("send", node, SEND_KEYS);
            let channel = block.get("channel").and_then(|node| stages::read_channel(reader, node));
            (block.required(reader, "letter"), channel)
        }
    };
    let named = named?;
    let letter = reader.text("letter", named)?;
    mentions.letters.push(Mention { name: letter.clone(), at: named.at });
    Some(Action::Send { letter, channel })
}

fn read_raise(reader: &mut Reader, node: &Node) -> Option<RaiseRule> {
    let block = reader.block("raise", node, RAISE_KEYS);
    let audience = block.required(reader, "audience").and_then(|node| reader.choice("audience", node, AUDIENCES));
    let kind = block.required_text(reader, "kind");
    let urgent = block.get("urgent").and_then(|node| reader.truth("urgent", node)).unwrap_or(false);
    let due_in = block.get("due_in").and_then(|node| read_duration(reader, "due_in", node));
    let due_in_hours = due_in.and_then(|due| u32::try_from(due.num_hours()).ok()).unwrap_or(TASK_HOURS_DEFAULT);
    let summary = block.required(reader, "summary").and_then(|node| {
        let text = reader.text("summary", node)?;
        super::templates::compile(reader, node.at, &text, Place::Task)
    });
    Some(RaiseRule { audience: audience?, kind: kind?, urgent, summary: summary?, due_in_hours })
}
