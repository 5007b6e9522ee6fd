//! How long a call takes, in an instance of its own like every call.

use std::time::{Duration, Instant};

use handoff_host::{Call, Host, Plugin};

use crate::error::WorkshopError;

/// Of so many calls, half took no longer than `p50`.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    pub calls: usize,
    pub p50: Duration,
    pub p99: Duration,
}

/// Calls for about `time`, after as many calls as fill the pool's places with warm memory.
///
/// # Errors
/// When the plugin gives no answer.
pub fn pace(host: &Host, plugin: &Plugin, call: &Call, time: Duration) -> Result<Pace, WorkshopError> {
    const WARM_UP: usize = 20;
    for _ in 0..WARM_UP {
        host.call(plugin, call)?;
    }
    let mut took = Vec::new();
    let started = Instant::now();
    while started.elapsed() < time || took.is_empty() {
        let before = Instant::now();
        host.call(plugin, call)?;
        took.push(before.elapsed());
    }
    took.sort();
    let at = |share: usize| took[(took.len() - 1) * share / 100];
    Ok(Pace { calls: took.len(), p50: at(50), p99: at(99) })
}
