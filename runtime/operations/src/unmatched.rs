//! What was taken and surely means no referral: looked at, assigned to one, or laid aside.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use handoff_engine::error_code::{ErrorCode, Failure};
use handoff_engine::ids::ReferralId;
use handoff_pipeline::error::PipelineError;
use handoff_store::Record;
use serde::{Deserialize, Serialize};

use crate::dead_letters::Shown;
use crate::operations::{Operations, Operator, Request};

/// An unmatched delivery's bytes, in clear.
#[derive(Serialize, Deserialize)]
pub struct ShowUnmatched {
    pub item: String,
}

impl Request for ShowUnmatched {
    const PATH: &'static str = "/unmatched/show";
    const WHY: Option<&'static str> = Some("to find out which referral it means");
    type Answer = Shown;

    fn perform(self, operations: &Operations, operator: Operator) -> anyhow::Result<Shown> {
        let pipeline = &operations.pipeline;
        let unknown = || PipelineError::NotUnmatched { item: self.item.clone() };
        let (_, record) = pipeline.intake.unmatched_record(&self.item)?.ok_or_else(unknown)?;
        let Record::Delivery { bytes: Some(token), .. } = record else {
            let text = format!("the bytes of {} were not kept", self.item);
            return Err(Failure::new(ErrorCode::BYTES_NOT_KEPT, text).into());
        };
        // Written down first: nobody sees anything that the journal does not know of.
        operations.looked(operator, format!("unmatched delivery {}", self.item))?;
        Ok(Shown { base64: STANDARD.encode(pipeline.vault.reveal_bytes(&token, &pipeline.store)?.as_slice()) })
    }
}

/// A person says which referral a delivery means.
#[derive(Serialize, Deserialize)]
pub struct Assign {
    pub item: String,
    pub referral: ReferralId,
}

impl Request for Assign {
    const PATH: &'static str = "/unmatched/assign";
    const WHY: Option<&'static str> = None;
    type Answer = ();

    fn perform(self, operations: &Operations, operator: Operator) -> anyhow::Result<()> {
        let assigned = operations.pipeline.intake.assign(&self.item, self.referral, &operator.who, &operator.why);
        Ok(tokio::runtime::Handle::current().block_on(assigned)?)
    }
}

/// An unmatched delivery is no concern of the practice's.
#[derive(Serialize, Deserialize)]
pub struct DismissUnmatched {
    pub item: String,
}

impl Request for DismissUnmatched {
    const PATH: &'static str = "/unmatched/dismiss";
    const WHY: Option<&'static str> = None;
    type Answer = ();

    fn perform(self, operations: &Operations, operator: Operator) -> anyhow::Result<()> {
        let dismissed = operations.pipeline.intake.dismiss_unmatched(&self.item, &operator.who, &operator.why);
        Ok(tokio::runtime::Handle::current().block_on(dismissed)?)
    }
}
