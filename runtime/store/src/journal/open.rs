//! Opening a journal: what is whole is taken over, a torn end is cut, damage is refused.

use std::io;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use ed25519_dalek::SigningKey;
use serde::Deserialize;

use crate::journal::check::{CheckError, Checked, Segment, Signatures, check_segment, follows};
use crate::journal::damage::{Damage, DamageKind};
use crate::journal::disk::Disk;
use crate::journal::frame::{FrameKind, HEADER_BYTES, decode};
use crate::journal::map::{Map, SegmentPlace, segment_name, segment_number};
use crate::journal::purge::STUB_SUFFIX;
use crate::journal::seal::{FOOTER_FRAME_BYTES, Footer, Head, Header, Rotation, Signer};
use crate::journal::tail;
use crate::journal::verify::check_all;
use crate::journal::walk::{WHOLE_READ_BYTES, Walk, WalkStep};
use crate::journal::{Journal, Poison, SEGMENT_MAX_BYTES};
use crate::position::Position;

/// How much is read before the journal is used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum VerifyDepth {
    /// Every byte: as fast as it can be read and hashed, on all cores.
    #[default]
    Whole,
    /// The last segment, and of the others header and footer. Damage within those is found when they are read.
    Ends,
}

#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error("the journal cannot be read or mended")]
    Io(#[from] io::Error),
    #[error(transparent)]
    Damage(#[from] Damage),
    #[error("the journal is signed by the key {expected}, and {given} was given; start with that key, then rotate")]
    WrongKey { expected: String, given: String },
    #[error(transparent)]
    Poisoned(#[from] Poison),
}

impl From<CheckError> for OpenError {
    fn from(error: CheckError) -> OpenError {
        match error {
            CheckError::Io(error) => OpenError::Io(error),
            CheckError::Damage(damage) => OpenError::Damage(damage),
        }
    }
}

/// A journal ready to be written.
pub struct OpenedJournal {
    pub journal: Journal,
    /// Bytes of a torn, never acknowledged batch that were cut.
    pub cut_bytes: u64,
    /// Bytes that were read to get here.
    pub checked_bytes: u64,
}

impl Journal {
    /// Opens or begins a journal. `segment_max_bytes` is [`SEGMENT_MAX_BYTES`], or less on a disk that is simulated.
    pub fn open(
        disk: Arc<dyn Disk>,
        key: SigningKey,
        depth: VerifyDepth,
        segment_max_bytes: u64,
    ) -> Result<OpenedJournal, OpenError> {
        let numbers = segments_of(disk.as_ref())?;
        remove_unfinished_stubs(disk.as_ref())?;
        let mut checked = match depth {
            VerifyDepth::Whole => check_all(disk.as_ref(), &numbers, Signatures::Last),
            VerifyDepth::Ends => ends_of_all(disk.as_ref(), &numbers),
        };
        let last = checked.pop().transpose()?;
        let before = closed(checked, &numbers)?;
        let mut opening = Opening { disk, key, segment_max_bytes, cut_bytes: 0 };
        let last = match (last, numbers.last()) {
            (Some(last), Some(number)) => Some(opening.last(last, *number, before.last())?),
            (None, _) | (_, None) => None,
        };
        let checked_bytes = before.iter().chain(last.iter().flatten()).map(|segment| segment.bytes).sum();
        let journal = opening.journal(before, last)?;
        Ok(OpenedJournal { journal, cut_bytes: opening.cut_bytes, checked_bytes })
    }
}

struct Opening {
    disk: Arc<dyn Disk>,
    key: SigningKey,
    segment_max_bytes: u64,
    cut_bytes: u64,
}

impl Opening {
    /// Takes the last segment over, without its torn end. `None` when not even its opening was written.
    fn last(&mut self, checked: Checked, number: u64, before: Option<&Segment>) -> Result<Option<Segment>, OpenError> {
        if let Some(segment) = &checked.segment {
            follows(before, segment)?;
        }
        let name = segment_name(number);
        if let Some(rest) = &checked.rest {
            let bytes = self.read(&name, rest.begins, self.disk.length(&name)?)?;
            tail::judge(number, rest, &bytes)?;
            self.disk.truncate(&name, rest.begins)?;
            self.cut_bytes = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last as u64 + 1);
        }
        if let Some(segment) = &checked.segment {
            // A process whose sync failed may have left a batch that can be read and is not durable, and that the kernel
            // will not write again. So it is written again here.
            let bytes = self.read(&name, segment.last_batch, segment.end)?;
            self.disk.write(&name, segment.last_batch, &bytes)?;
        }
        self.disk.sync(&name)?;
        self.disk.sync_dir()?;
        Ok(checked.segment)
    }

    fn read(&self, name: &str, begin: u64, end: u64) -> io::Result<Vec<u8>> {
        let mut bytes = vec![0; usize::try_from(end.saturating_sub(begin)).unwrap_or(usize::MAX)];
        let read = self.disk.read(name, begin, &mut bytes)?;
        bytes.truncate(read);
        Ok(bytes)
    }

    /// `last` is absent when there is no segment yet, and empty when the last one has to be begun again.
    fn journal(&mut self, before: Vec<Segment>, last: Option<Option<Segment>>) -> Result<Journal, OpenError> {
        let unopened = matches!(last, Some(None));
        let segments: Vec<Segment> = before.into_iter().chain(last.flatten()).collect();
        let newest = segments.last();
        if let Some(expected) = newest.map(|segment| segment.key)
            && expected != self.key.verifying_key()
        {
            return Err(OpenError::WrongKey {
                expected: first_digits(expected.as_bytes()),
                given: first_digits(self.key.verifying_key().as_bytes()),
            });
        }
        let map = Arc::new(Map::default());
        map.write().extend(segments.iter().map(place_of));
        let mut journal = Journal {
            disk: self.disk.clone(),
            key: Signer::new(&self.key),
            map,
            segment_max_bytes: self.segment_max_bytes.min(SEGMENT_MAX_BYTES),
            name: newest.map(|segment| segment_name(segment.number)).unwrap_or_default(),
            number: newest.map_or(0, |segment| segment.number),
            first: newest.map_or(Position(1), |segment| segment.header.first),
            opened: newest.map_or(Head::START, |segment| segment.opened),
            newest_at: i64::MIN,
            last: newest.map_or(Position::START, |segment| segment.last),
            head: newest.map_or(Head::START, |segment| segment.head),
            end: newest.map_or(0, |segment| segment.end),
            written: newest.map_or(0, |segment| segment.end),
            identity: [0; 32],
            poison: None,
            buffer: Vec::new(),
        };
        match newest {
            Some(segment) if segment.footer.is_none() => journal.newest_at = newest_at(self.disk.as_ref(), segment)?,
            Some(_) | None => {
                let next = journal.number + 1;
                journal.begin(next, !unopened, None)?;
            }
        }
        journal.identity = segments.first().map_or(journal.opened, |segment| segment.opened).0;
        Ok(journal)
    }
}

/// Segments that are not the last, each following the one before.
pub fn closed(checked: Vec<Result<Checked, CheckError>>, numbers: &[u64]) -> Result<Vec<Segment>, OpenError> {
    let mut segments = Vec::with_capacity(checked.len());
    for (checked, number) in checked.into_iter().zip(numbers) {
        let segment = whole(checked?, *number)?;
        follows(segments.last(), &segment)?;
        segments.push(segment);
    }
    Ok(segments)
}

pub fn place_of(segment: &Segment) -> SegmentPlace {
    SegmentPlace {
        number: segment.number,
        first: segment.header.first,
        last: segment.last,
        offsets: segment.offsets.clone(),
        purged: segment.purged,
        end: segment.end,
        closed: segment.footer.is_some(),
        damage: None,
        newest_at: segment.footer.as_ref().map_or(i64::MIN, |footer| footer.newest_at),
    }
}

/// A segment that is not the last: it has to be closed, with nothing after it.
pub fn whole(checked: Checked, number: u64) -> Result<Segment, Damage> {
    if let Some(rest) = checked.rest {
        let what = rest.why.map_or(DamageKind::Unsigned, DamageKind::Frame);
        return Err(Damage { segment: number, entry: rest.entry, offset: rest.breaks, what });
    }
    let missing = Damage { segment: number, entry: Position::START, offset: 0, what: DamageKind::Missing };
    match checked.segment {
        Some(segment) if segment.footer.is_some() => Ok(segment),
        Some(segment) => Err(Damage { entry: segment.last, offset: segment.end, ..missing }),
        None => Err(missing),
    }
}

/// The numbers of all segments. They are without gaps from 1.
pub fn segments_of(disk: &dyn Disk) -> Result<Vec<u64>, OpenError> {
    let mut numbers: Vec<u64> = disk.list()?.iter().filter_map(|name| segment_number(name)).collect();
    numbers.sort_unstable();
    match numbers.iter().zip(1..).find(|(number, expected)| **number != *expected) {
        Some((_, missing)) => {
            Err(Damage { segment: missing, entry: Position::START, offset: 0, what: DamageKind::Missing }.into())
        }
        None => Ok(numbers),
    }
}

fn remove_unfinished_stubs(disk: &dyn Disk) -> io::Result<()> {
    for name in disk.list()?.iter().filter(|name| name.ends_with(STUB_SUFFIX)) {
        disk.remove(name)?;
    }
    Ok(())
}

fn ends_of_all(disk: &dyn Disk, numbers: &[u64]) -> Vec<Result<Checked, CheckError>> {
    let Some((last, others)) = numbers.split_last() else { return Vec::new() };
    let mut checked: Vec<_> = others.iter().map(|number| ends_of(disk, *number)).collect();
    checked.push(check_segment(disk, *last, Signatures::Last));
    checked
}

/// Reads header, rotation and footer of a closed segment, and takes the footer's word for the rest. Where the file does
/// not end in a footer, all of it is read.
fn ends_of(disk: &dyn Disk, number: u64) -> Result<Checked, CheckError> {
    match only_ends_of(disk, number) {
        Ok(checked) => Ok(checked),
        Err(CheckError::Damage(_)) => check_segment(disk, number, Signatures::Last),
        Err(CheckError::Io(error)) => Err(error.into()),
    }
}

fn only_ends_of(disk: &dyn Disk, number: u64) -> Result<Checked, CheckError> {
    let name = segment_name(number);
    let damage = |offset, what| Damage { segment: number, entry: Position::START, offset, what };
    let mut walk = Walk::from(disk, &name, 0, HEADER_BYTES);
    let mut next = |kind: FrameKind| match walk.step()? {
        WalkStep::Frame { seen, .. } if seen.kind == kind => Ok(Some((seen.payload().to_vec(), seen.digest()))),
        WalkStep::Frame { .. } => Ok(None),
        WalkStep::End { offset } => Err(CheckError::from(damage(offset, DamageKind::Missing))),
        WalkStep::Broken { offset, why } => Err(damage(offset, DamageKind::Frame(why)).into()),
    };
    let misplaced = damage(0, DamageKind::Misplaced);
    let (header, digest) = next(FrameKind::Header)?.ok_or(misplaced.clone())?;
    let header = Header::read(&header).ok_or(misplaced.clone())?;
    let mut opened = header.head.then(&digest);
    let mut key = header.key;
    if let Some((rotation, digest)) = next(FrameKind::Rotation)? {
        let rotation = Rotation::read(&rotation).filter(Rotation::holds).ok_or(misplaced.clone())?;
        opened = opened.then(&digest);
        key = rotation.new;
    }
    let key = ed25519_dalek::VerifyingKey::from_bytes(&key).map_err(|_| misplaced)?;
    let bytes = disk.length(&name)?;
    let begins = bytes.saturating_sub(FOOTER_FRAME_BYTES as u64);
    let mut frame = [0; FOOTER_FRAME_BYTES];
    let read = disk.read(&name, begins, &mut frame)?;
    let seen = decode(&frame[..read]).map_err(|why| damage(begins, DamageKind::Frame(why)))?;
    let footer = Footer::read(seen.payload()).ok_or(damage(begins, DamageKind::Misplaced))?;
    if footer.segment != number || footer.first != header.first || footer.opened != opened {
        return Err(damage(begins, DamageKind::Misplaced).into());
    }
    if !footer.holds(&key) {
        return Err(damage(begins, DamageKind::Signature).into());
    }
    let segment = Segment {
        number,
        key,
        opened,
        last: footer.last,
        head: footer.head.then(&seen.digest()),
        last_batch: begins,
        end: bytes,
        purged: footer.begins != begins,
        offsets: None,
        bytes: FOOTER_FRAME_BYTES as u64,
        header,
        footer: Some(footer),
    };
    Ok(Checked { segment: Some(segment), rest: None })
}

/// The youngest entry of a segment that is still open.
fn newest_at(disk: &dyn Disk, segment: &Segment) -> Result<i64, OpenError> {
    #[derive(Deserialize)]
    struct When {
        at: DateTime<Utc>,
    }
    let name = segment_name(segment.number);
    let mut walk = Walk::from(disk, &name, 0, WHOLE_READ_BYTES);
    let mut newest = i64::MIN;
    let mut entry = Position(segment.header.first.0 - 1);
    while entry < segment.last {
        match walk.step()? {
            WalkStep::Frame { seen, offset } if seen.kind == FrameKind::Entry => {
                entry = entry.next();
                let when: When = serde_json::from_slice(seen.payload()).map_err(|_| Damage {
                    segment: segment.number,
                    entry,
                    offset,
                    what: DamageKind::Entry,
                })?;
                newest = newest.max(when.at.timestamp_millis());
            }
            WalkStep::Frame { .. } => {}
            WalkStep::End { .. } | WalkStep::Broken { .. } => break,
        }
    }
    Ok(newest)
}

/// The first 16 hexadecimal digits of a key.
fn first_digits(key: &[u8; 32]) -> String {
    hex::encode(&key[..8])
}
