//! Time is a witness, not a judge. Reminders, expiries and escalations go by the machine's clock; one that is set sixty days ahead
//! would end every referral in flight within a second. So the clock is held against what cannot be set: the journal's last entry,
//! and the time since the machine started. While they disagree nothing is due.

use std::borrow::Cow;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use handoff_clock::Clock;
use serde::{Deserialize, Serialize};

/// What daylight saving, leap seconds and a clock that is slewed never do.
const FORWARD_MAX: TimeDelta = TimeDelta::hours(1);

/// NTP steps a clock back by parts of a second; entries of one moment stand in any order.
const BACK_MAX: TimeDelta = TimeDelta::seconds(5);

/// So long a clock that jumped has to be kept by NTP before it is believed: whoever set it by hand, set it against NTP, which
/// sets it right within minutes.
const KEPT_FOR: Duration = Duration::from_secs(10 * 60);

/// NTP is asked no more often while the clock is in doubt.
const ASK_AGAIN: Duration = Duration::from_secs(5);

/// How far the clock is from where it should be, and since when.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClockDoubt {
    /// Seconds; negative where the clock went back.
    pub off_seconds: i64,
    /// What it was held against.
    pub witness: Cow<'static, str>,
}

/// The clock as it was last believed.
pub(crate) struct ClockGuard {
    believed: Mark,
    doubt: Option<ClockDoubt>,
    /// Since when, by the steady clock, NTP has vouched for what is doubted.
    kept_since: Option<Duration>,
    /// What NTP said last, and when: asking runs a program, and every delivery looks at the clock.
    asked: Option<(Duration, bool)>,
}

/// The same moment by both clocks.
#[derive(Clone, Copy)]
struct Mark {
    wall: DateTime<Utc>,
    steady: Duration,
}

impl Mark {
    fn now(clock: &dyn Clock) -> Mark {
        Mark { wall: clock.now(), steady: clock.steady() }
    }
}

impl ClockGuard {
    /// `last` is when the journal's last entry was made: nothing is earlier. How much later it is cannot be told, since nobody
    /// counted while Handoff was down.
    pub fn new(clock: &dyn Clock, last: Option<DateTime<Utc>>) -> ClockGuard {
        let believed = Mark::now(clock);
        let back = last.map(|last| believed.wall - last).filter(|off| *off < -BACK_MAX);
        let doubt =
            back.map(|off| ClockDoubt { off_seconds: off.num_seconds(), witness: "the journal's last entry".into() });
        if let Some(doubt) = &doubt {
            tell(doubt);
        }
        // Agrees again once the clock has come to where the journal was.
        let believed = match last {
            Some(wall) if doubt.is_some() => Mark { wall, ..believed },
            Some(_) | None => believed,
        };
        ClockGuard { believed, doubt, kept_since: None, asked: None }
    }

    /// Whether the clock is in doubt now.
    pub fn look(&mut self, clock: &dyn Clock) -> Option<ClockDoubt> {
        let now = Mark::now(clock);
        let passed = TimeDelta::from_std(now.steady.saturating_sub(self.believed.steady)).unwrap_or(TimeDelta::MAX);
        let off = now.wall - self.believed.wall - passed;
        if off <= FORWARD_MAX && off >= -BACK_MAX {
            if self.doubt.take().is_some() {
                tracing::warn!("the clock agrees again; letters and timers go on");
            }
            self.kept_since = None;
            // A little is made good each time: clocks are slewed by minutes over weeks.
            self.believed = now;
            return None;
        }
        let doubt = ClockDoubt { off_seconds: off.num_seconds(), witness: "the time since it was last right".into() };
        if self.doubt.is_none() {
            tell(&doubt);
        }
        self.doubt = Some(doubt);
        if self.kept(clock, now.steady) {
            tracing::warn!("the clock has been kept by NTP; it is believed, and letters and timers go on");
            self.trust(clock);
        }
        self.doubt.clone()
    }

    /// The clock is right as it stands.
    pub fn trust(&mut self, clock: &dyn Clock) {
        *self = ClockGuard { believed: Mark::now(clock), doubt: None, kept_since: None, asked: None };
    }

    fn kept(&mut self, clock: &dyn Clock, now: Duration) -> bool {
        let lately = self.asked.filter(|(at, _)| now.saturating_sub(*at) < ASK_AGAIN);
        let (_, is_kept) = *self.asked.insert(lately.unwrap_or_else(|| (now, clock.is_kept())));
        match (is_kept, self.kept_since) {
            (true, Some(since)) => now.saturating_sub(since) >= KEPT_FOR,
            (true, None) => {
                self.kept_since = Some(now);
                false
            }
            (false, _) => {
                self.kept_since = None;
                false
            }
        }
    }
}

fn tell(doubt: &ClockDoubt) {
    let ClockDoubt { off_seconds, witness } = doubt;
    tracing::error!(off_seconds, %witness, "the clock is in doubt; letters and timers are held until it agrees again");
}

#[cfg(test)]
mod tests;
