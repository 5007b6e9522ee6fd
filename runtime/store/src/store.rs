//! Journal and index as one: commit, and read what was committed.
//!
//! Three threads stand in a row. The writer makes batches durable and signed; the publisher makes them visible and then
//! completes their tickets; the applier carries them over into the index on disk when there is time. Each waits for the
//! next when it falls too far behind, so that memory stays bounded and pressure reaches the callers.

mod applier;
mod archive;
mod inline;
mod options;
mod publisher;
mod purge;
mod queue;
mod recovery;
mod ticket;
mod writer;

use std::fs::File;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::JoinHandle;

use ed25519_dalek::SigningKey;

pub use self::archive::{ArchiveError, restore};
pub use self::options::{Recovery, Reindexed, StoreError, StoreOptions};
pub use self::purge::{Purge, Purged, StorePurgeError};
pub use self::recovery::reindex;
pub use self::ticket::{CommitError, Ticket};

use self::applier::Applier;
use self::inline::Inline;
use self::queue::{Job, Queue, Work};
use self::ticket::Slot;
use crate::entry::Entry;
use crate::index::{Base, Index, IndexError, KeyedIndex, LiveRows};
use crate::journal::{Disk, Encoded, Entries as _, Iter, Journal, JournalReader, ReadError};
use crate::position::Position;

/// The index as reads see it: what is on disk, and over it what is not there yet.
type Live = LiveRows<dyn Base>;
type LiveIndex = KeyedIndex<Arc<Live>>;

/// Cheap to clone. When the last clone goes, everything committed is written to the index, and the threads end.
#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

struct Inner {
    dir: PathBuf,
    index: Arc<LiveIndex>,
    reader: JournalReader,
    hands: Hands,
    /// Held while this process has the store.
    _lock: Option<File>,
}

/// Who does the work.
enum Hands {
    Threads {
        queue: Arc<Queue>,
        applier: Arc<Applier>,
        /// In the order in which they end.
        threads: Vec<JoinHandle<()>>,
    },
    Caller(Box<Inline>),
}

impl Store {
    /// Opens or begins a store. Only one process may have it open.
    pub fn open(options: StoreOptions) -> Result<(Store, Recovery), StoreError> {
        recovery::open(options)
    }

    /// Opens or begins a store whose journal is on `disk` and whose index is kept in `base`. It has no threads: whoever
    /// commits does all the work, so that a simulated house can be lived through again, step by step.
    pub fn inline(
        disk: Arc<dyn Disk>,
        base: Arc<dyn Base>,
        options: StoreOptions,
    ) -> Result<(Store, Recovery), StoreError> {
        recovery::open_inline(disk, base, options)
    }

    fn start(dir: PathBuf, lock: File, journal: Journal, index: LiveIndex, live: Arc<Live>) -> Store {
        let reader = journal.reader();
        let queue = Arc::new(Queue::default());
        let index = Arc::new(index);
        let applier = Arc::new(Applier::new(live, dir.clone()));
        let threads = vec![
            writer::start(journal, queue.clone(), publisher::start(index.clone(), applier.clone())),
            applier::start(applier.clone()),
        ];
        let hands = Hands::Threads { queue, applier, threads };
        Store { inner: Arc::new(Inner { dir, index, reader, hands, _lock: Some(lock) }) }
    }

    /// Commits an entry. The ticket resolves once the entry is durable, signed and visible to reads. Blocks while the queue
    /// is full; a dropped ticket leaves the commit under way.
    pub fn commit(&self, entry: Entry) -> Ticket {
        let entry = Arc::new(entry);
        let (ticket, slot) = Slot::new(Some(entry.clone()));
        match (Encoded::of(&entry), &self.inner.hands) {
            (Ok(encoded), Hands::Threads { queue, .. }) => queue.push(Work::Commit(Job { encoded, entry, slot })),
            (Ok(encoded), Hands::Caller(inline)) => {
                slot.complete(inline.commit(encoded, entry, &self.inner.index));
            }
            (Err(error), _) => slot.complete(Err(CommitError::from(error))),
        }
        ticket
    }

    /// Everything committed, indexed.
    pub fn index(&self) -> &dyn Index {
        self.inner.index.as_ref()
    }

    /// Gives one entry; `None` when it was purged.
    pub fn read(&self, at: Position) -> Result<Option<Arc<Entry>>, ReadError> {
        self.inner.reader.entry(at)
    }

    /// All entries from a position on, as far as the journal reaches when each is asked for. Purged ones are passed over.
    pub fn entries(&self, from: Position) -> Iter {
        self.inner.reader.entries(from)
    }

    /// Reads what is signed, beside the writer.
    pub fn reader(&self) -> &JournalReader {
        &self.inner.reader
    }

    /// Whether commits are still taken.
    ///
    /// # Errors
    /// When the journal stopped for good, and why.
    pub fn healthy(&self) -> Result<(), CommitError> {
        match &self.inner.hands {
            Hands::Threads { queue, .. } => queue.healthy(),
            Hands::Caller(inline) => inline.healthy(),
        }
    }

    /// The last entry that is durable and signed.
    pub fn last(&self) -> Position {
        self.inner.reader.last()
    }

    /// Another key signs from here on; the old one vouches for it in the chain. Waits until that is durable.
    pub fn rotate(&self, key: SigningKey) -> Result<(), CommitError> {
        match &self.inner.hands {
            Hands::Threads { queue, .. } => {
                let (ticket, slot) = Slot::new(None);
                queue.push(Work::Rotate { key: Box::new(key), slot });
                ticket.wait().map(|_| ())
            }
            Hands::Caller(inline) => inline.rotate(key),
        }
    }

    /// Waits until all that is committed is in the index on disk, durably. Reads need not wait for it.
    pub fn settle(&self) -> Result<(), IndexError> {
        match &self.inner.hands {
            Hands::Threads { applier, .. } => applier.settle(),
            Hands::Caller(inline) => inline.settle(),
        }
    }

    /// Memory that changes not yet in the index on disk take, in bytes.
    pub fn backlog_bytes(&self) -> usize {
        match &self.inner.hands {
            Hands::Threads { applier, .. } => applier.backlog_bytes(),
            Hands::Caller(inline) => inline.backlog_bytes(),
        }
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        let Hands::Threads { queue, applier, threads } = &mut self.hands else { return };
        queue.close();
        for thread in threads.drain(..) {
            if thread.join().is_err() {
                tracing::error!("a store thread ended in a panic; the journal has what was acknowledged");
            }
            // The writer has gone, and with it the publisher: what is left is the applier's last work.
            applier.stop();
        }
    }
}
