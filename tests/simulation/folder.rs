//! A folder of a simulated disk: journal and key ring lie on one disk, and one power cut takes both.

use std::io;

use handoff_store::journal::{Disk, SimDisk};

#[derive(Clone)]
pub struct Folder {
    pub disk: SimDisk,
    /// Ends in a slash.
    pub prefix: &'static str,
}

impl Folder {
    fn path(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }
}

impl Disk for Folder {
    fn create(&self, name: &str) -> io::Result<()> {
        self.disk.create(&self.path(name))
    }

    fn write(&self, name: &str, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.disk.write(&self.path(name), offset, bytes)
    }

    fn truncate(&self, name: &str, length: u64) -> io::Result<()> {
        self.disk.truncate(&self.path(name), length)
    }

    fn sync(&self, name: &str) -> io::Result<()> {
        self.disk.sync(&self.path(name))
    }

    fn read(&self, name: &str, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        self.disk.read(&self.path(name), offset, buffer)
    }

    fn length(&self, name: &str) -> io::Result<u64> {
        self.disk.length(&self.path(name))
    }

    fn list(&self) -> io::Result<Vec<String>> {
        Ok(self.disk.list()?.iter().filter_map(|path| path.strip_prefix(self.prefix)).map(str::to_string).collect())
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.disk.rename(&self.path(from), &self.path(to))
    }

    fn exchange(&self, one: &str, other: &str) -> io::Result<()> {
        self.disk.exchange(&self.path(one), &self.path(other))
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.disk.remove(&self.path(name))
    }

    fn sync_dir(&self) -> io::Result<()> {
        self.disk.sync_dir()
    }
}
