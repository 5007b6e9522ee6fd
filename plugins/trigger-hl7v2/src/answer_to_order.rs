//! RRI, ORR and ORG (HL7 v2.8, chapters 4 and 11): what the other side answers to a referral or an order. Consent changes
//! nothing; a refusal means that somebody else has to see the patient, and is never taken for a withdrawal by the EHR.

use crate::message::{Message, Segment};
use crate::problem::{Fault, Place};
use crate::reading::Meant;

/// RF1-1 (table 0283) of a referral that the specialist's office does not take: HL7's code, and beginnings of senders' words.
const REJECTED: [&str; 5] = ["R", "REJ", "DECLIN", "DENIED", "REFUS"];
/// RF1-1 of one that has run out. In an answer, it is the other side that lets it.
const EXPIRED: [&str; 2] = ["E", "EXPIR"];
/// ORC-1 (table 0119): unable to accept.
pub const UNABLE: &str = "UA";
/// ORC-1 of a filler that ends an order unasked: cancelled, discontinued.
pub const ENDED_BY_FILLER: [&str; 2] = ["OC", "OD"];

/// RRI^I12 to I15.
pub fn read_referral(message: &Message<'_>, trigger: &str) -> Result<Meant, Fault> {
    let rf1 = message.segment("RF1");
    let says = |words: &[&str]| rf1.is_some_and(|rf1| status_is(&rf1, words));
    // I14 answers a withdrawal: there is nothing left to be declined.
    if trigger != "I14" && (says(&REJECTED) || says(&EXPIRED)) {
        return Err(declined(Place::new("RF1", 1)));
    }
    Ok(Meant::NotForUs("an answer to a referral that changes nothing".to_owned()))
}

/// ORR^O02 and ORG^O20.
pub fn read_order(message: &Message<'_>) -> Result<Meant, Fault> {
    let orders = message.segments().iter().filter(|segment| segment.is("ORC")).enumerate();
    for (index, orc) in orders {
        let control = orc.text(1, 1).to_uppercase();
        if control == UNABLE || ENDED_BY_FILLER.contains(&control.as_str()) {
            return Err(declined(Place { segment: "ORC", sequence: index + 1, field: 1 }));
        }
    }
    Ok(Meant::NotForUs("an answer to an order that changes nothing".to_owned()))
}

/// RF1-1 by its code or its text; words of three letters and more are beginnings.
pub fn status_is(rf1: &Segment<'_>, words: &[&str]) -> bool {
    let status = rf1.field(1);
    [status.part(1), status.part(2)]
        .iter()
        .map(|said| said.to_uppercase())
        .any(|said| words.iter().any(|word| if word.len() < 3 { said == *word } else { said.starts_with(word) }))
}

pub fn is_rejected(rf1: &Segment<'_>) -> bool {
    status_is(rf1, &REJECTED)
}

/// The contract has no event for it yet; as a fault it is kept and shown, and its sender is not told that all is well.
pub fn declined(place: Place) -> Fault {
    Fault::for_a_person(
        place,
        "the specialist's office does not take the patient, and this cannot be taken over yet",
        "refer the patient to somebody else and withdraw this referral; then dismiss the dead letter",
    )
}
