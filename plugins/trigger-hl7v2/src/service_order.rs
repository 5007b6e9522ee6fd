//! ORM^O01, OMG^O19 and OSU^O51 (HL7 v2.8, chapter 4; IHE 360X): orders that are referrals, and what becomes of them.

use crate::about::About;
use crate::answer_to_order;
use crate::batch::Batch;
use crate::coded;
use crate::mapped;
use crate::message::{Message, Segment};
use crate::number;
use crate::order;
use crate::problem::{Fault, Place};
use crate::provider;
use crate::reading::{Feed, Meant};
use crate::service::{self, Service};
use crate::settings::Services;
use crate::timestamp::Timestamp;
use crate::types::{AppointmentChange, AppointmentNotice, Code, Happening, Number, Order};

/// ORC-1 (table 0119) of an order that ends: cancel, discontinue, what the filler answers to them, and the old order of a
/// replacement.
const ENDS: [&str; 8] = ["CA", "DC", "OC", "OD", "CR", "DR", "RP", "RU"];
/// New, and the new order of a replacement.
const BEGINS: [&str; 2] = ["NW", "RO"];
/// Changed as asked for, and changed unasked.
const CHANGES: [&str; 2] = ["XO", "XX"];
/// ORC-5 (table 0038): cancelled, discontinued.
const ENDED: [&str; 2] = ["CA", "DC"];

pub fn read(message: &Message<'_>, kind: &str, feed: &Feed<'_>) -> Result<Meant, Fault> {
    let groups = order::groups(message.segments(), "ORC");
    if groups.is_empty() {
        return Err(Fault::missing_segment("ORC", "send each order's control code and number in ORC"));
    }
    let mut batch = Batch::default();
    for ordered in groups.into_iter().flat_map(services) {
        let meant = read_group(message, &ordered, kind, feed);
        batch.take(ordered.segments, meant);
    }
    batch.meant(message)
}

/// One service that an ORC orders.
struct Ordered<'a> {
    segments: Vec<Segment<'a>>,
    numbers: Vec<Number>,
}

impl<'a> Ordered<'a> {
    /// ORC-4 numbers the group that an order came in: several orders have it, and it is none of theirs.
    fn about(&self, message: &Message<'a>, feed: &Feed<'_>) -> Result<About<'a>, Fault> {
        About {
            referral: self.numbers.clone(),
            group: number::numbers([(order::named(&self.segments, "ORC"), 4)]),
            pid: message.segment("PID"),
            ..About::default()
        }
        .mapped(&order::scope(message, &self.segments), feed)
    }
}

/// An ORC has one OBR; senders let one stand before several, each with a number of its own.
fn services<'a>(group: &[Segment<'a>]) -> Vec<Ordered<'a>> {
    let first = group.iter().position(|segment| segment.is("OBR")).unwrap_or(group.len());
    let (common, rest) = group.split_at(first);
    let mut services: Vec<Ordered<'a>> = Vec::new();
    for run in order::groups(rest, "OBR") {
        let segments = [common, run].concat();
        let own = number::numbers([(run.first().copied(), 2), (run.first().copied(), 3)]);
        let numbers = if services.is_empty() || own.is_empty() { numbers(&segments) } else { own };
        services.push(Ordered { segments, numbers });
    }
    if services.is_empty() {
        services.push(Ordered { segments: common.to_vec(), numbers: numbers(common) });
    }
    services
}

fn read_group<'a>(message: &Message<'a>, ordered: &Ordered<'a>, kind: &str, feed: &Feed<'_>) -> Result<Meant, Fault> {
    let group = ordered.segments.as_slice();
    let Some(orc) = order::named(group, "ORC") else { return Ok(Meant::NotForUs(format!("{kind} without an order"))) };
    let control = orc.text(1, 1).to_uppercase();
    let status = orc.text(5, 1).to_uppercase();
    let is_update = kind == "OSU^O51";
    let declines = control == answer_to_order::UNABLE
        || (is_update && answer_to_order::ENDED_BY_FILLER.contains(&control.as_str()));
    // An order that names whom the patient is sent to is a referral, as long as its service does not say otherwise.
    let sends = message.segment("RF1").is_some() || provider::by_role(message, &["RT", "CP"]).is_some();
    // A code that its table does not have is a fault of the order's, where it is one of ours.
    let visit_types = mapped::visit_types(&order::scope(message, group), feed).unwrap_or_default();
    let service = match (feed.settings.orders, service::of_order(group, &visit_types, feed.settings)) {
        (Services::All, _) => Service::Referral,
        (Services::ByService, Service::Unsaid) if sends => Service::Referral,
        (Services::ByService, service) => service,
    };
    match control.as_str() {
        "" => Err(Fault::missing_field("ORC", 1, "send the order's control code in ORC-1, such as NW or CA")),
        _ if service == Service::Other => {
            Ok(Meant::NotForUs("an order for a test, an image or a medicine, not a referral".to_owned()))
        }
        _ if declines => {
            let about = ordered.about(message, feed)?;
            about.require_key(Place::new("ORC", 2), "send the order's number in ORC-2, as in the order")?;
            Ok(Meant::Events(vec![about.event(answer_to_order::declined("ORC-1"), feed)]))
        }
        // ORC-5 says nothing about a new order (HL7 v2.8, 4.5.1.5), so it is not asked.
        control if !is_update && begins_or_changes(control, &status) => {
            if service == Service::Unsaid {
                return Err(service::unsaid(service::sequence_of(message, group, "OBR")));
            }
            let pid = order::require_patient(message)?;
            let about = ordered.about(message, feed)?;
            if about.referral.is_empty() {
                return Err(Fault::missing_field("ORC", 2, "send the order's number in ORC-2"));
            }
            let order = read_order(message, ordered, pid, feed)?;
            Ok(Meant::Events(vec![about.event(Happening::Ordered(order), feed)]))
        }
        control if ENDS.contains(&control) || ENDED.contains(&status.as_str()) => withdrawn(message, ordered, feed),
        _ if is_update => status_update(message, ordered, &status, feed),
        _ => Ok(Meant::NotForUs(format!("{kind} with an order control that changes nothing for the patient"))),
    }
}

fn begins_or_changes(control: &str, status: &str) -> bool {
    BEGINS.contains(&control) || (CHANGES.contains(&control) && !ENDED.contains(&status))
}

fn withdrawn<'a>(message: &Message<'a>, ordered: &Ordered<'a>, feed: &Feed<'_>) -> Result<Meant, Fault> {
    let about = ordered.about(message, feed)?;
    about.require_key(Place::new("ORC", 2), "send the order's number in ORC-2, as in the order")?;
    Ok(Meant::Events(vec![about.event(Happening::Withdrawn, feed)]))
}

/// 360X tells the referring side by OSU^O51: CM when the visit is over, SC when it is scheduled.
fn status_update<'a>(
    message: &Message<'a>,
    ordered: &Ordered<'a>,
    status: &str,
    feed: &Feed<'_>,
) -> Result<Meant, Fault> {
    let place = Place::new("TQ1", 7);
    let starts_at = match order::named(&ordered.segments, "TQ1") {
        Some(tq1) => Timestamp::read(tq1.field(place.field).component(1), place)?
            .filter(Timestamp::has_time)
            .and_then(|time| time.instant(&feed.zone)),
        None => None,
    };
    let change = match status {
        "CM" => AppointmentChange::Completed,
        "SC" if starts_at.is_some() => AppointmentChange::Booked,
        "SC" => return Ok(Meant::NotForUs("scheduled, but no time is given; the SIU message will tell it".to_owned())),
        _ => return Ok(Meant::NotForUs("an order status that changes nothing for the patient".to_owned())),
    };
    let notice = AppointmentNotice { change, starts_at, minutes: None, with: None, place: String::new() };
    Ok(Meant::Events(vec![ordered.about(message, feed)?.event(Happening::Appointment(notice), feed)]))
}

/// ORC-2 and OBR-2 are the placer's number, ORC-3 and OBR-3 the filler's.
pub fn numbers(group: &[Segment<'_>]) -> Vec<Number> {
    let (orc, obr) = (order::named(group, "ORC"), order::named(group, "OBR"));
    number::numbers([(orc, 2), (obr, 2), (orc, 3), (obr, 3)])
}

fn read_order(message: &Message<'_>, ordered: &Ordered<'_>, pid: Segment<'_>, feed: &Feed<'_>) -> Result<Order, Fault> {
    let group = ordered.segments.as_slice();
    let segment = |name: &str| order::named(group, name);
    let (orc, obr, tq1) = (segment("ORC"), segment("OBR"), segment("TQ1"));
    let text = |from: Option<Segment<'_>>, field: usize, component: usize| {
        from.map(|segment| segment.text(field, component)).unwrap_or_default()
    };
    let person =
        |from: Option<Segment<'_>>, field: usize| from.and_then(|segment| provider::from_xcn(segment.field(field)));

    let segments = order::scope(message, group);
    let mut order = order::order(message, &segments, pid, feed)?;
    order.priority = [text(tq1, 9, 1), text(orc, 7, 6), text(obr, 27, 6), text(obr, 5, 1)]
        .iter()
        .find_map(|word| order::priority(word))
        .unwrap_or(order.priority);
    let place = Place { segment: "ORC", sequence: service::sequence_of(message, group, "ORC"), field: 9 };
    order.ordered_at = feed.zone.instant(orc, place)?.or(order.ordered_at);
    order.referring = person(orc, 12).or_else(|| person(obr, 16)).unwrap_or_else(provider::nobody);
    if order.referring.organization.is_empty() {
        order.referring.organization = text(orc, 21, 1);
    }
    if order.referring.phone.is_empty() {
        order.referring.phone = orc.map(|orc| crate::telecom::first_phone(orc.field(14))).unwrap_or_default();
    }
    order.referred_to = provider::by_role(message, &["RT", "CP"]).map(provider::from_prd).or_else(|| person(obr, 28));
    order.services = obr.iter().filter_map(|obr| coded::code(obr.field(4))).collect();
    order.specialty = order.services.first().cloned().unwrap_or_else(coded::empty_code);
    order.diagnoses.extend(obr.iter().flat_map(|obr| coded::codes(obr.field(31)).collect::<Vec<Code>>()));
    mapped::order(&mut order, &segments, feed)?;
    Ok(order)
}
