//! The pieces that every resource we write is made of.

use serde_json::{Value, json};

use crate::ask::Identifier;

pub const LOINC: &str = "http://loinc.org";
/// Names of clinicians in the United States (National Provider Identifier).
pub const NPI: &str = "http://hl7.org/fhir/sid/us-npi";

/// LOINC's consult note: the code by which CMS50 finds the report.
pub const CONSULT_NOTE: (&str, &str) = ("11488-4", "Consult note");

pub fn identifier(identifier: &Identifier) -> Value {
    json!([{ "use": "official", "system": identifier.system, "value": identifier.value }])
}

pub fn concept(system: &str, code: &str, display: &str) -> Value {
    let mut coding = json!({ "system": system, "code": code });
    if !display.is_empty() {
        coding["display"] = json!(display);
    }
    json!({ "coding": [coding] })
}

pub fn reference(resource: &str, id: &str) -> Value {
    json!({ "reference": format!("{resource}/{id}") })
}

/// A reference by business identifier, for what we know but the server's id of (FHIR R4, "Logical references").
pub fn logical_reference(resource: &str, system: &str, value: &str, display: &str) -> Value {
    let mut reference = json!({ "type": resource });
    if !value.is_empty() {
        let mut identifier = json!({ "value": value });
        if !system.is_empty() {
            identifier["system"] = json!(system);
        }
        reference["identifier"] = identifier;
    }
    if !display.is_empty() {
        reference["display"] = json!(display);
    }
    reference
}

/// A clinician's identifier system: ten digits that pass the NPI's check, or unsaid.
pub fn provider_system(id: &str) -> &'static str {
    if is_npi(id) { NPI } else { "" }
}

/// The Luhn sum over `80840` and the ten digits (45 CFR 162.406; NPI Standard, check digit).
fn is_npi(id: &str) -> bool {
    if id.len() != 10 || !id.bytes().all(|byte| byte.is_ascii_digit()) {
        return false;
    }
    // 24 is what the prefix 80840 adds.
    let sum = id.bytes().rev().enumerate().fold(24, |sum, (place, digit)| {
        let digit = u32::from(digit - b'0');
        let worth = if place % 2 == 1 { digit * 2 } else { digit };
        sum + worth / 10 + worth % 10
    });
    sum % 10 == 0
}
