//! YAML as a tree that knows where each part was written. Typed reading happens on it, so that one pass finds every fault.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_saphyr::{DuplicateKeyPolicy, Location, Spanned};

use crate::problem::{Code, Problem};

/// A workflow of a large practice has a few hundred lines; past this it is no workflow.
pub const FILE_BYTES_MAX: usize = 1 << 20;
/// The deepest the format goes is nine; `settings:` is free and may go deeper.
const DEPTH_MAX: usize = 32;

/// Line and column, from 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct At {
    pub line: u64,
    pub column: u64,
}

impl From<Location> for At {
    fn from(location: Location) -> At {
        At { line: location.line(), column: location.column() }
    }
}

#[derive(Clone, Debug)]
pub struct Node {
    pub at: At,
    pub kind: NodeKind,
}

#[derive(Clone, Debug)]
pub enum NodeKind {
    Nothing,
    Bool(bool),
    Number(serde_json::Number),
    Text(String),
    List(Vec<Node>),
    Map(Vec<(NodeKey, Node)>),
}

#[derive(Clone, Debug)]
pub struct NodeKey {
    pub at: At,
    pub name: String,
}

impl NodeKind {
    /// For messages: `expected a text, found a list`.
    pub fn noun(&self) -> &'static str {
        match self {
            NodeKind::Nothing => "nothing",
            NodeKind::Bool(_) => "true or false",
            NodeKind::Number(_) => "a number",
            NodeKind::Text(_) => "a text",
            NodeKind::List(_) => "a list",
            NodeKind::Map(_) => "a block of keys",
        }
    }
}

impl Node {
    pub fn parse(file: &str, text: &str) -> Result<Node, Problem> {
        if text.len() > FILE_BYTES_MAX {
            return Err(Problem {
                file: file.to_string(),
                line: 0,
                column: 0,
                code: Code::NOT_YAML,
                message: format!("the file has {} bytes; the limit is {FILE_BYTES_MAX}", text.len()),
                help: "split rosters and other long settings off into the plugin's own data".to_string(),
            });
        }
        let options = serde_saphyr::options! {
            // `on:` and `no:` are words here, never booleans.
            strict_booleans: true,
            // Duplicates are reported with everything else, not one at a time.
            duplicate_keys: DuplicateKeyPolicy::PassThrough,
            budget: serde_saphyr::budget! { max_depth: DEPTH_MAX },
            with_snippet: false
        };
        serde_saphyr::from_str_with_options(text, options).map_err(|error| {
            let at = error.location().map(At::from).unwrap_or_default();
            Problem {
                file: file.to_string(),
                line: at.line,
                column: at.column,
                code: Code::NOT_YAML,
                message: format!("this is not YAML that can be read: {}", first_line(&error.to_string())),
                help: "check indentation, quotes and colons at and just before this place".to_string(),
            }
        })
    }

    /// Free settings, as the plugin receives them.
    pub fn to_json(&self) -> serde_json::Value {
        match &self.kind {
            NodeKind::Nothing => serde_json::Value::Null,
            NodeKind::Bool(truth) => (*truth).into(),
            NodeKind::Number(number) => number.clone().into(),
            NodeKind::Text(text) => text.as_str().into(),
            NodeKind::List(items) => items.iter().map(Node::to_json).collect(),
            NodeKind::Map(entries) => {
                let members = entries.iter().map(|(key, value)| (key.name.clone(), value.to_json()));
                serde_json::Value::Object(members.collect())
            }
        }
    }
}

fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or_default()
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Node, D::Error> {
        let spanned = Spanned::<NodeKind>::deserialize(deserializer)?;
        Ok(Node { at: spanned.referenced.into(), kind: spanned.value })
    }
}

impl<'de> Deserialize<'de> for NodeKind {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<NodeKind, D::Error> {
        deserializer.deserialize_any(KindVisitor)
    }
}

struct KindVisitor;

impl<'de> Visitor<'de> for KindVisitor {
    type Value = NodeKind;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text, a number, true or false, a list or a block of keys")
    }

    fn visit_unit<E>(self) -> Result<NodeKind, E> {
        Ok(NodeKind::Nothing)
    }

    fn visit_none<E>(self) -> Result<NodeKind, E> {
        Ok(NodeKind::Nothing)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<NodeKind, D::Error> {
        NodeKind::deserialize(deserializer)
    }

    fn visit_bool<E>(self, value: bool) -> Result<NodeKind, E> {
        Ok(NodeKind::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<NodeKind, E> {
        Ok(NodeKind::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<NodeKind, E> {
        Ok(NodeKind::Number(value.into()))
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<NodeKind, E> {
        serde_json::Number::from_f64(value).map(NodeKind::Number).ok_or_else(|| E::custom("a number has to be finite"))
    }

    fn visit_str<E>(self, value: &str) -> Result<NodeKind, E> {
        Ok(NodeKind::Text(value.to_string()))
    }

    fn visit_string<E>(self, value: String) -> Result<NodeKind, E> {
        Ok(NodeKind::Text(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<NodeKind, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(NodeKind::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<NodeKind, A::Error> {
        let mut map = Vec::new();
        while let Some((key, value)) = entries.next_entry::<Node, Node>()? {
            let name = match key.kind {
                NodeKind::Text(name) => name,
                NodeKind::Bool(truth) => truth.to_string(),
                NodeKind::Number(number) => number.to_string(),
                NodeKind::Nothing | NodeKind::List(_) | NodeKind::Map(_) => {
                    return Err(A::Error::custom("a key has to be a word"));
                }
            };
            map.push((NodeKey { at: key.at, name }, value));
        }
        Ok(NodeKind::Map(map))
    }
}
