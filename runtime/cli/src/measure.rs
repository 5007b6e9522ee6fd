//! `handoff measure cms50`: a quality measure over the journal, beside a running daemon or without one, or over FHIR bundles. Counts,
//! and no patient.

mod bundles;

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use chrono::Utc;
use chrono_tz::Tz;
use clap::{Args, Subcommand};
use handoff_engine::error_code::{ErrorCode, Failure};
use handoff_operations::reports::cms50::{
    self, ASSUMED, Cms50, MeasurementYear, PopulationCounts, Reporter, TITLE, VERSION, measure_report,
};
use handoff_pipeline::deployments::WorkflowSource;
use handoff_store::View;
use handoff_store::index::Deployed;
use serde_json::json;

pub(crate) use self::bundles::BundleFileError;
use crate::print_json;

/// Who a practice's report is by, where nobody gives a name.
const PRACTICE: &str = "the practice";

#[derive(Subcommand)]
pub(crate) enum Measure {
    /// Closing the Referral Loop: Receipt of Specialist Report
    Cms50(MeasureCms50),
}

#[derive(Args)]
pub(crate) struct MeasureCms50 {
    /// A calendar year: 2026, or 2026-01-01..2026-12-31
    #[arg(long)]
    period: String,
    /// Over what the journal of this data folder has seen
    #[arg(long, required_unless_present = "bundle", conflicts_with = "bundle")]
    data: Option<PathBuf>,
    /// Over FHIR bundles of one patient each: files, or folders of them
    #[arg(long, num_args = 1.., value_name = "FILE")]
    bundle: Vec<PathBuf>,
    /// As a FHIR R4 MeasureReport
    #[arg(long, conflicts_with = "json")]
    fhir: bool,
    /// Whose name the MeasureReport bears
    #[arg(long, requires = "fhir", value_name = "NAME")]
    reporter: Option<String>,
    /// The MeasureReport of the clinician with this number instead of the practice's
    #[arg(long, requires = "fhir", conflicts_with_all = ["bundle", "reporter"], value_name = "NUMBER")]
    clinician: Option<String>,
    /// As one JSON object
    #[arg(long)]
    json: bool,
}

impl Measure {
    pub fn run(self) -> anyhow::Result<ExitCode> {
        let Measure::Cms50(measure) = self;
        let year: MeasurementYear = measure.period.parse()?;
        match &measure.data {
            Some(data) => measure.over_journal(data, year)?,
            None => measure.over_bundles(year)?,
        }
        Ok(ExitCode::SUCCESS)
    }
}

impl MeasureCms50 {
    fn over_journal(&self, data: &Path, year: MeasurementYear) -> anyhow::Result<()> {
        let view = View::open(data)?;
        let measured = cms50::of(view.index(), view.reader(), year, zone(&view)?)?;
        if self.json {
            return print_json(&json!({ "measure": "CMS50FHIR", "version": VERSION, "result": measured }));
        }
        if self.fhir {
            return self.print_report(year, &measured);
        }
        say!("CMS50 v{VERSION}  {TITLE}");
        say!("{} to {}, days in {}\n", year.first_day(), year.last_day(), measured.zone);
        print_table(&measured)?;
        say!("\nAssumed, since the journal cannot tell:");
        for line in measured.assumed {
            say!("  {line}");
        }
        Ok(())
    }

    fn print_report(&self, year: MeasurementYear, measured: &Cms50) -> anyhow::Result<()> {
        let (counts, reporter) = match &self.clinician {
            None => (measured.populations, self.practice()),
            Some(id) => {
                let found = measured.clinicians.iter().find(|clinician| clinician.id == *id);
                let clinician = found.ok_or_else(|| no_such_clinician(id))?;
                (clinician.populations, Reporter::Clinician { id, name: &clinician.name })
            }
        };
        print_json(&measure_report(year, counts, &reporter, &ASSUMED, Utc::now()))
    }

    fn practice(&self) -> Reporter<'_> {
        Reporter::Organization { name: self.reporter.as_deref().unwrap_or(PRACTICE) }
    }

    fn over_bundles(&self, year: MeasurementYear) -> anyhow::Result<()> {
        let measured = bundles::measured(&self.bundle, year)?;
        let mut all = PopulationCounts::default();
        measured.iter().for_each(|patient| all.add(patient.populations));
        if self.json {
            let score = all.score();
            return print_json(&json!({
                "measure": "CMS50FHIR", "version": VERSION, "year": year,
                "populations": all, "score": score, "bundles": measured,
            }));
        }
        if self.fhir {
            return print_json(&measure_report(year, all, &self.practice(), &[], Utc::now()));
        }
        for patient in &measured {
            let PopulationCounts { initial_population, denominator, numerator } = patient.populations;
            let file = patient.file.display();
            say!("{file}  initial population {initial_population}, denominator {denominator}, numerator {numerator}");
        }
        let PopulationCounts { initial_population, denominator, numerator } = all;
        let score = percent(all.score());
        let patients = measured.len();
        say!(
            "{patients} patients  initial population {initial_population}, denominator {denominator}, numerator {numerator}, score {score}"
        );
        Ok(())
    }
}

fn print_table(measured: &Cms50) -> anyhow::Result<()> {
    let named = measured.clinicians.iter().map(|clinician| {
        let name = match (clinician.name.as_str(), clinician.id.as_str()) {
            ("", "") => "not named".to_string(),
            ("", one) | (one, "") => one.to_string(),
            (name, id) => format!("{name} ({id})"),
        };
        (name, clinician.populations)
    });
    let rows: Vec<_> = named.chain([("all".to_string(), measured.populations)]).collect();
    let head = "referring clinician";
    let width = rows.iter().map(|(name, _)| name.chars().count()).chain([head.len()]).max().unwrap_or_default();
    say!("{head:<width$}  initial population  denominator  numerator  score");
    for (name, counts) in rows {
        let PopulationCounts { initial_population, denominator, numerator } = counts;
        let score = percent(counts.score());
        say!("{name:<width$}  {initial_population:>18}  {denominator:>11}  {numerator:>9}  {score:>5}");
    }
    Ok(())
}

fn percent(score: Option<f64>) -> String {
    score.map_or_else(|| "–".to_string(), |score| format!("{:.0} %", score * 100.0))
}

fn no_such_clinician(id: &str) -> Failure {
    let text = format!(
        "no clinician with the number {id:?} wrote a patient's first order in the period\n  \
         help: without --fhir and --clinician, `handoff measure cms50 --period YEAR --data DIR` lists them with their numbers"
    );
    Failure::new(ErrorCode::NO_SUCH_CLINICIAN, text)
}

/// The practice's, as the workflow in force has it. UTC where that cannot be read, and the result says which it is.
fn zone(view: &View) -> anyhow::Result<Tz> {
    let deployments = view.index().deployments()?;
    let source = Deployed::in_force(&deployments).map(|it| serde_json::from_str::<WorkflowSource>(&it.workflow));
    let workflow = source.transpose()?.and_then(|source| source.parse().ok());
    Ok(workflow.map_or(Tz::UTC, |workflow| workflow.contact.zone))
}
