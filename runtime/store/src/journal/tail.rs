//! Was the end of the journal torn by a crash, or damaged afterwards?
//!
//! A batch is written at once into space that held zeros or nothing, and a disk keeps a sector or does not. So a crash
//! leaves a hole: a sector of zeros within the batch, or nothing where its seal should end. Such a batch was never
//! acknowledged and is cut. Broken bytes without a hole had been whole, and whatever follows a broken batch was written
//! after that batch was durable: both are damage, and are never cut.

use crate::journal::check::Rest;
use crate::journal::damage::{Damage, DamageKind};
use crate::journal::frame::{self, FrameKind, NotAFrame};
use crate::journal::seal::{BATCH_SEAL_FRAME_BYTES, BatchSeal, FOOTER_FRAME_BYTES, Footer, MARK};

/// What every disk writes whole.
pub const SECTOR_BYTES: usize = 512;

/// Judges the bytes after the last good seal. `Ok` when they are a torn batch, to be cut.
pub fn judge(segment: u64, rest: &Rest, bytes: &[u8]) -> Result<(), Damage> {
    let damage = || Damage {
        segment,
        entry: rest.entry,
        offset: rest.breaks,
        what: rest.why.map_or(DamageKind::Unsigned, |why| match why {
            NotAFrame::Short(_) | NotAFrame::Nothing | NotAFrame::TooLong | NotAFrame::Checksum | NotAFrame::Kind => {
                DamageKind::Frame(why)
            }
        }),
    };
    let broken = usize::try_from(rest.breaks - rest.begins).unwrap_or(usize::MAX).min(bytes.len());
    for end in mark_ends(bytes).filter(|end| *end > broken) {
        let Some(begins) = seal_ending_at(&bytes[..end]) else { continue };
        if begins > rest.begins || !has_hole(rest.begins, &bytes[..end]) {
            return Err(damage());
        }
    }
    if is_damaged_seal(rest.begins, broken, bytes) { Err(damage()) } else { Ok(()) }
}

fn mark_ends(bytes: &[u8]) -> impl Iterator<Item = usize> {
    bytes.windows(MARK.len()).enumerate().filter(|(_, window)| *window == MARK).map(|(at, _)| at + MARK.len())
}

/// Where the batch begins that a whole seal at the end of the bytes closes.
fn seal_ending_at(bytes: &[u8]) -> Option<u64> {
    let ending = |length: usize| {
        let start = bytes.len().checked_sub(length)?;
        frame::decode(&bytes[start..]).ok().filter(|seen| seen.bytes.len() == length)
    };
    let batch = ending(BATCH_SEAL_FRAME_BYTES)
        .filter(|seen| seen.kind == FrameKind::Signature)
        .and_then(|seen| BatchSeal::read(seen.payload()))
        .map(|seal| seal.begins);
    let footer = ending(FOOTER_FRAME_BYTES)
        .filter(|seen| seen.kind == FrameKind::Footer)
        .and_then(|seen| Footer::read(seen.payload()))
        .map(|footer| footer.begins);
    batch.or(footer)
}

/// Whether a sector within the batch was never written. `begins` is where in the file the bytes begin.
fn has_hole(begins: u64, bytes: &[u8]) -> bool {
    let lead = SECTOR_BYTES - usize::try_from(begins % SECTOR_BYTES as u64).unwrap_or_default();
    let (first, others) = bytes.split_at(lead.min(bytes.len()));
    let empty = |sector: &[u8]| !sector.is_empty() && sector.iter().all(|byte| *byte == 0);
    empty(first) || others.chunks(SECTOR_BYTES).any(empty)
}

/// Whether the broken frame is a seal that had been written to its end, with nothing after it.
fn is_damaged_seal(begins: u64, broken: usize, bytes: &[u8]) -> bool {
    let written = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    [(FrameKind::Signature, BATCH_SEAL_FRAME_BYTES), (FrameKind::Footer, FOOTER_FRAME_BYTES)].into_iter().any(
        |(kind, length)| {
            let end = broken + length;
            let Some(seal) = bytes.get(broken..end) else { return false };
            let named = u32::from_le_bytes([seal[0], seal[1], seal[2], seal[3]]) as usize;
            let meant = seal[8] == kind as u8 || named + frame::HEADER_BYTES == length;
            let reached_its_end = written <= end && written + MARK.len() > end;
            meant && reached_its_end && !has_hole(begins, &bytes[..end])
        },
    )
}
