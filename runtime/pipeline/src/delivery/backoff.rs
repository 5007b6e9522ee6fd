//! How long a letter that failed waits before it is tried again.

use chrono::{DateTime, TimeDelta, Utc};
use handoff_engine::ids::{Digest, LetterId};

/// The first retry comes after this; each later one after twice as long, up to [`RETRY_AFTER_MAX`].
const RETRY_AFTER: TimeDelta = TimeDelta::seconds(30);

/// A vendor that has been down for hours is asked once an hour.
const RETRY_AFTER_MAX: TimeDelta = TimeDelta::hours(1);

/// With the doubling above, about half a day of trying; then another vendor or a person must help.
pub(super) const ATTEMPTS_MAX: u32 = 18;

/// When a letter that failed `attempts` times is tried again. The jitter is the letter's own, so that a run can be
/// repeated and a thousand letters still do not come back in the same second.
pub(super) fn retry_at(now: DateTime<Utc>, letter: LetterId, attempts: u32) -> DateTime<Utc> {
    let wait = doubled(RETRY_AFTER, attempts, RETRY_AFTER_MAX);
    let dice = Digest::of(format!("{letter}/{attempts}").as_bytes()).0[0];
    now + wait + wait * i32::from(dice) / (4 * i32::from(u8::MAX))
}

/// A wait after so many doublings, up to `most`.
pub(super) fn doubled(first: TimeDelta, times: u32, most: TimeDelta) -> TimeDelta {
    /// More would overflow, and make no wait of seconds longer than its `most` of hours.
    const TIMES_MAX: u32 = 16;
    (first * 2i32.saturating_pow(times.min(TIMES_MAX))).min(most)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retries_spread_out_and_never_come_later_than_the_cap_and_a_quarter() {
        let now = DateTime::UNIX_EPOCH;
        let letter = LetterId { referral: handoff_engine::ids::ReferralId::derive(now, b"x"), number: 1 };
        let mut last = TimeDelta::zero();
        for attempts in 0..ATTEMPTS_MAX {
            let wait = retry_at(now, letter, attempts) - now;
            assert!(wait >= RETRY_AFTER && wait <= RETRY_AFTER_MAX * 5 / 4, "attempt {attempts} waits {wait}");
            assert!(wait > last || wait >= RETRY_AFTER_MAX, "attempt {attempts} waits {wait} after {last}");
            last = wait;
        }
    }
}
