//! REF^I12 to I14 (HL7 v2.8, 11.5): a referral is ordered, changed or withdrawn.

use crate::coded;
use crate::message::{Message, Segment};
use crate::order;
use crate::patient;
use crate::problem::Fault;
use crate::provider;
use crate::reading::Meant;
use crate::settings::Settings;
use crate::timestamp::Timestamp;
use crate::types::{Attribute, Code, Event, Order};

/// RF1-1 (table 0283, user-defined) of a referral that is over. Rejected and expired are HL7's, the others senders'.
const OVER: [&str; 8] = ["C", "CA", "CANCELLED", "CANCELED", "E", "EXPIRED", "R", "REJECTED"];

pub fn read(message: &Message<'_>, trigger: &str, settings: &Settings) -> Result<Meant, Fault> {
    match trigger {
        "I12" | "I13" => ordered(message, settings),
        "I14" => withdrawn(message, settings),
        _ => Ok(Meant::NotForUs(format!("REF^{trigger} asks about a referral and orders none"))),
    }
}

fn ordered(message: &Message<'_>, settings: &Settings) -> Result<Meant, Fault> {
    let rf1 = require_rf1(message)?;
    let status = rf1.field(1);
    let over = [status.part(1), status.part(2)].iter().any(|word| OVER.contains(&word.to_uppercase().as_str()));
    if over {
        return withdrawn(message, settings);
    }
    let pid = order::require_patient(message)?;
    Ok(Meant::Events(vec![Event::Ordered(read_order(message, rf1, pid, settings))]))
}

fn withdrawn(message: &Message<'_>, settings: &Settings) -> Result<Meant, Fault> {
    let numbers = numbers(message, require_rf1(message)?);
    let identifiers = message.segment("PID").map(patient::identifiers).unwrap_or_default();
    if numbers.is_empty() && identifiers.is_empty() {
        return Err(Fault::missing_field("RF1", 6, "send the referral's number in RF1-6, as in the order"));
    }
    Ok(Meant::Events(vec![Event::Withdrawn(order::reference(numbers, Vec::new(), identifiers, settings))]))
}

fn require_rf1<'a>(message: &Message<'a>) -> Result<Segment<'a>, Fault> {
    message
        .segment("RF1")
        .ok_or_else(|| Fault::missing_segment("RF1", "send the referral's status, number and dates in RF1"))
}

fn numbers(message: &Message<'_>, rf1: Segment<'_>) -> Vec<String> {
    coded::numbers([(Some(rf1), 6), (Some(rf1), 11), (message.segment("ORC"), 2)])
}

fn read_order(message: &Message<'_>, rf1: Segment<'_>, pid: Segment<'_>, settings: &Settings) -> Order {
    let offset = settings.default_offset.as_str();
    let start = |field: usize| Timestamp::read(rf1.field(field)).and_then(|time| time.instant(offset));
    let mut order = order::order(message, pid, settings);
    order.reference.referral = numbers(message, rf1);
    order.priority =
        order::priority(&rf1.text(2, 1)).or_else(|| order::priority(&rf1.text(2, 2))).unwrap_or(order.priority);
    // RF1-9: when the referral originated; RF1-7: from when it counts.
    order.ordered_at = start(9).or_else(|| start(7)).or(order.ordered_at);
    order.expires_at = Timestamp::read(rf1.field(8)).and_then(|time| time.end(offset));
    order.referring = by_role(message, &["RP"]).map(provider::from_prd).unwrap_or_else(|| {
        let attending = message.segment("PV1").and_then(|pv1| provider::from_xcn(pv1.field(8)));
        attending.unwrap_or_else(provider::nobody)
    });
    order.referred_to = by_role(message, &["RT", "CP"]).map(provider::from_prd);
    order.specialty = coded::code(rf1.field(3)).unwrap_or_else(coded::empty_code);
    order.services = services(message.segments());
    order.authorization = message.segment("AUT").map(|aut| aut.text(6, 1)).filter(|number| !number.is_empty());
    order.extras = [("referral-reason", rf1.field(10)), ("referral-category", rf1.field(5))]
        .into_iter()
        .filter_map(|(name, field)| coded::code(field).map(|code| (name, code)))
        .map(|(name, code)| Attribute { name: name.to_owned(), value: code.code })
        .collect();
    order
}

/// PRD-1 (table 0286) says who is who; the first role asked for that someone has.
fn by_role<'a>(message: &Message<'a>, roles: &[&str]) -> Option<Segment<'a>> {
    let has =
        |prd: &Segment<'_>, role: &str| prd.field(1).repetitions().any(|cwe| cwe.part(1).eq_ignore_ascii_case(role));
    roles.iter().find_map(|role| message.segments().iter().find(|prd| prd.is("PRD") && has(prd, role)).copied())
}

/// Procedures asked for (PR1) and orders (OBR) that have no results yet: an OBR with an OBX is the patient's history.
fn services(segments: &[Segment<'_>]) -> Vec<Code> {
    let procedures = segments.iter().filter(|segment| segment.is("PR1")).filter_map(|pr1| coded::code(pr1.field(3)));
    let ordered = order::groups(segments, "OBR").into_iter().filter(|group| order::named(group, "OBX").is_none());
    let ordered = ordered.filter_map(|group| group.first().and_then(|obr| coded::code(obr.field(4))));
    procedures.chain(ordered).collect()
}
