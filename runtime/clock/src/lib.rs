//! What time it is, asked of a clock that may be virtual.

#![forbid(unsafe_code)]

use std::sync::atomic::{AtomicI64, Ordering};

use chrono::{DateTime, TimeDelta, Utc};

/// The line's only source of time.
pub trait Clock: Send + Sync + 'static {
    fn now(&self) -> DateTime<Utc>;
}

/// The machine's own clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> DateTime<Utc> {
        Utc::now()
    }
}

/// A clock that stands still until it is told to move: a rehearsal lives through a year in seconds.
#[derive(Debug)]
pub struct VirtualClock {
    millis: AtomicI64,
}

impl VirtualClock {
    pub fn starting_at(start: DateTime<Utc>) -> VirtualClock {
        VirtualClock { millis: AtomicI64::new(start.timestamp_millis()) }
    }

    /// Moves on by `step`. Time never runs backwards: a negative step is ignored.
    pub fn advance(&self, step: TimeDelta) {
        self.millis.fetch_add(step.num_milliseconds().max(0), Ordering::SeqCst);
    }

    /// Moves on to `moment`, or to the first millisecond at which it has come: who waits for it would wait for ever. A
    /// moment already past leaves the clock where it is.
    pub fn advance_to(&self, moment: DateTime<Utc>) {
        let is_between = !moment.timestamp_subsec_nanos().is_multiple_of(1_000_000);
        self.millis.fetch_max(moment.timestamp_millis() + i64::from(is_between), Ordering::SeqCst);
    }
}

impl Clock for VirtualClock {
    fn now(&self) -> DateTime<Utc> {
        // Only moments that chrono knows are ever stored: the fallback waits for the year 262142.
        DateTime::from_timestamp_millis(self.millis.load(Ordering::SeqCst)).unwrap_or(DateTime::<Utc>::MAX_UTC)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_moves_when_told_and_never_backwards() {
        let start = DateTime::from_timestamp_millis(1_800_000_000_000).unwrap_or_default();
        let clock = VirtualClock::starting_at(start);
        clock.advance(TimeDelta::hours(2));
        assert_eq!(clock.now(), start + TimeDelta::hours(2));
        clock.advance(TimeDelta::hours(-1));
        clock.advance_to(start);
        assert_eq!(clock.now(), start + TimeDelta::hours(2));
        clock.advance_to(start + TimeDelta::days(1));
        assert_eq!(clock.now(), start + TimeDelta::days(1));
        let between = clock.now() + TimeDelta::microseconds(1);
        clock.advance_to(between);
        assert_eq!(clock.now(), start + TimeDelta::days(1) + TimeDelta::milliseconds(1), "{between} has come");
    }
}
