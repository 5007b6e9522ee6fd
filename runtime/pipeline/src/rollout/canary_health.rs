//! How a canary does beside the deployment in force: how many referrals began with each, and how many of them have failed. In
//! memory: after a restart both are watched anew.

use std::collections::BTreeSet;
use std::sync::Arc;

use handoff_engine::ids::{Digest, ReferralId};
use parking_lot::{Mutex, MutexGuard};
use tokio::sync::Notify;

use crate::deployments::Deployments;

/// One referral that fails may be its own fault; the second is no coincidence.
const FAILED_MIN: usize = 2;

/// What is counted while one is tried.
pub struct CanaryHealth {
    deployments: Arc<Deployments>,
    counted: Mutex<CanaryCounts>,
    fails: Notify,
}

#[derive(Default)]
struct CanaryCounts {
    /// In percent.
    back_at: u8,
    canary: Side,
    beside: Side,
}

#[derive(Default)]
struct Side {
    begun: BTreeSet<ReferralId>,
    failed: BTreeSet<ReferralId>,
}

impl Side {
    /// The share that failed is larger than the other's.
    fn is_worse_than(&self, other: &Side) -> bool {
        self.failed.len() * other.begun.len() > other.failed.len() * self.begun.len() || other.begun.is_empty()
    }
}

impl CanaryCounts {
    /// An instance in which everything fails has no reason to blame the canary.
    fn is_too_bad(&self) -> bool {
        let Side { begun, failed } = &self.canary;
        let is_over = failed.len() >= FAILED_MIN && failed.len() * 100 >= usize::from(self.back_at) * begun.len();
        is_over && self.canary.is_worse_than(&self.beside)
    }

    fn side(&mut self, is_canary: bool) -> &mut Side {
        if is_canary { &mut self.canary } else { &mut self.beside }
    }
}

impl CanaryHealth {
    pub(crate) fn new(deployments: Arc<Deployments>) -> CanaryHealth {
        CanaryHealth { deployments, counted: Mutex::default(), fails: Notify::new() }
    }

    fn lock(&self) -> MutexGuard<'_, CanaryCounts> {
        self.counted.lock()
    }

    /// From here on what is tried is watched.
    pub fn begin(&self, back_at: u8) {
        *self.lock() = CanaryCounts { back_at, ..CanaryCounts::default() };
    }

    /// Nothing while no canary is tried.
    fn is_canary(&self, deployment: Digest) -> Option<bool> {
        self.deployments.canary().map(|canary| canary.deployment.digest == deployment)
    }

    pub(crate) fn note_begun(&self, deployment: Digest, referral: ReferralId) {
        if let Some(is_canary) = self.is_canary(deployment) {
            self.lock().side(is_canary).begun.insert(referral);
        }
    }

    /// A plugin gave no answer, a stage's set-up is wrong, or a letter was given up.
    pub(crate) fn note_failed(&self, deployment: Digest, referral: ReferralId) {
        let Some(is_canary) = self.is_canary(deployment) else { return };
        let mut counted = self.lock();
        let side = counted.side(is_canary);
        // Those that were under way before say nothing of the two.
        if side.begun.contains(&referral) {
            side.failed.insert(referral);
        }
        if counted.is_too_bad() {
            self.fails.notify_one();
        }
    }

    /// Returns when too many of a canary's referrals have failed, with the count in words.
    pub(crate) async fn has_failed(&self) -> String {
        loop {
            self.fails.notified().await;
            let counted = self.lock();
            if counted.is_too_bad() && self.deployments.canary().is_some() {
                let (Side { begun, failed }, back_at) = (&counted.canary, counted.back_at);
                let (begun, failed) = (begun.len(), failed.len());
                return format!("{failed} of {begun} referrals of the canary failed, and {back_at} % were to end it");
            }
        }
    }
}
