//! A stranger who knows `FORMAT.md` and has a key: whatever the files say, each seal fits what stands before it again. So
//! what lies behind checksums, chain and signatures is reached as well.

use ed25519_dalek::{Signer as _, SigningKey};
use libfuzzer_sys::arbitrary::{self, Arbitrary};
use sha2::{Digest as _, Sha256};

use crate::written::Files;

/// Length (4), CRC-32C (4), kind (1), zeros (3).
pub const FRAME_HEADER_BYTES: usize = 12;

/// Where a payload holds the head before its frame; what is signed ends there, and the signature follows.
const SEALS: [(u8, usize, &[u8; 28]); 3] = [
    (3, 24, b"handoff journal 1 signature\0"),
    (4, 72, b"handoff journal 1 rotation\0\0"),
    (5, 72, b"handoff journal 1 footer\0\0\0\0"),
];

/// How much a stranger knows to set right.
#[derive(Arbitrary, Clone, Copy, Debug, PartialEq, Eq)]
pub enum Skill {
    /// Keys, heads, signatures and checksums.
    Seals,
    /// Numbers of entries and offsets of batches as well.
    Numbers,
}

/// Signs every segment anew, in order.
pub fn sign(files: &mut Files, key: &SigningKey, skill: Skill) {
    let public = key.verifying_key().to_bytes();
    let mut head = [0; 32];
    for bytes in files.values_mut() {
        let (mut at, mut batch, mut opened) = (0, 0, head);
        let (mut first, mut last) = ([0; 8], 0u64);
        while let Some(frame) = frame_mut(bytes, at) {
            let (begins, kind) = (at as u64, frame[8]);
            at += frame.len();
            let payload = &mut frame[FRAME_HEADER_BYTES..];
            match kind {
                1 => {
                    put(payload, 32, &head);
                    put(payload, 64, &public);
                    first = payload.get(24..).and_then(|rest| rest.first_chunk()).copied().unwrap_or_default();
                    last = u64::from_le_bytes(first).wrapping_sub(1);
                }
                2 => last = last.wrapping_add(1),
                3 if skill == Skill::Numbers => {
                    put(payload, 8, &u64::to_le_bytes(batch));
                    put(payload, 16, &last.to_le_bytes());
                    batch = at as u64;
                }
                4 => {
                    put(payload, 8, &public);
                    put(payload, 40, &public);
                }
                5 => {
                    put(payload, 40, &opened);
                    if skill == Skill::Numbers {
                        put(payload, 8, &begins.to_le_bytes());
                        put(payload, 16, &first);
                    }
                }
                _ => {}
            }
            seal(payload, kind, &head, key);
            sum(frame);
            head = Sha256::new().chain_update(head).chain_update(Sha256::digest(&*frame)).finalize().into();
            if matches!(kind, 1 | 4) {
                opened = head;
            }
        }
    }
}

fn seal(payload: &mut [u8], kind: u8, head: &[u8; 32], key: &SigningKey) {
    for (_, at, context) in SEALS.iter().filter(|(sealing, ..)| *sealing == kind) {
        put(payload, *at, head);
        if let Some(signed) = payload.get(..at + head.len()) {
            let signature = key.sign(&[*context, signed].concat()).to_bytes();
            put(payload, at + head.len(), &signature);
        }
    }
}

/// Gives a frame the checksum that its bytes ask for.
pub fn sum(frame: &mut [u8]) {
    let sum = crc32c::crc32c_append(crc32c::crc32c(&frame[..4]), &frame[8..]);
    put(frame, 4, &sum.to_le_bytes());
}

/// The frame that begins here, by its own word for its length.
pub fn frame_mut(bytes: &mut [u8], at: usize) -> Option<&mut [u8]> {
    let rest = bytes.get_mut(at..)?;
    let length = u32::from_le_bytes(*rest.first_chunk()?) as usize;
    rest.get_mut(..FRAME_HEADER_BYTES + length)
}

fn put(bytes: &mut [u8], at: usize, part: &[u8]) {
    if let Some(place) = bytes.get_mut(at..at + part.len()) {
        place.copy_from_slice(part);
    }
}
