//! Places in a resource: a part of FHIRPath (http://hl7.org/fhirpath/N1), and brackets for its `where`.
//!
//! ```text
//! path      = [ resource "." ] step { "." step }
//! step      = name { "[" index "]" | "[" condition "]" }        index from 0: identifier[0]
//!           | "where(" condition ")" | "extension(" value ")" | "first()" | "resolve()"
//! condition = name { "." name } "=" value                       extension[url=https://ehr.example/urgency]
//! value     = "'" characters "'"  |  in brackets, characters other than "]"
//! ```
//!
//! A name stands for all its values where there are several. `value` finds `valueString`, `valueCode` and the like, as FHIRPath has
//! it. `resolve()` goes to what a Reference points at, in the same delivery.

use mapping::PathFault;
use serde_json::Value;

use super::bundle::Bundle;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Path {
    written: String,
    resource: Option<String>,
    steps: Vec<Step>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Step {
    Member(String),
    Nth(usize),
    Where(Condition),
    Resolve,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Condition {
    members: Vec<String>,
    value: String,
}

/// Where paths begin: what is read for itself.
const RESOURCES: [&str; 6] =
    ["ServiceRequest", "Task", "Appointment", "DocumentReference", "DiagnosticReport", "Patient"];

/// FHIR's choice of types (R4, 2.1.0.2) in extensions and observations.
const CHOICE: &str = "value";

impl Path {
    /// # Errors
    /// Where it stops being a path, and what to write there.
    pub fn parse(text: &str) -> Result<Path, PathFault> {
        let mut reader = Reader { text, at: 0 };
        let mut steps = Vec::new();
        let mut resource = None;
        loop {
            let start = reader.at;
            let name = reader.name()?;
            let is_type = name.starts_with(|c: char| c.is_ascii_uppercase());
            if is_type && !(start == 0 && RESOURCES.contains(&name.as_str())) {
                reader.at = start;
                let help = format!("begin with {}, or with a member of it", RESOURCES.join(", "));
                return Err(reader.fault("this is no resource that is read here", &help));
            }
            if is_type {
                resource = Some(name);
            } else if reader.accept("(") {
                steps.extend(reader.function(&name, start)?);
            } else {
                steps.push(Step::Member(name));
                while reader.accept("[") {
                    steps.push(reader.bracket()?);
                }
            }
            if !reader.accept(".") {
                break;
            }
        }
        if reader.at < text.len() {
            return Err(reader.fault("the path goes on after its end", WRITE));
        }
        if steps.is_empty() {
            return Err(reader.fault("no member is named", WRITE));
        }
        Ok(Path { written: text.to_owned(), resource, steps })
    }

    /// What stands there, in the resource's order. What is empty or null is nothing.
    pub fn find<'a>(&self, bundle: &Bundle<'a>, resource: &'a Value) -> Vec<&'a Value> {
        if self.resource.as_ref().is_some_and(|kind| resource["resourceType"] != kind.as_str()) {
            return Vec::new();
        }
        let mut found = vec![resource];
        for step in &self.steps {
            found = match step {
                Step::Member(name) => found.into_iter().flat_map(|value| members(value, name)).collect(),
                Step::Nth(index) => found.into_iter().skip(*index).take(1).collect(),
                Step::Where(condition) => found.into_iter().filter(|value| condition.is_so(value)).collect(),
                Step::Resolve => found.into_iter().filter_map(|value| bundle.resolve(resource, value)).collect(),
            };
        }
        found.into_iter().filter(|value| says_something(value)).collect()
    }
}

impl std::fmt::Display for Path {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(&self.written)
    }
}

const WRITE: &str =
    "write members with dots between them, such as `extension[url=https://ehr.example/urgency].valueCode`";

/// The values of a member: the elements of a list, or the one that there is.
fn members<'a>(value: &'a Value, name: &str) -> Vec<&'a Value> {
    let Some(members) = value.as_object() else { return Vec::new() };
    let is_choice = |key: &String| {
        name == CHOICE
            && key.strip_prefix(CHOICE).is_some_and(|kind| kind.starts_with(|c: char| c.is_ascii_uppercase()))
    };
    let member = members.get(name).or_else(|| members.iter().find(|(key, _)| is_choice(key)).map(|(_, value)| value));
    match member {
        Some(Value::Array(items)) => items.iter().collect(),
        Some(value) => vec![value],
        None => Vec::new(),
    }
}

fn says_something(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::String(text) => !text.trim().is_empty(),
        Value::Array(items) => !items.is_empty(),
        Value::Object(members) => !members.is_empty(),
        Value::Bool(_) | Value::Number(_) => true,
    }
}

impl Condition {
    fn is_so(&self, value: &Value) -> bool {
        let mut found = vec![value];
        for name in &self.members {
            found = found.into_iter().flat_map(|value| members(value, name)).collect();
        }
        found.into_iter().any(|value| match value {
            Value::String(text) => text.trim() == self.value,
            Value::Number(number) => number.to_string() == self.value,
            Value::Bool(flag) => flag.to_string() == self.value,
            Value::Null | Value::Array(_) | Value::Object(_) => false,
        })
    }
}

struct Reader<'a> {
    text: &'a str,
    /// In bytes; always at a character's start.
    at: usize,
}

impl Reader<'_> {
    fn rest(&self) -> &str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn accept(&mut self, wanted: &str) -> bool {
        let is_there = self.rest().starts_with(wanted);
        self.at += if is_there { wanted.len() } else { 0 };
        is_there
    }

    fn expect(&mut self, wanted: &str, help: &str) -> Result<(), PathFault> {
        if self.accept(wanted) { Ok(()) } else { Err(self.fault(&format!("`{wanted}` is missing"), help)) }
    }

    fn fault(&self, message: &str, help: &str) -> PathFault {
        let before = self.text.get(..self.at).unwrap_or_default();
        PathFault { at: before.chars().count() + 1, message: message.to_owned(), help: help.to_owned() }
    }

    fn name(&mut self) -> Result<String, PathFault> {
        let name: String = self.rest().chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
        if !name.starts_with(|c: char| c.is_ascii_alphabetic()) {
            return Err(self.fault("a member's name is missing", WRITE));
        }
        self.at += name.len();
        Ok(name)
    }

    /// What stands behind a name and `(`.
    fn function(&mut self, name: &str, start: usize) -> Result<Vec<Step>, PathFault> {
        let steps = match name {
            "where" => vec![Step::Where(self.condition(')')?)],
            "extension" => {
                let url = Condition { members: vec!["url".to_owned()], value: self.value(')')? };
                vec![Step::Member("extension".to_owned()), Step::Where(url)]
            }
            "first" => vec![Step::Nth(0)],
            "resolve" => vec![Step::Resolve],
            _ => {
                self.at = start;
                return Err(self.fault("this function is not known", "write where, extension, first or resolve"));
            }
        };
        self.expect(")", "close it: `extension('https://ehr.example/urgency')`")?;
        Ok(steps)
    }

    /// An index or a condition, behind `[`.
    fn bracket(&mut self) -> Result<Step, PathFault> {
        let digits: String = self.rest().chars().take_while(char::is_ascii_digit).collect();
        let step = match digits.parse() {
            Ok(index) if digits.len() <= INDEX_DIGITS_MAX => {
                self.at += digits.len();
                Step::Nth(index)
            }
            _ => Step::Where(self.condition(']')?),
        };
        self.expect("]", "close it: `extension[url=https://ehr.example/urgency]`")?;
        Ok(step)
    }

    fn condition(&mut self, end: char) -> Result<Condition, PathFault> {
        let mut members = vec![self.name()?];
        while self.accept(".") {
            members.push(self.name()?);
        }
        self.spaces();
        self.expect("=", "say what stands there: `[url=https://ehr.example/urgency]`")?;
        self.spaces();
        Ok(Condition { members, value: self.value(end)? })
    }

    fn spaces(&mut self) {
        while self.accept(" ") {}
    }

    fn value(&mut self, end: char) -> Result<String, PathFault> {
        let close = ['\'', '"'].into_iter().find(|quote| self.accept(&quote.to_string()));
        let value = self.rest().split(close.unwrap_or(end)).next().unwrap_or_default().to_owned();
        self.at += value.len();
        if let Some(close) = close {
            self.expect(&close.to_string(), "close the quote")?;
            self.spaces();
        }
        match value.trim() {
            "" => {
                Err(self.fault("nothing is looked for", "say what stands there: `[url=https://ehr.example/urgency]`"))
            }
            value => Ok(value.to_owned()),
        }
    }
}

/// No list of a resource is longer.
const INDEX_DIGITS_MAX: usize = 4;

#[cfg(test)]
mod tests;
