//! What can go wrong in the workshop: what, where, and how to mend it.

use std::io;
use std::path::{Path, PathBuf};

use handoff_builder::BuildError;
use handoff_host::{Fault, HostError};

#[derive(Debug, thiserror::Error)]
pub enum WorkshopError {
    #[error("cannot read or write {}", path.display())]
    File { path: PathBuf, source: io::Error },
    #[error("{} is there already; nothing was changed\n  help: choose another name, or remove the folder", .0.display())]
    There(PathBuf),
    #[error(
        "`{0}` cannot be a plugin's name: it names a file, a crate and a package\n  \
         help: begin with a lower-case letter, go on with lower-case letters, digits and single hyphens: outreach-acme"
    )]
    Name(String),
    #[error(
        "{} is not a plugin project: it has no plugin.yaml\n  \
         help: begin one with `handoff plugin new --stage outreach --lang rust NAME`", .0.display()
    )]
    NoProject(PathBuf),
    #[error("{}: {why}\n  help: it says `format: handoff/plugin@1`, `name`, `stage` and `language`", path.display())]
    Project { path: PathBuf, why: String },
    #[error("the contract in {} does not parse: {why}\n  help: `handoff plugin new` writes it anew", path.display())]
    Contract { path: PathBuf, why: String },
    #[error("`{program}` could not be run\n  help: {help}")]
    Tool { program: String, help: &'static str, source: io::Error },
    #[error("`{program}` failed:\n{said}")]
    Failed { program: String, said: String },
    #[error(transparent)]
    Compile(#[from] BuildError),
    #[error("{}: {why}\n  help: a case is a call in JSON, as the journal records it; `handoff plugin new` writes one", path.display())]
    Case { path: PathBuf, why: String },
    #[error("{} has no cases/*.in\n  help: write a call into one and `handoff plugin test --bless`", .0.display())]
    NoCases(PathBuf),
    #[error(transparent)]
    Host(#[from] HostError),
    #[error(transparent)]
    Fault(#[from] Fault),
    #[error("{}: {why}", path.display())]
    Key { path: PathBuf, why: String },
}

impl WorkshopError {
    pub(crate) fn file(path: &Path) -> impl FnOnce(io::Error) -> WorkshopError + '_ {
        |source| WorkshopError::File { path: path.to_owned(), source }
    }
}
