//! Moments and dates as JSON and FHIR write them.

use crate::answer::Fault;
use crate::node::Node;
use crate::types::Instant;

const DAY_MILLIS: i64 = 86_400_000;

/// An RFC 3339 moment, or the start of a day, month or year in UTC (FHIR R4, dateTime).
pub fn instant(text: &str) -> Option<Instant> {
    moment::read_rfc3339(text).or_else(|| moment::read_rfc3339(&format!("{}T00:00:00Z", day(text)?)))
}

/// The last moment that it covers.
pub fn end(text: &str) -> Option<Instant> {
    moment::read_rfc3339(text).or_else(|| instant(text).map(|start| start + DAY_MILLIS - 1))
}

/// What is there must be a moment: one that cannot be read is a fault, never "no time".
pub fn stated(
    value: &serde_json::Value,
    pointer: &str,
    read: fn(&str) -> Option<Instant>,
) -> Result<Option<Instant>, Fault> {
    let text = value.as_str().unwrap_or_default().trim();
    if text.is_empty() && (value.is_null() || value.is_string()) {
        return Ok(None);
    }
    read(text).map(Some).ok_or_else(|| {
        Fault::content(pointer, "this is no moment", "write RFC 3339, such as 2026-07-06T08:01:00-05:00, or a date")
    })
}

/// The same, of a node in the plain schema: what is there must be a moment.
pub fn required_sense(node: &Node<'_>, read: fn(&str) -> Option<Instant>) -> Result<Option<Instant>, Fault> {
    let text = node.text()?;
    if text.is_empty() {
        return Ok(None);
    }
    read(&text).map(Some).ok_or_else(|| {
        Fault::content(
            node.pointer(),
            "this is no moment",
            "write RFC 3339, such as 2026-07-06T08:01:00-05:00, or a date",
        )
    })
}

fn day(text: &str) -> Option<String> {
    match text.len() {
        4 => Some(format!("{text}-01-01")),
        7 => Some(format!("{text}-01")),
        10 => Some(text.to_owned()),
        _ => None,
    }
}
