//! Looking into a journal that somebody else may be writing: nothing is locked, cut or changed.

use std::sync::Arc;

use crate::journal::check::{Signatures, follows};
use crate::journal::disk::Disk;
use crate::journal::map::Map;
use crate::journal::open::{OpenError, closed, place_of, segments_of};
use crate::journal::reader::JournalReader;
use crate::journal::verify::check_all;

/// What is signed so far.
pub struct Looked {
    pub reader: JournalReader,
    /// Tells one journal from another.
    pub identity: [u8; 32],
    /// The public keys that signed it, oldest first.
    pub keys: Vec<[u8; 32]>,
}

/// Checks the whole journal and gives what is signed of it. A batch that is just being written is not there yet.
pub fn look(disk: Arc<dyn Disk>) -> Result<Looked, OpenError> {
    let numbers = segments_of(disk.as_ref())?;
    let mut checked = check_all(disk.as_ref(), &numbers, Signatures::Last);
    let last = checked.pop().transpose()?;
    let mut segments = closed(checked, &numbers)?;
    if let Some(segment) = last.and_then(|last| last.segment) {
        follows(segments.last(), &segment)?;
        segments.push(segment);
    }
    let identity = segments.first().map_or([0; 32], |segment| segment.opened.0);
    let mut keys: Vec<_> = segments.iter().flat_map(|it| [it.header.key, it.key.to_bytes()]).collect();
    keys.dedup();
    let map = Arc::new(Map::default());
    map.write().extend(segments.iter().map(place_of));
    Ok(Looked { reader: JournalReader::new(disk, map), identity, keys })
}
