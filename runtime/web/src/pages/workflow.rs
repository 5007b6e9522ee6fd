//! `/workflow`: the map of what happens when, what has been in force, and what the file on disk would change.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use handoff_engine::letter::Audience;
use handoff_operations::operations::{Operator, Request as _};
use handoff_operations::workflow::{PlanChange, Review};
use handoff_operations::workflow_map::{MapAct, MapMoment, MapState, MapTimer, WorkflowMap};
use handoff_pipeline::rollout::Candidate;
use handoff_pipeline::rollout::history::Once;
use handoff_pipeline::rollout::plan::RolloutPlan;

use super::access::Sent;
use super::frame::{Frame, Visitor, render, times};
use super::times::{Times, span};
use super::words;
use crate::api::Api;
use crate::api::problem::HttpProblem;
use crate::api::refused;

#[derive(Template)]
#[template(path = "workflow.html")]
struct WorkflowPage {
    frame: Frame,
    name: String,
    lead: String,
    map: Map,
    states: Vec<StateRow>,
    set_aside: Option<String>,
    plan: Option<Plan>,
    history: Vec<Version>,
}

struct StateRow {
    title: String,
    here: u64,
    is_end: bool,
    goes_to: Vec<String>,
    by_itself: Vec<(String, String)>,
    people: Vec<String>,
}

/// Boxes and lines of an SVG.
struct Map {
    width: usize,
    height: usize,
    boxes: Vec<MapBox>,
    lines: Vec<(String, &'static str)>,
}

struct MapBox {
    x: usize,
    y: usize,
    title: String,
    here: u64,
    class: &'static str,
}

struct Version {
    machine: String,
    at: String,
    title: String,
    who: String,
    why: String,
    tag: Option<String>,
}

struct Plan {
    is_same: bool,
    problem: Option<String>,
    differences: Vec<String>,
    stays: u64,
    moves: u64,
    stranded: u64,
}

const BOX_WIDTH: usize = 196;
const BOX_HEIGHT: usize = 44;
const ROW_HEIGHT: usize = 64;
/// Three columns: the way of most, what lies beside it, and the ends.
const COLUMNS_X: [usize; 3] = [2, 252, 502];

/// The workflow's own name for a state, as a person says it.
fn title(state: &str) -> String {
    match state {
        "assessing" => "Checking the plan".into(),
        "reading-chart" => "Reading the chart".into(),
        "contacting" => "Asking the patient".into(),
        "scheduled" => "Visit booked".into(),
        "checking-visit" => "Checking the visit".into(),
        "rebooking" => "New date wanted".into(),
        "awaiting-note" => "Waiting for the note".into(),
        "closing" => "Filing the note".into(),
        "by-hand" => "With a person".into(),
        "closed" => "Closed with the note".into(),
        "closed-without-note" => "Closed without a note".into(),
        "cancelled" => "Withdrawn".into(),
        "unreachable" => "Not reachable".into(),
        "deceased" => "The patient has died".into(),
        other => words::sentence(other),
    }
}

fn moment(when: MapMoment) -> String {
    match when {
        MapMoment::After(wait) if wait.is_zero() => "At once".into(),
        MapMoment::After(wait) => format!("After {}", span(wait)),
        MapMoment::AfterOrder(wait) => format!("{} after the order", span(wait)),
        MapMoment::BeforeVisit(wait) => format!("{} before the visit", span(wait)),
        MapMoment::AfterVisit(wait) => format!("{} after the visit", span(wait)),
        MapMoment::WhileOpen => "Again and again".into(),
    }
}

fn act(act: &MapAct) -> String {
    match act {
        MapAct::Sends(letter) => words::letter(letter),
        MapAct::Asks { audience: Audience::Coordinator, kind } => {
            format!("coordinators: {}", words::task(kind).to_lowercase())
        }
        MapAct::Asks { audience: Audience::Physician, kind } => {
            format!("the physician is told: {}", words::task(kind).to_lowercase())
        }
        MapAct::Asks { audience: Audience::Specialist, kind } => {
            format!("the office is asked: {}", words::task(kind).to_lowercase())
        }
        MapAct::WritesChart => "written to the chart".into(),
        MapAct::AsksAboutVisit => "the scheduling system is asked".into(),
    }
}

fn by_itself(timer: &MapTimer) -> (String, String) {
    let mut does: Vec<String> = timer.does.iter().map(act).collect();
    does.extend(timer.to.as_deref().map(|to| format!("goes to “{}”", title(to))));
    let told = if does.is_empty() { "looked at again".to_string() } else { does.join("; ") };
    (moment(timer.when), told)
}

fn row(state: &MapState) -> StateRow {
    StateRow {
        title: title(&state.name),
        here: state.here,
        is_end: state.is_end,
        goes_to: state.goes_to.iter().map(|to| title(to)).collect(),
        by_itself: state.timers.iter().map(by_itself).collect(),
        people: state.people_may.iter().map(|verb| words::sentence(verb)).collect(),
    }
}

/// The longest way from the start runs down the first column.
fn draw(map: &WorkflowMap) -> Map {
    let mut rows = [0_usize; 3];
    let mut placed: Vec<(&str, usize, usize, usize)> = Vec::new();
    for state in &map.states {
        let column = if state.is_end { 2 } else { usize::from(!state.is_usual) };
        // Beside the middle of the usual way: most lead there from it.
        let row = if column == 1 { rows[1].max(2) } else { rows[column] };
        rows[column] = row + 1;
        placed.push((&state.name, COLUMNS_X[column], 2 + row * ROW_HEIGHT, column));
    }
    let place = |name: &str| placed.iter().find(|(known, ..)| *known == name).copied();
    let mut lines = Vec::new();
    for state in &map.states {
        let Some((_, x, y, column)) = place(&state.name) else { continue };
        for to in &state.goes_to {
            let Some((_, to_x, to_y, to_column)) = place(to) else { continue };
            let usual = column == 0 && to_column == 0 && to_y == y + ROW_HEIGHT;
            let path = match usual {
                true => format!("M{} {}V{}", x + BOX_WIDTH / 2, y + BOX_HEIGHT, to_y),
                false if to_x > x => {
                    let (from_y, to_y) = (y + BOX_HEIGHT / 2, to_y + BOX_HEIGHT / 2);
                    let (from_x, bend) = (x + BOX_WIDTH, x + BOX_WIDTH + 27);
                    format!("M{from_x} {from_y}C{bend} {from_y} {bend} {to_y} {to_x} {to_y}")
                }
                // Ways back would cross every other line: the list below has them.
                false => continue,
            };
            lines.push((path, if usual { "edge" } else { "edge side-edge" }));
        }
    }
    let boxes = map.states.iter().zip(&placed).map(|(state, (_, x, y, _))| MapBox {
        x: *x,
        y: *y,
        title: title(&state.name),
        here: state.here,
        class: if state.is_end { "state over" } else { "state" },
    });
    let height = rows.into_iter().max().unwrap_or(1) * ROW_HEIGHT;
    Map { width: COLUMNS_X[2] + BOX_WIDTH + 4, height, boxes: boxes.collect(), lines }
}

fn version(number: usize, once: &Once, times: &Times) -> Version {
    let canary = once.canary.map(|canary| format!("tried on {}% of new referrals", canary.share));
    let tag = if once.in_force { Some("in use".to_string()) } else { canary };
    let under = if once.referrals == 1 { "1 referral".into() } else { format!("{} referrals", once.referrals) };
    Version {
        machine: times.machine(once.at),
        at: times.exactly(once.at),
        title: format!("Version {number} ({}), {under} under it", once.deployment.short()),
        who: once.who.clone(),
        why: once.why.clone(),
        tag,
    }
}

impl Plan {
    fn of(plan: &RolloutPlan) -> Plan {
        let mut differences: Vec<String> = plan.differences.iter().map(ToString::to_string).collect();
        differences.extend(plan.plugins.iter().map(ToString::to_string));
        differences.extend(plan.permissions.iter().map(ToString::to_string));
        Plan {
            is_same: plan.deployment == plan.in_force,
            problem: None,
            differences,
            stays: plan.census.stays(),
            moves: plan.census.moves(),
            stranded: plan.census.stranded(),
        }
    }

    fn failed(problem: String) -> Plan {
        Plan { is_same: false, problem: Some(problem), differences: Vec::new(), stays: 0, moves: 0, stranded: 0 }
    }
}

fn operator(visitor: &Visitor, why: &str) -> Operator {
    let person = visitor.person();
    Operator { who: person.name.clone(), role: Some(person.role.name().into()), why: why.into() }
}

async fn answer(api: Arc<Api>, visitor: Visitor, plans: bool) -> Result<Response, HttpProblem> {
    api.work(move |api| {
        let (times, map) = (times(api), api.operations.workflow_map());
        let past =
            Review {}.perform(&api.operations, operator(&visitor, "to see what has been in force")).map_err(refused)?;
        let plan = plans.then(|| plan(api, &visitor));
        let here: u64 = map.states.iter().filter(|state| !state.is_end).map(|state| state.here).sum();
        let versions = past.deployments.iter().enumerate();
        let history: Vec<Version> = versions.map(|(place, once)| version(place + 1, once, &times)).rev().collect();
        let set_aside = past.set_aside.map(|it| format!("{}: {}.", it.file, it.why));
        let lead = match &set_aside {
            Some(_) => {
                format!("{here} referrals are under way. A file that is not in force wants somebody to look at it.")
            }
            None => format!("{here} referrals are under way, and nothing waits to be changed."),
        };
        render(&WorkflowPage {
            frame: visitor.frame(api, "Workflow"),
            lead,
            map: draw(&map),
            states: map.states.iter().map(row).collect(),
            name: map.name,
            set_aside,
            plan,
            history,
        })
    })
    .await
}

/// What the configured file would change, if it were put in force now.
fn plan(api: &Api, visitor: &Visitor) -> Plan {
    let candidate = match Candidate::read(&api.operations.paths.workflow) {
        Ok(candidate) => candidate,
        Err(error) => return Plan::failed(told(&error.into())),
    };
    let request = PlanChange { candidate, shadow_days: None };
    match request.perform(&api.operations, operator(visitor, "to see what a workflow would change")) {
        Ok(plan) => Plan::of(&plan),
        Err(error) => Plan::failed(told(&error)),
    }
}

fn told(error: &anyhow::Error) -> String {
    error.chain().map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

pub(super) async fn show(State(api): State<Arc<Api>>, visitor: Visitor) -> Result<Response, HttpProblem> {
    answer(api, visitor, false).await
}

pub(super) async fn plan_file(State(api): State<Arc<Api>>, visitor: Visitor, _: Sent) -> Result<Response, HttpProblem> {
    answer(api, visitor, true).await
}
