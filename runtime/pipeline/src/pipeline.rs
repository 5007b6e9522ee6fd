//! The pipeline: one straight walk from a delivery to the receipt of its last letter, one stage per file.
//!
//! ```text
//! ingress                      bytes           -> Delivery
//! intake/trigger               Delivery        -> Event(s)      plugin, pure
//! intake/callback              vendor's call   -> Event(s)      plugin, pure
//! intake/matching              Event           -> Referral      by numbers, else by the patient
//! referrals/migration          older -> in force   one step each, before anything else is decided
//! referrals/acts               a person's act -> Event(s) held against what the workflow offers, sealed
//! referrals/transition         State + Event   -> Step          engine, pure; decision plugins are asked with plain data
//! referrals/compose_message    Send            -> Letter        channel stage, template, contact rules
//! transaction                  Draft           -> committed     then the sender is answered
//! delivery/outbox              Letter          -> worker, lease
//! egress pacing                Letter          -> its turn at its endpoint
//! delivery/first_call          Letter          -> the stage that speaks, and what it is told
//! delivery/conversation        Letter          -> Request       plugin composes, pure
//! egress                       Request         -> Response      the only way out
//! delivery/outcome             Response        -> Event         plugin judges, pure; re-enters at `transition`
//! ```

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use chrono::{DateTime, Utc};
use handoff_clock::Clock;
use handoff_egress::egress::Egress;
use handoff_egress::pacing::{EndpointQueues, QueueState};
use handoff_engine::ids::StageKey;
use handoff_host::Host;
use handoff_store::Store;
use handoff_vault::Vault;
use handoff_vault::secrets::Secrets;

use crate::addresses::{AddressRules, HomeCountry};
use crate::delivery::LetterDelivery;
use crate::delivery::letter_ends::LetterEnd;
use crate::delivery::sender_faults::SenderFault;
use crate::deployments::{Deployments, Installer};
use crate::error::PipelineError;
use crate::intake::Intake;
use crate::intake::unreadable_budget::IntakeLimits;
use crate::pauses::{OutreachLimits, Pauses};
use crate::referrals::migration::Migration;
use crate::rollout::canary_health::CanaryHealth;
use crate::transaction::Transactions;

/// All of it, put together.
pub struct Pipeline {
    pub store: Store,
    pub vault: Arc<Vault>,
    pub host: Arc<Host>,
    pub deployments: Arc<Deployments>,
    pub installer: Installer,
    pub egress: Arc<Egress>,
    pub secrets: Arc<Secrets>,
    pub clock: Arc<dyn Clock>,
    pub intake: Arc<Intake>,
    pub delivery: Arc<LetterDelivery>,
    pub migration: Migration,
    /// What keeps letters from going on.
    pub pauses: Arc<Pauses>,
    pub(crate) transactions: Arc<Transactions>,
}

/// What a pipeline is built from.
pub struct PipelineParts {
    pub store: Store,
    pub vault: Vault,
    pub host: Arc<Host>,
    pub deployments: Deployments,
    pub installer: Installer,
    pub egress: Egress,
    pub secrets: Arc<Secrets>,
    /// Where vendors call back; absent when we cannot be reached from outside.
    pub public_url: Option<String>,
    pub clock: Arc<dyn Clock>,
    /// Whose numbers and addresses come without a country.
    pub country: HomeCountry,
    pub outreach: OutreachLimits,
    pub intake: IntakeLimits,
    /// One letter after the other, in due order: a rehearsal must come out the same each time.
    pub sequential: bool,
}

impl Pipeline {
    /// # Errors
    /// When the index or the journal cannot be read.
    pub fn new(parts: PipelineParts) -> Result<Pipeline, PipelineError> {
        let PipelineParts {
            store,
            vault,
            host,
            deployments,
            installer,
            egress,
            secrets,
            public_url,
            clock,
            country,
            outreach,
            intake,
            sequential,
        } = parts;
        let (vault, deployments, egress) = (Arc::new(vault), Arc::new(deployments), Arc::new(egress));
        let transactions = Arc::new(Transactions::new(
            store.clone(),
            Arc::clone(&vault),
            Arc::clone(&host),
            Arc::clone(&deployments),
            Arc::clone(&clock),
            Arc::new(EndpointQueues::new(egress.rates())),
            AddressRules::new(country, outreach.test_recipients.as_deref()),
        ));
        let pauses = Arc::new(Pauses::open(Arc::clone(&transactions), outreach)?);
        let (letters, ways) = (Arc::clone(&transactions), Arc::clone(&egress));
        let delivery = LetterDelivery::new(letters, ways, Arc::clone(&pauses), public_url, sequential);
        Ok(Pipeline {
            intake: Arc::new(Intake::new(Arc::clone(&transactions), Arc::clone(&secrets), intake)),
            delivery: Arc::new(delivery),
            migration: Migration::new(Arc::clone(&transactions)),
            store,
            vault,
            host,
            deployments,
            installer,
            egress,
            secrets,
            clock,
            pauses,
            transactions,
        })
    }

    /// Plugins that keep failing, by digest, and until when each is left alone.
    pub fn resting(&self) -> BTreeMap<String, DateTime<Utc>> {
        self.delivery.breaker.resting(self.clock.now())
    }

    /// How attempts at letters ended since the start.
    pub fn letter_ends(&self) -> BTreeMap<(StageKey, LetterEnd), u64> {
        self.delivery.ends.all()
    }

    /// Whose numbers and addresses come without a country.
    pub fn country(&self) -> HomeCountry {
        self.transactions.country
    }

    /// What vendors have said since the start of faults that are ours, by what is to be done.
    pub fn sender_faults(&self) -> BTreeMap<String, SenderFault> {
        self.transactions.sender_faults.all()
    }

    /// How each endpoint is: whether it answers, and what waits for it.
    pub fn endpoints(&self) -> BTreeMap<String, QueueState> {
        self.transactions.queues.states(self.clock.now())
    }

    /// How the deployment that is tried out does beside the one in force.
    pub fn canary(&self) -> &CanaryHealth {
        &self.transactions.canary
    }

    /// How often a plugin was called since the start.
    pub fn plugin_calls(&self) -> u64 {
        self.transactions.plugin_calls.load(Ordering::Relaxed)
    }

    /// # Errors
    /// When the journal has stopped taking entries.
    pub fn readiness(&self) -> Result<(), PipelineError> {
        Ok(self.store.healthy()?)
    }
}
