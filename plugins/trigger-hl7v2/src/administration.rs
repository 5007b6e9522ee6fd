//! ADT (HL7 v2.8, chapter 3): patient administration. Nothing in it is a referral, but some of it changes who a patient
//! is, and the contract has no event for that yet: it is put before a person.

use crate::message::Message;
use crate::problem::{Fault, Place};
use crate::reading::{Feed, Meant};
use crate::settings::IdentityChanges;

/// Merge, link, unlink, move and change of patient identifiers. Those of accounts and visits (A35, A41, A42, A44, A45,
/// A49 to A51) leave the patient who they are.
const IDENTITY: [&str; 12] = ["A18", "A24", "A30", "A34", "A36", "A37", "A39", "A40", "A43", "A46", "A47", "A48"];

/// Those that tell what has changed about a patient: discharge, and updates of what is known. The others repeat it.
const NEWS: [&str; 3] = ["A03", "A08", "A31"];

pub fn read(message: &Message<'_>, trigger: &str, feed: &Feed) -> Result<Meant, Fault> {
    let is_ours = feed.settings.identity_changes == IdentityChanges::Refuse;
    if is_ours && IDENTITY.contains(&trigger) {
        return Err(Fault::for_a_person(
            Place::new("MSH", 9),
            "two patient numbers become one, or one becomes another, and this cannot be taken over yet",
            "look whether a referral is open under the old number (MRG-1); mend it, then dismiss the dead letter",
        ));
    }
    let died = NEWS.contains(&trigger)
        && message
            .segment("PID")
            .is_some_and(|pid| pid.text(30, 1).eq_ignore_ascii_case("Y") || !pid.field(29).is_empty());
    if is_ours && died {
        return Err(Fault::for_a_person(
            Place::new("PID", 30),
            "the patient has died, and this cannot be taken over yet",
            "stop the patient's open referrals so that nobody is written to; then dismiss the dead letter",
        ));
    }
    Ok(Meant::NotForUs("patient administration: no referral, appointment or note in it".to_owned()))
}
