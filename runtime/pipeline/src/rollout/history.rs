//! What has been in force, since when, by whom and why, and who is still under it.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use handoff_engine::ids::Digest;
use handoff_store::index::{Deployed, Kind, Search};
use handoff_store::journal::ReadError;
use handoff_store::{Canary, Entry, Index, Origin, Position, Record};
use serde::{Deserialize, Serialize};

use super::ChangeError;
use crate::deployments::{SetAside, WorkflowSource};

/// Everything that took effect, oldest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PastDeployment {
    pub deployments: Vec<Once>,
    /// A workflow file that is not in force, and why.
    pub set_aside: Option<SetAside>,
}

/// A deployment that took effect.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Once {
    pub deployment: Digest,
    pub at: DateTime<Utc>,
    pub who: String,
    pub why: String,
    pub origin: Origin,
    pub file: String,
    pub in_force: bool,
    /// Where it was tried first, on a share of the new referrals.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub canary: Option<Canary>,
    /// In flight under it; counted where it took effect last.
    pub referrals: u64,
}

/// Reads the past out of a journal.
///
/// # Errors
/// When index or journal cannot be read.
pub fn of(
    index: &dyn Index,
    read: &dyn Fn(Position) -> Result<Option<Arc<Entry>>, ReadError>,
    set_aside: Option<SetAside>,
) -> Result<PastDeployment, ChangeError> {
    // Those whose records outlived their segments are older than the rest, which stands in order.
    let (mut carried, mut once) = (Vec::new(), Vec::new());
    let mut search = Search { kind: Some(Kind::Deployed), ..Search::default() };
    loop {
        let found = index.search(&search)?;
        let Some(last) = found.last() else { break };
        search.after = *last;
        for position in found {
            let Some(entry) = read(position)? else { continue };
            for record in &entry.records {
                let Record::Deployed { deployment, workflow, who, why, origin, canary, since, .. } = record else {
                    continue;
                };
                let list = if since.is_some() { &mut carried } else { &mut once };
                list.push(Once {
                    deployment: *deployment,
                    at: since.unwrap_or(entry.at),
                    who: who.clone(),
                    why: why.clone(),
                    origin: *origin,
                    file: serde_json::from_str::<WorkflowSource>(workflow)?.file,
                    in_force: false,
                    canary: *canary,
                    referrals: 0,
                });
            }
        }
    }
    carried.sort_by_key(|once: &Once| once.at);
    carried.append(&mut once);
    let mut past = PastDeployment { deployments: carried, set_aside };
    let mut flying: BTreeMap<Digest, u64> = BTreeMap::new();
    for place in index.in_flight() {
        *flying.entry(place.deployment).or_default() += place.referrals;
    }
    for once in past.deployments.iter_mut().rev() {
        once.referrals = flying.remove(&once.deployment).unwrap_or_default();
    }
    let known = index.deployments()?;
    let last = Deployed::in_force(&known).map(|deployed| deployed.deployment);
    let took_effect = |once: &&mut Once| once.canary.is_none() && Some(once.deployment) == last;
    if let Some(once) = past.deployments.iter_mut().rev().find(took_effect) {
        once.in_force = true;
    }
    Ok(past)
}

impl PastDeployment {
    /// What was in force before the deployment that is.
    pub fn before(&self) -> Option<Digest> {
        let present = self.deployments.iter().rev().find(|once| once.in_force)?.deployment;
        let took_effect = self.deployments.iter().rev().filter(|once| once.canary.is_none());
        took_effect.map(|once| once.deployment).find(|digest| *digest != present)
    }
}
