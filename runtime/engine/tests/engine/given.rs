//! What tests start from: the recipe that ships with Handoff.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use handoff_engine::deployment::Deployment;
use handoff_engine::workflow::{Files, Workflow};

pub fn workflows() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../workflows")
}

pub fn recipe_text() -> String {
    fs::read_to_string(workflows().join("referral.yaml")).expect("the recipe can be read")
}

/// The files beside the recipe: templates and settings.
pub fn recipe_files() -> Files {
    let read = |folder: &str| {
        let entries = fs::read_dir(workflows().join(folder)).expect("the folder can be read");
        let read = entries.map(|entry| {
            let path = entry.expect("a folder entry").path();
            let name = path.file_name().and_then(|name| name.to_str()).expect("a plain file name");
            (format!("{folder}/{name}"), fs::read_to_string(&path).expect("a file can be read"))
        });
        read.collect::<Files>()
    };
    read("templates").into_iter().chain(read("settings")).collect()
}

pub fn recipe() -> Deployment {
    match Workflow::parse_with("workflows/referral.yaml", &recipe_text(), &recipe_files()) {
        Ok(workflow) => Deployment::new(workflow, BTreeMap::new()),
        Err(problems) => {
            let told: Vec<String> = problems.iter().map(ToString::to_string).collect();
            panic!("the recipe has problems:\n{}", told.join("\n"))
        }
    }
}
