//! The two resources that we write.

use fhir::ask::Identifier;
use fhir::write::{CONSULT_NOTE, LOINC, concept, identifier, logical_reference, provider_system, reference};
use moment::rfc3339;
use serde_json::{Value, json};

use crate::outcome::{BUSINESS_STATUS, wording};
use crate::settings::Settings;
use crate::{Document, Entry, Note, Provider};

const CATEGORY: &str = "http://hl7.org/fhir/us/core/CodeSystem/us-core-documentreference-category";

/// The note itself, whole (FHIR R4, "DocumentReference"; US Core, clinical notes). What it takes the place of, the server marks
/// as superseded.
pub fn document(entry: &Entry, note: &Note, patient: &str, order: &str, settings: &Settings) -> Value {
    let mut document = json!({
        "resourceType": "DocumentReference",
        "identifier": identifier(&own(entry, settings)),
        "status": "current",
        "docStatus": "final",
        "type": kind(note),
        "category": [concept(CATEGORY, "clinical-note", "Clinical Note")],
        "subject": reference("Patient", patient),
        "date": rfc3339(note.written_at.unwrap_or(note.received_at)),
        "content": note.documents.iter().map(content).collect::<Vec<_>>(),
        "context": { "related": [reference("ServiceRequest", order)] },
    });
    if let Some(author) = clinician(note.author.as_ref()).or_else(|| specialist(entry)) {
        document["author"] = json!([author]);
    }
    let replaced = note.replaces.iter().filter(|reference| reference.starts_with("DocumentReference/"));
    let replaced: Vec<Value> =
        replaced.map(|reference| json!({ "code": "replaces", "target": { "reference": reference } })).collect();
    if !replaced.is_empty() {
        document["relatesTo"] = json!(replaced);
    }
    if let Some(visited_at) = entry.visited_at {
        document["context"]["period"] = json!({ "start": rfc3339(visited_at) });
    }
    document
}

/// The referral's end. CMS50 wants of it: status `completed`, code Consultant Report, basedOn the order, and an
/// executionPeriod that ends after the order, within the year.
pub fn task(entry: &Entry, patient: &str, order: &str, document: Option<&str>, settings: &Settings) -> Value {
    let wording = wording(entry.outcome);
    let (business_code, business_display) = wording.business_status;
    let end = entry.note.as_ref().map_or(entry.now, |note| note.received_at);
    let start = entry.visited_at.unwrap_or(entry.ordered_at).min(end);
    let mut task = json!({
        "resourceType": "Task",
        "identifier": identifier(&own(entry, settings)),
        "basedOn": [reference("ServiceRequest", order)],
        "status": wording.status,
        "businessStatus": concept(BUSINESS_STATUS, business_code, business_display),
        "intent": "order",
        "code": concept(LOINC, CONSULT_NOTE.0, CONSULT_NOTE.1),
        "focus": reference("ServiceRequest", order),
        "for": reference("Patient", patient),
        "executionPeriod": { "start": rfc3339(start), "end": rfc3339(end) },
        "authoredOn": rfc3339(entry.ordered_at),
        "lastModified": rfc3339(entry.now),
    });
    if !wording.reason.is_empty() {
        task["statusReason"] = json!({ "text": wording.reason });
    }
    if let Some(specialist) = specialist(entry) {
        task["owner"] = specialist;
    }
    if let Some(document) = document {
        let value = match document {
            "" => logical_reference("DocumentReference", &settings.identifier_system, &entry.id, ""),
            document => json!({ "reference": document }),
        };
        let kind = entry.note.as_ref().map_or_else(|| concept(LOINC, CONSULT_NOTE.0, CONSULT_NOTE.1), kind);
        task["output"] = json!([{ "type": kind, "valueReference": value }]);
    }
    task
}

/// JSON Patch (RFC 6902; FHIR R4, 3.1.0.6): nothing else of what was written is touched.
pub fn entered_in_error() -> Value {
    json!([{ "op": "replace", "path": "/status", "value": "entered-in-error" }])
}

/// LOINC's document type as the sender gave it, else a consult note, for that is what was asked for.
fn kind(note: &Note) -> Value {
    let is_loinc = matches!(note.kind.system.as_str(), LOINC | "LN" | "LOINC" | "urn:oid:2.16.840.1.113883.6.1");
    if is_loinc && !note.kind.code.is_empty() {
        concept(LOINC, &note.kind.code, &note.kind.display)
    } else {
        concept(LOINC, CONSULT_NOTE.0, CONSULT_NOTE.1)
    }
}

/// One attachment, its bytes a token until egress.
fn content(document: &Document) -> Value {
    let mut attachment = json!({ "contentType": document.media_type, "data": document.content });
    if !document.title.is_empty() {
        attachment["title"] = json!(document.title);
    }
    json!({ "attachment": attachment })
}

fn specialist(entry: &Entry) -> Option<Value> {
    clinician(entry.specialist.as_ref())
}

fn clinician(provider: Option<&Provider>) -> Option<Value> {
    let provider = provider?;
    let name = if provider.name.is_empty() { &provider.organization } else { &provider.name };
    let is_known = !provider.id.is_empty() || !name.is_empty();
    is_known.then(|| logical_reference("Practitioner", provider_system(&provider.id), &provider.id, name))
}

fn own<'a>(entry: &'a Entry, settings: &'a Settings) -> Identifier<'a> {
    Identifier { system: &settings.identifier_system, value: &entry.id }
}
