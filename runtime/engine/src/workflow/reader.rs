//! Takes typed values out of the tree, gathering every problem on the way instead of stopping at the first.

use super::node::{At, Node, NodeKey, NodeKind};
use crate::problem::{Code, Problem, did_you_mean};

/// Gathers what is wrong with one file.
pub struct WorkflowReader {
    file: String,
    pub problems: Vec<Problem>,
}

impl WorkflowReader {
    pub fn new(file: &str) -> WorkflowReader {
        WorkflowReader { file: file.to_string(), problems: Vec::new() }
    }

    pub fn file(&self) -> &str {
        &self.file
    }

    pub fn report(&mut self, at: At, code: Code, message: impl Into<String>, help: impl Into<String>) {
        self.problems.push(Problem {
            file: self.file.clone(),
            line: at.line,
            column: at.column,
            code,
            message: message.into(),
            help: help.into(),
        });
    }

    fn wrong_kind(&mut self, what: &str, expected: &str, node: &Node) {
        let message = format!("`{what}` should be {expected}, not {}", node.kind.noun());
        self.report(node.at, Code::WRONG_KIND, message, format!("write {expected} here"));
    }

    pub fn text(&mut self, what: &str, node: &Node) -> Option<String> {
        match &node.kind {
            NodeKind::Text(text) => Some(text.clone()),
            // `account: 12345` means its digits.
            NodeKind::Number(number) => Some(number.to_string()),
            NodeKind::Nothing | NodeKind::Bool(_) | NodeKind::List(_) | NodeKind::Map(_) => {
                self.wrong_kind(what, "a text", node);
                None
            }
        }
    }

    pub fn truth(&mut self, what: &str, node: &Node) -> Option<bool> {
        match &node.kind {
            NodeKind::Bool(truth) => Some(*truth),
            NodeKind::Nothing | NodeKind::Number(_) | NodeKind::Text(_) | NodeKind::List(_) | NodeKind::Map(_) => {
                self.wrong_kind(what, "true or false", node);
                None
            }
        }
    }

    /// A whole number between the two, both included.
    pub fn count(&mut self, what: &str, node: &Node, least: u64, most: u64) -> Option<u64> {
        let number = match &node.kind {
            NodeKind::Number(number) => number.as_u64(),
            NodeKind::Nothing | NodeKind::Bool(_) | NodeKind::Text(_) | NodeKind::List(_) | NodeKind::Map(_) => None,
        };
        match number {
            Some(number) if (least..=most).contains(&number) => Some(number),
            Some(_) | None => {
                let expected = format!("a whole number from {least} to {most}");
                self.report(
                    node.at,
                    Code::BAD_VALUE,
                    format!("`{what}` is not {expected}"),
                    format!("write {expected}"),
                );
                None
            }
        }
    }

    /// A list; a single value stands for a list of one.
    pub fn list<'n>(&mut self, node: &'n Node) -> &'n [Node] {
        match &node.kind {
            NodeKind::List(items) => items,
            NodeKind::Nothing => &[],
            NodeKind::Bool(_) | NodeKind::Number(_) | NodeKind::Text(_) | NodeKind::Map(_) => {
                std::slice::from_ref(node)
            }
        }
    }

    pub fn texts(&mut self, what: &str, node: &Node) -> Vec<String> {
        self.list(node).iter().filter_map(|item| self.text(what, item)).collect()
    }

    /// The entries of a block; reports what stands there twice and keeps the first.
    pub fn entries<'n>(&mut self, what: &str, node: &'n Node) -> Vec<(&'n NodeKey, &'n Node)> {
        let entries = match &node.kind {
            NodeKind::Map(entries) => entries,
            NodeKind::Nothing => return Vec::new(),
            NodeKind::Bool(_) | NodeKind::Number(_) | NodeKind::Text(_) | NodeKind::List(_) => {
                self.wrong_kind(what, "a block of keys", node);
                return Vec::new();
            }
        };
        let mut kept: Vec<(&NodeKey, &Node)> = Vec::with_capacity(entries.len());
        let mut seen = std::collections::BTreeMap::new();
        for (key, value) in entries {
            if let Some(line) = seen.insert(key.name.as_str(), key.at.line) {
                let message = format!("`{}` stands twice under `{what}`; the first is on line {line}", key.name);
                self.report(key.at, Code::DUPLICATE_KEY, message, "keep one of the two");
            } else {
                kept.push((key, value));
            }
        }
        kept
    }

    /// A block with known keys.
    pub fn block<'n>(&mut self, what: &str, node: &'n Node, known: &[&str]) -> Block<'n> {
        let entries = self.entries(what, node);
        for (key, _) in &entries {
            if !known.contains(&key.name.as_str()) {
                let message = format!("`{what}` has no key `{}`", key.name);
                self.report(key.at, Code::UNKNOWN_KEY, message, did_you_mean(&key.name, known.iter().copied()));
            }
        }
        Block { what: what.to_string(), at: node.at, entries }
    }

    /// A word out of a closed list.
    pub fn choice<T: Copy + Into<&'static str>>(&mut self, what: &str, node: &Node, choices: &[T]) -> Option<T> {
        let word = self.text(what, node)?;
        let found = choices.iter().copied().find(|choice| (*choice).into() == word);
        if found.is_none() {
            let help = did_you_mean(&word, choices.iter().map(|choice| (*choice).into()));
            self.report(node.at, Code::BAD_VALUE, format!("`{what}` cannot be `{word}`"), help);
        }
        found
    }
}

/// The keys of one block.
pub struct Block<'n> {
    what: String,
    pub at: At,
    entries: Vec<(&'n NodeKey, &'n Node)>,
}

impl<'n> Block<'n> {
    pub fn get(&self, key: &str) -> Option<&'n Node> {
        self.entries.iter().find(|(found, _)| found.name == key).map(|(_, value)| *value)
    }

    pub fn required(&self, reader: &mut WorkflowReader, key: &str) -> Option<&'n Node> {
        let found = self.get(key);
        if found.is_none() {
            let message = format!("`{}` lacks `{key}`", self.what);
            reader.report(self.at, Code::MISSING_KEY, message, format!("add a line `{key}: …` to it"));
        }
        found
    }

    pub fn text(&self, reader: &mut WorkflowReader, key: &str) -> Option<String> {
        self.get(key).and_then(|node| reader.text(key, node))
    }

    pub fn required_text(&self, reader: &mut WorkflowReader, key: &str) -> Option<String> {
        self.required(reader, key).and_then(|node| reader.text(key, node))
    }
}

/// Lower-case words joined by hyphens: names of states, timers, letters, marks.
pub fn is_name(text: &str) -> bool {
    // Names appear in the timeline and in file names.
    const NAME_CHARS_MAX: usize = 48;
    text.len() <= NAME_CHARS_MAX
        && text.starts_with(|c: char| c.is_ascii_lowercase())
        && !text.ends_with('-')
        && text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
}

impl WorkflowReader {
    /// Reports a name that is not one; the name is used all the same, so that one fault makes one message.
    pub fn name(&mut self, what: &str, key: &NodeKey) -> String {
        if !is_name(&key.name) {
            let message = format!("`{}` is no name for a {what}", key.name);
            self.report(key.at, Code::BAD_NAME, message, "use lower-case words joined by hyphens: `first-contact`");
        }
        key.name.clone()
    }
}
