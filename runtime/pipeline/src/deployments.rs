//! What decides for a referral: a workflow with its plugins, pinned by digest. New referrals get the current one; a
//! referral in flight keeps its own.

pub mod component_store;
pub mod installer;
mod plugin_catalogue;
pub mod settings_check;
mod workflow_source;

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use handoff_egress::egress::Grant;
use handoff_engine::deployment::Deployment;
use handoff_engine::ids::{Digest, PatientId, ReferralId, StageKey};
use handoff_engine::letter::{Letter, LetterBody};
use handoff_engine::referral::{Channel, Referral};
use handoff_engine::step::{Step, adopt};
use handoff_engine::workflow::Workflow;
use handoff_engine::workflow::contact::OptOutScope;
use handoff_engine::workflow::moves::{MoveOutcome, Moves};
use handoff_engine::workflow::stages::Stage;
use handoff_host::{Fault, HostError, Plugin};
use handoff_store::index::InFlight;
use parking_lot::{Mutex, MutexGuard, RwLock, RwLockReadGuard};

pub use self::installer::{Installer, Keep};
pub use self::plugin_catalogue::Catalogue;
pub use self::workflow_source::WorkflowSource;
use crate::error::PipelineError;

/// A deployment, ready to be called.
pub struct Installed {
    pub deployment: Arc<Deployment>,
    plugins: BTreeMap<StageKey, Plugin>,
    /// By stage, as JSON text: a roster is long, and every call takes its stage's settings along.
    settings: BTreeMap<StageKey, String>,
    /// Of each vendor's plugin, asked once: see `clear-fields` in `wit/outreach.wit`.
    clear_fields: BTreeMap<StageKey, Vec<String>>,
}

impl Installed {
    pub fn workflow(&self) -> &Workflow {
        &self.deployment.workflow
    }

    /// # Errors
    /// When the workflow has no such stage.
    pub fn plugin(&self, stage: &StageKey) -> Result<&Plugin, PipelineError> {
        self.plugins.get(stage).ok_or_else(|| PipelineError::NoSuchStage { stage: stage.clone() })
    }

    /// # Errors
    /// When the workflow has no such stage.
    pub fn digest(&self, stage: &StageKey) -> Result<Digest, PipelineError> {
        Ok(Digest(self.plugin(stage)?.digest().0))
    }

    /// The stage's `settings:` as JSON text; absent when the workflow has no such stage.
    pub fn settings(&self, stage: &StageKey) -> Option<String> {
        self.settings.get(stage).cloned()
    }

    /// What a stage may reach, for one patient's letter.
    pub fn grant(&self, stage: &StageKey, patient: &PatientId, letter: &Letter) -> Grant {
        let again = match &letter.body {
            LetterBody::Message(message) => message.again,
            LetterBody::ReadRecord | LetterBody::CheckVisit | LetterBody::WriteChart { .. } | LetterBody::Task(_) => 0,
        };
        let (endpoints, reveal) =
            self.stage(stage).map(|stage| (stage.endpoints.clone(), stage.reveal.clone())).unwrap_or_default();
        Grant { stage: stage.clone(), endpoints, reveal, patient: patient.clone(), letter: letter.id, again }
    }

    /// The next vendor for a channel, in the workflow's order, among those not yet tried.
    pub fn carrier(&self, channel: Channel, tried: &[StageKey]) -> Option<StageKey> {
        let mut vendors = self.workflow().stages.carriers(channel).map(|carrier| &carrier.stage.key);
        vendors.find(|stage| !tried.contains(stage)).cloned()
    }

    /// The callback fields that a vendor's plugin reads in clear.
    pub fn clear_fields(&self, stage: &StageKey) -> &[String] {
        self.clear_fields.get(stage).map(Vec::as_slice).unwrap_or_default()
    }

    /// The channel that a vendor serves.
    pub fn channel_of(&self, vendor: &str) -> Option<Channel> {
        self.workflow().stages.outreach.iter().find(|carrier| carrier.name == vendor).map(|carrier| carrier.channel)
    }

    pub fn opts_out_of_everything(&self) -> bool {
        self.workflow().contact.opt_out == OptOutScope::Everything
    }

    fn stage(&self, stage: &StageKey) -> Option<&Stage> {
        self.workflow().stages.get(stage)
    }
}

/// Every deployment that somebody may still need. The one in force is changed as one with what it moves.
pub struct Deployments {
    shelf: RwLock<Shelf>,
    set_aside: Mutex<Option<SetAside>>,
    /// Held by whoever changes what is in force.
    changing: Mutex<()>,
}

struct Shelf {
    present: Arc<Installed>,
    moves: Arc<Moves>,
    /// What is tried beside it, and on how many of the new referrals, in percent.
    canary: Option<(Arc<Installed>, u8)>,
    by_digest: HashMap<Digest, Arc<Installed>>,
    /// In the order in which they were last put in force.
    order: Vec<Digest>,
}

impl Shelf {
    fn take(&mut self, installed: &Arc<Installed>) {
        let digest = installed.deployment.digest;
        self.order.retain(|known| *known != digest);
        self.order.push(digest);
        self.by_digest.insert(digest, Arc::clone(installed));
    }

    /// Whether this is the canary, whose referrals stay with it.
    fn tries(&self, deployment: &Digest) -> bool {
        self.canary.as_ref().is_some_and(|(canary, _)| canary.deployment.digest == *deployment)
    }
}

/// A workflow file that is not in force, and why: a person should look at it.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct SetAside {
    pub at: DateTime<Utc>,
    pub file: String,
    pub why: String,
}

/// A referral that belongs to the deployment in force.
pub struct Along {
    pub older: Arc<Installed>,
    pub present: Arc<Installed>,
    /// The state that it belongs in.
    pub to: String,
}

impl Deployments {
    pub fn new(present: Installed, moves: Moves) -> Deployments {
        let present = Arc::new(present);
        let by_digest = HashMap::from([(present.deployment.digest, Arc::clone(&present))]);
        let order = vec![present.deployment.digest];
        let shelf = Shelf { present, moves: Arc::new(moves), canary: None, by_digest, order };
        Deployments { shelf: RwLock::new(shelf), set_aside: Mutex::default(), changing: Mutex::default() }
    }

    fn shelf(&self) -> RwLockReadGuard<'_, Shelf> {
        self.shelf.read()
    }

    pub fn current(&self) -> Arc<Installed> {
        Arc::clone(&self.shelf().present)
    }

    /// From here on it decides for new referrals and for those that it moves. Whoever is in the middle of a call ends it
    /// with what it began with.
    pub fn put_in_force(&self, installed: Installed, moves: Moves) {
        let installed = Arc::new(installed);
        let mut shelf = self.shelf.write();
        shelf.take(&installed);
        shelf.present = installed;
        shelf.moves = Arc::new(moves);
        shelf.canary = None;
    }

    /// From here on it decides for this share of the new referrals, beside the one in force.
    pub fn try_out(&self, installed: Installed, share: u8) {
        let installed = Arc::new(installed);
        let mut shelf = self.shelf.write();
        shelf.take(&installed);
        shelf.canary = Some((installed, share));
    }

    /// What is tried beside the one in force.
    pub fn canary(&self) -> Option<Arc<Installed>> {
        self.shelf().canary.as_ref().map(|(installed, _)| Arc::clone(installed))
    }

    /// Who decides for a new referral. The same for the same one, however often it is asked.
    pub fn for_new(&self, id: ReferralId) -> Arc<Installed> {
        let shelf = self.shelf();
        let [low, high, ..] = Digest::of(id.to_string().as_bytes()).0;
        let lot = u16::from_le_bytes([low, high]) % 100;
        match &shelf.canary {
            Some((canary, share)) if lot < u16::from(*share) => Arc::clone(canary),
            Some(_) | None => Arc::clone(&shelf.present),
        }
    }

    /// One that was in force before all that are here.
    pub fn add_older(&self, installed: Installed) {
        let mut shelf = self.shelf.write();
        let digest = installed.deployment.digest;
        shelf.order.insert(0, digest);
        shelf.by_digest.insert(digest, Arc::new(installed));
    }

    /// # Errors
    /// When it is not installed.
    pub fn get(&self, digest: &Digest) -> Result<Arc<Installed>, PipelineError> {
        self.shelf().by_digest.get(digest).cloned().ok_or(PipelineError::NoSuchDeployment(*digest))
    }

    /// Those that have this stage, the one in force first, then the latest: a vendor that was swapped still calls back about
    /// what it was given. One for each plugin and its settings.
    pub fn with_stage(&self, stage: &StageKey) -> Vec<Arc<Installed>> {
        let shelf = self.shelf();
        let latest = shelf.order.iter().rev().filter_map(|digest| shelf.by_digest.get(digest));
        let mut found: Vec<Arc<Installed>> = Vec::new();
        for installed in std::iter::once(&shelf.present).chain(latest) {
            let same = |known: &Arc<Installed>| {
                known.digest(stage).ok() == installed.digest(stage).ok()
                    && known.settings.get(stage) == installed.settings.get(stage)
            };
            if installed.plugins.contains_key(stage) && !found.iter().any(same) {
                found.push(Arc::clone(installed));
            }
        }
        found
    }

    /// The referral as the deployment in force takes it over, where it does. One that would be stranded stays: its own deployment
    /// is still here, and knows what to do.
    pub(crate) fn adopted(&self, referral: &Referral, now: DateTime<Utc>) -> Option<Step> {
        let along = self.migrates(referral)?;
        adopt(along.older.workflow(), &along.present.deployment, referral, &along.to, now)
            .inspect_err(
                |stranded| tracing::warn!(referral = %referral.id, %stranded, "a referral stays with its workflow"),
            )
            .ok()
    }

    /// The deployment in force, where it moves this referral.
    pub fn migrates(&self, referral: &Referral) -> Option<Along> {
        let shelf = self.shelf();
        if shelf.present.deployment.digest == referral.deployment || shelf.tries(&referral.deployment) {
            return None;
        }
        let older = shelf.by_digest.get(&referral.deployment)?;
        let of = (&referral.deployment, older.workflow());
        match shelf.moves.fate(of, &referral.state, shelf.present.workflow()) {
            MoveOutcome::Stays => None,
            MoveOutcome::Moves(to) => {
                let (older, present) = (Arc::clone(older), Arc::clone(&shelf.present));
                Some(Along { older, present, to: to.to_string() })
            }
        }
    }

    /// Whether referrals that stand there belong to the deployment in force.
    pub fn moves_from(&self, place: &InFlight) -> bool {
        let shelf = self.shelf();
        let is_other = shelf.present.deployment.digest != place.deployment && !shelf.tries(&place.deployment);
        shelf.by_digest.get(&place.deployment).filter(|_| is_other).is_some_and(|older| {
            let of = (&place.deployment, older.workflow());
            shelf.moves.fate(of, &place.state, shelf.present.workflow()) != MoveOutcome::Stays
        })
    }

    /// Whether a referral has reached an end. One whose deployment is missing has not: somebody must look.
    pub fn ended(&self, referral: &Referral) -> bool {
        self.get(&referral.deployment).is_ok_and(|installed| installed.workflow().is_end(&referral.state))
    }

    /// One change after the other: each is planned against what the one before it left.
    pub fn changes_alone(&self) -> MutexGuard<'_, ()> {
        self.changing.lock()
    }

    /// Notes which file is not in force and why, or that there is none any more.
    pub fn set_aside(&self, notice: Option<SetAside>) {
        if let Some(SetAside { file, why, .. }) = &notice {
            tracing::error!(file, why, "a workflow file is not in force");
        }
        *self.set_aside.lock() = notice;
    }

    pub fn what_is_set_aside(&self) -> Option<SetAside> {
        self.set_aside.lock().clone()
    }
}

#[derive(Debug, thiserror::Error)]
pub enum InstallError {
    #[error("cannot read {path}")]
    Unreadable { path: PathBuf, source: std::io::Error },
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n\n"))]
    Workflow(Vec<handoff_engine::workflow::Problem>),
    #[error(
        "stage {stage} names plugin {plugin:?}, which is neither in the plugins folder nor bundled\n  \
         help: bundled are {bundled}"
    )]
    NoSuchPlugin { stage: StageKey, plugin: String, bundled: String },
    #[error("stage {stage} names a plugin of a registry")]
    Registry { stage: StageKey, source: handoff_workshop::registry::RegistryError },
    #[error(
        "stage {stage}: {plugin} was not pulled; a running instance asks no registry\n  \
         help: handoff plugin pull {plugin} --config handoff.yaml"
    )]
    NotPulled { stage: StageKey, plugin: String },
    #[error(
        "stage {stage}: {path} is signed by nobody whom this instance trusts\n  \
         help: list its author's public key under `plugin_keys:` in the configuration; or, to take unsigned plugins, say \
         why: `unsigned_plugins_because: …`"
    )]
    Untrusted {
        stage: StageKey,
        path: PathBuf,
        #[source]
        why: handoff_workshop::signature::Untrusted,
    },
    #[error("stage {stage} of an older workflow has no plugin pinned; the journal's record of it is incomplete")]
    NotPinned { stage: StageKey },
    #[error("stage {stage}: plugin {plugin:?} cannot be loaded")]
    Plugin { stage: StageKey, plugin: String, source: HostError },
    #[error(
        "stage {stage} reads patient data in clear and may reach {endpoints}\n  \
         help: remove the endpoint, or give the reason for both, which is journaled: `clear_phi_because: …`"
    )]
    ClearWithWayOut { stage: StageKey, endpoints: String },
    #[error("stage {stage}: plugin {plugin:?} does not say what it reads of a callback")]
    Mute { stage: StageKey, plugin: String, source: Fault },
    #[error(
        "stage {stage}: plugin {plugin:?} was replaced in the plugins folder while it was read\n  \
         help: try again when nothing is being copied there"
    )]
    Replaced { stage: StageKey, plugin: String },
    #[error("cannot keep {path}")]
    Unkept { path: PathBuf, source: std::io::Error },
    #[error(
        "{path} is damaged: its digest is another than its name\n  \
         help: restore the file from a backup; a referral in flight is pinned to it"
    )]
    Damaged { path: PathBuf },
    #[error("stage {stage} needs a plugin of world {wanted}; {plugin:?} is one of world {found}")]
    OtherWorld { stage: StageKey, plugin: String, wanted: String, found: String },
}
