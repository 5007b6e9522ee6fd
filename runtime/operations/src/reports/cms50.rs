//! The quality measure CMS50, "Closing the Referral Loop: Receipt of Specialist Report": of the patients who were referred in the
//! first ten months of a year, those whose referring clinician got the report of the first referral within it.
//!
//! The definition is CMS50FHIR v0.4.000, in CQL: <https://github.com/cqframework/ecqm-content-qicore-2025>,
//! `input/cql/CMS50FHIRCRLReceiptofSpecialistReport.cql`, with QICoreCommon 4.0.000 and Status 1.13.000. What it calls by a name is
//! called so here. [`in_bundle`] calculates it for a patient's FHIR resources; `journal` for what an instance has seen.

mod chart;
mod journal;
mod measure_report;
mod moment;
pub mod value_sets;

use std::fmt;
use std::str::FromStr;

use chrono::{Datelike as _, NaiveDate};
use serde::Serialize;
use serde_json::Value;

pub use self::chart::NotABundle;
use self::chart::{FhirResource, PatientChart};
pub use self::journal::{ASSUMED, ClinicianCounts, Cms50, of};
pub use self::measure_report::{Reporter, measure_report};
use self::moment::FhirMoment;
use self::value_sets::{CONSULTANT_REPORT, CPT, INTERVENTION_CODES, INTERVENTIONS, REFERRAL, VISITS};

pub const TITLE: &str = "Closing the Referral Loop: Receipt of Specialist Report";
pub const VERSION: &str = "0.4.000";
/// As the measure's own resource has it (the repository above, `input/resources/measure`).
pub const CANONICAL: &str = "https://madie.cms.gov/Measure/CMS50FHIRCRLReceiptofSpecialistReport";

/// The measurement period: a calendar year.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct MeasurementYear(i32);

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no measurement period\n  help: CMS50 is measured over a calendar year: 2026, or 2026-01-01..2026-12-31"
)]
pub struct PeriodError(String);

impl FromStr for MeasurementYear {
    type Err = PeriodError;

    fn from_str(text: &str) -> Result<MeasurementYear, PeriodError> {
        let year = |text: &str| {
            let is_year = text.len() == 4 && text.bytes().all(|byte| byte.is_ascii_digit());
            is_year.then(|| text.parse().ok().filter(|year| *year > 0).map(MeasurementYear)).flatten()
        };
        let span = || {
            let (first, last) = text.split_once("..")?;
            let year = year(first.split('-').next()?)?;
            (first == year.first_day().to_string() && last == year.last_day().to_string()).then_some(year)
        };
        year(text).or_else(span).ok_or_else(|| PeriodError(text.to_string()))
    }
}

impl fmt::Display for MeasurementYear {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}", self.0)
    }
}

impl MeasurementYear {
    /// The one that a day is in.
    pub fn of(day: NaiveDate) -> MeasurementYear {
        MeasurementYear(day.year())
    }

    pub fn before(self) -> MeasurementYear {
        MeasurementYear(self.0 - 1)
    }

    pub fn first_day(self) -> NaiveDate {
        self.day(1, 1)
    }

    /// The last day on which an order counts: afterwards its report can hardly come within the year.
    pub fn last_day_of_referrals(self) -> NaiveDate {
        self.day(10, 31)
    }

    pub fn last_day(self) -> NaiveDate {
        self.day(12, 31)
    }

    fn day(self, month: u32, day: u32) -> NaiveDate {
        NaiveDate::from_ymd_opt(self.0, month, day).unwrap_or_default()
    }
}

/// How many patients are in each population.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct PopulationCounts {
    pub initial_population: u64,
    pub denominator: u64,
    pub numerator: u64,
}

impl PopulationCounts {
    /// One patient: of each population, whether they are in it.
    fn of_patient(is_in_initial_population: bool, is_reported: bool) -> PopulationCounts {
        let (counted, reported) = (u64::from(is_in_initial_population), u64::from(is_reported));
        // Nobody is in the numerator who is not in the denominator.
        PopulationCounts { initial_population: counted, denominator: counted, numerator: counted.min(reported) }
    }

    pub fn add(&mut self, other: PopulationCounts) {
        self.initial_population += other.initial_population;
        self.denominator += other.denominator;
        self.numerator += other.numerator;
    }

    /// From 0 to 1; nothing while nobody is in the denominator.
    pub fn score(&self) -> Option<f64> {
        // Counts of a practice are far below 2^52, so nothing is lost.
        (self.denominator > 0).then(|| self.numerator as f64 / self.denominator as f64)
    }
}

/// The patient of a FHIR bundle: each population has one or nobody.
///
/// # Errors
/// When it is no bundle, or has several patients.
pub fn in_bundle(bundle: &[u8], year: MeasurementYear) -> Result<PopulationCounts, NotABundle> {
    let bundle: Value = serde_json::from_slice(bundle)
        .map_err(|error| NotABundle::Json { line: error.line(), column: error.column() })?;
    let chart = PatientChart::of(&bundle)?;
    let referral = first_referral(&chart, year);
    let was_seen = has_encounter(&chart, year) || has_intervention(&chart, year);
    let is_reported = referral.as_ref().is_some_and(|referral| has_report(&chart, referral, year));
    Ok(PopulationCounts::of_patient(was_seen && referral.is_some(), is_reported))
}

/// "Has Encounter during Measurement Period".
fn has_encounter(chart: &PatientChart<'_>, year: MeasurementYear) -> bool {
    chart.encounters.iter().any(|encounter| {
        encounter.is_coded_in("type", &VISITS)
            && encounter.is("status", "finished")
            && encounter.span("period", None).is_within(year.first_day(), year.last_day())
    })
}

/// "Has Intervention during Measurement Period".
fn has_intervention(chart: &PatientChart<'_>, year: MeasurementYear) -> bool {
    let is_named = |system: &str, code: &str| system == CPT && INTERVENTION_CODES.contains(&code);
    chart.procedures.iter().any(|procedure| {
        (procedure.is_coded_in("code", &INTERVENTIONS) || procedure.is_coded("code", is_named))
            && procedure.is("status", "completed")
            && procedure.span("performedPeriod", Some("performedDateTime")).is_within(year.first_day(), year.last_day())
    })
}

/// An order, and when it was written.
struct ReferralOrder<'b> {
    order: FhirResource<'b>,
    authored: FhirMoment,
}

/// "First Referral during First 10 Months of Measurement Period". Of several at the same moment, the first in the bundle.
fn first_referral<'b>(chart: &PatientChart<'b>, year: MeasurementYear) -> Option<ReferralOrder<'b>> {
    let orders = chart.service_requests.iter().filter(|order| {
        order.is_coded_in("code", &[REFERRAL])
            && (order.is("status", "active") || order.is("status", "completed"))
            && order.is("intent", "order")
    });
    let authored =
        orders.filter_map(|order| Some(ReferralOrder { order: *order, authored: order.moment("authoredOn")? }));
    let in_time = authored.filter(|it| it.authored.is_on(year.first_day(), year.last_day_of_referrals()));
    in_time.min_by_key(|it| it.authored.earliest())
}

/// "Referring Clinician Receives Consultant Report to Close Referral Loop".
fn has_report(chart: &PatientChart<'_>, referral: &ReferralOrder<'_>, year: MeasurementYear) -> bool {
    let Some(id) = referral.order.text("id") else { return false };
    chart.tasks.iter().any(|task| {
        let end = task.span("executionPeriod", None).end();
        task.is_coded_in("code", &[CONSULTANT_REPORT])
            && task.is_based_on(id)
            && task.is("status", "completed")
            && end.is_some_and(|end| end.is_after(&referral.authored) && end.is_on(year.first_day(), year.last_day()))
    })
}
