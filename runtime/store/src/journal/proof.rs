//! Proves single entries: the signed batches that hold them, with every other frame reduced to its digest.
//!
//! A batch's signature is over a chain value that commits to the value before the batch and to the digest of each frame
//! in it (`FORMAT.md`, Chain). So these and the signature are enough to show that an entry was signed, where it stands,
//! and what stood between; the journal's other bytes are not needed, and none of them is told.

use std::collections::BTreeSet;

use crate::journal::damage::DamageKind;
use crate::journal::frame::FrameKind;
use crate::journal::map::{SegmentPlace, segment_name};
use crate::journal::reader::{JournalReader, ReadError, damage};
use crate::journal::seal::{Head, Header, Rotation};
use crate::journal::walk::{LOOKUP_READ_BYTES, WHOLE_READ_BYTES, Walk, WalkStep};
use crate::position::Position;

/// One batch that holds an entry asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BatchProof {
    pub segment: u64,
    /// Where in the segment the batch begins.
    pub begins: u64,
    /// The chain before the batch.
    pub head: [u8; 32],
    /// The public key that signed it.
    pub key: [u8; 32],
    /// Its entries in order.
    pub frames: Vec<Proven>,
    /// The signature's whole frame.
    pub seal: Vec<u8>,
}

#[derive(Clone, PartialEq, Eq)]
pub enum Proven {
    /// SHA-256 of a frame that is none of the reader's business.
    Digest([u8; 32]),
    /// The whole frame of an entry asked for.
    Frame(Vec<u8>),
}

impl std::fmt::Debug for Proven {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Proven::Digest(_) => f.write_str("Digest(…)"),
            Proven::Frame(bytes) => write!(f, "Frame({} bytes)", bytes.len()),
        }
    }
}

impl JournalReader {
    /// The batches that hold these entries, oldest first. Purged entries have none.
    ///
    /// # Errors
    /// When the journal cannot be read, or is damaged.
    pub fn proofs(&self, wanted: &BTreeSet<Position>) -> Result<Vec<BatchProof>, ReadError> {
        let holds = |place: &SegmentPlace| !place.purged && wanted.range(place.first..=place.last).next().is_some();
        let mut proofs = Vec::new();
        for place in self.places().iter().filter(|place| place.first <= place.last && holds(place)) {
            self.prove_in(place, wanted, &mut proofs)?;
        }
        Ok(proofs)
    }

    /// Every change of key so far, oldest first: each the whole frame, signed by the key before.
    ///
    /// # Errors
    /// When the journal cannot be read, or is damaged.
    pub fn rotations(&self) -> Result<Vec<Vec<u8>>, ReadError> {
        let mut rotations = Vec::new();
        for place in self.places() {
            let name = segment_name(place.number);
            let mut walk = Walk::from(self.disk().as_ref(), &name, 0, LOOKUP_READ_BYTES);
            for _ in 0..2 {
                if let WalkStep::Frame { seen, .. } = walk.step()?
                    && seen.kind == FrameKind::Rotation
                {
                    rotations.push(seen.bytes.to_vec());
                }
            }
        }
        Ok(rotations)
    }

    fn prove_in(
        &self,
        place: &SegmentPlace,
        wanted: &BTreeSet<Position>,
        proofs: &mut Vec<BatchProof>,
    ) -> Result<(), ReadError> {
        let name = segment_name(place.number);
        let mut walk = Walk::from(self.disk().as_ref(), &name, 0, WHOLE_READ_BYTES);
        let mut at = Position(place.first.0 - 1);
        let (mut head, mut key) = (Head::START, [0; 32]);
        let mut batch =
            BatchProof { segment: place.number, begins: 0, head: head.0, key, frames: Vec::new(), seal: Vec::new() };
        while at < place.last || !batch.frames.is_empty() {
            let (offset, seen) = match walk.step()? {
                WalkStep::Frame { offset, seen } => (offset, seen),
                WalkStep::End { offset } => return Err(damage(place, at, offset, DamageKind::Missing).into()),
                WalkStep::Broken { offset, why } => {
                    return Err(damage(place, at, offset, DamageKind::Frame(why)).into());
                }
            };
            let misplaced = || damage(place, at, offset, DamageKind::Misplaced);
            match seen.kind {
                FrameKind::Header => {
                    let header = Header::read(seen.payload()).ok_or_else(misplaced)?;
                    (head, key) = (header.head, header.key);
                }
                FrameKind::Rotation => key = Rotation::read(seen.payload()).ok_or_else(misplaced)?.new,
                FrameKind::Entry => {
                    at = at.next();
                    batch.frames.push(match wanted.contains(&at) {
                        true => Proven::Frame(seen.bytes.to_vec()),
                        false => Proven::Digest(seen.digest()),
                    });
                }
                FrameKind::Signature | FrameKind::Footer => {}
            }
            head = head.then(&seen.digest());
            if seen.kind == FrameKind::Signature {
                batch.seal = seen.bytes.to_vec();
                let begins = offset + seen.bytes.len() as u64;
                let next = BatchProof { begins, head: head.0, key, frames: Vec::new(), seal: Vec::new(), ..batch };
                let done = std::mem::replace(&mut batch, next);
                if done.frames.iter().any(|frame| matches!(frame, Proven::Frame(_))) {
                    proofs.push(done);
                }
            }
        }
        Ok(())
    }
}
