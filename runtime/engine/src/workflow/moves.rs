//! `moves:`: which referrals in flight come along to this workflow, and into which state. All others stay with the workflow
//! under which they began.

use std::collections::{BTreeMap, BTreeSet};

use super::node::{At, Node};
use super::reader::WorkflowReader;
use super::{Mention, Mentions, Workflow};
use crate::ids::Digest;
use crate::problem::Code;
use crate::vocabulary::vocabulary;

/// Rules in the order of the file; the first whose `from:` fits a referral's deployment decides for it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Moves(pub Vec<MoveRule>);

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MoveRule {
    pub from: Whence,
    /// Old state to present state.
    pub states: BTreeMap<String, String>,
    pub others: Others,
    pub at: At,
}

/// The deployments that a rule is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Whence {
    Any,
    /// Every version of a workflow of this name.
    Named(String),
    /// The first digits of a deployment's digest.
    Digest(String),
}

vocabulary! {
    /// What becomes of states that a rule does not name.
    pub enum Others {
        Stay = "stay",
        /// Into the state of their own name. A referral whose state is gone would be stranded.
        Move = "move",
        /// The same where there is such a state; all others stay. No file says this: it is how an earlier workflow takes back
        /// what a later one took over.
        Return = "return",
    }
}

impl Others {
    /// What a file may say.
    pub(super) const WRITTEN: &'static [Others] = &[Others::Stay, Others::Move];
}

/// Where a referral of an older deployment belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MoveOutcome<'m> {
    Stays,
    Moves(&'m str),
}

const KEYS: &[&str] = &["from", "states", "others"];

pub(super) const ANY: &str = "any";

/// Fewer digits of a digest could be a word, or another deployment's.
const DIGITS_MIN: usize = 8;

impl Moves {
    /// Those of one deployment come back, each into the state of its own name.
    pub fn returning(from: Digest) -> Moves {
        let (states, at) = (BTreeMap::new(), At::default());
        Moves(vec![MoveRule { from: Whence::Digest(from.to_string()), states, others: Others::Return, at }])
    }

    /// Whether those that cannot come along stay where they are, instead of being stranded.
    pub fn may_stay_behind(&self) -> bool {
        self.0.iter().all(|rule| rule.others == Others::Return)
    }

    /// Where a referral in this state of an older deployment belongs once `present` is in force.
    pub fn fate<'m>(&'m self, older: (&Digest, &Workflow), state: &'m str, present: &Workflow) -> MoveOutcome<'m> {
        let (digest, workflow) = older;
        // What has ended stays ended, where it ended.
        if workflow.is_end(state) {
            return MoveOutcome::Stays;
        }
        let Some(rule) = self.0.iter().find(|rule| rule.from.is(digest, &workflow.name)) else {
            return MoveOutcome::Stays;
        };
        match (rule.states.get(state), rule.others) {
            (Some(to), _) => MoveOutcome::Moves(to),
            (None, Others::Move) => MoveOutcome::Moves(state),
            (None, Others::Return) if present.states.get(state).is_some_and(|state| !state.end) => {
                MoveOutcome::Moves(state)
            }
            (None, Others::Return | Others::Stay) => MoveOutcome::Stays,
        }
    }
}

impl Whence {
    fn of(text: &str) -> Whence {
        let is_digest = text.len() >= DIGITS_MIN && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        match text {
            ANY => Whence::Any,
            digest if is_digest => Whence::Digest(digest.to_ascii_lowercase()),
            name => Whence::Named(name.to_string()),
        }
    }

    pub fn is(&self, digest: &Digest, name: &str) -> bool {
        match self {
            Whence::Any => true,
            Whence::Named(named) => named == name,
            Whence::Digest(digits) => digest.to_string().starts_with(digits),
        }
    }
}

/// One block, or a list of them.
pub(super) fn read(reader: &mut WorkflowReader, mentions: &mut Mentions, node: &Node) -> Moves {
    let mut rules: Vec<MoveRule> = Vec::new();
    for item in reader.list(node) {
        let block = reader.block("moves", item, KEYS);
        let from = block.text(reader, "from").map_or(Whence::Any, |text| Whence::of(&text));
        let mut states = BTreeMap::new();
        if let Some(node) = block.get("states") {
            for (old, present) in reader.entries("states", node) {
                if let Some(name) = reader.text(&old.name, present) {
                    mentions.states.push(Mention { name: name.clone(), at: present.at });
                    mentions.moves.push(Mention { name: name.clone(), at: present.at });
                    states.insert(old.name.clone(), name);
                }
            }
        }
        let others =
            block.get("others").and_then(|node| reader.choice("others", node, Others::WRITTEN)).unwrap_or(Others::Stay);
        if states.is_empty() && others == Others::Stay {
            let help = "name states: `states: { old: present }`, or let all come along: `others: move`";
            reader.report(item.at, Code::BAD_MOVE, "this moves nobody", help);
        }
        if rules.iter().any(|rule| rule.from == from || rule.from == Whence::Any) {
            let message = "these moves are never looked at: a rule before them takes the same referrals";
            reader.report(item.at, Code::NEVER_TAKEN, message, "join the two, or put the narrower `from:` first");
        }
        rules.push(MoveRule { from, states, others, at: item.at });
    }
    Moves(rules)
}

/// Nobody is moved into an end: its letters would never be written.
pub(super) fn check(reader: &mut WorkflowReader, workflow: &Workflow, mentions: &Mentions) {
    let ends: BTreeSet<&str> =
        workflow.states.values().filter(|state| state.end).map(|state| state.name.as_str()).collect();
    for mention in mentions.moves.iter().filter(|mention| ends.contains(mention.name.as_str())) {
        let message = format!("this would end referrals in `{}` without anything being done about it", mention.name);
        let help = "move them to a state before it, or leave them with their workflow";
        reader.report(mention.at, Code::BAD_MOVE, message, help);
    }
}
