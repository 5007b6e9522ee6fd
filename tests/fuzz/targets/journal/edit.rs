//! What somebody does to the files of a journal.

use std::num::NonZeroU8;

use libfuzzer_sys::arbitrary::{self, Arbitrary};

use crate::stranger::{FRAME_HEADER_BYTES, frame_mut, sum};
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
    /// Another number in a frame's payload, where numbers lie side by side.
    Number {
        frame: u8,
        place: u8,
        value: u64,
    },
    /// A frame gets the checksum that its bytes ask for, as a forger would do it.
    Forge {
        frame: u8,
    },
    /// Everything goes but what retention leaves.
    Purge,
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
            How::Number { frame, place, value } => {
                let frame = nth_frame(&mut bytes, *frame).unwrap_or_default();
                let field = FRAME_HEADER_BYTES + usize::from(*place) * size_of_val(value);
                frame.iter_mut().skip(field).zip(value.to_le_bytes()).for_each(|(byte, new)| *byte = new);
            }
            How::Forge { frame } => nth_frame(&mut bytes, *frame).into_iter().for_each(sum),
            How::Purge => bytes = stub_of(bytes),
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

fn nth_frame(bytes: &mut [u8], number: u8) -> Option<&mut [u8]> {
    let mut at = 0;
    for _ in 0..number {
        at += frame_mut(bytes, at)?.len();
    }
    frame_mut(bytes, at)
}

fn stub_of(mut bytes: Vec<u8>) -> Vec<u8> {
    let (mut stub, mut at) = (Vec::new(), 0);
    while let Some(frame) = frame_mut(&mut bytes, at) {
        at += frame.len();
        if matches!(frame[8], 1 | 4 | 5) {
            stub.extend_from_slice(frame);
        }
    }
    stub
}
