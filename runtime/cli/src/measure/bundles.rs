//! FHIR bundles that lie in files and folders, each of one patient.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use handoff_engine::error_code::{Coded, ErrorCode, Failure};
use handoff_operations::reports::cms50::{MeasurementYear, NotABundle, PopulationCounts, in_bundle};
use serde::Serialize;

/// What one file gives.
#[derive(Serialize)]
pub(super) struct MeasuredBundle {
    pub file: PathBuf,
    pub populations: PopulationCounts,
}

#[derive(Debug, thiserror::Error)]
#[error("{} cannot be measured", file.display())]
pub(crate) struct BundleFileError {
    file: PathBuf,
    #[source]
    why: NotABundle,
}

impl Coded for BundleFileError {
    fn code(&self) -> ErrorCode {
        self.why.code()
    }

    fn place(&self) -> Option<String> {
        Some(self.file.display().to_string())
    }
}

/// In the order in which they are named, those of a folder by name.
pub(super) fn measured(named: &[PathBuf], year: MeasurementYear) -> anyhow::Result<Vec<MeasuredBundle>> {
    let mut measured = Vec::new();
    for path in named {
        if path.is_dir() {
            measured.extend(in_folder(path, year)?);
        } else {
            measured.push(in_file(path, year)?);
        }
    }
    Ok(measured)
}

fn in_file(file: &Path, year: MeasurementYear) -> anyhow::Result<MeasuredBundle> {
    let bytes = std::fs::read(file).with_context(|| format!("{} cannot be read", file.display()))?;
    match in_bundle(&bytes, year) {
        Ok(populations) => Ok(MeasuredBundle { file: file.to_path_buf(), populations }),
        Err(why) => Err(BundleFileError { file: file.to_path_buf(), why }.into()),
    }
}

/// Its files that are JSON by name. Whatever lies beside the bundles is passed over, and said to be.
fn in_folder(folder: &Path, year: MeasurementYear) -> anyhow::Result<Vec<MeasuredBundle>> {
    let unreadable = || format!("{} cannot be read", folder.display());
    let entries = std::fs::read_dir(folder).with_context(unreadable)?;
    let mut files = entries.map(|entry| entry.map(|entry| entry.path())).collect::<Result<Vec<_>, _>>()?;
    files.retain(|file| file.extension().is_some_and(|extension| extension == "json") && file.is_file());
    files.sort();
    let mut measured = Vec::new();
    for file in files {
        match in_file(&file, year) {
            Err(error) if is_other_content(&error) => eprintln!("passed over {}: it is no FHIR bundle", file.display()),
            found => measured.push(found?),
        }
    }
    if measured.is_empty() {
        let text =
            format!("{} has no FHIR bundle\n  help: name the folder whose `.json` files are bundles", folder.display());
        return Err(Failure::new(ErrorCode::NOT_A_BUNDLE, text).into());
    }
    Ok(measured)
}

fn is_other_content(error: &anyhow::Error) -> bool {
    let found = error.downcast_ref::<BundleFileError>();
    found.is_some_and(|error| matches!(error.why, NotABundle::OtherContent))
}
