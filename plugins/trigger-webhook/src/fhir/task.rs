//! Task: an order's life beside the ServiceRequest. Its withdrawal ends the referral, its rejection is the specialist's office
//! speaking; what else the specialist does shows in appointments and notes.

use super::elements::{number, referred};
use super::mapped::Site;
use super::patient;
use crate::about::{About, push_number};
use crate::answer::Fault;
use crate::reading::Meant;
use crate::types::Happening;

pub fn read(site: Site<'_, '_>) -> Result<Meant, Fault> {
    let Site { bundle, located, settings: _ } = site;
    let task = located.value;
    let what = match task["status"].as_str() {
        Some("cancelled" | "entered-in-error") => Happening::Withdrawn,
        // In our own words: a reason (Task.statusReason) may speak of the patient, and this is kept in clear.
        Some("rejected") => {
            Happening::Declined("the specialist's office does not take the patient (Task rejected)".to_owned())
        }
        Some("failed") => {
            return Err(Fault::for_a_person(
                &format!("{}/status", located.pointer),
                "the specialist's office could not carry out the referral",
                "ask the office why; refer the patient to somebody else if need be; then dismiss the dead letter",
            ));
        }
        _ => return Ok(Meant::NotForUs("a task's progress, which changes nothing for the patient".to_owned())),
    };
    let mut referral = referred(bundle, task, &task["focus"], "ServiceRequest");
    for number in referred(bundle, task, &task["basedOn"], "ServiceRequest") {
        push_number(&mut referral, number);
    }
    let mut group = Vec::new();
    push_number(&mut group, number(&task["groupIdentifier"]));
    let about = About {
        referral,
        group,
        patient: patient::named(bundle, task, &task["for"]),
        as_of: bundle.as_of(task),
        ..About::default()
    };
    let about = site.numbered(about)?;
    if !about.is_findable() {
        return Err(Fault::content(
            &format!("{}/focus", located.pointer),
            "the Task does not say which referral it is about",
            "refer to the ServiceRequest in focus or basedOn",
        ));
    }
    Ok(Meant::Events(vec![about.event(what)]))
}
