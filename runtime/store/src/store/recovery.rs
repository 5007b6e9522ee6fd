//! Opening a store: the journal is checked, the index brought up to it, or built anew when it is of no use.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::{Arc, mpsc};
use std::time::Instant;

use rustix::fs::FlockOperation;

use crate::index::{Base, Index as _, IndexError, KeyedIndex, LiveRows, SledRows};
use crate::journal::{Disk, Iter, Journal, Looked, Numbered, Opened, ReadError, Reader, RealDisk, look};
use crate::store::applier::CONDEMNED;
use crate::store::inline::Inline;
use crate::store::{Hands, Inner, Live, LiveIndex, Recovery, Reindexed, Store, StoreError, StoreOptions};

/// Entries given to the index at once while it is brought up.
const AT_ONCE: usize = 1_024;

/// Batches of entries read ahead of the index: some MiB.
const BATCHES_AHEAD: usize = 2;

/// Changes held while the index is brought up, before they are written.
const HELD_MAX_BYTES: usize = 32 << 20;

pub fn open(options: StoreOptions) -> Result<(Store, Recovery), StoreError> {
    let began = Instant::now();
    let dir = options.dir.clone();
    let folder = |error| StoreError::Folder(dir.clone(), error);
    fs::create_dir_all(&dir).map_err(folder)?;
    let lock = lock(&dir)?;
    let disk = RealDisk::open(&dir.join("journal")).map_err(folder)?;
    let opened = journal(Arc::new(disk), options)?;
    let mut indexing = Indexing::of(&dir, &opened.journal);
    let (index, live, rebuilt) = indexing.index()?;
    let recovery = indexing.recovery(&opened, rebuilt, began);
    Ok((Store::start(dir, lock, opened.journal, index, live), recovery))
}

pub fn open_inline(
    disk: Arc<dyn Disk>,
    base: Arc<dyn Base>,
    options: StoreOptions,
) -> Result<(Store, Recovery), StoreError> {
    let began = Instant::now();
    let dir = options.dir.clone();
    let opened = journal(disk, options)?;
    let mut indexing = Indexing::of(&dir, &opened.journal);
    let (index, live) = indexing.index_over(base).map_err(|trouble| match trouble {
        Trouble::Index(_) => IndexError::Failed.into(),
        Trouble::Store(error) => error,
    })?;
    let recovery = indexing.recovery(&opened, None, began);
    let (index, reader) = (Arc::new(index), opened.journal.reader());
    let hands = Hands::Caller(Box::new(Inline::new(opened.journal, live)));
    Ok((Store { inner: Arc::new(Inner { dir, index, reader, hands, _lock: None }) }, recovery))
}

fn journal(disk: Arc<dyn Disk>, options: StoreOptions) -> Result<Opened, StoreError> {
    let StoreOptions { dir: _, signing_key, depth, segment_max_bytes } = options;
    Ok(Journal::open(disk, signing_key, depth, segment_max_bytes)?)
}

/// Builds the index anew from the journal alone; no key is needed. Only while no process has the store open.
///
/// # Errors
/// When the store is open elsewhere, the folder holds no sound journal, or the index cannot be written.
pub fn reindex(dir: &Path) -> Result<Reindexed, StoreError> {
    let began = Instant::now();
    let folder = |error| StoreError::Folder(dir.to_path_buf(), error);
    let disk = RealDisk::read_only(&dir.join("journal")).map_err(folder)?;
    let _lock = lock(dir)?;
    let Looked { reader, identity, .. } = look(Arc::new(disk))?;
    let mut indexing = Indexing { dir: dir.to_path_buf(), reader, identity, applied: 0 };
    indexing.remove_index()?;
    match indexing.try_index() {
        Ok((_, live)) => live.settle()?,
        Err(Trouble::Index(_)) => return Err(IndexError::Failed.into()),
        Err(Trouble::Store(error)) => return Err(error),
    }
    Ok(Reindexed { entries: indexing.applied, took: began.elapsed() })
}

fn lock(dir: &Path) -> Result<File, StoreError> {
    let folder = |error| StoreError::Folder(dir.to_path_buf(), error);
    let file = File::create(dir.join("lock")).map_err(folder)?;
    match rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(file),
        Err(rustix::io::Errno::WOULDBLOCK) => Err(StoreError::InUse(dir.to_path_buf())),
        Err(error) => Err(folder(error.into())),
    }
}

struct Indexing {
    dir: PathBuf,
    reader: Reader,
    identity: [u8; 32],
    applied: u64,
}

type Indexed = (LiveIndex, Arc<Live>, Option<String>);

impl Indexing {
    fn of(dir: &Path, journal: &Journal) -> Indexing {
        Indexing { dir: dir.to_path_buf(), reader: journal.reader(), identity: journal.identity(), applied: 0 }
    }

    fn recovery(&self, opened: &Opened, rebuilt: Option<String>, began: Instant) -> Recovery {
        Recovery {
            last: opened.journal.last(),
            cut_bytes: opened.cut_bytes,
            checked_bytes: opened.checked_bytes,
            applied: self.applied,
            rebuilt,
            took: began.elapsed(),
        }
    }

    fn index(&mut self) -> Result<Indexed, StoreError> {
        let condemned = self.dir.join(CONDEMNED).exists();
        let why = if condemned {
            "it had failed".to_string()
        } else {
            match self.try_index() {
                Ok((index, live)) => return Ok((index, live, None)),
                Err(Trouble::Index(why)) => why,
                Err(Trouble::Store(error)) => return Err(error),
            }
        };
        tracing::warn!(why, "the index is built anew from the journal");
        self.remove_index()?;
        self.applied = 0;
        match self.try_index() {
            Ok((index, live)) => Ok((index, live, Some(why))),
            Err(Trouble::Index(_)) => Err(IndexError::Failed.into()),
            Err(Trouble::Store(error)) => Err(error),
        }
    }

    fn remove_index(&self) -> Result<(), StoreError> {
        let folder = |error| StoreError::Folder(self.dir.clone(), error);
        let index = self.dir.join("index");
        if index.exists() {
            fs::remove_dir_all(index).map_err(folder)?;
        }
        let condemned = self.dir.join(CONDEMNED);
        if condemned.exists() {
            fs::remove_file(condemned).map_err(folder)?;
        }
        Ok(())
    }

    fn try_index(&mut self) -> Result<(LiveIndex, Arc<Live>), Trouble> {
        let rows = SledRows::open(&self.dir.join("index")).map_err(|error| Trouble::Index(error.to_string()))?;
        self.index_over(Arc::new(rows))
    }

    fn index_over(&mut self, base: Arc<dyn Base>) -> Result<(LiveIndex, Arc<Live>), Trouble> {
        let live = Arc::new(LiveRows::over(base)?);
        let last = self.reader.last();
        let index = KeyedIndex::open(live.clone(), Arc::new(self.reader.clone()), self.identity, last)
            .map_err(|error| Trouble::Index(error.to_string()))?;
        self.bring_up(&index, &live)?;
        Ok((index, live))
    }

    /// What it holds in the end is written when there is time: the house need not wait for it.
    fn bring_up(&mut self, index: &LiveIndex, live: &Live) -> Result<(), Trouble> {
        let entries = self.reader.entries(index.applied_through().next());
        std::thread::scope(|scope| {
            // One parses while the other projects: each takes about as long.
            let (give, batches) = mpsc::sync_channel(BATCHES_AHEAD);
            scope.spawn(move || batches_of(entries).try_for_each(|batch| give.send(batch)));
            for batch in batches {
                let batch = batch.map_err(|error| Trouble::Store(error.into()))?;
                index.apply(&batch)?;
                self.applied += batch.len() as u64;
                if live.backlog_bytes() > HELD_MAX_BYTES {
                    live.carry_over()?;
                }
            }
            Ok(())
        })
    }
}

/// Ends with the first error.
fn batches_of(mut entries: Iter) -> impl Iterator<Item = Result<Vec<Numbered>, ReadError>> {
    std::iter::from_fn(move || {
        let batch = entries.by_ref().take(AT_ONCE).collect::<Result<Vec<_>, _>>();
        (!batch.as_ref().is_ok_and(Vec::is_empty)).then_some(batch)
    })
}

enum Trouble {
    /// The index is of no use; the journal has it all.
    Index(String),
    Store(StoreError),
}

impl From<IndexError> for Trouble {
    fn from(error: IndexError) -> Trouble {
        Trouble::Index(error.to_string())
    }
}
