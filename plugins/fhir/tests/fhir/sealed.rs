//! The host's side of an exchange, as far as a plugin can tell: every text that is not revealed arrives as a token.

use fhir::wit::exchange::{HttpResponse, Response};
use fhir::wit::types::Attribute;
use serde_json::Value;

/// A 200 with this body, sealed but for the revealed paths.
pub fn found(body: Value, reveal: &[String]) -> Response {
    respond(200, &[], &seal(body, "", reveal).to_string())
}

pub fn respond(status: u16, headers: &[(&str, &str)], body: &str) -> Response {
    let headers = headers
        .iter()
        .map(|(name, value)| Attribute { name: (*name).to_owned(), value: (*value).to_owned() })
        .collect();
    Response::Http(HttpResponse { status, headers, body: body.to_owned() })
}

/// Tokens that a person can read: what they stand for, without its punctuation, is in them.
pub fn token(text: &str) -> String {
    let letters: String = text.chars().filter(char::is_ascii_alphanumeric).collect();
    format!("ZPHIA000{:0<26.26}", letters.to_uppercase())
}

/// A searchset of these resources.
pub fn bundle(resources: &[Value]) -> Value {
    let entries: Vec<Value> = resources.iter().map(|resource| serde_json::json!({ "resource": resource })).collect();
    serde_json::json!({ "resourceType": "Bundle", "type": "searchset", "entry": entries })
}

fn seal(value: Value, path: &str, reveal: &[String]) -> Value {
    match value {
        Value::String(text) if text.is_empty() || reveal.iter().any(|granted| granted == path) => Value::String(text),
        Value::String(text) => Value::String(token(&text)),
        Value::Array(items) => items.into_iter().map(|item| seal(item, &format!("{path}[]"), reveal)).collect(),
        Value::Object(members) => members
            .into_iter()
            .map(|(name, member)| {
                let below = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                (name, seal(member, &below, reveal))
            })
            .collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) => value,
    }
}
