//! `2026-07-06T08:01:00.000Z`.

use crate::civil::{date_of, day_of, number, time_of};
use crate::{DAY, FIRST, HOUR, LAST, MINUTE, SECOND};

/// In UTC with milliseconds, as FHIR's `instant` wants it.
pub fn rfc3339(instant: i64) -> String {
    let instant = instant.clamp(FIRST, LAST);
    let time = instant.rem_euclid(DAY);
    let (hour, minute, second, milli) = (time / HOUR, time / MINUTE % 60, time / SECOND % 60, time % SECOND);
    format!("{}T{hour:02}:{minute:02}:{second:02}.{milli:03}Z", date(instant))
}

/// The day in UTC: `2026-07-06`.
pub fn date(instant: i64) -> String {
    let (year, month, day) = date_of(instant.clamp(FIRST, LAST).div_euclid(DAY));
    format!("{year:04}-{month:02}-{day:02}")
}

/// Nothing when it is no full moment: a date alone, a missing zone.
pub fn read_rfc3339(text: &str) -> Option<i64> {
    let (date, rest) = text.split_once(['T', 't'])?;
    let mut parts = date.split('-');
    let day = day_of(number(parts.next()?)?, number(parts.next()?)?, number(parts.next()?)?)?;
    if parts.next().is_some() {
        return None;
    }
    let zone_at = rest.find(['Z', 'z', '+', '-'])?;
    let (time, zone) = rest.split_at(zone_at);
    let (time, fraction) = time.split_once('.').unwrap_or((time, "0"));
    let mut parts = time.split(':');
    let (hour, minute, second) = (number(parts.next()?)?, number(parts.next()?)?, number(parts.next()?)?);
    if parts.next().is_some() {
        return None;
    }
    number(fraction)?;
    let milli = number(format!("{fraction:0<3}").get(..3)?)?;
    Some(day * DAY + time_of(hour, minute, second, milli)? - offset(zone)?)
}

fn offset(zone: &str) -> Option<i64> {
    if zone.eq_ignore_ascii_case("z") {
        return Some(0);
    }
    let sign = if zone.starts_with('-') { -1 } else { 1 };
    let (hours, minutes) = zone.get(1..)?.split_once(':')?;
    Some(sign * time_of(number(hours)?, number(minutes)?, 0, 0)?)
}
