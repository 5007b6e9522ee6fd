//! The workflow as it is in force, as a map: its states, who stands where, what leads on and when. For whoever looks after it.

use std::collections::{BTreeMap, BTreeSet};

use chrono::TimeDelta;
use handoff_engine::letter::Audience;
use handoff_engine::workflow::{Action, Handler, Handlers, Since, State, When, Workflow};

use crate::operations::Operations;

#[derive(Debug)]
pub struct WorkflowMap {
    pub name: String,
    /// The way of most first, then the others; ends last.
    pub states: Vec<MapState>,
}

#[derive(Debug)]
pub struct MapState {
    /// The workflow's own name for it.
    pub name: String,
    pub is_end: bool,
    /// On the way that most go.
    pub is_usual: bool,
    /// In flight here, under whichever deployment.
    pub here: u64,
    pub goes_to: Vec<String>,
    pub timers: Vec<MapTimer>,
    /// Verbs of what people may do here.
    pub people_may: Vec<String>,
}

/// What happens by itself, and when.
#[derive(Debug)]
pub struct MapTimer {
    pub when: MapMoment,
    pub does: Vec<MapAct>,
    pub to: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum MapMoment {
    After(TimeDelta),
    AfterOrder(TimeDelta),
    BeforeVisit(TimeDelta),
    AfterVisit(TimeDelta),
    WhileOpen,
}

#[derive(Clone, Debug)]
pub enum MapAct {
    Sends(String),
    Asks { audience: Audience, kind: String },
    WritesChart,
    AsksAboutVisit,
}

impl Operations {
    pub fn workflow_map(&self) -> WorkflowMap {
        let current = self.pipeline.deployments.current();
        let workflow = current.workflow();
        let mut here: BTreeMap<String, u64> = BTreeMap::new();
        for place in self.pipeline.store.index().in_flight() {
            *here.entry(place.state).or_default() += place.referrals;
        }
        let usual = usual_way(workflow);
        let state = |state: &State| MapState {
            name: state.name.clone(),
            is_end: state.end,
            is_usual: usual.contains(&state.name),
            here: here.get(&state.name).copied().unwrap_or_default(),
            goes_to: targets(state).into_iter().collect(),
            timers: timers(state),
            people_may: people_may(workflow, state),
        };
        let mut states: Vec<&State> = workflow.states.values().collect();
        states.sort_by_key(|state| {
            let place = usual.iter().position(|name| *name == state.name).unwrap_or(usual.len());
            (state.end, place, state.at.line)
        });
        let states = states.into_iter().map(state).collect();
        WorkflowMap { name: workflow.name.clone(), states }
    }
}

fn targets(state: &State) -> BTreeSet<String> {
    let handlers = state.on.values().flatten();
    handlers.filter_map(|handler| handler.to.clone()).filter(|to| *to != state.name).collect()
}

/// From the start along what each state's author wrote first, until an end.
fn usual_way(workflow: &Workflow) -> Vec<String> {
    let mut way = vec![workflow.start.clone()];
    while let Some(state) = way.last().and_then(|name| workflow.states.get(name)) {
        let goes_on = |handlers: &Handlers| {
            let mut handlers: Vec<&Handler> = handlers.values().flatten().collect();
            handlers.sort_by_key(|handler| (handler.at.line, handler.at.column));
            let targets = handlers.into_iter().filter_map(|handler| handler.to.as_ref());
            let is_end = |name: &String| workflow.states.get(name).is_none_or(|state| state.end);
            targets.into_iter().find(|name| !way.contains(name) && !is_end(name)).cloned()
        };
        // What its own handlers do not lead on, those of the whole workflow may.
        let Some(next) = goes_on(&state.on).or_else(|| goes_on(&workflow.on)) else { break };
        way.push(next);
    }
    way
}

fn timers(state: &State) -> Vec<MapTimer> {
    let timer = |rule: &handoff_engine::workflow::TimerRule| {
        let handlers = state.on.get(&handoff_engine::event::timer_event(&rule.name));
        let handlers = handlers.map(Vec::as_slice).unwrap_or_default();
        let does = handlers.iter().flat_map(|handler| handler.actions.iter()).filter_map(act).collect();
        let to = handlers.iter().find_map(|handler| handler.to.clone());
        MapTimer { when: moment(rule.when), does, to }
    };
    let mut timers: Vec<MapTimer> = state.timers.iter().map(timer).collect();
    timers.sort_by_key(|timer| timer.when);
    timers
}

fn moment(when: When) -> MapMoment {
    match when {
        When::After { wait, since: Since::Entry } => MapMoment::After(wait),
        When::After { wait, since: Since::Order } => MapMoment::AfterOrder(wait),
        When::BeforeAppointment(wait) => MapMoment::BeforeVisit(wait),
        When::AfterAppointment(wait) => MapMoment::AfterVisit(wait),
        When::VisitOpen { .. } => MapMoment::WhileOpen,
    }
}

fn act(action: &Action) -> Option<MapAct> {
    match action {
        Action::Send { letter, .. } => Some(MapAct::Sends(letter.clone())),
        Action::Raise(rule) => Some(MapAct::Asks { audience: rule.audience, kind: rule.kind.clone() }),
        Action::WriteChart(_) => Some(MapAct::WritesChart),
        Action::CheckVisit => Some(MapAct::AsksAboutVisit),
        Action::ReadRecord
        | Action::AssessNetwork(_)
        | Action::RecallLetters
        | Action::Mark(_)
        | Action::SendAnswered => None,
    }
}

fn people_may(workflow: &Workflow, state: &State) -> Vec<String> {
    let everywhere = workflow.on.iter().filter(|(_, handlers)| !state.end || handlers.iter().any(|it| it.always));
    let events = state.on.keys().chain(everywhere.map(|(event, _)| event));
    let verbs = events.filter_map(|event| event.strip_prefix(handoff_engine::event::PERSON_PREFIX));
    let verbs: BTreeSet<String> = verbs.map(str::to_string).collect();
    verbs.into_iter().collect()
}
