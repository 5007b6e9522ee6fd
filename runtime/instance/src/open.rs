//! Builds Handoff from its configuration: keys, store, vault, plugins, ways out. Everything that can be wrong with a
//! set-up is found here, before the first delivery is taken.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context as _;
use chrono::{DateTime, TimeDelta, Utc};
use ed25519_dalek::SigningKey;
use handoff_clock::{Clock, SystemClock};
use handoff_egress::egress::Egress;
use handoff_egress::transport::NoWayOut;
use handoff_engine::ids::Digest;
use handoff_host::{Host, PluginLimits};
use handoff_pipeline::addresses::HomeCountry;
use handoff_pipeline::deployments::{Catalogue, Deployments, Installed, Installer, Keep, WorkflowSource};
use handoff_pipeline::intake::unreadable_budget::IntakeLimits;
use handoff_pipeline::pauses::OutreachLimits;
use handoff_pipeline::pipeline::{Pipeline, PipelineParts};
use handoff_pipeline::rollout::{self, Act};
use handoff_store::index::{Deployed, IndexError, PAGE_MAX};
use handoff_store::journal::{Disk, VerifyDepth};
use handoff_store::{Entry, Index, Origin, PauseCause, PauseScope, Record, Store, StoreOptions};
use handoff_vault::secrets::Secrets;
use handoff_vault::{MasterKey, SecureRandom, Vault, private_disk, system_dice};

use crate::config::Config;
use crate::signing_key;

/// Components by digest, below the data folder: what a referral in flight was pinned to must be there as long as it is.
pub const COMPONENTS: &str = "components";

/// Lies in a data folder that was restored, until it is opened for the first time.
pub const RESTORED: &str = "restored.json";

/// What an instance stands on: the machine's own disk, or a simulated one.
pub struct Storage {
    pub host: Arc<Host>,
    pub store: Store,
    /// Where the key ring lies.
    pub keys: Arc<dyn Disk>,
}

/// What an instance is built from, once files have been read.
pub struct InstanceParts {
    pub data: PathBuf,
    pub plugins: Catalogue,
    pub workflow: WorkflowSource,
    /// Whether a changed workflow may take effect as Handoff opens. An instance without a deployment takes it up in any case.
    pub takes_workflow_up: bool,
    pub master: MasterKey,
    pub signing: SigningKey,
    pub secrets: Arc<Secrets>,
    pub egress: Egress,
    pub public_url: Option<String>,
    pub clock: Arc<dyn Clock>,
    pub dice: SecureRandom,
    pub outreach: OutreachLimits,
    pub intake: IntakeLimits,
    /// Whose numbers and addresses come without a country.
    pub country: HomeCountry,
    /// Whether a new instance may write to patients at once. One that is set up begins with its outreach paused, until somebody has
    /// said that it may go live.
    pub begins_live: bool,
    /// See [`PipelineParts::sequential`].
    pub sequential: bool,
}

impl InstanceParts {
    /// # Errors
    /// When a file, a key or a secret that the configuration names cannot be read.
    pub fn from_config(config: &Config, clock: Arc<dyn Clock>) -> anyhow::Result<InstanceParts> {
        let secrets = Arc::new(Secrets::read(&config.secrets)?);
        let master = config.master_key()?;
        let egress = Egress::new(config.endpoints.clone(), Arc::clone(&secrets), Arc::clone(&clock))?;
        Ok(InstanceParts {
            data: config.data.clone(),
            plugins: config.catalogue()?,
            workflow: WorkflowSource::read(&config.workflow.file)?,
            takes_workflow_up: true,
            master,
            signing: signing_key::signing(&config.keys.signing, &config.data)?,
            secrets,
            egress,
            public_url: config.listen.http.as_ref().and_then(|http| http.public_url.clone()),
            clock,
            dice: system_dice(),
            outreach: config.outreach.limits(),
            intake: config.intake.limits(),
            country: config.country,
            begins_live: false,
            sequential: false,
        })
    }

    /// A restored copy that is only looked at: it has no endpoint, no secret and no network, and takes up no other workflow.
    ///
    /// # Errors
    /// When the workflow or a plugin's key that the configuration names cannot be read.
    pub fn shut_in(
        config: &Config,
        data: PathBuf,
        master: MasterKey,
        signing: SigningKey,
    ) -> anyhow::Result<InstanceParts> {
        let (secrets, clock): (_, Arc<dyn Clock>) = (Arc::new(Secrets::from_iter([])), Arc::new(SystemClock));
        let egress = Egress::over(Arc::new(NoWayOut), BTreeMap::new(), Arc::clone(&secrets), Arc::clone(&clock))?;
        Ok(InstanceParts {
            data,
            plugins: config.catalogue()?,
            workflow: WorkflowSource::read(&config.workflow.file)?,
            takes_workflow_up: false,
            master,
            signing,
            secrets,
            egress,
            public_url: None,
            clock,
            dice: system_dice(),
            outreach: config.outreach.limits(),
            intake: config.intake.limits(),
            country: config.country,
            begins_live: false,
            sequential: false,
        })
    }

    /// Opens the store, brings the index up to date, makes the deployment in force ready and every older one that somebody
    /// still needs, and considers the workflow that the configuration names.
    ///
    /// # Errors
    /// When the store, the vault, the workflow or a plugin cannot be opened.
    pub fn build(self) -> anyhow::Result<Pipeline> {
        std::fs::create_dir_all(&self.data).with_context(|| format!("cannot make {}", self.data.display()))?;
        let host = Arc::new(Host::new(PluginLimits::default(), Some(&self.data.join("compiled")))?);
        // The rest of the segments is looked at by `rounds`.
        let options = StoreOptions { depth: VerifyDepth::Ends, ..StoreOptions::new(&self.data, self.signing.clone()) };
        let (store, recovery) = Store::open(options)?;
        tracing::info!(?recovery, "store opened");
        let keys = Arc::new(private_disk(&self.data)?);
        self.build_on(Storage { host, store, keys })
    }

    /// As [`Plan::build`], on ground that is laid already.
    ///
    /// # Errors
    /// When the vault, the deployment in force or a plugin cannot be opened.
    pub fn build_on(self, ground: Storage) -> anyhow::Result<Pipeline> {
        let Storage { host, store, keys } = ground;
        let taken = store.index().key_slots_taken()?;
        let vault = Vault::on(keys, &self.data, self.master, self.dice, taken)?;
        let kept = self.data.join(COMPONENTS);
        std::fs::create_dir_all(&kept).with_context(|| format!("cannot make {}", kept.display()))?;
        let installer = Installer::new(Arc::clone(&host), self.plugins, kept);
        let known = store.index().deployments()?;
        let deployments = match Deployed::in_force(&known) {
            Some(last) => in_force(&installer, last)?,
            None => first(&store, &installer, &self.workflow, self.clock.now(), self.begins_live)?,
        };
        let trial = Deployed::on_trial(&known);
        if let Some((deployed, canary)) = trial {
            deployments.try_out(install_again(&installer, deployed)?, canary.share);
        }
        let needed = needed(store.index())?;
        let late = self.clock.now() - LATE_ANSWERS;
        // The latest first: each goes before those that are there.
        for older in known.iter().rev().filter(|older| deployments.get(&older.deployment).is_err()) {
            let is_needed = needed.contains(&older.deployment);
            if !is_needed && superseded_at(&known, older).is_none_or(|at| at < late) {
                continue;
            }
            match install_again(&installer, older) {
                Ok(installed) => deployments.add_older(installed),
                Err(error) if is_needed => return Err(error),
                Err(error) => {
                    let deployment = older.deployment;
                    tracing::warn!(%deployment, error = format!("{error:#}"), "late answers to its letters are not heard");
                }
            }
        }
        let pipeline = Pipeline::new(PipelineParts {
            store,
            vault,
            host,
            deployments,
            installer,
            egress: self.egress,
            secrets: self.secrets,
            public_url: self.public_url,
            clock: self.clock,
            outreach: self.outreach,
            intake: self.intake,
            country: self.country,
            sequential: self.sequential,
        })?;
        hold_restored(&pipeline, &self.data)?;
        if let Some((_, canary)) = trial {
            pipeline.canary().begin(canary.back_at);
        }
        if self.takes_workflow_up {
            rollout::consider(&pipeline, self.workflow, &known);
        }
        pipeline.migration.begin();
        Ok(pipeline)
    }
}

/// What a restored instance sent after its backup is not in its journal. Nothing leaves until an operator has looked.
fn hold_restored(pipeline: &Pipeline, data: &Path) -> anyhow::Result<()> {
    let marker = data.join(RESTORED);
    if !marker.exists() {
        return Ok(());
    }
    let why = "restored from a backup: what was sent since then is not in the journal";
    pipeline.pauses.pause(PauseCause::Restored, PauseScope::All, rollout::THE_INSTANCE, why)?;
    std::fs::remove_file(&marker).with_context(|| format!("cannot remove {}", marker.display()))
}

/// A new instance begins with the workflow that its configuration names.
fn first(
    store: &Store,
    installer: &Installer,
    source: &WorkflowSource,
    at: DateTime<Utc>,
    begins_live: bool,
) -> anyhow::Result<Deployments> {
    let installed = installer.install(source, Keep::Yes)?;
    let why = "the workflow with which Handoff began".into();
    let act = Act { origin: Origin::Configured, who: rollout::THE_INSTANCE.into(), why };
    let record = rollout::record(&installed, source, None, None, act)?;
    let not_live = (!begins_live).then(|| Record::Paused {
        cause: PauseCause::NotLive,
        scope: PauseScope::Outreach,
        who: rollout::THE_INSTANCE.into(),
        why: "a new instance writes to nobody until somebody has said that it may".into(),
    });
    let records = std::iter::once(record).chain(not_live).collect();
    store.commit(Entry { at, records, sealed: Vec::new() }).wait()?;
    let moves = installed.workflow().moves.clone();
    Ok(Deployments::new(installed, moves))
}

/// Patients answer a number that wrote to them weeks ago, and vendors report late: so long a deployment that was superseded
/// is kept ready to understand them.
const LATE_ANSWERS: TimeDelta = TimeDelta::days(30);

/// The deployment that the journal says is in force, from the components that were kept with it.
fn in_force(installer: &Installer, last: &Deployed) -> anyhow::Result<Deployments> {
    let installed = install_again(installer, last).with_context(|| {
        format!("the deployment in force ({}, since {}) cannot be made ready", last.deployment.short(), last.at)
    })?;
    let moves = rollout::moves_of(last, &installed);
    Ok(Deployments::new(installed, moves))
}

fn install_again(installer: &Installer, deployed: &Deployed) -> anyhow::Result<Installed> {
    let source: WorkflowSource = serde_json::from_str(&deployed.workflow)?;
    Ok(installer.install_again(&source, &deployed.plugins)?)
}

/// When the next deployment took its place.
fn superseded_at(known: &[Deployed], older: &Deployed) -> Option<DateTime<Utc>> {
    let next = known.iter().skip_while(|deployed| deployed.deployment != older.deployment).nth(1)?;
    Some(next.at)
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
