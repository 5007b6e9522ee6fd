//! Task: an order's life beside the ServiceRequest. Its withdrawal ends the referral; that the specialist's office refuses it
//! is put before a person; what else the specialist does shows in appointments and notes.

use super::bundle::{Bundle, Located};
use super::elements::{referred, text};
use super::patient;
use crate::answer::Fault;
use crate::reading::Meant;
use crate::types::{Event, Reference};
use crate::words;

pub fn read<'a>(bundle: &Bundle<'a>, located: &Located<'a>) -> Result<Meant, Fault> {
    let task = located.value;
    if matches!(task["status"].as_str(), Some("rejected" | "failed")) {
        return Err(Fault::for_a_person(
            &format!("{}/status", located.pointer),
            "the specialist's office does not take the patient, and this cannot be taken over yet",
            "refer the patient to somebody else and withdraw this referral; then dismiss the dead letter",
        ));
    }
    if !matches!(task["status"].as_str(), Some("cancelled" | "entered-in-error")) {
        return Ok(Meant::NotForUs("a task's progress, which changes nothing for the patient".to_owned()));
    }
    let mut referral = referred(bundle, task, &task["focus"], "ServiceRequest");
    for number in referred(bundle, task, &task["basedOn"], "ServiceRequest") {
        words::push_new(&mut referral, number);
    }
    words::push_new(&mut referral, text(&task["groupIdentifier"]["value"]));
    let patient = if referral.is_empty() { patient::keys(bundle, task, &task["for"]) } else { Vec::new() };
    if referral.is_empty() && patient.is_empty() {
        return Err(Fault::content(
            &format!("{}/focus", located.pointer),
            "the Task does not say which referral it is about",
            "refer to the ServiceRequest in focus or basedOn",
        ));
    }
    Ok(Meant::Events(vec![Event::Withdrawn(Reference { referral, appointment: Vec::new(), patient })]))
}
