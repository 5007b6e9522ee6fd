//! Where deployments are made ready: components found, loaded, checked against their stages and pinned.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use handoff_egress::reach::EndpointSummaries;
use handoff_engine::deployment::Deployment;
use handoff_engine::ids::{Digest, StageKey};
use handoff_engine::workflow::Workflow;
use handoff_engine::workflow::stages::Stage;
use handoff_host::{Answer, Call, Host, Plugin};

use super::{Catalogue, InstallError, Installed, WorkflowSource, component_store, settings_check};
use crate::plugin_report::{self, PluginReport, StageGrant};

/// One serves an instance.
pub struct Installer {
    host: Arc<Host>,
    catalogue: Catalogue,
    /// Components by digest, below the data folder.
    kept: PathBuf,
}

/// Whether a component is kept for those who will be pinned to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keep {
    Yes,
    /// Only looked at.
    No,
}

/// The world of vendors' plugins, and the key under which the workflow names them.
const OUTREACH: &str = "outreach";

/// Finds a stage's component.
pub(super) trait Components {
    fn find(&self, stage: &Stage) -> Result<Vec<u8>, InstallError>;
}

/// By digest: what a referral in flight was pinned to.
struct Pinned<'a> {
    folder: &'a Path,
    plugins: &'a BTreeMap<StageKey, Digest>,
}

impl Installer {
    pub fn new(host: Arc<Host>, catalogue: Catalogue, kept: PathBuf) -> Installer {
        Installer { host, catalogue, kept }
    }

    /// Loads what a workflow names and pins it.
    ///
    /// # Errors
    /// When the workflow is faulty, a plugin is missing, unusable or of another stage's world, or cannot use its settings.
    pub fn install(&self, source: &WorkflowSource, keep: Keep) -> Result<Installed, InstallError> {
        let installed = self.make_ready(source, &self.catalogue, keep)?;
        let triggers = installed.workflow().stages.trigger.iter();
        let asked = triggers.filter_map(|(_, stage)| Some((stage, installed.plugins.get(&stage.key)?)));
        let wrong = asked.flat_map(|(stage, plugin)| settings_check::problems(&self.host, plugin, stage));
        match wrong.collect::<Vec<_>>() {
            wrong if wrong.is_empty() => Ok(installed),
            wrong => Err(InstallError::Workflow(wrong)),
        }
    }

    /// The label of the plugin that a stage names, at that post. `ways` are Handoff's endpoints.
    ///
    /// # Errors
    /// When there is none, or it cannot be loaded.
    pub fn label(&self, stage: &Stage, ways: &EndpointSummaries) -> Result<PluginReport, InstallError> {
        let (component, path) = self.catalogue.read(stage)?;
        let plugin = self.load(stage, &component)?;
        let (whose, tried) = self.catalogue.whose(&component, path.as_deref());
        let failed = |source| InstallError::Plugin { stage: stage.key.clone(), plugin: stage.plugin.clone(), source };
        let label = plugin_report::read(&self.host, &stage.plugin, &component, whose, tried).map_err(failed)?;
        Ok(label.at([StageGrant::of(&self.host, &plugin, stage, ways)]))
    }

    /// The same deployment once more, from the components that were kept.
    ///
    /// # Errors
    /// When one of them is gone or damaged.
    pub fn install_again(
        &self,
        source: &WorkflowSource,
        plugins: &BTreeMap<StageKey, Digest>,
    ) -> Result<Installed, InstallError> {
        self.make_ready(source, &Pinned { folder: &self.kept, plugins }, Keep::No)
    }

    fn make_ready(
        &self,
        source: &WorkflowSource,
        components: &impl Components,
        keep: Keep,
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
            let plugin = self.load(stage, &component)?;
            let wanted = key.split('.').next().unwrap_or(&key);
            if plugin.worlds().iter().all(|world| world.name() != wanted) {
                let found = plugin.worlds().iter().map(|world| world.name()).collect::<Vec<_>>().join(", ");
                return Err(InstallError::OtherWorld {
                    stage: key.clone(),
                    plugin: name,
                    wanted: wanted.into(),
                    found,
                });
            }
            if keep == Keep::Yes {
                component_store::keep(&self.kept, &Digest(plugin.digest().0), &component)?;
            }
            if wanted == OUTREACH {
                clear_fields.insert(key.clone(), self.clear_fields_of(stage, &plugin)?);
            }
            plugins.insert(key, plugin);
        }
        let digests = plugins.iter().map(|(key, plugin)| (key.clone(), Digest(plugin.digest().0))).collect();
        let settings = workflow.stages.iter().map(|stage| (stage.key.clone(), stage.settings.to_string())).collect();
        let deployment = Arc::new(Deployment::new(workflow, digests));
        Ok(Installed { deployment, plugins, settings, clear_fields })
    }

    fn load(&self, stage: &Stage, component: &[u8]) -> Result<Plugin, InstallError> {
        let (key, name) = (stage.key.clone(), stage.plugin.clone());
        let failed = |source| InstallError::Plugin { stage: key, plugin: name, source };
        self.host.load(component).map_err(failed)
    }

    /// What a vendor's plugin may read of a callback: what it asks for, where the workflow grants it.
    fn clear_fields_of(&self, stage: &Stage, plugin: &Plugin) -> Result<Vec<String>, InstallError> {
        let wanted = match self.host.call(plugin, &Call::ClearFields) {
            Ok(Answer::ClearFields(wanted)) => wanted,
            Ok(_) => Vec::new(),
            Err(source) => {
                let (stage, plugin) = (stage.key.clone(), stage.plugin.clone());
                return Err(InstallError::Mute { stage, plugin, source });
            }
        };
        Ok(wanted.into_iter().filter(|name| stage.reveal.contains(name)).collect())
    }
}

/// The deployment that a workflow would be, by its components' digests alone: nothing is loaded.
///
/// # Errors
/// When a component cannot be found.
pub fn pin(workflow: Workflow, folder: Option<PathBuf>) -> Result<Deployment, InstallError> {
    let catalogue = Catalogue { folder, ..Catalogue::default() };
    let pinned = |stage: &Stage| Ok((stage.key.clone(), Digest::of(&catalogue.read(stage)?.0)));
    let digests = workflow.stages.iter().map(pinned).collect::<Result<_, InstallError>>()?;
    Ok(Deployment::new(workflow, digests))
}

/// Parsers see what came in as it came in: bytes of the EHR, words of the patient.
fn reads_clear(stage: &StageKey) -> bool {
    *stage == *"reply" || stage.starts_with("trigger.")
}

impl Components for Pinned<'_> {
    fn find(&self, stage: &Stage) -> Result<Vec<u8>, InstallError> {
        let missing = || InstallError::NotPinned { stage: stage.key.clone() };
        component_store::read(self.folder, self.plugins.get(&stage.key).ok_or_else(missing)?)
    }
}
