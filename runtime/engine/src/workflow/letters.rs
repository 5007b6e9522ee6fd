//! `letters:`: what each letter asks of the patient and until when it is of use.

use std::collections::BTreeMap;

use chrono::TimeDelta;

use super::node::{At, Node};
use super::reader::WorkflowReader;
use super::timers::{Anchored, read_anchored, read_duration};
use crate::problem::Code;
use crate::referral::Asked;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LetterRule {
    pub name: String,
    pub asks: Asked,
    pub expires: Option<Expiry>,
    pub at: At,
}

/// Until when a letter held back is still worth sending.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expiry {
    /// So long after it was written.
    After(TimeDelta),
    /// So long before the appointment.
    BeforeAppointment(TimeDelta),
}

const KEYS: &[&str] = &["asks", "expires"];
const EXPIRY_KEYS: &[&str] = &["after", "before"];

pub(super) fn read(reader: &mut WorkflowReader, node: &Node) -> BTreeMap<String, LetterRule> {
    let mut letters = BTreeMap::new();
    for (key, node) in reader.entries("letters", node) {
        let name = reader.name("letter", key);
        let block = reader.block(&name, node, KEYS);
        let asks = block.required(reader, "asks").and_then(|node| reader.choice("asks", node, Asked::ALL));
        let expires = block.get("expires").and_then(|node| read_expiry(reader, node));
        letters.insert(name.clone(), LetterRule { name, asks: asks.unwrap_or(Asked::Info), expires, at: key.at });
    }
    letters
}

fn read_expiry(reader: &mut WorkflowReader, node: &Node) -> Option<Expiry> {
    let block = reader.block("expires", node, EXPIRY_KEYS);
    match (block.get("after"), block.get("before")) {
        (Some(node), None) => read_duration(reader, "after", node).map(Expiry::After),
        (None, Some(node)) => match read_anchored(reader, "before", node)? {
            Anchored::Appointment(duration) => Some(Expiry::BeforeAppointment(duration)),
            Anchored::Plain(_) => {
                reader.report(node.at, Code::BAD_DURATION, "before what?", "write `before: appointment 30m`");
                None
            }
        },
        (Some(_), Some(_)) | (None, None) => {
            let help = "write `expires: { before: appointment 30m }` or `expires: { after: 20h }`";
            reader.report(node.at, Code::BAD_VALUE, "`expires` needs one of `after` and `before`", help);
            None
        }
    }
}
