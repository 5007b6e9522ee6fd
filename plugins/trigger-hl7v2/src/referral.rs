//! REF^I12 to I14 (HL7 v2.8, 11.5): a referral is ordered, changed, withdrawn or declined.

use crate::about::About;
use crate::answer_to_order;
use crate::coded;
use crate::mapped;
use crate::message::{Message, Segment};
use crate::number;
use crate::order;
use crate::problem::{Fault, Place};
use crate::provider;
use crate::reading::{Feed, Meant};
use crate::timestamp::Timestamp;
use crate::types::{Attribute, Code, Happening, Order};

/// RF1-1 (table 0283, user-defined) of a referral that is over. Expired is HL7's, the others senders'. Rejected is none of
/// them: that is the specialist's office speaking, and somebody else has to see the patient.
const OVER: [&str; 6] = ["C", "CA", "CANCEL", "E", "EXPIR", "WITHDR"];

pub fn read(message: &Message<'_>, trigger: &str, feed: &Feed<'_>) -> Result<Meant, Fault> {
    match trigger {
        "I12" | "I13" => ordered(message, feed),
        "I14" => withdrawn(message, feed),
        _ => Ok(Meant::NotForUs(format!("REF^{trigger} asks about a referral and orders none"))),
    }
}

/// What a referral changes comes as the whole of it, like an order: the host finds the difference.
fn ordered(message: &Message<'_>, feed: &Feed<'_>) -> Result<Meant, Fault> {
    let rf1 = require_rf1(message)?;
    if answer_to_order::is_rejected(&rf1) {
        let about = about(message, Some(rf1)).mapped(message.segments(), feed)?;
        about.require_key(Place::new("RF1", 6), "send the referral's number in RF1-6, as in the order")?;
        return Ok(Meant::Events(vec![about.event(answer_to_order::declined("RF1-1"), feed)]));
    }
    if answer_to_order::status_is(&rf1, &OVER) {
        return withdrawn(message, feed);
    }
    let pid = order::require_patient(message)?;
    let about = About { pid: Some(pid), ..about(message, Some(rf1)) }.mapped(message.segments(), feed)?;
    if about.referral.is_empty() {
        return Err(Fault::missing_field("RF1", 6, "send the referral's number in RF1-6"));
    }
    let order = read_order(message, rf1, pid, feed)?;
    Ok(Meant::Events(vec![about.event(Happening::Ordered(order), feed)]))
}

fn withdrawn(message: &Message<'_>, feed: &Feed<'_>) -> Result<Meant, Fault> {
    let about = about(message, Some(require_rf1(message)?)).mapped(message.segments(), feed)?;
    about.require_key(Place::new("RF1", 6), "send the referral's number in RF1-6, as in the order")?;
    Ok(Meant::Events(vec![about.event(Happening::Withdrawn, feed)]))
}

fn require_rf1<'a>(message: &Message<'a>) -> Result<Segment<'a>, Fault> {
    message
        .segment("RF1")
        .ok_or_else(|| Fault::missing_segment("RF1", "send the referral's status, number and dates in RF1"))
}

/// RF1-6 is the originator's number, RF1-11 the other side's.
pub fn about<'a>(message: &Message<'a>, rf1: Option<Segment<'a>>) -> About<'a> {
    let orc = message.segment("ORC");
    About {
        referral: number::numbers([(rf1, 6), (rf1, 11), (orc, 2)]),
        group: number::numbers([(orc, 4)]),
        pid: message.segment("PID"),
        ..About::default()
    }
}

fn read_order(message: &Message<'_>, rf1: Segment<'_>, pid: Segment<'_>, feed: &Feed<'_>) -> Result<Order, Fault> {
    let start = |field: usize| feed.zone.instant(Some(rf1), Place::new("RF1", field));
    let mut order = order::order(message, message.segments(), pid, feed)?;
    order.priority =
        order::priority(&rf1.text(2, 1)).or_else(|| order::priority(&rf1.text(2, 2))).unwrap_or(order.priority);
    // RF1-9: when the referral originated; RF1-7: from when it counts.
    let (originated, from) = (start(9)?, start(7)?);
    order.ordered_at = originated.or(from).or(order.ordered_at);
    order.expires_at =
        Timestamp::read(rf1.field(8).component(1), Place::new("RF1", 8))?.and_then(|time| time.end(&feed.zone));
    order.referring = provider::by_role(message, &["RP"]).map(provider::from_prd).unwrap_or_else(|| {
        let attending = message.segment("PV1").and_then(|pv1| provider::from_xcn(pv1.field(8)));
        attending.unwrap_or_else(provider::nobody)
    });
    order.referred_to = provider::by_role(message, &["RT", "CP"]).map(provider::from_prd);
    order.specialty = coded::code(rf1.field(3)).unwrap_or_else(coded::empty_code);
    order.services = services(message.segments());
    order.authorization = message.segment("AUT").map(|aut| aut.text(6, 1)).filter(|number| !number.is_empty());
    order.extras = [("referral-reason", rf1.field(10)), ("referral-category", rf1.field(5))]
        .into_iter()
        .filter_map(|(name, field)| coded::code(field).map(|code| (name, code)))
        .map(|(name, code)| Attribute { name: name.to_owned(), value: code.code })
        .collect();
    mapped::order(&mut order, message.segments(), feed)?;
    Ok(order)
}

/// Procedures asked for (PR1) and orders (OBR) that have no results yet: an OBR with an OBX is the patient's history.
fn services(segments: &[Segment<'_>]) -> Vec<Code> {
    let procedures = segments.iter().filter(|segment| segment.is("PR1")).filter_map(|pr1| coded::code(pr1.field(3)));
    let ordered = order::groups(segments, "OBR").into_iter().filter(|group| order::named(group, "OBX").is_none());
    let ordered = ordered.filter_map(|group| group.first().and_then(|obr| coded::code(obr.field(4))));
    procedures.chain(ordered).collect()
}
