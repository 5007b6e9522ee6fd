//! Who does it, and what they may: plugins, endpoints and fields in clear, before and after.

use std::collections::BTreeSet;
use std::fmt;

use handoff_engine::deployment::Deployment;
use handoff_engine::ids::{Digest, StageKey};
use handoff_engine::workflow::Stage;
use serde::{Deserialize, Serialize};

/// Another plugin does a stage's work.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PluginSwap {
    pub stage: StageKey,
    /// Absent when the stage is new.
    pub before: Option<PluginName>,
    /// Absent when the stage is gone.
    pub after: Option<PluginName>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PluginName {
    pub plugin: String,
    pub digest: Digest,
}

/// A right that a stage has now and had not, or the other way round.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Permission {
    pub stage: StageKey,
    pub gained: bool,
    #[serde(flatten)]
    pub right: Right,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "right", rename_all = "kebab-case")]
pub enum Right {
    Reach {
        endpoint: String,
    },
    ReadInClear {
        field: String,
    },
    /// Patient data in clear and a way out, both at once, for this reason.
    ClearWithWayOut {
        because: String,
    },
}

/// The plugins that are others, stage by stage.
pub fn swaps(before: &Deployment, after: &Deployment) -> Vec<PluginSwap> {
    let named = |deployment: &Deployment, stage: &StageKey| {
        let plugin = deployment.workflow.stages.get(stage)?.plugin.clone();
        Some(PluginName { plugin, digest: deployment.plugins.get(stage).copied().unwrap_or(Digest([0; 32])) })
    };
    let swap = |stage: &StageKey| {
        let (before, after) = (named(before, stage), named(after, stage));
        (before != after).then(|| PluginSwap { stage: stage.clone(), before, after })
    };
    stages(before, after).iter().filter_map(swap).collect()
}

/// The stages whose settings are others. What they say is for whoever reads the files.
pub fn settings(before: &Deployment, after: &Deployment) -> Vec<StageKey> {
    let of = |deployment: &Deployment, stage: &StageKey| {
        deployment.workflow.stages.get(stage).map(|stage| stage.settings.to_string())
    };
    let both = stages(before, after);
    both.into_iter()
        .filter(|stage| matches!((of(before, stage), of(after, stage)), (Some(one), Some(other)) if one != other))
        .collect()
}

/// The rights that stages gain and lose.
pub fn permissions(before: &Deployment, after: &Deployment) -> Vec<Permission> {
    let mut all = Vec::new();
    for stage in stages(before, after) {
        let rights = |deployment: &Deployment| deployment.workflow.stages.get(&stage).map(rights).unwrap_or_default();
        let (before, after) = (rights(before), rights(after));
        let told = |gained: bool, right: &Right| Permission { stage: stage.clone(), gained, right: right.clone() };
        all.extend(after.difference(&before).map(|right| told(true, right)));
        all.extend(before.difference(&after).map(|right| told(false, right)));
    }
    all
}

fn stages(before: &Deployment, after: &Deployment) -> BTreeSet<StageKey> {
    let of =
        |deployment: &Deployment| deployment.workflow.stages.iter().map(|stage| stage.key.clone()).collect::<Vec<_>>();
    of(before).into_iter().chain(of(after)).collect()
}

fn rights(stage: &Stage) -> BTreeSet<Right> {
    let reach = stage.endpoints.iter().map(|endpoint| Right::Reach { endpoint: endpoint.clone() });
    let read = stage.reveal.iter().map(|field| Right::ReadInClear { field: field.clone() });
    let both = stage.clear_phi_because.iter().map(|because| Right::ClearWithWayOut { because: because.clone() });
    reach.chain(read).chain(both).collect()
}

impl fmt::Display for Permission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Permission { stage, gained, right } = self;
        let may = if *gained { "may now" } else { "may no longer" };
        match right {
            Right::Reach { endpoint } => write!(f, "{stage} {may} reach endpoint `{endpoint}`"),
            Right::ReadInClear { field } => write!(f, "{stage} {may} read `{field}` in clear"),
            Right::ClearWithWayOut { because } => {
                write!(f, "{stage} {may} both see patient data in clear and reach out: {because}")
            }
        }
    }
}

impl fmt::Display for PluginSwap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let told = |name: &PluginName| format!("{} {}", name.plugin, name.digest.short());
        match (&self.before, &self.after) {
            (Some(before), Some(after)) => write!(f, "~ {}: {} -> {}", self.stage, told(before), told(after)),
            (None, Some(after)) => write!(f, "+ {}: {}", self.stage, told(after)),
            (Some(before), None) => write!(f, "- {}: {}", self.stage, told(before)),
            (None, None) => Ok(()),
        }
    }
}
