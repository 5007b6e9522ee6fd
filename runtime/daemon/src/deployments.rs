//! What decides for a referral: a workflow with its plugins, pinned by digest. New referrals get the current one; a
//! referral in flight keeps its own.

pub mod kept;
mod shelf;

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use handoff_engine::deployment::Deployment;
use handoff_engine::ids::{Digest, LetterId, PatientId};
use handoff_engine::referral::{Channel, Referral};
use handoff_engine::workflow::Workflow;
use handoff_engine::workflow::contact::OptOutScope;
use handoff_engine::workflow::stages::Stage;
use handoff_host::{Answer, Call, Fault, Host, HostError, Plugin};

use crate::line::LineError;
use crate::line::egress::Grant;

pub use shelf::Shelf;

/// A deployment, ready to be called.
pub struct Installed {
    pub deployment: Deployment,
    plugins: BTreeMap<String, Plugin>,
    /// By stage, as JSON text: a roster is long, and every call takes its stage's settings along.
    settings: BTreeMap<String, String>,
    /// Of each vendor's plugin, asked once: see `clear-fields` in `wit/outreach.wit`.
    clear_fields: BTreeMap<String, Vec<String>>,
}

/// The world of vendors' plugins, and the key under which the workflow names them.
const OUTREACH: &str = "outreach";

/// Finds a stage's component.
pub trait Components {
    /// # Errors
    /// When there is none, or it cannot be read.
    fn find(&self, stage: &Stage) -> Result<Vec<u8>, InstallError>;
}

/// By digest: what a referral in flight was pinned to.
pub struct Pinned<'a> {
    pub folder: &'a Path,
    pub plugins: &'a BTreeMap<String, Digest>,
}

impl Installed {
    pub fn workflow(&self) -> &Workflow {
        &self.deployment.workflow
    }

    /// # Errors
    /// When the workflow has no such stage.
    pub fn plugin(&self, stage: &str) -> Result<&Plugin, LineError> {
        self.plugins.get(stage).ok_or_else(|| LineError::NoSuchStage { stage: stage.into() })
    }

    /// # Errors
    /// When the workflow has no such stage.
    pub fn digest(&self, stage: &str) -> Result<Digest, LineError> {
        Ok(Digest(self.plugin(stage)?.digest().0))
    }

    /// The stage's `settings:` as JSON text; absent when the workflow has no such stage.
    pub fn settings(&self, stage: &str) -> Option<String> {
        self.settings.get(stage).cloned()
    }

    /// What a stage may reach, for one patient's letter.
    pub fn grant(&self, stage: &str, patient: &PatientId, letter: LetterId) -> Grant {
        let (endpoints, reveal) =
            self.stage(stage).map(|stage| (stage.endpoints.clone(), stage.reveal.clone())).unwrap_or_default();
        Grant { stage: stage.into(), endpoints, reveal, patient: patient.clone(), letter }
    }

    /// The next vendor for a channel, in the workflow's order, among those not yet tried.
    pub fn carrier(&self, channel: Channel, tried: &[String]) -> Option<String> {
        let mut vendors = self.workflow().stages.carriers(channel).map(|carrier| &carrier.stage.key);
        vendors.find(|stage| !tried.contains(stage)).cloned()
    }

    /// The callback fields that a vendor's plugin reads in clear.
    pub fn clear_fields(&self, stage: &str) -> &[String] {
        self.clear_fields.get(stage).map(Vec::as_slice).unwrap_or_default()
    }

    /// The channel that a vendor serves.
    pub fn channel_of(&self, vendor: &str) -> Option<Channel> {
        self.workflow().stages.outreach.iter().find(|carrier| carrier.name == vendor).map(|carrier| carrier.channel)
    }

    pub fn opts_out_of_everything(&self) -> bool {
        self.workflow().contact.opt_out == OptOutScope::Everything
    }

    fn stage(&self, stage: &str) -> Option<&Stage> {
        self.workflow().stages.get(stage)
    }
}

/// Loads what a workflow names and pins it. Components are kept in `keep` under their digests.
///
/// # Errors
/// When the workflow is faulty, or a plugin is missing, unusable or of another stage's world.
pub fn install(
    host: &Host,
    source: &Source,
    components: &impl Components,
    keep: Option<&Path>,
) -> Result<Installed, InstallError> {
    let workflow = source.parse()?;
    let (mut plugins, mut clear_fields) = (BTreeMap::new(), BTreeMap::new());
    for stage in workflow.stages.iter() {
        if reads_clear(&stage.key) && !stage.endpoints.is_empty() && stage.clear_phi_because.is_none() {
            return Err(InstallError::ClearWithWayOut {
                stage: stage.key.clone(),
                endpoints: stage.endpoints.join(", "),
            });
        }
        let (key, name) = (stage.key.clone(), stage.plugin.clone());
        let component = components.find(stage)?;
        let failed = |source| InstallError::Plugin { stage: key.clone(), plugin: name.clone(), source };
        let plugin = host.load(&component).map_err(failed)?;
        let wanted = key.split('.').next().unwrap_or(&key);
        if plugin.worlds().iter().all(|world| world.name() != wanted) {
            let found = plugin.worlds().iter().map(|world| world.name()).collect::<Vec<_>>().join(", ");
            return Err(InstallError::OtherWorld { stage: key.clone(), plugin: name, wanted: wanted.into(), found });
        }
        if let Some(folder) = keep {
            kept::keep(folder, &Digest(plugin.digest().0), &component)?;
        }
        if wanted == OUTREACH {
            clear_fields.insert(key.clone(), clear_fields_of(host, stage, &plugin)?);
        }
        plugins.insert(key, plugin);
    }
    let digests = plugins.iter().map(|(key, plugin)| (key.clone(), Digest(plugin.digest().0))).collect();
    let settings = workflow.stages.iter().map(|stage| (stage.key.clone(), stage.settings.to_string())).collect();
    Ok(Installed { deployment: Deployment::new(workflow, digests), plugins, settings, clear_fields })
}

/// What a vendor's plugin may read of a callback: what it asks for, where the workflow grants it.
fn clear_fields_of(host: &Host, stage: &Stage, plugin: &Plugin) -> Result<Vec<String>, InstallError> {
    let wanted = match host.call(plugin, &Call::ClearFields) {
        Ok(Answer::ClearFields(wanted)) => wanted,
        Ok(_) => Vec::new(),
        Err(source) => {
            let (stage, plugin) = (stage.key.clone(), stage.plugin.clone());
            return Err(InstallError::Mute { stage, plugin, source });
        }
    };
    Ok(wanted.into_iter().filter(|name| stage.reveal.contains(name)).collect())
}

/// Parsers see what came in as it came in: bytes of the EHR, words of the patient.
fn reads_clear(stage: &str) -> bool {
    stage == "reply" || stage.starts_with("trigger.")
}

impl Components for Pinned<'_> {
    fn find(&self, stage: &Stage) -> Result<Vec<u8>, InstallError> {
        let missing = || InstallError::NotPinned { stage: stage.key.clone() };
        kept::read(self.folder, self.plugins.get(&stage.key).ok_or_else(missing)?)
    }
}

/// Every deployment that a referral may still need.
pub struct Deployments {
    current: RwLock<Arc<Installed>>,
    by_digest: RwLock<HashMap<Digest, Arc<Installed>>>,
}

impl Deployments {
    pub fn new(current: Installed) -> Deployments {
        let current = Arc::new(current);
        let by_digest = HashMap::from([(current.deployment.digest, Arc::clone(&current))]);
        Deployments { current: RwLock::new(current), by_digest: RwLock::new(by_digest) }
    }

    pub fn current(&self) -> Arc<Installed> {
        self.current.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// One that only referrals in flight still need.
    pub fn add(&self, installed: Installed) {
        let mut by_digest = self.by_digest.write().unwrap_or_else(PoisonError::into_inner);
        by_digest.insert(installed.deployment.digest, Arc::new(installed));
    }

    /// # Errors
    /// When it is not installed.
    pub fn get(&self, digest: &Digest) -> Result<Arc<Installed>, LineError> {
        let by_digest = self.by_digest.read().unwrap_or_else(PoisonError::into_inner);
        by_digest.get(digest).cloned().ok_or(LineError::NoSuchDeployment(*digest))
    }

    /// Whether a referral has reached an end. One whose deployment is missing has not: somebody must look.
    pub fn ended(&self, referral: &Referral) -> bool {
        self.get(&referral.deployment).is_ok_and(|installed| installed.workflow().is_end(&referral.state))
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
    NoSuchPlugin { stage: String, plugin: String, bundled: String },
    #[error(
        "stage {stage}: {path} is nobody's that this house trusts\n  \
         help: list its author's public key under `plugin_keys:` in the configuration; or say why plugins of nobody in \
         particular are taken: `unsigned_plugins_because: …`"
    )]
    Untrusted { stage: String, path: PathBuf, #[source] why: handoff_workshop::signature::Untrusted },
    #[error("stage {stage} of an older workflow has no plugin pinned; the journal's record of it is incomplete")]
    NotPinned { stage: String },
    #[error("stage {stage}: plugin {plugin:?} cannot be loaded")]
    Plugin { stage: String, plugin: String, source: HostError },
    #[error(
        "stage {stage} reads patient data in clear and may reach {endpoints}\n  \
         help: take the endpoint away, or say why both must be, which is journaled: `clear_phi_because: …`"
    )]
    ClearWithWayOut { stage: String, endpoints: String },
    #[error("stage {stage}: plugin {plugin:?} does not say what it reads of a callback")]
    Mute { stage: String, plugin: String, source: Fault },
    #[error("cannot keep {path}")]
    Unkept { path: PathBuf, source: std::io::Error },
    #[error(
        "{path} is damaged: its digest is another than its name\n  \
         help: put the file back from a backup; a referral in flight is pinned to it"
    )]
    Damaged { path: PathBuf },
    #[error("stage {stage} needs a plugin of world {wanted}; {plugin:?} is one of world {found}")]
    OtherWorld { stage: String, plugin: String, wanted: String, found: String },
}

/// A workflow as it lies on disk: the YAML and the files it names.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Source {
    pub file: String,
    pub text: String,
    /// Templates and settings, by path relative to the workflow.
    pub files: BTreeMap<String, String>,
}

/// The folders beside a workflow that belong to it.
const FOLDERS: [&str; 2] = ["templates", "settings"];

impl Source {
    /// Reads a workflow and the YAML files in the folders beside it.
    ///
    /// # Errors
    /// When one of them cannot be read.
    pub fn read(path: &Path) -> Result<Source, InstallError> {
        let read = |path: &Path| {
            std::fs::read_to_string(path)
                .map_err(|source| InstallError::Unreadable { path: path.to_path_buf(), source })
        };
        let text = read(path)?;
        let mut files = BTreeMap::new();
        for folder in FOLDERS {
            let path = path.parent().unwrap_or(Path::new(".")).join(folder);
            // A workflow that needs none has no such folder; one that names a missing file is told so when it is parsed.
            let Ok(entries) = std::fs::read_dir(&path) else { continue };
            for entry in entries.flatten() {
                let name = entry.file_name().to_string_lossy().into_owned();
                if name.ends_with(".yaml") {
                    files.insert(format!("{folder}/{name}"), read(&entry.path())?);
                }
            }
        }
        Ok(Source { file: path.display().to_string(), text, files })
    }

    /// # Errors
    /// All problems found, each with its place and cure.
    pub fn parse(&self) -> Result<Workflow, InstallError> {
        Workflow::parse_with(&self.file, &self.text, &self.files).map_err(InstallError::Workflow)
    }
}
