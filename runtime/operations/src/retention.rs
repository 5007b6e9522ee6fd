//! Retention: what has ended long enough ago leaves the journal, whose chain stays provable.

use anyhow::Context as _;
use chrono::{DateTime, Months, Utc};
use handoff_store::{Record, store};
use serde::{Deserialize, Serialize};

use crate::operations::{Operations, Operator, Request};

/// Forget what is older than the configuration's retention.
#[derive(Serialize, Deserialize)]
pub struct RunPurge {}

#[derive(Debug, Serialize, Deserialize)]
pub struct PurgeReport {
    pub before: DateTime<Utc>,
    pub segments: Vec<u64>,
    pub entries: u64,
    /// Entries that were committed anew to keep what is still needed.
    pub carried: u64,
    pub held: u64,
}

impl Request for RunPurge {
    const PATH: &'static str = "/purge";
    const WHY: Option<&'static str> = Some("retention");
    type Answer = PurgeReport;

    fn perform(self, operations: &Operations, operator: Operator) -> anyhow::Result<PurgeReport> {
        let _alone = operations.alone();
        let (store, now) = (&operations.pipeline.store, operations.pipeline.clock.now());
        let months = Months::new(operations.paths.retention_years.saturating_mul(12));
        let before = now.checked_sub_months(months).context("retention reaches back before time began")?;
        let held = store.index().holds()?.len() as u64;
        let store::Purged { segments, entries, carried } = store.purge(&store::Purge { before, now })?;
        if !segments.is_empty() {
            let Operator { who, why, role: _ } = operator;
            operations.record(Record::Purged { before, segments: segments.clone(), entries, who, why })?;
        }
        Ok(PurgeReport { before, segments, entries, carried, held })
    }
}
