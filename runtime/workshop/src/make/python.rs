//! Python: componentize-py runs the module once and freezes the interpreter as it then is. The interpreter imports WASI;
//! each of its imports is met inside the component by one that ends the call, so that from outside nothing is left to grant.

use std::path::PathBuf;
use std::process::Command;

use super::{installed, run, target, wit};
use crate::error::WorkshopError;
use crate::project::Project;

pub const REQUIREMENTS: &str = "componentize-py==0.25.1\n";

const TOOL: &str = ".venv/bin/componentize-py";

const HELP: &str = "install Python 3.10 or newer, with venv";

pub fn build(project: &Project) -> Result<PathBuf, WorkshopError> {
    if installed(project, TOOL).is_none() {
        run(Command::new("python3").args(["-m", "venv", ".venv"]), &project.folder, HELP)?;
        let folder = project.folder.canonicalize().map_err(WorkshopError::file(&project.folder))?;
        let mut pip = Command::new(folder.join(".venv/bin/pip"));
        run(
            pip.args(["install", "-q", "--disable-pip-version-check", "-r", "requirements.txt"]),
            &project.folder,
            HELP,
        )?;
    }
    let tool = installed(project, TOOL).unwrap_or_else(|| project.folder.join(TOOL));
    let out = target(project)?.join("built.wasm");
    let mut componentize = Command::new(tool);
    componentize
        .arg("-d")
        .arg(wit(project)?)
        .args(["-w", project.stage.name(), "componentize", "plugin", "--stub-wasi", "-o"])
        .arg(&out);
    run(&mut componentize, &project.folder, HELP)?;
    Ok(out)
}
