//! Whole files beside the journal: keys, accounts, components, backups. After a power cut each is there as it was written or
//! as it was before, and never in part.
//!
//! The journal and the key ring do not come here: they go through their [`Disk`](crate::journal::Disk), which a simulation
//! fails on purpose.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

/// Puts `bytes` in the place of what is at `path`, if anything is. They are durable once this returns; until then the old
/// file is there. One at a time for each path: the draft beside it has one name.
///
/// # Errors
/// When the disk does not take it. The old file is then still whole.
pub fn replace(path: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    let draft = draft_of(path);
    // One that a crash left may have another mode.
    match fs::remove_file(&draft) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        Ok(()) | Err(_) => {}
    }
    write_new(&draft, bytes, mode)?;
    fs::rename(&draft, path)?;
    sync_folder_of(path)
}

/// Writes a file where there was none. It is durable once this returns; a crash before may leave a part of it.
///
/// # Errors
/// When there is one already, or the disk does not take it.
pub fn create(path: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    write_new(path, bytes, mode)?;
    sync_folder_of(path)
}

fn write_new(path: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// fsync(2): a name is durable with its folder, not with its file.
fn sync_folder_of(path: &Path) -> io::Result<()> {
    // The folder of a bare name is called nothing.
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}

fn draft_of(path: &Path) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(".part");
    PathBuf::from(name)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn mode_of(path: &Path) -> u32 {
        fs::metadata(path).expect("a file").permissions().mode() & 0o777
    }

    #[test]
    fn a_replaced_file_is_whole_has_its_mode_and_leaves_no_draft() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("people");
        fs::write(draft_of(&path), b"half of an older one that was lo").expect("written");
        for bytes in [&b"first"[..], b"second, and longer", b""] {
            replace(&path, bytes, 0o600).expect("replaced");
            assert_eq!(fs::read(&path).expect("read"), bytes);
            assert_eq!(mode_of(&path), 0o600);
        }
        assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 1);
    }

    #[test]
    fn a_new_file_takes_nobodys_place() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("master.key");
        create(&path, b"the first", 0o600).expect("written");
        assert_eq!(create(&path, b"another", 0o600).map_err(|error| error.kind()), Err(io::ErrorKind::AlreadyExists));
        assert_eq!(fs::read(&path).expect("read"), b"the first");
    }
}
