//! Builds the house from its configuration: keys, store, vault, plugins, ways out. Everything that can be wrong with a
//! set-up is found here, before the first delivery is taken.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context as _;
use chrono::{DateTime, Utc};
use ed25519_dalek::SigningKey;
use handoff_engine::ids::Digest;
use handoff_host::{Host, Limits};
use handoff_store::index::{IndexError, PAGE_MAX};
use handoff_store::journal::Disk;
use handoff_store::{Entry, Index, Record, Store, StoreOptions};

use crate::clock::Clock;
use crate::config::Config;
use crate::deployments::{self, Deployments, Pinned, Shelf, Source};
use crate::line::egress::Egress;
use crate::line::egress::secrets::Secrets;
use crate::line::{Line, Parts};
use crate::office::keys;
use crate::vault::{self, MasterKey, Vault};

/// Components by digest, below the data folder: what a referral in flight was pinned to must be there as long as it is.
pub const COMPONENTS: &str = "components";

/// What a house stands on: the machine's own disk, or a simulated one.
pub struct Ground {
    pub host: Arc<Host>,
    pub store: Store,
    /// Where the key ring lies.
    pub keys: Arc<dyn Disk>,
}

/// What a house is built from, once files have been read.
pub struct Plan {
    pub data: PathBuf,
    pub plugins: Shelf,
    pub workflow: Source,
    pub master: MasterKey,
    pub signing: SigningKey,
    pub secrets: Arc<Secrets>,
    pub egress: Egress,
    pub public_url: Option<String>,
    pub clock: Arc<dyn Clock>,
    pub dice: crate::vault::Dice,
    /// See [`Line::sequential`].
    pub sequential: bool,
}

impl Plan {
    /// # Errors
    /// When a file, a key or a secret that the configuration names cannot be read.
    pub fn from_config(config: &Config, clock: Arc<dyn Clock>) -> anyhow::Result<Plan> {
        let secrets = Arc::new(Secrets::read(&config.secrets)?);
        let master = config.keys.master.read().context("cannot read the master key (`keys: master:`)")?;
        let master = MasterKey::parse(master.as_str()).context("the master key (`keys: master:`) is malformed")?;
        let egress = Egress::new(config.endpoints.clone(), Arc::clone(&secrets), Arc::clone(&clock))?;
        Ok(Plan {
            data: config.data.clone(),
            plugins: config.shelf()?,
            workflow: Source::read(&config.workflow)?,
            master,
            signing: keys::signing(&config.keys.signing, &config.data)?,
            secrets,
            egress,
            public_url: config.listen.http.public_url.clone(),
            clock,
            dice: crate::vault::system_dice(),
            sequential: false,
        })
    }

    /// Opens the store, brings the index up to date, installs the workflow and every older one that a referral in flight
    /// still needs.
    ///
    /// # Errors
    /// When the store, the vault, the workflow or a plugin cannot be opened.
    pub fn build(self) -> anyhow::Result<Line> {
        std::fs::create_dir_all(&self.data).with_context(|| format!("cannot make {}", self.data.display()))?;
        let host = Arc::new(Host::new(Limits::default(), Some(&self.data.join("compiled")))?);
        let (store, recovery) = Store::open(StoreOptions::new(&self.data, self.signing.clone()))?;
        tracing::info!(?recovery, "store opened");
        let keys = Arc::new(vault::private_disk(&self.data)?);
        self.build_on(Ground { host, store, keys })
    }

    /// As [`Plan::build`], on ground that is laid already.
    ///
    /// # Errors
    /// When the vault, the workflow or a plugin cannot be opened.
    pub fn build_on(self, ground: Ground) -> anyhow::Result<Line> {
        let Ground { host, store, keys } = ground;
        let taken = store.index().key_slots_taken()?;
        let vault = Vault::on(keys, &self.data, self.master, self.dice, taken)?;
        let kept = self.data.join(COMPONENTS);
        std::fs::create_dir_all(&kept).with_context(|| format!("cannot make {}", kept.display()))?;
        let current = deployments::install(&host, &self.workflow, &self.plugins, Some(&kept))?;
        let known = store.index().deployments()?;
        if known.last().is_none_or(|last| last.deployment != current.deployment.digest) {
            let record = Record::Deployed {
                deployment: current.deployment.digest,
                workflow: serde_json::to_string(&self.workflow)?,
                plugins: current.deployment.plugins.clone(),
                who: "handoff".into(),
                why: "the workflow on disk differs from the last one deployed".into(),
            };
            let entry = Entry { at: self.clock.now(), records: vec![record], sealed: Vec::new() };
            store.commit(entry).wait()?;
        }
        let deployments = Deployments::new(current);
        let needed = needed(store.index())?;
        for older in known {
            if needed.contains(&older.deployment) && deployments.get(&older.deployment).is_err() {
                let source: Source = serde_json::from_str(&older.workflow)?;
                let pinned = Pinned { folder: &kept, plugins: &older.plugins };
                deployments.add(deployments::install(&host, &source, &pinned, None)?);
            }
        }
        Ok(Line::new(Parts {
            store,
            vault,
            host,
            deployments,
            egress: self.egress,
            secrets: self.secrets,
            public_url: self.public_url,
            clock: self.clock,
            sequential: self.sequential,
        }))
    }
}

/// The deployments of referrals in flight, and of those that have ended and still owe a letter, such as the one to the chart.
fn needed(index: &dyn Index) -> Result<BTreeSet<Digest>, IndexError> {
    let mut needed: BTreeSet<Digest> = index.in_flight().into_iter().map(|flight| flight.deployment).collect();
    let owing = index.letter_ids_due(DateTime::<Utc>::MAX_UTC, PAGE_MAX);
    for referral in owing.iter().map(|letter| letter.referral).collect::<BTreeSet<_>>() {
        needed.extend(index.referral(&referral)?.map(|referral| referral.deployment));
    }
    Ok(needed)
}
