//! What the practice wants: the workflow YAML as typed, checked, precompiled data.
//!
//! Reading is one pass over a located tree that gathers every problem; nothing is left to find out at run time but facts.

use std::collections::BTreeMap;

use sha2::{Digest as _, Sha256};

use crate::ids::Digest;
use crate::template::Language;

mod action;
mod acts;
mod answers;
mod check;
pub mod contact;
pub mod letters;
pub mod moves;
pub mod node;
mod offers;
pub mod parts;
mod reader;
mod schema;
pub mod stages;
pub mod states;
mod templates;
pub mod timers;
mod unheard;

pub use acts::{ActRule, Question, Resolves, THE_END};
pub use contact::{Contact, OptOutScope, Practice};
pub use letters::{Expiry, LetterRule};
pub use moves::Moves;
pub use schema::schema;
pub use stages::{Carrier, Stage, StageKind, Stages, WrittenSettings};
pub use states::{Action, ActionKind, Handler, Handlers, State};
pub use timers::{Late, Since, TimerRule, When};

pub use crate::problem::{self, Code, Problem};

use node::{At, Node};
use reader::WorkflowReader;

/// The only format version so far. A change that an older runtime would misread gets a new number.
pub const FORMAT: &str = "handoff/workflow@1";

/// Companion files by path relative to the workflow, `templates/en.yaml`, as the caller has read them.
pub type Files = BTreeMap<String, String>;

#[derive(Debug)]
pub struct Workflow {
    pub name: String,
    pub stages: Stages,
    pub practice: Practice,
    pub contact: Contact,
    pub letters: BTreeMap<String, LetterRule>,
    /// By BCP 47 tag.
    pub languages: BTreeMap<String, Language>,
    /// The language used when the patient's own is not among them.
    pub default_language: String,
    /// The state in which a referral is born.
    pub start: String,
    pub states: BTreeMap<String, State>,
    /// Armed at birth, alive in every state.
    pub timers: Vec<TimerRule>,
    /// Asked when the state itself does not handle an event.
    pub on: Handlers,
    /// What people may do, in the order of the file.
    pub acts: Vec<ActRule>,
    pub resolves: Resolves,
    /// Which referrals of older workflows come along.
    pub moves: Moves,
    /// Of the text and its template files.
    pub digest: Digest,
}

const KEYS: &[&str] = &[
    "format",
    "name",
    "stages",
    "practice",
    "contact",
    "templates",
    "language",
    "letters",
    "start",
    "states",
    "timers",
    "on",
    "actions",
    "resolves",
    "moves",
];

/// A name met on the way, to be checked once everything is read.
pub(crate) struct Mention {
    name: String,
    at: At,
}

/// Names met while reading.
#[derive(Default)]
pub(crate) struct Mentions {
    states: Vec<Mention>,
    letters: Vec<Mention>,
    /// States that referrals are moved to.
    moves: Vec<Mention>,
    /// Kinds of task, and the events that make each moot.
    resolves: acts::WrittenResolves,
}

impl Workflow {
    /// Reads a workflow that stands alone, its templates inline.
    pub fn parse(file_name: &str, text: &str) -> Result<Workflow, Vec<Problem>> {
        Workflow::parse_with(file_name, text, &Files::new())
    }

    /// Reads a workflow whose `templates:` names a folder. Template files not below that folder are left alone.
    ///
    /// # Errors
    /// Every problem found, sorted by file and line.
    pub fn parse_with(file_name: &str, text: &str, files: &Files) -> Result<Workflow, Vec<Problem>> {
        let tree = Node::parse(file_name, text).map_err(|problem| vec![problem])?;
        let mut reader = WorkflowReader::new(file_name);
        let mut mentions = Mentions::default();
        let read = read(&mut reader, &mut mentions, &tree, files, digest(text, files));
        if let Some(workflow) = &read {
            check::check(&mut reader, workflow, &mentions);
        }
        let mut problems = reader.problems;
        problems.sort();
        problems.dedup();
        match read {
            Some(workflow) if problems.is_empty() => Ok(workflow),
            Some(_) | None => Err(problems),
        }
    }

    /// What is no fault, and hardly meant. `file_name` is what [`Workflow::parse`] was given.
    pub fn warnings(&self, file_name: &str) -> Vec<Problem> {
        unheard::warnings(self, file_name)
    }

    /// Whether referrals in this state are finished. A state that the workflow does not know is no end.
    pub fn is_end(&self, state: &str) -> bool {
        self.states.get(state).is_some_and(|state| state.end)
    }

    /// The tags of the languages that have templates.
    pub fn language_tags(&self) -> Vec<String> {
        self.languages.keys().cloned().collect()
    }

    /// The languages, besides the practice's own, whose files do not say who answers for their words.
    pub fn unreviewed_languages(&self) -> impl Iterator<Item = &str> {
        let translated = self.languages.values().filter(|language| language.tag != self.default_language);
        translated.filter(|language| language.translation.is_none()).map(|language| language.tag.as_str())
    }
}

fn read(
    reader: &mut WorkflowReader,
    mentions: &mut Mentions,
    tree: &Node,
    files: &Files,
    digest: Digest,
) -> Option<Workflow> {
    let block = reader.block("the workflow", tree, KEYS);
    if let Some(format) = block.required(reader, "format")
        && reader.text("format", format).as_deref() != Some(FORMAT)
    {
        let message = "this is not a workflow format that this Handoff knows";
        reader.report(format.at, Code::WRONG_FORMAT, message, format!("write `format: {FORMAT}`"));
    }
    let name = block.required_text(reader, "name");
    let stages = block.required(reader, "stages").map(|node| stages::read(reader, node, files));
    let practice = block.required(reader, "practice").and_then(|node| contact::read_practice(reader, node));
    let contact = block.required(reader, "contact").map(|node| contact::read(reader, node));
    let letters = block.get("letters").map(|node| letters::read(reader, node)).unwrap_or_default();
    let languages = templates::read(reader, block.get("templates"), &letters, files);
    let default_language = block.text(reader, "language").unwrap_or_else(|| "en".to_string());
    if !languages.is_empty() && !languages.contains_key(&default_language) {
        let at = block.get("language").map_or(block.at, |node| node.at);
        let help = problem::did_you_mean(&default_language, languages.keys().map(String::as_str));
        reader.report(at, Code::MISSING_TEMPLATE, format!("there are no templates in `{default_language}`"), help);
    }
    let timers = block.get("timers").map(|node| timers::read(reader, node, Since::Order)).unwrap_or_default();
    let on = block.get("on").map(|node| states::read_handlers(reader, mentions, node)).unwrap_or_default();
    let states = block.required(reader, "states").map(|node| states::read(reader, mentions, node)).unwrap_or_default();
    let start = block.required(reader, "start").and_then(|node| {
        let start = reader.text("start", node)?;
        mentions.states.push(Mention { name: start.clone(), at: node.at });
        Some(start)
    });
    let moves = block.get("moves").map(|node| moves::read(reader, mentions, node)).unwrap_or_default();
    let acts = match block.get("actions") {
        Some(node) => acts::read(reader, node),
        None => acts::undeclared(&states.values().map(|state| &state.on).chain([&on]).collect::<Vec<_>>()),
    };
    mentions.resolves = block.get("resolves").map(|node| acts::read_resolves(reader, node)).unwrap_or_default();
    let events = |events: &[(String, At)]| events.iter().map(|(event, _)| event.clone()).collect();
    let resolves = mentions.resolves.iter().map(|(kind, (_, at))| (kind.clone(), events(at))).collect();
    Some(Workflow {
        name: name?,
        stages: stages?,
        practice: practice?,
        contact: contact?,
        letters,
        languages,
        default_language,
        start: start?,
        states,
        timers,
        on,
        acts,
        resolves,
        moves,
        digest,
    })
}

/// SHA-256 over the text and its files, each preceded by its length so that no two sets read alike.
fn digest(text: &str, files: &Files) -> Digest {
    let mut hasher = Sha256::new();
    let parts = std::iter::once(text).chain(files.iter().flat_map(|(path, text)| [path.as_str(), text.as_str()]));
    for part in parts {
        hasher.update((part.len() as u64).to_be_bytes());
        hasher.update(part.as_bytes());
    }
    Digest(hasher.finalize().into())
}
