//! Writes the outcome of a referral back to a FHIR R4 chart: the note as a DocumentReference, the end as a Task.

// The allocator of the component: an instance lives for one call.
use bump as _;

mod outcome;
mod resource;
mod settings;

wit_bindgen::generate!({
    path: "../../wit",
    world: "chart",
    additional_derives: [PartialEq, serde::Serialize, serde::Deserialize],
    with: {
        "handoff:stage/types@0.2.0": fhir::wit::types,
        "handoff:stage/exchange@0.2.0": fhir::wit::exchange,
    },
});

pub use exports::handoff::stage::write_back::{ChartIdentifier, Document, Entry, Guest, Note, Outcome, Turn, Written};
pub use fhir::wit::exchange::{Ask, Body, HttpRequest, HttpResponse, JsonAs, MailResponse, Method, Request, Response};
pub use fhir::wit::types::{Attribute, Code, Failure, Provider, Refusal};

use fhir::ask::{self, Identifier};
use fhir::{judge, patient, read};
use serde::{Deserialize, Serialize};
use settings::Settings;

pub struct ChartFhir;

/// Where the conversation stands: what is still to be found or written, and what has been.
#[derive(Serialize, Deserialize)]
struct State {
    entry: Entry,
    step: Step,
}

/// Ids are the server's, sealed: a token serves in a search and in a reference as well as the id itself.
#[derive(Serialize, Deserialize)]
enum Step {
    FindPatient,
    FindOrder {
        patient: String,
    },
    WriteNote {
        patient: String,
        order: String,
    },
    WriteTask {
        patient: String,
        order: String,
        document: Option<String>,
    },
    /// What is to be marked as entered in error; the first is under way.
    Retract {
        left: Vec<String>,
    },
}

/// Read in clear when searching. Not `id`: it is a number of the patient's, and a token of it is enough.
const REVEAL: [&str; 1] = ["entry[].resource.resourceType"];

/// Two are enough to know that it is not one.
const FOUND_COUNT: &str = "2";

impl Guest for ChartFhir {
    fn write(entry: Entry, settings: String) -> Result<Turn, Failure> {
        let settings = Settings::read(&settings)?;
        if entry.outcome == Outcome::NoteRetracted {
            let left = entry.retracts.clone();
            return retract(entry, left, &settings);
        }
        find_patient(entry, &settings)
    }

    fn resume(state: String, response: Response, settings: String) -> Result<Turn, Failure> {
        let settings = Settings::read(&settings)?;
        let State { entry, step } = fhir::settings::read_state(&state)?;
        let endpoint = &settings.endpoint;
        match step {
            Step::FindPatient => {
                let bundle = judge::found(response, endpoint, "GET /Patient")?;
                find_order(entry, one(bundle, "Patient")?, &settings)
            }
            Step::FindOrder { patient } => {
                let bundle = judge::found(response, endpoint, "GET /ServiceRequest")?;
                let order = one(bundle, "ServiceRequest")?;
                match &entry.note {
                    Some(note) if entry.outcome == Outcome::ClosedWithNote => {
                        let document = resource::document(&entry, note, &patient, &order, &settings);
                        create(entry, Step::WriteNote { patient, order }, &document, &settings)
                    }
                    Some(_) | None => write_task(entry, patient, order, None, &settings),
                }
            }
            Step::WriteNote { patient, order } => {
                let document = judge::created(response, endpoint, "DocumentReference")?;
                write_task(entry, patient, order, Some(document), &settings)
            }
            Step::WriteTask { document, .. } => {
                let task = judge::created(response, endpoint, "Task")?;
                let references = [document.unwrap_or_default(), task];
                let references = references.into_iter().filter(|reference| !reference.is_empty()).collect();
                Ok(Turn::Done(Written { references }))
            }
            Step::Retract { mut left } => {
                judge::changed(response, endpoint, "PATCH of what is to be marked as entered in error")?;
                left.remove(0);
                retract(entry, left, &settings)
            }
        }
    }
}

fn find_patient(entry: Entry, settings: &Settings) -> Result<Turn, Failure> {
    let numbers: Vec<patient::Number> = entry
        .patient
        .iter()
        .map(|number| (number.value.as_str(), number.authority.as_str(), number.kind.as_str()))
        .collect();
    if numbers.is_empty() {
        return Err(refused("patient-unknown", "the referral carries no number of the patient's in the chart"));
    }
    let is_written = entry.note.as_ref().is_some_and(|note| !note.documents.is_empty());
    if entry.outcome == Outcome::ClosedWithNote && !is_written {
        return Err(Failure::Other("the outcome is closed-with-note, and there is no note".to_owned()));
    }
    let identifier = patient::identifier_parameter(&numbers, &settings.identifier_systems)?;
    search("Patient", &[("identifier", &identifier)], entry, Step::FindPatient, settings)
}

/// The order by its number in the ordering system, among this patient's orders only.
fn find_order(entry: Entry, patient: String, settings: &Settings) -> Result<Turn, Failure> {
    if entry.referral.is_empty() {
        return Err(refused("order-unknown", "the referral carries no order number"));
    }
    let system = settings.order_system.as_deref().unwrap_or_default();
    let numbers: Vec<String> =
        entry.referral.iter().map(|value| Identifier { system, value }.as_token_parameter()).collect();
    let step = Step::FindOrder { patient: patient.clone() };
    search("ServiceRequest", &[("patient", &patient), ("identifier", &numbers.join(","))], entry, step, settings)
}

fn write_task(
    entry: Entry,
    patient: String,
    order: String,
    document: Option<String>,
    settings: &Settings,
) -> Result<Turn, Failure> {
    let task = resource::task(&entry, &patient, &order, document.as_deref(), settings);
    create(entry, Step::WriteTask { patient, order, document }, &task, settings)
}

/// One after the other: document and Task both have the status `entered-in-error`.
fn retract(entry: Entry, left: Vec<String>, settings: &Settings) -> Result<Turn, Failure> {
    let Some(next) = left.first().cloned() else { return Ok(Turn::Done(Written { references: entry.retracts })) };
    let status = resource::entered_in_error();
    let state = remember(entry, Step::Retract { left })?;
    Ok(Turn::Ask(ask::patch(&settings.endpoint, &next, &status, state)))
}

fn search(
    resource: &str,
    query: &[(&str, &str)],
    entry: Entry,
    step: Step,
    settings: &Settings,
) -> Result<Turn, Failure> {
    let query = [query, &[("_elements", "id"), ("_count", FOUND_COUNT)]].concat();
    Ok(Turn::Ask(ask::search(&settings.endpoint, resource, &query, &REVEAL, remember(entry, step)?)))
}

fn create(entry: Entry, step: Step, resource: &serde_json::Value, settings: &Settings) -> Result<Turn, Failure> {
    let identifier = Identifier { system: &settings.identifier_system, value: &entry.id.clone() };
    Ok(Turn::Ask(ask::create_once(&settings.endpoint, resource, &identifier, remember(entry, step)?)))
}

fn remember(entry: Entry, step: Step) -> Result<String, Failure> {
    serde_json::to_string(&State { entry, step })
        .map_err(|error| Failure::Other(format!("the state cannot be written: {error}")))
}

/// The id of the one resource found.
fn one(bundle: Option<serde_json::Value>, resource: &str) -> Result<String, Failure> {
    let bundle = bundle.unwrap_or_default();
    let (unknown, ambiguous) = match resource {
        "Patient" => ("patient-unknown", "patient-ambiguous"),
        _ => ("order-unknown", "order-ambiguous"),
    };
    match read::only(&bundle, resource) {
        read::Only::One { id, .. } => Ok(id.to_owned()),
        read::Only::None => Err(refused(unknown, &format!("the chart has no {resource} by these numbers"))),
        read::Only::Several => {
            Err(refused(ambiguous, &format!("the chart has more than one {resource} by these numbers")))
        }
    }
}

fn refused(code: &str, reason: &str) -> Failure {
    Failure::Refused(Refusal { code: code.to_owned(), reason: reason.to_owned() })
}

// Only a component has exports; natively the linker stumbles over their names (`handoff:stage/write-back@0.2.0#write`).
#[cfg(target_family = "wasm")]
export!(ChartFhir);
