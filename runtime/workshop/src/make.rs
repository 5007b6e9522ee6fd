//! Builds a project into a component that imports nothing.

pub(crate) mod js;
pub(crate) mod python;
mod rust;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::contract;
use crate::error::WorkshopError;
use crate::project::{PluginLanguage, Project};

/// Builds `NAME.wasm` in the project's folder and says where it is. What a language needs besides its own tools is
/// installed in the folder first, from the registry that its package manager is set up with.
///
/// # Errors
/// When a tool is missing or fails.
pub fn build(project: &Project) -> Result<PathBuf, WorkshopError> {
    let built = match project.language {
        PluginLanguage::Rust => rust::build(project)?,
        PluginLanguage::Js => js::build(project)?,
        PluginLanguage::Python => python::build(project)?,
    };
    let path = project.component();
    fs::copy(&built, &path).map_err(WorkshopError::file(&path))?;
    Ok(path)
}

/// Where a tool works: the project's own `target`, by its whole path.
fn target(project: &Project) -> Result<PathBuf, WorkshopError> {
    let folder = project.folder.join("target");
    fs::create_dir_all(&folder).map_err(WorkshopError::file(&folder))?;
    folder.canonicalize().map_err(WorkshopError::file(&folder))
}

/// The contract that it is built against: its own copy, or where it has none the one that came with Handoff.
fn wit(project: &Project) -> Result<PathBuf, WorkshopError> {
    let mut folder = project.wit();
    if !folder.exists() {
        folder = target(project)?.join("wit");
        contract::write(&folder)?;
    }
    folder.canonicalize().map_err(WorkshopError::file(&folder))
}

/// What lies in the project's folder or in one above it: several plugins can share their tools.
fn installed(project: &Project, what: &str) -> Option<PathBuf> {
    let folder = project.folder.canonicalize().ok()?;
    folder.ancestors().map(|folder| folder.join(what)).find(|path| path.exists())
}

fn run(command: &mut Command, folder: &Path, help: &'static str) -> Result<(), WorkshopError> {
    let program = command.get_program().to_string_lossy().into_owned();
    let output = command.current_dir(folder).output();
    let output = output.map_err(|source| WorkshopError::Tool { program: program.clone(), help, source })?;
    if output.status.success() {
        return Ok(());
    }
    let said = [output.stdout, output.stderr].map(|said| String::from_utf8_lossy(&said).trim().to_owned());
    Err(WorkshopError::Failed { program, said: said.join("\n") })
}
