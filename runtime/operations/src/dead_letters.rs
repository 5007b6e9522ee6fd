//! What waits for a person: looked at, taken in again, or laid aside.

use anyhow::Context as _;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use handoff_engine::error_code::{ErrorCode, Failure};
use handoff_pipeline::error::PipelineError;
use handoff_pipeline::intake::redelivery::Replayed;
use handoff_store::Record;
use serde::{Deserialize, Serialize};

use crate::operations::{Operations, Operator, Request};

/// A dead delivery's bytes, in clear.
#[derive(Serialize, Deserialize)]
pub struct Show {
    pub item: String,
}

/// Patient data in clear, on its way to whoever mends it.
#[derive(Serialize, Deserialize)]
pub struct Shown {
    pub base64: String,
}

impl Shown {
    /// # Errors
    /// When the carrier changed it.
    pub fn bytes(&self) -> anyhow::Result<Vec<u8>> {
        STANDARD
            .decode(&self.base64)
            .context(Failure::new(ErrorCode::OTHER_VERSION, "the running instance answered something else"))
    }
}

impl Request for Show {
    const PATH: &'static str = "/dead-letters/show";
    const WHY: Option<&'static str> = Some("to mend what could not be read");
    type Answer = Shown;

    fn perform(self, operations: &Operations, operator: Operator) -> anyhow::Result<Shown> {
        let pipeline = &operations.pipeline;
        let (_, record) =
            pipeline.intake.dead(&self.item)?.ok_or(PipelineError::NotDead { item: self.item.clone() })?;
        let Record::Delivery { bytes: Some(token), .. } = record else {
            let text = format!("the bytes of {} were not kept", self.item);
            return Err(Failure::new(ErrorCode::BYTES_NOT_KEPT, text).into());
        };
        // Written down first: nobody sees anything that the journal does not know of.
        operations.looked(operator, format!("dead delivery {}", self.item))?;
        Ok(Shown { base64: STANDARD.encode(pipeline.vault.reveal_bytes(&token, &pipeline.store)?.as_slice()) })
    }
}

/// A dead delivery is taken in again, or a dead letter owed anew.
#[derive(Serialize, Deserialize)]
pub struct Replay {
    pub item: String,
}

impl Request for Replay {
    const PATH: &'static str = "/dead-letters/replay";
    const WHY: Option<&'static str> = Some("what was wrong has been mended");
    type Answer = Replayed;

    fn perform(self, operations: &Operations, operator: Operator) -> anyhow::Result<Replayed> {
        let replayed = operations.pipeline.intake.replay(&self.item, &operator.who, &operator.why);
        Ok(tokio::runtime::Handle::current().block_on(replayed)?)
    }
}

/// A dead letter or delivery needs nothing more.
#[derive(Serialize, Deserialize)]
pub struct Dismiss {
    pub item: String,
}

impl Request for Dismiss {
    const PATH: &'static str = "/dead-letters/dismiss";
    const WHY: Option<&'static str> = None;
    type Answer = ();

    fn perform(self, operations: &Operations, operator: Operator) -> anyhow::Result<()> {
        let dismissed = operations.pipeline.intake.dismiss(&self.item, &operator.who, &operator.why);
        Ok(tokio::runtime::Handle::current().block_on(dismissed)?)
    }
}
