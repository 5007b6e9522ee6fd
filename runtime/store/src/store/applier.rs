//! Carries changes over into the index on disk, when there is time or when there must be.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex, MutexGuard};

use crate::index::IndexError;
use crate::store::Live;

/// Changes beyond this make the publisher wait: some sixty thousand steps, which a restart after a crash brings up from the
/// journal within a second or two.
pub const BACKLOG_MAX_BYTES: usize = 64 << 20;

/// Changes worth writing at once: some 40,000 steps. A burst up to this costs the index nothing while it lasts, and often
/// enough a key changes again before it is written.
const WORTH_WRITING_BYTES: usize = 32 << 20;

/// Changes wait no longer than this.
const WRITE_EVERY: Duration = Duration::from_secs(1);

/// The index on disk is made durable this often: what a restart has to bring up from the journal besides the backlog.
const SYNC_EVERY: Duration = Duration::from_millis(500);

/// An index known to be broken leaves this file beside it, and is rebuilt at the next start.
pub const CONDEMNED: &str = "index.rebuild";

pub struct Applier {
    live: Arc<Live>,
    dir: PathBuf,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    stopping: bool,
    failed: bool,
    /// Requests to settle so far, and how many of them were met.
    wanted: u64,
    met: u64,
}

impl Applier {
    pub fn new(live: Arc<Live>, dir: PathBuf) -> Applier {
        Applier { live, dir, state: Mutex::default(), changed: Condvar::new() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock()
    }

    pub fn backlog_bytes(&self) -> usize {
        self.live.backlog_bytes()
    }

    /// Waits until the backlog has room; `false` when the index failed.
    pub fn make_room(&self) -> bool {
        let backlog = self.backlog_bytes();
        if backlog < WORTH_WRITING_BYTES {
            return !self.state().failed;
        }
        self.changed.notify_all();
        let mut state = self.state();
        while !state.failed && self.backlog_bytes() > BACKLOG_MAX_BYTES {
            self.changed.wait_for(&mut state, WRITE_EVERY);
        }
        !state.failed
    }

    pub fn settle(&self) -> Result<(), IndexError> {
        let mut state = self.state();
        state.wanted += 1;
        let mine = state.wanted;
        self.changed.notify_all();
        while state.met < mine && !state.failed {
            self.changed.wait(&mut state);
        }
        if state.failed { Err(IndexError::Failed) } else { Ok(()) }
    }

    pub fn stop(&self) {
        self.state().stopping = true;
        self.changed.notify_all();
    }

    /// The index is of no use any more; the next start rebuilds it.
    pub fn condemn(&self) {
        self.state().failed = true;
        self.changed.notify_all();
        if let Err(error) = condemn(&self.dir) {
            tracing::error!(%error, "the broken index could not be marked; remove its folder before the next start");
        }
    }

    /// Waits for a reason to write; says how many requests to settle this answers, and whether to end after it.
    fn wait(&self) -> (u64, bool) {
        let mut state = self.state();
        let until = Instant::now() + WRITE_EVERY;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            let pressing = state.stopping || state.met < state.wanted || self.backlog_bytes() > WORTH_WRITING_BYTES;
            if pressing || left.is_zero() {
                return (state.wanted, state.stopping);
            }
            self.changed.wait_for(&mut state, left);
        }
    }

    fn write_all(&self) -> Result<bool, IndexError> {
        let mut wrote = false;
        // Twice at most: the layer that was frozen before, and the one above it.
        for _ in 0..2 {
            if !self.live.carry_over()? {
                break;
            }
            wrote = true;
            self.changed.notify_all();
        }
        Ok(wrote)
    }
}

pub fn condemn(dir: &Path) -> std::io::Result<()> {
    std::fs::File::create(dir.join(CONDEMNED))?.sync_all()?;
    std::fs::File::open(dir)?.sync_all()
}

/// Takes the mark of [`condemn`] back.
pub fn absolve(dir: &Path) -> std::io::Result<()> {
    std::fs::remove_file(dir.join(CONDEMNED))?;
    std::fs::File::open(dir)?.sync_all()
}

pub fn start(applier: Arc<Applier>) -> JoinHandle<()> {
    std::thread::spawn(move || {
        if let Err(error) = run(&applier) {
            tracing::error!(%error, "the index cannot be written");
            applier.condemn();
        }
    })
}

fn run(applier: &Applier) -> Result<(), IndexError> {
    let mut synced = Instant::now();
    let mut dirty = false;
    loop {
        let (wanted, stopping) = applier.wait();
        dirty |= applier.write_all()?;
        let asked = applier.state().met < wanted;
        if dirty && (stopping || asked || synced.elapsed() >= SYNC_EVERY) {
            applier.live.sync()?;
            synced = Instant::now();
            dirty = false;
        }
        applier.state().met = wanted;
        applier.changed.notify_all();
        if stopping {
            return Ok(());
        }
    }
}
