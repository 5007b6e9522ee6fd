//! FHIR R4: single resources, bundles, and subscription notifications that carry whole resources.

mod appointment;
mod bundle;
mod elements;
mod note;
mod patient;
mod service_request;
mod task;

use serde_json::Value;

use crate::answer::Fault;
use crate::reading::Meant;
use crate::settings::Settings;

pub use bundle::notification_events;
use bundle::{Bundle, Notification};

/// What we have something to say about, for a delivery's kind.
pub const KINDS: [&str; 9] = [
    "ServiceRequest",
    "Appointment",
    "DocumentReference",
    "Task",
    "Bundle",
    "Parameters",
    "SubscriptionStatus",
    "Patient",
    "Encounter",
];

pub fn read(document: &Value, settings: &Settings) -> Result<Meant, Fault> {
    let bundle = Bundle::of(document);
    match bundle.notification() {
        Some(Notification::Signal) => return Ok(Meant::NotForUs("a subscription's handshake or heartbeat".to_owned())),
        Some(Notification::IdOnly) => {
            return Err(Fault::content(
                "/entry",
                "the notification names resources and does not carry them",
                "set the subscription's payload content to full-resource",
            ));
        }
        Some(Notification::Full) | None => {}
    }
    let mut events = Vec::new();
    let mut reason = None;
    for located in bundle.resources() {
        let meant = match located.value["resourceType"].as_str().unwrap_or_default() {
            "ServiceRequest" => service_request::read(&bundle, located, settings)?,
            "Task" => task::read(&bundle, located)?,
            "Appointment" => appointment::read(&bundle, located)?,
            "DocumentReference" => note::read(&bundle, located)?,
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
        reason.unwrap_or_else(|| "no ServiceRequest, Task, Appointment or DocumentReference in it".to_owned()),
    ))
}
