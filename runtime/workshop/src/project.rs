//! The folder in which a plugin is made, and what its `plugin.yaml` says.

use std::fs;
use std::path::{Path, PathBuf};

use handoff_host::WitWorld;
use serde::{Deserialize, Serialize};
use strum::VariantArray as _;

use crate::error::WorkshopError;

const FILE: &str = "plugin.yaml";
const FORMAT: &str = "handoff/plugin@1";

/// A plugin's own folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Project {
    pub folder: PathBuf,
    pub name: String,
    /// The world that it serves.
    pub stage: WitWorld,
    pub language: PluginLanguage,
}

/// What a plugin is written in. Any language will do that makes components; these can be built here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[derive(strum::Display, strum::EnumString, strum::IntoStaticStr, strum::VariantArray)]
#[strum(serialize_all = "lowercase")]
pub enum PluginLanguage {
    Rust,
    Js,
    Python,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Said {
    format: String,
    name: String,
    stage: WitWorld,
    language: PluginLanguage,
}

impl Project {
    /// # Errors
    /// When the folder holds none, or its `plugin.yaml` cannot be used.
    pub fn open(folder: &Path) -> Result<Project, WorkshopError> {
        let path = folder.join(FILE);
        if !path.exists() {
            return Err(WorkshopError::NoProject(folder.to_owned()));
        }
        let text = fs::read_to_string(&path).map_err(WorkshopError::file(&path))?;
        let wrong = |why: String| WorkshopError::Project { path: path.clone(), why };
        let said: Said = serde_saphyr::from_str(&text).map_err(|error| wrong(error.to_string()))?;
        if said.format != FORMAT {
            return Err(wrong(format!("format `{}` is not {FORMAT}", said.format)));
        }
        is_name(&said.name)?;
        Ok(Project { folder: folder.to_owned(), name: said.name, stage: said.stage, language: said.language })
    }

    /// What `plugin.yaml` says of it.
    pub(crate) fn said(&self) -> String {
        let Project { name, stage, language, .. } = self;
        format!(
            "# What this folder builds: `handoff plugin build` makes {name}.wasm of it.\n\
             format: {FORMAT}\nname: {name}\nstage: {stage}\nlanguage: {language}\n"
        )
    }

    pub(crate) fn file(&self) -> PathBuf {
        self.folder.join(FILE)
    }

    /// The contract's own text, which the bindings are generated from.
    pub(crate) fn wit(&self) -> PathBuf {
        self.folder.join("wit")
    }

    pub(crate) fn cases(&self) -> PathBuf {
        self.folder.join("cases")
    }

    /// Where the built plugin lies.
    pub fn component(&self) -> PathBuf {
        self.folder.join(format!("{}.wasm", self.name))
    }
}

/// A name has to do for a file, a crate, an npm package and a Python project alike.
pub(crate) fn is_name(name: &str) -> Result<(), WorkshopError> {
    let fits = name.starts_with(|first: char| first.is_ascii_lowercase())
        && name.split('-').all(|word| !word.is_empty())
        && name.chars().all(|it| it.is_ascii_lowercase() || it.is_ascii_digit() || it == '-');
    if fits { Ok(()) } else { Err(WorkshopError::Name(name.to_owned())) }
}

impl PluginLanguage {
    pub const ALL: &[PluginLanguage] = PluginLanguage::VARIANTS;

    /// As `plugin.yaml` has it.
    pub fn name(self) -> &'static str {
        self.into()
    }
}
