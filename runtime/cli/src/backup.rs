//! `handoff backup` and `handoff restore`.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use clap::Args;
use handoff_engine::error_code::{ErrorCode, Failure};
use handoff_instance::config::Config;
use handoff_operations::backup::{self, BackUp, SigningKeyOut};
use handoff_vault::MasterKey;

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
    /// The data folder to make of it: new or empty; the configuration's where it is not given
    #[arg(long)]
    data: Option<PathBuf>,
    /// The configuration: its master key opens the backup's signing key, which is put where the configuration has it
    #[arg(long)]
    config: Option<PathBuf>,
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
        let config = self.config.as_deref().map(Config::read).transpose()?;
        let data = match (&self.data, &config) {
            (Some(data), _) => data.clone(),
            (None, Some(config)) => config.data.clone(),
            (None, None) => bail!(Failure::new(
                ErrorCode::COMMAND_LINE,
                "where shall the data folder be?\n  help: name the configuration with --config, or a folder with --data"
            )),
        };
        let signing = match &config {
            Some(config) => {
                let master = config.keys.master.read().context("cannot read the master key (`keys: master:`)")?;
                let master = MasterKey::parse(master.as_str()).context("the master key is malformed")?;
                Some(SigningKeyOut { master, path: &config.keys.signing })
            }
            None => None,
        };
        let restored = backup::restore(&self.from, &data, &public_key(&self.key)?, signing)?;
        if self.json {
            print_json(&restored)?;
            return Ok(ExitCode::SUCCESS);
        }
        let at = restored.at.format("%Y-%m-%d %H:%M");
        say!("{} is as it was at {at}, through entry {}", data.display(), restored.through);
        match config.is_some() {
            true => say!("  1. the master key opens it, and the signing key of that day is in its place"),
            false => say!("  1. put the master key and the signing key of that day back"),
        }
        say!(
            "  2. name this data folder in handoff.yaml; {} has the one of that day",
            self.from.join("configuration").display()
        );
        say!("  3. handoff doctor, then handoff serve: the index is built anew, and nothing leaves yet");
        say!("  4. handoff resume --why \"…\" lets timers and the chart go on, and then the messages to patients");
        Ok(ExitCode::SUCCESS)
    }
}
