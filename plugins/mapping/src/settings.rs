//! The `map` of a trigger's settings, read whole: every fault with the key that is wrong and what to write there.

use serde_json::{Map, Value};

use crate::fact::{Fact, Takes};
use crate::{Coded, Mapping, Rule};

/// What is wrong with a place as a plugin writes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PathFault {
    /// Which character, counted from 1.
    pub at: usize,
    pub message: String,
    pub help: String,
}

/// What is wrong with the settings.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SettingFault {
    /// The key within the settings: `map.urgency.from`.
    pub place: String,
    pub message: String,
    pub help: String,
}

const RULE_KEYS: [&str; 4] = ["from", "codes", "default", "system"];
const CODE_KEYS: [&str; 3] = ["code", "display", "system"];

impl<P> Mapping<P> {
    /// Reads `map`. `path` reads a place as the plugin writes it; `facts` are those that the plugin can tell.
    ///
    /// # Errors
    /// Everything that is wrong with it, in order.
    pub fn read(
        map: &Value,
        facts: &[Fact],
        path: impl Fn(&str) -> Result<P, PathFault>,
    ) -> Result<Mapping<P>, Vec<SettingFault>> {
        let mut reader = Reader { faults: Vec::new(), path };
        let mut rules = Vec::new();
        match map {
            Value::Null => {}
            Value::Object(members) => {
                for (name, value) in members {
                    let place = format!("map.{name}");
                    match Fact::named(name).filter(|fact| facts.contains(fact)) {
                        Some(fact) => rules.extend(reader.rule(fact, value, &place)),
                        None => reader.fault(&place, "this is no fact that can be mapped", &one_of(facts)),
                    }
                }
            }
            Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
                reader.fault("map", "this is no block of facts", "write a fact and its place: `urgency: { from: … }`");
            }
        }
        if reader.faults.is_empty() { Ok(Mapping { rules }) } else { Err(reader.faults) }
    }
}

struct Reader<F> {
    faults: Vec<SettingFault>,
    path: F,
}

impl<F> Reader<F> {
    fn fault(&mut self, place: &str, message: &str, help: &str) {
        self.faults.push(SettingFault { place: place.to_owned(), message: message.to_owned(), help: help.to_owned() });
    }

    fn rule<P>(&mut self, fact: Fact, value: &Value, place: &str) -> Option<Rule<P>>
    where
        F: Fn(&str) -> Result<P, PathFault>,
    {
        let nothing = Map::new();
        let (from, members) = match value {
            Value::Object(members) => (members.get("from"), members),
            other => (Some(other), &nothing),
        };
        self.known_keys(members, &RULE_KEYS, place);
        let key = if members.is_empty() { place.to_owned() } else { format!("{place}.from") };
        let system = self.system(fact, members.get("system"), &format!("{place}.system"));
        let codes = self.codes(fact, members.get("codes"), &format!("{place}.codes"), &system);
        let default = members.get("default").filter(|default| !default.is_null());
        let default = default.and_then(|default| self.coded(fact, default, &format!("{place}.default"), &system));
        // Last, so that whoever mends one fault after the other loses none: without its place, a rule is none.
        let from = self.places(from, &key);
        Some(Rule { fact, from: from?, codes, default, system })
    }

    fn known_keys(&mut self, members: &Map<String, Value>, keys: &[&str], place: &str) {
        for name in members.keys().filter(|name| !keys.contains(&name.as_str())) {
            self.fault(&format!("{place}.{name}"), "this key is unknown", &format!("write {}", keys.join(", ")));
        }
    }

    /// One place or several, the first that holds something counts.
    fn places<P>(&mut self, from: Option<&Value>, place: &str) -> Option<Vec<P>>
    where
        F: Fn(&str) -> Result<P, PathFault>,
    {
        let written: Vec<(String, &Value)> = match from {
            Some(Value::Array(items)) => {
                items.iter().enumerate().map(|(at, item)| (format!("{place}.{at}"), item)).collect()
            }
            Some(one) if !one.is_null() => vec![(place.to_owned(), one)],
            Some(_) | None => Vec::new(),
        };
        if written.is_empty() {
            self.fault(place, "no place is named", "write where the fact stands: `from: …`");
            return None;
        }
        let mut places = Vec::new();
        for (place, value) in written {
            let Some(text) = value.as_str() else {
                self.fault(&place, "this is no place in a message", "write it as text in quotes");
                continue;
            };
            match (self.path)(text) {
                Ok(path) => places.push(path),
                Err(PathFault { at, message, help }) => {
                    let message = format!("this is no place in a message: at character {at}, {message}");
                    self.fault(&place, &message, &help);
                }
            }
        }
        Some(places)
    }

    fn system(&mut self, fact: Fact, system: Option<&Value>, place: &str) -> String {
        match (system, fact.takes()) {
            (None | Some(Value::Null), _) => String::new(),
            (Some(Value::String(system)), Takes::Code | Takes::Text) => system.clone(),
            (Some(_), _) => {
                self.fault(place, "this is no terminology or authority", "leave it out, or write its name as text");
                String::new()
            }
        }
    }

    fn codes(&mut self, fact: Fact, codes: Option<&Value>, place: &str, system: &str) -> Vec<(String, Coded)> {
        match codes {
            None | Some(Value::Null) => Vec::new(),
            Some(Value::Object(members)) => {
                let mut table: Vec<(String, Coded)> = Vec::new();
                for (code, meant) in members {
                    let place = format!("{place}.{code}");
                    if table.iter().any(|(known, _)| known == code.trim()) {
                        self.fault(&place, "this code stands here twice", "leave one of them out");
                    }
                    let meant = self.coded(fact, meant, &place, system);
                    table.extend(meant.map(|meant| (code.trim().to_owned(), meant)));
                }
                table
            }
            Some(_) => {
                self.fault(place, "this is no code table", "write the site's code and what it means: `{ U: urgent }`");
                Vec::new()
            }
        }
    }

    /// What a code or a default means: a word, or a code with its words.
    fn coded(&mut self, fact: Fact, value: &Value, place: &str, system: &str) -> Option<Coded> {
        let text = match value {
            Value::String(text) => text.trim().to_owned(),
            Value::Number(number) => number.to_string(),
            Value::Bool(_) | Value::Null | Value::Array(_) | Value::Object(_) => String::new(),
        };
        match (fact.takes(), value) {
            (Takes::Words(words), _) => {
                if words.contains(&text.as_str()) {
                    return Some(Coded { code: text, ..Coded::default() });
                }
                self.fault(place, &format!("this is no {fact}"), &format!("write {}", words.join(", ")));
            }
            (Takes::Code, Value::Object(members)) => {
                self.known_keys(members, &CODE_KEYS, place);
                let member = |name: &str| members.get(name).and_then(Value::as_str).unwrap_or_default().trim();
                let (code, display) = (member("code").to_owned(), member("display").to_owned());
                if !code.is_empty() || !display.is_empty() {
                    let own = member("system");
                    let system = if own.is_empty() { system } else { own }.to_owned();
                    return Some(Coded { system, code, display });
                }
                self.fault(place, "this names no code", "write `{ code: …, display: …, system: … }`");
            }
            (Takes::Code, _) if !text.is_empty() => {
                return Some(Coded { system: system.to_owned(), code: text.clone(), display: text });
            }
            (Takes::Text, _) if !text.is_empty() => return Some(Coded { code: text, ..Coded::default() }),
            (Takes::Code | Takes::Text, _) => self.fault(place, "nothing is said here", "write what the code means"),
        }
        None
    }
}

fn one_of(facts: &[Fact]) -> String {
    let names: Vec<&str> = facts.iter().map(|fact| fact.name()).collect();
    format!("write one of: {}", names.join(", "))
}
