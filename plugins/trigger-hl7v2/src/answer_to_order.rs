//! RRI, ORR and ORG (HL7 v2.8, chapters 4 and 11): what the other side answers to a referral or an order. Consent changes
//! nothing; a refusal means that somebody else has to see the patient, and is never taken for a withdrawal by the EHR.

use crate::about::About;
use crate::message::{Message, Segment};
use crate::number;
use crate::order;
use crate::problem::{Fault, Place};
use crate::reading::{Feed, Meant};
use crate::referral;
use crate::service::{self, Service};
use crate::service_order;
use crate::types::Happening;

/// RF1-1 (table 0283) of a referral that the specialist's office does not take: HL7's code, and beginnings of senders' words.
const REJECTED: [&str; 5] = ["R", "REJ", "DECLIN", "DENIED", "REFUS"];
/// RF1-1 of one that has run out. In an answer, it is the other side that lets it.
const EXPIRED: [&str; 2] = ["E", "EXPIR"];
/// RF1-1 of one that is taken.
const ACCEPTED: [&str; 2] = ["A", "ACCEPT"];
/// MSA-1 (table 0008) of an answer that rejects what was sent, and of one that could not read it.
const REFUSED: [&str; 2] = ["AR", "CR"];
const FAILED: [&str; 2] = ["AE", "CE"];
/// ORC-1 (table 0119): unable to accept.
pub const UNABLE: &str = "UA";
/// ORC-1 of a filler that ends an order unasked: cancelled, discontinued.
pub const ENDED_BY_FILLER: [&str; 2] = ["OC", "OD"];

/// RRI^I12 to I15.
pub fn read_referral(message: &Message<'_>, trigger: &str, feed: &Feed<'_>) -> Result<Meant, Fault> {
    let rf1 = message.segment("RF1");
    let says = |words: &[&str]| rf1.is_some_and(|rf1| status_is(&rf1, words));
    let acknowledged = message.segment("MSA").map(|msa| msa.text(1, 1)).unwrap_or_default();
    let field = match acknowledged.as_str() {
        // It answers a withdrawal: there is nothing left to be declined.
        _ if trigger == "I14" => None,
        _ if says(&REJECTED) || says(&EXPIRED) => Some("RF1-1"),
        _ if says(&ACCEPTED) => None,
        code if REFUSED.contains(&code) => Some("MSA-1"),
        code if FAILED.contains(&code) => {
            return Err(Fault::for_a_person(
                Place::new("MSA", 1),
                "the other side could not read the referral that was sent to it",
                "see its ERR segment, have the referral sent again, then dismiss the dead letter",
            ));
        }
        _ => None,
    };
    let Some(field) = field else {
        return Ok(Meant::NotForUs("an answer to a referral that changes nothing".to_owned()));
    };
    let about = referral::about(message, rf1).mapped(message.segments(), feed)?;
    about.require_key(Place::new("RF1", 6), "send the referral's number in RF1-6, as in the order")?;
    Ok(Meant::Events(vec![about.event(declined(field), feed)]))
}

/// ORR^O02 and ORG^O20.
pub fn read_order(message: &Message<'_>, feed: &Feed<'_>) -> Result<Meant, Fault> {
    let mut events = Vec::new();
    for group in order::groups(message.segments(), "ORC") {
        let Some(orc) = order::named(group, "ORC") else { continue };
        let control = orc.text(1, 1).to_uppercase();
        let declines = control == UNABLE || ENDED_BY_FILLER.contains(&control.as_str());
        if !declines || service::of_order(group, &[], feed.settings) == Service::Other {
            continue;
        }
        let about = About {
            referral: service_order::numbers(group),
            group: number::numbers([(Some(orc), 4)]),
            pid: message.segment("PID"),
            ..About::default()
        }
        .mapped(&order::scope(message, group), feed)?;
        about.require_key(Place::new("ORC", 2), "send the order's number in ORC-2, as in the order")?;
        events.push(about.event(declined("ORC-1"), feed));
    }
    Ok(if events.is_empty() {
        Meant::NotForUs("an answer to an order that changes nothing".to_owned())
    } else {
        Meant::Events(events)
    })
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

/// In our own words: what the office wrote (ORC-16) may speak of the patient, and the reason is kept in clear.
pub fn declined(field: &str) -> Happening {
    Happening::Declined(format!("the specialist's office does not take the patient ({field})"))
}
