//! `enter:` and `do:`: what a workflow can have done.

use super::node::{At, Node, NodeKind};
use super::reader::{WorkflowReader, is_name};
use super::timers::read_duration;
use super::{Mention, Mentions};
use crate::event::NetworkCause;
use crate::letter::{Audience, ChartOutcome};
use crate::problem::{Code, did_you_mean};
use crate::referral::Channel;
use crate::template::{Template, TemplatePlace};
use crate::vocabulary::vocabulary;

vocabulary! {
    /// What an action is called.
    pub enum ActionKind {
        Send = "send",
        /// The letter that an act's answer names.
        SendAnswered = "send-answered",
        ReadRecord = "read-record",
        AssessNetwork = "assess-network",
        CheckVisit = "check-visit",
        WriteChart = "write-chart",
        Raise = "raise",
        RecallLetters = "recall-letters",
        Mark = "mark",
    }
}

impl ActionKind {
    /// Whether it has to be told what.
    pub fn takes_argument(self) -> bool {
        match self {
            ActionKind::Send
            | ActionKind::AssessNetwork
            | ActionKind::WriteChart
            | ActionKind::Raise
            | ActionKind::Mark => true,
            ActionKind::SendAnswered | ActionKind::ReadRecord | ActionKind::CheckVisit | ActionKind::RecallLetters => {
                false
            }
        }
    }
}

#[derive(Clone, Debug)]
pub enum Action {
    Send { letter: String, channel: Option<Channel> },
    SendAnswered,
    ReadRecord,
    AssessNetwork(NetworkCause),
    CheckVisit,
    WriteChart(ChartOutcome),
    Raise(RaiseRule),
    RecallLetters,
    Mark(String),
}

impl Action {
    pub fn kind(&self) -> ActionKind {
        match self {
            Action::Send { .. } => ActionKind::Send,
            Action::SendAnswered => ActionKind::SendAnswered,
            Action::ReadRecord => ActionKind::ReadRecord,
            Action::AssessNetwork(_) => ActionKind::AssessNetwork,
            Action::CheckVisit => ActionKind::CheckVisit,
            Action::WriteChart(_) => ActionKind::WriteChart,
            Action::Raise(_) => ActionKind::Raise,
            Action::RecallLetters => ActionKind::RecallLetters,
            Action::Mark(_) => ActionKind::Mark,
        }
    }
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

const SEND_KEYS: &[&str] = &["letter", "channel"];
const RAISE_KEYS: &[&str] = &["audience", "kind", "urgent", "summary", "due_in"];
/// A task without a date of its own is due on the next working day or so.
const TASK_HOURS_DEFAULT: u32 = 48;

pub(super) fn read_all(reader: &mut WorkflowReader, mentions: &mut Mentions, node: &Node) -> Vec<Action> {
    reader.list(node).iter().filter_map(|item| read(reader, mentions, item)).collect()
}

fn read(reader: &mut WorkflowReader, mentions: &mut Mentions, node: &Node) -> Option<Action> {
    match &node.kind {
        NodeKind::Text(word) => bare(reader, word, node),
        NodeKind::Map(entries) => match entries.as_slice() {
            [(key, value)] => with_argument(reader, mentions, &key.name, key.at, value),
            [] | [_, ..] => {
                let message = "each action is an item of its own";
                reader.report(node.at, Code::UNKNOWN_ACTION, message, "put a `-` before each action");
                None
            }
        },
        NodeKind::Nothing | NodeKind::Bool(_) | NodeKind::Number(_) | NodeKind::List(_) => {
            let message = format!("an action cannot be {}", node.kind.noun());
            reader.report(node.at, Code::UNKNOWN_ACTION, message, format!("one of: {}", ActionKind::WORDS.join(", ")));
            None
        }
    }
}

fn bare(reader: &mut WorkflowReader, word: &str, node: &Node) -> Option<Action> {
    match named(reader, word, node.at)? {
        ActionKind::SendAnswered => Some(Action::SendAnswered),
        ActionKind::ReadRecord => Some(Action::ReadRecord),
        ActionKind::CheckVisit => Some(Action::CheckVisit),
        ActionKind::RecallLetters => Some(Action::RecallLetters),
        ActionKind::Send
        | ActionKind::AssessNetwork
        | ActionKind::WriteChart
        | ActionKind::Raise
        | ActionKind::Mark => {
            let message = format!("`{word}` needs to know what");
            reader.report(node.at, Code::MISSING_KEY, message, format!("write `{word}: …`"));
            None
        }
    }
}

fn named(reader: &mut WorkflowReader, word: &str, at: At) -> Option<ActionKind> {
    let kind = word.parse().ok();
    if kind.is_none() {
        let help = did_you_mean(word, ActionKind::WORDS.iter().copied());
        reader.report(at, Code::UNKNOWN_ACTION, format!("there is no action `{word}`"), help);
    }
    kind
}

fn with_argument(
    reader: &mut WorkflowReader,
    mentions: &mut Mentions,
    word: &str,
    at: At,
    node: &Node,
) -> Option<Action> {
    match named(reader, word, at)? {
        ActionKind::Send => read_send(reader, mentions, node),
        ActionKind::AssessNetwork => reader.choice(word, node, NetworkCause::ALL).map(Action::AssessNetwork),
        ActionKind::WriteChart => reader.choice(word, node, ChartOutcome::ALL).map(Action::WriteChart),
        ActionKind::Raise => read_raise(reader, node).map(Action::Raise),
        ActionKind::Mark => {
            let name = reader.text(word, node)?;
            if !is_name(&name) {
                let help = "use lower-case words joined by hyphens: `stalled`";
                reader.report(node.at, Code::BAD_NAME, format!("`{name}` is no name for a mark"), help);
            }
            Some(Action::Mark(name))
        }
        ActionKind::SendAnswered | ActionKind::ReadRecord | ActionKind::CheckVisit | ActionKind::RecallLetters => {
            let message = format!("`{word}` takes nothing");
            reader.report(node.at, Code::WRONG_KIND, message, format!("write `- {word}`"));
            None
        }
    }
}

/// `send: reminder-1`, or `send: { letter: reminder-1, channel: sms }`.
fn read_send(reader: &mut WorkflowReader, mentions: &mut Mentions, node: &Node) -> Option<Action> {
    let (named, channel) = match &node.kind {
        NodeKind::Text(_) => (Some(node), None),
        NodeKind::Nothing | NodeKind::Bool(_) | NodeKind::Number(_) | NodeKind::List(_) | NodeKind::Map(_) => {
            let block = reader.block("send", node, SEND_KEYS);
            let channel = block.get("channel").and_then(|node| reader.choice("channel", node, Channel::ALL));
            (block.required(reader, "letter"), channel)
        }
    };
    let named = named?;
    let letter = reader.text("letter", named)?;
    mentions.letters.push(Mention { name: letter.clone(), at: named.at });
    Some(Action::Send { letter, channel })
}

fn read_raise(reader: &mut WorkflowReader, node: &Node) -> Option<RaiseRule> {
    let block = reader.block("raise", node, RAISE_KEYS);
    let audience = block.required(reader, "audience").and_then(|node| reader.choice("audience", node, Audience::ALL));
    let kind = block.required_text(reader, "kind");
    let urgent = block.get("urgent").and_then(|node| reader.truth("urgent", node)).unwrap_or(false);
    let due_in = block.get("due_in").and_then(|node| read_duration(reader, "due_in", node));
    let due_in_hours = due_in.and_then(|due| u32::try_from(due.num_hours()).ok()).unwrap_or(TASK_HOURS_DEFAULT);
    let summary = block.required(reader, "summary").and_then(|node| {
        let text = reader.text("summary", node)?;
        super::templates::compile(reader, node.at, &text, TemplatePlace::Task)
    });
    Some(RaiseRule { audience: audience?, kind: kind?, urgent, summary: summary?, due_in_hours })
}
