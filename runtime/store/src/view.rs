//! A look into a store from outside, beside the daemon or without it: the journal as it is signed, indexed in memory.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::entry::Entry;
use crate::index::{Index, IndexError, KeyedIndex, MemoryIndex, MemoryRows, Unusable};
use crate::journal::{Entries as _, Iter, JournalReader, Looked, OpenError, ReadError, RealDisk, look};
use crate::position::Position;

/// Entries given to the index at once.
const AT_ONCE: usize = 1_024;

/// Reads only. Shows what was signed when it was opened.
pub struct View {
    reader: JournalReader,
    index: MemoryIndex,
    keys: Vec<[u8; 32]>,
}

#[derive(Debug, thiserror::Error)]
pub enum ViewError {
    #[error("{0} holds no journal\n  help: name the data folder, as `data:` in handoff.yaml has it")]
    NoJournal(PathBuf, #[source] io::Error),
    #[error("the journal cannot be opened")]
    Open(#[from] OpenError),
    #[error("the journal cannot be read")]
    Read(#[from] ReadError),
    #[error("the journal cannot be indexed")]
    Index(#[from] IndexError),
    #[error(transparent)]
    Unusable(#[from] Unusable),
}

impl View {
    /// Opens a data folder.
    ///
    /// # Errors
    /// When there is no journal, or it is damaged.
    pub fn open(dir: &Path) -> Result<View, ViewError> {
        let disk = RealDisk::read_only(&dir.join("journal"))
            .map_err(|error| ViewError::NoJournal(dir.to_path_buf(), error))?;
        let Looked { reader, identity, keys } = look(Arc::new(disk))?;
        let index = KeyedIndex::open(MemoryRows::default(), Arc::new(reader.clone()), identity, reader.last())?;
        let mut batch = Vec::with_capacity(AT_ONCE);
        let last = reader.last();
        for entry in reader.entries(Position::START) {
            let (position, entry) = entry?;
            if position > last {
                break;
            }
            batch.push((position, entry));
            if batch.len() == AT_ONCE {
                index.apply(&batch)?;
                batch.clear();
            }
        }
        index.apply(&batch)?;
        Ok(View { reader, index, keys })
    }

    pub fn index(&self) -> &dyn Index {
        &self.index
    }

    pub fn reader(&self) -> &JournalReader {
        &self.reader
    }

    /// The public keys that signed the journal, oldest first.
    pub fn keys(&self) -> &[[u8; 32]] {
        &self.keys
    }

    pub fn read(&self, at: Position) -> Result<Option<Arc<Entry>>, ReadError> {
        self.reader.entry(at)
    }

    pub fn entries(&self, from: Position) -> Iter {
        self.reader.entries(from)
    }

    pub fn last(&self) -> Position {
        self.reader.last()
    }
}
