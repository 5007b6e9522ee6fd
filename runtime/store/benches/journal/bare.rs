//! What the store is held against: a log that only appends and syncs, and sled with a real sync.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use parking_lot::{Condvar, Mutex};

use crate::load::{Committer, STEPPING, json_of, subject};

/// Group commit at its barest: whoever finds nobody syncing writes all that waits, and syncs for everyone.
pub struct BareLog {
    file: File,
    state: Mutex<State>,
    synced: Condvar,
}

#[derive(Default)]
struct State {
    waiting: Vec<u8>,
    /// Entries taken in, and entries known durable.
    taken: u64,
    durable: u64,
    end: u64,
    syncing: bool,
}

impl BareLog {
    pub fn create(path: &Path) -> BareLog {
        let file = OpenOptions::new().write(true).create_new(true).open(path).expect("a new file");
        BareLog { file, state: Mutex::default(), synced: Condvar::new() }
    }
}

impl Committer for BareLog {
    fn commit(&self, number: u64) {
        self.append(&json_of(number, STEPPING));
    }
}

impl BareLog {
    fn append(&self, bytes: &[u8]) {
        let mut state = self.state.lock();
        state.waiting.extend_from_slice(bytes);
        state.taken += 1;
        let mine = state.taken;
        while state.durable < mine {
            if state.syncing {
                self.synced.wait(&mut state);
                continue;
            }
            state.syncing = true;
            let batch = std::mem::take(&mut state.waiting);
            let (through, at) = (state.taken, state.end);
            state.end += batch.len() as u64;
            drop(state);
            self.file.write_all_at(&batch, at).expect("written");
            self.file.sync_data().expect("synced");
            state = self.state.lock();
            state.syncing = false;
            state.durable = through;
            self.synced.notify_all();
        }
    }
}

/// The same log, given bytes that were made beforehand: nothing is left but to append and to sync.
pub struct Ready {
    log: BareLog,
    bytes: Vec<u8>,
}

impl Ready {
    pub fn over(log: BareLog) -> Ready {
        Ready { log, bytes: json_of(1, STEPPING) }
    }
}

impl Committer for Ready {
    fn commit(&self, _: u64) {
        self.log.append(&self.bytes);
    }
}

/// sled alone, made to keep its word: a batch of four keys for each transition, and an fdatasync of its file for each group.
/// A transition replaces its referral's state, timer and letter, and adds its event.
pub struct SyncedSled {
    among: u64,
    db: sled::Db,
    file: PathBuf,
    state: Mutex<Groups>,
    synced: Condvar,
}

#[derive(Default)]
struct Groups {
    taken: u64,
    durable: u64,
    syncing: bool,
}

impl SyncedSled {
    pub fn create(path: &Path, among: u64) -> SyncedSled {
        let db = sled::Config::new().path(path).flush_every_ms(None).cache_capacity(160 << 20).open().expect("sled");
        SyncedSled { among, db, file: path.join("db"), state: Mutex::default(), synced: Condvar::new() }
    }

    /// Puts all referrals in flight, and syncs once.
    pub fn fill(&self) {
        (0..self.among).for_each(|number| self.apply(number));
        self.db.flush().expect("flushed");
    }

    fn apply(&self, number: u64) {
        let subject = subject(number, self.among).to_be_bytes();
        let key = |parts: &[&[u8]]| parts.concat();
        let mut batch = sled::Batch::default();
        batch.insert(key(&[b"state", &subject]), json_of(number, self.among));
        batch.insert(key(&[b"event", &subject, &number.to_be_bytes()]), vec![7; EVENT_BYTES]);
        batch.insert(key(&[b"timer", &subject]), &number.to_be_bytes());
        batch.insert(key(&[b"letter", &subject]), &number.to_be_bytes());
        self.db.apply_batch(batch).expect("applied");
    }
}

/// An event as JSON.
const EVENT_BYTES: usize = 300;

impl Committer for SyncedSled {
    fn commit(&self, number: u64) {
        self.apply(number);
        let mut state = self.state.lock();
        state.taken += 1;
        let mine = state.taken;
        while state.durable < mine {
            if state.syncing {
                self.synced.wait(&mut state);
                continue;
            }
            state.syncing = true;
            let through = state.taken;
            drop(state);
            self.db.flush().expect("flushed");
            File::open(&self.file).and_then(|file| file.sync_data()).expect("synced");
            state = self.state.lock();
            state.syncing = false;
            state.durable = through;
            self.synced.notify_all();
        }
    }
}
