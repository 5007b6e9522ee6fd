//! What a candidate would change, before it changes anything. Nothing sealed is shown: states, letters, counts and ids.

use std::collections::BTreeSet;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use handoff_egress::reach::EndpointSummaries;
use handoff_engine::deployment::Deployment;
use handoff_engine::ids::{Digest, StageKey};
use handoff_engine::workflow::parts::{PartDifference, differences};
use handoff_engine::workflow::stages::Stage;
use handoff_store::index::Deployed;
use handoff_store::{Index, View};
use serde::{Deserialize, Serialize};

use super::impact::{self, Impact, ImpactDepth};
use super::permissions::{self, Permission, PluginSwap};
use super::shadow_replay::{self, RecordedPast, Shadow};
use super::{ChangeError, ReadyDeployment};
use crate::deployments::{InstallError, Installer, WorkflowSource};
use crate::pipeline::Pipeline;
use crate::plugin_report::PluginReport;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RolloutPlan {
    pub workflow: String,
    pub deployment: Digest,
    pub in_force: Digest,
    pub differences: Vec<PartDifference>,
    pub plugins: Vec<PluginSwap>,
    pub permissions: Vec<Permission>,
    /// Stages whose settings are others.
    pub settings: Vec<StageKey>,
    /// Of the plugins at each stage where anything of this is otherwise.
    #[serde(default)]
    pub labels: Vec<PluginReport>,
    #[serde(flatten)]
    pub census: Impact,
    /// What it would have made of the last days, where that was asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shadow: Option<Shadow>,
}

/// Draws the plan of a candidate for an instance that is open.
///
/// # Errors
/// When the index cannot be read.
pub fn of(pipeline: &Pipeline, ready: &ReadyDeployment, shadow_days: Option<u32>) -> Result<RolloutPlan, ChangeError> {
    let installed = &ready.installed;
    let census = super::measure_impact(pipeline, installed, &ready.moves, ImpactDepth::Letters)?;
    let mut plan = drawn(&pipeline.deployments.current().deployment, &installed.deployment, census);
    plan.labels = labels(&plan, &installed.deployment, &pipeline.installer, &pipeline.egress.ways())?;
    if let Some(days) = shadow_days {
        let index = pipeline.store.index();
        let records = Records::of(index)?;
        let past = RecordedPast {
            index,
            read: &|position| pipeline.store.read(position),
            older: &|digest| records.deployment(digest),
            ask: Some(&|stage, call| {
                let answer = pipeline.host.call(installed.plugin(stage).ok()?, &call).ok()?;
                Some(Digest(answer.digest().0))
            }),
            now: pipeline.clock.now(),
        };
        plan.shadow = Some(shadow_replay::cast(&past, &installed.deployment, days)?);
    }
    Ok(plan)
}

/// The labels of the stages that another plugin serves, or that may do or are told something else than before.
///
/// # Errors
/// When a plugin cannot be found or loaded, or is not the one any more that was pinned.
pub fn labels(
    plan: &RolloutPlan,
    candidate: &Deployment,
    installer: &Installer,
    ways: &EndpointSummaries,
) -> Result<Vec<PluginReport>, InstallError> {
    let swapped = plan.plugins.iter().map(|swap| &swap.stage);
    let permitted = plan.permissions.iter().map(|permission| &permission.stage);
    let touched: BTreeSet<&StageKey> = swapped.chain(permitted).chain(&plan.settings).collect();
    let stages = candidate.workflow.stages.iter().filter(|stage| touched.contains(&stage.key));
    let label = |stage: &Stage| {
        let label = installer.label(stage, ways)?;
        match candidate.plugins.get(&stage.key).is_some_and(|pinned| pinned.to_string() == label.digest) {
            true => Ok(label),
            false => Err(InstallError::Replaced { stage: stage.key.clone(), plugin: stage.plugin.clone() }),
        }
    };
    stages.map(label).collect()
}

/// As [`of`], from the records alone: of an instance at rest, or a backup. No plugin is called.
///
/// # Errors
/// When nothing was ever in force there, or a recorded workflow cannot be read.
pub fn from_records(
    view: &View,
    candidate: &Deployment,
    shadow_days: Option<u32>,
    now: DateTime<Utc>,
) -> Result<RolloutPlan, ChangeError> {
    let index = view.index();
    let records = Records::of(index)?;
    let last = records.0.last().ok_or(ChangeError::NothingBefore)?;
    let older = |digest: &Digest| records.deployment(digest);
    let census = impact::take(index, &older, candidate, &candidate.workflow.moves, ImpactDepth::Letters, now)?;
    let mut plan = drawn(last.1.as_ref(), candidate, census);
    if let Some(days) = shadow_days {
        let past = RecordedPast { index, read: &|position| view.read(position), older: &older, ask: None, now };
        plan.shadow = Some(shadow_replay::cast(&past, candidate, days)?);
    }
    Ok(plan)
}

/// Every deployment that the journal knows, oldest first: as it decided, without its plugins.
struct Records(Vec<(Digest, Arc<Deployment>)>);

impl Records {
    fn of(index: &dyn Index) -> Result<Records, ChangeError> {
        let read = |deployed: &Deployed| -> Result<_, ChangeError> {
            let source: WorkflowSource = serde_json::from_str(&deployed.workflow)?;
            Ok((deployed.deployment, Arc::new(Deployment::new(source.parse()?, deployed.plugins.clone()))))
        };
        Ok(Records(index.deployments()?.iter().map(read).collect::<Result<_, _>>()?))
    }

    fn deployment(&self, digest: &Digest) -> Option<Arc<Deployment>> {
        self.0.iter().find(|(known, _)| known == digest).map(|(_, deployment)| Arc::clone(deployment))
    }
}

fn drawn(present: &Deployment, candidate: &Deployment, census: Impact) -> RolloutPlan {
    RolloutPlan {
        workflow: candidate.workflow.name.clone(),
        deployment: candidate.digest,
        in_force: present.digest,
        differences: differences(&present.workflow, &candidate.workflow),
        plugins: permissions::swaps(present, candidate),
        permissions: permissions::permissions(present, candidate),
        settings: permissions::settings(present, candidate),
        labels: Vec::new(),
        census,
        shadow: None,
    }
}
