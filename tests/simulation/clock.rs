//! The clock on the wall of a simulated house, and the true time outside.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use handoff_clock::Clock;
use tokio::time::Instant;

/// Runs with the runtime's paused time, which moves on only when nothing is left to do. An administrator may set it wrong.
pub struct WallClock {
    epoch: DateTime<Utc>,
    begun: Instant,
    wrong_by_ms: AtomicI64,
}

impl WallClock {
    pub fn starting_at(epoch: DateTime<Utc>) -> WallClock {
        WallClock { epoch, begun: Instant::now(), wrong_by_ms: AtomicI64::new(0) }
    }

    /// What time it is outside.
    pub fn true_now(&self) -> DateTime<Utc> {
        self.epoch + TimeDelta::from_std(self.begun.elapsed()).expect("a simulation lasts no centuries")
    }

    /// When the runtime's time has come to a moment outside.
    pub fn instant_of(&self, moment: DateTime<Utc>) -> Instant {
        self.begun + (moment - self.epoch).to_std().unwrap_or_default()
    }

    /// Somebody sets the clock: from now on it is wrong by so much.
    pub fn set_wrong_by(&self, step: TimeDelta) {
        self.wrong_by_ms.store(step.num_milliseconds(), Ordering::Relaxed);
    }
}

impl Clock for WallClock {
    fn now(&self) -> DateTime<Utc> {
        self.true_now() + TimeDelta::milliseconds(self.wrong_by_ms.load(Ordering::Relaxed))
    }

    fn steady(&self) -> Duration {
        self.begun.elapsed()
    }
}
