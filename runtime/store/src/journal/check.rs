//! Checks one segment by itself: frames, chain, seals. How segments follow each other is checked by [`links`].

use std::io;
use std::sync::Arc;

use ed25519_dalek::VerifyingKey;

use crate::journal::damage::{Damage, DamageKind};
use crate::journal::disk::Disk;
use crate::journal::frame::{FrameKind, NotAFrame, SeenFrame};
use crate::journal::map::{Offsets, segment_name};
use crate::journal::seal::{BatchSeal, Footer, Head, Header, Rotation};
use crate::journal::walk::{WHOLE_READ_BYTES, Walk, WalkStep};
use crate::position::Position;

/// Which signatures to check. The chain makes the last one of a segment vouch for everything before it, so the others
/// only help to say where a forgery begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signatures {
    Last,
    Every,
}

/// What a segment holds, as far as it is sealed.
#[derive(Clone, Debug)]
pub struct Segment {
    pub number: u64,
    pub header: Header,
    /// The key that signs at the end.
    pub key: VerifyingKey,
    /// The chain after the header, and the rotation if one follows.
    pub opened: Head,
    pub last: Position,
    /// The chain after the last seal.
    pub head: Head,
    /// Where the last batch begins: the last that may not have been durable when the process ended.
    pub last_batch: u64,
    /// Where the last seal ends.
    pub end: u64,
    pub footer: Option<Footer>,
    /// The entries were purged; header and footer remain.
    pub purged: bool,
    pub offsets: Option<Arc<Offsets>>,
    /// Bytes of the file that were read.
    pub bytes: u64,
}

/// A segment's file, read to its end or to where it makes no sense.
pub struct Checked {
    /// `None` when not even the opening is sealed.
    pub segment: Option<Segment>,
    /// What follows the last seal.
    pub rest: Option<Rest>,
}

/// Frames or bytes after the last seal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rest {
    /// Right after the last seal.
    pub begins: u64,
    /// The first frame that is not whole, or the end of the whole ones.
    pub breaks: u64,
    /// The entry at that place.
    pub entry: Position,
    /// `None` when all frames are whole and only the seal is missing.
    pub why: Option<NotAFrame>,
}

#[derive(Debug, thiserror::Error)]
pub enum CheckError {
    #[error("a journal segment cannot be read")]
    Io(#[from] io::Error),
    #[error(transparent)]
    Damage(#[from] Damage),
}

/// Reads a segment from its first byte to its last.
pub fn check_segment(disk: &dyn Disk, number: u64, signatures: Signatures) -> Result<Checked, CheckError> {
    let name = segment_name(number);
    let mut walk = Walk::from(disk, &name, 0, WHOLE_READ_BYTES);
    let mut check = Check::new(number, signatures);
    loop {
        match walk.step()? {
            WalkStep::Frame { offset, seen } => check.frame(offset, &seen)?,
            WalkStep::End { offset } => {
                let length = disk.length(&name)?;
                return check.end(offset, length, None);
            }
            WalkStep::Broken { offset, why } => {
                let length = disk.length(&name)?;
                return check.end(offset, length, Some(why));
            }
        }
    }
}

struct Check {
    number: u64,
    signatures: Signatures,
    head: Head,
    /// The header, and the key that signs.
    opening: Option<(Header, VerifyingKey)>,
    /// Where the present batch begins.
    begins: u64,
    /// Frames since the last seal.
    unsealed: bool,
    last: Position,
    offsets: Offsets,
    /// As of the last seal.
    sealed: Option<Segment>,
    last_seal: Option<(u64, BatchSeal)>,
}

impl Check {
    fn new(number: u64, signatures: Signatures) -> Check {
        Check {
            number,
            signatures,
            head: Head::START,
            opening: None,
            begins: 0,
            unsealed: false,
            last: Position::START,
            offsets: Offsets::default(),
            sealed: None,
            last_seal: None,
        }
    }

    fn damage(&self, offset: u64, what: DamageKind) -> Damage {
        Damage { segment: self.number, entry: self.last, offset, what }
    }

    fn frame(&mut self, offset: u64, seen: &SeenFrame<'_>) -> Result<(), Damage> {
        if self.sealed.as_ref().is_some_and(|segment| segment.footer.is_some()) {
            return Err(self.damage(offset, DamageKind::Trailing));
        }
        let digest = seen.digest();
        let misplaced = || self.damage(offset, DamageKind::Misplaced);
        match seen.kind {
            FrameKind::Header => {
                let header = Header::read(seen.payload()).ok_or_else(misplaced)?;
                let key = VerifyingKey::from_bytes(&header.key).map_err(|_| misplaced())?;
                if offset != 0 || header.segment != self.number || header.first.is_start() {
                    return Err(misplaced());
                }
                self.head = header.head.then(&digest);
                self.last = Position(header.first.0 - 1);
                self.opening = Some((header, key));
                self.unsealed = true;
            }
            FrameKind::Rotation => {
                let rotation = Rotation::read(seen.payload()).ok_or_else(misplaced)?;
                let new = VerifyingKey::from_bytes(&rotation.new).map_err(|_| misplaced())?;
                let Some((header, key)) = &self.opening else { return Err(misplaced()) };
                // Once, right after the header.
                let first = self.sealed.is_none() && key.to_bytes() == header.key;
                if !first || rotation.segment != self.number || rotation.old != header.key {
                    return Err(misplaced());
                }
                if rotation.head != self.head {
                    return Err(self.damage(offset, DamageKind::Chain));
                }
                if !rotation.holds() {
                    return Err(self.damage(offset, DamageKind::Signature));
                }
                self.opening = Some((header.clone(), new));
                self.head = self.head.then(&digest);
            }
            FrameKind::Entry => {
                if self.sealed.is_none() {
                    return Err(misplaced());
                }
                self.last = self.last.next();
                self.offsets.push(offset);
                self.head = self.head.then(&digest);
                self.unsealed = true;
            }
            FrameKind::Signature => self.batch(offset, seen, &digest)?,
            FrameKind::Footer => self.footer(offset, seen, &digest)?,
        }
        Ok(())
    }

    fn batch(&mut self, offset: u64, seen: &SeenFrame<'_>, digest: &[u8; 32]) -> Result<(), Damage> {
        let misplaced = || self.damage(offset, DamageKind::Misplaced);
        let seal = BatchSeal::read(seen.payload()).ok_or_else(misplaced)?;
        let Some((header, key)) = &self.opening else { return Err(misplaced()) };
        if seal.segment != self.number || seal.begins != self.begins || seal.last != self.last || !self.unsealed {
            return Err(misplaced());
        }
        if seal.head != self.head {
            return Err(self.damage(offset, DamageKind::Chain));
        }
        if self.signatures == Signatures::Every && !seal.holds(key) {
            return Err(self.damage(offset, DamageKind::Signature));
        }
        let opened = self.sealed.as_ref().map_or(self.head, |segment| segment.opened);
        let last_batch = self.begins;
        self.head = self.head.then(digest);
        self.begins = offset + seen.bytes.len() as u64;
        self.unsealed = false;
        match &mut self.sealed {
            Some(segment) => {
                segment.last = self.last;
                segment.head = self.head;
                segment.last_batch = last_batch;
                segment.end = self.begins;
            }
            None => {
                self.sealed = Some(Segment {
                    number: self.number,
                    header: header.clone(),
                    key: *key,
                    opened,
                    last: self.last,
                    head: self.head,
                    last_batch,
                    end: self.begins,
                    footer: None,
                    purged: false,
                    offsets: None,
                    bytes: 0,
                });
            }
        }
        self.last_seal = Some((offset, seal));
        Ok(())
    }

    fn footer(&mut self, offset: u64, seen: &SeenFrame<'_>, digest: &[u8; 32]) -> Result<(), Damage> {
        let misplaced = || self.damage(offset, DamageKind::Misplaced);
        let footer = Footer::read(seen.payload()).ok_or_else(misplaced)?;
        let Some((header, key)) = &self.opening else { return Err(misplaced()) };
        if footer.segment != self.number || footer.first != header.first {
            return Err(misplaced());
        }
        let (purged, opened) = match &self.sealed {
            Some(segment) => {
                if self.unsealed || footer.begins != offset || footer.last != self.last {
                    return Err(misplaced());
                }
                if footer.head != self.head {
                    return Err(self.damage(offset, DamageKind::Chain));
                }
                (false, segment.opened)
            }
            None => (true, self.head),
        };
        if footer.opened != opened {
            return Err(self.damage(offset, DamageKind::Chain));
        }
        if !footer.holds(key) {
            return Err(self.damage(offset, DamageKind::Signature));
        }
        let segment = Segment {
            number: self.number,
            header: header.clone(),
            key: *key,
            opened,
            last: footer.last,
            head: footer.head.then(digest),
            last_batch: offset,
            end: offset + seen.bytes.len() as u64,
            footer: Some(footer),
            purged,
            offsets: None,
            bytes: 0,
        };
        self.last = segment.last;
        self.begins = segment.end;
        self.unsealed = false;
        self.last_seal = None;
        self.sealed = Some(segment);
        Ok(())
    }

    fn end(mut self, breaks: u64, length: u64, why: Option<NotAFrame>) -> Result<Checked, CheckError> {
        // A closed segment is cut to its length, and a crash may undo the cut: zeros are no harm, other bytes are.
        if why.is_some() && self.sealed.as_ref().is_some_and(|segment| segment.footer.is_some()) {
            return Err(self.damage(breaks, DamageKind::Trailing).into());
        }
        if let (Some((offset, seal)), Some(segment)) = (&self.last_seal, &self.sealed)
            && !seal.holds(&segment.key)
        {
            return Err(self.damage(*offset, DamageKind::Signature).into());
        }
        let rest = (self.unsealed || why.is_some()).then(|| Rest {
            begins: self.begins,
            breaks,
            entry: if why.is_some() { self.last.next() } else { self.last },
            why,
        });
        if let Some(segment) = &mut self.sealed {
            self.offsets.keep(segment.last.0 + 1 - segment.header.first.0);
            segment.offsets = Some(Arc::new(std::mem::take(&mut self.offsets)));
            segment.bytes = length;
        }
        Ok(Checked { segment: self.sealed, rest })
    }
}

/// Checks that a segment continues the one before it.
pub fn follows(before: Option<&Segment>, segment: &Segment) -> Result<(), Damage> {
    let (number, first, head) = match before {
        None => (1, Position(1), Head::START),
        Some(before) => (before.number + 1, before.last.next(), before.head),
    };
    let closed = before.is_none_or(|before| before.footer.is_some());
    let key = before.is_none_or(|before| before.key.to_bytes() == segment.header.key);
    let header = &segment.header;
    if segment.number == number && header.first == first && header.head == head && closed && key {
        Ok(())
    } else {
        Err(Damage { segment: segment.number, entry: Position(header.first.0 - 1), offset: 0, what: DamageKind::Link })
    }
}
