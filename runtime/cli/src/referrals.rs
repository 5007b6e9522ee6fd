//! `handoff referrals list|show`: read from the journal, beside a running daemon or without one. Tokens only.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand};
use handoff_engine::ids::ReferralId;
use handoff_operations::reports::timeline;
use handoff_pipeline::error::PipelineError;
use handoff_store::View;
use handoff_store::index::{PAGE_MAX, ReferralFilter};

use crate::print_json;

#[derive(Subcommand)]
pub(crate) enum Referrals {
    /// One line each, oldest first
    List(List),
    /// One referral: where it stands, and its timeline
    Show(Show),
}

#[derive(Args)]
pub(crate) struct List {
    #[arg(long)]
    data: PathBuf,
    /// Only those in this state
    #[arg(long)]
    state: Option<String>,
    /// Only those whose specialist has this id
    #[arg(long)]
    specialist: Option<String>,
    /// One JSON object a line
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
pub(crate) struct Show {
    referral: String,
    #[arg(long)]
    data: PathBuf,
    #[arg(long)]
    json: bool,
}

impl Referrals {
    pub fn run(self) -> anyhow::Result<ExitCode> {
        match self {
            Referrals::List(list) => list.run(),
            Referrals::Show(show) => show.run(),
        }
    }
}

impl List {
    fn run(self) -> anyhow::Result<ExitCode> {
        let view = View::open(&self.data)?;
        let filter = ReferralFilter { state: self.state, specialist: self.specialist, ..ReferralFilter::default() };
        let mut after = None;
        loop {
            let page = view.index().referrals(&filter, after, PAGE_MAX)?;
            let Some(last) = page.last() else { return Ok(ExitCode::SUCCESS) };
            after = Some(last.id);
            for referral in page {
                if self.json {
                    print_json(&referral)?;
                } else {
                    let ordered = referral.ordered_at.format("%Y-%m-%d %H:%M");
                    say!("{}  {ordered}  {:<16} specialist {}", referral.id, referral.state, referral.specialist);
                }
            }
        }
    }
}

impl Show {
    fn run(self) -> anyhow::Result<ExitCode> {
        let id: ReferralId = self.referral.parse()?;
        let view = View::open(&self.data)?;
        let referral = view.index().referral(&id)?.ok_or(PipelineError::NoSuchReferral(id))?;
        let timeline = timeline::of(view.index(), view.reader(), id)?;
        if self.json {
            print_json(&serde_json::json!({ "referral": referral, "timeline": timeline }))?;
        } else {
            say!("{id}  {}", referral.state);
            for timer in &referral.timers {
                say!("  timer {:<14} {}", timer.name, timer.due.format("%Y-%m-%d %H:%M"));
            }
            for moment in &timeline {
                say!("{moment}");
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}
