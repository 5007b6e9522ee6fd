//! Changing the workflow: plan, apply, look back, roll back. What is shown is states, counts and ids; nothing sealed.

use std::path::PathBuf;

use anyhow::Context as _;
use handoff_engine::error_chain::Chain;
use handoff_pipeline::deployments::{Keep, SetAside};
use handoff_pipeline::rollout::history::{self, PastDeployment};
use handoff_pipeline::rollout::plan::{self, RolloutPlan};
use handoff_pipeline::rollout::{self, Act, Applied, CanaryStarted, Candidate, ChangeError};
use handoff_store::{Canary, Origin};
use serde::{Deserialize, Serialize};

use crate::operations::{Operations, Operator, Request};

/// Put a candidate in force.
#[derive(Serialize, Deserialize)]
pub struct Apply {
    /// Where it was read from, whole: the file that the configuration names is its own successor.
    pub file: PathBuf,
    pub candidate: Candidate,
}

/// Try a candidate on some of the new referrals.
#[derive(Serialize, Deserialize)]
pub struct TryOut {
    pub candidate: Candidate,
    pub canary: Canary,
}

impl Request for TryOut {
    const PATH: &'static str = "/workflow/canary";
    const WHY: Option<&'static str> = None;
    const TAKES_WORKFLOW_UP: bool = false;
    type Answer = CanaryStarted;

    fn perform(self, operations: &Operations, operator: Operator) -> anyhow::Result<CanaryStarted> {
        let TryOut { candidate, canary } = self;
        let ready = rollout::examine(&operations.pipeline, candidate, Keep::Yes)?;
        let Operator { who, why, .. } = operator;
        Ok(rollout::try_out(&operations.pipeline, ready, canary, Act { origin: Origin::Applied, who, why })?)
    }
}

impl Request for Apply {
    const PATH: &'static str = "/workflow/apply";
    const WHY: Option<&'static str> = None;
    const TAKES_WORKFLOW_UP: bool = false;
    type Answer = Applied;

    fn perform(self, operations: &Operations, operator: Operator) -> anyhow::Result<Applied> {
        let Apply { file, candidate } = self;
        let configured = std::fs::canonicalize(&operations.paths.workflow).is_ok_and(|configured| configured == file);
        let origin = if configured { Origin::Configured } else { Origin::Applied };
        let name = candidate.source.file.clone();
        let refused = || format!("{name} was not applied; what was in force still is");
        let ready = rollout::examine(&operations.pipeline, candidate, Keep::Yes).with_context(refused)?;
        let applied = put(operations, ready, origin, operator).with_context(refused)?;
        Ok(applied)
    }
}

/// Say what a candidate would change.
#[derive(Serialize, Deserialize)]
pub struct PlanChange {
    pub candidate: Candidate,
    /// Say as well what it would have made of so many of the last days.
    pub shadow_days: Option<u32>,
}

impl Request for PlanChange {
    const PATH: &'static str = "/workflow/plan";
    const WHY: Option<&'static str> = Some("to see what a workflow would change");
    const TAKES_WORKFLOW_UP: bool = false;
    type Answer = RolloutPlan;

    fn perform(self, operations: &Operations, _: Operator) -> anyhow::Result<RolloutPlan> {
        let ready = rollout::examine(&operations.pipeline, self.candidate, Keep::No)?;
        Ok(plan::of(&operations.pipeline, &ready, self.shadow_days)?)
    }
}

/// What has been in force.
#[derive(Serialize, Deserialize)]
pub struct Review {}

impl Request for Review {
    const PATH: &'static str = "/workflow/history";
    const WHY: Option<&'static str> = Some("to see what has been in force");
    const TAKES_WORKFLOW_UP: bool = false;
    type Answer = PastDeployment;

    fn perform(self, operations: &Operations, _: Operator) -> anyhow::Result<PastDeployment> {
        Ok(review(operations)?)
    }
}

/// Put an earlier deployment in force again.
#[derive(Serialize, Deserialize)]
pub struct RollBack {
    /// The first digits of its digest; the one before the present when absent.
    pub deployment: Option<String>,
}

impl Request for RollBack {
    const PATH: &'static str = "/workflow/rollback";
    const WHY: Option<&'static str> = None;
    const TAKES_WORKFLOW_UP: bool = false;
    type Answer = Applied;

    fn perform(self, operations: &Operations, operator: Operator) -> anyhow::Result<Applied> {
        let pipeline = &operations.pipeline;
        let digits = match self.deployment {
            Some(digits) => digits,
            // What is tried goes first; what is in force stays.
            None if pipeline.deployments.canary().is_some() => {
                pipeline.deployments.current().deployment.digest.to_string()
            }
            None => review(operations)?.before().ok_or(ChangeError::NothingBefore)?.to_string(),
        };
        let mut known = pipeline.store.index().deployments()?;
        known.retain(|deployed| deployed.deployment.to_string().starts_with(&digits));
        let [deployed] = known.as_slice() else { return Err(ChangeError::NoSuchDeployment(digits).into()) };
        let ready = rollout::take_up_again(pipeline, deployed)?;
        put(operations, ready, Origin::RolledBack, operator)
    }
}

fn put(
    operations: &Operations,
    ready: rollout::ReadyDeployment,
    origin: Origin,
    operator: Operator,
) -> anyhow::Result<Applied> {
    let Operator { who, why, .. } = operator;
    let applied = rollout::put_in_force(&operations.pipeline, ready, Act { origin, who, why })?;
    // It is in force now, whatever comes; the keeper goes on where this ends early.
    if let Err(error) = tokio::runtime::Handle::current().block_on(operations.pipeline.migration.migrate_everyone()) {
        tracing::error!(error = %Chain(&error), "referrals were not moved yet");
    }
    let deployments = &operations.pipeline.deployments;
    deployments.set_aside((origin != Origin::Configured).then(|| SetAside {
        at: operations.pipeline.clock.now(),
        file: operations.paths.workflow.display().to_string(),
        why: format!("in force is {}, which is not from this file", applied.deployment.short()),
    }));
    Ok(applied)
}

fn review(operations: &Operations) -> Result<PastDeployment, ChangeError> {
    let pipeline = &operations.pipeline;
    history::of(
        pipeline.store.index(),
        &|position| pipeline.store.read(position),
        pipeline.deployments.what_is_set_aside(),
    )
}
