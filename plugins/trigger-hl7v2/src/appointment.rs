//! SIU (HL7 v2.8, chapter 10): what happened to an appointment.

use crate::coded;
use crate::message::{Message, Segment, Value};
use crate::order;
use crate::patient;
use crate::problem::Fault;
use crate::provider;
use crate::reading::Meant;
use crate::settings::Settings;
use crate::timestamp::Timestamp;
use crate::types::{AppointmentChange, AppointmentNotice, Event, Instant, Provider};

pub fn read(message: &Message<'_>, trigger: &str, settings: &Settings) -> Result<Meant, Fault> {
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
    let appointment = coded::numbers([(Some(sch), 1), (Some(sch), 2)]);
    let identifiers = message.segment("PID").map(patient::identifiers).unwrap_or_default();
    let referral = coded::numbers([(Some(sch), 26), (Some(sch), 27)]);
    if appointment.is_empty() && referral.is_empty() && identifiers.is_empty() {
        return Err(Fault::missing_field(
            "SCH",
            1,
            "send the appointment's number in SCH-1 or SCH-2, or the order's in SCH-26",
        ));
    }
    let slot = Slot::find(message, sch, settings);
    Ok(Meant::Events(vec![Event::Appointment(AppointmentNotice {
        reference: order::reference(referral, appointment, identifiers, settings),
        change: refined(told, sch.field(25)),
        starts_at: slot.starts_at,
        minutes: slot.minutes,
        with: with(message),
        place: place(message),
    })]))
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

/// Where each resource segment has its start, duration and unit (HL7 v2.8, 10.6).
const RESOURCES: [(&str, usize, usize, usize); 4] =
    [("AIS", 4, 7, 8), ("AIP", 6, 9, 10), ("AIG", 8, 11, 12), ("AIL", 6, 9, 10)];

impl Slot {
    /// TQ1 replaced SCH-11 in 2.5 and wins where a message has both. A day without an hour is no appointment's time.
    fn find(message: &Message<'_>, sch: Segment<'_>, settings: &Settings) -> Slot {
        let time = |value: Value<'_>| -> Option<Instant> {
            Timestamp::parse(&value.subcomponent(1).text())
                .filter(Timestamp::has_time)
                .and_then(|time| time.instant(&settings.default_offset))
        };
        let tq1 = message.segment("TQ1").map(|tq1| (time(tq1.field(7).component(1)), time(tq1.field(8).component(1))));
        let timing = sch.field(11);
        let spans = [tq1.unwrap_or_default(), (time(timing.component(4)), time(timing.component(5)))];

        let resources: Vec<(Option<Instant>, Option<u32>)> = RESOURCES
            .iter()
            .filter_map(|&(name, start, duration, unit)| {
                let segment = message.segment(name)?;
                Some((
                    time(segment.field(start).component(1)),
                    minutes(&segment.text(duration, 1), &segment.text(unit, 1)),
                ))
            })
            .collect();

        let span = spans.into_iter().find(|(start, _)| start.is_some()).unwrap_or_default();
        let starts_at = span.0.or_else(|| resources.iter().find_map(|(start, _)| *start));
        let between = match span {
            (Some(start), Some(end)) if (1..=DAY_MINUTES).contains(&((end - start) / 60_000)) => {
                u32::try_from((end - start) / 60_000).ok()
            }
            (Some(_) | None, Some(_) | None) => None,
        };
        let minutes = between
            .or_else(|| resources.iter().find_map(|(_, minutes)| *minutes))
            .or_else(|| minutes(&sch.text(9, 1), &sch.text(10, 1)));
        Slot { starts_at, minutes }
    }
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

/// AIP-3 with the role in AIP-4, else the visit's attending (PV1-7).
fn with(message: &Message<'_>) -> Option<Provider> {
    let personnel = message.segment("AIP").and_then(|aip| {
        let specialty = [aip.text(4, 2), aip.text(4, 1)].into_iter().find(|text| !text.is_empty()).unwrap_or_default();
        provider::from_xcn(aip.field(3)).map(|provider| Provider { specialty, ..provider })
    });
    personnel.or_else(|| message.segment("PV1").and_then(|pv1| provider::from_xcn(pv1.field(7))))
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
