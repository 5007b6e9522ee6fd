//! Reads signed entries back, by position and in order, beside the writer.

use std::io;
use std::sync::Arc;

use crate::entry::Entry;
use crate::journal::check::CheckError;
use crate::journal::damage::{Damage, DamageKind};
use crate::journal::disk::Disk;
use crate::journal::frame::FrameKind;
use crate::journal::map::{Map, Offsets, SegmentPlace, segment_name};
use crate::journal::walk::{LOOKUP_READ_BYTES, WHOLE_READ_BYTES, Walk, WalkStep};
use crate::position::Position;

/// Gives entries by position: a journal, or a list in memory.
pub trait Entries: Send + Sync {
    /// `None` when that part of the journal was purged.
    fn entry(&self, at: Position) -> Result<Option<Arc<Entry>>, ReadError>;
}

/// An entry and where it stands.
pub type Numbered = (Position, Arc<Entry>);

#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    #[error("the journal has no entry {0} yet")]
    NotYet(Position),
    #[error("the journal cannot be read")]
    Io(#[from] io::Error),
    #[error(transparent)]
    Damage(#[from] Damage),
}

impl From<CheckError> for ReadError {
    fn from(error: CheckError) -> ReadError {
        match error {
            CheckError::Io(error) => ReadError::Io(error),
            CheckError::Damage(damage) => ReadError::Damage(damage),
        }
    }
}

/// How much of a journal is signed, and in how many files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extent {
    pub segments: u64,
    /// Segments whose entries were purged, and whose seals remain.
    pub purged: u64,
    pub bytes: u64,
}

/// Cheap to clone; many threads may read at once.
#[derive(Clone)]
pub struct JournalReader {
    disk: Arc<dyn Disk>,
    map: Arc<Map>,
}

impl Entries for JournalReader {
    fn entry(&self, at: Position) -> Result<Option<Arc<Entry>>, ReadError> {
        let Some(place) = self.map.find(at) else { return Err(ReadError::NotYet(at)) };
        if place.purged {
            return Ok(None);
        }
        match self.read_in(&place, at) {
            Ok(entry) => Ok(Some(Arc::new(entry))),
            // It may have been purged in between.
            Err(_) if self.map.find(at).is_some_and(|place| place.purged) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

impl JournalReader {
    pub(super) fn new(disk: Arc<dyn Disk>, map: Arc<Map>) -> JournalReader {
        JournalReader { disk, map }
    }

    /// The last signed entry.
    pub fn last(&self) -> Position {
        self.map.signed_through()
    }

    /// All signed entries from a position on, as far as the journal reaches when each is asked for. Purged ones are passed
    /// over.
    pub fn entries(&self, from: Position) -> Iter {
        Iter { reader: self.clone(), next: Position(from.0.max(1)), ready: Vec::new() }
    }

    /// How much of a journal there is.
    pub fn extent(&self) -> Extent {
        let places = self.map.read();
        Extent {
            segments: places.len() as u64,
            purged: places.iter().filter(|place| place.purged).count() as u64,
            bytes: places.iter().map(|place| place.end).sum(),
        }
    }

    pub(super) fn places(&self) -> Vec<SegmentPlace> {
        self.map.read().clone()
    }

    pub(super) fn disk(&self) -> &Arc<dyn Disk> {
        &self.disk
    }

    pub(super) fn mark_purged(&self, number: u64, end: u64) {
        self.note(number, |place| {
            place.purged = true;
            place.offsets = None;
            place.end = end;
        });
    }

    pub(super) fn note(&self, number: u64, learned: impl FnOnce(&mut SegmentPlace)) {
        if let Some(place) = self.map.write().iter_mut().find(|place| place.number == number) {
            learned(place);
        }
    }

    fn read_in(&self, place: &SegmentPlace, at: Position) -> Result<Entry, ReadError> {
        let (offset, skip) = match self.nearest(place, at)? {
            Some(found) => found,
            None => return Err(damage(place, at, 0, DamageKind::Missing).into()),
        };
        let name = segment_name(place.number);
        let mut walk = Walk::from(self.disk.as_ref(), &name, offset, LOOKUP_READ_BYTES);
        let mut left = skip;
        loop {
            match walk.step()? {
                WalkStep::Frame { seen, offset } if seen.kind == FrameKind::Entry => {
                    if left == 0 {
                        return parse(place, at, offset, seen.payload());
                    }
                    left -= 1;
                }
                WalkStep::Frame { .. } => {}
                WalkStep::End { offset } => return Err(damage(place, at, offset, DamageKind::Missing).into()),
                WalkStep::Broken { offset, why } => {
                    return Err(damage(place, at, offset, DamageKind::Frame(why)).into());
                }
            }
        }
    }

    fn nearest(&self, place: &SegmentPlace, at: Position) -> Result<Option<(u64, u64)>, ReadError> {
        let index = at.0 - place.first.0;
        if let Some(offsets) = &place.offsets {
            return Ok(offsets.nearest(index));
        }
        let (offsets, damage) = self.offsets(place)?;
        let nearest = offsets.nearest(index);
        match damage {
            // What stands before the damage can still be read.
            Some(damage) if at > damage.entry => return Err(damage.into()),
            Some(_) => {}
            None => self.note(place.number, |place| place.offsets = Some(Arc::new(offsets))),
        }
        Ok(nearest)
    }

    /// Of the whole segment, or up to its first damage.
    fn offsets(&self, place: &SegmentPlace) -> io::Result<(Offsets, Option<Damage>)> {
        let name = segment_name(place.number);
        let mut walk = Walk::from(self.disk.as_ref(), &name, 0, WHOLE_READ_BYTES);
        let mut offsets = Offsets::default();
        let mut last = Position(place.first.0 - 1);
        loop {
            match walk.step()? {
                WalkStep::Frame { seen, offset } if seen.kind == FrameKind::Entry => {
                    offsets.push(offset);
                    last = last.next();
                }
                WalkStep::Frame { .. } => {}
                WalkStep::End { .. } => return Ok((offsets, None)),
                WalkStep::Broken { offset, why } => {
                    return Ok((offsets, Some(damage(place, last, offset, DamageKind::Frame(why)))));
                }
            }
        }
    }

    /// Some entries from a position on, all from one segment; none at the journal's end.
    fn some_from(&self, from: Position) -> Result<(Vec<Numbered>, Position), ReadError> {
        let Some(place) = self.map.find(from) else { return Ok((Vec::new(), from)) };
        if place.purged {
            return Ok((Vec::new(), place.last.next()));
        }
        let Some((offset, skip)) = self.nearest(&place, from)? else {
            return Err(damage(&place, from, 0, DamageKind::Missing).into());
        };
        let name = segment_name(place.number);
        let mut walk = Walk::from(self.disk.as_ref(), &name, offset, WHOLE_READ_BYTES);
        let mut at = Position(from.0 - skip);
        let mut found = Vec::new();
        while at <= place.last && found.len() < READ_AHEAD_ENTRIES {
            match walk.step()? {
                WalkStep::Frame { seen, offset } if seen.kind == FrameKind::Entry => {
                    if at >= from {
                        found.push((at, Arc::new(parse(&place, at, offset, seen.payload())?)));
                    }
                    at = at.next();
                }
                WalkStep::Frame { .. } => {}
                WalkStep::End { offset } => return Err(damage(&place, at, offset, DamageKind::Missing).into()),
                WalkStep::Broken { offset, why } => {
                    return Err(damage(&place, at, offset, DamageKind::Frame(why)).into());
                }
            }
        }
        Ok((found, at))
    }
}

/// Entries read at once by [`Reader::entries`]: some hundred KiB at the usual size.
const READ_AHEAD_ENTRIES: usize = 256;

pub(super) fn damage(place: &SegmentPlace, entry: Position, offset: u64, what: DamageKind) -> Damage {
    Damage { segment: place.number, entry, offset, what }
}

fn parse(place: &SegmentPlace, at: Position, offset: u64, payload: &[u8]) -> Result<Entry, ReadError> {
    serde_json::from_slice(payload).map_err(|_| damage(place, at, offset, DamageKind::Entry).into())
}

/// Entries in order. Ends at the journal's present end; asked again later, it goes on.
pub struct Iter {
    reader: JournalReader,
    next: Position,
    /// Latest first.
    ready: Vec<Numbered>,
}

impl Iterator for Iter {
    type Item = Result<Numbered, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(entry) = self.ready.pop() {
                return Some(Ok(entry));
            }
            match self.reader.some_from(self.next) {
                Ok((_, next)) if next == self.next => return None,
                Ok((found, next)) => {
                    self.ready = found;
                    self.ready.reverse();
                    self.next = next;
                }
                Err(error) => {
                    // Damage is reported once and never stepped over.
                    self.next = Position(u64::MAX);
                    return Some(Err(error));
                }
            }
        }
    }
}
