//! What goes back to the sender, as JSON.

use serde_json::{Value, json};

use crate::types::{Answer, Problem};

const CONTENT_TYPE: &str = "application/json";

/// A delivery that cannot be read: where, what and how to mend it. Never quotes the delivery.
#[derive(Debug)]
pub struct Fault {
    /// 400: no JSON; 422: JSON that says nothing we can use; 503: our settings.
    pub status: u16,
    pub location: String,
    pub message: String,
    pub help: String,
}

impl Fault {
    pub fn syntax(line: usize, column: usize) -> Fault {
        Fault {
            status: 400,
            location: format!("line {line}, column {column}"),
            message: "this is not JSON".to_owned(),
            help: "send one JSON object, encoded in UTF-8".to_owned(),
        }
    }

    pub fn content(pointer: &str, message: &str, help: &str) -> Fault {
        Fault { status: 422, location: pointer.to_owned(), message: message.to_owned(), help: help.to_owned() }
    }

    /// Something that was understood and cannot be passed on: it is kept for a person, and its sender is not told that all is
    /// well.
    pub fn for_a_person(pointer: &str, message: &str, help: &str) -> Fault {
        Fault::content(pointer, message, help)
    }

    pub fn settings(message: String) -> Fault {
        Fault {
            status: 503,
            location: "settings".to_owned(),
            message,
            help: "mend the settings of the trigger stage in the workflow".to_owned(),
        }
    }

    pub fn problem(self) -> Problem {
        Problem { location: self.location, message: self.message, help: self.help }
    }
}

pub fn accepted(events: usize) -> Answer {
    answer(202, &json!({ "status": "accepted", "events": events }))
}

pub fn ignored(reason: &str) -> Answer {
    answer(202, &json!({ "status": "ignored", "reason": reason }))
}

pub fn refused(fault: &Fault) -> Answer {
    answer(fault.status, &json!({ "error": fault.message, "location": fault.location, "help": fault.help }))
}

pub fn unavailable() -> Answer {
    answer(503, &json!({ "error": "the delivery could not be stored", "location": "", "help": "send it again later" }))
}

fn answer(status: u16, body: &Value) -> Answer {
    Answer { status, content_type: CONTENT_TYPE.to_owned(), body: body.to_string().into_bytes() }
}
