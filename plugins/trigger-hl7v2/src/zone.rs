//! The zone of the times that name none: MSH-7's, the practice's, or the settings' offset.
//!
//! An offset is no zone: -0500 in November is -0400 in July. A practice that names its zone has its summer visits at the
//! right hour.

use crate::message::{Message, Segment};
use crate::problem::{Fault, Place};
use crate::settings::Settings;
use crate::timestamp::Timestamp;
use crate::types::Instant;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Zone {
    /// So far from UTC, all the year.
    Offset(Instant),
    /// A zone of the United States, by its standard time; where clocks change, they do from the second Sunday of March to the
    /// first of November (15 U.S.C. 260a, since 2007).
    Practice { standard: Instant, has_summer: bool },
}

const MINUTE: Instant = 60_000;
const HOUR: Instant = 60 * MINUTE;
const DAY: Instant = 24 * HOUR;

/// Names of the zone database, hours behind UTC in winter, and whether clocks change.
const PRACTICES: [(&str, Instant, bool); 11] = [
    ("America/New_York", 5, true),
    ("America/Detroit", 5, true),
    ("America/Indiana/Indianapolis", 5, true),
    ("America/Chicago", 6, true),
    ("America/Denver", 7, true),
    ("America/Boise", 7, true),
    ("America/Phoenix", 7, false),
    ("America/Los_Angeles", 8, true),
    ("America/Anchorage", 9, true),
    ("Pacific/Honolulu", 10, false),
    ("America/Puerto_Rico", 4, false),
];

impl Zone {
    pub const UTC: Zone = Zone::Offset(0);

    /// By its name in the zone database.
    pub fn named(name: &str) -> Option<Zone> {
        let (_, hours, has_summer) = PRACTICES.iter().find(|(known, _, _)| *known == name)?;
        Some(Zone::Practice { standard: -hours * HOUR, has_summer: *has_summer })
    }

    /// From `-05:00` or `Z`.
    pub fn offset(text: &str) -> Option<Zone> {
        moment::read_rfc3339(&format!("2000-01-01T00:00:00{text}")).map(|at| Zone::Offset(YEAR_2000 - at))
    }

    /// The zone of MSH-7 is that of the whole message (HL7 v2.5.1, 2.15.9.7). Where it is what the practice's own zone was
    /// then, that zone is meant.
    pub fn of(message: &Message<'_>, settings: &Settings) -> Zone {
        let ours = settings.zone.as_deref().and_then(Zone::named).or_else(|| Zone::offset(&settings.default_offset));
        let ours = ours.unwrap_or(Zone::UTC);
        let Some(sent) = Timestamp::parse(&message.header().text(7, 1)) else { return ours };
        match sent.zone() {
            Some(theirs) if sent.instant(&theirs) != sent.elsewhere(&ours) => theirs,
            Some(_) | None => ours,
        }
    }

    /// The moment at which clocks here show this, counted as if they showed UTC.
    pub fn moment_of(&self, shown: Instant) -> Instant {
        match *self {
            Zone::Offset(offset) => shown - offset,
            Zone::Practice { standard, has_summer } if has_summer && is_summer(shown) => shown - standard - HOUR,
            Zone::Practice { standard, .. } => shown - standard,
        }
    }

    /// The moment in a field of type DTM, TS or DT, or the start of the day, month or year.
    pub fn instant(&self, segment: Option<Segment<'_>>, place: Place) -> Result<Option<Instant>, Fault> {
        let Some(segment) = segment else { return Ok(None) };
        let timestamp = Timestamp::read(segment.field(place.field).component(1), place)?;
        Ok(timestamp.and_then(|timestamp| timestamp.instant(self)))
    }
}

const YEAR_2000: Instant = 946_684_800_000;

/// Whether clocks that change show this in summer. The hour that comes twice is its first, the one that never comes is in
/// summer.
fn is_summer(shown: Instant) -> bool {
    let date = moment::date(shown);
    let first = |month: &str| {
        let year = date.get(..4)?;
        moment::read_rfc3339(&format!("{year}-{month}-01T02:00:00Z")).map(|at| at + days_to_sunday(at) * DAY)
    };
    first("03").zip(first("11")).is_some_and(|(march, november)| (march + 7 * DAY..november).contains(&shown))
}

/// The first day of 1970 was a Thursday.
fn days_to_sunday(at: Instant) -> Instant {
    (-(at.div_euclid(DAY) + 4)).rem_euclid(7)
}
