//! What a Patient resource says about reaching the patient.

use fhir::read::{codes, list};
use serde_json::Value;

use crate::settings::Settings;
use crate::{ChannelKind, PatientRecord, Reach};

/// The minimum necessary: no name, no birth date, no contacts.
pub const ELEMENTS: &str = "id,telecom,communication,deceased,address";

/// Read in clear: kinds and codes. The id, numbers and addresses stay sealed; a token serves the next search as well.
pub const REVEAL: [&str; 6] = [
    "entry[].resource.resourceType",
    "entry[].resource.telecom[].system",
    "entry[].resource.telecom[].use",
    "entry[].resource.communication[].language.coding[].code",
    "entry[].resource.address[].use",
    "link[].relation",
];

pub fn record(patient: &Value, settings: &Settings) -> PatientRecord {
    let mut points: Vec<&Value> = list(&patient["telecom"]).collect();
    points.sort_by_key(|point| rank(point));
    let reaches: Vec<(u64, Reach)> =
        points.iter().filter_map(|point| Some((rank(point), reach(point, settings)?))).collect();
    PatientRecord {
        // FHIR R4, ContactPoint.rank: 1 is preferred. Without it the order says nothing.
        preferred_channel: reaches.first().filter(|(rank, _)| *rank == 1).map(|(_, reach)| reach.channel),
        reaches: reaches.into_iter().map(|(_, reach)| reach).collect(),
        languages: languages(patient),
        consents: vec![],
        deceased: patient["deceasedBoolean"] == true || patient["deceasedDateTime"].is_string(),
        postal_code: postal_code(patient),
        extras: vec![],
    }
}

fn rank(point: &Value) -> u64 {
    point["rank"].as_u64().unwrap_or(u64::MAX)
}

fn reach(point: &Value, settings: &Settings) -> Option<Reach> {
    let address = point["value"].as_str().filter(|value| !value.is_empty())?.to_owned();
    let channel = match (point["system"].as_str()?, point["use"].as_str()) {
        (_, Some("old")) => return None,
        ("sms", _) | ("phone", Some("mobile")) => ChannelKind::Sms,
        ("phone", _) if settings.text_unmarked_phones => ChannelKind::Sms,
        ("email", _) => ChannelKind::Email,
        _ => return None,
    };
    Some(Reach { channel, address })
}

/// Preferred ones first, otherwise in the chart's order.
fn languages(patient: &Value) -> Vec<String> {
    let mut communications: Vec<&Value> = list(&patient["communication"]).collect();
    communications.sort_by_key(|communication| communication["preferred"] != true);
    let mut languages: Vec<String> = vec![];
    for language in communications.iter().map(|communication| &communication["language"]) {
        // In words where there is no code: they arrive as a token, and the host reads them.
        let words = [&language["coding"][0]["display"], &language["text"]].into_iter().filter_map(Value::as_str);
        let mut said: Vec<&str> = codes(language).collect();
        if said.is_empty() {
            said.extend(words.take(1));
        }
        for language in said {
            if !languages.iter().any(|known| known == language) {
                languages.push(language.to_owned());
            }
        }
    }
    languages
}

/// Of the home where there is one: it gives the time zone.
fn postal_code(patient: &Value) -> Option<String> {
    let mut addresses: Vec<&Value> = list(&patient["address"]).filter(|address| address["use"] != "old").collect();
    addresses.sort_by_key(|address| address["use"] != "home");
    addresses.iter().find_map(|address| address["postalCode"].as_str().or(address["state"].as_str())).map(str::to_owned)
}
