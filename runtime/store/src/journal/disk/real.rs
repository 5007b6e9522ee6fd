//! A directory of the real file system.

use std::collections::HashMap;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parking_lot::Mutex;
use rustix::fs::{CWD, RenameFlags, renameat_with};

use crate::journal::disk::Disk;

/// Files kept open. A journal of seven years may have thousands of segments; the process may open 1,024 files by default.
const OPEN_FILES_MAX: usize = 256;

/// What a new file may be to whom, before the umask: the journal is tokenised and an auditor may read it.
const FOR_AUDITORS: u32 = 0o644;

/// Keys are for the daemon's own user.
const FOR_OWNER: u32 = 0o600;

pub struct RealDisk {
    dir: PathBuf,
    open: Mutex<HashMap<String, Arc<File>>>,
    read_only: bool,
    mode: u32,
    /// Held while this process has the directory for itself.
    _lock: Option<File>,
}

impl RealDisk {
    /// Opens the directory; creates it when it is missing.
    pub fn open(dir: &Path) -> io::Result<RealDisk> {
        if !dir.try_exists()? {
            fs::create_dir_all(dir)?;
            if let Some(parent) = dir.parent() {
                File::open(parent)?.sync_all()?;
            }
        }
        Ok(RealDisk {
            dir: dir.to_path_buf(),
            open: Mutex::default(),
            read_only: false,
            mode: FOR_AUDITORS,
            _lock: None,
        })
    }

    /// As [`RealDisk::open`], for this process alone and with files that nobody else may read.
    ///
    /// # Errors
    /// Also when another process has it so: [`io::ErrorKind::WouldBlock`].
    pub fn private(dir: &Path) -> io::Result<RealDisk> {
        let disk = RealDisk::open(dir)?;
        let lock = File::open(dir)?;
        lock.try_lock()?;
        Ok(RealDisk { mode: FOR_OWNER, _lock: Some(lock), ..disk })
    }

    /// Opens a directory that is only looked at: needs no right to write.
    pub fn read_only(dir: &Path) -> io::Result<RealDisk> {
        fs::read_dir(dir)?;
        Ok(RealDisk {
            dir: dir.to_path_buf(),
            open: Mutex::default(),
            read_only: true,
            mode: FOR_AUDITORS,
            _lock: None,
        })
    }

    pub fn dir(&self) -> &Path {
        &self.dir
    }

    fn file(&self, name: &str) -> io::Result<Arc<File>> {
        let mut open = self.open.lock();
        if let Some(file) = open.get(name) {
            return Ok(file.clone());
        }
        if open.len() >= OPEN_FILES_MAX {
            open.clear();
        }
        let file = Arc::new(OpenOptions::new().read(true).write(!self.read_only).open(self.dir.join(name))?);
        open.insert(name.to_string(), file.clone());
        Ok(file)
    }

    fn forget(&self, name: &str) {
        self.open.lock().remove(name);
    }
}

impl Disk for RealDisk {
    fn create(&self, name: &str) -> io::Result<()> {
        let file =
            OpenOptions::new().read(true).write(true).create_new(true).mode(self.mode).open(self.dir.join(name))?;
        self.open.lock().insert(name.to_string(), Arc::new(file));
        Ok(())
    }

    fn write(&self, name: &str, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.file(name)?.write_all_at(bytes, offset)
    }

    fn truncate(&self, name: &str, length: u64) -> io::Result<()> {
        self.file(name)?.set_len(length)
    }

    fn sync(&self, name: &str) -> io::Result<()> {
        self.file(name)?.sync_data()
    }

    fn read(&self, name: &str, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let file = self.file(name)?;
        let mut filled = 0;
        while filled < buffer.len() {
            match file.read_at(&mut buffer[filled..], offset + filled as u64) {
                Ok(0) => break,
                Ok(count) => filled += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(filled)
    }

    fn length(&self, name: &str) -> io::Result<u64> {
        Ok(self.file(name)?.metadata()?.len())
    }

    fn list(&self) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in fs::read_dir(&self.dir)? {
            names.extend(entry?.file_name().into_string());
        }
        names.sort();
        Ok(names)
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.forget(from);
        self.forget(to);
        fs::rename(self.dir.join(from), self.dir.join(to))
    }

    fn exchange(&self, one: &str, other: &str) -> io::Result<()> {
        self.forget(one);
        self.forget(other);
        let (one, other) = (self.dir.join(one), self.dir.join(other));
        Ok(renameat_with(CWD, one, CWD, other, RenameFlags::EXCHANGE)?)
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.forget(name);
        fs::remove_file(self.dir.join(name))
    }

    fn sync_dir(&self) -> io::Result<()> {
        File::open(&self.dir)?.sync_all()
    }
}
