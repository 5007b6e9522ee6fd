//! A canary that fails is taken back by itself, and its referrals come back to what is in force.

use std::sync::Arc;

use handoff_engine::error_chain::Chain;
use handoff_store::Origin;
use handoff_store::index::Deployed;
use tokio::sync::watch;

use super::{Act, Applied, ChangeError, THE_INSTANCE, put_in_force, take_up_again};
use crate::pipeline::Pipeline;

/// Takes back what fails, until told to stop.
pub async fn keep(pipeline: Arc<Pipeline>, mut stopped: watch::Receiver<bool>) {
    loop {
        let why = tokio::select! {
            // An error means that the sender is gone, and then it is time to stop as well.
            _ = stopped.wait_for(|stop| *stop) => return,
            why = pipeline.canary().has_failed() => why,
        };
        let pipeline = Arc::clone(&pipeline);
        let taken_back = tokio::task::spawn_blocking(move || {
            let act = Act { origin: Origin::RolledBack, who: THE_INSTANCE.into(), why };
            if let Err(error) = take_back(&pipeline, act) {
                tracing::error!(error = %Chain(&error), "a canary that fails is still tried");
            }
        });
        if let Err(error) = taken_back.await {
            tracing::error!(%error, "a canary that fails is still tried");
        }
    }
}

/// Ends the canary. What is in force stays, and takes over what the canary began.
///
/// # Errors
/// When none is tried, or the journal does not take it.
pub fn take_back(pipeline: &Pipeline, act: Act) -> Result<Applied, ChangeError> {
    if pipeline.deployments.canary().is_none() {
        return Err(ChangeError::NothingBefore);
    }
    let known = pipeline.store.index().deployments()?;
    let present = Deployed::in_force(&known).ok_or(ChangeError::NothingBefore)?;
    put_in_force(pipeline, take_up_again(pipeline, present)?, act)
}
