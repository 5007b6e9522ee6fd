//! What the store is held against: a log that only appends and syncs, and sled with a real sync.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Condvar, Mutex};

use crate::load::{Committer, json_of};

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
        let bytes = json_of(number);
        let mut state = self.state.lock().expect("no panic");
        state.waiting.extend_from_slice(&bytes);
        state.taken += 1;
        let mine = state.taken;
        while state.durable < mine {
            if state.syncing {
                state = self.synced.wait(state).expect("no panic");
                continue;
            }
            state.syncing = true;
            let batch = std::mem::take(&mut state.waiting);
            let (through, at) = (state.taken, state.end);
            state.end += batch.len() as u64;
            drop(state);
            self.file.write_all_at(&batch, at).expect("written");
            self.file.sync_data().expect("synced");
            state = self.state.lock().expect("no panic");
            state.syncing = false;
            state.durable = through;
            self.synced.notify_all();
        }
    }
}

/// sled alone, made to keep its word: a batch of four keys for each transition, and an fdatasync of its file for each group.
pub struct SyncedSled {
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
    pub fn create(path: &Path) -> SyncedSled {
        let db = sled::Config::new().path(path).flush_every_ms(None).cache_capacity(160 << 20).open().expect("sled");
        SyncedSled { db, file: path.join("db"), state: Mutex::default(), synced: Condvar::new() }
    }
}

impl Committer for SyncedSled {
    fn commit(&self, number: u64) {
        let mut batch = sled::Batch::default();
        let key = |prefix: &[u8]| [prefix, &number.to_be_bytes()].concat();
        batch.insert(key(b"state"), json_of(number));
        batch.insert(key(b"event"), vec![7; 300]);
        batch.insert(key(b"timer"), vec![]);
        batch.insert(key(b"letter"), vec![]);
        self.db.apply_batch(batch).expect("applied");
        let mut state = self.state.lock().expect("no panic");
        state.taken += 1;
        let mine = state.taken;
        while state.durable < mine {
            if state.syncing {
                state = self.synced.wait(state).expect("no panic");
                continue;
            }
            state.syncing = true;
            let through = state.taken;
            drop(state);
            self.db.flush().expect("flushed");
            File::open(&self.file).and_then(|file| file.sync_data()).expect("synced");
            state = self.state.lock().expect("no panic");
            state.syncing = false;
            state.durable = through;
            self.synced.notify_all();
        }
    }
}
