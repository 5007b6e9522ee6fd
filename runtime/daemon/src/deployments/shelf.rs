//! The plugins folder, and whose plugins are taken from it: those that came with Handoff, and those signed by a key that
//! the configuration lists. Checked offline, before anything of a component runs.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use handoff_engine::workflow::stages::Stage;
use handoff_workshop::signature::{self, Trusted, Untrusted};

use super::{Components, InstallError};

/// Plugins by name: the folder first, then the bundle.
#[derive(Clone, Debug, Default)]
pub struct Shelf {
    pub folder: Option<PathBuf>,
    /// Whose plugins are taken besides those that came with Handoff.
    pub trusted: Vec<Trusted>,
    /// Why plugins of nobody in particular are taken as well, if they are.
    pub unsigned_because: Option<String>,
}

impl Components for Shelf {
    fn find(&self, stage: &Stage) -> Result<Vec<u8>, InstallError> {
        let name = &stage.plugin;
        let path = self.folder.as_ref().map(|folder| folder.join(format!("{name}.wasm"))).filter(|path| path.exists());
        if let Some(path) = path {
            return self.take(stage, &path);
        }
        match handoff_bundle::plugin(name) {
            Some(bundled) => Ok(bundled.component.to_vec()),
            None => Err(InstallError::NoSuchPlugin {
                stage: stage.key.clone(),
                plugin: name.clone(),
                bundled: handoff_bundle::plugins().iter().map(|bundled| bundled.name).collect::<Vec<_>>().join(", "),
            }),
        }
    }
}

impl Shelf {
    fn take(&self, stage: &Stage, path: &Path) -> Result<Vec<u8>, InstallError> {
        let unreadable = |path: &Path| {
            let path = path.to_path_buf();
            |source| InstallError::Unreadable { path, source }
        };
        let component = fs::read(path).map_err(unreadable(path))?;
        let is_bundled = handoff_bundle::plugins().iter().any(|bundled| bundled.component == component);
        if is_bundled {
            return Ok(component);
        }
        let beside = signature::beside(path);
        let signature = match fs::read_to_string(&beside) {
            Ok(text) => Some(text),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(unreadable(&beside)(error)),
        };
        match signature::check(&component, signature.as_deref(), &self.trusted) {
            Ok(_) => Ok(component),
            Err(Untrusted::Unsigned) if self.unsigned_because.is_some() => Ok(component),
            Err(why) => Err(InstallError::Untrusted { stage: stage.key.clone(), path: path.to_path_buf(), why }),
        }
    }
}
