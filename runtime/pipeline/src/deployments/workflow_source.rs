//! A workflow as it lies on disk: the YAML and the files it names.

use std::collections::BTreeMap;
use std::path::Path;

use handoff_engine::workflow::Workflow;

use super::InstallError;

/// A workflow as it lies on disk: the YAML and the files it names.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct WorkflowSource {
    pub file: String,
    pub text: String,
    /// Templates and settings, by path relative to the workflow.
    pub files: BTreeMap<String, String>,
}

/// The folders beside a workflow that belong to it.
const FOLDERS: [&str; 2] = ["templates", "settings"];

impl WorkflowSource {
    /// Reads a workflow and the YAML files in the folders beside it.
    ///
    /// # Errors
    /// When one of them cannot be read.
    pub fn read(path: &Path) -> Result<WorkflowSource, InstallError> {
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
        Ok(WorkflowSource { file: path.display().to_string(), text, files })
    }

    /// # Errors
    /// All problems found, each with its place and cure.
    pub fn parse(&self) -> Result<Workflow, InstallError> {
        Workflow::parse_with(&self.file, &self.text, &self.files).map_err(InstallError::Workflow)
    }
}
