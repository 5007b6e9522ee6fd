//! ADT (HL7 v2.8, chapter 3): patient administration. Nothing in it is a referral, but some of it tells how a patient is
//! reached, who they are from now on, or that they have died.

use crate::about::About;
use crate::mapped;
use crate::message::{Message, Segment};
use crate::patient;
use crate::problem::{Fault, Place};
use crate::reading::{Feed, Meant};
use crate::settings::IdentityChanges;
use crate::timestamp::Timestamp;
use crate::types::{Event, Happening};

/// Merge of two patients or persons, and change of a patient's identifiers: MRG has what was, PID what is (3.3.18 to 3.3.47).
const MERGES: [&str; 9] = ["A18", "A24", "A30", "A34", "A36", "A39", "A40", "A46", "A47"];
/// Unlinks patients, moves identifiers, accounts or visits from one patient to another, or changes a number that is not in
/// PID-3: which referral goes with which patient is not said.
const MOVES: [&str; 5] = ["A37", "A43", "A44", "A45", "A48"];
/// Takes something back, is about an account or a visit alone, or answers a query: tells nothing new of the patient. All others
/// tell demographics as they are (3.3.8: A08 is for changes that no other event has told).
const NOTHING_NEW: [&str; 21] = [
    "A11", "A12", "A13", "A19", "A23", "A25", "A26", "A27", "A29", "A32", "A33", "A35", "A38", "A41", "A42", "A49",
    "A50", "A51", "A52", "A53", "A55",
];

pub fn read(message: &Message<'_>, trigger: &str, feed: &Feed<'_>) -> Result<Meant, Fault> {
    let policy = feed.settings.identity_changes;
    let elsewhere = || Ok(Meant::NotForUs("another system takes care of who patients are".to_owned()));
    let is_merge = MERGES.contains(&trigger);
    if is_merge || MOVES.contains(&trigger) {
        return match policy {
            IdentityChanges::Ignore => elsewhere(),
            IdentityChanges::Apply if is_merge && message.segment("MRG").is_some() => merged(message, feed),
            IdentityChanges::Apply | IdentityChanges::Refuse => Err(for_a_person(trigger)),
        };
    }
    let pid = message.segment("PID").filter(|pid| !patient::identifiers(*pid).is_empty());
    let Some(pid) = pid.filter(|_| !NOTHING_NEW.contains(&trigger)) else {
        return Ok(Meant::NotForUs("patient administration: nothing new of a patient in it".to_owned()));
    };
    let about = About { pid: Some(pid), ..About::default() };
    let what = match policy {
        _ if !has_died(pid)? => {
            let mut patient = patient::patient(message, pid);
            mapped::patient(&mut patient, message.segments(), feed)?;
            Happening::PatientUpdated(patient)
        }
        IdentityChanges::Apply => Happening::PatientDied,
        IdentityChanges::Ignore => return elsewhere(),
        IdentityChanges::Refuse => {
            return Err(Fault::for_a_person(
                Place::new("PID", 30),
                "the patient has died",
                "stop the patient's open referrals so that nobody is written to; then dismiss the dead letter",
            ));
        }
    };
    Ok(Meant::Events(vec![about.event(what, feed)]))
}

/// PID-30, the indicator; where it says nothing, PID-29 has the day.
fn has_died(pid: Segment<'_>) -> Result<bool, Fault> {
    Ok(match pid.text(30, 1).to_uppercase().as_str() {
        "" => Timestamp::read(pid.field(29).component(1), Place::new("PID", 29))?.is_some(),
        indicator => indicator == "Y",
    })
}

/// Each MRG retires the numbers of the patient in the PID before it.
fn merged(message: &Message<'_>, feed: &Feed<'_>) -> Result<Meant, Fault> {
    let mut events = Vec::new();
    let mut surviving = None;
    for segment in message.segments() {
        if segment.is("PID") {
            surviving = Some(*segment);
        } else if segment.is("MRG") {
            events.push(merge(surviving, *segment, feed)?);
        }
    }
    Ok(Meant::Events(events))
}

/// MRG-1, or MRG-4 of a sender that keeps a person's number apart. A number that stays the patient's is not retired.
fn merge(surviving: Option<Segment<'_>>, mrg: Segment<'_>, feed: &Feed<'_>) -> Result<Event, Fault> {
    let pid =
        surviving.ok_or_else(|| Fault::missing_segment("PID", "send the patient who remains in PID, before MRG"))?;
    let kept = patient::identifiers(pid);
    if kept.is_empty() {
        return Err(Fault::missing_field("PID", 3, "send the number that the patient has from now on in PID-3"));
    }
    let prior = mrg.field(1);
    let mut retired = patient::listed(if prior.is_empty() { mrg.field(4) } else { prior });
    retired.retain(|identifier| {
        !kept.iter().any(|kept| (&kept.value, &kept.authority) == (&identifier.value, &identifier.authority))
    });
    if retired.is_empty() {
        let help = "send the number that the patient has no more in MRG-1, and the one that stays in PID-3";
        return Err(Fault::missing_field("MRG", 1, help));
    }
    let about = About { pid: Some(pid), ..About::default() };
    Ok(about.event(Happening::PatientMerged(retired), feed))
}

fn for_a_person(trigger: &str) -> Fault {
    let (message, help) = if MERGES.contains(&trigger) {
        (
            "two patient numbers become one, or one becomes another",
            "look whether a referral is open under the old number (MRG-1); mend it, then dismiss the dead letter",
        )
    } else {
        (
            "numbers or visits go from one patient to another",
            "look whether an open referral is among them; mend it, then dismiss the dead letter",
        )
    };
    Fault::for_a_person(Place::new("MSH", 9), message, help)
}
