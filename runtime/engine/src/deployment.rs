//! A workflow with its plugins pinned: what a referral is decided by, from birth to end.

use std::collections::BTreeMap;

use sha2::{Digest as _, Sha256};

use crate::ids::{Digest, StageKey};
use crate::workflow::Workflow;

/// Immutable, and addressed by its own digest.
#[derive(Debug)]
pub struct Deployment {
    pub digest: Digest,
    pub workflow: Workflow,
    /// By stage key: `records`, `trigger.hl7`, `outreach.sms`.
    pub plugins: BTreeMap<StageKey, Digest>,
}

impl Deployment {
    /// The same texts and plugins always make the same digest.
    pub fn new(workflow: Workflow, plugins: BTreeMap<StageKey, Digest>) -> Deployment {
        let mut hasher = Sha256::new();
        hasher.update(workflow.digest.0);
        for (stage, plugin) in &plugins {
            hasher.update((stage.len() as u64).to_be_bytes());
            hasher.update(stage.as_bytes());
            hasher.update(plugin.0);
        }
        Deployment { digest: Digest(hasher.finalize().into()), workflow, plugins }
    }
}
