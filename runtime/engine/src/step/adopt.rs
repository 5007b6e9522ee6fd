//! A referral comes along to another deployment: same facts, same clocks, the timers of its new state. Nothing is sent.

use chrono::{DateTime, Utc};

use super::{Step, finish, timers};
use crate::deployment::Deployment;
use crate::referral::{Referral, Timer};
use crate::workflow::{TimerRule, When, Workflow};

/// Why a referral cannot come along.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Stranded {
    #[error(
        "there is no state `{state}` there\n  help: say under `moves: states:` where its referrals go: `{state}: …`"
    )]
    NoSuchState { state: String },
    #[error("`{state}` is an end there, and nothing would be done about it\n  help: move them to a state before it")]
    AnEnd { state: String },
    #[error(
        "every timer of `{state}` has passed, and it would wait there for ever\n  \
         help: give one of them `late: fire`, or move them to another state"
    )]
    WaitsForEver { state: String },
}

/// Moves a referral of the `older` workflow into state `to` of a deployment. Its clocks go on from where they are:
///
/// - a timer that is set, and still is one, is due when the new rule says; one that would be due by now fires at once;
/// - a timer that has fired, or had passed when it could have been set, is not set again;
/// - a timer that the older workflow did not have is set as on entry; one that is no more is dropped.
///
/// # Errors
/// When the referral would be stranded.
pub fn adopt(
    older: &Workflow,
    deployment: &Deployment,
    referral: &Referral,
    to: &str,
    now: DateTime<Utc>,
) -> Result<Step, Stranded> {
    let workflow = &deployment.workflow;
    let Some(state) = workflow.states.get(to) else { return Err(Stranded::NoSuchState { state: to.to_string() }) };
    if state.end {
        return Err(Stranded::AnEnd { state: to.to_string() });
    }
    let mut next = referral.clone();
    next.deployment = deployment.digest;
    next.version += 1;
    next.state.clone_from(&state.name);
    let had = rules_of(older, &referral.state);
    next.timers.clear();
    for rule in rules_of(workflow, to) {
        match referral.timers.iter().find(|timer| timer.name == rule.name) {
            Some(set) => {
                let same = had.iter().any(|old| old.name == rule.name && old.when == rule.when);
                // Asked to be asked again at a moment of the visit stage's own choosing.
                let chosen = matches!(rule.when, When::VisitOpen { .. });
                let due = if same || chosen { Some(set.due) } else { timers::due(referral, rule.when) };
                next.timers.extend(due.map(|due| Timer { name: rule.name.clone(), due }));
            }
            None if had.iter().any(|old| old.name == rule.name) => {}
            None => timers::arm(&mut next, rule, now),
        }
    }
    // Invariant: a referral in flight has a timer. Without one nobody would ever look at it again.
    if next.timers.is_empty() {
        return Err(Stranded::WaitsForEver { state: to.to_string() });
    }
    let because = format!("{} -> {}, moved to workflow {}", referral.state, state.name, deployment.digest.short());
    Ok(finish(next, Vec::new(), because, now))
}

/// The workflow's timers, then the state's, as they are set on entry.
fn rules_of<'w>(workflow: &'w Workflow, state: &str) -> Vec<&'w TimerRule> {
    workflow.timers.iter().chain(workflow.states.get(state).into_iter().flat_map(|state| &state.timers)).collect()
}
