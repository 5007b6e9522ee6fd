//! The accounts on disk: one file in the data folder, sealed under the house's key, replaced whole.
//!
//! Sealed it tells a thief neither hash nor role, and nobody can write one that this house would read.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use handoff_vault::PeopleKey;
use rand::CryptoRng;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::account::Account;

/// In the data folder, and in every backup.
pub const NAME: &str = "people";

const FORMAT: &str = "handoff/people@1";

const PRIVATE: u32 = 0o600;

/// What the file holds.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Book {
    format: String,
    /// The highest that an account has had.
    version: u64,
    pub people: BTreeMap<String, Account>,
}

/// Where it lies, and what opens it.
pub struct Shelf {
    path: PathBuf,
    key: PeopleKey,
}

#[derive(Debug, thiserror::Error)]
pub enum FileError {
    #[error("cannot use the accounts in {}", path.display())]
    Io { path: PathBuf, source: io::Error },
    #[error(
        "the accounts in {} are damaged, or of another house\n\
         help: put the file back from a backup of this house; without it nobody can sign in",
        path.display()
    )]
    Sealed { path: PathBuf },
    #[error("the accounts in {} have format {found:?}; this version reads {FORMAT:?}", path.display())]
    OtherFormat { path: PathBuf, found: String },
    #[error("the accounts cannot be written down")]
    Json(#[from] serde_json::Error),
}

impl Book {
    pub fn next_version(&mut self) -> u64 {
        self.version += 1;
        self.version
    }
}

impl Default for Book {
    fn default() -> Book {
        Book { format: FORMAT.into(), version: 0, people: BTreeMap::new() }
    }
}

impl Shelf {
    pub fn new(data: &Path, key: PeopleKey) -> Shelf {
        Shelf { path: data.join(NAME), key }
    }

    /// A house without the file has nobody yet.
    pub fn read(&self) -> Result<Book, FileError> {
        let sealed = match fs::read(&self.path) {
            Ok(sealed) => sealed,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Book::default()),
            Err(source) => return Err(self.failed(source)),
        };
        let damaged = || FileError::Sealed { path: self.path.clone() };
        let clear = self.key.open(&sealed).ok_or_else(damaged)?;
        let book: Book = serde_json::from_slice(&clear).map_err(|_| damaged())?;
        match book.format == FORMAT {
            true => Ok(book),
            false => Err(FileError::OtherFormat { path: self.path.clone(), found: book.format }),
        }
    }

    /// Returns when it is whole and durable; until then the old one is.
    pub fn write(&self, book: &Book, dice: &mut dyn CryptoRng) -> Result<(), FileError> {
        let clear = Zeroizing::new(serde_json::to_vec(book)?);
        let sealed = self.key.close(&clear, dice).ok_or_else(|| self.failed(io::ErrorKind::FileTooLarge.into()))?;
        let written = || -> io::Result<()> {
            let draft = self.path.with_extension("new");
            let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(PRIVATE).open(&draft)?;
            file.write_all(&sealed)?;
            file.sync_all()?;
            fs::rename(&draft, &self.path)?;
            File::open(self.path.parent().unwrap_or(Path::new(".")))?.sync_all()
        };
        written().map_err(|source| self.failed(source))
    }

    fn failed(&self, source: io::Error) -> FileError {
        FileError::Io { path: self.path.clone(), source }
    }
}
