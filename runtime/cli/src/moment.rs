//! Moments as they are typed: a day, or RFC 3339.

use chrono::{DateTime, NaiveDate, NaiveTime, Utc};

/// For clap. A day means its beginning, in UTC, as everything in the journal is.
pub fn moment(text: &str) -> Result<DateTime<Utc>, String> {
    if let Ok(day) = text.parse::<NaiveDate>() {
        return Ok(day.and_time(NaiveTime::MIN).and_utc());
    }
    DateTime::parse_from_rfc3339(text)
        .map(|at| at.to_utc())
        .map_err(|_| "neither a day, 2026-03-02, nor a moment, 2026-03-02T08:00:00Z".to_string())
}
