//! Purging a segment: its entries go, its header, rotation and footer stay, so that the chain is proven across the gap.

use std::io;

use crate::journal::damage::{Damage, DamageKind};
use crate::journal::disk::Disk;
use crate::journal::frame::FrameKind;
use crate::journal::map::{SegmentPlace, segment_name};
use crate::journal::reader::JournalReader;
use crate::journal::walk::{WHOLE_READ_BYTES, Walk, WalkStep};
use crate::position::Position;

/// A stub under way. One that is found at opening was not finished; the segment it should replace is still there.
pub const STUB_SUFFIX: &str = ".stub";

#[derive(Debug, thiserror::Error)]
pub enum PurgeError {
    #[error("segment {0} is still being written, or unknown; only closed segments can be purged")]
    NotClosed(u64),
    #[error("a purged segment cannot be written")]
    Io(#[from] io::Error),
    #[error(transparent)]
    Damage(#[from] Damage),
}

/// A closed segment that retention may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Closed {
    pub number: u64,
    pub first: Position,
    pub last: Position,
}

impl JournalReader {
    /// Segments whose youngest entry is older than this, in milliseconds since 1970. Empty and purged ones are left out.
    pub fn closed_before(&self, millis: i64) -> Vec<Closed> {
        let old = |place: &SegmentPlace| {
            place.closed && !place.purged && place.last >= place.first && place.newest_at < millis
        };
        let closed = |place: &SegmentPlace| Closed { number: place.number, first: place.first, last: place.last };
        self.places().iter().filter(|place| old(place)).map(closed).collect()
    }

    /// Replaces a closed segment by its stub. A crash leaves the one or the other.
    pub fn purge(&self, number: u64) -> Result<(), PurgeError> {
        let places = self.places();
        let place = places.iter().find(|place| place.number == number && place.closed);
        let place = place.ok_or(PurgeError::NotClosed(number))?;
        if place.purged {
            return Ok(());
        }
        let disk = self.disk().as_ref();
        let name = segment_name(number);
        let stub = stub_of(disk, number, &name)?;
        let draft = format!("{name}{STUB_SUFFIX}");
        if disk.list()?.contains(&draft) {
            disk.remove(&draft)?;
        }
        disk.create(&draft)?;
        disk.write(&draft, 0, &stub)?;
        disk.sync(&draft)?;
        disk.rename(&draft, &name)?;
        disk.sync_dir()?;
        self.mark_purged(number, stub.len() as u64);
        Ok(())
    }
}

fn stub_of(disk: &dyn Disk, number: u64, name: &str) -> Result<Vec<u8>, PurgeError> {
    let mut walk = Walk::from(disk, name, 0, WHOLE_READ_BYTES);
    let mut stub = Vec::new();
    loop {
        match walk.step()? {
            WalkStep::Frame { seen, .. } => match seen.kind {
                FrameKind::Header | FrameKind::Rotation => stub.extend_from_slice(seen.bytes),
                FrameKind::Entry | FrameKind::Signature => {}
                FrameKind::Footer => {
                    stub.extend_from_slice(seen.bytes);
                    return Ok(stub);
                }
            },
            WalkStep::End { offset } => {
                return Err(
                    Damage { segment: number, entry: Position::START, offset, what: DamageKind::Missing }.into()
                );
            }
            WalkStep::Broken { offset, why } => {
                return Err(
                    Damage { segment: number, entry: Position::START, offset, what: DamageKind::Frame(why) }.into()
                );
            }
        }
    }
}
