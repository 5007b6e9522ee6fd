//! Rows in sled: fast to write and never trusted. What it loses or mangles is made again from the journal.
//!
//! sled 0.34.7 flushes with `sync_file_range`, which survives no power cut, and never syncs its `conf` file nor its
//! directories (sled#1452). So we sync its data file ourselves. Where it panics on a damaged file, we catch that.

use std::fs::File;
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::index::IndexError;
use crate::index::live::Base;
use crate::index::rows::{Changes, RowKey, RowVisitor, Rows, Value, in_safe_order};

/// sled's own threads let go of its file a moment after its last handle is gone: an index closed and opened again by one
/// process waits for them. Other processes are kept out by the store's own lock.
const LET_GO_WITHIN: Duration = Duration::from_secs(5);
const LOOK_AGAIN: Duration = Duration::from_millis(5);

/// Page cache. sled takes several times what it is given, so it is given little: what matters most, the agenda, is not in
/// it.
pub const CACHE_BYTES: u64 = 48 << 20;

pub struct SledRows {
    db: ::sled::Db,
    dir: PathBuf,
}

/// Why the index folder could not be opened as it is.
#[derive(Debug, thiserror::Error)]
pub enum SledTrouble {
    #[error("sled cannot open its folder")]
    Open(#[source] ::sled::Error),
    #[error("sled panicked on its files")]
    Panicked,
    #[error("the index folder cannot be made durable")]
    Sync(#[source] std::io::Error),
}

impl SledRows {
    /// Opens or creates the engine's folder.
    pub fn open(dir: &Path) -> Result<SledRows, SledTrouble> {
        let config = ::sled::Config::new().path(dir).cache_capacity(CACHE_BYTES).flush_every_ms(None);
        let until = Instant::now() + LET_GO_WITHIN;
        let opened = loop {
            let opened = catch_unwind(AssertUnwindSafe(|| config.open())).map_err(|_| SledTrouble::Panicked)?;
            match opened {
                Err(error) if is_locked(&error) && Instant::now() < until => std::thread::sleep(LOOK_AGAIN),
                opened => break opened,
            }
        };
        let rows = SledRows { db: opened.map_err(SledTrouble::Open)?, dir: dir.to_path_buf() };
        rows.sync_names().map_err(SledTrouble::Sync)?;
        Ok(rows)
    }

    /// Makes `conf` and the directories durable, which sled never does.
    fn sync_names(&self) -> std::io::Result<()> {
        for name in ["conf", "blobs", ""] {
            let path = self.dir.join(name);
            if path.try_exists()? {
                File::open(path)?.sync_all()?;
            }
        }
        match self.dir.parent() {
            Some(parent) => File::open(parent)?.sync_all(),
            None => Ok(()),
        }
    }
}

/// sled has no error of its own for it.
fn is_locked(error: &::sled::Error) -> bool {
    matches!(error, ::sled::Error::Io(error) if error.to_string().contains("could not acquire lock"))
}

/// A panic inside sled is an answer about its files, not the end of the house.
fn guarded<T>(call: impl FnOnce() -> ::sled::Result<T>) -> Result<T, IndexError> {
    match catch_unwind(AssertUnwindSafe(call)) {
        Ok(result) => result.map_err(IndexError::Sled),
        Err(_) => Err(IndexError::Sled(::sled::Error::ReportableBug("sled panicked".to_string()))),
    }
}

impl Rows for SledRows {
    fn get(&self, key: &[u8]) -> Result<Option<Value>, IndexError> {
        Ok(guarded(|| self.db.get(key))?.map(|value| value.as_ref().into()))
    }

    fn scan(&self, prefix: &[u8], from: &[u8], visit: &mut RowVisitor<'_>) -> Result<(), IndexError> {
        let start = prefix.max(from);
        let mut rows = self.db.range(start..);
        while let Some((key, value)) = guarded(|| rows.next().transpose())? {
            if !key.starts_with(prefix) {
                return Ok(());
            }
            match visit(&key, &value)? {
                ControlFlow::Continue(()) => {}
                ControlFlow::Break(()) => return Ok(()),
            }
        }
        Ok(())
    }

    fn write(&self, changes: Changes) -> Result<(), IndexError> {
        self.carry(&changes)
    }
}

impl Base for SledRows {
    /// Halfway between the first key and the last: ids of referrals begin with when these were ordered, and orders come
    /// evenly enough.
    fn halfway(&self, prefix: &[u8]) -> Result<Option<RowKey>, IndexError> {
        let mut rows = self.db.scan_prefix(prefix).keys();
        let first = guarded(|| rows.next().transpose())?;
        let last = guarded(|| rows.next_back().transpose())?;
        let number =
            |key: &[u8]| key.get(prefix.len()..).and_then(|id| id.first_chunk()).map(|id| u128::from_be_bytes(*id));
        let (Some(first), Some(last)) = (first, last) else { return Ok(None) };
        let middle = number(&first).zip(number(&last)).map(|(first, last)| u128::midpoint(first, last));
        Ok(middle.map(|middle| [prefix, &middle.to_be_bytes()].concat().into()))
    }

    fn sync(&self) -> Result<(), IndexError> {
        guarded(|| self.db.flush().map(|_| ()))?;
        File::open(self.dir.join("db"))
            .and_then(|file| file.sync_data())
            .map_err(|error| IndexError::Sled(::sled::Error::Io(error)))
    }

    /// Row by row: neighbours in key order lie in one page of the tree, and a batch of sled's would be atomic at the price
    /// of that order and of a lock that readers wait for.
    fn carry(&self, layer: &Changes) -> Result<(), IndexError> {
        guarded(|| {
            in_safe_order(layer).try_for_each(|(key, change)| {
                match change {
                    Some(value) => self.db.insert(key, value.as_ref()),
                    None => self.db.remove(key),
                }
                .map(drop)
            })
        })
    }
}
