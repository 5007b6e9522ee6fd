//! `handoff backup`, `handoff restore` and `handoff drill`.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use clap::{Args, Subcommand};
use handoff_engine::error_code::{ErrorCode, Failure};
use handoff_instance::config::Config;
use handoff_operations::backup::{self, BackUp, SigningKeyOut};
use handoff_operations::drill::{self, DrillReport};
use handoff_store::durable_file;

use crate::asking::Asking;
use crate::{print_json, public_key};

#[derive(Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(crate) struct Backup {
    #[command(subcommand)]
    instead: Option<BackupCommand>,
    /// A new or empty folder
    #[arg(required = true)]
    to: Option<PathBuf>,
    /// An earlier backup on the same disk: only what grew since then is written, and each is whole without the other
    #[arg(long)]
    since: Option<PathBuf>,
    #[command(flatten)]
    asking: Asking,
    #[arg(long)]
    json: bool,
}

#[derive(Subcommand)]
enum BackupCommand {
    /// Restore a backup to a folder of its own, run it without any way out, and look
    Verify(Rehearsed),
}

/// A restore that is only practised.
#[derive(Args)]
struct Rehearsed {
    /// A folder that `handoff backup` made
    from: PathBuf,
    /// The configuration: its master key opens the backup
    #[arg(long, default_value = "handoff.yaml")]
    config: PathBuf,
    /// Any public key that ever signed its journal, in PEM
    #[arg(long)]
    key: PathBuf,
    /// A new folder for the copy, which is removed afterwards; among the temporary ones where it is not given
    #[arg(long)]
    folder: Option<PathBuf>,
    #[arg(long)]
    json: bool,
}

/// As `backup verify`, with a signed report of how long it took.
#[derive(Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(crate) struct Drill {
    #[command(subcommand)]
    instead: Option<DrillCommand>,
    #[command(flatten)]
    rehearsed: Option<Rehearsed>,
    /// Where the report goes: a new file
    #[arg(long)]
    report: Option<PathBuf>,
}

#[derive(Subcommand)]
enum DrillCommand {
    /// Whether a report is as the instance signed it
    Check {
        report: PathBuf,
        /// A public key of the instance, in PEM
        #[arg(long)]
        key: PathBuf,
    },
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
        if let Some(BackupCommand::Verify(rehearsed)) = self.instead {
            rehearsed.run()?;
            return Ok(ExitCode::SUCCESS);
        }
        // Handoff may run elsewhere.
        let to = std::path::absolute(self.to.unwrap_or_default())?;
        let since = self.since.map(std::path::absolute).transpose()?;
        let label = self.asking.ask(BackUp { to: to.clone(), since })?;
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

impl Rehearsed {
    fn run(&self) -> anyhow::Result<DrillReport> {
        let config = Config::read(&self.config)?;
        let folder = self
            .folder
            .clone()
            .unwrap_or_else(|| std::env::temp_dir().join(format!("handoff-drill-{}", std::process::id())));
        let report = drill::drill(&self.from, &folder, &config, &public_key(&self.key)?)?;
        match self.json {
            true => print_json(&report)?,
            false => tell(&self.from, &report)?,
        }
        Ok(report)
    }
}

fn tell(from: &Path, DrillReport { drill, .. }: &DrillReport) -> anyhow::Result<()> {
    let at = drill.backup_at.format("%Y-%m-%d %H:%M");
    say!("{} could be lived in: as of {at}, through entry {}", from.display(), drill.through);
    let (restore, open) = (drill.restore_seconds, drill.open_seconds);
    say!("  {} minute(s) to an instance: {restore} s to prove and copy it, {open} s to open it", drill.minutes);
    say!(
        "  {} referrals; {} patients' names opened, {} forgotten",
        drill.referrals,
        drill.patients_read,
        drill.patients_erased
    );
    say!("  {} decisions made again with the same answer", drill.decisions_proven);
    Ok(())
}

impl Drill {
    pub fn run(self) -> anyhow::Result<ExitCode> {
        if let Some(DrillCommand::Check { report, key }) = self.instead {
            let unread =
                || Failure::new(ErrorCode::COMMAND_LINE, format!("{} is no report of a drill", report.display()));
            let text = std::fs::read_to_string(&report).with_context(unread)?;
            let told: DrillReport = serde_json::from_str(&text).with_context(unread)?;
            told.check(&public_key(&key)?)?;
            say!(
                "signed by this instance: {} minute(s) on {}",
                told.drill.minutes,
                told.drill.begun_at.format("%Y-%m-%d")
            );
            return Ok(ExitCode::SUCCESS);
        }
        let Some(rehearsed) = self.rehearsed else { return Ok(ExitCode::FAILURE) };
        let report = rehearsed.run()?;
        if let Some(path) = &self.report {
            let text = serde_json::to_vec_pretty(&report)?;
            durable_file::create(path, &text, REPORT_MODE)
                .with_context(|| format!("cannot write {}", path.display()))?;
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// It names nobody.
const REPORT_MODE: u32 = 0o644;

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
            Some(config) => Some(SigningKeyOut { master: config.master_key()?, path: &config.keys.signing }),
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
