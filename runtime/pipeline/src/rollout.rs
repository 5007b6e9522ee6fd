//! Changing what decides, while patients are in flight. A candidate is examined, planned against every live referral, written
//! down, and only then put in force: as one, and for good until somebody says otherwise.
//!
//! Architecture Invariant: a deployment that is not in the journal decides nothing, and the last one there is in force.

pub mod canary;
pub mod canary_health;
pub mod candidate;
pub mod history;
pub mod impact;
pub mod permissions;
pub mod plan;
pub mod shadow_replay;
pub mod watch;

use std::collections::BTreeSet;

use handoff_engine::ids::{Digest, StageKey};
use handoff_engine::workflow::Moves;
use handoff_store::index::{Deployed, IndexError};
use handoff_store::{Canary, CommitError, Entry, Origin, Record};
use serde::{Deserialize, Serialize};

pub use self::candidate::Candidate;
use self::impact::{Impact, ImpactDepth, ReferralImpact, Standing};
use crate::deployments::{InstallError, Installed, Keep, SetAside, WorkflowSource};
use crate::pipeline::Pipeline;

/// Who is written down where nobody asked: Handoff itself took a file up.
pub const THE_INSTANCE: &str = "handoff";

/// A candidate that could be put in force.
pub struct ReadyDeployment {
    pub installed: Installed,
    pub source: WorkflowSource,
    pub moves: Moves,
    returning: Option<Digest>,
}

/// Who puts it in force, why, and where it came from.
#[derive(Clone, Debug)]
pub struct Act {
    pub origin: Origin,
    pub who: String,
    pub why: String,
}

/// What took effect.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Applied {
    pub deployment: Digest,
    /// What was in force until then.
    pub before: Digest,
    pub stays: u64,
    /// Referrals that come along, one by one.
    pub moves: u64,
}

/// What is tried, beside what is in force.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CanaryStarted {
    pub deployment: Digest,
    pub beside: Digest,
    pub canary: Canary,
}

/// Why a candidate was not put in force. The one that was in force still is.
#[derive(Debug, thiserror::Error)]
pub enum ChangeError {
    #[error(transparent)]
    Install(#[from] InstallError),
    #[error(
        "stage {stage} names endpoint `{endpoint}`, which the configuration does not have\n  \
         help: add it under `endpoints:` in handoff.yaml and restart Handoff, or use one of: {known}"
    )]
    NoSuchEndpoint { stage: StageKey, endpoint: String, known: String },
    #[error("{} scenario(s) do not come true:\n{}", .0.len(), .0.join("\n"))]
    Scenarios(Vec<String>),
    #[error("{}", stranded(.0))]
    Strands(Vec<Standing>),
    #[error("deployment {} is in force already", .0.short())]
    InForce(Digest),
    #[error("no deployment's digest begins with {0:?}\n  help: `handoff workflow history` lists all deployments")]
    NoSuchDeployment(String),
    #[error("no other workflow was in force before this one: there is nothing to go back to")]
    NothingBefore,
    #[error("a recorded workflow cannot be read")]
    Unreadable(#[from] serde_json::Error),
    #[error("the journal did not take it, and nothing was done")]
    Commit(#[from] CommitError),
    #[error("the index cannot be read")]
    Index(#[from] IndexError),
    #[error("the journal cannot be read")]
    Read(#[from] handoff_store::journal::ReadError),
}

/// Whether this workflow could take effect here: everything about it but what it would do to referrals in flight.
///
/// # Errors
/// What is wrong with it.
pub fn examine(pipeline: &Pipeline, candidate: Candidate, keep: Keep) -> Result<ReadyDeployment, ChangeError> {
    let Candidate { source, scenarios } = candidate;
    let installed = pipeline.installer.install(&source, keep)?;
    let known: BTreeSet<String> = pipeline.egress.rates().map(|(name, _)| name).collect();
    for stage in installed.workflow().stages.iter() {
        if let Some(endpoint) = stage.endpoints.iter().find(|endpoint| !known.contains(*endpoint)) {
            let known = known.iter().cloned().collect::<Vec<_>>().join(", ");
            let (stage, endpoint) = (stage.key.clone(), endpoint.clone());
            return Err(ChangeError::NoSuchEndpoint { stage, endpoint, known });
        }
    }
    candidate::play(&installed.deployment, &scenarios).map_err(ChangeError::Scenarios)?;
    let moves = installed.workflow().moves.clone();
    Ok(ReadyDeployment { installed, source, moves, returning: None })
}

/// An earlier deployment, with the components that it had. What the present one took over comes back.
///
/// # Errors
/// When one of its components is gone.
pub fn take_up_again(pipeline: &Pipeline, deployed: &Deployed) -> Result<ReadyDeployment, ChangeError> {
    let source: WorkflowSource = serde_json::from_str(&deployed.workflow)?;
    let installed = pipeline.installer.install_again(&source, &deployed.plugins)?;
    // The one in force is taken up again when it is the canary that goes.
    let present = pipeline.deployments.current().deployment.digest;
    let gives_back = match pipeline.deployments.canary() {
        Some(canary) if present == deployed.deployment => canary.deployment.digest,
        Some(_) | None => present,
    };
    Ok(ReadyDeployment { installed, source, moves: Moves::returning(gives_back), returning: Some(gives_back) })
}

/// The moves of a deployment that is written down.
pub fn moves_of(deployed: &Deployed, installed: &Installed) -> Moves {
    match deployed.returning {
        Some(from) => Moves::returning(from),
        None => installed.workflow().moves.clone(),
    }
}

/// Puts a candidate in force, unless that would strand somebody. Written down first; new referrals are decided by it from
/// here on, and those that it moves are fetched by the line's own keeper.
///
/// # Errors
/// When it is in force already, would strand a referral, or the journal does not take it.
pub fn put_in_force(pipeline: &Pipeline, ready: ReadyDeployment, act: Act) -> Result<Applied, ChangeError> {
    let _alone = pipeline.deployments.changes_alone();
    let ReadyDeployment { installed, source, moves, returning } = ready;
    let present = pipeline.deployments.current();
    let deployment = installed.deployment.digest;
    let canary = pipeline.deployments.canary().map(|canary| canary.deployment.digest);
    let ends_canary = canary.is_some() && returning == canary;
    if present.deployment.digest == deployment && !ends_canary {
        return Err(ChangeError::InForce(deployment));
    }
    let census = measure_impact(pipeline, &installed, &moves, ImpactDepth::Standing)?;
    let stranded: Vec<Standing> = census
        .standing
        .iter()
        .filter(|standing| matches!(standing.fate, ReferralImpact::Stranded { .. }))
        .cloned()
        .collect();
    if !stranded.is_empty() {
        return Err(ChangeError::Strands(stranded));
    }
    let Act { origin, who, why } = act;
    tracing::info!(%deployment, before = %present.deployment.digest, who, why, "a deployment takes effect");
    write_down(pipeline, &installed, &source, returning, None, Act { origin, who, why })?;
    pipeline.deployments.put_in_force(installed, moves);
    pipeline.migration.begin();
    Ok(Applied { deployment, before: present.deployment.digest, stays: census.stays(), moves: census.moves() })
}

/// Begins a share of the new referrals with a candidate, beside what is in force. Nobody in flight moves to it.
///
/// # Errors
/// When it is in force already, or the journal does not take it.
pub fn try_out(
    pipeline: &Pipeline,
    ready: ReadyDeployment,
    canary: Canary,
    act: Act,
) -> Result<CanaryStarted, ChangeError> {
    let _alone = pipeline.deployments.changes_alone();
    let ReadyDeployment { installed, source, .. } = ready;
    let (deployment, beside) = (installed.deployment.digest, pipeline.deployments.current().deployment.digest);
    if deployment == beside {
        return Err(ChangeError::InForce(deployment));
    }
    tracing::info!(%deployment, %beside, share = canary.share, who = act.who, why = act.why, "a canary is tried");
    write_down(pipeline, &installed, &source, None, Some(canary), act)?;
    pipeline.deployments.try_out(installed, canary.share);
    pipeline.canary().begin(canary.back_at);
    Ok(CanaryStarted { deployment, beside, canary })
}

fn write_down(
    pipeline: &Pipeline,
    installed: &Installed,
    source: &WorkflowSource,
    returning: Option<Digest>,
    canary: Option<Canary>,
    act: Act,
) -> Result<(), ChangeError> {
    let record = record(installed, source, returning, canary, act)?;
    pipeline.store.commit(Entry { at: pipeline.clock.now(), records: vec![record], sealed: Vec::new() }).wait()?;
    Ok(())
}

/// The journal's word for it.
///
/// # Errors
/// When the workflow cannot be written as JSON.
pub fn record(
    installed: &Installed,
    source: &WorkflowSource,
    returning: Option<Digest>,
    canary: Option<Canary>,
    act: Act,
) -> Result<Record, serde_json::Error> {
    let Act { origin, who, why } = act;
    let deployment = installed.deployment.digest;
    let (workflow, plugins) = (serde_json::to_string(source)?, installed.deployment.plugins.clone());
    Ok(Record::Deployed { deployment, workflow, plugins, who, why, origin, returning, canary, since: None })
}

/// Who is where, and would come to be where.
///
/// # Errors
/// When the index cannot be read.
pub fn measure_impact(
    pipeline: &Pipeline,
    installed: &Installed,
    moves: &Moves,
    depth: ImpactDepth,
) -> Result<Impact, IndexError> {
    let older = |digest: &Digest| pipeline.deployments.get(digest).ok().map(|it| it.deployment.clone());
    impact::take(pipeline.store.index(), &older, &installed.deployment, moves, depth, pipeline.clock.now())
}

/// What Handoff does with the file that its configuration names, when it opens and another deployment was in force last.
/// A file that is new and may follow is put in force like any other; all else is left aside, and said.
pub fn consider(pipeline: &Pipeline, source: WorkflowSource, known: &[Deployed]) {
    let file = source.file.clone();
    let aside = |why: String| {
        pipeline.deployments.set_aside(Some(SetAside { at: pipeline.clock.now(), file: file.clone(), why }));
    };
    let Some(last) = Deployed::in_force(known) else { return };
    let told = || {
        let (digest, date) = (last.deployment.short(), last.at.format("%Y-%m-%d %H:%M"));
        format!("in force is {digest}, since {date} by {}: {}", last.who, last.why)
    };
    let ready = match examine(pipeline, Candidate { source, scenarios: Default::default() }, Keep::Yes) {
        Ok(ready) => ready,
        Err(error) => return aside(handoff_engine::error_chain::Chain(&error).to_string()),
    };
    let digest = ready.installed.deployment.digest;
    if digest == last.deployment {
        return;
    }
    if known.iter().any(|deployed| deployed.deployment == digest) {
        return aside(format!(
            "it is an earlier deployment; {}\n  help: `handoff workflow apply` puts it in force again",
            told()
        ));
    }
    if last.origin != Origin::Configured {
        return aside(format!("it was never applied; {}\n  help: `handoff workflow apply` puts it in force", told()));
    }
    let why = "the configured workflow or a plugin had changed when Handoff opened".to_string();
    let act = Act { origin: Origin::Configured, who: THE_INSTANCE.into(), why };
    if let Err(error) = put_in_force(pipeline, ready, act) {
        aside(handoff_engine::error_chain::Chain(&error).to_string());
    }
}

fn stranded(standing: &[Standing]) -> String {
    let told: Vec<String> = standing
        .iter()
        .filter_map(|standing| match &standing.fate {
            ReferralImpact::Stranded { why, .. } => Some(format!(
                "{} referral(s) in state `{}` of {} would be stranded, such as {}: {why}",
                standing.referrals,
                standing.state,
                standing.deployment.short(),
                standing.examples.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
            )),
            ReferralImpact::AtHome | ReferralImpact::Stays | ReferralImpact::Moves { .. } => None,
        })
        .collect();
    told.join("\n")
}
