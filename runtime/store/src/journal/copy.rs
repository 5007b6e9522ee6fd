//! Copies a journal, also while it is written: closed segments whole, the open one up to its last seal.

use std::fs;
use std::io::{self, Read as _};
use std::path::Path;

use crate::journal::disk::Disk;
use crate::journal::map::segment_name;
use crate::journal::reader::JournalReader;
use crate::position::Position;

/// Bytes copied at once.
const COPY_BYTES: usize = 1 << 20;

#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    #[error("the journal cannot be copied")]
    Io(#[from] io::Error),
    #[error("the place to copy to is not empty; name an empty or new folder")]
    NotEmpty,
    #[error("segment {0} was purged while it was copied; begin the copy again")]
    Moved(u64),
}

/// Copies every signed entry to an empty disk; returns the last one's position. The copy is a whole journal by itself.
///
/// `has` says of a segment's name and length that it lies there already.
pub fn copy(
    from: &JournalReader,
    to: &dyn Disk,
    has: &dyn Fn(&str, u64) -> io::Result<bool>,
) -> Result<Position, CopyError> {
    if !to.list()?.is_empty() {
        return Err(CopyError::NotEmpty);
    }
    // Taken once: what is signed later is not part of this copy.
    let places = from.places();
    let mut buffer = vec![0; COPY_BYTES];
    for place in &places {
        let name = segment_name(place.number);
        if has(&name, place.end)? {
            continue;
        }
        to.create(&name)?;
        let mut offset = 0;
        while offset < place.end {
            let wanted = usize::try_from(place.end - offset).map_or(COPY_BYTES, |rest| rest.min(COPY_BYTES));
            let count = from.disk().read(&name, offset, &mut buffer[..wanted])?;
            if count == 0 {
                return Err(CopyError::Moved(place.number));
            }
            to.write(&name, offset, &buffer[..count])?;
            offset += count as u64;
        }
        to.sync(&name)?;
    }
    to.sync_dir()?;
    Ok(places.last().map_or(Position::START, |place| place.last))
}

/// Whether a file holds what the segment does. One that cannot be read does not.
pub fn is_same(from: &JournalReader, name: &str, end: u64, earlier: &Path) -> io::Result<bool> {
    let Ok(file) = fs::File::open(earlier) else { return Ok(false) };
    if file.metadata().is_ok_and(|found| found.len() != end) {
        return Ok(false);
    }
    let (mut ours, mut theirs) = (vec![0; COPY_BYTES], Vec::with_capacity(COPY_BYTES));
    let (mut file, mut offset) = (file, 0);
    while offset < end {
        let wanted = usize::try_from(end - offset).map_or(COPY_BYTES, |rest| rest.min(COPY_BYTES));
        let count = from.disk().read(name, offset, &mut ours[..wanted])?;
        theirs.clear();
        if count == 0 || (&mut file).take(count as u64).read_to_end(&mut theirs).is_err() || theirs != ours[..count] {
            return Ok(false);
        }
        offset += count as u64;
    }
    Ok(true)
}
