//! A JSON document, cut down to its texts, numbers and truths. A FHIR resource's places are named as FHIRPath would.

use std::ops::Range;

use serde_json::{Map, Value};

use super::{Content, Group, Leaf, Places};

struct Cut {
    leaves: Vec<Leaf>,
    pointers: Vec<String>,
}

pub(super) fn cut(body: &[u8]) -> Option<Places> {
    let body = body.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(body);
    let document: Value = serde_json::from_slice(body).ok().filter(Value::is_object)?;
    let mut cut = Cut { leaves: Vec::new(), pointers: Vec::new() };
    let whole = cut.value(&document, "", "");
    let Cut { leaves, pointers } = cut;
    Some(Places { content: Content::Json { document, pointers }, leaves, whole })
}

/// A value of the same kind, as far as the text can be one.
pub(super) fn like(value: &Value, text: &str) -> Value {
    match value {
        _ if text.is_empty() => Value::Null,
        Value::Bool(flag) => Value::Bool(!flag),
        Value::Number(_) => serde_json::from_str(text).ok().filter(Value::is_number).unwrap_or(Value::Null),
        Value::Null | Value::String(_) | Value::Array(_) | Value::Object(_) => Value::String(text.to_string()),
    }
}

impl Cut {
    fn value(&mut self, value: &Value, place: &str, pointer: &str) -> Group {
        let first = self.leaves.len();
        let groups = match value {
            Value::Object(members) => self.members(members, place, pointer),
            Value::Array(items) => self.items(items, place, pointer),
            Value::String(text) => self.leaf(text.clone(), place, pointer),
            Value::Number(_) | Value::Bool(_) => self.leaf(value.to_string(), place, pointer),
            Value::Null => Vec::new(),
        };
        let leaves: Range<usize> = first..self.leaves.len();
        Group { leaves, groups }
    }

    fn members(&mut self, members: &Map<String, Value>, place: &str, pointer: &str) -> Vec<Group> {
        let mut groups = Vec::new();
        for (name, value) in members {
            let kind = value["resourceType"].as_str().filter(|_| name == "resource");
            let place = match (kind, place) {
                (Some(kind), _) => format!("{place} {kind}"),
                (None, "") => name.clone(),
                (None, place) => format!("{place}.{name}"),
            };
            let pointer = format!("{pointer}/{}", name.replace('~', "~0").replace('/', "~1"));
            groups.push(self.value(value, &place, &pointer));
        }
        groups
    }

    fn items(&mut self, items: &[Value], place: &str, pointer: &str) -> Vec<Group> {
        let mut groups = Vec::new();
        for (index, item) in items.iter().enumerate() {
            let by = ["url", "system"].into_iter().find_map(|name| {
                let value = item[name].as_str().filter(|value| !value.contains(']'))?;
                let alike = items.iter().filter(|other| other[name] == value).count();
                (alike == 1 && items.len() > 1 || name == "url").then(|| format!("{name}={value}"))
            });
            let which = by.unwrap_or_else(|| index.to_string());
            let is_named = which.starts_with("url=");
            let place = if items.len() > 1 || is_named { format!("{place}[{which}]") } else { place.to_string() };
            groups.push(self.value(item, &place, &format!("{pointer}/{index}")));
        }
        groups
    }

    fn leaf(&mut self, text: String, place: &str, pointer: &str) -> Vec<Group> {
        if !text.trim().is_empty() {
            self.leaves.push(Leaf { place: place.to_string(), text });
            self.pointers.push(pointer.to_string());
        }
        Vec::new()
    }
}
