//! The line: one straight way through the house, one station per file, in travel order.
//!
//! ```text
//! ingress     bytes            -> Delivery
//! trigger     Delivery         -> Event(s)      plugin, pure
//! callback    vendor's call    -> Event(s)      plugin, pure
//! moves       older -> in force   one step each, before anything else is decided
//! transition  State + Event    -> Step          engine, pure; decision plugins are asked with plain data
//! address     Send             -> Letter        channel stage, template, gate
//! journal     Draft            -> committed     then the sender is answered
//! outbox      Letter           -> lease, retry
//! lanes       Letter           -> its turn at its endpoint
//! outreach    Letter           -> Request       plugin composes, pure
//! egress      Request          -> Response      the only way out
//! receipt     Response         -> Event         plugin judges, pure; re-enters at `transition`
//! ```

use std::collections::BTreeMap;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex};

use chrono::{DateTime, Utc};
use handoff_engine::ids::{Digest, ReferralId};
use handoff_host::{Fault, Host};
use handoff_store::Store;
use handoff_vault::Vault;
use tokio::sync::Notify;

use crate::delivery::baa_renewal::Renewals;
use crate::delivery::outbox::Leases;
use crate::delivery::plugin_breaker::Quarantine;
use crate::deployments::{Deployments, Installer};
use crate::referrals::migration::Walk;
use crate::rollout::canary_health::Fares;
use crate::transaction::locks::Locks;
use handoff_clock::Clock;
use handoff_egress::egress::Egress;
use handoff_egress::pacing::{LaneState, Lanes};
use handoff_vault::secrets::Secrets;

/// Everything that the stations share.
pub struct Line {
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
    /// One letter after the other, in due order: a rehearsal must come out the same each time.
    pub sequential: bool,
    /// Held by whoever changes a referral.
    pub(crate) referrals: Locks,
    /// Held by whoever may create a referral, or answers a delivery.
    pub(crate) names: Locks,
    pub(crate) leases: Leases,
    pub(crate) renewals: Renewals,
    pub(crate) lanes: Arc<Lanes>,
    pub(crate) quarantine: Quarantine,
    pub(crate) fares: Fares,
    pub(crate) walk: Mutex<Walk>,
    /// Rung at each commit: something may be due.
    pub pulse: Notify,
    pub plugin_calls: AtomicU64,
}

/// Why a station could not do its work. None of these loses anything: the sender is not acknowledged, or the letter stays.
#[derive(Debug, thiserror::Error)]
pub enum LineError {
    #[error("the journal takes nothing more")]
    Commit(#[from] handoff_store::CommitError),
    #[error("the index cannot be read")]
    Index(#[from] handoff_store::index::IndexError),
    #[error("the journal cannot be read")]
    Read(#[from] handoff_store::journal::ReadError),
    #[error("the vault cannot seal or reveal")]
    Vault(#[from] handoff_vault::VaultError),
    #[error("referral {0} is not known")]
    NoSuchReferral(ReferralId),
    #[error("{item} does not wait for a person: `handoff dead-letters list` names what does")]
    NotDead { item: String },
    #[error(
        "the referral of {item} has ended ({state}); its patient is not written to\n  \
         help: dismiss the letter, with the reason"
    )]
    Ended { item: String, state: String },
    #[error("{item} has expired: it would reach its patient too late\n  help: dismiss the letter, with the reason")]
    Expired { item: String },
    #[error("{item} still cannot be read, at {location}: {message}\n  help: {help}")]
    StillDead { item: String, location: String, message: String, help: String },
    #[error("deployment {0} is not installed; its plugins are missing")]
    NoSuchDeployment(Digest),
    #[error("the workflow has no stage {stage:?}")]
    NoSuchStage { stage: String },
    #[error("the workflow cannot begin a referral")]
    Begin(#[from] handoff_engine::step::Rejection),
    #[error("stage {stage} answered another question than it was asked")]
    OtherAnswer { stage: String },
    #[error(transparent)]
    Fault(#[from] Fault),
    #[error("the plugin of stage {stage} keeps failing; it rests until {}", until.format("%Y-%m-%d %H:%M:%S UTC"))]
    Rests { stage: String, until: DateTime<Utc> },
    #[error("a record cannot be written as JSON")]
    Json(#[from] serde_json::Error),
}

/// What a line is built from.
pub struct Parts {
    pub store: Store,
    pub vault: Vault,
    pub host: Arc<Host>,
    pub deployments: Deployments,
    pub installer: Installer,
    pub egress: Egress,
    pub secrets: Arc<Secrets>,
    pub public_url: Option<String>,
    pub clock: Arc<dyn Clock>,
    pub sequential: bool,
}

impl Line {
    pub fn new(parts: Parts) -> Line {
        let Parts { store, vault, host, deployments, installer, egress, secrets, public_url, clock, sequential } =
            parts;
        let lanes = Arc::new(Lanes::new(egress.rates()));
        let leases = Leases::new(store.clone());
        Line {
            store,
            vault,
            host,
            deployments,
            installer,
            egress,
            secrets,
            public_url,
            clock,
            sequential,
            referrals: Locks::default(),
            names: Locks::default(),
            leases,
            lanes,
            quarantine: Quarantine::default(),
            fares: Fares::default(),
            walk: Mutex::default(),
            renewals: Renewals::default(),
            pulse: Notify::new(),
            plugin_calls: AtomicU64::new(0),
        }
    }

    /// Plugins that keep failing, by digest, and until when each is left alone.
    pub fn resting(&self) -> BTreeMap<String, DateTime<Utc>> {
        self.quarantine.resting(self.clock.now())
    }

    /// How each endpoint is: whether it answers, and what waits for it.
    pub fn endpoints(&self) -> BTreeMap<String, LaneState> {
        self.lanes.states(self.clock.now())
    }

    /// # Errors
    /// When the journal has stopped taking entries.
    pub fn readiness(&self) -> Result<(), LineError> {
        Ok(self.store.healthy()?)
    }
}
