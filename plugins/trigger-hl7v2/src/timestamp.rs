//! HL7 timestamps: `YYYY[MM[DD[HH[MM[SS[.S[S[S[S]]]]]]]]][+/-ZZZZ]` (HL7 v2.8, 2.A.22) as instants and dates, and ISO 8601
//! (`2027-01-12T14:30:00-05:00`, `20270112193000Z`), which many write in their place.
//!
//! A time that is there and cannot be read is a fault, never "no time": nobody is reminded of a visit without one.

use crate::message::Value;
use crate::problem::{Condition, Fault, Place};
use crate::types::Instant;
use crate::zone::Zone;

const DAY_MILLIS: i64 = 86_400_000;

/// A date that may go on to a time of day.
pub struct Timestamp {
    /// 4, 6, 8, 10, 12 or 14 digits.
    digits: String,
    fraction: String,
    /// `+02:15`; empty when the sender left it out.
    offset: String,
}

impl Timestamp {
    /// Nothing where nothing was sent: empty, null, or zeros only.
    pub fn read(value: Value<'_>, place: Place) -> Result<Option<Timestamp>, Fault> {
        let text = value.part(1);
        if text.bytes().all(|byte| byte == b'0') {
            return Ok(None);
        }
        Timestamp::parse(&text).map(Some).ok_or_else(|| {
            let message = format!("{place} is no time that HL7 knows");
            Fault::at(Condition::DataType, place, message, "send it as YYYYMMDDHHMM with its zone: 202701121430-0500")
        })
    }

    /// Year, month, day, then the time of day. Nothing else is guessed at: 01/02/2027 is two days.
    pub fn parse(text: &str) -> Option<Timestamp> {
        let (moment, offset) = without_zone(text.trim())?;
        let (date, time) = match moment.find(['T', 't', ' ']) {
            Some(at) => (moment.get(..at)?, moment.get(at + 1..)?.trim_start()),
            None => moment.split_at_checked(date_length(moment))?,
        };
        let (time, fraction) = time.split_once(['.', ',']).unwrap_or((time, "0"));
        let (date, time) = (run(date, &['-', '/'], &[4, 2, 2])?, run(time, &[':'], &[2, 2, 2])?);
        let numeric = !fraction.is_empty() && fraction.bytes().all(|byte| byte.is_ascii_digit());
        let whole = (time.is_empty() || date.len() == 8) && (fraction == "0" || time.len() == 6);
        let timestamp = Timestamp { digits: date + &time, fraction: fraction.to_owned(), offset };
        // `00010101` is what a program writes that has no date.
        let is_dated = timestamp.digits.as_str() >= YEAR_MIN;
        (numeric && whole && is_dated && timestamp.instant(&Zone::UTC).is_some()).then_some(timestamp)
    }

    /// The moment, or the start of the day, month or year.
    pub fn instant(&self, zone: &Zone) -> Option<Instant> {
        let zone = self.zone().unwrap_or(*zone);
        self.shown().map(|shown| zone.moment_of(shown))
    }

    /// The moment at which another zone's clocks show the same.
    pub fn elsewhere(&self, zone: &Zone) -> Option<Instant> {
        self.shown().map(|shown| zone.moment_of(shown))
    }

    /// The zone that was sent with it.
    pub fn zone(&self) -> Option<Zone> {
        (!self.offset.is_empty()).then(|| Zone::offset(&self.offset)).flatten()
    }

    /// What the clocks show, counted as if they showed UTC.
    fn shown(&self) -> Option<Instant> {
        let part = |from: usize, otherwise: &'static str| self.digits.get(from..from + 2).unwrap_or(otherwise);
        moment::read_rfc3339(&format!(
            "{}-{}-{}T{}:{}:{}.{}Z",
            self.digits.get(..4)?,
            part(4, "01"),
            part(6, "01"),
            part(8, "00"),
            part(10, "00"),
            part(12, "00"),
            self.fraction,
        ))
    }

    /// The last moment that it covers: a referral that expires on a day is good until that day is over.
    pub fn end(&self, zone: &Zone) -> Option<Instant> {
        let start = self.instant(zone)?;
        Some(if self.has_time() { start } else { start + DAY_MILLIS - 1 })
    }

    pub fn has_time(&self) -> bool {
        self.digits.len() >= 10
    }

    /// `YYYY-MM-DD`, `YYYY-MM` or `YYYY`.
    pub fn date(&self) -> String {
        [self.digits.get(..4), self.digits.get(4..6), self.digits.get(6..8)]
            .into_iter()
            .flatten()
            .collect::<Vec<_>>()
            .join("-")
    }
}

/// Nobody in a message was born earlier.
const YEAR_MIN: &str = "1850";

/// How much of a timestamp without a `T` is its date: `2027-01-12` has separators, `20270112` has none.
fn date_length(moment: &str) -> usize {
    let separated = moment.as_bytes().get(4).is_some_and(|&byte| byte == b'-' || byte == b'/');
    moment.len().min(if separated { 10 } else { 8 })
}

/// The digits of parts of these lengths, with one separator between each two or none at all; parts at the end may be missing.
fn run(text: &str, separators: &[char], lengths: &[usize]) -> Option<String> {
    let mut digits = String::new();
    let mut rest = text;
    let separator = text.chars().find(|c| separators.contains(c));
    for (at, &length) in lengths.iter().enumerate() {
        if rest.is_empty() {
            break;
        }
        if at > 0
            && let Some(separator) = separator
        {
            rest = rest.strip_prefix(separator)?;
        }
        let (part, after) = rest.split_at_checked(length)?;
        if !part.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        digits.push_str(part);
        rest = after;
    }
    rest.is_empty().then_some(digits)
}

/// The zone stands behind the date: a sign before the ninth character separates year, month and day.
fn without_zone(text: &str) -> Option<(&str, String)> {
    if let Some(moment) = text.strip_suffix(['Z', 'z']) {
        return Some((moment, "+00:00".to_owned()));
    }
    let separated = text.as_bytes().get(4) == Some(&b'-') && text.len() > 5 && !is_year_with_zone(text);
    let from = if separated { text.len().min(10) } else { 0 };
    let Some(at) = text.get(from..)?.find(['+', '-']).map(|at| from + at) else { return Some((text, String::new())) };
    let (moment, zone) = text.split_at_checked(at)?;
    Some((moment.trim_end(), offset(zone)?))
}

/// `2026-0500` is a year and a zone, `2026-05` a month.
fn is_year_with_zone(text: &str) -> bool {
    text.len() == 9 && text.get(5..).is_some_and(|zone| zone.bytes().all(|byte| byte.is_ascii_digit()))
}

/// As `-05:00`. No zone is further away than 14 hours: what stands there is a time of day.
fn offset(text: &str) -> Option<String> {
    let (sign, zone) = text.split_at_checked(1)?;
    let zone: String = zone.chars().filter(|&c| c != ':').collect();
    let zone = if zone.len() == 2 { zone + "00" } else { zone };
    let is_zone = zone.len() == 4 && zone.bytes().all(|byte| byte.is_ascii_digit()) && zone.as_str() <= "1400";
    let offset = format!("{sign}{}:{}", zone.get(..2)?, zone.get(2..)?);
    (is_zone && Zone::offset(&offset).is_some()).then_some(offset)
}
