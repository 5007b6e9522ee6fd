//! Somebody changes the workflow in the middle of a life.

use chrono::TimeDelta;
use handoff_pipeline::deployments::{Keep, WorkflowSource};
use handoff_pipeline::pipeline::Pipeline;
use handoff_pipeline::rollout;
use handoff_pipeline::rollout::{Act, Candidate, ChangeError, history};
use handoff_store::Origin;
use handoff_store::journal::DiskDice;

/// What somebody does to the workflow in force. Done again, it is undone.
#[derive(Clone, Copy, Debug)]
pub enum Swap {
    /// A reminder goes out at another time, for everybody.
    Later,
    /// The same, for new referrals alone.
    LaterForNewOnes,
    /// A state has another name.
    Renamed,
    /// What was in force before is in force again.
    Back,
}

const EARLY: &str = "day-3: { after: 3d }";
const LATE: &str = "day-3: { after: 4d }";
const NAME: &str = "contacting";
const OTHER_NAME: &str = "reaching-out";

/// So many swaps at most in one history.
const SWAPS_MAX: u64 = 4;

/// In most histories none.
pub fn of(dice: &mut DiskDice) -> Vec<(TimeDelta, Swap)> {
    let count = if dice.below(3) == 0 { 1 + dice.below(SWAPS_MAX) } else { 0 };
    let mut swaps: Vec<(TimeDelta, Swap)> = (0..count)
        .map(|_| {
            let swap = [Swap::Later, Swap::LaterForNewOnes, Swap::Renamed, Swap::Back][dice.below(4) as usize];
            (TimeDelta::minutes(dice.below(24 * 24 * 60) as i64), swap)
        })
        .collect();
    swaps.sort_by_key(|(when, _)| *when);
    swaps
}

/// Does it to an instance that lives. One whose disk fails refuses, and has nothing to show for it.
///
/// # Panics
/// When a sound change is refused for another reason than the disk, or because it is in force or would strand somebody.
pub fn perform(pipeline: &Pipeline, swap: Swap) {
    match attempt(pipeline, swap) {
        Ok(())
        | Err(
            ChangeError::InForce(_)
            | ChangeError::Strands(_)
            | ChangeError::NothingBefore
            | ChangeError::Commit(_)
            | ChangeError::Index(_)
            | ChangeError::Read(_),
        ) => {}
        Err(error) => panic!("{swap:?}: {error}"),
    }
}

fn attempt(pipeline: &Pipeline, swap: Swap) -> Result<(), ChangeError> {
    let known = pipeline.store.index().deployments()?;
    let last = known.last().expect("an instance that lives has something in force");
    let source: WorkflowSource = serde_json::from_str(&last.workflow)?;
    let ready = match swap {
        Swap::Later => examine(pipeline, toggled(source, EARLY, LATE), "moves: { others: move }")?,
        Swap::LaterForNewOnes => examine(pipeline, toggled(source, EARLY, LATE), "")?,
        Swap::Renamed => {
            let source = toggled(source, NAME, OTHER_NAME);
            let renamed = source.text.contains(OTHER_NAME);
            let (gone, present) = if renamed { (NAME, OTHER_NAME) } else { (OTHER_NAME, NAME) };
            examine(pipeline, source, &format!("moves: {{ states: {{ {gone}: {present} }}, others: move }}"))?
        }
        Swap::Back => {
            let read = |position| pipeline.store.read(position);
            let before =
                history::of(pipeline.store.index(), &read, None)?.before().ok_or(ChangeError::NothingBefore)?;
            let before = known.iter().find(|deployed| deployed.deployment == before).expect("it was in force");
            rollout::take_up_again(pipeline, before)?
        }
    };
    let act = Act { origin: Origin::Applied, who: "somebody".into(), why: format!("{swap:?}") };
    rollout::put_in_force(pipeline, ready, act).map(drop)
}

fn toggled(mut source: WorkflowSource, one: &str, other: &str) -> WorkflowSource {
    without_moves(&mut source);
    let (from, to) = if source.text.contains(other) { (other, one) } else { (one, other) };
    source.text = source.text.replace(from, to);
    source
}

fn examine(
    pipeline: &Pipeline,
    mut source: WorkflowSource,
    moves: &str,
) -> Result<rollout::ReadyDeployment, ChangeError> {
    without_moves(&mut source);
    source.text = format!("{}\n{moves}\n", source.text);
    rollout::examine(pipeline, Candidate { source, scenarios: Default::default() }, Keep::No)
}

/// They stand at the end, where the last swap wrote them.
fn without_moves(source: &mut WorkflowSource) {
    let end = source.text.find("\nmoves:").unwrap_or(source.text.len());
    source.text.truncate(end);
    source.text.truncate(source.text.trim_end().len());
}
