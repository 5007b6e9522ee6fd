//! Older deployment -> the one in force, for those that its workflow moves. Each is a step of its own, taken once: a referral
//! that has moved belongs to the deployment in force. So a crash in the middle costs nothing, and the next start goes on.

use std::sync::{Arc, PoisonError};

use chrono::{DateTime, Utc};
use handoff_engine::ids::ReferralId;
use handoff_engine::referral::Referral;
use handoff_engine::step::{Step, adopt};
use handoff_store::index::{InFlight, ReferralFilter};

use crate::pipeline::{Line, LineError};
use crate::transaction::draft::Draft;

/// Moved with one durable write. Letters and timers take their turn in between.
const MOVED_AT_ONCE: usize = 256;

/// A walk through the referrals in flight.
#[derive(Default)]
pub(crate) struct Walk {
    /// Where they stand who belong to the deployment in force.
    places: Vec<InFlight>,
    /// The last one looked at in the last place.
    after: Option<ReferralId>,
    moved: u64,
}

impl Line {
    /// Another deployment is in force: its referrals are fetched.
    pub fn begin_moving(&self) {
        self.walk_anew();
        self.pulse.notify_one();
    }

    /// Fetches all of them now, beside the keeper or without one.
    ///
    /// # Errors
    /// When the journal or the index fails. Whoever has not moved yet is fetched at the next start.
    pub async fn move_everyone(&self) -> Result<(), LineError> {
        while self.move_some().await? > 0 {}
        Ok(())
    }

    fn walk_anew(&self) {
        let places: Vec<InFlight> =
            self.store.index().in_flight().into_iter().filter(|place| self.deployments.moves_from(place)).collect();
        *self.walk.lock().unwrap_or_else(PoisonError::into_inner) = Walk { places, after: None, moved: 0 };
    }

    /// Moves some of those that the deployment in force takes over. Nothing is left to look at when it returns zero.
    pub(super) async fn move_some(&self) -> Result<usize, LineError> {
        let (place, after) = {
            let walk = self.walk.lock().unwrap_or_else(PoisonError::into_inner);
            let Some(place) = walk.places.last().cloned() else { return Ok(0) };
            (place, walk.after)
        };
        let filter = ReferralFilter {
            deployment: Some(place.deployment),
            state: Some(place.state.clone()),
            ended: Some(false),
            specialist: None,
        };
        let listed = self.store.index().referrals(&filter, after, MOVED_AT_ONCE)?;
        let ids: Vec<ReferralId> = listed.into_iter().map(|listed| listed.id).collect();
        let moved = self.move_these(&ids).await?;
        let is_over = {
            let mut walk = self.walk.lock().unwrap_or_else(PoisonError::into_inner);
            // Another deployment may have begun a walk of its own meanwhile.
            if walk.places.last() == Some(&place) {
                walk.after = ids.last().copied();
                walk.moved += moved;
                if ids.len() < MOVED_AT_ONCE {
                    walk.places.pop();
                    walk.after = None;
                }
            }
            walk.places.is_empty() && walk.moved > 0
        };
        // Whoever was on the way somewhere else when we came by is found the next time.
        if is_over {
            self.walk_anew();
        }
        // A place that is found empty is one looked at: others may follow it.
        Ok(ids.len().max(1))
    }

    async fn move_these(&self, ids: &[ReferralId]) -> Result<u64, LineError> {
        let _held = self.referrals.hold(ids.to_vec()).await;
        let mut tickets = Vec::new();
        for id in ids {
            let mut draft = self.draft();
            let referral = self.current(&draft, *id)?;
            if self.come_along(&mut draft, referral).1 {
                let (entry, _) = draft.into_entry()?;
                tickets.push(self.store.commit(entry));
            }
        }
        let moved = tickets.len() as u64;
        for ticket in tickets {
            ticket.await?;
        }
        if moved > 0 {
            self.pulse.notify_one();
        }
        Ok(moved)
    }

    /// A referral met on the line, moved first where the deployment in force takes it over; and whether it was.
    pub(super) fn come_along(&self, draft: &mut Draft<'_>, referral: Arc<Referral>) -> (Arc<Referral>, bool) {
        match self.moved(&referral, draft.now) {
            None => (referral, false),
            Some(step) => {
                let referral = Arc::new(step.referral);
                draft.stepped(Arc::clone(&referral), step.because);
                (referral, true)
            }
        }
    }

    /// One that would be stranded stays: its own deployment is still here, and knows what to do.
    fn moved(&self, referral: &Referral, now: DateTime<Utc>) -> Option<Step> {
        let along = self.deployments.comes_along(referral)?;
        adopt(along.older.workflow(), &along.present.deployment, referral, &along.to, now)
            .inspect_err(
                |stranded| tracing::warn!(referral = %referral.id, %stranded, "a referral stays with its workflow"),
            )
            .ok()
    }
}
