//! What waits for the writer. Full, it makes the callers wait: pressure travels back to the senders.

use std::collections::VecDeque;
use std::sync::Arc;

use ed25519_dalek::SigningKey;
use parking_lot::{Condvar, Mutex, MutexGuard};

use crate::entry::Entry;
use crate::journal::Encoded;
use crate::store::ticket::{CommitError, Slot};

/// Work that may wait: some batches' worth.
const WAITING_MAX: usize = 8_192;

/// Bytes that may wait: four entries of the largest size, or some thousand of the usual one.
const WAITING_MAX_BYTES: usize = 64 << 20;

/// Entries in one batch. More would only lengthen the wait of the first.
const BATCH_MAX: usize = 4_096;

/// Bytes in one batch, unless a single entry is larger: a disk writes these in some milliseconds.
const BATCH_MAX_BYTES: usize = 8 << 20;

pub enum Work {
    Commit(Job),
    Rotate { key: Box<SigningKey>, slot: Arc<Slot> },
}

pub struct Job {
    pub encoded: Encoded,
    pub entry: Arc<Entry>,
    pub slot: Arc<Slot>,
}

impl Work {
    fn size(&self) -> usize {
        match self {
            Work::Commit(job) => job.encoded.size(),
            Work::Rotate { .. } => 0,
        }
    }

    fn refuse(self, why: CommitError) {
        match self {
            Work::Commit(job) => job.slot.complete(Err(why)),
            Work::Rotate { slot, .. } => slot.complete(Err(why)),
        }
    }
}

#[derive(Default)]
pub struct Queue {
    line: Mutex<Line>,
    filled: Condvar,
    emptied: Condvar,
}

#[derive(Default)]
struct Line {
    waiting: VecDeque<Work>,
    bytes: usize,
    /// What newcomers are told, once nothing is taken any more.
    refusal: Option<CommitError>,
}

/// What the writer does next.
pub enum Next {
    Batch(Vec<Job>),
    Rotate { key: Box<SigningKey>, slot: Arc<Slot> },
}

impl Queue {
    fn line(&self) -> MutexGuard<'_, Line> {
        self.line.lock()
    }

    /// Blocks while the queue is full.
    pub fn push(&self, work: Work) {
        let mut line = self.line();
        while line.refusal.is_none() && (line.waiting.len() >= WAITING_MAX || line.bytes >= WAITING_MAX_BYTES) {
            self.emptied.wait(&mut line);
        }
        if let Some(refusal) = line.refusal.clone() {
            drop(line);
            return work.refuse(refusal);
        }
        line.bytes += work.size();
        let was_empty = line.waiting.is_empty();
        line.waiting.push_back(work);
        drop(line);
        if was_empty {
            self.filled.notify_one();
        }
    }

    /// Waits for work; `None` once the queue is closed and empty.
    pub fn next(&self) -> Option<Next> {
        let mut line = self.line();
        while line.waiting.is_empty() && line.refusal.is_none() {
            self.filled.wait(&mut line);
        }
        let mut batch = Vec::new();
        let mut bytes = 0;
        while batch.len() < BATCH_MAX {
            match line.waiting.pop_front() {
                Some(Work::Commit(job)) if batch.is_empty() || bytes + job.encoded.size() <= BATCH_MAX_BYTES => {
                    bytes += job.encoded.size();
                    batch.push(job);
                }
                Some(Work::Rotate { key, slot }) if batch.is_empty() => return Some(Next::Rotate { key, slot }),
                Some(later @ (Work::Commit(_) | Work::Rotate { .. })) => {
                    line.waiting.push_front(later);
                    break;
                }
                None => break,
            }
        }
        line.bytes -= bytes;
        drop(line);
        if batch.is_empty() {
            return None;
        }
        self.emptied.notify_all();
        Some(Next::Batch(batch))
    }

    /// Whether newcomers are taken.
    pub fn healthy(&self) -> Result<(), CommitError> {
        self.line().refusal.clone().map_or(Ok(()), Err)
    }

    /// Takes nothing more; what waits is still done.
    pub fn close(&self) {
        self.line().refusal.get_or_insert(CommitError::Closed);
        self.filled.notify_all();
        self.emptied.notify_all();
    }

    /// Takes nothing more, and refuses what waits.
    pub fn fail(&self, why: &CommitError) {
        let waiting = {
            let mut line = self.line();
            line.refusal = Some(why.clone());
            line.bytes = 0;
            std::mem::take(&mut line.waiting)
        };
        waiting.into_iter().for_each(|work| work.refuse(why.clone()));
        self.filled.notify_all();
        self.emptied.notify_all();
    }
}
