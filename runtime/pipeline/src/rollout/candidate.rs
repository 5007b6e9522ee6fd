//! A workflow that somebody would like to be in force: the files as they lie beside each other, scenarios included.

use std::collections::BTreeMap;
use std::path::Path;

use handoff_engine::deployment::Deployment;
use handoff_engine::scenario::Scenario;
use serde::{Deserialize, Serialize};

use crate::deployments::{InstallError, WorkflowSource};

/// Scenarios lie here, beside the workflow.
const SCENARIOS: &str = "scenarios";

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Candidate {
    pub source: WorkflowSource,
    /// By path.
    pub scenarios: BTreeMap<String, String>,
}

impl Candidate {
    /// Reads a workflow and what belongs to it.
    ///
    /// # Errors
    /// When one of the files cannot be read.
    pub fn read(file: &Path) -> Result<Candidate, InstallError> {
        let source = WorkflowSource::read(file)?;
        let mut scenarios = BTreeMap::new();
        // A workflow without scenarios has no such folder.
        for entry in std::fs::read_dir(file.with_file_name(SCENARIOS)).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.extension().is_some_and(|ending| ending == "txt") {
                let text = std::fs::read_to_string(&path)
                    .map_err(|source| InstallError::Unreadable { path: path.clone(), source })?;
                scenarios.insert(path.display().to_string(), text);
            }
        }
        Ok(Candidate { source, scenarios })
    }
}

/// Plays every scenario.
///
/// # Errors
/// The rows that do not come true.
pub fn play(deployment: &Deployment, scenarios: &BTreeMap<String, String>) -> Result<(), Vec<String>> {
    let played = scenarios.iter().filter_map(|(name, text)| {
        let told = Scenario::parse(name, text).and_then(|scenario| scenario.run(name, deployment));
        told.err().map(|mismatch| mismatch.to_string())
    });
    let failed: Vec<String> = played.collect();
    if failed.is_empty() { Ok(()) } else { Err(failed) }
}
