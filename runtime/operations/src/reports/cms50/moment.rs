//! FHIR's dateTime as CQL compares it. It is known to the year, the month, the day or the instant, and so may be neither before nor
//! after another for sure; what is not sure is not so.

use std::cmp::Ordering;

use chrono::{DateTime, Datelike as _, FixedOffset, NaiveDate, NaiveTime, Utc};

/// Digits of a year, a month and a day.
const WIDTHS: [usize; 3] = [4, 2, 2];

#[derive(Clone, Copy, Debug)]
pub(super) struct FhirMoment {
    year: i32,
    month: Option<u32>,
    day: Option<u32>,
    instant: Option<DateTime<FixedOffset>>,
}

impl FhirMoment {
    /// Nothing where it is no dateTime: as if it were absent.
    pub fn read(text: &str) -> Option<FhirMoment> {
        let (date, time) = text.split_once('T').map_or((text, None), |(date, time)| (date, Some(time)));
        let parts: Vec<&str> = date.split('-').collect();
        let has_widths = parts
            .iter()
            .zip(WIDTHS)
            .all(|(part, width)| part.len() == width && part.bytes().all(|byte| byte.is_ascii_digit()));
        if parts.len() > WIDTHS.len() || !has_widths {
            return None;
        }
        let number = |place: usize| parts.get(place).and_then(|part| part.parse::<u32>().ok());
        let (year, month, day) = (parts[0].parse().ok()?, number(1), number(2));
        NaiveDate::from_ymd_opt(year, month.unwrap_or(1), day.unwrap_or(1))?;
        let instant = match (time, day) {
            (None, _) => None,
            (Some(_), None) => return None,
            // Without an offset it is of the offset in which the measure is calculated, which is UTC.
            (Some(_), Some(_)) => Some(
                DateTime::parse_from_rfc3339(text)
                    .or_else(|_| DateTime::parse_from_rfc3339(&format!("{text}Z")))
                    .ok()?,
            ),
        };
        Some(FhirMoment { year, month, day, instant })
    }

    /// CQL's `during day of`. Days are those of its own offset: offsets are made the same only where hours are compared (CQL 1.5,
    /// <https://cql.hl7.org/09-b-cqlreference.html>, "Comparing Dates and Times").
    pub fn is_on(&self, first: NaiveDate, last: NaiveDate) -> bool {
        self.is_from(first) && self.is_until(last)
    }

    pub fn is_from(&self, first: NaiveDate) -> bool {
        self.by_day(of_day(first)).is_some_and(Ordering::is_ge)
    }

    pub fn is_until(&self, last: NaiveDate) -> bool {
        self.by_day(of_day(last)).is_some_and(Ordering::is_le)
    }

    /// CQL's `after`, as exactly as both are known.
    pub fn is_after(&self, other: &FhirMoment) -> bool {
        let order = match (self.instant, other.instant) {
            (Some(this), Some(other)) => Some(this.cmp(&other)),
            (Some(_), None) | (None, Some(_)) | (None, None) => {
                // Of the same day, one of which the hour is not known.
                self.in_utc().by_day(other.in_utc()).filter(|order| order.is_ne())
            }
        };
        order == Some(Ordering::Greater)
    }

    /// By which moments are put in order: the earliest that it can be.
    pub fn earliest(&self) -> DateTime<Utc> {
        let day = NaiveDate::from_ymd_opt(self.year, self.month.unwrap_or(1), self.day.unwrap_or(1));
        let midnight = day.unwrap_or_default().and_time(NaiveTime::MIN).and_utc();
        self.instant.map_or(midnight, |instant| instant.to_utc())
    }

    fn in_utc(&self) -> FhirMoment {
        match self.instant {
            Some(instant) => of_day(instant.naive_utc().date()),
            None => *self,
        }
    }

    /// The first part that differs decides; a part that either lacks leaves it open.
    fn by_day(&self, other: FhirMoment) -> Option<Ordering> {
        let by_year = self.year.cmp(&other.year);
        if by_year.is_ne() {
            return Some(by_year);
        }
        let by_month = self.month?.cmp(&other.month?);
        if by_month.is_ne() {
            return Some(by_month);
        }
        Some(self.day?.cmp(&other.day?))
    }
}

fn of_day(day: NaiveDate) -> FhirMoment {
    FhirMoment { year: day.year(), month: Some(day.month()), day: Some(day.day()), instant: None }
}
