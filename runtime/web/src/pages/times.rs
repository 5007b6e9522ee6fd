//! Moments in words, in the practice's zone: near ones by the hour, far ones by the day.

use chrono::{DateTime, Datelike as _, NaiveDate, TimeDelta, Utc};
use chrono_tz::Tz;

/// How a moment is told: by a clock, from now.
#[derive(Clone, Copy)]
pub(super) struct Times {
    pub zone: Tz,
    pub now: DateTime<Utc>,
}

/// Within so many days a weekday names one day.
const WEEKDAYS_NAME_DAYS: i64 = 6;

/// Does not break: a time that is torn in two is read wrong.
fn unbroken(text: &str) -> String {
    text.replace(' ', "\u{a0}")
}

impl Times {
    fn local(&self, at: DateTime<Utc>) -> DateTime<Tz> {
        at.with_timezone(&self.zone)
    }

    fn days_from_now(&self, at: DateTime<Utc>) -> i64 {
        (self.local(at).date_naive() - self.today()).num_days()
    }

    pub fn today(&self) -> NaiveDate {
        self.local(self.now).date_naive()
    }

    /// `7:52 AM`, `Thu 9:00 AM`, `Mar 26`, `Jan 31, 2027`.
    pub fn at(&self, at: DateTime<Utc>) -> String {
        let local = self.local(at);
        let format = match self.days_from_now(at) {
            0 => "%-I:%M %p",
            days if days.abs() <= WEEKDAYS_NAME_DAYS => "%a %-I:%M %p",
            _ if local.year() == self.today().year() => "%b %-d",
            _ => "%b %-d, %Y",
        };
        unbroken(&local.format(format).to_string())
    }

    /// As [`Times::at`], with the words that stand before it in a sentence.
    pub fn when(&self, at: DateTime<Utc>) -> String {
        match self.days_from_now(at) {
            0 => format!("today {}", self.at(at)),
            days if days.abs() <= WEEKDAYS_NAME_DAYS => self.at(at),
            _ => format!("on {}", self.at(at)),
        }
    }

    /// Of what is past, as short as it can be told: `4:10 PM`, `Monday`, `Mar 9`.
    pub fn lately(&self, at: DateTime<Utc>) -> String {
        match self.days_since(at) {
            1..=WEEKDAYS_NAME_DAYS => self.local(at).format("%A").to_string(),
            _ => self.at(at),
        }
    }

    /// To the minute, however far off.
    pub fn exactly(&self, at: DateTime<Utc>) -> String {
        let local = self.local(at);
        if self.days_from_now(at) == 0 {
            return format!("Today\u{a0}{}", self.clock(at));
        }
        let format = match self.days_from_now(at).abs() <= WEEKDAYS_NAME_DAYS {
            true => "%a %-I:%M %p",
            false if local.year() == self.today().year() => "%b %-d, %-I:%M %p",
            false => "%b %-d, %Y, %-I:%M %p",
        };
        unbroken(&local.format(format).to_string())
    }

    /// `Thursday, March 5`.
    pub fn day(&self, at: DateTime<Utc>) -> String {
        self.local(at).format("%A, %B\u{a0}%-d").to_string()
    }

    /// `Mar 5`, or with its year in another.
    pub fn date(&self, at: DateTime<Utc>) -> String {
        let local = self.local(at);
        let format = if local.year() == self.today().year() { "%b %-d" } else { "%b %-d, %Y" };
        unbroken(&local.format(format).to_string())
    }

    pub fn clock(&self, at: DateTime<Utc>) -> String {
        unbroken(&self.local(at).format("%-I:%M %p").to_string())
    }

    /// For `datetime=`.
    pub fn machine(&self, at: DateTime<Utc>) -> String {
        self.local(at).format("%Y-%m-%dT%H:%M%:z").to_string()
    }

    /// `Jun 14, 1967`, as far as it is known.
    pub fn birthday(&self, born: &str) -> String {
        match NaiveDate::parse_from_str(born, "%Y-%m-%d") {
            Ok(day) => unbroken(&day.format("%b %-d, %Y").to_string()),
            Err(_) => born.to_string(),
        }
    }

    /// Whole days since then, the first being 0.
    pub fn days_since(&self, at: DateTime<Utc>) -> i64 {
        -self.days_from_now(at)
    }

    /// `62` from a date of birth, as far as it is known.
    pub fn age(&self, born: &str) -> Option<i32> {
        let parts: Vec<i32> = born.split('-').map_while(|part| part.parse().ok()).collect();
        let (today, year) = (self.today(), *parts.first()?);
        let month = parts.get(1).and_then(|month| u32::try_from(*month).ok()).unwrap_or(1);
        let day = parts.get(2).and_then(|day| u32::try_from(*day).ok()).unwrap_or(1);
        let had_birthday = (today.month(), today.day()) >= (month, day);
        Some(today.year() - year - i32::from(!had_birthday)).filter(|age| (0..=130).contains(age))
    }

    /// `Times are Eastern.`
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "there are six hundred zones, and six that people here call by a word"
    )]
    pub fn zone_told(&self) -> String {
        let zone = match self.zone {
            Tz::America__New_York | Tz::US__Eastern => "Eastern",
            Tz::America__Chicago | Tz::US__Central => "Central",
            Tz::America__Denver | Tz::US__Mountain => "Mountain",
            Tz::America__Los_Angeles | Tz::US__Pacific => "Pacific",
            Tz::America__Anchorage | Tz::US__Alaska => "Alaska",
            Tz::Pacific__Honolulu | Tz::US__Hawaii => "Hawaii",
            zone => return format!("Times are of {}.", zone.name().replace('_', " ")),
        };
        format!("Times are {zone}.")
    }
}

/// `3 days`, `45 minutes`.
pub(super) fn span(span: TimeDelta) -> String {
    let (days, hours, minutes) = (span.num_days(), span.num_hours(), span.num_minutes());
    let (count, unit) = match () {
        () if days >= 2 || (days >= 1 && hours % 24 == 0) => (days, "day"),
        () if hours >= 1 => (hours, "hour"),
        () => (minutes, "minute"),
    };
    format!("{count}\u{a0}{unit}{}", if count == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_moments_are_told_by_the_hour_and_far_ones_by_the_day() {
        let moment = |text: &str| text.parse::<DateTime<Utc>>().expect("a moment");
        let times = Times { zone: Tz::America__New_York, now: moment("2026-03-10T12:00:00Z") };
        for (at, told) in [
            ("2026-03-10T11:52:00Z", "7:52 AM"),
            ("2026-03-12T13:00:00Z", "Thu 9:00 AM"),
            // Still Monday evening in New York.
            ("2026-03-10T03:00:00Z", "Mon 11:00 PM"),
            ("2026-03-26T13:00:00Z", "Mar 26"),
            ("2027-01-31T17:00:00Z", "Jan 31, 2027"),
        ] {
            assert_eq!(times.at(moment(at)), told.replace(' ', "\u{a0}"), "{at}");
        }
        assert_eq!(
            (times.age("1967-06-14"), times.age("1967-03-10"), times.age("1967")),
            (Some(58), Some(59), Some(59))
        );
        assert_eq!((times.age(""), times.age("soon"), times.age("2030-01-01")), (None, None, None));
        assert_eq!(times.zone_told(), "Times are Eastern.");
        assert_eq!(span(TimeDelta::days(3)).replace('\u{a0}', " "), "3 days");
        assert_eq!(span(TimeDelta::hours(26)).replace('\u{a0}', " "), "26 hours");
        assert_eq!(span(TimeDelta::hours(1)).replace('\u{a0}', " "), "1 hour");
    }
}
