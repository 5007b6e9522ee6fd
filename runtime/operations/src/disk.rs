//! How much room there is, and how much the journal takes.

use crate::operations::Operations;

/// In bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DiskUse {
    /// For the user that Handoff runs as (statvfs(3), `f_bavail`). None where the disk cannot be asked.
    pub free_bytes: u64,
    pub journal_bytes: u64,
}

impl Operations {
    pub fn disk(&self) -> DiskUse {
        let data = &self.paths.data;
        let free_bytes = rustix::fs::statvfs(data).map_or(0, |disk| disk.f_bavail.saturating_mul(disk.f_frsize));
        let segments = std::fs::read_dir(data.join("journal")).into_iter().flatten().flatten();
        let journal_bytes = segments.filter_map(|segment| Some(segment.metadata().ok()?.len())).sum();
        DiskUse { free_bytes, journal_bytes }
    }
}
