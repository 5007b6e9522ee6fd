//! FHIR R4: single resources, bundles, and subscription notifications that carry whole resources.

mod appointment;
mod bundle;
mod elements;
mod identity;
mod note;
mod patient;
mod service_request;
mod task;

use serde_json::Value;

use crate::answer::Fault;
use crate::reading::Meant;
use crate::settings::Settings;

pub use bundle::notification_events;
use bundle::{Bundle, Notification, list};

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
    let mut events = Vec::new();
    let mut reason = None;
    // A Patient beside one of these is what it refers to.
    let comes_alone =
        !bundle.resources().iter().any(|located| OURS.iter().any(|kind| located.value["resourceType"] == *kind));
    for located in bundle.resources() {
        if list(&located.value["identifier"]).any(|identifier| identifier["system"] == settings.own_system.as_str()) {
            reason = reason.or_else(|| Some("what Handoff itself has written to the chart".to_owned()));
            continue;
        }
        let meant = match located.value["resourceType"].as_str().unwrap_or_default() {
            "ServiceRequest" => service_request::read(&bundle, located, settings)?,
            "Task" => task::read(&bundle, located)?,
            "Appointment" => appointment::read(&bundle, located)?,
            "DocumentReference" => note::read_document(&bundle, located)?,
            "DiagnosticReport" => note::read_report(&bundle, located)?,
            "Patient" if comes_alone => identity::read(&bundle, located)?,
            _ => continue,
        };
        match meant {
            Meant::Events(more) => events.extend(more),
            Meant::NotForUs(why) => reason = reason.or(Some(why)),
        }
    }
    if !events.is_empty() {
        return Ok(Meant::Events(events));
    }
    Ok(Meant::NotForUs(
        reason.unwrap_or_else(|| "nothing of a referral, a visit, a note or a patient in it".to_owned()),
    ))
}
