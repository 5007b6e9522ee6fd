//! What somebody does to the files of a journal.

use std::num::NonZeroU8;

use libfuzzer_sys::arbitrary::{self, Arbitrary};

use crate::written::Files;

/// One thing done to one file. Files are counted round, and so are places in them.
#[derive(Arbitrary, Debug)]
pub struct Edit {
    pub file: u8,
    pub how: How,
}

#[derive(Arbitrary, Debug)]
pub enum How {
    Change {
        at: u16,
        by: NonZeroU8,
    },
    Overwrite {
        at: u16,
        with: Vec<u8>,
    },
    Insert {
        at: u16,
        bytes: Vec<u8>,
    },
    Remove {
        at: u16,
        count: u16,
    },
    Replace {
        with: Vec<u8>,
    },
    /// A frame gets the checksum that its bytes ask for, as a forger would do it.
    Forge {
        frame: u8,
    },
    Swap {
        other: u8,
    },
    Lose,
}

impl Edit {
    pub fn make(&self, files: &mut Files) {
        let Some(name) = nth(files, self.file) else { return };
        let mut bytes = files.remove(&name).unwrap_or_default();
        let length = bytes.len();
        let place = |at: u16| usize::from(at) % (length + 1);
        match &self.how {
            How::Change { at, by } => {
                let at = usize::from(*at) % length.max(1);
                bytes.iter_mut().skip(at).take(1).for_each(|byte| *byte ^= by.get());
            }
            How::Overwrite { at, with } => {
                bytes.iter_mut().skip(place(*at)).zip(with).for_each(|(byte, new)| *byte = *new);
            }
            How::Insert { at, bytes: new } => {
                bytes.splice(place(*at)..place(*at), new.iter().copied());
            }
            How::Remove { at, count } => {
                bytes.drain(place(*at)..length.min(place(*at) + usize::from(*count)));
            }
            How::Replace { with } => bytes.clone_from(with),
            How::Forge { frame } => forge(&mut bytes, *frame),
            How::Swap { other } => {
                let other = nth(files, *other).and_then(|other| files.get_mut(&other));
                other.into_iter().for_each(|other| std::mem::swap(other, &mut bytes));
            }
            How::Lose => return,
        }
        files.insert(name, bytes);
    }
}

fn nth(files: &Files, file: u8) -> Option<String> {
    files.keys().nth(usize::from(file) % files.len().max(1)).cloned()
}

/// As `FORMAT.md` has it: length, CRC-32C over all but itself, kind and zeros, payload.
fn forge(bytes: &mut [u8], frame: u8) {
    const HEADER_BYTES: usize = 12;
    let mut at = 0;
    for _ in 0..frame {
        let Some(header) = bytes.get(at..).and_then(|rest| rest.first_chunk::<4>()) else { return };
        at += HEADER_BYTES + u32::from_le_bytes(*header) as usize;
    }
    let Some((length, rest)) = bytes.get_mut(at..).and_then(|rest| rest.split_first_chunk_mut::<4>()) else { return };
    let Some((sum, rest)) = rest.split_first_chunk_mut::<4>() else { return };
    if let Some(summed) = rest.get(..HEADER_BYTES - 8 + u32::from_le_bytes(*length) as usize) {
        *sum = crc32c::crc32c_append(crc32c::crc32c(length), summed).to_le_bytes();
    }
}
