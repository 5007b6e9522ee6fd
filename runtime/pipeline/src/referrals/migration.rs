//! Older deployment -> the one in force, for those that its workflow moves. Each is a step of its own, taken once: a referral
//! that has moved belongs to the deployment in force. So a crash in the middle costs nothing, and the next start goes on.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use handoff_engine::ids::ReferralId;
use handoff_engine::referral::Referral;
use handoff_store::index::{InFlight, ReferralFilter};
use parking_lot::Mutex;

use crate::error::PipelineError;
use crate::transaction::{Transaction, Transactions};

/// Moved with one durable write. Letters and timers take their turn in between.
const MOVED_AT_ONCE: usize = 256;

/// How far a walk through the referrals in flight has come.
#[derive(Default)]
struct MigrationCursor {
    /// Where they stand who belong to the deployment in force.
    places: Vec<InFlight>,
    /// The last one looked at in the last place.
    after: Option<ReferralId>,
    moved: u64,
}

/// Moves whoever belongs to the deployment in force.
pub struct Migration {
    transactions: Arc<Transactions>,
    cursor: Mutex<MigrationCursor>,
}

impl Migration {
    pub(crate) fn new(transactions: Arc<Transactions>) -> Migration {
        Migration { transactions, cursor: Mutex::default() }
    }

    /// Another deployment is in force: its referrals are fetched.
    pub fn begin(&self) {
        self.start_again();
        self.transactions.committed.notify_one();
    }

    /// Fetches all of them now, beside the keeper or without one.
    ///
    /// # Errors
    /// When the journal or the index fails. Whoever has not moved yet is fetched at the next start.
    pub async fn migrate_everyone(&self) -> Result<(), PipelineError> {
        while self.migrate_some().await? > 0 {}
        Ok(())
    }

    fn start_again(&self) {
        let Transactions { store, deployments, .. } = &*self.transactions;
        let in_flight = store.index().in_flight().into_iter();
        let places: Vec<InFlight> = in_flight.filter(|place| deployments.moves_from(place)).collect();
        *self.cursor.lock() = MigrationCursor { places, after: None, moved: 0 };
    }

    /// Moves some of those that the deployment in force takes over. Nothing is left to look at when it returns zero.
    pub(crate) async fn migrate_some(&self) -> Result<usize, PipelineError> {
        if self.cursor.lock().places.is_empty() && self.transactions.strays.swap(false, Ordering::AcqRel) {
            self.start_again();
        }
        let (place, after) = {
            let cursor = self.cursor.lock();
            let Some(place) = cursor.places.last().cloned() else { return Ok(0) };
            (place, cursor.after)
        };
        let filter = ReferralFilter {
            deployment: Some(place.deployment),
            state: Some(place.state.clone()),
            ended: Some(false),
            specialist: None,
        };
        let listed = self.transactions.store.index().referrals(&filter, after, MOVED_AT_ONCE)?;
        let ids: Vec<ReferralId> = listed.into_iter().map(|listed| listed.id).collect();
        let moved = self.migrate_these(&ids).await?;
        let is_over = {
            let mut cursor = self.cursor.lock();
            // Another deployment may have begun a walk of its own meanwhile.
            if cursor.places.last() == Some(&place) {
                cursor.after = ids.last().copied();
                cursor.moved += moved;
                if ids.len() < MOVED_AT_ONCE {
                    cursor.places.pop();
                    cursor.after = None;
                }
            }
            cursor.places.is_empty() && cursor.moved > 0
        };
        // Whoever was on the way somewhere else when we came by is found the next time.
        if is_over {
            self.start_again();
        }
        // A place that is found empty is one looked at: others may follow it.
        Ok(ids.len().max(1))
    }

    async fn migrate_these(&self, ids: &[ReferralId]) -> Result<u64, PipelineError> {
        let _held = self.transactions.hold(ids.to_vec()).await;
        let (mut moved, mut tickets) = (0, Vec::new());
        for id in ids {
            let mut transaction = self.transactions.begin_in_force();
            let referral = transaction.current(*id)?;
            if transaction.migrate(referral).1 {
                let (entries, _) = transaction.draft.into_entries()?;
                tickets.extend(entries.into_iter().map(|entry| self.transactions.store.commit(entry)));
                moved += 1;
            }
        }
        for ticket in tickets {
            ticket.await?;
        }
        if moved > 0 {
            self.transactions.committed.notify_one();
        }
        Ok(moved)
    }
}

impl Transaction<'_> {
    /// A referral that something happens to, moved first where the deployment in force takes it over; and whether it was.
    pub(super) fn migrate(&mut self, referral: Arc<Referral>) -> (Arc<Referral>, bool) {
        match self.from.deployments.adopted(&referral, self.now()) {
            None => (referral, false),
            Some(step) => {
                let referral = Arc::new(step.referral);
                self.draft.stepped(Arc::clone(&referral), step.because);
                (referral, true)
            }
        }
    }
}
