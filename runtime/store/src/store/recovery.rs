//! Opening a store: the journal is checked, the index brought up to it, or built anew when it is of no use.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::{Arc, mpsc};
use std::time::Instant;

use rustix::fs::FlockOperation;

use crate::index::{Base, Index as _, IndexError, KeyedIndex, LiveRows, SledRows};
use crate::journal::{Disk, Journal, JournalReader, Looked, Numbered, OpenedJournal, ReadError, RealDisk, look};
use crate::position::Position;
use crate::store::applier::{BACKLOG_MAX_BYTES, CONDEMNED};
use crate::store::inline::Inline;
use crate::store::{Hands, Inner, Live, LiveIndex, Recovery, Reindexed, Store, StoreError, StoreOptions};

/// Entries given to the index at once while it is brought up.
const AT_ONCE: u64 = 1_024;

/// Threads that parse ahead of the index, and batches that each may have ready: some MiB.
const PARSERS_MAX: usize = 4;
const BATCHES_AHEAD: usize = 2;

/// Changes held while the index is brought up, before they are written: more than a crash of a store at work leaves to be
/// brought up, so that the house need not wait for them.
const HELD_MAX_BYTES: usize = 2 * BACKLOG_MAX_BYTES;

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

fn journal(disk: Arc<dyn Disk>, options: StoreOptions) -> Result<OpenedJournal, StoreError> {
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
    reader: JournalReader,
    identity: [u8; 32],
    applied: u64,
}

type Indexed = (LiveIndex, Arc<Live>, Option<String>);

impl Indexing {
    fn of(dir: &Path, journal: &Journal) -> Indexing {
        Indexing { dir: dir.to_path_buf(), reader: journal.reader(), identity: journal.identity(), applied: 0 }
    }

    fn recovery(&self, opened: &OpenedJournal, rebuilt: Option<String>, began: Instant) -> Recovery {
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
        let first = index.applied_through().next();
        let batches = (self.reader.last().next().0 - first.0).div_ceil(AT_ONCE);
        // To parse an entry costs twice what it costs to project it.
        let parsers = std::thread::available_parallelism().map_or(1, usize::from).min(PARSERS_MAX);
        let reader = &self.reader;
        let applied = &mut self.applied;
        std::thread::scope(|scope| {
            let lanes: Vec<_> = (0..parsers)
                .map(|lane| {
                    let (give, take) = mpsc::sync_channel(BATCHES_AHEAD);
                    let mut mine = (0..batches).skip(lane).step_by(parsers);
                    scope.spawn(move || {
                        mine.try_for_each(|batch| give.send(some_of(reader, first.0 + batch * AT_ONCE)))
                    });
                    take
                })
                .collect();
            for lane in lanes.iter().cycle() {
                let Ok(batch) = lane.recv() else { return Ok(()) };
                let batch = batch.map_err(|error| Trouble::Store(error.into()))?;
                index.apply(&batch)?;
                *applied += batch.len() as u64;
                if live.backlog_bytes() > HELD_MAX_BYTES {
                    live.carry_over()?;
                }
            }
            Ok(())
        })
    }
}

/// The entries of one batch, without those that were purged.
fn some_of(reader: &JournalReader, first: u64) -> Result<Vec<Numbered>, ReadError> {
    let end = Position(first + AT_ONCE);
    let within = |entry: &Result<Numbered, _>| !entry.as_ref().is_ok_and(|(position, _)| *position >= end);
    reader.entries(Position(first)).take(AT_ONCE as usize).take_while(within).collect()
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
