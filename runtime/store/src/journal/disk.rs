//! What the journal and the key ring ask of a disk, and no more: so that a simulated one can fail in every way a real one
//! does.

mod dice;
mod real;
mod sim;

use std::io;

pub use self::dice::DiskDice;
pub use self::real::RealDisk;
pub use self::sim::{DiskFault, SimDisk};

/// One directory of files. Errors are final for the journal: it never retries a failed sync, since the kernel may have
/// dropped the pages and would report success the second time.
pub trait Disk: Send + Sync + 'static {
    /// Makes an empty file; fails when the name is taken. Not durable before [`Disk::sync_dir`].
    fn create(&self, name: &str) -> io::Result<()>;
    /// Writes all of it at an offset, growing the file where needed. Not durable before [`Disk::sync`].
    fn write(&self, name: &str, offset: u64, bytes: &[u8]) -> io::Result<()>;
    /// Cuts the file to a length. Not durable before [`Disk::sync`].
    fn truncate(&self, name: &str, length: u64) -> io::Result<()>;
    /// Makes the file's bytes and its length durable.
    fn sync(&self, name: &str) -> io::Result<()>;
    /// Fills as much of the buffer as the file has from that offset; returns how much.
    fn read(&self, name: &str, offset: u64, buffer: &mut [u8]) -> io::Result<usize>;
    fn length(&self, name: &str) -> io::Result<u64>;
    /// All names, in order.
    fn list(&self) -> io::Result<Vec<String>>;
    /// Puts one file in the place of another. Not durable before [`Disk::sync_dir`].
    fn rename(&self, from: &str, to: &str) -> io::Result<()>;
    /// Two files change names, at once. Not durable before [`Disk::sync_dir`].
    fn exchange(&self, one: &str, other: &str) -> io::Result<()>;
    /// Not durable before [`Disk::sync_dir`].
    fn remove(&self, name: &str) -> io::Result<()>;
    /// Makes the directory's names durable.
    fn sync_dir(&self) -> io::Result<()>;
}
