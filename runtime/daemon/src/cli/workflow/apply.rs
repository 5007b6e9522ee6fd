//! `handoff workflow apply|rollback`: another deployment takes effect, in a house that runs or one at rest.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Args;

use crate::change::{Applied, Candidate};
use crate::cli::asking::Asking;
use crate::cli::print_json;
use crate::office::workflow;

#[derive(Args)]
pub struct Apply {
    /// The workflow; its templates, settings and scenarios lie beside it
    file: PathBuf,
    #[command(flatten)]
    asking: Asking,
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
pub struct Rollback {
    /// The first digits of a deployment, as `handoff workflow history` lists them; the one before when absent
    deployment: Option<String>,
    #[command(flatten)]
    asking: Asking,
    #[arg(long)]
    json: bool,
}

impl Apply {
    pub fn run(self) -> anyhow::Result<ExitCode> {
        let Apply { file, asking, json } = self;
        let candidate = Candidate::read(&file)?;
        let file = std::fs::canonicalize(&file).with_context(|| format!("cannot find {}", file.display()))?;
        tell(&asking.ask(workflow::Apply { file, candidate })?, json)
    }
}

impl Rollback {
    pub fn run(self) -> anyhow::Result<ExitCode> {
        let Rollback { deployment, asking, json } = self;
        tell(&asking.ask(workflow::RollBack { deployment })?, json)
    }
}

fn tell(applied: &Applied, json: bool) -> anyhow::Result<ExitCode> {
    if json {
        print_json(applied)?;
        return Ok(ExitCode::SUCCESS);
    }
    let Applied { deployment, before, stays, moves } = applied;
    say!("{} is in force in place of {}", deployment.short(), before.short());
    say!("{moves} referral(s) moved to it, {stays} stay where they are");
    Ok(ExitCode::SUCCESS)
}
