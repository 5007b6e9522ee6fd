//! Letter -> lease, retry. A letter leaves the outbox only with its receipt, and no two workers hold one letter.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};
use handoff_engine::ids::{Digest, LetterId};

use super::{Line, LineError};

/// Letters under way at once. Each holds a connection at most; a practice's vendors allow fewer.
const UNDER_WAY_MAX: usize = 64;

/// The first retry comes after this; each later one after twice as long, up to [`RETRY_AFTER_MAX`].
const RETRY_AFTER: TimeDelta = TimeDelta::seconds(30);

/// A vendor that has been down for hours is asked once an hour.
const RETRY_AFTER_MAX: TimeDelta = TimeDelta::hours(1);

/// With the doubling above, about half a day of trying; then a person must look.
pub(super) const ATTEMPTS_MAX: u32 = 18;

/// Letters that somebody is working on. In memory: after a crash nobody is.
#[derive(Clone, Default)]
pub struct Leases {
    held: Arc<Mutex<HashSet<LetterId>>>,
}

pub struct Lease {
    leases: Leases,
    letter: LetterId,
}

impl Leases {
    pub(super) fn take(&self, letter: LetterId) -> Option<Lease> {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        held.insert(letter).then(|| Lease { leases: self.clone(), letter })
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.leases.held.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.letter);
    }
}

impl Line {
    /// Takes up every letter that is due and sees it through. Returns how many there were.
    pub async fn dispatch(self: &Arc<Self>) -> Result<usize, LineError> {
        let due = self.store.index().letter_ids_due(self.clock.now(), UNDER_WAY_MAX);
        let mut work = tokio::task::JoinSet::new();
        let mut taken = 0;
        for letter in due {
            if self.sequential {
                taken += usize::from(self.deliver(letter).await?);
            } else {
                let line = Arc::clone(self);
                work.spawn(async move { line.deliver(letter).await });
            }
        }
        while let Some(done) = work.join_next().await {
            match done {
                Ok(worked) => taken += usize::from(worked?),
                Err(error) => tracing::error!(%error, "a letter's worker ended early; its letter is taken up again"),
            }
        }
        Ok(taken)
    }

    /// False when somebody else has it, or it is gone.
    async fn deliver(&self, letter: LetterId) -> Result<bool, LineError> {
        let Some(_lease) = self.leases.take(letter) else { return Ok(false) };
        match self.store.index().outbox(&letter)? {
            Some(item) => self.perform(item).await.map(|()| true),
            None => Ok(false),
        }
    }
}

/// When a letter that failed `attempts` times is tried again. The jitter is the letter's own, so that a run can be
/// repeated and a thousand letters still do not come back in the same second.
pub(super) fn retry_at(now: DateTime<Utc>, letter: LetterId, attempts: u32) -> DateTime<Utc> {
    let doubled = RETRY_AFTER * 2i32.saturating_pow(attempts.min(16));
    let wait = doubled.min(RETRY_AFTER_MAX);
    let dice = Digest::of(format!("{letter}/{attempts}").as_bytes()).0[0];
    now + wait + wait * i32::from(dice) / (4 * i32::from(u8::MAX))
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
