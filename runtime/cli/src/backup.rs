//! `handoff backup` and `handoff restore`.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use handoff_operations::backup::{self, BackUp};

use crate::asking::Asking;
use crate::{print_json, public_key};

#[derive(Args)]
pub(crate) struct Backup {
    /// A new or empty folder
    to: PathBuf,
    #[command(flatten)]
    asking: Asking,
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
pub(crate) struct Restore {
    /// A folder that `handoff backup` made
    from: PathBuf,
    /// The data folder to make of it: new or empty
    #[arg(long)]
    data: PathBuf,
    /// Any public key that ever signed its journal, in PEM
    #[arg(long)]
    key: PathBuf,
    #[arg(long)]
    json: bool,
}

impl Backup {
    pub fn run(self) -> anyhow::Result<ExitCode> {
        // Handoff may run elsewhere.
        let to = std::path::absolute(self.to)?;
        let label = self.asking.ask(BackUp { to: to.clone() })?;
        match self.json {
            true => print_json(&label)?,
            false => {
                say!("{} holds everything through entry {}", to.display(), label.through);
                say!("it is of no use without the master key, which is not in it: keep that elsewhere");
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

impl Restore {
    pub fn run(self) -> anyhow::Result<ExitCode> {
        let restored = backup::restore(&self.from, &self.data, &public_key(&self.key)?)?;
        if self.json {
            print_json(&restored)?;
            return Ok(ExitCode::SUCCESS);
        }
        let at = restored.at.format("%Y-%m-%d %H:%M");
        say!("{} is as it was at {at}, through entry {}", self.data.display(), restored.through);
        say!("  1. put the master key and the signing key of that day back");
        say!(
            "  2. name this data folder in handoff.yaml; {} has the one of that day",
            self.from.join("configuration").display()
        );
        say!("  3. handoff doctor, then handoff serve: the index is built anew");
        Ok(ExitCode::SUCCESS)
    }
}
