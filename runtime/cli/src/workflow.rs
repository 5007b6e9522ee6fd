//! `handoff workflow check|plan|apply|history|rollback`: changing what decides.

mod apply;
mod check;
mod history;
mod plan;

use std::process::ExitCode;

use clap::Subcommand;

#[derive(Subcommand)]
pub(crate) enum Workflow {
    /// Find every problem, with its place and cure, and play the scenarios beside it
    Check(check::Check),
    /// Say what a workflow would change, and for whom, before it changes anything
    Plan(plan::Plan),
    /// Put a workflow in force, while patients are in flight
    Apply(apply::Apply),
    /// What has been in force, since when, by whom and why, and who is still under it
    History(history::History),
    /// Put an earlier deployment in force again; what the present one took over comes back
    Rollback(apply::Rollback),
}

impl Workflow {
    pub fn run(self) -> anyhow::Result<ExitCode> {
        match self {
            Workflow::Check(check) => check.run(),
            Workflow::Plan(plan) => plan.run(),
            Workflow::Apply(apply) => apply.run(),
            Workflow::History(history) => history.run(),
            Workflow::Rollback(rollback) => rollback.run(),
        }
    }
}
