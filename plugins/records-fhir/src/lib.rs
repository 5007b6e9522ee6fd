//! Reads addresses, languages and consents from a FHIR R4 chart.

// The allocator of the component: an instance lives for one call.
use bump as _;

mod chart;
mod consent;
mod settings;

wit_bindgen::generate!({
    path: "../../wit",
    world: "records",
    additional_derives: [PartialEq, serde::Serialize, serde::Deserialize],
    with: {
        "handoff:stage/types@0.2.0": fhir::wit::types,
        "handoff:stage/exchange@0.2.0": fhir::wit::exchange,
    },
});

pub use exports::handoff::stage::retrieval::{Consent, Guest, PatientIdentifier, PatientRecord, Query, Reach, Turn};
pub use fhir::wit::exchange::{Ask, HttpRequest, HttpResponse, MailResponse, Request, Response};
pub use fhir::wit::types::{ChannelKind, Failure};

use fhir::{ask, judge, patient, read};
use serde::{Deserialize, Serialize};
use settings::Settings;

pub struct RecordsFhir;

/// Where the conversation stands.
#[derive(Serialize, Deserialize)]
enum State {
    Patient { consents_wanted: bool },
    Consents { record: PatientRecord },
}

/// Pages are never turned: nobody has so many consents, and of patients there must be one.
const PATIENTS_COUNT: &str = "2";
const CONSENTS_COUNT: &str = "100";

impl Guest for RecordsFhir {
    fn retrieve(query: Query, settings: String) -> Result<Turn, Failure> {
        let settings = Settings::read(&settings)?;
        let numbers: Vec<patient::Number> = query
            .patient
            .iter()
            .map(|number| (number.value.as_str(), number.authority.as_str(), number.kind.as_str()))
            .collect();
        if numbers.is_empty() {
            return Ok(Turn::Done(None));
        }
        let identifier = patient::identifier_parameter(&numbers, &settings.identifier_systems)?;
        let state = State::Patient {
            consents_wanted: query.wanted.is_empty() || query.wanted.iter().any(|field| field == "consent"),
        };
        let parameters =
            [("identifier", identifier.as_str()), ("_elements", chart::ELEMENTS), ("_count", PATIENTS_COUNT)];
        Ok(Turn::Ask(ask::search(&settings.endpoint, "Patient", &parameters, &chart::REVEAL, write(&state))))
    }

    fn resume(state: String, response: Response, settings: String) -> Result<Turn, Failure> {
        let settings = Settings::read(&settings)?;
        match fhir::settings::read_state(&state)? {
            State::Patient { consents_wanted } => match judge::found(response, &settings.endpoint, "GET /Patient")? {
                None => Ok(Turn::Done(None)),
                Some(bundle) => patient_found(&bundle, consents_wanted, &settings),
            },
            State::Consents { mut record } => {
                // 404: a chart that keeps no consents; the rest of the record stands.
                if let Some(bundle) = judge::found(response, &settings.endpoint, "GET /Consent")? {
                    if read::has_next_page(&bundle) {
                        return Err(Failure::Other("the patient has more consents than one page holds".to_owned()));
                    }
                    record.consents = consent::read(&bundle, &settings.consent_codes);
                }
                Ok(Turn::Done(Some(record)))
            }
        }
    }
}

fn patient_found(bundle: &serde_json::Value, consents_wanted: bool, settings: &Settings) -> Result<Turn, Failure> {
    match read::only(bundle, "Patient") {
        read::Only::None => Ok(Turn::Done(None)),
        read::Only::Several => Err(Failure::Refused(fhir::wit::types::Refusal {
            code: "ambiguous".to_owned(),
            reason: "the patient's numbers belong to more than one Patient in the chart".to_owned(),
        })),
        read::Only::One { id, resource } => {
            let record = chart::record(resource, settings);
            if !consents_wanted || record.deceased {
                return Ok(Turn::Done(Some(record)));
            }
            let parameters = [("patient", id), ("status", "active,rejected"), ("_count", CONSENTS_COUNT)];
            let state = write(&State::Consents { record });
            Ok(Turn::Ask(ask::search(&settings.endpoint, "Consent", &parameters, &consent::REVEAL, state)))
        }
    }
}

fn write(state: &State) -> String {
    serde_json::to_string(state).unwrap_or_default()
}

// Only a component has exports; natively the linker stumbles over their names (`handoff:stage/retrieval@0.2.0#resume`).
#[cfg(target_family = "wasm")]
export!(RecordsFhir);
