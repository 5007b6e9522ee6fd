//! ORM^O01, OMG^O19 and OSU^O51 (HL7 v2.8, chapter 4; IHE 360X): orders that are referrals, and what becomes of them.

use crate::coded;
use crate::message::{Message, Segment};
use crate::order;
use crate::patient;
use crate::problem::Fault;
use crate::provider;
use crate::reading::Meant;
use crate::settings::{Orders, Settings};
use crate::timestamp::Timestamp;
use crate::types::{AppointmentChange, AppointmentNotice, Code, Event, Order};

/// ORC-1 (table 0119) of an order that ends: cancel, discontinue, and what the filler answers to them.
const ENDS: [&str; 6] = ["CA", "DC", "OC", "OD", "CR", "DR"];
/// ORC-5 (table 0038): cancelled, discontinued.
const ENDED: [&str; 2] = ["CA", "DC"];

pub fn read(message: &Message<'_>, kind: &str, settings: &Settings) -> Result<Meant, Fault> {
    let groups = order::groups(message.segments(), "ORC");
    if groups.is_empty() {
        return Err(Fault::missing_segment("ORC", "send each order's control code and number in ORC"));
    }
    let mut events = Vec::new();
    let mut reasons = Vec::new();
    for group in groups {
        match read_group(message, group, kind, settings)? {
            Meant::Events(more) => events.extend(more),
            Meant::NotForUs(reason) => reasons.push(reason),
        }
    }
    Ok(if events.is_empty() {
        Meant::NotForUs(reasons.into_iter().next().unwrap_or_default())
    } else {
        Meant::Events(events)
    })
}

fn read_group(message: &Message<'_>, group: &[Segment<'_>], kind: &str, settings: &Settings) -> Result<Meant, Fault> {
    let Some(orc) = order::named(group, "ORC") else { return Ok(Meant::NotForUs(format!("{kind} without an order"))) };
    let control = orc.text(1, 1).to_uppercase();
    let status = orc.text(5, 1).to_uppercase();
    match control.as_str() {
        // ORC-5 says nothing about a new order (HL7 v2.8, 4.5.1.5), so it is not asked.
        "NW" if kind != "OSU^O51" => new_order(message, group, settings),
        "" => Err(Fault::missing_field("ORC", 1, "send the order's control code in ORC-1, such as NW or CA")),
        control if ENDS.contains(&control) || ENDED.contains(&status.as_str()) => withdrawn(message, group, settings),
        _ if kind == "OSU^O51" => Ok(status_update(message, group, &status, settings)),
        _ => Ok(Meant::NotForUs(format!("{kind} with an order control other than new, cancel or discontinue"))),
    }
}

fn new_order(message: &Message<'_>, group: &[Segment<'_>], settings: &Settings) -> Result<Meant, Fault> {
    if settings.orders == Orders::ByService && !is_referral(group) {
        return Ok(Meant::NotForUs("an order for a test or a medicine, not a referral".to_owned()));
    }
    let pid = order::require_patient(message)?;
    Ok(Meant::Events(vec![Event::Ordered(read_order(message, group, pid, settings))]))
}

fn withdrawn(message: &Message<'_>, group: &[Segment<'_>], settings: &Settings) -> Result<Meant, Fault> {
    let numbers = numbers(group);
    let identifiers = message.segment("PID").map(patient::identifiers).unwrap_or_default();
    if numbers.is_empty() && identifiers.is_empty() {
        return Err(Fault::missing_field("ORC", 2, "send the order's number in ORC-2, as in the order"));
    }
    Ok(Meant::Events(vec![Event::Withdrawn(order::reference(numbers, Vec::new(), identifiers, settings))]))
}

/// 360X tells the referring side by OSU^O51: CM when the visit is over, SC when it is scheduled.
fn status_update(message: &Message<'_>, group: &[Segment<'_>], status: &str, settings: &Settings) -> Meant {
    let starts_at = order::named(group, "TQ1")
        .and_then(|tq1| Timestamp::read(tq1.field(7)))
        .filter(Timestamp::has_time)
        .and_then(|time| time.instant(&settings.default_offset));
    let change = match status {
        "CM" => AppointmentChange::Completed,
        "SC" if starts_at.is_some() => AppointmentChange::Booked,
        "SC" => return Meant::NotForUs("scheduled, but no time is given; the SIU message will tell it".to_owned()),
        _ => return Meant::NotForUs("an order status that changes nothing for the patient".to_owned()),
    };
    let identifiers = message.segment("PID").map(patient::identifiers).unwrap_or_default();
    Meant::Events(vec![Event::Appointment(AppointmentNotice {
        reference: order::reference(numbers(group), Vec::new(), identifiers, settings),
        change,
        starts_at,
        minutes: None,
        with: None,
        place: String::new(),
    })])
}

/// ORC-2 and OBR-2 are the placer's number, ORC-3 and OBR-3 the filler's.
fn numbers(group: &[Segment<'_>]) -> Vec<String> {
    let (orc, obr) = (order::named(group, "ORC"), order::named(group, "OBR"));
    coded::numbers([(orc, 2), (obr, 2), (orc, 3), (obr, 3)])
}

fn read_order(message: &Message<'_>, group: &[Segment<'_>], pid: Segment<'_>, settings: &Settings) -> Order {
    let offset = settings.default_offset.as_str();
    let segment = |name: &str| order::named(group, name);
    let (orc, obr, tq1) = (segment("ORC"), segment("OBR"), segment("TQ1"));
    let text = |from: Option<Segment<'_>>, field: usize, component: usize| {
        from.map(|segment| segment.text(field, component)).unwrap_or_default()
    };
    let time = |from: Option<Segment<'_>>, field: usize| {
        from.and_then(|segment| Timestamp::read(segment.field(field))).and_then(|time| time.instant(offset))
    };
    let person =
        |from: Option<Segment<'_>>, field: usize| from.and_then(|segment| provider::from_xcn(segment.field(field)));

    let mut order = order::order(message, pid, settings);
    order.reference.referral = numbers(group);
    order.priority = [text(tq1, 9, 1), text(orc, 7, 6), text(obr, 27, 6), text(obr, 5, 1)]
        .iter()
        .find_map(|word| order::priority(word))
        .unwrap_or(order.priority);
    order.ordered_at = time(orc, 9).or(order.ordered_at);
    order.referring = person(orc, 12).or_else(|| person(obr, 16)).unwrap_or_else(provider::nobody);
    if order.referring.organization.is_empty() {
        order.referring.organization = text(orc, 21, 1);
    }
    if order.referring.phone.is_empty() {
        order.referring.phone = orc.map(|orc| crate::telecom::first_phone(orc.field(14))).unwrap_or_default();
    }
    order.referred_to = order::named(message.segments(), "PRD")
        .filter(|prd| matches!(prd.text(1, 1).as_str(), "RT" | "CP"))
        .map(provider::from_prd)
        .or_else(|| person(obr, 28));
    order.services = obr.iter().filter_map(|obr| coded::code(obr.field(4))).collect();
    order.specialty = order.services.first().cloned().unwrap_or_else(coded::empty_code);
    order.diagnoses.extend(obr.iter().flat_map(|obr| coded::codes(obr.field(31)).collect::<Vec<Code>>()));
    order
}

/// SNOMED CT: consultation, and the referral procedures that EHRs order most; LOINC 57133-1 is a referral note.
const REFERRAL_CODES: [&str; 7] =
    ["11429006", "3457005", "306206005", "306253008", "183524004", "103696004", "57133-1"];
/// OBR-24 (table 0074) of those who answer an order with a measurement, an image or a medicine.
const DIAGNOSTIC_SECTIONS: &str = "AU BG BLB CG CH CP CT CTH CUS EC EN GE HM ICU IMG IMM LAB MB MCB MYC NMR NMS NRS OUS PAR PHR \
PT RAD RC RUS RX SP SR TX URN VR VUS XRC";

/// The service says referral or consultation, or at least nothing says laboratory, imaging or pharmacy.
fn is_referral(group: &[Segment<'_>]) -> bool {
    let Some(obr) = order::named(group, "OBR") else {
        return order::named(group, "RXO").is_none() && order::named(group, "RXE").is_none();
    };
    let service = obr.field(4);
    let words = [2, 5, 9].map(|component| service.part(component).to_lowercase()).join(" ");
    if [1, 4].iter().any(|&component| REFERRAL_CODES.contains(&service.part(component).as_str()))
        || words.contains("referral")
        || words.contains("consult")
    {
        return true;
    }
    let section = obr.text(24, 1).to_uppercase();
    let diagnostic = DIAGNOSTIC_SECTIONS.split(' ').any(|known| known == section);
    let loinc = [3, 6].iter().any(|&component| service.part(component) == "LN");
    !diagnostic && !loinc && order::named(group, "SPM").is_none()
}
