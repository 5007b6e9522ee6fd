//! FHIR's RESTful requests (FHIR R4, "RESTful API") as asks.

use serde_json::Value;

use crate::wit::exchange::{Ask, Body, HttpRequest, JsonAs, Method, Request};
use crate::wit::types::Attribute;

pub const MEDIA_TYPE: &str = "application/fhir+json";

/// `GET [base]/Type?name=value`.
pub fn search(endpoint: &str, resource: &str, query: &[(&str, &str)], reveal: &[&str], state: String) -> Ask {
    let request = HttpRequest {
        method: Method::Get,
        path: format!("/{resource}"),
        query: query.iter().map(|(name, value)| attribute(name, value)).collect(),
        headers: vec![attribute("Accept", MEDIA_TYPE)],
        body: Body::Empty,
    };
    let reveal = reveal.iter().map(|path| (*path).to_owned()).collect();
    Ask { endpoint: endpoint.to_owned(), request: Request::Http(request), reveal, state }
}

/// `POST [base]/Type` with `If-None-Exist`: creates it unless one with this business identifier is there, so that
/// writing twice writes once (FHIR R4, "Conditional create"). Nothing of the response is revealed: its Location and
/// status say all we need, which is also why no resource is wanted back.
pub fn create_once(endpoint: &str, resource: &Value, identifier: &Identifier, state: String) -> Ask {
    let kind = resource["resourceType"].as_str().unwrap_or_default();
    let condition = format!("identifier={}%7C{}", percent(identifier.system), percent(identifier.value));
    let request = HttpRequest {
        method: Method::Post,
        path: format!("/{kind}"),
        query: vec![],
        headers: vec![
            attribute("Accept", MEDIA_TYPE),
            attribute("If-None-Exist", &condition),
            attribute("Prefer", "return=minimal"),
        ],
        body: Body::JsonAs(JsonAs { media_type: MEDIA_TYPE.to_owned(), text: resource.to_string() }),
    };
    Ask { endpoint: endpoint.to_owned(), request: Request::Http(request), reveal: vec![], state }
}

/// `PATCH [base]/Type/id` with a JSON Patch (FHIR R4, 3.1.0.6; RFC 6902), of a resource that we wrote: `Task/123`.
pub fn patch(endpoint: &str, reference: &str, patch: &Value, state: String) -> Ask {
    let request = HttpRequest {
        method: Method::Patch,
        path: format!("/{reference}"),
        query: vec![],
        headers: vec![attribute("Accept", MEDIA_TYPE), attribute("Prefer", "return=minimal")],
        body: Body::JsonAs(JsonAs { media_type: JSON_PATCH.to_owned(), text: patch.to_string() }),
    };
    Ask { endpoint: endpoint.to_owned(), request: Request::Http(request), reveal: vec![], state }
}

const JSON_PATCH: &str = "application/json-patch+json";

/// A business identifier: who gave it out, and what it is.
pub struct Identifier<'a> {
    pub system: &'a str,
    pub value: &'a str,
}

impl Identifier<'_> {
    /// As a search parameter: `system|value`. FHIR's own separators in either are escaped (FHIR R4, "Escaping Search
    /// Parameters"); a token has none.
    pub fn as_token_parameter(&self) -> String {
        let escaped =
            |text: &str| text.replace('\\', "\\\\").replace('|', "\\|").replace(',', "\\,").replace('$', "\\$");
        if self.system.is_empty() {
            escaped(self.value)
        } else {
            format!("{}|{}", escaped(self.system), escaped(self.value))
        }
    }
}

fn attribute(name: &str, value: &str) -> Attribute {
    Attribute { name: name.to_owned(), value: value.to_owned() }
}

/// For the one place that holds a query but is no URL: the header. Unreserved characters of RFC 3986 stay.
fn percent(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
            _ => format!("%{byte:02X}"),
        })
        .collect()
}
