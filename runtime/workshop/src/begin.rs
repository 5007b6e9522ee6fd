//! Begins a plugin: a folder with the contract, a plugin that builds, answers and refuses every letter until it is
//! written, and a first case that holds it to that.

mod js;
mod python;
mod rust;
pub(crate) mod starter;

use std::fs;
use std::path::{Path, PathBuf};

use handoff_host::WitWorld;

use crate::contract;
use crate::error::WorkshopError;
use crate::project::{PluginLanguage, Project, is_name};

/// Makes `parent/name` and gives the files it wrote, the ones to edit first.
///
/// # Errors
/// When the name cannot be used, or something of that name is there already.
pub fn begin(
    parent: &Path,
    name: &str,
    stage: WitWorld,
    language: PluginLanguage,
) -> Result<(Project, PathBuf), WorkshopError> {
    is_name(name)?;
    let folder = parent.join(name);
    if folder.exists() {
        return Err(WorkshopError::There(folder));
    }
    let project = Project { folder, name: name.to_owned(), stage, language };
    contract::write(&project.wit())?;
    let (resolve, world) = contract::world(&project.wit(), stage)?;
    let functions = starter::functions(&resolve, world);
    let source = match language {
        PluginLanguage::Rust => rust::write(&project, &resolve, &functions)?,
        PluginLanguage::Js => js::write(&project, &functions)?,
        PluginLanguage::Python => python::write(&project, &functions)?,
    };
    let (call, answer) = starter::case(stage);
    write(&project, "cases/begins.in", &(pretty(&call) + "\n"))?;
    write(&project, "cases/begins.expect", &(pretty(&answer) + "\n"))?;
    write(&project, ".gitignore", "/target\n/node_modules\n/.venv\n__pycache__/\n*.wasm\n")?;
    let file = project.file();
    fs::write(&file, project.said()).map_err(WorkshopError::file(&file))?;
    Ok((project, source))
}

/// Writes one file of a project and says where.
fn write(project: &Project, name: &str, text: &str) -> Result<PathBuf, WorkshopError> {
    let path = project.folder.join(name);
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(WorkshopError::file(folder))?;
    }
    fs::write(&path, text).map_err(WorkshopError::file(&path))?;
    Ok(path)
}

/// The contract has no maps and no floats, so its types always serialise.
fn pretty(value: &impl serde::Serialize) -> String {
    serde_json::to_string_pretty(value).unwrap_or_default()
}
