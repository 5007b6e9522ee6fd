//! When offices are open and people are awake.

use chrono::{DateTime, Datelike as _, Duration, NaiveTime, TimeZone as _, Utc, Weekday};
use chrono_tz::Tz;

/// The practice and its specialists are in Chicago.
pub(crate) const PRACTICE_ZONE: Tz = chrono_tz::America::Chicago;

const OPENS_HOUR: i64 = 8;
const CLOSES_HOUR: i64 = 17;
const WAKES_HOUR: i64 = 7;
const SLEEPS_HOUR: i64 = 22;

/// `at` itself when the offices are open, otherwise the same minutes after the next opening.
pub(crate) fn office(at: DateTime<Utc>) -> DateTime<Utc> {
    within(at, PRACTICE_ZONE, OPENS_HOUR, CLOSES_HOUR, |day| !matches!(day, Weekday::Sat | Weekday::Sun))
}

/// `at` itself when people are up in this zone, otherwise the same minutes after they rise.
pub(crate) fn awake(at: DateTime<Utc>, zone: Tz) -> DateTime<Utc> {
    within(at, zone, WAKES_HOUR, SLEEPS_HOUR, |_| true)
}

/// A slot for a visit: on the quarter hour, while the offices are open.
pub(crate) fn slot(at: DateTime<Utc>) -> DateTime<Utc> {
    let quarter = 15 * 60;
    let rounded = at.timestamp().div_euclid(quarter) * quarter;
    office(DateTime::from_timestamp(rounded, 0).unwrap_or(at))
}

fn within(at: DateTime<Utc>, zone: Tz, from: i64, until: i64, day_fits: fn(Weekday) -> bool) -> DateTime<Utc> {
    let mut local = at.with_timezone(&zone).naive_local();
    let minutes = Duration::seconds(local.and_utc().timestamp().rem_euclid(3600));
    // A weekend and the hours around it: never more than four days ahead.
    for _ in 0..4 {
        let midnight = local.date().and_time(NaiveTime::MIN);
        let since = local - midnight;
        if day_fits(local.weekday()) && since < Duration::hours(until) {
            local = if since < Duration::hours(from) { midnight + Duration::hours(from) + minutes } else { local };
            break;
        }
        local = midnight + Duration::days(1);
    }
    // Daylight saving time changes at two in the morning, when nothing here is open.
    zone.from_local_datetime(&local).earliest().map_or(at, |found| found.with_timezone(&Utc))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offices_open_on_weekdays_from_eight_to_five() {
        for (asked, expected) in [
            ("2026-09-14T15:10:00Z", "2026-09-14T15:10:00Z"), // Monday, 10:10
            ("2026-09-14T09:10:05Z", "2026-09-14T13:10:05Z"), // Monday, 04:10
            ("2026-09-14T22:20:00Z", "2026-09-15T13:20:00Z"), // Monday, 17:20
            ("2026-09-12T15:30:00Z", "2026-09-14T13:30:00Z"), // Saturday
            ("2026-09-11T22:00:00Z", "2026-09-14T13:00:00Z"), // Friday, 17:00 sharp
            ("2026-11-01T15:00:00Z", "2026-11-02T14:00:00Z"), // the Sunday on which the clocks go back
        ] {
            let asked: DateTime<Utc> = asked.parse().expect("a moment");
            let expected: DateTime<Utc> = expected.parse().expect("a moment");
            assert_eq!(office(asked), expected, "{asked}");
        }
    }

    #[test]
    fn visits_start_on_the_quarter_hour() {
        let asked: DateTime<Utc> = "2026-09-14T15:13:59Z".parse().expect("a moment");
        assert_eq!(slot(asked).to_rfc3339(), "2026-09-14T15:00:00+00:00");
    }
}
