//! What time it is, asked of a clock that may be virtual.

#![forbid(unsafe_code)]

use std::process::Command;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

/// The instance's only source of time.
pub trait Clock: Send + Sync + 'static {
    fn now(&self) -> DateTime<Utc>;

    /// Time that passes whatever [`Clock::now`] is set to, from some moment on. A clock that nobody can set is its own.
    fn steady(&self) -> Duration {
        (self.now() - DateTime::UNIX_EPOCH).to_std().unwrap_or_default()
    }

    /// Whether somebody keeps the clock right at the moment: NTP, or whoever moves a virtual one.
    fn is_kept(&self) -> bool {
        true
    }
}

/// The machine's own clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> DateTime<Utc> {
        Utc::now()
    }

    fn steady(&self) -> Duration {
        // Goes on while the machine sleeps, unlike the one behind `Instant`.
        let time = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
        Duration::new(u64::try_from(time.tv_sec).unwrap_or(0), u32::try_from(time.tv_nsec).unwrap_or(0))
    }

    /// As the kernel has it (adjtimex(2)), asked by way of systemd. Where nobody can say, nobody keeps it.
    fn is_kept(&self) -> bool {
        let asked = Command::new("timedatectl").args(["show", "--property=NTPSynchronized", "--value"]).output();
        asked.is_ok_and(|output| output.status.success() && output.stdout.starts_with(b"yes"))
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
