//! HL7 timestamps: `YYYY[MM[DD[HH[MM[SS[.S[S[S[S]]]]]]]]][+/-ZZZZ]` (HL7 v2.8, 2.A.22) as instants and dates.

use crate::message::Value;
use crate::types::Instant;

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
    /// From a field of type DTM, TS or DT. Nothing when it is not a date.
    pub fn read(value: Value<'_>) -> Option<Timestamp> {
        Timestamp::parse(&value.part(1))
    }

    pub fn parse(text: &str) -> Option<Timestamp> {
        let (moment, offset) = match text.find(['+', '-']) {
            Some(at) => (text.get(..at)?, offset(text.get(at..)?)?),
            None => (text, String::new()),
        };
        let (digits, fraction) = moment.split_once('.').unwrap_or((moment, "0"));
        let numeric = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let fits = numeric(digits) && numeric(fraction) && matches!(digits.len(), 4 | 6 | 8 | 10 | 12 | 14);
        let timestamp = Timestamp { digits: digits.to_owned(), fraction: fraction.to_owned(), offset };
        (fits && timestamp.instant("+00:00").is_some()).then_some(timestamp)
    }

    /// The moment, or the start of the day, month or year. `default_offset` counts where the sender gave none.
    pub fn instant(&self, default_offset: &str) -> Option<Instant> {
        let part = |from: usize, otherwise: &'static str| self.digits.get(from..from + 2).unwrap_or(otherwise);
        let offset = if self.offset.is_empty() { default_offset } else { &self.offset };
        moment::read_rfc3339(&format!(
            "{}-{}-{}T{}:{}:{}.{}{offset}",
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
    pub fn end(&self, default_offset: &str) -> Option<Instant> {
        let start = self.instant(default_offset)?;
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

fn offset(text: &str) -> Option<String> {
    let (sign, zone) = text.split_at_checked(1)?;
    let zone: String = zone.chars().filter(|&c| c != ':').collect();
    let (hours, minutes) = match zone.len() {
        2 => (zone.as_str(), "00"),
        4 => zone.split_at_checked(2)?,
        _ => return None,
    };
    Some(format!("{sign}{hours}:{minutes}"))
}
