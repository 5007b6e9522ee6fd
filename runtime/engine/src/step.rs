//! The transition: what one event does to one referral.

use std::borrow::Cow;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::deployment::Deployment;
use crate::error_code::{Coded, ErrorCode};
use crate::event::{Event, Intent, VisitFinding};
use crate::guard::GuardView;
use crate::ids::{LetterId, ReferralId, Token};
use crate::letter::{ChartOutcome, Task};
use crate::referral::{Asked, Channel, Facts, Order, Patient, Referral};
use crate::workflow::{Handler, OptOutScope, State, THE_END, Workflow};

mod act;
mod adopt;
mod facts;
mod news;
mod tasks;
mod timers;

pub use adopt::{Stranded, adopt};
pub use tasks::hand_over;
pub(crate) use tasks::made_moot;

pub use crate::event::NetworkCause;

/// What the pure transition returns. The line commits it as one, then performs the effects.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// The referral after the event: next state, timers, facts, version + 1.
    pub referral: Referral,
    /// In the order in which the workflow names them.
    pub effects: Vec<Effect>,
    /// What happened, for the timeline, in a few words without patient data: `contacting -> scheduled on reply.confirm`.
    pub because: String,
}

/// What the line is asked to do.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "effect", rename_all = "kebab-case")]
pub enum Effect {
    /// A letter to the patient. The channel stage chooses, the gate may hold it back or refuse it.
    Send {
        template: String,
        /// What the workflow asks for; the channel stage may know better.
        channel: Option<Channel>,
        asked: Asked,
        /// Drop it when it cannot leave by then.
        expires: Option<chrono::DateTime<chrono::Utc>>,
        /// What a person wrote, for a letter that leaves a place for it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        words: Option<Token>,
    },
    ReadRecord,
    /// Answered by the network stage within the same commit, as `Event::Network`.
    AssessNetwork {
        cause: NetworkCause,
    },
    CheckVisit,
    WriteChart {
        outcome: ChartOutcome,
    },
    Raise {
        task: Task,
    },
    /// Letters not yet sent are called back: the patient opted out, the order was withdrawn.
    RecallLetters,
}

/// Why an event moves nothing. The line journals it as ignored.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    #[error("state `{state}` does not take {event}")]
    NotTaken { state: String, event: String },
    #[error("state `{state}` ignores {event}")]
    Ignored { state: String, event: String },
    #[error("timer `{name}` is not set; the referral has moved on")]
    TimerNotSet { name: String },
    #[error("timer `{name}` is due later; the appointment has moved")]
    TimerNotDue { name: String },
    #[error("what became of letter {letter} is known already")]
    StatusKnown { letter: LetterId },
    #[error("the patient has opted out already")]
    OptedOutAlready,
    #[error("newer news of this is known already")]
    Older,
    #[error("it is of an appointment that another one has taken the place of")]
    ReplacedAppointment,
    #[error("it says nothing that is not known already")]
    NothingNew,
    #[error("the referral is already under way; an order begins a referral of its own")]
    AlreadyBegun,
    #[error("the referral belongs to another deployment; step it with its own, or move it over first")]
    OtherDeployment,
    #[error("the workflow has no state `{state}`; map it under `moves:`")]
    UnknownState { state: String },
}

impl Coded for Rejection {
    fn code(&self) -> ErrorCode {
        match self {
            Rejection::NotTaken { .. }
            | Rejection::Ignored { .. }
            | Rejection::TimerNotSet { .. }
            | Rejection::TimerNotDue { .. }
            | Rejection::StatusKnown { .. }
            | Rejection::OptedOutAlready
            | Rejection::Older
            | Rejection::ReplacedAppointment
            | Rejection::NothingNew
            | Rejection::AlreadyBegun
            | Rejection::OtherDeployment
            | Rejection::UnknownState { .. } => ErrorCode::STEP_REJECTED,
        }
    }
}

impl Effect {
    /// Whether it leaves the house as a letter, with a number of its own. A network assessment is answered within the same
    /// commit; a recall takes letters back.
    pub fn is_letter(&self) -> bool {
        match self {
            Effect::Send { .. }
            | Effect::ReadRecord
            | Effect::CheckVisit
            | Effect::WriteChart { .. }
            | Effect::Raise { .. } => true,
            Effect::AssessNetwork { .. } | Effect::RecallLetters => false,
        }
    }
}

impl Step {
    /// The effects that leave the house, numbered. A letter that the channel stage then has no way for leaves a gap.
    pub fn letters(&self) -> impl Iterator<Item = (LetterId, &Effect)> {
        let letters = || self.effects.iter().filter(|effect| effect.is_letter());
        let before = self.referral.letters.saturating_sub(count(letters()));
        let referral = self.referral.id;
        (before.saturating_add(1)..).zip(letters()).map(move |(number, effect)| (LetterId { referral, number }, effect))
    }
}

fn count<T>(items: impl Iterator<Item = T>) -> u32 {
    u32::try_from(items.count()).unwrap_or(u32::MAX)
}

/// The birth of a referral: its first state is entered, its clocks start.
pub fn begin(
    deployment: &Deployment,
    id: ReferralId,
    patient: Arc<Patient>,
    order: Arc<Order>,
    now: DateTime<Utc>,
) -> Result<Step, Rejection> {
    let workflow = &deployment.workflow;
    let state = state_of(workflow, &workflow.start)?;
    let facts = Facts {
        patient,
        order,
        appointment: None,
        visit: None,
        note: None,
        last_letter: None,
        attempts: Vec::new(),
        tried: Vec::new(),
        rerouted: 0,
        withdrawn: None,
        marks: Vec::new(),
        calls: Vec::new(),
    };
    let mut referral = Referral {
        id,
        deployment: deployment.digest,
        state: state.name.clone(),
        entered_at: now,
        ordered_at: now,
        version: 1,
        timers: Vec::new(),
        letters: 0,
        facts,
        tasks: Vec::new(),
    };
    timers::arm_all(&mut referral, &workflow.timers, now);
    timers::arm_all(&mut referral, &state.timers, now);
    let mut effects = Vec::new();
    act::perform(workflow, &mut referral, &state.enter, None, now, &mut effects);
    Ok(finish(referral, effects, format!("ordered -> {}", state.name), now))
}

/// What one event does to one referral. Facts are learned before guards are asked, so that a guard on
/// `appointment.booked` sees the appointment.
///
/// # Errors
/// [`Rejection`] when the event changes nothing: no state, no effect, no fact.
pub fn step(
    deployment: &Deployment,
    referral: &Referral,
    event: &Event,
    now: DateTime<Utc>,
) -> Result<Step, Rejection> {
    let mut step = take(deployment, referral, event, now)?;
    let moot = made_moot(referral, &step.referral);
    if !moot.is_empty() {
        step.because.push_str(&format!("; moot: {}", moot.join(", ")));
    }
    Ok(step)
}

fn take(deployment: &Deployment, referral: &Referral, event: &Event, now: DateTime<Utc>) -> Result<Step, Rejection> {
    let workflow = &deployment.workflow;
    if referral.deployment != deployment.digest {
        return Err(Rejection::OtherDeployment);
    }
    let state = state_of(workflow, &referral.state)?;
    check_event(referral, event, workflow.contact.opt_out, now)?;
    let name = name_of(workflow, event);
    let mut next = referral.clone();
    let learned = facts::learn(&mut next.facts, event, workflow.contact.opt_out, now)
        | tasks::learn(&mut next, event, now)
        | tasks::resolve(workflow, &mut next, &name, now);
    let fired = timers::disarm(&mut next, event);
    let view = GuardView { facts: &next.facts, event, event_name: &name, now };
    let Some(handler) = choose(workflow, state, &view) else {
        rearm(workflow, state, referral, &mut next, event, now);
        if !learned && next.timers == referral.timers {
            let (state, event) = (state.name.clone(), name.into_owned());
            let ignored = workflow.states.get(&state).is_some_and(|state| state.ignore.contains(&event));
            return Err(if ignored {
                Rejection::Ignored { state, event }
            } else {
                Rejection::NotTaken { state, event }
            });
        }
        next.version += 1;
        let mut because = format!("{}: noted {name}", state.name);
        if fired {
            because = format!("{}: {name} passed", state.name);
        }
        return Ok(finish(next, Vec::new(), because, now));
    };
    next.version += 1;
    let mut effects = Vec::new();
    act::perform(workflow, &mut next, &handler.actions, Some(event), now, &mut effects);
    let target = match &handler.to {
        Some(to) => state_of(workflow, to)?,
        None => state,
    };
    let entering = target.name != state.name || (handler.reenter && handler.to.is_some());
    if !entering {
        rearm(workflow, state, referral, &mut next, event, now);
        return Ok(finish(next, effects, format!("{}: {name}", state.name), now));
    }
    next.state.clone_from(&target.name);
    next.entered_at = now;
    act::perform(workflow, &mut next, &target.enter, Some(event), now, &mut effects);
    if target.end {
        tasks::resolve(workflow, &mut next, THE_END, now);
        next.timers.clear();
    } else {
        // Invariant: a referral's timers are its state's or the whole workflow's.
        next.timers.retain(|timer| workflow.timers.iter().any(|rule| rule.name == timer.name));
        timers::rearm_appointment(&referral.facts, &mut next, &workflow.timers, now);
        timers::arm_all(&mut next, &target.timers, now);
        timers::arm_visit_open(&mut next, &target.timers, open_hours(event), now);
    }
    let because = format!("{} -> {} on {name}", state.name, target.name);
    Ok(finish(next, effects, because, now))
}

/// Whether an event teaches anything about a referral.
pub fn is_news(referral: &Referral, event: &Event) -> bool {
    facts::learn(&mut referral.facts.clone(), event, OptOutScope::Everything, referral.entered_at)
}

fn state_of<'w>(workflow: &'w Workflow, name: &str) -> Result<&'w State, Rejection> {
    workflow.states.get(name).ok_or_else(|| Rejection::UnknownState { state: name.to_string() })
}

/// Events that come too late, too early or twice.
fn check_event(referral: &Referral, event: &Event, opt_out: OptOutScope, now: DateTime<Utc>) -> Result<(), Rejection> {
    if let Event::Ordered { .. } = event {
        return Err(Rejection::AlreadyBegun);
    }
    if let Event::Timer { name } = event {
        match referral.timers.iter().find(|timer| timer.name == *name) {
            None => return Err(Rejection::TimerNotSet { name: name.clone() }),
            Some(timer) if timer.due > now => return Err(Rejection::TimerNotDue { name: name.clone() }),
            Some(_) => {}
        }
    }
    if let Event::LetterStatus { letter, status, .. } = event
        && facts::knows(&referral.facts, *letter, status)
    {
        return Err(Rejection::StatusKnown { letter: *letter });
    }
    // The patient says STOP, the vendor says that it was said, and says so again for each letter after it: one is enough.
    if facts::knows_opt_out(&referral.facts, event, opt_out) {
        return Err(Rejection::OptedOutAlready);
    }
    news::check(&referral.facts, event)
}

/// The event's name, a reply that was not understood surely enough being unclear.
fn name_of(workflow: &Workflow, event: &Event) -> Cow<'static, str> {
    if let Event::Reply { reply } = event
        && reply.confidence < workflow.stages.confidence_min
        && !reply.intent.needs_no_certainty()
    {
        return Cow::Borrowed(Intent::Unclear.event_name());
    }
    event.name()
}

/// The state's own handlers come first; what it ignores, the workflow's handlers do not see.
fn choose<'w>(workflow: &'w Workflow, state: &'w State, view: &GuardView<'_>) -> Option<&'w Handler> {
    let first = |handlers: &'w [Handler]| {
        handlers.iter().find(|handler| handler.guard.as_ref().is_none_or(|guard| guard.holds(view)))
    };
    if let Some(found) = state.on.get(view.event_name).and_then(|handlers| first(handlers)) {
        return Some(found);
    }
    if state.ignore.contains(view.event_name) {
        return None;
    }
    let everywhere = workflow.on.get(view.event_name)?;
    first(everywhere).filter(|handler| !state.end || handler.always)
}

/// Timers after an event that leaves the referral where it is.
fn rearm(
    workflow: &Workflow,
    state: &State,
    before: &Referral,
    next: &mut Referral,
    event: &Event,
    now: DateTime<Utc>,
) {
    if state.end {
        return;
    }
    for rules in [&workflow.timers, &state.timers] {
        timers::rearm_appointment(&before.facts, next, rules, now);
        timers::arm_visit_open(next, rules, open_hours(event), now);
    }
}

fn open_hours(event: &Event) -> Option<u32> {
    if let Event::Visit { finding: VisitFinding::Open { again_in_hours } } = event {
        Some(*again_in_hours)
    } else {
        None
    }
}

fn finish(mut referral: Referral, effects: Vec<Effect>, because: String, now: DateTime<Utc>) -> Step {
    let letters = count(effects.iter().filter(|effect| effect.is_letter()));
    referral.letters = referral.letters.saturating_add(letters);
    let mut step = Step { referral, effects, because };
    tasks::raise(&mut step, now);
    step
}
