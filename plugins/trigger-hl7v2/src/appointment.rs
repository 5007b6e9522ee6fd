//! SIU (HL7 v2.8, chapter 10): what happened to an appointment.

use crate::about::About;
use crate::mapped;
use crate::message::{Message, Segment, Value};
use crate::number;
use crate::patient;
use crate::problem::{Condition, Fault, Place};
use crate::provider::{self, Standing};
use crate::reading::{Feed, Meant};
use crate::timestamp::Timestamp;
use crate::types::{AppointmentChange, AppointmentNotice, Happening, Instant, Provider};
use crate::zone::Zone;

pub fn read(message: &Message<'_>, trigger: &str, feed: &Feed<'_>) -> Result<Meant, Fault> {
    let told = match trigger {
        "S12" => AppointmentChange::Booked,
        "S13" => AppointmentChange::Moved,
        // S18 to S22 add, change or take away a service or resource of an appointment that stands.
        "S14" | "S18" | "S19" | "S20" | "S21" | "S22" => AppointmentChange::Changed,
        "S15" | "S16" => AppointmentChange::Cancelled,
        "S17" => AppointmentChange::Deleted,
        "S26" => AppointmentChange::NoShow,
        "S23" | "S24" => {
            return Ok(Meant::NotForUs("opens or blocks a time slot; no patient's appointment".to_owned()));
        }
        _ => return Ok(Meant::NotForUs(format!("SIU^{trigger} tells of no appointment's change"))),
    };
    let sch = message
        .segment("SCH")
        .ok_or_else(|| Fault::missing_segment("SCH", "send the appointment's number, time and status in SCH"))?;
    if matches!(word(sch.field(25)).as_str(), "waitlist" | "waitlisted") && told == AppointmentChange::Booked {
        return Ok(Meant::NotForUs("on the waiting list; no time has been agreed".to_owned()));
    }
    let mut patients =
        message.segments().iter().filter(|segment| segment.is("PID")).map(|pid| patient::identifiers(*pid));
    let first = patients.next();
    if patients.any(|other| Some(other) != first) {
        return Err(Fault::for_a_person(
            Place { segment: "PID", sequence: 2, field: 3 },
            "several patients share the visit, and only one can be taken over yet",
            "send a message for each patient of a group, or enter the others' visits by hand",
        ));
    }
    let about = About {
        referral: number::numbers([(Some(sch), 26), (Some(sch), 27)]),
        appointment: number::numbers([(Some(sch), 1), (Some(sch), 2)]),
        pid: message.segment("PID"),
        ..About::default()
    }
    .mapped(message.segments(), feed)?;
    let help = "send the appointment's number in SCH-1 or SCH-2, or the order's in SCH-26";
    about.require_key(Place::new("SCH", 1), help)?;
    let change = match mapped::visit_status(message.segments(), feed)? {
        Some(change) => change,
        None => refined(told, sch.field(25)),
    };
    let slot = Slot::find(message, sch, change, &feed.zone)?;
    let notice = AppointmentNotice {
        change,
        starts_at: slot.starts_at,
        minutes: slot.minutes,
        with: with(message),
        place: place(message),
    };
    Ok(Meant::Events(vec![about.event(Happening::Appointment(notice), feed)]))
}

/// SCH-25 (table 0278, and what vendors put there) where it says more than the trigger: a booking or change that turns
/// out to be an arrival, an end or a no-show. A trigger that ends an appointment is believed over a stale status.
fn refined(told: AppointmentChange, status: Value<'_>) -> AppointmentChange {
    let said = match word(status).as_str() {
        "noshow" => Some(AppointmentChange::NoShow),
        "complete" | "completed" | "checkedout" | "checkout" | "seen" => Some(AppointmentChange::Completed),
        "started" | "arrived" | "checkedin" | "checkin" | "inprogress" => Some(AppointmentChange::Arrived),
        "cancelled" | "canceled" | "dc" | "discontinued" => Some(AppointmentChange::Cancelled),
        "deleted" => Some(AppointmentChange::Deleted),
        _ => None,
    };
    match (told, said) {
        (AppointmentChange::Booked | AppointmentChange::Moved | AppointmentChange::Changed, Some(said)) => said,
        (AppointmentChange::Cancelled, Some(AppointmentChange::NoShow)) => AppointmentChange::NoShow,
        (told, Some(_) | None) => told,
    }
}

/// Letters of the status's code, or of its text where there is no code.
fn word(status: Value<'_>) -> String {
    let code = status.part(1);
    let word = if code.is_empty() { status.part(2) } else { code };
    word.chars().filter(|c| c.is_alphanumeric()).collect::<String>().to_lowercase()
}

struct Slot {
    starts_at: Option<Instant>,
    minutes: Option<u32>,
}

/// Where each resource segment has its start, duration and unit (HL7 v2.8, 10.6), the most telling first: a service lasts as
/// long as the visit, a room may be taken for longer, a device or anything else of AIG for part of it.
const RESOURCES: [(&str, usize, usize, usize); 4] =
    [("AIS", 4, 7, 8), ("AIP", 6, 9, 10), ("AIL", 6, 9, 10), ("AIG", 8, 11, 12)];

const HELP: &str = "send the visit's start in SCH-11.4 or TQ1-7 as YYYYMMDDHHMM with its zone: 202701121430-0500";

impl Slot {
    /// TQ1 replaced SCH-11 in 2.5 and wins where a message has both. A visit that is booked or moved has a time, or nobody
    /// would be reminded of it; one that ends needs none.
    fn find(message: &Message<'_>, sch: Segment<'_>, change: AppointmentChange, zone: &Zone) -> Result<Slot, Fault> {
        let is_told = matches!(change, AppointmentChange::Booked | AppointmentChange::Moved);
        let is_wanted = is_told || change == AppointmentChange::Changed;
        // The first fault of a place that would have told the time: another place may still tell it.
        let mut day_only = None;
        let mut time = |value: Value<'_>, place: Place| match Timestamp::read(value, place) {
            Ok(Some(time)) if time.has_time() => Ok(time.instant(zone)),
            Ok(Some(_)) => {
                let fault = Fault::at(Condition::DataType, place, format!("{place} names a day and no hour"), HELP);
                day_only.get_or_insert(fault);
                Ok(None)
            }
            Err(fault) if is_wanted => Err(fault),
            Ok(None) | Err(_) => Ok(None),
        };
        let tq1 = message.segment("TQ1");
        let timing = sch.field(11);
        let mut starts_at = None;
        let mut ends_at = None;
        if let Some(tq1) = tq1 {
            starts_at = time(tq1.field(7).component(1), Place::new("TQ1", 7))?;
            ends_at = time(tq1.field(8).component(1), Place::new("TQ1", 8)).unwrap_or_default();
        }
        if starts_at.is_none() {
            // Some write the start where the quantity belongs.
            let first = timing.component(1);
            let is_start =
                timing.component(4).is_empty() && Timestamp::parse(&first.part(1)).is_some_and(|it| it.has_time());
            starts_at = time(if is_start { first } else { timing.component(4) }, Place::new("SCH", 11))?;
            ends_at = time(timing.component(5), Place::new("SCH", 11)).unwrap_or_default();
        }
        let between = starts_at.zip(ends_at).map(|(start, end)| (end - start) / 60_000);
        let between = between.filter(|minutes| (1..=DAY_MINUTES).contains(minutes));
        let resources: Vec<_> = RESOURCES
            .iter()
            .filter_map(|&(name, start, duration, unit)| {
                Some((Place::new(name, start), message.segment(name)?, duration, unit))
            })
            .collect();
        for (place, segment, _, _) in &resources {
            if starts_at.is_none() {
                starts_at = time(segment.field(place.field).component(1), *place)?;
            }
        }
        match day_only {
            Some(fault) if starts_at.is_none() && is_wanted => return Err(fault),
            None if starts_at.is_none() && is_told => {
                let message = "no start of the visit in SCH-11.4, in TQ1-7 or with a resource".to_owned();
                return Err(Fault::at(Condition::RequiredFieldMissing, Place::new("SCH", 11), message, HELP));
            }
            Some(_) | None => {}
        }
        let quantity = |value: Value<'_>| minutes(&value.part(1), &value.component(2).subcomponent(1).line());
        let minutes = between
            .and_then(|minutes| u32::try_from(minutes).ok())
            .or_else(|| minutes(&sch.text(9, 1), &sch.text(10, 1)))
            .or_else(|| tq1.and_then(|tq1| quantity(tq1.field(6))))
            .or_else(|| interval(&timing.part(3)))
            .or_else(|| {
                resources.iter().find_map(|(_, segment, duration, unit)| {
                    minutes(&segment.text(*duration, 1), &segment.text(*unit, 1))
                })
            });
        Ok(Slot { starts_at, minutes })
    }
}

/// TQ-3 and SCH-11.3: a letter for the unit, then the amount, as in `M30`; or minutes alone.
fn interval(duration: &str) -> Option<u32> {
    let unit = duration.trim_end_matches(|c: char| c.is_ascii_digit());
    let amount = duration.get(unit.len()..)?;
    minutes(amount, unit)
}

/// A longer span is the window of a series, not one visit.
const DAY_MINUTES: i64 = 24 * 60;

/// A duration with its unit (ISO+, and words). No unit means minutes.
fn minutes(duration: &str, unit: &str) -> Option<u32> {
    let amount: u32 = duration.parse().ok().filter(|&amount| amount > 0)?;
    match unit.to_lowercase().as_str() {
        "" | "m" | "min" | "mins" | "minute" | "minutes" => Some(amount),
        "s" | "sec" | "second" | "seconds" => Some(amount.div_ceil(60)),
        "h" | "hr" | "hrs" | "hour" | "hours" => amount.checked_mul(60),
        _ => None,
    }
}

/// AIP-3 with the role in AIP-4, else the visit's attending (PV1-7). Of several, the one whom the visit or its order names,
/// else the one whose role is the physician's. Whoever assists is nobody's specialist, also where nobody else is named.
fn with(message: &Message<'_>) -> Option<Provider> {
    let visit = message.segment("PV1");
    let attending = visit.and_then(|pv1| provider::from_xcn(pv1.field(7)));
    let named: Vec<Provider> = [
        attending.clone(),
        visit.and_then(|pv1| provider::from_xcn(pv1.field(9))),
        message.segment("OBR").and_then(|obr| provider::from_xcn(obr.field(28))),
        provider::by_role(message, &["RT", "CP"]).map(provider::from_prd),
    ]
    .into_iter()
    .flatten()
    .collect();
    let stands = |aip: &&Segment<'_>| !aip.text(2, 1).eq_ignore_ascii_case("D");
    let personnel = message.segments().iter().filter(|segment| segment.is("AIP")).filter(stands).filter_map(|aip| {
        let role = [aip.text(4, 2), aip.text(4, 1)];
        let standing = provider::standing(&role.join(" "));
        let specialty = role.into_iter().find(|text| !text.is_empty()).unwrap_or_default();
        let provider = provider::from_xcn(aip.field(3))?;
        Some((standing, Provider { specialty, ..provider }))
    });
    let personnel = personnel.filter(|(standing, _)| *standing != Standing::Assisting);
    let best = provider::first_best(personnel, |(standing, provider)| {
        (named.iter().any(|named| provider::is_same(named, provider)), *standing, provider::has_npi(provider))
    });
    best.map(|(_, provider)| provider).or(attending)
}

/// AIL-3, else PV1-3, as a patient would read it: facility, building, point of care, room (PL, HL7 v2.8, 2.A.53).
fn place(message: &Message<'_>) -> String {
    let location = |name: &str| message.segment(name).map(|segment| segment.field(3)).filter(|value| !value.is_empty());
    let Some(pl) = location("AIL").or_else(|| location("PV1")) else { return String::new() };
    let description = pl.part(9);
    if !description.is_empty() {
        return description;
    }
    [4, 7, 1, 2]
        .map(|component| pl.part(component))
        .into_iter()
        .filter(|text| !text.is_empty())
        .collect::<Vec<_>>()
        .join(", ")
}
