//! The Task resource (FHIR R4, "Task").

use fhir::ask::Identifier;
use fhir::write;
use moment::rfc3339;
use serde_json::{Value, json};

use crate::settings::Settings;
use crate::{Audience, Task};

/// References to patient and order are by their numbers: this plugin looks nothing up, and a person is waiting.
pub fn resource(task: &Task, identifier: &Identifier, settings: &Settings) -> Value {
    let mut resource = json!({
        "resourceType": "Task",
        "identifier": write::identifier(identifier),
        "status": "requested",
        "intent": "order",
        "priority": if task.urgent { "urgent" } else { "routine" },
        "code": { "text": task.kind },
        "description": task.summary,
        "authoredOn": rfc3339(task.now),
        "lastModified": rfc3339(task.now),
        "performerType": [{ "text": performer(task.audience) }],
        "restriction": { "period": { "end": rfc3339(task.due_at) } },
    });
    if let Some(number) = task.patient.first() {
        resource["for"] = write::logical_reference("Patient", &settings.patient_system, number, "");
    }
    if let Some(number) = task.referral.first() {
        resource["focus"] = write::logical_reference("ServiceRequest", &settings.order_system, number, "");
    }
    if let Some(owner) = owner(task, settings) {
        resource["owner"] = owner;
    }
    resource
}

/// The person named, else whoever works for this audience.
fn owner(task: &Task, settings: &Settings) -> Option<Value> {
    let named = task.to.as_ref().filter(|person| !person.id.is_empty());
    named
        .map(|person| {
            write::logical_reference("Practitioner", write::provider_system(&person.id), &person.id, &person.name)
        })
        .or_else(|| settings.owners.of(task.audience).map(|owner| json!({ "reference": owner })))
        .or_else(|| {
            let person = task.to.as_ref().filter(|person| !person.name.is_empty())?;
            Some(write::logical_reference("Practitioner", "", "", &person.name))
        })
}

fn performer(audience: Audience) -> &'static str {
    match audience {
        Audience::Physician => "Referring physician",
        Audience::Coordinator => "Referral coordinator",
        Audience::Specialist => "Specialist's office",
    }
}
