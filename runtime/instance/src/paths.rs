//! Where an instance keeps its things.

use std::path::PathBuf;

use crate::config::Config;

/// Where an instance's things lie, and the rules that its configuration sets.
#[derive(Clone, Debug)]
pub struct Paths {
    pub data: PathBuf,
    /// `handoff.yaml`.
    pub configuration: PathBuf,
    /// The workflow that it names.
    pub workflow: PathBuf,
    /// The private key that signs the journal; its public half lies beside it.
    pub signing: PathBuf,
    pub retention_years: u32,
}

impl Paths {
    pub fn of(config: &Config) -> Paths {
        Paths {
            data: config.data.clone(),
            configuration: config.file.clone(),
            workflow: config.workflow.file.clone(),
            signing: config.keys.signing.clone(),
            retention_years: config.retention.years,
        }
    }
}
