//! FHIR R4: single resources, bundles, and subscription notifications that carry whole resources.

mod appointment;
mod bundle;
mod elements;
mod identity;
pub mod mapped;
mod note;
pub mod path;
mod patient;
mod service_request;
mod task;

use serde_json::Value;

use crate::answer::Fault;
use crate::reading::Meant;
use crate::settings::Settings;

pub use bundle::notification_events;
use bundle::{Bundle, Located, Notification, list};
use mapped::Site;

/// What we have something to say about, for a delivery's kind.
pub const KINDS: [&str; 10] = [
    "ServiceRequest",
    "Appointment",
    "DocumentReference",
    "DiagnosticReport",
    "Task",
    "Bundle",
    "Parameters",
    "SubscriptionStatus",
    "Patient",
    "Encounter",
];

/// What has a meaning of its own.
const OURS: [&str; 5] = ["ServiceRequest", "Task", "Appointment", "DocumentReference", "DiagnosticReport"];

pub fn read(document: &Value, settings: &Settings) -> Result<Meant, Fault> {
    let bundle = Bundle::of(document);
    match bundle.notification() {
        Some(Notification::Signal) => return Ok(Meant::NotForUs("a subscription's handshake or heartbeat".to_owned())),
        Some(Notification::IdOnly) => {
            return Err(Fault::content(
                "/entry",
                "the notification names resources and does not carry them",
                "set the subscription's payload content to full-resource; a sender that cannot is of no use here",
            ));
        }
        Some(Notification::Full) | None => {}
    }
    // A Patient beside one of these is what it refers to.
    let comes_alone = !bundle.resources().iter().any(|it| OURS.iter().any(|kind| it.value["resourceType"] == *kind));
    let mut read = Vec::new();
    for located in bundle.resources().iter().filter(|located| !located.is_included) {
        let site = Site { bundle: &bundle, located, settings };
        if let Some(meant) = resource(site, comes_alone) {
            read.push((located, meant));
        }
    }
    // All of a transaction or nothing (FHIR R4, 3.1.0.11.2).
    if document["type"] == "transaction"
        && let Some(at) = read.iter().position(|(_, meant)| meant.is_err())
    {
        return read.swap_remove(at).1;
    }
    let is_at_fault = read.iter().any(|(_, meant)| meant.is_err());
    let alone = |located: &Located<'_>| if is_at_fault { bundle.alone(located) } else { Value::Null };
    let read = read.into_iter().map(|(located, meant)| (alone(located), meant));
    Meant::of_several(read.collect(), "nothing of a referral, a visit, a note or a patient in it")
}

/// Nothing where such a resource says nothing by itself.
fn resource(site: Site<'_, '_>, comes_alone: bool) -> Option<Result<Meant, Fault>> {
    let Site { located, settings, .. } = site;
    if list(&located.value["identifier"]).any(|identifier| identifier["system"] == settings.own_system.as_str()) {
        return Some(Ok(Meant::NotForUs("what Handoff itself has written to the chart".to_owned())));
    }
    Some(match located.value["resourceType"].as_str().unwrap_or_default() {
        "ServiceRequest" => service_request::read(site),
        "Task" => task::read(site),
        "Appointment" => appointment::read(site),
        "DocumentReference" => note::read_document(site),
        "DiagnosticReport" => note::read_report(site),
        "Patient" if comes_alone => identity::read(site),
        _ => return None,
    })
}
