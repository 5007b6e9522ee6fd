//! The payloads that hold the chain together: segment header, batch signature, key rotation, segment footer.
//!
//! Each has a fixed length, ends in a fixed mark, and is read without trust. See `FORMAT.md`.

use aws_lc_rs::signature::Ed25519KeyPair;
use ed25519_dalek::{Signature, SigningKey, VerifyingKey};
use sha2::{Digest as _, Sha256};

use crate::journal::frame::{Frame, FrameDigest, FrameKind, HEADER_BYTES};
use crate::position::Position;

/// SHA-256 over all frames so far: `head = SHA-256(head before ‖ SHA-256(frame))`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head(pub [u8; 32]);

impl Head {
    /// Before the first frame of the first segment.
    pub const START: Head = Head([0; 32]);

    pub fn then(self, frame: &FrameDigest) -> Head {
        Head(Sha256::new().chain_update(self.0).chain_update(frame).finalize().into())
    }
}

/// Ends every seal. A write that stopped early left zeros here, so that a torn write and a damaged one can be told apart.
pub const MARK: [u8; 8] = *b"\xE2handoff";

const SIGNATURE_CONTEXT: &[u8] = b"handoff journal 1 signature\0";
const ROTATION_CONTEXT: &[u8] = b"handoff journal 1 rotation\0\0";
const FOOTER_CONTEXT: &[u8] = b"handoff journal 1 footer\0\0\0\0";

/// Begins the payload of a segment header: names the format and its version.
const MAGIC: [u8; 16] = *b"handoff-journal1";

/// Signs the journal. Ed25519 (RFC 8032) has one signature for a key and a text, whoever makes it: AWS-LC does in half the
/// time of the library that verifies.
pub struct Signer {
    pair: Ed25519KeyPair,
    public: VerifyingKey,
}

impl Signer {
    pub fn new(key: &SigningKey) -> Signer {
        // Invariant: any 32 bytes are a seed.
        let pair = Ed25519KeyPair::from_seed_unchecked(key.as_bytes()).expect("32 bytes are a seed");
        Signer { pair, public: key.verifying_key() }
    }

    pub fn public(&self) -> VerifyingKey {
        self.public
    }

    fn sign(&self, context: &[u8], words: &[u8]) -> [u8; 64] {
        let mut signature = [0; 64];
        signature.copy_from_slice(self.pair.sign(&[context, words].concat()).as_ref());
        signature
    }
}

fn holds(key: &VerifyingKey, context: &[u8], words: &[u8], signature: &[u8; 64]) -> bool {
    key.verify_strict(&[context, words].concat(), &Signature::from_bytes(signature)).is_ok()
}

/// Reads the fields of a seal of exactly the right length.
struct Fields<'a>(&'a [u8]);

impl Fields<'_> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (head, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*head)
    }

    fn u64(&mut self) -> Option<u64> {
        self.take().map(u64::from_le_bytes)
    }

    fn end(mut self) -> Option<()> {
        (self.take::<8>()? == MARK && self.0.is_empty()).then_some(())
    }
}

/// Opens a segment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    pub segment: u64,
    /// The number of the first entry that goes in here.
    pub first: Position,
    /// The chain as the segment before left it.
    pub head: Head,
    /// The public key that signs from here on, unless a rotation follows.
    pub key: [u8; 32],
}

impl Header {
    pub fn write(&self) -> Vec<u8> {
        let numbers = [self.segment.to_le_bytes(), self.first.0.to_le_bytes()].concat();
        [&MAGIC[..], &numbers, &self.head.0, &self.key, &MARK].concat()
    }

    pub fn read(payload: &[u8]) -> Option<Header> {
        let mut fields = Fields(payload);
        if fields.take::<16>()? != MAGIC {
            return None;
        }
        let header = Header {
            segment: fields.u64()?,
            first: Position(fields.u64()?),
            head: Head(fields.take()?),
            key: fields.take()?,
        };
        fields.end().map(|()| header)
    }
}

/// Closes a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BatchSeal {
    pub segment: u64,
    /// Where in the segment the batch begins: right after the seal before it.
    pub begins: u64,
    /// The last entry so far.
    pub last: Position,
    /// The chain over all frames before this one.
    pub head: Head,
    signature: [u8; 64],
}

/// A batch signature's frame: fixed, so that a damaged one can be told from an unfinished one.
pub const BATCH_SEAL_FRAME_BYTES: usize = HEADER_BYTES + 8 + 8 + 8 + 32 + 64 + MARK.len();

impl BatchSeal {
    pub fn sign(key: &Signer, segment: u64, begins: u64, last: Position, head: Head) -> BatchSeal {
        let mut seal = BatchSeal { segment, begins, last, head, signature: [0; 64] };
        seal.signature = key.sign(SIGNATURE_CONTEXT, &seal.words());
        seal
    }

    fn words(&self) -> Vec<u8> {
        let numbers = [self.segment.to_le_bytes(), self.begins.to_le_bytes(), self.last.0.to_le_bytes()].concat();
        [&numbers[..], &self.head.0].concat()
    }

    pub fn holds(&self, key: &VerifyingKey) -> bool {
        holds(key, SIGNATURE_CONTEXT, &self.words(), &self.signature)
    }

    pub fn write(&self) -> Vec<u8> {
        [&self.words()[..], &self.signature, &MARK].concat()
    }

    pub fn read(payload: &[u8]) -> Option<BatchSeal> {
        let mut fields = Fields(payload);
        let seal = BatchSeal {
            segment: fields.u64()?,
            begins: fields.u64()?,
            last: Position(fields.u64()?),
            head: Head(fields.take()?),
            signature: fields.take()?,
        };
        fields.end().map(|()| seal)
    }
}

/// A new key takes over. Stands right after a segment's header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rotation {
    pub segment: u64,
    pub old: [u8; 32],
    pub new: [u8; 32],
    /// The chain over all frames before this one.
    pub head: Head,
    signature: [u8; 64],
}

impl Rotation {
    pub fn sign(old: &Signer, segment: u64, new: &VerifyingKey, head: Head) -> Rotation {
        let mut rotation =
            Rotation { segment, old: old.public().to_bytes(), new: new.to_bytes(), head, signature: [0; 64] };
        rotation.signature = old.sign(ROTATION_CONTEXT, &rotation.words());
        rotation
    }

    fn words(&self) -> Vec<u8> {
        [&self.segment.to_le_bytes()[..], &self.old, &self.new, &self.head.0].concat()
    }

    pub fn holds(&self) -> bool {
        VerifyingKey::from_bytes(&self.old)
            .is_ok_and(|old| holds(&old, ROTATION_CONTEXT, &self.words(), &self.signature))
    }

    pub fn write(&self) -> Vec<u8> {
        [&self.words()[..], &self.signature, &MARK].concat()
    }

    pub fn read(payload: &[u8]) -> Option<Rotation> {
        let mut fields = Fields(payload);
        let rotation = Rotation {
            segment: fields.u64()?,
            old: fields.take()?,
            new: fields.take()?,
            head: Head(fields.take()?),
            signature: fields.take()?,
        };
        fields.end().map(|()| rotation)
    }
}

/// Closes a segment, and stands for it when its entries are purged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Footer {
    pub segment: u64,
    /// Where in the segment this frame begins.
    pub begins: u64,
    /// The first entry of the segment, or the one that would have been.
    pub first: Position,
    /// The last entry so far.
    pub last: Position,
    /// `Entry::at` of the youngest entry in milliseconds since 1970, for retention; `i64::MIN` when there is none.
    pub newest_at: i64,
    /// The chain after the segment's header, and after the rotation if one follows it: ties the stub of a purged segment
    /// together.
    pub opened: Head,
    /// The chain over all frames before this one.
    pub head: Head,
    signature: [u8; 64],
}

pub const FOOTER_FRAME_BYTES: usize = HEADER_BYTES + 8 * 5 + 32 * 2 + 64 + MARK.len();

impl Footer {
    #[allow(clippy::too_many_arguments, reason = "the fields of one record, in their order on disk")]
    pub fn sign(
        key: &Signer,
        segment: u64,
        begins: u64,
        first: Position,
        last: Position,
        newest_at: i64,
        opened: Head,
        head: Head,
    ) -> Footer {
        let mut footer = Footer { segment, begins, first, last, newest_at, opened, head, signature: [0; 64] };
        footer.signature = key.sign(FOOTER_CONTEXT, &footer.words());
        footer
    }

    fn words(&self) -> Vec<u8> {
        let numbers = [
            self.segment.to_le_bytes(),
            self.begins.to_le_bytes(),
            self.first.0.to_le_bytes(),
            self.last.0.to_le_bytes(),
            self.newest_at.to_le_bytes(),
        ]
        .concat();
        [&numbers[..], &self.opened.0, &self.head.0].concat()
    }

    pub fn holds(&self, key: &VerifyingKey) -> bool {
        holds(key, FOOTER_CONTEXT, &self.words(), &self.signature)
    }

    pub fn write(&self) -> Vec<u8> {
        [&self.words()[..], &self.signature, &MARK].concat()
    }

    pub fn read(payload: &[u8]) -> Option<Footer> {
        let mut fields = Fields(payload);
        let footer = Footer {
            segment: fields.u64()?,
            begins: fields.u64()?,
            first: Position(fields.u64()?),
            last: Position(fields.u64()?),
            newest_at: fields.take().map(i64::from_le_bytes)?,
            opened: Head(fields.take()?),
            head: Head(fields.take()?),
            signature: fields.take()?,
        };
        fields.end().map(|()| footer)
    }
}

/// The frame around a seal.
pub fn frame(kind: FrameKind, payload: &[u8]) -> Frame {
    // Invariant: a seal is a few hundred bytes, far below the limit.
    Frame::new(kind, payload).expect("a seal fits a frame")
}
