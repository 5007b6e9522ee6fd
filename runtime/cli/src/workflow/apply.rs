//! `handoff workflow apply|rollback`: another deployment takes effect, in an instance that runs or one at rest.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Args;
use handoff_operations::workflow;
use handoff_pipeline::rollout::{Applied, CanaryStarted, Candidate};
use handoff_store::Canary;

use crate::asking::Asking;
use crate::print_json;

#[derive(Args)]
pub(crate) struct Apply {
    /// The workflow; its templates, settings and scenarios lie beside it
    file: PathBuf,
    /// Begin only so many percent of the new referrals with it, and leave everybody else where they are
    #[arg(long, value_name = "PERCENT", value_parser = clap::value_parser!(u8).range(1..=99))]
    canary: Option<u8>,
    /// Take the canary back once so many percent of its referrals have failed
    #[arg(long, value_name = "PERCENT", requires = "canary", default_value_t = BACK_AT, value_parser = clap::value_parser!(u8).range(1..=100))]
    back_at: u8,
    #[command(flatten)]
    asking: Asking,
    #[arg(long)]
    json: bool,
}

/// A vendor that fails a fifth of the patients is worse than any that a practice keeps.
const BACK_AT: u8 = 20;

#[derive(Args)]
pub(crate) struct Rollback {
    /// The first digits of a deployment, as `handoff workflow history` lists them; the one before when absent
    deployment: Option<String>,
    #[command(flatten)]
    asking: Asking,
    #[arg(long)]
    json: bool,
}

impl Apply {
    pub fn run(self) -> anyhow::Result<ExitCode> {
        let Apply { file, canary, back_at, asking, json } = self;
        let candidate = Candidate::read(&file)?;
        if let Some(share) = canary {
            let tried = asking.ask(workflow::TryOut { candidate, canary: Canary { share, back_at } })?;
            return tell_tried(&tried, json);
        }
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

fn tell_tried(tried: &CanaryStarted, json: bool) -> anyhow::Result<ExitCode> {
    if json {
        print_json(tried)?;
        return Ok(ExitCode::SUCCESS);
    }
    let CanaryStarted { deployment, beside, canary: Canary { share, back_at } } = tried;
    say!("{} is tried on {share} % of the new referrals, beside {}", deployment.short(), beside.short());
    say!(
        "it is taken back once {back_at} % of them have failed; `handoff workflow apply` without --canary puts it in force"
    );
    Ok(ExitCode::SUCCESS)
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
