//! Asks a FHIR R4 scheduling system whether the patient attended: first the Appointment, then the Encounter.

// The allocator of the component: an instance lives for one call.
use bump as _;

mod appointment;
mod settings;

wit_bindgen::generate!({
    path: "../../wit",
    world: "visit",
    additional_derives: [PartialEq, serde::Serialize, serde::Deserialize],
    with: {
        "handoff:stage/types@0.2.0": fhir::wit::types,
        "handoff:stage/exchange@0.2.0": fhir::wit::exchange,
    },
});

pub use exports::handoff::stage::attendance::{Finding, Guest, Heard, Turn, Visit};
pub use fhir::wit::exchange::{Ask, Body, HttpRequest, HttpResponse, MailResponse, Method, Request, Response};
pub use fhir::wit::types::{Attribute, Failure};

use fhir::ask::{self, Identifier};
use fhir::{judge, read};
use serde::{Deserialize, Serialize};
use settings::Settings;

pub struct VisitFhir;

#[derive(Serialize, Deserialize)]
struct State {
    visit: Visit,
    asked: Asked,
}

#[derive(Serialize, Deserialize)]
enum Asked {
    Appointment,
    Encounter,
}

/// Read in clear: how the visit stands and when it is. The workflow knows the time already.
const APPOINTMENT_REVEAL: [&str; 3] =
    ["entry[].resource.resourceType", "entry[].resource.status", "entry[].resource.start"];
const ENCOUNTER_REVEAL: [&str; 3] =
    ["entry[].resource.resourceType", "entry[].resource.status", "entry[].resource.period.start"];

/// A referral has one visit, seldom moved more than a few times.
const COUNT: &str = "20";

impl Guest for VisitFhir {
    fn check(visit: Visit, settings: String) -> Result<Turn, Failure> {
        let settings = Settings::read(&settings)?;
        if let Some(at) = attended_by_feed(&visit) {
            return Ok(Turn::Done(Finding::Attended(at)));
        }
        let (parameter, numbers) = match (&visit.appointment[..], &visit.referral[..]) {
            ([], []) => return Ok(Turn::Done(Finding::Open(settings.again_hours))),
            ([], orders) => ("based-on:ServiceRequest.identifier", numbers(orders, settings.order_system()?)),
            (appointments, _) => ("identifier", numbers(appointments, settings.appointment_system()?)),
        };
        let query = [(parameter, numbers.as_str()), ("_elements", "status,start"), ("_count", COUNT)];
        let state = remember(visit, Asked::Appointment)?;
        Ok(Turn::Ask(ask::search(&settings.endpoint, "Appointment", &query, &APPOINTMENT_REVEAL, state)))
    }

    fn resume(state: String, response: Response, settings: String) -> Result<Turn, Failure> {
        let settings = Settings::read(&settings)?;
        let State { visit, asked } = fhir::settings::read_state(&state)?;
        match asked {
            Asked::Appointment => {
                let bundle = judge::found(response, &settings.endpoint, "GET /Appointment")?.unwrap_or_default();
                match appointment::finding(read::resources(&bundle, "Appointment"), &visit) {
                    Some(finding) => Ok(Turn::Done(finding)),
                    None if settings.encounters && !visit.appointment.is_empty() => ask_encounter(visit, &settings),
                    None => Ok(Turn::Done(Finding::Open(settings.again_hours))),
                }
            }
            Asked::Encounter => {
                let bundle = judge::found(response, &settings.endpoint, "GET /Encounter")?.unwrap_or_default();
                let attended = appointment::encountered(read::resources(&bundle, "Encounter"), &visit);
                Ok(Turn::Done(attended.map_or(Finding::Open(settings.again_hours), Finding::Attended)))
            }
        }
    }
}

/// Front desks forget to close an appointment; the clinician's Encounter knows better.
fn ask_encounter(visit: Visit, settings: &Settings) -> Result<Turn, Failure> {
    let numbers = numbers(&visit.appointment, settings.appointment_system()?);
    let query = [("appointment.identifier", numbers.as_str()), ("_elements", "status,period"), ("_count", COUNT)];
    let state = remember(visit, Asked::Encounter)?;
    Ok(Turn::Ask(ask::search(&settings.endpoint, "Encounter", &query, &ENCOUNTER_REVEAL, state)))
}

/// What the feed has said last about coming: no need to ask.
fn attended_by_feed(visit: &Visit) -> Option<i64> {
    visit.heard.iter().rev().find_map(|heard| match heard.what.as_str() {
        "arrived" | "completed" => Some(Some(heard.at)),
        "note" => Some(Some(visit.starts_at)),
        "booked" | "no-show" => Some(None),
        _ => None,
    })?
}

fn numbers(values: &[String], system: &str) -> String {
    let numbers: Vec<String> = values.iter().map(|value| Identifier { system, value }.as_token_parameter()).collect();
    numbers.join(",")
}

fn remember(visit: Visit, asked: Asked) -> Result<String, Failure> {
    serde_json::to_string(&State { visit, asked })
        .map_err(|error| Failure::Other(format!("the state cannot be written: {error}")))
}

// Only a component has exports; natively the linker stumbles over their names (`handoff:stage/attendance@0.2.0#check`).
#[cfg(target_family = "wasm")]
export!(VisitFhir);
