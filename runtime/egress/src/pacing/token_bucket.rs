//! How fast an endpoint may be asked: a token bucket, kept as the moment at which it will be full again (GCRA).
//!
//! Not by the crate `governor`: its limiter asks a clock of its own, while ours is an argument, may be a rehearsal's and may
//! be set back; and it neither owes a token (`take` at an empty bucket) nor tells when the next is due without taking one.

use chrono::{DateTime, TimeDelta, Utc};

use crate::rate::Rate;

#[derive(Clone, Debug)]
pub(super) struct TokenBucket {
    /// From one token to the next.
    step: TimeDelta,
    /// How far ahead of the clock `full_at` may lie when a token is taken: a burst's tokens but one.
    slack: TimeDelta,
    full_at: DateTime<Utc>,
}

impl TokenBucket {
    pub fn new(rate: Rate) -> TokenBucket {
        let step = TimeDelta::seconds(rate.per_seconds.into()) / i32::try_from(rate.requests).unwrap_or(i32::MAX);
        let more = i32::try_from(rate.burst() - 1).unwrap_or(i32::MAX);
        TokenBucket { step, slack: step * more, full_at: DateTime::<Utc>::MIN_UTC }
    }

    /// When there is a token again.
    pub fn opens_at(&self) -> DateTime<Utc> {
        self.full_at.checked_sub_signed(self.slack).unwrap_or(DateTime::<Utc>::MIN_UTC)
    }

    /// Takes a token, from tomorrow's if there is none: who comes next waits the longer.
    pub fn take(&mut self, now: DateTime<Utc>) {
        self.full_at = self.full_at.max(now) + self.step;
    }

    /// The clock was set back: what is owed stays owed, on the new clock.
    pub fn shift(&mut self, back: TimeDelta) {
        self.full_at = self.full_at.checked_sub_signed(back).unwrap_or(DateTime::<Utc>::MIN_UTC);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn second(at: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_790_000_000 + at, 0).expect("a moment")
    }

    #[test]
    fn a_burst_goes_at_once_and_then_one_at_a_time() {
        let mut bucket = TokenBucket::new(Rate { requests: 2, per_seconds: 4, burst: Some(3) });
        let mut went = Vec::new();
        let mut now = second(0);
        for _ in 0..6 {
            now = now.max(bucket.opens_at());
            bucket.take(now);
            went.push((now - second(0)).num_seconds());
        }
        assert_eq!(went, [0, 0, 0, 2, 4, 6]);
        assert!(bucket.opens_at() > second(7), "the bucket is empty");
        assert!(bucket.opens_at() <= second(60), "and fills up again");
    }

    #[test]
    fn what_was_taken_in_advance_is_waited_for() {
        let mut bucket = TokenBucket::new(Rate { requests: 1, per_seconds: 1, burst: None });
        (0..4).for_each(|_| bucket.take(second(0)));
        assert_eq!(bucket.opens_at(), second(4));
        bucket.shift(TimeDelta::hours(1));
        assert_eq!(bucket.opens_at(), second(4 - 3600), "the clock was set back by an hour, and so is the opening");
    }
}
