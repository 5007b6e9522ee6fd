//! Proves a journal with nothing but its directory and a public key.

use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use ed25519_dalek::VerifyingKey;
use parking_lot::Mutex;

use crate::journal::check::{CheckError, Checked, Segment, Signatures, check_segment, follows};
use crate::journal::damage::{Damage, DamageKind};
use crate::journal::disk::{Disk, RealDisk};
use crate::journal::map::segment_number;
use crate::journal::open::{OpenError, segments_of, whole};
use crate::position::Position;

/// Threads that check segments side by side: beyond these a disk is the limit.
const THREADS_MAX: usize = 8;

/// A journal without damage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedJournal {
    pub segments: u64,
    /// Segments whose entries were purged, and whose seals remain.
    pub purged: u64,
    pub last: Position,
    pub bytes: u64,
    /// The public keys that signed it, oldest first.
    pub keys: Vec<[u8; 32]>,
    /// The chain's present value. Noted elsewhere, it also proves later that no end was taken off.
    pub head: [u8; 32],
}

#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    #[error("the journal cannot be read")]
    Io(#[from] io::Error),
    #[error(transparent)]
    Damage(#[from] Damage),
}

/// Checks every byte of the journal in a directory, and names the first damage. `key` is any public key that ever signed
/// it: from the first, rotations lead on; from a later one, the chain leads back.
pub fn verify(dir: &Path, key: &VerifyingKey) -> Result<VerifiedJournal, VerifyError> {
    verify_disk(&RealDisk::read_only(dir)?, key)
}

pub fn verify_disk(disk: &dyn Disk, key: &VerifyingKey) -> Result<VerifiedJournal, VerifyError> {
    let numbers = match segments_of(disk) {
        Ok(numbers) => numbers,
        Err(OpenError::Damage(missing)) => return first_damage_before(disk, missing, key),
        Err(OpenError::Io(error)) => return Err(error.into()),
        Err(OpenError::WrongKey { .. } | OpenError::Poisoned(_)) => return Err(io::Error::other("unreadable").into()),
    };
    verify_segments(disk, &numbers, key)
}

/// A segment is missing; there may be damage before it.
fn first_damage_before(disk: &dyn Disk, missing: Damage, key: &VerifyingKey) -> Result<VerifiedJournal, VerifyError> {
    let present: Vec<u64> = disk.list()?.iter().filter_map(|name| segment_number(name)).collect();
    let before: Vec<u64> = present.into_iter().filter(|number| *number < missing.segment).collect();
    match verify_segments(disk, &before, key) {
        Err(VerifyError::Damage(damage)) if damage.what != DamageKind::ForeignKey => Err(damage.into()),
        Err(VerifyError::Damage(_)) | Ok(_) => Err(missing.into()),
        Err(VerifyError::Io(error)) => Err(error.into()),
    }
}

fn verify_segments(disk: &dyn Disk, numbers: &[u64], key: &VerifyingKey) -> Result<VerifiedJournal, VerifyError> {
    let mut before: Option<Segment> = None;
    let mut sound =
        VerifiedJournal { segments: 0, purged: 0, last: Position::START, bytes: 0, keys: Vec::new(), head: [0; 32] };
    let mut known = false;
    for (checked, number) in check_all(disk, numbers, Signatures::Last).into_iter().zip(numbers) {
        let checked = match checked {
            Err(CheckError::Damage(damage)) if damage.what == DamageKind::Signature => {
                // Somebody forged: the signatures within say where it begins.
                check_segment(disk, *number, Signatures::Every).and(Err(CheckError::Damage(damage)))
            }
            other => other,
        };
        let checked = match checked {
            Ok(checked) => checked,
            Err(CheckError::Damage(damage)) => return Err(damage.into()),
            Err(CheckError::Io(error)) => return Err(error.into()),
        };
        let segment =
            if Some(number) == numbers.last() { open_end(checked, *number)? } else { whole(checked, *number)? };
        follows(before.as_ref(), &segment)?;
        known |= segment.header.key == key.to_bytes() || segment.key == *key;
        sound.segments += 1;
        sound.purged += u64::from(segment.purged);
        sound.last = segment.last;
        sound.bytes += segment.bytes;
        sound.head = segment.head.0;
        sound.keys.extend([segment.header.key, segment.key.to_bytes()]);
        sound.keys.dedup();
        before = Some(segment);
    }
    if known {
        return Ok(sound);
    }
    Err(Damage { segment: 1, entry: Position::START, offset: 0, what: DamageKind::ForeignKey }.into())
}

/// The last segment may be open. Unsigned bytes after its last seal are a torn batch or damage; the proof takes neither.
fn open_end(checked: Checked, number: u64) -> Result<Segment, Damage> {
    let missing = Damage { segment: number, entry: Position::START, offset: 0, what: DamageKind::Missing };
    match (checked.segment, checked.rest) {
        (Some(segment), None) => Ok(segment),
        (_, Some(rest)) => {
            let what = rest.why.map_or(DamageKind::Unsigned, DamageKind::Frame);
            Err(Damage { entry: rest.entry, offset: rest.breaks, what, ..missing })
        }
        (None, None) => Err(missing),
    }
}

/// Checks segments side by side: each holds the chain that it continues, so none waits for another, and one thread's
/// hashing overlaps another's reading.
pub fn check_all(disk: &dyn Disk, numbers: &[u64], signatures: Signatures) -> Vec<Result<Checked, CheckError>> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from).min(THREADS_MAX).min(numbers.len());
    let next = AtomicUsize::new(0);
    let done = Mutex::new(Vec::with_capacity(numbers.len()));
    let work = || {
        while let Some(number) = numbers.get(next.fetch_add(1, Ordering::Relaxed)) {
            let checked = check_segment(disk, *number, signatures);
            done.lock().push((*number, checked));
        }
    };
    std::thread::scope(|scope| {
        (1..threads).for_each(|_| {
            scope.spawn(work);
        });
        work();
    });
    let mut done = done.into_inner();
    done.sort_by_key(|(number, _)| *number);
    done.into_iter().map(|(_, checked)| checked).collect()
}
