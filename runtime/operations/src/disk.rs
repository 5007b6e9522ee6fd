//! How much room there is, and how much the journal takes.

use std::path::Path;

use crate::operations::Operations;

/// In bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DiskUse {
    /// As [`free_bytes`]; none where the disk cannot be asked.
    pub free_bytes: u64,
    pub journal_bytes: u64,
}

/// Free on a folder's disk for the user that Handoff runs as (statvfs(3), `f_bavail`). Nothing where it cannot be asked.
pub fn free_bytes(folder: &Path) -> Option<u64> {
    let disk = rustix::fs::statvfs(folder).ok()?;
    Some(disk.f_bavail.saturating_mul(disk.f_frsize))
}

impl Operations {
    pub fn disk(&self) -> DiskUse {
        let data = &self.paths.data;
        let free_bytes = free_bytes(data).unwrap_or(0);
        let segments = std::fs::read_dir(data.join("journal")).into_iter().flatten().flatten();
        let journal_bytes = segments.filter_map(|segment| Some(segment.metadata().ok()?.len())).sum();
        DiskUse { free_bytes, journal_bytes }
    }
}
