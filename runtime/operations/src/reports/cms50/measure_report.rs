//! A result as FHIR R4 has it: a MeasureReport of the type summary. Counts, and no patient.

use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Value, json};

use super::{CANONICAL, MeasurementYear, PopulationCounts, VERSION};

const POPULATION: &str = "http://terminology.hl7.org/CodeSystem/measure-population";
const IMPROVEMENT: &str = "http://terminology.hl7.org/CodeSystem/measure-improvement-notation";
const NPI: &str = "http://hl7.org/fhir/sid/us-npi";
/// Digits of a national provider identifier.
const NPI_DIGITS: usize = 10;

/// Whose result it is.
pub enum Reporter<'r> {
    Organization { name: &'r str },
    Clinician { id: &'r str, name: &'r str },
}

/// `assumed` is told in its narrative, where it is not what the measure's own data says.
pub fn measure_report(
    year: MeasurementYear,
    counts: PopulationCounts,
    reporter: &Reporter<'_>,
    assumed: &[&str],
    now: DateTime<Utc>,
) -> Value {
    let mut group = json!({
        "id": "Group_1",
        "population": [
            population("InitialPopulation_1", "initial-population", "Initial Population", counts.initial_population),
            population("Denominator_1", "denominator", "Denominator", counts.denominator),
            population("Numerator_1", "numerator", "Numerator", counts.numerator),
        ],
    });
    if let Some(score) = counts.score() {
        group["measureScore"] = json!({ "value": score });
    }
    let mut report = json!({
        "resourceType": "MeasureReport",
        "status": "complete",
        "type": "summary",
        "measure": format!("{CANONICAL}|{VERSION}"),
        "date": now.to_rfc3339_opts(SecondsFormat::Secs, true),
        "reporter": reference(reporter),
        "period": { "start": year.first_day(), "end": year.last_day() },
        "improvementNotation": { "coding": [{ "system": IMPROVEMENT, "code": "increase" }] },
        "group": [group],
    });
    if !assumed.is_empty() {
        let items: String = assumed.iter().map(|line| format!("<li>{line}</li>")).collect();
        let div = format!("<div xmlns=\"http://www.w3.org/1999/xhtml\"><p>Assumed:</p><ul>{items}</ul></div>");
        report["text"] = json!({ "status": "additional", "div": div });
    }
    report
}

fn population(id: &str, code: &str, display: &str, count: u64) -> Value {
    let coding = json!({ "system": POPULATION, "code": code, "display": display });
    json!({ "id": id, "code": { "coding": [coding] }, "count": count })
}

fn reference(reporter: &Reporter<'_>) -> Value {
    match reporter {
        Reporter::Organization { name } => json!({ "type": "Organization", "display": name }),
        Reporter::Clinician { id, name } => {
            let mut reference = json!({ "type": "Practitioner" });
            if !name.is_empty() {
                reference["display"] = json!(name);
            }
            if !id.is_empty() {
                let is_npi = id.len() == NPI_DIGITS && id.bytes().all(|byte| byte.is_ascii_digit());
                reference["identifier"] = json!({ "value": id });
                if is_npi {
                    reference["identifier"]["system"] = json!(NPI);
                }
            }
            reference
        }
    }
}
