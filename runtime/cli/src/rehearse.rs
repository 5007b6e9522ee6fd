//! `handoff rehearse`: what a workflow would do for a practice like ours in a year, before it does anything.

use std::io::{IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context as _;
use clap::Args;
use handoff_host::{Host, PluginLimits};
use handoff_instance::config::Log;
use handoff_instance::telemetry;
use handoff_pipeline::deployments::WorkflowSource;
use handoff_rehearsal::outcome::{self, RehearsalOutcome};
use handoff_rehearsal::practice_file::PracticeFile;
use handoff_rehearsal::report::{Rehearsed, Report};
use handoff_rehearsal::script::Script;
use handoff_rehearsal::year::Year;

use crate::print_json;

#[derive(Args)]
pub(crate) struct Rehearse {
    /// The workflow; its templates and settings lie beside it
    workflow: PathBuf,
    /// What the practice is like: patients, answers, specialists, prices; Handoff's own assumptions without it
    #[arg(long)]
    practice: Option<PathBuf>,
    /// Another workflow to hold it against, with the same patients
    #[arg(long)]
    against: Option<PathBuf>,
    /// Days on which orders come in
    #[arg(long, default_value_t = 365, value_parser = clap::value_parser!(u32).range(1..=DAYS_MAX))]
    days: u32,
    /// The same seed gives the same patients
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u64).range(..=SEED_MAX))]
    seed: u64,
    /// One JSON object and nothing else
    #[arg(long)]
    json: bool,
}

/// Two years: longer than any workflow stays as it is.
const DAYS_MAX: i64 = 730;

/// The lower half of a panel's seed is the panel's number.
const SEED_MAX: u64 = u32::MAX as u64;

/// The last orders are watched for so long: six weeks to reach somebody, two for a visit, six for its note.
const WATCHED_DAYS: u32 = 100;

const DAYS_A_WEEK: u64 = 7;

impl Rehearse {
    pub fn run(self) -> anyhow::Result<ExitCode> {
        // Faults that the rehearsal plays are logged as warnings and errors; they are its point, not its result.
        let _told = telemetry::start(&Log { level: Some("off".into()), ..Log::default() }, None)?;
        let practice = self.practice.as_deref().map(PracticeFile::read).transpose()?.unwrap_or_default();
        let files: Vec<&Path> =
            [Some(&self.workflow), self.against.as_ref()].into_iter().flatten().map(PathBuf::as_path).collect();
        // Both are found fit before either is rehearsed.
        let scripts = files.iter().map(|file| fit(file, &practice)).collect::<anyhow::Result<Vec<Script>>>()?;
        let temporary = tempfile::tempdir().context("cannot make a temporary folder")?;
        let host = Arc::new(Host::new(PluginLimits::default(), Some(&temporary.path().join("compiled")))?);
        let mut years: Vec<Vec<RehearsalOutcome>> = Vec::new();
        for (script, file) in scripts.into_iter().zip(&files) {
            let data = temporary.path().join(years.len().to_string());
            std::fs::create_dir(&data).with_context(|| format!("cannot make {}", data.display()))?;
            let year = self.year(script, &practice);
            let panels = year.panels();
            let lived = |panel| self.show(&format!("{}: {panel} of {panels} panels of patients", file.display()));
            let outcomes = year
                .live(&host, &data, outcome::of_panel, lived)
                .with_context(|| format!("{} could not be rehearsed to its end", file.display()))?;
            years.push(outcomes.into_iter().flatten().collect());
        }
        self.show("");
        let rehearsed = Rehearsed {
            workflow: self.workflow.display().to_string(),
            against: self.against.as_ref().map(|file| file.display().to_string()),
            seed: self.seed,
            days: self.days,
            days_watched: self.days + WATCHED_DAYS,
            practice: &practice,
        };
        let [workflow, against @ ..] = years.as_slice() else { anyhow::bail!("no workflow was rehearsed") };
        let report = Report::of(rehearsed, workflow, against.first().map(Vec::as_slice));
        match self.json {
            true => print_json(&report)?,
            false => say!("{report}"),
        }
        Ok(ExitCode::SUCCESS)
    }

    fn year(&self, script: Script, practice: &PracticeFile) -> Year {
        let profile = practice.profile.clone();
        let ordered = u64::from(profile.referrals_per_week) * u64::from(self.days);
        Year {
            script,
            profile,
            seed: self.seed,
            referrals: ordered.div_ceil(DAYS_A_WEEK),
            order_days: self.days,
            days: self.days + WATCHED_DAYS,
        }
    }

    /// How far it is, for whoever waits before a terminal.
    fn show(&self, progress: &str) {
        let mut out = std::io::stderr();
        if !self.json && out.is_terminal() {
            // A terminal that has gone away is no reason to stop.
            drop(write!(out, "\r\x1b[K{progress}"));
            drop(out.flush());
        }
    }
}

fn fit(file: &Path, practice: &PracticeFile) -> anyhow::Result<Script> {
    let script =
        WorkflowSource::read(file).map_err(Into::into).and_then(|source| Script::fit(source, &practice.profile));
    script.with_context(|| format!("{} cannot be rehearsed", file.display()))
}
