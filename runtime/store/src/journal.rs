//! The one append-only log: framed, checksummed, hash-chained and signed. `FORMAT.md` gives it byte for byte.
//!
//! This is the synchronous core over a [`Disk`]; [`crate::store`] puts a writer thread around it.
//!
//! Architecture Invariant: nothing is acknowledged that is not durable and signed, and after one failed write or sync
//! nothing is acknowledged any more.

mod check;
mod copy;
mod damage;
mod disk;
mod frame;
mod look;
mod map;
mod open;
mod proof;
mod purge;
mod reader;
mod rounds;
mod seal;
mod tail;
mod verify;
mod walk;

use std::io;
use std::sync::Arc;

use ed25519_dalek::SigningKey;

pub use self::check::{CheckError, Signatures};
pub use self::copy::{CopyError, copy, is_same};
pub use self::damage::{Damage, DamageKind};
pub use self::disk::{Disk, DiskDice, DiskFault, RealDisk, SimDisk};
pub use self::frame::{FrameKind, NotAFrame, PAYLOAD_MAX_BYTES, decode};
pub use self::look::{Looked, look};
pub use self::map::segment_name;
pub use self::open::{OpenError, OpenedJournal, VerifyDepth};
pub use self::proof::{BatchProof, Proven};
pub use self::purge::{Closed, PurgeError};
pub use self::reader::{Entries, Extent, Iter, JournalReader, Numbered, ReadError};
pub use self::verify::{VerifiedJournal, VerifyError, verify, verify_disk};

pub(crate) use self::frame::Frame;
use self::map::{Map, Offsets, SegmentPlace};
use self::seal::{BATCH_SEAL_FRAME_BYTES, BatchSeal, FOOTER_FRAME_BYTES, Footer, Head, Header, Rotation, Signer};
use crate::entry::Entry;
use crate::position::Position;

/// A segment is closed before it grows beyond this: small enough to copy, check or purge as one, large enough that a
/// practice fills one in weeks. Holds at least one entry of the largest size.
pub const SEGMENT_MAX_BYTES: u64 = 64 << 20;

/// Zeros written ahead of a small batch. Overwriting written space syncs some 20 % faster than growing the file does
/// (measured: 127–147 µs against 158–183 µs; space from `fallocate` alone gains nothing, since its extents must still be
/// converted); a hundred commits share the cost.
const AHEAD_BYTES: u64 = 256 << 10;

/// Batches up to this size write ahead. A larger one is dominated by its own bytes.
const AHEAD_BATCH_MAX_BYTES: usize = 16 << 10;

/// What most entries take as JSON: a buffer that grows while one is written is copied, a tenth of the writing.
const ENTRY_USUAL_BYTES: usize = 8 << 10;

/// An entry as it will stand in the journal. Made outside the writer thread.
#[derive(Clone)]
pub struct Encoded {
    frame: Frame,
    /// `Entry::at` in milliseconds.
    at: i64,
}

impl Encoded {
    pub fn of(entry: &Entry) -> Result<Encoded, EncodeError> {
        let mut bytes = Frame::room(ENTRY_USUAL_BYTES);
        serde_json::to_writer(&mut bytes, entry).map_err(EncodeError::Json)?;
        let size = bytes.len();
        let frame = Frame::seal(FrameKind::Entry, bytes).ok_or(EncodeError::TooLarge { size })?;
        Ok(Encoded { frame, at: entry.at.timestamp_millis() })
    }

    pub fn size(&self) -> usize {
        self.frame.bytes().len()
    }
}

#[derive(Debug, thiserror::Error)]
pub enum EncodeError {
    #[error(
        "an entry of {size} bytes is beyond the journal's limit of {PAYLOAD_MAX_BYTES}; refuse such deliveries earlier"
    )]
    TooLarge { size: usize },
    #[error("an entry cannot be written as JSON")]
    Json(#[source] serde_json::Error),
}

/// What stopped the journal for good. Reopening it shows what was saved.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the journal takes nothing more since it {what} ({kind}: {text}); \
     mend the disk, then start again: all that was acknowledged is kept"
)]
pub struct Poison {
    pub what: &'static str,
    pub kind: io::ErrorKind,
    text: String,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AppendError {
    #[error(transparent)]
    Poisoned(#[from] Poison),
    #[error("a batch of {size} bytes does not fit a journal segment of {SEGMENT_MAX_BYTES}; commit it in parts")]
    BatchTooLarge { size: u64 },
}

pub struct Journal {
    disk: Arc<dyn Disk>,
    key: Signer,
    map: Arc<Map>,
    segment_max_bytes: u64,
    /// The segment being written.
    name: String,
    number: u64,
    first: Position,
    opened: Head,
    newest_at: i64,
    last: Position,
    head: Head,
    /// Where the next batch begins.
    end: u64,
    /// Up to here the file was written at least once.
    written: u64,
    /// Names this journal among others: the chain after the first segment's header.
    identity: [u8; 32],
    poison: Option<Poison>,
    /// Where batches are put together. Kept, so that a batch costs no fresh pages.
    buffer: Vec<u8>,
}

impl Journal {
    pub fn reader(&self) -> JournalReader {
        JournalReader::new(self.disk.clone(), self.map.clone())
    }

    /// The last signed entry.
    pub fn last(&self) -> Position {
        self.last
    }

    /// Names this journal among others of other keys.
    pub fn identity(&self) -> [u8; 32] {
        self.identity
    }

    /// Why the journal takes nothing more, if so.
    pub fn poison(&self) -> Option<&Poison> {
        self.poison.as_ref()
    }

    /// As [`Journal::append_encoded`], for entries not yet encoded.
    pub fn append_batch(&mut self, entries: &[Entry]) -> Result<Position, BatchError> {
        let encoded = entries.iter().map(Encoded::of).collect::<Result<Vec<_>, _>>()?;
        Ok(self.append_encoded(&encoded)?)
    }

    /// Makes a batch durable and signed, and returns the last entry's position. On an error nothing of it counts.
    pub fn append_encoded(&mut self, entries: &[Encoded]) -> Result<Position, AppendError> {
        if let Some(poison) = &self.poison {
            return Err(poison.clone().into());
        }
        if entries.is_empty() {
            return Ok(self.last);
        }
        let frames: u64 = entries.iter().map(|entry| entry.size() as u64).sum();
        let size = frames + BATCH_SEAL_FRAME_BYTES as u64;
        let room = self.segment_max_bytes - FOOTER_FRAME_BYTES as u64;
        if self.end + size > room && self.last >= self.first {
            self.roll(None)?;
        }
        if self.end + size > room.max(SEGMENT_MAX_BYTES) {
            return Err(AppendError::BatchTooLarge { size });
        }
        self.write_batch(entries, size)?;
        Ok(self.last)
    }

    fn write_batch(&mut self, entries: &[Encoded], size: u64) -> Result<(), Poison> {
        let mut bytes = std::mem::take(&mut self.buffer);
        bytes.clear();
        bytes.reserve(size as usize);
        let mut offsets = Vec::with_capacity(entries.len());
        let mut head = self.head;
        for entry in entries {
            offsets.push(self.end + bytes.len() as u64);
            bytes.extend_from_slice(entry.frame.bytes());
            head = head.then(&entry.frame.digest);
        }
        let last = Position(self.last.0 + entries.len() as u64);
        let seal = BatchSeal::sign(&self.key, self.number, self.end, last, head);
        let seal = seal::frame(FrameKind::Signature, &seal.write());
        bytes.extend_from_slice(seal.bytes());
        let end = self.end + bytes.len() as u64;
        self.write_ahead(&mut bytes, end);
        self.put(&bytes)?;
        self.sync()?;
        self.buffer = bytes;
        self.end = end;
        self.last = last;
        self.head = head.then(&seal.digest);
        self.newest_at = entries.iter().map(|entry| entry.at).fold(self.newest_at, i64::max);
        let mut places = self.map.write();
        if let Some(place) = places.last_mut() {
            let known = Arc::make_mut(place.offsets.get_or_insert_default());
            offsets.into_iter().for_each(|offset| known.push(offset));
            place.last = last;
            place.end = end;
        }
        Ok(())
    }

    fn write_ahead(&mut self, bytes: &mut Vec<u8>, end: u64) {
        if end > self.written && bytes.len() <= AHEAD_BATCH_MAX_BYTES {
            let ahead = (end + AHEAD_BYTES).min(self.segment_max_bytes).max(end);
            bytes.resize(bytes.len() + (ahead - end) as usize, 0);
        }
    }

    /// Another key signs from here on; the old one vouches for it in the chain.
    pub fn rotate(&mut self, key: SigningKey) -> Result<(), AppendError> {
        if let Some(poison) = &self.poison {
            return Err(poison.clone().into());
        }
        self.roll(Some(key))?;
        Ok(())
    }

    /// Closes the segment and opens the next one.
    fn roll(&mut self, key: Option<SigningKey>) -> Result<(), Poison> {
        let footer = Footer::sign(
            &self.key,
            self.number,
            self.end,
            self.first,
            self.last,
            self.newest_at,
            self.opened,
            self.head,
        );
        let frame = seal::frame(FrameKind::Footer, &footer.write());
        self.put(frame.bytes())?;
        let length = self.end + frame.bytes().len() as u64;
        let cut = self.disk.truncate(&self.name, length);
        self.or_poison("could not cut a closed segment", cut)?;
        self.sync()?;
        self.head = self.head.then(&frame.digest);
        if let Some(place) = self.map.write().last_mut() {
            place.closed = true;
            place.newest_at = self.newest_at;
            place.end = length;
        }
        self.begin(self.number + 1, true, key)
    }

    /// Writes a segment's opening: header, rotation where there is one, first seal.
    fn begin(&mut self, number: u64, create: bool, key: Option<SigningKey>) -> Result<(), Poison> {
        self.number = number;
        self.name = segment_name(number);
        self.first = self.last.next();
        self.newest_at = i64::MIN;
        self.end = 0;
        self.written = 0;
        if create {
            let created = self.disk.create(&self.name);
            self.or_poison("could not make a segment", created)?;
        }
        let header = Header { segment: number, first: self.first, head: self.head, key: self.key.public().to_bytes() };
        let header = seal::frame(FrameKind::Header, &header.write());
        let mut bytes = header.bytes().to_vec();
        let mut head = self.head.then(&header.digest);
        if let Some(new) = key {
            let rotation = Rotation::sign(&self.key, number, &new.verifying_key(), head);
            let rotation = seal::frame(FrameKind::Rotation, &rotation.write());
            bytes.extend_from_slice(rotation.bytes());
            head = head.then(&rotation.digest);
            self.key = Signer::new(&new);
        }
        self.opened = head;
        let seal = BatchSeal::sign(&self.key, number, 0, self.last, head);
        let seal = seal::frame(FrameKind::Signature, &seal.write());
        bytes.extend_from_slice(seal.bytes());
        let end = bytes.len() as u64;
        self.put(&bytes)?;
        self.sync()?;
        let synced = self.disk.sync_dir();
        self.or_poison("could not sync its directory", synced)?;
        self.end = end;
        self.head = head.then(&seal.digest);
        self.map.write().push(SegmentPlace {
            number,
            first: self.first,
            last: self.last,
            offsets: Some(Arc::new(Offsets::default())),
            purged: false,
            end,
            closed: false,
            damage: None,
            newest_at: i64::MIN,
        });
        Ok(())
    }

    fn put(&mut self, bytes: &[u8]) -> Result<(), Poison> {
        let put = self.disk.write(&self.name, self.end, bytes);
        self.or_poison("could not write a batch", put)?;
        self.written = self.written.max(self.end + bytes.len() as u64);
        Ok(())
    }

    /// Never retried: after a failed sync the kernel may report success for pages that it has dropped.
    fn sync(&mut self) -> Result<(), Poison> {
        let synced = self.disk.sync(&self.name);
        self.or_poison("could not sync a batch", synced)
    }

    fn or_poison(&mut self, what: &'static str, result: io::Result<()>) -> Result<(), Poison> {
        result.map_err(|error| {
            let poison = Poison { what, kind: error.kind(), text: error.to_string() };
            tracing::error!(%poison, "journal stopped");
            self.poison = Some(poison.clone());
            poison
        })
    }
}

#[derive(Debug, thiserror::Error)]
pub enum BatchError {
    #[error(transparent)]
    Encode(#[from] EncodeError),
    #[error(transparent)]
    Append(#[from] AppendError),
}
