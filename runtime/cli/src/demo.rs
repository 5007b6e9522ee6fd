//! `handoff demo`: a practice's month in a minute.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use anyhow::Context as _;
use clap::Args;
use handoff_engine::error_code::{ErrorCode, Failure};
use handoff_instance::config::Log;
use handoff_instance::telemetry;
use handoff_rehearsal::rehearsal::{Progress, Rehearsal};

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
}

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
            rehearsal.close().await;
            anyhow::Ok(summary)
        })?;
        if self.json {
            print_json(&summary)?;
        } else {
            say!("\n\n{} referrals, {} days, {:.1} s\n", summary.referrals, self.days, begun.elapsed().as_secs_f64());
            say!("{summary}");
            if self.data.is_some() {
                say!("Journal and index are in {}.", data.display());
            }
        }
        Ok(if summary.lost == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
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
