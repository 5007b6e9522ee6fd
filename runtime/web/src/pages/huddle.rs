//! `/huddle`: ten minutes on Monday, and one sheet of paper. Five figures against their targets, and whom nobody has got an
//! appointment since last week.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use chrono::{Days, NaiveDate, TimeDelta};
use handoff_engine::dashboard::{Figure, Target};
use handoff_operations::census::{Census, CountedBy};
use handoff_operations::stalled::StalledRow;

use super::access::Sent;
use super::charts::{Sparkline, sparkline};
use super::frame::{Frame, Visitor, render, times};
use super::rows::or;
use super::times::Times;
use super::words::{self, Sign};
use crate::api::Api;
use crate::api::problem::{HttpProblem, failed};

/// A quarter.
const WEEKS: usize = 12;

#[derive(Template)]
#[template(path = "huddle.html")]
struct HuddlePage {
    frame: Frame,
    day: String,
    lead: String,
    figures: Vec<FigureBox>,
    weeks: Vec<(String, Vec<String>)>,
    groups: Vec<(String, Vec<Stalled>)>,
    total: usize,
    shows_names: bool,
    /// Whether this role may see them at all.
    sees_patients: bool,
}

pub(super) struct FigureBox {
    pub title: &'static str,
    pub percent: Option<String>,
    pub sign: Sign,
    pub line: Option<Sparkline>,
}

struct Stalled {
    id: String,
    number: String,
    who: String,
    days: i64,
    office: String,
    detail: String,
    next: Option<String>,
}

/// As a practice says it, in the order of the board.
pub(super) const TITLES: [&str; 5] =
    ["Booked within 7 days", "Missed visits", "Closed with the note", "Stalled at day 14", "Plan does not pay"];

/// `4 points short of 80%`.
pub(super) fn against(figure: &Figure) -> Sign {
    let Some(percent) = figure.percent() else { return Sign::new("wait", "", "Too early to tell") };
    let (target, at_least) = target(figure);
    let off = (percent - target).abs();
    let points = if off < 1.5 { "1 point".to_string() } else { format!("{off:.0} points") };
    match (figure.on_target() == Some(true), at_least) {
        (true, true) => Sign::new("done", "ok", format!("Over the target of {target:.0}%")),
        (true, false) => Sign::new("done", "ok", format!("Under the limit of {target:.0}%")),
        (false, true) => Sign::new("alert", "warn", format!("{points} short of {target:.0}%")),
        (false, false) => Sign::new("alert", "warn", format!("{points} over {target:.0}%")),
    }
}

fn target(figure: &Figure) -> (f64, bool) {
    match figure.target {
        Target::AtLeastPercent(least) => (f64::from(least), true),
        Target::AtMostPercent(most) => (f64::from(most), false),
    }
}

pub(super) fn percent(figure: &Figure) -> Option<String> {
    figure.percent().map(|percent| if percent < 10.0 { format!("{percent:.1}") } else { format!("{percent:.0}") })
}

pub(super) async fn show(State(api): State<Arc<Api>>, visitor: Visitor) -> Result<Response, HttpProblem> {
    answer(api, visitor, false).await
}

/// With names in full: asked for by a form, so that no address shows them by itself.
pub(super) async fn names(State(api): State<Arc<Api>>, visitor: Visitor, _: Sent) -> Result<Response, HttpProblem> {
    answer(api, visitor, true).await
}

async fn answer(api: Arc<Api>, visitor: Visitor, shows_names: bool) -> Result<Response, HttpProblem> {
    api.work(move |api| {
        let times = times(api);
        let census = api.operations.census().map_err(|error| failed(&error))?;
        let week_ago = times.now - TimeDelta::days(7);
        let stalled = api.operations.stalled_since(visitor.person(), week_ago, shows_names)?;
        let groups = groups(&stalled, shows_names, &times);
        let sees_patients = stalled.iter().any(|row| row.patient.is_some());
        render(&HuddlePage {
            frame: visitor.frame(api, "Huddle"),
            day: times.day(times.now),
            lead: lead(&stalled, &census),
            figures: boxes(&census, &times),
            weeks: weeks(&census, &times),
            groups,
            total: stalled.len(),
            shows_names,
            sees_patients,
        })
    })
    .await
}

/// Mondays, oldest first, of the weeks that are over.
fn mondays(times: &Times) -> Vec<NaiveDate> {
    use chrono::Datelike as _;
    let today = times.today();
    let monday = today - Days::new(u64::from(today.weekday().num_days_from_monday()));
    (0..WEEKS as u64).rev().map(|back| monday - Days::new(7 * back)).collect()
}

fn boxes(census: &Census, times: &Times) -> Vec<FigureBox> {
    let mondays = mondays(times);
    let board = census.all.figures();
    let boxed = |(place, figure): (usize, &Figure)| {
        let (target, at_least) = target(figure);
        let of_week = |monday: &NaiveDate| {
            let cohort = census.cohorts(CountedBy::Week).find(|cohort| cohort.name == monday.to_string())?;
            cohort.figures()[place].percent()
        };
        let values: Vec<f64> = mondays.iter().filter_map(of_week).collect();
        FigureBox {
            title: TITLES[place],
            percent: percent(figure),
            sign: against(figure),
            line: sparkline(&values, target, at_least, TITLES[place]),
        }
    };
    board.iter().enumerate().map(boxed).collect()
}

fn weeks(census: &Census, times: &Times) -> Vec<(String, Vec<String>)> {
    let told = |figure: &Figure| percent(figure).map_or_else(|| "–".to_string(), |percent| format!("{percent}%"));
    let known = mondays(times);
    let week = |monday: &NaiveDate| {
        let cohort = census.cohorts(CountedBy::Week).find(|cohort| cohort.name == monday.to_string())?;
        Some((monday.format("%b %-d").to_string(), cohort.figures().iter().map(told).collect()))
    };
    known.iter().filter_map(week).collect()
}

fn lead(stalled: &[StalledRow], census: &Census) -> String {
    let missed = census.all.figures().iter().filter(|figure| figure.on_target() == Some(false)).count();
    let figures = match missed {
        0 => "Every figure that can be told is on target.".to_string(),
        1 => "One of the five figures is off its target.".to_string(),
        more => format!("{more} of the five figures are off their targets."),
    };
    let lately = match stalled.len() {
        0 => "Nobody stalled in the last week.".to_string(),
        1 => "One referral stalled in the last week.".to_string(),
        more => format!("{more} referrals stalled in the last week."),
    };
    let mut offices: Vec<(&str, usize)> = Vec::new();
    for row in stalled {
        match offices.iter_mut().find(|(name, _)| *name == row.office) {
            Some((_, count)) => *count += 1,
            None => offices.push((&row.office, 1)),
        }
    }
    let most = offices.into_iter().filter(|(name, count)| *count >= 3 && !name.is_empty()).max_by_key(|(_, it)| *it);
    let most = most.map(|(name, count)| format!(" {count} of them wait for {name}."));
    format!("{lately}{} {figures}", most.unwrap_or_default())
}

fn groups(stalled: &[StalledRow], shows_names: bool, times: &Times) -> Vec<(String, Vec<Stalled>)> {
    let mut groups: Vec<(String, Vec<Stalled>)> = Vec::new();
    for row in stalled {
        let number = words::number(row.id);
        let who = match &row.patient {
            Some(patient) if shows_names => words::name_and_age(patient, times),
            Some(patient) => words::initials(patient, times),
            None => number.clone(),
        };
        let shown = Stalled {
            id: row.id.to_string(),
            number,
            who,
            days: times.days_since(row.ordered_at),
            office: or(&row.office, "Nobody yet").to_string(),
            detail: tried(row.messages, row.answered),
            next: row.next.as_ref().map(|next| words::foreseen(next, row.standing, &row.physician, times)),
        };
        let owner = or(&row.owner, "Nobody").to_string();
        match groups.iter_mut().find(|(known, _)| *known == owner) {
            Some((_, rows)) => rows.push(shown),
            None => groups.push((owner, vec![shown])),
        }
    }
    groups
}

fn tried(messages: usize, answered: bool) -> String {
    let sent = match messages {
        0 => "No message has left".to_string(),
        1 => "One message".to_string(),
        more => format!("{more} messages"),
    };
    format!("{sent}, {}.", if answered { "answered, and no appointment" } else { "no answer" })
}
