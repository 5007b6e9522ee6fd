//! Timer -> Event. In due order, one referral at a time; the engine says what a timer means.

use std::time::Duration;

use chrono::{DateTime, Utc};
use handoff_engine::event::Event;
use handoff_store::PauseScope;
use tokio::sync::watch;

use crate::delivery::outbox::{UNDER_WAY_MAX, Workers, finished};
use crate::error::PipelineError;
use crate::pipeline::Pipeline;

/// Timers fired before letters are looked at again: a morning's backlog must not hold up what it already owes.
const TIMERS_AT_ONCE: usize = 256;

/// However far off the next due moment is, look again after this long: a clock may have been set.
const LOOK_AGAIN: Duration = Duration::from_secs(30);

impl Pipeline {
    /// Fires the timers that are due. Returns how many there were.
    pub async fn wake(&self) -> Result<usize, PipelineError> {
        if self.pauses.scope() == Some(PauseScope::All) {
            return Ok(0);
        }
        let due = self.store.index().timers_due(self.clock.now(), TIMERS_AT_ONCE);
        for timer in &due {
            let mut transaction = self.transactions.begin_on(vec![timer.referral]).await;
            let referral = transaction.current(timer.referral)?;
            // By the workflow in force the timer may be due at another time, or no more.
            let (referral, _) = transaction.migrate(referral);
            // Between the look and the hold, an event may have moved the referral on.
            if referral.timers.iter().any(|set| set.name == timer.name && set.due <= transaction.now()) {
                transaction.transition(timer.referral, Event::Timer { name: timer.name.clone() })?;
            }
            transaction.commit().await?;
        }
        Ok(due.len())
    }

    /// Works until nothing is due at the clock's present moment. A rehearsal moves its clock only then.
    pub async fn settle(&self) -> Result<(), PipelineError> {
        let mut workers = Workers::new();
        while self.migration.migrate_some().await? + self.wake().await? + self.delivery.hand_out(&mut workers).await?
            > 0
        {
            while let Some(worker) = workers.join_next().await {
                finished(worker)?;
                // What one letter leaves behind may be another's turn, and its place is free.
                self.delivery.hand_out(&mut workers).await?;
            }
        }
        Ok(())
    }

    /// When something is due next.
    pub fn next_due(&self) -> Option<DateTime<Utc>> {
        let index = self.store.index();
        [index.next_timer(), index.next_letter(), self.transactions.queues.next_call()].into_iter().flatten().min()
    }

    /// Keeps time until it is told to stop. What is under way is finished.
    ///
    /// # Errors
    /// When the journal or the index fails: nothing may go on then.
    pub async fn keep_time(&self, mut stop: watch::Receiver<bool>) -> Result<(), PipelineError> {
        let mut workers = Workers::new();
        loop {
            let begun = self.migration.migrate_some().await?
                + self.wake().await?
                + self.delivery.hand_out(&mut workers).await?;
            // Ahead of need, so that no delivery waits for it.
            self.vault.provision()?;
            let due = match workers.len() < UNDER_WAY_MAX {
                // What is held is looked at again in a while; whoever lets it go on commits, and that wakes us.
                _ if self.pauses.scope() == Some(PauseScope::All) => None,
                true => self.next_due(),
                // A letter that is due finds no room; the end of another will wake us.
                false => self.store.index().next_timer(),
            };
            let wait = match due {
                _ if begun > 0 => Duration::ZERO,
                Some(due) => (due - self.clock.now()).to_std().unwrap_or(Duration::ZERO).min(LOOK_AGAIN),
                None => LOOK_AGAIN,
            };
            tokio::select! {
                // In this order, so that a simulation comes out the same each time.
                biased;
                _ = stop.wait_for(|stop| *stop) => break,
                Some(worker) = workers.join_next() => finished(worker)?,
                () = self.transactions.committed.notified() => {}
                () = tokio::time::sleep(wait) => {}
            }
        }
        while let Some(worker) = workers.join_next().await {
            finished(worker)?;
        }
        Ok(())
    }
}
