//! What appointments and encounters say (FHIR R4, `appointmentstatus` and `encounter-status`).

use serde_json::Value;

use crate::{Finding, Visit};

/// A feed tells the minute, a server the second: less than this is no other time.
const SAME_TIME_MILLIS: u64 = 60_000;

/// Nothing where none of them settles it. A visit that was moved often leaves a cancelled appointment behind: having
/// come beats a new time, a new time beats a no-show, a no-show beats a cancellation.
pub fn finding<'a>(appointments: impl Iterator<Item = &'a Value>, visit: &Visit) -> Option<Finding> {
    let findings: Vec<Standing> = appointments.map(|appointment| standing(appointment, visit)).collect();
    findings.iter().min_by_key(|standing| standing.precedence()).and_then(|standing| match standing {
        Standing::Came(at) => Some(Finding::Attended(*at)),
        Standing::NewTime(at) => Some(Finding::Moved(*at)),
        Standing::Waiting => None,
        Standing::StayedAway => Some(Finding::NoShow),
        Standing::Cancelled => Some(Finding::Cancelled),
    })
}

/// When the patient was there, if an encounter has begun.
pub fn encountered<'a>(mut encounters: impl Iterator<Item = &'a Value>, visit: &Visit) -> Option<i64> {
    encounters.find_map(|encounter| match encounter["status"].as_str()? {
        "finished" | "in-progress" | "triaged" | "arrived" | "onleave" => {
            Some(time(&encounter["period"]["start"]).unwrap_or(visit.starts_at))
        }
        _ => None,
    })
}

enum Standing {
    Came(i64),
    NewTime(i64),
    Waiting,
    StayedAway,
    Cancelled,
}

impl Standing {
    fn precedence(&self) -> u8 {
        match self {
            Standing::Came(_) => 0,
            Standing::NewTime(_) => 1,
            Standing::Waiting => 2,
            Standing::StayedAway => 3,
            Standing::Cancelled => 4,
        }
    }
}

fn standing(appointment: &Value, visit: &Visit) -> Standing {
    let start = time(&appointment["start"]);
    match appointment["status"].as_str().unwrap_or_default() {
        "fulfilled" | "arrived" | "checked-in" => Standing::Came(start.unwrap_or(visit.starts_at)),
        "noshow" => Standing::StayedAway,
        "cancelled" | "entered-in-error" => Standing::Cancelled,
        // `proposed` and `waitlist` have no agreed time yet.
        "booked" | "pending" => match start {
            Some(start) if start.abs_diff(visit.starts_at) >= SAME_TIME_MILLIS => Standing::NewTime(start),
            Some(_) | None => Standing::Waiting,
        },
        _ => Standing::Waiting,
    }
}

fn time(value: &Value) -> Option<i64> {
    moment::read_rfc3339(value.as_str()?)
}
