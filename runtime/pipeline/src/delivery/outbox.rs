//! Letter -> lease, retry. A letter leaves the outbox only with its receipt, and no two workers hold one letter.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};
use handoff_engine::ids::{Digest, LetterId};
use handoff_store::Store;
use tokio::task::JoinSet;

use super::conversation::Seen;
use crate::pipeline::{Line, LineError};
use handoff_egress::pacing::Pass;
use handoff_engine::error_chain::Chain;

/// Letters under way at once, whatever they ask. Each endpoint's lane lets through a sixteenth of it: fifteen that are slow
/// leave room for a sixteenth.
pub(crate) const UNDER_WAY_MAX: usize = 256;

/// The first retry comes after this; each later one after twice as long, up to [`RETRY_AFTER_MAX`].
const RETRY_AFTER: TimeDelta = TimeDelta::seconds(30);

/// A vendor that has been down for hours is asked once an hour.
const RETRY_AFTER_MAX: TimeDelta = TimeDelta::hours(1);

/// With the doubling above, about half a day of trying; then another vendor or a person must help.
pub(super) const ATTEMPTS_MAX: u32 = 18;

/// Letters that somebody is working on, or that wait for their endpoint. In memory: after a crash nobody is.
#[derive(Clone)]
pub struct Leases {
    held: Arc<Mutex<HashSet<LetterId>>>,
    store: Store,
}

/// Dropped, the letter is due again as its last record says.
pub struct Lease {
    leases: Leases,
    letter: LetterId,
    /// A lane has it: held on, without this.
    is_left: bool,
}

/// A letter whose turn has come.
enum Turn {
    Due(LetterId),
    /// It waited for its endpoint, and may go. Without a pass it has waited too long.
    Waited(LetterId, Option<Pass>),
}

/// Letters under way.
pub(crate) type Workers = JoinSet<Result<(), LineError>>;

impl Lease {
    /// Leaves the letter to its endpoint's lane, which holds it from now on.
    fn leave_to_lane(mut self) {
        self.is_left = true;
    }
}

impl Leases {
    pub fn new(store: Store) -> Leases {
        Leases { held: Arc::default(), store }
    }

    pub(crate) fn take(&self, letter: LetterId) -> Option<Lease> {
        self.held().insert(letter).then(|| self.take_over(letter))
    }

    /// Takes over a letter that a lane held.
    pub(crate) fn take_over(&self, letter: LetterId) -> Lease {
        Lease { leases: self.clone(), letter, is_left: false }
    }

    fn held(&self) -> MutexGuard<'_, HashSet<LetterId>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if self.is_left {
            return;
        }
        self.leases.held().remove(&self.letter);
        if let Err(error) = self.leases.store.index().give_letter_back(&self.letter) {
            let error = Chain(&error);
            tracing::error!(letter = %self.letter, %error, "a letter is taken up again after the next start only");
        }
    }
}

impl Line {
    /// Gives each letter whose turn has come to a worker, as long as there is room. Returns how many there were.
    pub(crate) async fn hand_out(self: &Arc<Self>, workers: &mut Workers) -> Result<usize, LineError> {
        let mut handed = 0;
        while workers.len() < UNDER_WAY_MAX {
            let Some(turn) = self.next_turn() else { break };
            handed += 1;
            let line = Arc::clone(self);
            match self.sequential {
                true => line.deliver(turn).await?,
                false => {
                    workers.spawn(async move { line.deliver(turn).await });
                }
            }
        }
        Ok(handed)
    }

    /// Those that have waited come first: they were due first.
    fn next_turn(&self) -> Option<Turn> {
        let now = self.clock.now();
        if let Some((letter, pass)) = self.lanes.call(now) {
            return Some(Turn::Waited(letter, pass));
        }
        self.store.index().take_letters_due(now, 1).pop().map(Turn::Due)
    }

    async fn deliver(&self, turn: Turn) -> Result<(), LineError> {
        let (lease, pass) = match turn {
            Turn::Waited(letter, pass) => (self.leases.take_over(letter), pass),
            Turn::Due(letter) => match self.leases.take(letter) {
                Some(lease) => (lease, None),
                // Whoever holds it gives it back.
                None => return Ok(()),
            },
        };
        let Some(item) = self.store.index().outbox(&lease.letter)? else { return Ok(()) };
        match self.perform(item, pass).await? {
            Seen::Concluded => {}
            Seen::Waits => lease.leave_to_lane(),
        }
        Ok(())
    }
}

/// What became of a worker.
pub(crate) fn finished(worker: Result<Result<(), LineError>, tokio::task::JoinError>) -> Result<(), LineError> {
    worker.unwrap_or_else(|error| {
        tracing::error!(%error, "a letter's worker ended early; its letter is taken up again");
        Ok(())
    })
}

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
