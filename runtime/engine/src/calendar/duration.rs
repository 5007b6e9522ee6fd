//! Durations as people write them: `3d`, `2h`, `30m`, `1d12h`.

use chrono::TimeDelta;

/// Two years: no referral lives longer, and sums of dates stay within the calendar.
pub const DURATION_DAYS_MAX: i64 = 731;

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DurationError {
    #[error("a duration is a number with d, h or m: `3d`, `2h`, `30m`, `1d12h`")]
    Malformed,
    #[error("a duration may be at most {DURATION_DAYS_MAX} days")]
    TooLong,
}

/// Days are 24 hours of elapsed time; the gate moves a letter into permitted hours afterwards.
pub fn parse_duration(text: &str) -> Result<TimeDelta, DurationError> {
    let mut minutes: i64 = 0;
    let mut rest = text.trim();
    if rest.is_empty() {
        return Err(DurationError::Malformed);
    }
    let mut last_unit = i64::MAX;
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let number: i64 = rest[..digits].parse().map_err(|_| DurationError::Malformed)?;
        let unit = match rest.as_bytes().get(digits) {
            Some(b'd') => 24 * 60,
            Some(b'h') => 60,
            Some(b'm') => 1,
            Some(_) | None => return Err(DurationError::Malformed),
        };
        // Largest unit first and each once: `2h3d` is more likely a slip than a wish.
        if unit >= last_unit {
            return Err(DurationError::Malformed);
        }
        last_unit = unit;
        minutes = number.checked_mul(unit).and_then(|more| minutes.checked_add(more)).ok_or(DurationError::TooLong)?;
        rest = &rest[digits + 1..];
    }
    if minutes > DURATION_DAYS_MAX * 24 * 60 {
        return Err(DurationError::TooLong);
    }
    Ok(TimeDelta::minutes(minutes))
}

/// The inverse: `1d12h`, `0h`.
pub fn format_duration(duration: TimeDelta) -> String {
    let minutes = duration.num_minutes();
    let (days, hours, rest) = (minutes / 1440, minutes % 1440 / 60, minutes % 60);
    let mut text = String::new();
    for (count, unit) in [(days, 'd'), (hours, 'h'), (rest, 'm')] {
        if count != 0 {
            text.push_str(&count.to_string());
            text.push(unit);
        }
    }
    if text.is_empty() { "0h".to_string() } else { text }
}
