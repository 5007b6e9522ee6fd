//! Rounds through the journal: every byte of its closed segments is checked after the start, and then once a day. Handoff
//! opens with their ends only, so that years of them keep no patient waiting; what a disk has lost since is found here.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::watch;
use tokio::task::spawn_blocking;
use tokio::time::sleep;

use handoff_engine::error_chain::Chain;
use handoff_pipeline::pipeline::Pipeline;

/// From the end of one round to the beginning of the next.
const EVERY: Duration = Duration::from_secs(24 * 60 * 60);

/// After each segment a rest so many times as long as its check: a round takes a fifth of one core and leaves the rest to
/// patients.
const REST: u32 = 4;

/// Goes round until told to stop. Damage is told, and Handoff goes on: whoever is being written to today need not be in
/// a segment of years ago.
pub async fn keep(pipeline: Arc<Pipeline>, mut stopped: watch::Receiver<bool>) {
    tokio::select! {
        // An error means that the sender is gone, and then it is time to stop as well.
        _ = stopped.wait_for(|stop| *stop) => {}
        () = scrub_journal(&pipeline) => {}
    }
}

async fn scrub_journal(pipeline: &Pipeline) {
    loop {
        let (begun, mut bytes) = (Instant::now(), 0);
        let segments = pipeline.store.reader().closed();
        for number in &segments {
            bytes += check(pipeline, *number).await;
        }
        let damaged = pipeline.store.reader().damaged().len();
        tracing::info!(segments = segments.len(), bytes, damaged, took = ?begun.elapsed(), "round through the journal");
        sleep(EVERY).await;
    }
}

async fn check(pipeline: &Pipeline, number: u64) -> u64 {
    let (begun, reader) = (Instant::now(), pipeline.store.reader().clone());
    let checked = spawn_blocking(move || reader.check(number)).await;
    let rest = begun.elapsed() * REST;
    let bytes = match checked {
        Ok(Ok(bytes)) => bytes,
        Ok(Err(error)) => {
            tracing::error!(segment = number, error = %Chain(&error), "the journal is damaged; Handoff goes on");
            0
        }
        Err(error) => {
            tracing::error!(segment = number, %error, "a segment could not be checked");
            0
        }
    };
    sleep(rest).await;
    bytes
}
