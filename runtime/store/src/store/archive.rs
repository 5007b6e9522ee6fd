//! Backup of a running store, and restoring one.

use std::fs;
use std::path::Path;

use ed25519_dalek::VerifyingKey;

use crate::journal::{CopyError, Disk as _, RealDisk, VerifiedJournal, VerifyError, copy, is_same, verify};
use crate::position::Position;
use crate::store::Store;

#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    #[error("the backup folder cannot be used")]
    Folder(#[source] std::io::Error),
    #[error("the journal was not copied")]
    Copy(#[from] CopyError),
    #[error("the backup is not sound, and nothing was restored from it")]
    Unsound(#[source] VerifyError),
    #[error("the place to restore to already holds a journal; name an empty or new folder")]
    Occupied,
}

impl Store {
    /// Copies every signed entry to a new or empty folder, while commits go on. Returns the last one's position. The copy
    /// can be verified, opened and restored by itself; it holds no index. A segment that the earlier backup `since` has, byte for
    /// byte, is not written once more: both names lead to one file.
    pub fn backup(&self, to: &Path, since: Option<&Path>) -> Result<Position, ArchiveError> {
        let disk = RealDisk::open(&to.join("journal")).map_err(ArchiveError::Folder)?;
        let reader = &self.inner.reader;
        let has = |name: &str, end: u64| {
            let Some(earlier) = since.map(|since| since.join("journal").join(name)) else { return Ok(false) };
            Ok(is_same(reader, name, end, &earlier)? && fs::hard_link(&earlier, disk.dir().join(name)).is_ok())
        };
        Ok(copy(reader, &disk, &has)?)
    }
}

/// Verifies a backup and copies it to where a store can be opened. `key` is any public key that ever signed it.
pub fn restore(from: &Path, to: &Path, key: &VerifyingKey) -> Result<VerifiedJournal, ArchiveError> {
    let source = from.join("journal");
    let sound = verify(&source, key).map_err(ArchiveError::Unsound)?;
    let disk = RealDisk::open(&to.join("journal")).map_err(ArchiveError::Folder)?;
    if !disk.list().map_err(ArchiveError::Folder)?.is_empty() {
        return Err(ArchiveError::Occupied);
    }
    copy_files(&source, &disk).map_err(ArchiveError::Folder)?;
    verify(disk.dir(), key)
        .map_err(ArchiveError::Unsound)
        .map(|restored| if restored == sound { sound } else { restored })
}

fn copy_files(source: &Path, to: &RealDisk) -> std::io::Result<()> {
    let from = RealDisk::read_only(source)?;
    for name in from.list()? {
        std::fs::copy(source.join(&name), to.dir().join(&name))?;
        to.sync(&name)?;
    }
    to.sync_dir()
}
