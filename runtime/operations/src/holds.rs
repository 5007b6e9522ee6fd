//! Legal hold: while it lasts, retention takes nothing of a referral.

use anyhow::ensure;
use handoff_engine::error_code::{ErrorCode, Failure};
use handoff_engine::ids::ReferralId;
use handoff_pipeline::error::PipelineError;
use handoff_store::{Record, index};
use serde::{Deserialize, Serialize};

use crate::operations::{Operations, Operator, Request};

/// From here on a referral is kept.
#[derive(Serialize, Deserialize)]
pub struct PlaceHold {
    pub referral: ReferralId,
}

impl Request for PlaceHold {
    const PATH: &'static str = "/holds/add";
    const WHY: Option<&'static str> = None;
    type Answer = ();

    fn perform(self, operations: &Operations, operator: Operator) -> anyhow::Result<()> {
        let PlaceHold { referral } = self;
        operations.pipeline.store.index().referral(&referral)?.ok_or(PipelineError::NoSuchReferral(referral))?;
        let Operator { who, why, role: _ } = operator;
        operations.record(Record::Held { referral, who, why })?;
        Ok(())
    }
}

/// The hold has ended.
#[derive(Serialize, Deserialize)]
pub struct Release {
    pub referral: ReferralId,
}

impl Request for Release {
    const PATH: &'static str = "/holds/release";
    const WHY: Option<&'static str> = None;
    type Answer = ();

    fn perform(self, operations: &Operations, operator: Operator) -> anyhow::Result<()> {
        let Release { referral } = self;
        let held = operations.pipeline.store.index().holds()?.iter().any(|hold| hold.referral == referral);
        let text = format!("referral {referral} is not held\n  help: `handoff hold list` lists those that are");
        ensure!(held, Failure::new(ErrorCode::NOT_HELD, text));
        let Operator { who, why, role: _ } = operator;
        operations.record(Record::Released { referral, who, why })?;
        Ok(())
    }
}

/// What is held.
#[derive(Serialize, Deserialize)]
pub struct Holds {}

impl Request for Holds {
    const PATH: &'static str = "/holds";
    const WHY: Option<&'static str> = Some("to see what is held");
    type Answer = Vec<index::Hold>;

    fn perform(self, operations: &Operations, _: Operator) -> anyhow::Result<Vec<index::Hold>> {
        Ok(operations.pipeline.store.index().holds()?)
    }
}
