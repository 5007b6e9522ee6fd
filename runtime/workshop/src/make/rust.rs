//! Rust: the builder that the bundled plugins are built with.

use std::path::PathBuf;

use super::target;
use crate::error::WorkshopError;
use crate::project::Project;

pub fn build(project: &Project) -> Result<PathBuf, WorkshopError> {
    let target = target(project)?.join("cargo");
    let built = handoff_builder::build(&project.folder, &target, &target.join("components"))?;
    let ours = built.into_iter().find(|it| it.name == project.name);
    ours.map(|it| it.component).ok_or_else(|| WorkshopError::Failed {
        program: "cargo".to_owned(),
        said: format!(
            "no cdylib called `{}` is here; Cargo.toml and plugin.yaml have to agree on the name",
            project.name
        ),
    })
}
