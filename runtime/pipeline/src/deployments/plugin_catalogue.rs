//! The plugins folder, and whose plugins are taken from it: those that came with Handoff, and those signed by a key that
//! the configuration lists. Checked offline, before anything of a component runs.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use handoff_engine::workflow::stages::Stage;
use handoff_workshop::registry::{Reference, shelf};
use handoff_workshop::signature::{self, Trusted, Untrusted};

use super::InstallError;
use super::installer::Components;
use crate::plugin_report::{BadgeStanding, Provenance};

/// Plugins by name: the folder first, then the bundle.
#[derive(Clone, Debug, Default)]
pub struct Catalogue {
    pub folder: Option<PathBuf>,
    /// Provenance plugins are taken besides those that came with Handoff.
    pub trusted: Vec<Trusted>,
    /// Why plugins of nobody in particular are taken as well, if they are.
    pub unsigned_because: Option<String>,
}

impl Components for Catalogue {
    fn find(&self, stage: &Stage) -> Result<Vec<u8>, InstallError> {
        let (component, path) = self.read(stage)?;
        match path {
            Some(path) => self.is_trusted(stage, &path, &component).map(|()| component),
            None => Ok(component),
        }
    }
}

impl Catalogue {
    /// A stage's component, and where it lies unless it came with Handoff. Nobody is asked whose it is: it is only looked at.
    ///
    /// # Errors
    /// When there is none, or it cannot be read.
    pub fn read(&self, stage: &Stage) -> Result<(Vec<u8>, Option<PathBuf>), InstallError> {
        let name = &stage.plugin;
        if let Some(path) = self.path(stage)? {
            let component = fs::read(&path).map_err(unreadable(&path))?;
            let is_bundled = handoff_bundle::plugins().iter().any(|bundled| bundled.component == component);
            return Ok((component, (!is_bundled).then_some(path)));
        }
        match handoff_bundle::plugin(name) {
            Some(bundled) => Ok((bundled.component.to_vec(), None)),
            None => Err(InstallError::NoSuchPlugin {
                stage: stage.key.clone(),
                plugin: name.clone(),
                bundled: handoff_bundle::plugins().iter().map(|bundled| bundled.name).collect::<Vec<_>>().join(", "),
            }),
        }
    }

    /// Where a stage's component lies in the plugins folder; none where it can only be a bundled one. A reference to a
    /// registry is looked for where `handoff plugin pull` put it: no registry is asked.
    fn path(&self, stage: &Stage) -> Result<Option<PathBuf>, InstallError> {
        let (key, name) = (&stage.key, &stage.plugin);
        if !Reference::is_meant(name) {
            let path = self.folder.as_ref().map(|folder| folder.join(format!("{name}.wasm")));
            return Ok(path.filter(|path| path.exists()));
        }
        let failed = |source| InstallError::Registry { stage: key.clone(), source };
        let reference: Reference = name.parse().map_err(failed)?;
        let found = match &self.folder {
            Some(folder) => shelf::find(folder, &reference).map_err(failed)?,
            None => None,
        };
        let missing = || InstallError::NotPulled { stage: key.clone(), plugin: name.clone() };
        found.map(Some).ok_or_else(missing)
    }

    /// Provenance a component is that [`Catalogue::read`] gave, and who has tried it.
    pub fn whose(&self, component: &[u8], path: Option<&Path>) -> (Provenance, BadgeStanding) {
        match path {
            Some(path) => {
                let digest = handoff_host::ComponentDigest::of(component).to_string();
                (Provenance::of(component, path, &self.trusted), BadgeStanding::of(&digest, path))
            }
            None => (Provenance::handoff(), BadgeStanding::by_our_tests()),
        }
    }

    fn is_trusted(&self, stage: &Stage, path: &Path, component: &[u8]) -> Result<(), InstallError> {
        let beside = signature::beside(path);
        let signature = match fs::read_to_string(&beside) {
            Ok(text) => Some(text),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(unreadable(&beside)(error)),
        };
        match signature::check(component, signature.as_deref(), &self.trusted) {
            Ok(_) => Ok(()),
            Err(Untrusted::Unsigned) if self.unsigned_because.is_some() => Ok(()),
            Err(why) => Err(InstallError::Untrusted { stage: stage.key.clone(), path: path.to_path_buf(), why }),
        }
    }
}

fn unreadable(path: &Path) -> impl FnOnce(io::Error) -> InstallError + use<> {
    let path = path.to_path_buf();
    |source| InstallError::Unreadable { path, source }
}
