//! The referral workflow that comes with Handoff, as files: `handoff init` writes them, `handoff demo` runs them.

use std::collections::BTreeMap;

use crate::deployments::WorkflowSource;

pub struct File {
    /// Below `workflows/`.
    pub path: &'static str,
    pub text: &'static str,
}

macro_rules! files {
    ($($path:literal),* $(,)?) => {
        &[$(File { path: $path, text: include_str!(concat!("../../../workflows/", $path)) }),*]
    };
}

const WORKFLOW: &str = "referral.yaml";

pub const FILES: &[File] = files![
    "referral.yaml",
    "workflow.schema.json",
    "settings/chart.yaml",
    "settings/email.yaml",
    "settings/escalation.yaml",
    "settings/network.yaml",
    "settings/records.yaml",
    "settings/sms.yaml",
    "settings/webhook.yaml",
    "templates/en.yaml",
    "templates/es.yaml",
    "templates/vi.yaml",
    "templates/zh.yaml",
];

/// The practice that rehearsals assume, to be made one's own.
pub const PRACTICE: File = File { path: "practice.yaml", text: include_str!("../../../workflows/practice.yaml") };

/// The workflow as if it had been read from disk.
pub fn source() -> WorkflowSource {
    let mut files = BTreeMap::new();
    let mut text = String::new();
    for file in FILES {
        if file.path == WORKFLOW {
            text = file.text.into();
        } else {
            files.insert(file.path.to_string(), file.text.to_string());
        }
    }
    WorkflowSource { file: format!("workflows/{WORKFLOW}"), text, files }
}
