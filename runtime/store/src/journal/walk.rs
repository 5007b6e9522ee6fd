//! Steps through a segment frame by frame, in big reads.

use std::io;

use crate::journal::disk::Disk;
use crate::journal::frame::{self, NotAFrame, SeenFrame};

/// Bytes read at once when a whole segment is read: large enough for a disk's full speed, small enough for the cache.
pub const WHOLE_READ_BYTES: usize = 1 << 20;
/// Bytes read at once when one entry is looked up: some entries of usual size.
pub const LOOKUP_READ_BYTES: usize = 16 << 10;

pub struct Walk<'d> {
    disk: &'d dyn Disk,
    name: &'d str,
    read_bytes: usize,
    buffer: Vec<u8>,
    /// The unread part of the buffer.
    start: usize,
    end: usize,
    /// Where in the file the unread part begins.
    offset: u64,
}

pub enum WalkStep<'b> {
    Frame {
        offset: u64,
        seen: SeenFrame<'b>,
    },
    /// Nothing but zeros, or nothing at all, from here on.
    End {
        offset: u64,
    },
    Broken {
        offset: u64,
        why: NotAFrame,
    },
}

impl<'d> Walk<'d> {
    pub fn from(disk: &'d dyn Disk, name: &'d str, offset: u64, read_bytes: usize) -> Walk<'d> {
        Walk { disk, name, read_bytes, buffer: Vec::new(), start: 0, end: 0, offset }
    }

    pub fn step(&mut self) -> io::Result<WalkStep<'_>> {
        let offset = self.offset;
        let mut wanted = frame::HEADER_BYTES;
        let outcome = loop {
            let complete = self.fill(wanted)?;
            match frame::inspect(&self.buffer[self.start..self.end]) {
                Ok(found) => break Ok(found),
                Err(NotAFrame::Short(total)) if complete => wanted = total,
                Err(why) => break Err(why),
            }
        };
        match outcome {
            Ok((kind, length)) => {
                let begin = self.start;
                self.start += length;
                self.offset += length as u64;
                Ok(WalkStep::Frame { offset, seen: SeenFrame { kind, bytes: &self.buffer[begin..begin + length] } })
            }
            Err(NotAFrame::Nothing | NotAFrame::Short(_)) if self.only_zeros()? => Ok(WalkStep::End { offset }),
            Err(why) => Ok(WalkStep::Broken { offset, why }),
        }
    }

    /// Makes so many bytes available, if the file has them; says whether it has.
    fn fill(&mut self, wanted: usize) -> io::Result<bool> {
        let have = self.end - self.start;
        if have >= wanted {
            return Ok(true);
        }
        self.buffer.copy_within(self.start..self.end, 0);
        self.start = 0;
        self.end = have;
        let from = self.offset + have as u64;
        let left = usize::try_from(self.disk.length(self.name)?.saturating_sub(from)).unwrap_or(usize::MAX);
        let size = have + left.min(self.read_bytes.max(wanted - have));
        if self.buffer.len() < size {
            self.buffer.resize(size, 0);
        }
        self.end += self.disk.read(self.name, from, &mut self.buffer[have..size])?;
        Ok(self.end >= wanted)
    }

    fn only_zeros(&self) -> io::Result<bool> {
        let mut buffer = [0; LOOKUP_READ_BYTES];
        let mut offset = self.offset;
        loop {
            let count = self.disk.read(self.name, offset, &mut buffer)?;
            if count == 0 {
                return Ok(true);
            }
            if buffer[..count].iter().any(|byte| *byte != 0) {
                return Ok(false);
            }
            offset += count as u64;
        }
    }
}
