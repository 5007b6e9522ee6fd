//! The brake: what keeps letters and timers from going on although they are due. Whatever holds, deliveries are taken.
//!
//! A pause is journaled, so that it outlives the process; the clock's doubt is not, because a journal written by a clock that is
//! wrong proves nothing about the time. Held letters keep their places in the outbox and leave when nothing holds them any more, those
//! that have lost their sense meanwhile aside: the contact rules refuse them.

pub mod clock_guard;

use std::collections::VecDeque;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use handoff_engine::ids::LetterId;
use handoff_store::index::Pause;
use handoff_store::{CommitError, Entry, PauseCause, PauseScope, Record};
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};

use self::clock_guard::{ClockDoubt, ClockGuard};
use crate::error::PipelineError;
use crate::rollout::THE_INSTANCE;
use crate::transaction::Transactions;

/// How long messages are counted for the limit.
const AN_HOUR: TimeDelta = TimeDelta::hours(1);

/// The limits on what goes to patients.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OutreachLimits {
    /// Messages to patients within an hour, of the whole instance. One more pauses outreach until a person has looked.
    pub messages_per_hour_max: Option<u32>,
    /// Nobody else is written to, where there is a list: an instance that is tried out beside a live feed.
    pub test_recipients: Option<Vec<String>>,
}

pub struct Pauses {
    transactions: Arc<Transactions>,
    limits: OutreachLimits,
    guard: Mutex<ClockGuard>,
    standing: Mutex<Standing>,
}

/// What holds, as the journal has it, and what it holds.
#[derive(Default)]
struct Standing {
    pauses: Vec<Pause>,
    /// Messages that were due while outreach was paused. Nobody else has them.
    parked: Vec<LetterId>,
    /// When messages left, for an hour.
    left: VecDeque<DateTime<Utc>>,
}

/// What holds letters back at the moment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PauseState {
    pub pauses: Vec<Pause>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clock: Option<ClockDoubt>,
    /// Messages to patients that are due and held.
    pub parked: usize,
}

impl Pauses {
    /// # Errors
    /// When the index or the journal cannot be read.
    pub(crate) fn open(transactions: Arc<Transactions>, limits: OutreachLimits) -> Result<Pauses, PipelineError> {
        let store = &transactions.store;
        let pauses = store.index().pauses()?;
        let last = store.read(store.last())?.map(|entry| entry.at);
        let guard = Mutex::new(ClockGuard::new(&*transactions.clock, last));
        let standing = Mutex::new(Standing { pauses, ..Standing::default() });
        Ok(Pauses { transactions, limits, guard, standing })
    }

    /// Asks the clock as well.
    pub fn state(&self) -> PauseState {
        let clock = self.guard.lock().look(&*self.transactions.clock);
        let standing = self.standing.lock();
        PauseState { pauses: standing.pauses.clone(), clock, parked: standing.parked.len() }
    }

    /// The widest scope of all that holds. The clock is asked first: whoever goes on afterwards goes on in the time that was judged.
    pub(crate) fn scope(&self) -> Option<PauseScope> {
        if self.guard.lock().look(&*self.transactions.clock).is_some() {
            return Some(PauseScope::All);
        }
        self.standing.lock().pauses.iter().map(|pause| pause.scope).max()
    }

    /// Messages that are due and held.
    pub fn parked(&self) -> Vec<LetterId> {
        self.standing.lock().parked.clone()
    }

    /// Keeps a due message until outreach goes on.
    pub(crate) fn park(&self, letter: LetterId) {
        self.standing.lock().parked.push(letter);
    }

    /// # Errors
    /// When the journal does not take it. Nothing is paused then.
    pub fn pause(&self, cause: PauseCause, scope: PauseScope, who: &str, why: &str) -> Result<(), CommitError> {
        self.record(Record::Paused { cause, scope, who: who.into(), why: why.into() })?;
        tracing::warn!(%cause, %scope, who, why, "paused");
        Ok(())
    }

    /// A cause holds nothing back any more. What was parked is due again once no other cause holds it.
    ///
    /// # Errors
    /// When the journal does not take it. It stays paused then.
    pub fn resume(&self, cause: PauseCause, who: &str, why: &str) -> Result<(), CommitError> {
        self.record(Record::Resumed { cause, who: who.into(), why: why.into() })?;
        if cause == PauseCause::Volume {
            self.standing.lock().left.clear();
        }
        tracing::warn!(%cause, who, why, "resumed");
        Ok(())
    }

    /// A person says that the clock is right as it stands.
    ///
    /// # Errors
    /// When the journal does not take it. The clock stays in doubt then.
    pub fn trust_clock(&self, who: &str, why: &str) -> Result<(), CommitError> {
        // Journaled as what it is: the hour is right from here on, whatever stands before.
        self.record(Record::Looked {
            who: who.into(),
            role: None,
            what: format!(
                "the clock, and found it right: {}",
                self.transactions.clock.now().format("%Y-%m-%d %H:%M:%S UTC")
            ),
            why: why.into(),
            referrals: Vec::new(),
        })?;
        self.guard.lock().trust(&*self.transactions.clock);
        self.unpark();
        Ok(())
    }

    /// Counts a message that leaves, and pauses outreach where it is one too many: a loop, or a list that was read twice, is
    /// stopped before it reaches everybody.
    ///
    /// # Errors
    /// When the journal does not take the pause.
    pub(crate) fn count_message(&self) -> Result<(), CommitError> {
        let Some(most) = self.limits.messages_per_hour_max else { return Ok(()) };
        let now = self.transactions.clock.now();
        let count = {
            let left = &mut self.standing.lock().left;
            while left.front().is_some_and(|at| *at + AN_HOUR <= now) {
                left.pop_front();
            }
            left.push_back(now);
            left.len()
        };
        if count < most as usize {
            return Ok(());
        }
        let why = format!("{count} messages left within an hour, as many as `outreach: messages_per_hour_max:` allows");
        self.pause(PauseCause::Volume, PauseScope::Outreach, THE_INSTANCE, &why)
    }

    fn record(&self, record: Record) -> Result<(), CommitError> {
        let entry = Entry { at: self.transactions.clock.now(), records: vec![record], sealed: Vec::new() };
        self.transactions.store.commit(entry).wait()?;
        match self.transactions.store.index().pauses() {
            Ok(pauses) => self.standing.lock().pauses = pauses,
            Err(error) => tracing::error!(%error, "what is paused cannot be read; it stays as it was"),
        }
        self.unpark();
        // Whoever keeps time sleeps until something is due.
        self.transactions.committed.notify_one();
        Ok(())
    }

    fn unpark(&self) {
        if self.scope().is_none() {
            let parked = std::mem::take(&mut self.standing.lock().parked);
            // Dropped, each is due again as its last record says.
            parked.into_iter().for_each(|letter| drop(self.transactions.leases.take_over(letter)));
        }
    }
}
