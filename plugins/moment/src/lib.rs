//! Instants as the wire writes them: RFC 3339 (which FHIR's `instant` and `dateTime` follow) and RFC 5322 mail dates.
//!
//! A plugin has no clock, so this is arithmetic only. An instant is in milliseconds since 1970-01-01T00:00:00Z.

mod civil;
mod mail_date;
mod rfc3339;

pub use mail_date::read_mail_date;
pub use rfc3339::{date, read_rfc3339, rfc3339};

const DAY: i64 = 86_400_000;
const HOUR: i64 = 3_600_000;
const MINUTE: i64 = 60_000;
const SECOND: i64 = 1_000;

/// Years that four digits can write; an instant outside is written as the nearest of them.
const FIRST: i64 = -62_167_219_200_000;
const LAST: i64 = 253_402_300_799_999;
