//! How a store is opened, and what opening found.

use std::path::PathBuf;
use std::time::Duration;

use ed25519_dalek::SigningKey;

use crate::index::{IndexError, SledTrouble};
use crate::journal::{OpenError, ReadError, SEGMENT_MAX_BYTES, VerifyDepth};
use crate::position::Position;

pub struct StoreOptions {
    /// Holds `journal/`, which is the truth, and `index/`, which can be removed.
    pub dir: PathBuf,
    pub signing_key: SigningKey,
    /// How much of the journal is checked before it is used.
    pub depth: VerifyDepth,
    /// A journal segment's size: [`SEGMENT_MAX_BYTES`], or less on a disk that is simulated.
    pub segment_max_bytes: u64,
}

impl StoreOptions {
    pub fn new(dir: impl Into<PathBuf>, signing_key: SigningKey) -> StoreOptions {
        StoreOptions { dir: dir.into(), signing_key, depth: VerifyDepth::Whole, segment_max_bytes: SEGMENT_MAX_BYTES }
    }
}

/// What opening found and did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recovery {
    /// The last entry in the journal.
    pub last: Position,
    /// Bytes of a torn, never acknowledged batch that were cut.
    pub cut_bytes: u64,
    /// Bytes of the journal that were checked.
    pub checked_bytes: u64,
    /// Entries that the index took over from the journal.
    pub applied: u64,
    /// Why the index was built anew, if it was.
    pub rebuilt: Option<String>,
    pub took: Duration,
}

/// An index that was built anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reindexed {
    /// Entries that it took over from the journal.
    pub entries: u64,
    pub took: Duration,
}

#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("the data folder {0} cannot be used")]
    Folder(PathBuf, #[source] std::io::Error),
    #[error("the data folder {0} is open in another process\n  help: stop the running handoff first")]
    InUse(PathBuf),
    #[error("the journal cannot be opened")]
    Journal(#[from] OpenError),
    #[error("the journal cannot be read into the index")]
    Read(#[from] ReadError),
    #[error(
        "the index in {0} cannot be made\n  help: remove this folder; the next start builds it again from the journal"
    )]
    Index(PathBuf, #[source] SledTrouble),
    #[error("the index cannot be brought up to date")]
    Apply(#[from] IndexError),
}
