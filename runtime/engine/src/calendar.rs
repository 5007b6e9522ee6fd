//! When a letter may reach a patient: permitted hours in the patient's own zone, exact across daylight saving time.

use std::collections::BTreeSet;

use chrono::{DateTime, Days, NaiveDate, NaiveDateTime, NaiveTime, TimeZone, Utc};
use chrono_tz::Tz;

mod duration;
mod state;
mod zone;

pub use duration::{DURATION_DAYS_MAX, DurationError, format_duration, parse_duration};
pub use zone::{HomeZones, home_of};

/// The hours of a day in which patients may be contacted: from `opens`, included, to `closes`, excluded.
///
/// 47 CFR 64.1200(c)(1) permits 8:00 to 21:00, local time at the called party's location.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    pub opens: NaiveTime,
    pub closes: NaiveTime,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("hours are two times of one day, the earlier first: `08:00-21:00`")]
pub struct MalformedWindow;

impl std::str::FromStr for Window {
    type Err = MalformedWindow;
    fn from_str(text: &str) -> Result<Window, MalformedWindow> {
        let time = |part: &str| NaiveTime::parse_from_str(part.trim(), "%H:%M").map_err(|_| MalformedWindow);
        let (opens, closes) = text.split_once(['-', '–']).ok_or(MalformedWindow)?;
        let window = Window { opens: time(opens)?, closes: time(closes)? };
        if window.opens < window.closes { Ok(window) } else { Err(MalformedWindow) }
    }
}

impl Window {
    pub fn contains(&self, time: NaiveTime) -> bool {
        self.opens <= time && time < self.closes
    }
}

/// A year has 365 days; a calendar that closes more than this many in a row is a mistake, and the letter then goes out on
/// the day after, where a person will notice it.
const HOLIDAYS_IN_A_ROW_MAX: u32 = 30;

/// The first permitted moment at or after `at`. Holidays are dates in the patient's zone on which nobody is contacted.
pub fn next_allowed(at: DateTime<Utc>, zone: Tz, window: Window, holidays: &BTreeSet<NaiveDate>) -> DateTime<Utc> {
    let local = at.with_timezone(&zone);
    let mut day = local.date_naive();
    if local.time() >= window.closes {
        day = day_after(day);
    } else if window.contains(local.time()) && !holidays.contains(&day) {
        return at;
    }
    for _ in 0..HOLIDAYS_IN_A_ROW_MAX {
        if !holidays.contains(&day) {
            break;
        }
        day = day_after(day);
    }
    local_moment(day.and_time(window.opens), zone).max(at)
}

fn day_after(day: NaiveDate) -> NaiveDate {
    day.checked_add_days(Days::new(1)).unwrap_or(day)
}

/// A wall-clock time as a moment. A time that comes twice (clocks go back) is its first coming; a time that never comes
/// (clocks go forward) is the first moment after the gap.
pub fn local_moment(local: NaiveDateTime, zone: Tz) -> DateTime<Utc> {
    // No zone's clocks have jumped by more than a day.
    const GAP_MINUTES_MAX: i64 = 24 * 60;
    (0..=GAP_MINUTES_MAX)
        .filter_map(|minutes| local.checked_add_signed(chrono::TimeDelta::minutes(minutes)))
        .find_map(|candidate| zone.from_local_datetime(&candidate).earliest())
        .map_or_else(|| local.and_utc(), |found| found.with_timezone(&Utc))
}
