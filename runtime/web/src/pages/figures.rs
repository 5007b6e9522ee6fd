//! `/figures`: the five figures by month, week, specialist, specialty or physician, on a page and as a file for a spreadsheet; and the
//! quality measure CMS50 of a year.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse as _, Response};
use chrono::NaiveDate;
use handoff_engine::dashboard::Figure;
use handoff_operations::census::{Census, Cohort, CountedBy};
use handoff_operations::reports::cms50::{Cms50, MeasurementYear, PopulationCounts};
use serde::Deserialize;

use super::frame::{Frame, Visitor, render};
use super::huddle::{FigureBox, TITLES, against, percent};
use crate::api::Api;
use crate::api::extract::Asked;
use crate::api::problem::{HttpProblem, failed};

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Query {
    by: Option<String>,
    /// The measure's; the one that it is, else.
    year: Option<String>,
}

#[derive(Template)]
#[template(path = "figures.html")]
struct FiguresPage {
    frame: Frame,
    figures: Vec<FigureBox>,
    titles: [&'static str; 5],
    by: &'static str,
    by_title: &'static str,
    choices: Vec<(&'static str, &'static str, bool)>,
    rows: Vec<(String, u64, Vec<Cell>)>,
    referrals: u64,
    measure: Arc<Cms50>,
    years: Vec<(String, bool)>,
    measured: Vec<(String, PopulationCounts, String)>,
}

struct Cell {
    told: String,
    of: String,
    class: &'static str,
}

fn address(by: CountedBy) -> (&'static str, &'static str) {
    match by {
        CountedBy::Month => ("month", "Month"),
        CountedBy::Week => ("week", "Week"),
        CountedBy::Specialist => ("specialist", "Specialist"),
        CountedBy::Specialty => ("specialty", "Specialty"),
        CountedBy::Physician => ("physician", "Physician"),
    }
}

impl Query {
    /// This year and the one before, which is reported on when it is over; and which of them is meant.
    fn years(&self, this: MeasurementYear) -> ([MeasurementYear; 2], MeasurementYear) {
        let years = [this, this.before()];
        let asked = years.into_iter().find(|year| self.year.as_deref() == Some(year.to_string().as_str()));
        (years, asked.unwrap_or(this))
    }

    fn by(&self) -> CountedBy {
        let asked = CountedBy::ALL.into_iter().find(|by| Some(address(*by).0) == self.by.as_deref());
        asked.unwrap_or(CountedBy::Month)
    }
}

/// The latest first where it is time, else by name.
fn cohorts(census: &Census, by: CountedBy) -> Vec<&Cohort> {
    let mut cohorts: Vec<&Cohort> = census.cohorts(by).collect();
    if matches!(by, CountedBy::Month | CountedBy::Week) {
        cohorts.reverse();
    }
    cohorts
}

fn named(by: CountedBy, name: &str) -> String {
    let date = |text: &str| NaiveDate::parse_from_str(text, "%Y-%m-%d").ok();
    match by {
        CountedBy::Week => date(name).map(|day| day.format("Week of %b %-d, %Y").to_string()),
        CountedBy::Month => date(&format!("{name}-01")).map(|day| day.format("%B %Y").to_string()),
        CountedBy::Specialist | CountedBy::Specialty | CountedBy::Physician => None,
    }
    .unwrap_or_else(|| name.to_string())
}

pub(super) async fn show(
    State(api): State<Arc<Api>>,
    visitor: Visitor,
    Asked(query): Asked<Query>,
) -> Result<Response, HttpProblem> {
    api.work(move |api| {
        let by = query.by();
        let census = api.operations.census().map_err(|error| failed(&error))?;
        let board = census.all.figures();
        let figures = board.iter().zip(TITLES).map(|(figure, title)| FigureBox {
            title,
            percent: percent(figure),
            sign: against(figure),
            line: None,
        });
        let cell = |figure: &Figure| Cell {
            told: percent(figure).map_or_else(|| "–".into(), |percent| format!("{percent}%")),
            of: if figure.of == 0 { String::new() } else { format!("{} of {}", figure.count, figure.of) },
            class: if figure.on_target() == Some(false) { "warn" } else { "" },
        };
        let rows = cohorts(&census, by).into_iter().map(|cohort| {
            let cells = cohort.figures().iter().map(cell).collect();
            (named(by, &cohort.name), cohort.referrals, cells)
        });
        let (years, year) = query.years(api.operations.measurement_year());
        let measure = api.operations.cms50(year).map_err(|error| failed(&*error))?;
        let (by_name, by_title) = address(by);
        let choices = CountedBy::ALL.map(|choice| (address(choice).0, address(choice).1, choice == by));
        render(&FiguresPage {
            frame: visitor.frame(api, "Figures"),
            figures: figures.collect(),
            titles: TITLES,
            by: by_name,
            by_title,
            choices: choices.to_vec(),
            rows: rows.collect(),
            referrals: census.all.referrals,
            years: years.map(|it| (it.to_string(), it == year)).to_vec(),
            measured: measured(&measure),
            measure,
        })
    })
    .await
}

/// A row for each clinician, and one for all.
fn measured(measure: &Cms50) -> Vec<(String, PopulationCounts, String)> {
    let told = |score: Option<f64>| score.map_or_else(|| "–".into(), |score| format!("{:.0}%", score * 100.0));
    let named = |name: &str| if name.is_empty() { "not named".to_string() } else { name.to_string() };
    let clinicians = measure.clinicians.iter().map(|it| (named(&it.name), it.populations, told(it.score)));
    clinicians.chain([("All".to_string(), measure.populations, told(measure.score))]).collect()
}

pub(super) async fn file(State(api): State<Arc<Api>>, Asked(query): Asked<Query>) -> Result<Response, HttpProblem> {
    api.work(move |api| {
        let by = query.by();
        let census = api.operations.census().map_err(|error| failed(&error))?;
        let mut head = vec![address(by).1.to_string(), "Referrals".to_string()];
        for title in TITLES {
            head.extend([format!("{title}, count"), format!("{title}, of")]);
        }
        let mut lines = vec![line(&head)];
        for cohort in cohorts(&census, by) {
            let counts = cohort.figures().into_iter().flat_map(|figure| [figure.count, figure.of]);
            let cells = [cohort.name.clone(), cohort.referrals.to_string()].into_iter();
            lines.push(line(&cells.chain(counts.map(|count| count.to_string())).collect::<Vec<_>>()));
        }
        let name = format!("attachment; filename=\"figures-by-{}.csv\"", address(by).0);
        let headers = [(CONTENT_TYPE, "text/csv; charset=utf-8".to_string()), (CONTENT_DISPOSITION, name)];
        Ok((headers, lines.concat()).into_response())
    })
    .await
}

fn line(cells: &[String]) -> String {
    let cells: Vec<String> = cells.iter().map(|cell| quoted(cell)).collect();
    format!("{}\r\n", cells.join(","))
}

/// As RFC 4180 has it; and what a spreadsheet would take for a formula is text (OWASP, "CSV Injection").
fn quoted(cell: &str) -> String {
    let is_number = cell.parse::<f64>().is_ok();
    let is_formula = !is_number && cell.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']);
    let text = if is_formula { format!("'{cell}") } else { cell.to_string() };
    if text.contains([',', '"', '\n', '\r', '\'']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_looks_like_a_formula_is_text_in_a_spreadsheet() {
        for (name, written) in [
            ("Larkspur Heart Clinic", "Larkspur Heart Clinic"),
            ("Bone, Joint", "\"Bone, Joint\""),
            ("The \"Clinic\"", "\"The \"\"Clinic\"\"\""),
            ("=HYPERLINK(\"http://evil.example\")", "\"'=HYPERLINK(\"\"http://evil.example\"\")\""),
            ("+1+cmd|' /C calc'!A0", "\"'+1+cmd|' /C calc'!A0\""),
            ("@SUM(A1)", "\"'@SUM(A1)\""),
            ("-2", "-2"),
            ("\t=1", "\"'\t=1\""),
        ] {
            assert_eq!(quoted(name), written, "{name}");
        }
    }
}
