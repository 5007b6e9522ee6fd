//! `handoff keys rotate-signing|rotate-master`: other keys, while Handoff runs.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand};
use handoff_operations::keys;

use crate::asking::Asking;

#[derive(Subcommand)]
pub(crate) enum Keys {
    /// Sign the journal with a new key; the old one vouches for it
    RotateSigning(RotateSigning),
    /// Wrap every patient's key under another master key
    RotateMaster(RotateMaster),
}

#[derive(Args)]
pub(crate) struct RotateSigning {
    #[command(flatten)]
    asking: Asking,
}

#[derive(Args)]
pub(crate) struct RotateMaster {
    /// The file of the new master key; made if it is not there
    #[arg(long)]
    to: PathBuf,
    #[command(flatten)]
    asking: Asking,
}

impl Keys {
    pub fn run(self) -> anyhow::Result<ExitCode> {
        match self {
            Keys::RotateSigning(RotateSigning { asking }) => {
                let rotated = asking.ask(keys::RotateSigning {})?;
                say!("a new key signs the journal; its public half is {}", rotated.public.display());
                say!("every earlier public key still proves it");
            }
            Keys::RotateMaster(RotateMaster { to, asking }) => {
                let to = std::path::absolute(to)?;
                asking.ask(keys::RotateMaster { to: to.clone() })?;
                say!("{} opens the key ring now, and nothing else does", to.display());
                say!("  1. name it in handoff.yaml under `keys: master: file:` before the next start");
                say!("  2. keep a copy apart from the backups");
                say!("  3. keep the old one as long as a backup that was made with it");
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}
