//! One commit: what it says, who is kept away meanwhile, and the deployment that decides.
//!
//! [`draft`] holds what will be said, [`locks`] keep others from the same referral, [`lease`] from the same letter.

pub mod draft;
pub mod lease;
pub mod locks;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Instant;

use chrono::{DateTime, Utc};
use handoff_clock::Clock;
use handoff_egress::pacing::EndpointQueues;
use handoff_engine::ids::{ReferralId, StageKey};
use handoff_engine::referral::Referral;
use handoff_host::{Answer, Call, Host};
use handoff_store::Store;
use handoff_vault::Vault;
use tokio::sync::Notify;

use self::draft::Draft;
use self::lease::Leases;
use self::locks::{Held, Locks};
use crate::addresses::{AddressRules, HomeCountry};
use crate::delivery::sender_faults::SenderFaults;
use crate::deployments::{Deployments, Installed};
use crate::error::PipelineError;
use crate::rollout::canary_health::CanaryHealth;

/// What every transaction is made from.
pub struct Transactions {
    pub store: Store,
    pub vault: Arc<Vault>,
    pub host: Arc<Host>,
    pub deployments: Arc<Deployments>,
    pub clock: Arc<dyn Clock>,
    pub(crate) country: HomeCountry,
    pub(crate) canary: CanaryHealth,
    pub(crate) leases: Leases,
    pub(crate) queues: Arc<EndpointQueues>,
    /// Held by whoever changes a referral.
    referrals: Locks,
    /// Vendors' names for messages: held by whoever takes in what one became, before any referral.
    pub(crate) vendor_ids: Locks,
    pub(crate) sender_faults: SenderFaults,
    /// Rung at each commit: something may be due.
    pub(crate) committed: Notify,
    /// A referral was committed under a deployment that the one in force takes over.
    pub(crate) strays: AtomicBool,
    pub(crate) plugin_calls: AtomicU64,
    /// Addresses in one form; nobody else is written to where there is a list.
    pub(crate) test_recipients: Option<BTreeSet<String>>,
}

/// One of them, under way. Dropped without a commit, nothing of it has happened.
pub struct Transaction<'a> {
    pub(crate) from: &'a Transactions,
    pub(crate) draft: Draft<'a>,
    /// What decides: the deployment of whoever this is about.
    pub(crate) deployment: Arc<Installed>,
    /// Referrals that nobody else changes before this is committed.
    held: Vec<Held>,
}

impl Transactions {
    pub(crate) fn new(
        store: Store,
        vault: Arc<Vault>,
        host: Arc<Host>,
        deployments: Arc<Deployments>,
        clock: Arc<dyn Clock>,
        queues: Arc<EndpointQueues>,
        AddressRules { country, test_recipients }: AddressRules,
    ) -> Transactions {
        Transactions {
            canary: CanaryHealth::new(Arc::clone(&deployments)),
            leases: Leases::new(store.clone()),
            store,
            vault,
            host,
            deployments,
            clock,
            country,
            queues,
            referrals: Locks::default(),
            vendor_ids: Locks::default(),
            sender_faults: SenderFaults::default(),
            committed: Notify::new(),
            strays: AtomicBool::new(false),
            plugin_calls: AtomicU64::new(0),
            test_recipients,
        }
    }

    /// A transaction in which `deployment` decides.
    pub(crate) fn begin(&self, deployment: Arc<Installed>) -> Transaction<'_> {
        Transaction { from: self, draft: self.draft(), deployment, held: Vec::new() }
    }

    /// A transaction in which the deployment in force decides.
    pub(crate) fn begin_in_force(&self) -> Transaction<'_> {
        self.begin(self.deployments.current())
    }

    /// As [`Transactions::begin_in_force`], once nobody else changes these referrals: what it finds is what it leaves.
    pub(crate) async fn begin_on(&self, referrals: Vec<ReferralId>) -> Transaction<'_> {
        let held = self.hold(referrals).await;
        Transaction { held, ..self.begin_in_force() }
    }

    fn draft(&self) -> Draft<'_> {
        Draft::new(self.clock.now(), self.vault.sealing(&self.store))
    }

    /// Keeps others from these referrals, for as long as what it returns lives.
    pub(crate) async fn hold(&self, referrals: Vec<ReferralId>) -> Vec<Held> {
        self.referrals.hold(referrals).await
    }

    /// One call of a stage's plugin, unrecorded: for what is recorded elsewhere or changes nothing.
    #[tracing::instrument(name = "plugin", level = "debug", skip_all, fields(stage))]
    pub(crate) fn call(&self, deployment: &Installed, stage: &StageKey, call: &Call) -> Result<Answer, PipelineError> {
        let plugin = deployment.plugin(stage)?;
        self.plugin_calls.fetch_add(1, Ordering::Relaxed);
        Ok(self.host.call(plugin, call)?)
    }

    /// Returns when what it says is durable, signed and visible to every reader.
    #[tracing::instrument(name = "commit", level = "debug", skip_all)]
    async fn commit(&self, draft: Draft<'_>) -> Result<(), PipelineError> {
        if draft.is_empty() {
            return Ok(());
        }
        let stepped: Vec<Arc<Referral>> = draft.referrals().cloned().collect();
        let (entries, _taken_back) = draft.into_entries()?;
        for entry in entries {
            let begun = Instant::now();
            let position = self.store.commit(entry).await?;
            tracing::debug!(%position, micros = begun.elapsed().as_micros() as u64, "committed");
        }
        // Another deployment may have come into force while this was on its way: whoever it takes over is fetched after all.
        if stepped.iter().any(|referral| self.deployments.adopted(referral, self.clock.now()).is_some()) {
            self.strays.store(true, Ordering::Release);
        }
        self.committed.notify_one();
        Ok(())
    }
}

impl<'a> Transaction<'a> {
    /// The moment at which all of it happens.
    pub(crate) fn now(&self) -> DateTime<Utc> {
        self.draft.now
    }

    /// Keeps others from these referrals until the commit. All that are needed at once: two that wait for each other would
    /// wait for ever.
    pub(crate) async fn hold(&mut self, referrals: Vec<ReferralId>) {
        self.held.extend(self.from.hold(referrals).await);
    }

    /// Returns when it is durable, signed and visible to every reader. Nothing leaves the instance before that.
    ///
    /// # Errors
    /// When it is not. Then it did not happen, and nobody may be told that it did.
    pub(crate) async fn commit(self) -> Result<(), PipelineError> {
        self.from.commit(self.draft).await
    }

    /// As [`Transaction::commit`]; the next one begins where this one ends.
    pub(crate) async fn commit_and_go_on(&mut self) -> Result<(), PipelineError> {
        let draft = std::mem::replace(&mut self.draft, self.from.draft());
        self.from.commit(draft).await?;
        self.held.clear();
        Ok(())
    }

    /// A referral as this transaction has it.
    pub(crate) fn current(&self, id: ReferralId) -> Result<Arc<Referral>, PipelineError> {
        match self.draft.referral(id) {
            Some(referral) => Ok(Arc::clone(referral)),
            None => self.from.store.index().referral(&id)?.ok_or(PipelineError::NoSuchReferral(id)),
        }
    }

    /// Lets another deployment decide for a while.
    pub(crate) fn under<T>(&mut self, deployment: Arc<Installed>, work: impl FnOnce(&mut Transaction<'a>) -> T) -> T {
        let before = std::mem::replace(&mut self.deployment, deployment);
        let done = work(self);
        self.deployment = before;
        done
    }
}
