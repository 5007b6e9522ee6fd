//! A JSON value that knows where it stands, so that a fault can name the place (RFC 6901).

use serde_json::Value;

use crate::answer::Fault;
use crate::words;

#[derive(Clone)]
pub struct Node<'a> {
    /// Absent where the document has nothing, or null.
    value: Option<&'a Value>,
    pointer: String,
}

impl<'a> Node<'a> {
    pub fn root(value: &'a Value) -> Node<'a> {
        Node { value: Some(value), pointer: String::new() }
    }

    pub fn at(value: &'a Value, pointer: String) -> Node<'a> {
        Node { value: Some(value), pointer }
    }

    pub fn get(&self, name: &str) -> Node<'a> {
        let value = self.value.and_then(|value| value.get(name)).filter(|value| !value.is_null());
        Node { value, pointer: format!("{}/{}", self.pointer, name.replace('~', "~0").replace('/', "~1")) }
    }

    /// The elements of an array; a single value counts as an array of one.
    pub fn items(&self) -> Vec<Node<'a>> {
        match self.value {
            Some(Value::Array(items)) => {
                items.iter().enumerate().map(|(at, item)| Node::at(item, format!("{}/{at}", self.pointer))).collect()
            }
            Some(_) => vec![self.clone()],
            None => Vec::new(),
        }
    }

    pub fn value(&self) -> Option<&'a Value> {
        self.value
    }

    pub fn pointer(&self) -> &str {
        if self.pointer.is_empty() { "/" } else { &self.pointer }
    }

    pub fn exists(&self) -> bool {
        self.value.is_some()
    }

    pub fn is_object(&self) -> bool {
        self.value.is_some_and(Value::is_object)
    }

    /// Trimmed text; a number counts as its digits, nothing as empty.
    pub fn text(&self) -> Result<String, Fault> {
        match self.value {
            None => Ok(String::new()),
            Some(Value::String(text)) => Ok(words::clean(text)),
            Some(Value::Number(number)) => Ok(number.to_string()),
            Some(Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_)) => {
                Err(Fault::content(self.pointer(), "this is not text", "write a JSON string"))
            }
        }
    }

    /// Text that has to be there.
    pub fn required(&self, help: &str) -> Result<String, Fault> {
        self.text().and_then(|text| {
            if text.is_empty() { Err(Fault::content(self.pointer(), "this is missing", help)) } else { Ok(text) }
        })
    }

    pub fn texts(&self) -> Result<Vec<String>, Fault> {
        let texts: Result<Vec<String>, Fault> = self.items().iter().map(Node::text).collect();
        texts.map(|texts| texts.into_iter().filter(|text| !text.is_empty()).collect())
    }

    pub fn flag(&self) -> Result<Option<bool>, Fault> {
        match self.value {
            None => Ok(None),
            Some(Value::Bool(flag)) => Ok(Some(*flag)),
            Some(_) => Err(Fault::content(self.pointer(), "this is not a yes or no", "write true or false")),
        }
    }
}
