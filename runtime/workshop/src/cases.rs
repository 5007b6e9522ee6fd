//! A plugin's own cases: `cases/NAME.in` is a call as the journal records it, `cases/NAME.expect` the answer.

use std::fs;
use std::path::{Path, PathBuf};

use handoff_host::{Call, Host, Plugin};
use serde_json::Value;

use crate::error::WorkshopError;
use crate::project::Project;

/// One call, and the answer that it must get.
pub struct Case {
    pub name: String,
    pub call: Call,
    expected: PathBuf,
}

/// What became of a case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CaseVerdict {
    AsExpected,
    /// There is no `.expect`; `--bless` writes it.
    NothingExpected {
        found: String,
    },
    /// Both as JSON text.
    Otherwise {
        expected: String,
        found: String,
    },
}

impl Case {
    /// A call by itself, to run or to time.
    ///
    /// # Errors
    /// When the file cannot be read or holds no call.
    pub fn read(path: &Path) -> Result<Case, WorkshopError> {
        let text = fs::read_to_string(path).map_err(WorkshopError::file(path))?;
        let call = serde_json::from_str(&text)
            .map_err(|error| WorkshopError::Case { path: path.to_owned(), why: place(&error) })?;
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        Ok(Case { name, call, expected: path.with_extension("expect") })
    }

    /// Every case of a project, by name.
    ///
    /// # Errors
    /// When one of them cannot be read, or there is none.
    pub fn all(project: &Project) -> Result<Vec<Case>, WorkshopError> {
        let folder = project.cases();
        let entries = fs::read_dir(&folder).map_err(|_| WorkshopError::NoCases(project.folder.clone()))?;
        let mut paths: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
        paths.retain(|path| path.extension().is_some_and(|ending| ending == "in"));
        paths.sort();
        if paths.is_empty() {
            return Err(WorkshopError::NoCases(project.folder.clone()));
        }
        paths.iter().map(|path| Case::read(path)).collect()
    }

    /// # Errors
    /// When the plugin gives no answer, or the expectation cannot be read.
    pub fn judge(&self, host: &Host, plugin: &Plugin) -> Result<CaseVerdict, WorkshopError> {
        let found = json(&host.call(plugin, &self.call)?);
        if !self.expected.exists() {
            return Ok(CaseVerdict::NothingExpected { found: text(&found) });
        }
        let expected = fs::read_to_string(&self.expected).map_err(WorkshopError::file(&self.expected))?;
        let expected: Value = serde_json::from_str(&expected)
            .map_err(|error| WorkshopError::Case { path: self.expected.clone(), why: place(&error) })?;
        Ok(match expected == found {
            true => CaseVerdict::AsExpected,
            false => CaseVerdict::Otherwise { expected: text(&expected), found: text(&found) },
        })
    }

    /// Takes the plugin's answer as right from now on.
    ///
    /// # Errors
    /// When the expectation cannot be written.
    pub fn bless(&self, found: &str) -> Result<(), WorkshopError> {
        fs::write(&self.expected, format!("{found}\n")).map_err(WorkshopError::file(&self.expected))
    }
}

/// Where and what, without the text that was being read: a call taken from a journal can hold what a parser saw.
fn place(error: &serde_json::Error) -> String {
    format!("line {}, column {}: no call of the contract", error.line(), error.column())
}

/// The contract has no maps and no floats, so its types always serialise.
fn json(value: &impl serde::Serialize) -> Value {
    serde_json::to_value(value).unwrap_or_default()
}

fn text(value: &Value) -> String {
    serde_json::to_string_pretty(value).unwrap_or_default()
}
