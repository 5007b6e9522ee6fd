//! A canary that fails is taken back by itself, and its referrals come back to what is in force.

use std::sync::Arc;

use handoff_store::Origin;
use handoff_store::index::Deployed;
use tokio::sync::watch;

use super::{Act, Applied, ChangeError, THE_HOUSE, put_in_force, take_up_again};
use crate::pipeline::Line;
use handoff_engine::error_chain::Chain;

/// Takes back what fails, until told to stop.
pub async fn keep(line: Arc<Line>, mut stopped: watch::Receiver<bool>) {
    loop {
        let why = tokio::select! {
            // An error means that the sender is gone, and then it is time to stop as well.
            _ = stopped.wait_for(|stop| *stop) => return,
            why = line.canary_fails() => why,
        };
        let line = Arc::clone(&line);
        let taken_back = tokio::task::spawn_blocking(move || {
            let act = Act { origin: Origin::RolledBack, who: THE_HOUSE.into(), why };
            if let Err(error) = take_back(&line, act) {
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
pub fn take_back(line: &Line, act: Act) -> Result<Applied, ChangeError> {
    if line.deployments.canary().is_none() {
        return Err(ChangeError::NothingBefore);
    }
    let known = line.store.index().deployments()?;
    let present = Deployed::in_force(&known).ok_or(ChangeError::NothingBefore)?;
    put_in_force(line, take_up_again(line, present)?, act)
}
