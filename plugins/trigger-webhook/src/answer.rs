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
        Fault::setting("settings", message, "mend the settings of the trigger stage in the workflow")
    }

    /// One key of the settings is wrong: `settings.map.urgency.from`.
    pub fn setting(place: &str, message: String, help: &str) -> Fault {
        Fault { status: 503, location: place.to_owned(), message, help: help.to_owned() }
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

/// Of several events.
pub fn partly(taken: usize, faults: &[&Fault]) -> Answer {
    let refused =
        faults.iter().map(|fault| json!({ "error": fault.message, "location": fault.location, "help": fault.help }));
    answer(200, &json!({ "status": "partly", "events": taken, "refused": refused.collect::<Vec<_>>() }))
}

/// Of a Bundle that is no batch: what was not taken, each with its place (FHIR R4, OperationOutcome).
pub fn outcome(taken: usize, faults: &[&Fault]) -> Answer {
    let told = format!("{taken} of {} were taken; sent again, they change nothing", taken + faults.len());
    let mut issues = vec![json!({ "severity": "information", "code": "informational", "diagnostics": told })];
    issues.extend(faults.iter().map(|fault| issue(fault)));
    fhir(&json!({ "resourceType": "OperationOutcome", "issue": issues }))
}

/// Of a batch: an answer to each of its entries, in their order (FHIR R4, 3.1.0.11.1 and 3.1.0.11.3).
pub fn batch(entries: usize, faults: &[&Fault]) -> Answer {
    let entry = |at: usize| {
        let within = format!("/entry/{at}/");
        match faults.iter().find(|fault| fault.location.starts_with(&within)) {
            Some(fault) => {
                let outcome = json!({ "resourceType": "OperationOutcome", "issue": [issue(fault)] });
                json!({ "response": { "status": "422 Unprocessable Entity", "outcome": outcome } })
            }
            None => json!({ "response": { "status": "202 Accepted" } }),
        }
    };
    let entries: Vec<Value> = (0..entries).map(entry).collect();
    fhir(&json!({ "resourceType": "Bundle", "type": "batch-response", "entry": entries }))
}

fn issue(fault: &Fault) -> Value {
    json!({
        "severity": "error", "code": "invalid", "diagnostics": format!("{}; {}", fault.message, fault.help),
        "location": [fault.location],
    })
}

fn fhir(body: &Value) -> Answer {
    Answer { content_type: "application/fhir+json".to_owned(), ..answer(200, body) }
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
