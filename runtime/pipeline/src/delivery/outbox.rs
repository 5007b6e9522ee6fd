//! Letter -> worker. A letter leaves the outbox only with its receipt, and no two workers hold one letter.

use std::sync::Arc;

use handoff_egress::pacing::Permit;
use handoff_engine::ids::LetterId;
use handoff_engine::letter::LetterBody;
use handoff_store::PauseScope;
use tokio::task::JoinSet;

use super::LetterDelivery;
use super::attempt::AttemptOutcome;
use crate::error::PipelineError;

/// Letters under way at once, whatever they ask. Each endpoint's queue lets through a sixteenth of it: fifteen that are slow
/// leave room for a sixteenth.
pub(crate) const UNDER_WAY_MAX: usize = 256;

/// A letter whose turn has come.
enum Due {
    First(LetterId),
    /// It waited for its endpoint, and may go. Without a pass it has waited too long.
    Waited(LetterId, Option<Permit>),
}

/// Letters under way.
pub(crate) type Workers = JoinSet<Result<(), PipelineError>>;

impl LetterDelivery {
    /// Gives each letter whose turn has come to a worker, as long as there is room. Returns how many there were.
    pub(crate) async fn hand_out(self: &Arc<Self>, workers: &mut Workers) -> Result<usize, PipelineError> {
        let mut handed = 0;
        while workers.len() < UNDER_WAY_MAX && self.pauses.scope() != Some(PauseScope::All) {
            let Some(due) = self.next_due() else { break };
            handed += 1;
            let delivery = Arc::clone(self);
            match self.sequential {
                true => delivery.deliver(due).await?,
                false => {
                    workers.spawn(async move { delivery.deliver(due).await });
                }
            }
        }
        Ok(handed)
    }

    /// Those that have waited come first: they were due first.
    fn next_due(&self) -> Option<Due> {
        let now = self.transactions.clock.now();
        if let Some((letter, pass)) = self.transactions.queues.call(now) {
            return Some(Due::Waited(letter, pass));
        }
        self.transactions.store.index().take_letters_due(now, 1).pop().map(Due::First)
    }

    async fn deliver(&self, due: Due) -> Result<(), PipelineError> {
        let (lease, pass) = match due {
            Due::Waited(letter, pass) => (self.transactions.leases.take_over(letter), pass),
            Due::First(letter) => match self.transactions.leases.take(letter) {
                Some(lease) => (lease, None),
                // Whoever holds it gives it back.
                None => return Ok(()),
            },
        };
        let Some(item) = self.transactions.store.index().outbox(&lease.letter)? else { return Ok(()) };
        if matches!(item.letter.body, LetterBody::Message(_)) {
            if self.pauses.scope().is_some() {
                self.pauses.park(lease.letter);
                lease.leave_to_queue();
                return Ok(());
            }
            self.pauses.count_message()?;
        }
        match self.perform(item, pass).await? {
            AttemptOutcome::Concluded => {}
            AttemptOutcome::Waits => lease.leave_to_queue(),
        }
        Ok(())
    }
}

/// What became of a worker.
pub(crate) fn finished(worker: Result<Result<(), PipelineError>, tokio::task::JoinError>) -> Result<(), PipelineError> {
    worker.unwrap_or_else(|error| {
        tracing::error!(%error, "a letter's worker ended early; its letter is taken up again");
        Ok(())
    })
}
