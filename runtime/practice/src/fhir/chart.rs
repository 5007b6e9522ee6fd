//! What the chart holds: resources made from what the practice knows, and resources written by others.

use std::collections::{BTreeMap, BTreeSet};

use chrono::Duration;
use serde_json::{Value, json};

use crate::dice::name_of;
use crate::people::SimulatedPatient;
use crate::town::{SimulationState, VisitStatus};

/// Identifier system of patients' record numbers (PID-3, authority `NPC`).
pub const RECORD_SYSTEM: &str = "urn:northside:record-number";
/// Identifier system of orders (RF1-6, SCH-26).
pub const REFERRAL_SYSTEM: &str = "urn:northside:referral";
/// Identifier system of visits (SCH-1).
pub const APPOINTMENT_SYSTEM: &str = "urn:regionsched:appointment";

/// Resources that others have written.
#[derive(Default)]
pub(crate) struct Chart {
    /// By type and id.
    resources: BTreeMap<(String, String), Value>,
    /// Types and ids by the value of an identifier: each create asks first whether there is one already.
    identified: BTreeMap<String, BTreeSet<(String, String)>>,
}

impl Chart {
    pub fn of_kind(&self, kind: &str) -> impl Iterator<Item = &Value> {
        self.resources.iter().filter(move |((of, _), _)| of == kind).map(|(_, resource)| resource)
    }

    /// Those of a type that have one of the listed identifiers, whatever their system.
    pub fn identified(&self, kind: &str, list: &str) -> impl Iterator<Item = &Value> {
        let values = list.split(',').map(|one| one.split_once('|').map_or(one, |(_, value)| value));
        let names: BTreeSet<_> = values.filter_map(|value| self.identified.get(value)).flatten().collect();
        names.into_iter().filter(move |(of, _)| of == kind).filter_map(|name| self.resources.get(name))
    }

    pub fn get(&self, kind: &str, id: &str) -> Option<&Value> {
        self.resources.get(&(kind.to_string(), id.to_string()))
    }

    pub fn keep(&mut self, resource: Value) {
        let text = |key: &str| resource[key].as_str().unwrap_or_default().to_string();
        let name = (text("resourceType"), text("id"));
        for value in identifiers(&resource).filter_map(|identifier| identifier["value"].as_str()) {
            self.identified.entry(value.to_string()).or_default().insert(name.clone());
        }
        self.resources.insert(name, resource);
    }

    /// From the content, so that the order in which concurrent writes arrive does not matter.
    pub fn free_id(&self, kind: &str, body: &Value) -> String {
        let content = body.to_string();
        let mut nth = 0u32;
        loop {
            let id = name_of(&[&content, &nth.to_string()])[..12].to_string();
            if self.get(kind, &id).is_none() {
                return id;
            }
            nth += 1;
        }
    }
}

/// How a search parameter matches.
type Matches = fn(&Value, &str) -> bool;

pub(super) fn parameter(name: &str) -> Option<Matches> {
    match name {
        "_id" => Some(|resource, value| resource["id"] == value),
        "identifier" => Some(|resource, value| {
            identifiers(resource).any(|found| value.split(',').any(|wanted| token(found, "value", wanted)))
        }),
        "status" => Some(|resource, value| value.split(',').any(|wanted| resource["status"] == wanted)),
        "patient" | "subject" | "beneficiary" | "patient:Patient" | "subject:Patient" => Some(|resource, value| {
            let wanted = value.trim_start_matches("Patient/");
            ["patient", "subject", "beneficiary", "for"]
                .iter()
                .any(|element| resource[*element]["reference"].as_str() == Some(&format!("Patient/{wanted}")))
                || participants(resource).any(|reference| reference == format!("Patient/{wanted}"))
        }),
        "based-on" => Some(|resource, value| {
            let based = resource["basedOn"].as_array().map_or(&[][..], Vec::as_slice);
            based.iter().any(|basis| basis["reference"] == value)
        }),
        _ => None,
    }
}

fn identifiers(resource: &Value) -> impl Iterator<Item = &Value> {
    let identifiers = resource["identifier"].as_array().map_or(&[][..], Vec::as_slice);
    identifiers.iter().chain([&resource["masterIdentifier"]])
}

fn participants(resource: &Value) -> impl Iterator<Item = &str> {
    let participants = resource["participant"].as_array().map_or(&[][..], Vec::as_slice);
    participants.iter().filter_map(|participant| participant["actor"]["reference"].as_str())
}

/// `system|value`, `|value`, `value`: FHIR R4 section 3.1.1.4.10.
fn token(identifier: &Value, element: &str, wanted: &str) -> bool {
    match wanted.split_once('|') {
        Some((system, value)) => {
            identifier[element] == value && identifier["system"].as_str().unwrap_or_default() == system
        }
        None => !wanted.is_empty() && identifier[element] == wanted,
    }
}

/// The query of an `If-None-Exist` header, percent-decoded.
pub(super) fn query(text: &str) -> BTreeMap<String, String> {
    let text = text.split_once('?').map_or(text, |(_, query)| query);
    text.split('&')
        .filter_map(|pair| pair.split_once('='))
        .map(|(name, value)| (name.to_string(), decoded(value)))
        .collect()
}

fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((byte, after)) = rest.split_first() {
        let escaped = after.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
        match (byte, escaped.and_then(|digits| u8::from_str_radix(digits, 16).ok())) {
            (b'%', Some(value)) => {
                bytes.push(value);
                rest = &after[2..];
            }
            (byte, _) => {
                bytes.push(if *byte == b'+' { b' ' } else { *byte });
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

impl SimulationState {
    /// The resources of one kind that the practice keeps of this person.
    pub(super) fn known(&self, kind: &str, index: usize) -> Vec<Value> {
        let person = &self.people[index];
        match kind {
            "Patient" => vec![patient(person)],
            "Consent" => vec![consent(person)],
            "Coverage" => vec![coverage(person)],
            // An order is in the chart from the moment it is signed.
            "ServiceRequest" if person.referral.ordered_at <= self.now => vec![self.service_request(index)],
            "Appointment" => self.appointments(index),
            _ => Vec::new(),
        }
    }

    fn service_request(&self, index: usize) -> Value {
        let person = &self.people[index];
        let referral = &person.referral;
        json!({
            "resourceType": "ServiceRequest",
            "id": format!("sr-{}", &referral.number[2..]),
            "identifier": [{ "system": REFERRAL_SYSTEM, "value": referral.number }],
            "status": if self.courses[index].withdrawn { "revoked" } else { "active" },
            "intent": "order",
            "priority": if referral.urgent { "asap" } else { "routine" },
            "code": { "coding": [{ "system": "http://www.ama-assn.org/go/cpt", "code": referral.specialty.service.0 }], "text": referral.specialty.service.1 },
            "subject": { "reference": format!("Patient/{}", patient_id(person)) },
            "authoredOn": referral.ordered_at.to_rfc3339(),
            "performerType": { "coding": [{ "system": "http://nucc.org/provider-taxonomy", "code": referral.specialty.code }], "text": referral.specialty.name },
            "performer": [{ "display": self.roster[referral.specialist].name }],
        })
    }

    fn appointments(&self, index: usize) -> Vec<Value> {
        let person = &self.people[index];
        let visits = self.courses[index].visits.iter();
        visits
            .map(|visit| {
                let slot = &visit.slot;
                let status = match visit.status {
                    VisitStatus::Booked => "booked",
                    VisitStatus::Cancelled => "cancelled",
                    VisitStatus::Arrived => "arrived",
                    VisitStatus::Fulfilled => "fulfilled",
                    VisitStatus::Missed => "noshow",
                };
                json!({
                    "resourceType": "Appointment",
                    "id": slot.number.to_lowercase(),
                    "identifier": [
                        { "system": APPOINTMENT_SYSTEM, "value": slot.number },
                        { "system": REFERRAL_SYSTEM, "value": person.referral.number },
                    ],
                    "status": status,
                    "start": slot.starts_at.to_rfc3339(),
                    "end": (slot.starts_at + Duration::minutes(i64::from(slot.minutes))).to_rfc3339(),
                    "minutesDuration": slot.minutes,
                    "basedOn": [{ "reference": format!("ServiceRequest/sr-{}", &person.referral.number[2..]) }],
                    "participant": [
                        { "actor": { "reference": format!("Patient/{}", patient_id(person)) }, "status": "accepted" },
                        { "actor": { "display": self.roster[slot.specialist].name }, "status": "accepted" },
                    ],
                })
            })
            .collect()
    }
}

/// The chart's id for a patient.
pub(crate) fn patient_id(person: &SimulatedPatient) -> String {
    let first = person.annals.former_record.as_ref().map_or(&person.record_number, |(number, _)| number);
    first.replace("MRN", "pt-")
}

fn patient(person: &SimulatedPatient) -> Value {
    let numbers = [Some(&person.record_number), person.annals.former_record.as_ref().map(|(number, _)| number)];
    let identifiers = numbers.into_iter().flatten().map(|number| {
        json!({
            "type": { "coding": [{ "system": "http://terminology.hl7.org/CodeSystem/v2-0203", "code": "MR" }] },
            "system": RECORD_SYSTEM,
            "value": number,
        })
    });
    json!({
        "resourceType": "Patient",
        "id": patient_id(person),
        "identifier": identifiers.collect::<Vec<_>>(),
        "active": true,
        "name": [{ "use": "official", "family": person.family, "given": [person.given] }],
        "telecom": [
            { "system": "phone", "value": person.number_in_chart(), "use": "mobile", "rank": 1 },
            { "system": "email", "value": person.email, "rank": 2 },
        ],
        "gender": if person.sex == 'F' { "female" } else { "male" },
        "birthDate": person.born.to_string(),
        "deceasedBoolean": person.annals.dead,
        "address": [{
            "use": "home",
            "line": [person.street],
            "city": person.home.city,
            "state": person.home.state,
            "postalCode": person.home.postal_code,
            "country": "US",
        }],
        "communication": [{
            "language": {
                "coding": [{ "system": "urn:ietf:bcp:47", "code": person.language.tag() }],
                "text": person.language.name(),
            },
            "preferred": true,
        }],
    })
}

fn consent(person: &SimulatedPatient) -> Value {
    json!({
        "resourceType": "Consent",
        "id": patient_id(person).replace("pt-", "consent-"),
        "status": "active",
        "scope": { "coding": [{ "system": "http://terminology.hl7.org/CodeSystem/consentscope", "code": "patient-privacy" }] },
        "category": [
            { "coding": [{ "system": "http://loinc.org", "code": "59284-0", "display": "Consent Document" }] },
            { "coding": [{ "system": "urn:northside:consent", "code": "text-message" }], "text": "Text messages" },
        ],
        "patient": { "reference": format!("Patient/{}", patient_id(person)) },
        "dateTime": "2026-01-05",
        "provision": { "type": if person.nature.consents { "permit" } else { "deny" } },
    })
}

fn coverage(person: &SimulatedPatient) -> Value {
    json!({
        "resourceType": "Coverage",
        "id": patient_id(person).replace("pt-", "coverage-"),
        "status": "active",
        "subscriberId": person.member_id,
        "beneficiary": { "reference": format!("Patient/{}", patient_id(person)) },
        "payor": [{ "display": person.health_plan.payer }],
        "class": [{
            "type": { "coding": [{ "system": "http://terminology.hl7.org/CodeSystem/coverage-class", "code": "plan" }] },
            "value": person.health_plan.id,
            "name": person.health_plan.name,
        }],
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_match_with_and_without_their_system() {
        let task = json!({ "identifier": [{ "system": "urn:h", "value": "L-1" }] });
        let matches = parameter("identifier").expect("known");
        for (wanted, expected) in
            [("urn:h|L-1", true), ("L-1", true), ("urn:x|L-1", false), ("|L-1", false), ("L-2,L-1", true), ("", false)]
        {
            assert_eq!(matches(&task, wanted), expected, "{wanted}");
        }
        assert!(parameter("_lastUpdated").is_none());
    }

    #[test]
    fn conditions_are_percent_decoded() {
        assert_eq!(query("Task?identifier=urn%3Ah%7CL-1").get("identifier").map(String::as_str), Some("urn:h|L-1"));
        assert_eq!(query("identifier=100%").get("identifier").map(String::as_str), Some("100%"));
    }
}
