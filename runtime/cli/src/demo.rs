//! `handoff demo`: a practice's month in a minute.

use std::io::{IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Instant;

use anyhow::Context as _;
use clap::Args;
use handoff_engine::error_code::{ErrorCode, Failure};
use handoff_instance::config::Log;
use handoff_instance::{signing_key, telemetry};
use handoff_operations::operations::{Operations, Paths};
use handoff_pipeline::pipeline::Pipeline;
use handoff_rehearsal::rehearsal::{self, Progress, Rehearsal, Summary};
use handoff_server::demonstration::Demonstration;
use handoff_server::service;

use crate::print_json;

#[derive(Args)]
pub(crate) struct Demo {
    /// Orders that the simulated EHR sends
    #[arg(long, default_value_t = 50)]
    referrals: usize,
    /// The same seed gives the same month
    #[arg(long, default_value_t = 7)]
    seed: u64,
    /// Simulated days
    #[arg(long, default_value_t = 30)]
    days: u32,
    /// Keep journal and index here; a temporary folder unless given
    #[arg(long)]
    data: Option<PathBuf>,
    /// One JSON object and nothing else
    #[arg(long)]
    json: bool,
    /// End with the figures, without the practice's pages
    #[arg(long)]
    no_serve: bool,
}

/// As a new instance has it; a demonstration is over before.
const RETENTION_YEARS: u32 = 7;

impl Demo {
    pub fn run(self) -> anyhow::Result<ExitCode> {
        // Faults that the rehearsal plays are logged as warnings and errors; they are its point, not its result.
        let _told = telemetry::start(&Log { level: Some("off".into()), ..Log::default() }, None)?;
        let temporary = tempfile::tempdir().context("cannot make a temporary folder")?;
        let data = self.data.clone().unwrap_or_else(|| temporary.path().to_path_buf());
        if data.join("journal").exists() {
            anyhow::bail!(Failure::new(
                ErrorCode::ALREADY_THERE,
                format!(
                    "{} already holds a journal; the demo needs a folder of its own\n  help: name a new folder",
                    data.display()
                )
            ));
        }
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        let begun = Instant::now();
        let summary = runtime.block_on(async {
            let rehearsal = Rehearsal::open(self.seed, self.referrals, self.days, &data).await?;
            let shown = !self.json;
            rehearsal
                .run(|progress| {
                    if shown {
                        show(&progress)
                    }
                })
                .await?;
            let summary = rehearsal.summary()?;
            self.tell(&summary, &data, begun)?;
            if self.serves() {
                serve(rehearsal.pipeline(), self.seed, &data).await?;
            }
            rehearsal.close().await;
            anyhow::Ok(summary)
        })?;
        Ok(if summary.lost == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}

impl Demo {
    fn tell(&self, summary: &Summary, data: &Path, begun: Instant) -> anyhow::Result<()> {
        if self.json {
            return print_json(summary);
        }
        say!("\n\n{} referrals, {} days, {:.1} s\n", summary.referrals, self.days, begun.elapsed().as_secs_f64());
        say!("{summary}");
        if self.data.is_some() {
            say!("Journal and index are in {}.", data.display());
        }
        Ok(())
    }

    /// For whoever sits before a terminal; a script goes on.
    fn serves(&self) -> bool {
        !self.json && !self.no_serve && std::io::stdout().is_terminal() && std::io::stdin().is_terminal()
    }
}

/// The practice as it is now, in a browser, until somebody has seen enough.
async fn serve(pipeline: Arc<Pipeline>, seed: u64, data: &Path) -> anyhow::Result<()> {
    let end = service::terminated();
    let signing = data.join("journal.pem");
    signing_key::establish(&signing, &rehearsal::signing_key(seed))?;
    let paths = Paths {
        data: data.to_path_buf(),
        configuration: data.join("handoff.yaml"),
        workflow: data.join("referral.yaml"),
        signing,
        retention_years: RETENTION_YEARS,
    };
    let shown = Demonstration::prepare(Arc::new(Operations::new(pipeline, paths)?)).await?;
    say!("\nThe practice is open. Each link signs in as somebody of it; Ctrl-C closes it.\n");
    for (role, link) in &shown.links {
        say!("  {:<12} {link}", role.name());
    }
    shown.serve_until(end).await;
    Ok(())
}

fn show(progress: &Progress) {
    let Progress { day, days, orders, texts, mails, visits } = progress;
    let mut out = std::io::stdout();
    // A terminal that has gone away is no reason to stop.
    drop(write!(
        out,
        "\rday {day:>2} of {days}   {orders:>3} orders   {texts:>4} texts   {mails:>4} mails   {visits:>3} visits "
    ));
    drop(out.flush());
}
