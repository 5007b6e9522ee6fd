//! Which entry is in which segment, and where: kept in memory, shared between the writer and the readers.

use std::sync::Arc;

use parking_lot::{RwLock, RwLockReadGuard, RwLockWriteGuard};

use crate::journal::damage::Damage;
use crate::position::Position;

/// Every so many entries the offset is remembered: a lookup steps over at most these, within one or two reads, and a
/// segment of 64 MiB costs some 20 KB of memory.
pub const STRIDE: u64 = 8;

const SUFFIX: &str = ".segment";

pub fn segment_name(number: u64) -> String {
    format!("{number:012}{SUFFIX}")
}

pub fn segment_number(name: &str) -> Option<u64> {
    let number = name.strip_suffix(SUFFIX)?.parse().ok()?;
    (segment_name(number) == name).then_some(number)
}

/// Where every eighth entry of a segment begins.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Offsets {
    entries: u64,
    strides: Vec<u32>,
}

impl Offsets {
    pub fn push(&mut self, offset: u64) {
        if self.entries.is_multiple_of(STRIDE) {
            // Invariant: a segment is far shorter than 4 GiB.
            self.strides.push(u32::try_from(offset).unwrap_or(u32::MAX));
        }
        self.entries += 1;
    }

    /// Forgets all but the first so many entries.
    pub fn keep(&mut self, entries: u64) {
        if entries < self.entries {
            self.entries = entries;
            self.strides.truncate(usize::try_from(entries.div_ceil(STRIDE)).unwrap_or(usize::MAX));
        }
    }

    /// The nearest remembered offset at or before the entry of this index, and how many entries to step over from there.
    pub fn nearest(&self, index: u64) -> Option<(u64, u64)> {
        let stride = self.strides.get(usize::try_from(index / STRIDE).ok()?)?;
        Some((u64::from(*stride), index % STRIDE))
    }
}

#[derive(Clone, Debug)]
pub struct SegmentPlace {
    pub number: u64,
    pub first: Position,
    /// The last signed entry; before `first` when the segment is empty.
    pub last: Position,
    /// `None` until somebody reads from the segment.
    pub offsets: Option<Arc<Offsets>>,
    pub purged: bool,
    /// Where the last seal ends.
    pub end: u64,
    pub closed: bool,
    /// Found since the journal was opened.
    pub damage: Option<Damage>,
    /// `Entry::at` of the youngest entry in milliseconds, once the segment is closed.
    pub newest_at: i64,
}

#[derive(Debug, Default)]
pub struct Map {
    places: RwLock<Vec<SegmentPlace>>,
}

impl Map {
    pub fn read(&self) -> RwLockReadGuard<'_, Vec<SegmentPlace>> {
        self.places.read()
    }

    pub fn write(&self) -> RwLockWriteGuard<'_, Vec<SegmentPlace>> {
        self.places.write()
    }

    /// The last signed entry.
    pub fn signed_through(&self) -> Position {
        self.read().last().map_or(Position::START, |place| place.last)
    }

    /// The segment that holds an entry.
    pub fn find(&self, at: Position) -> Option<SegmentPlace> {
        let places = self.read();
        let index = places.partition_point(|place| place.last < at);
        places.get(index).filter(|place| place.first <= at && at <= place.last).cloned()
    }
}
