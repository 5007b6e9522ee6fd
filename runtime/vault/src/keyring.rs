//! The key ring: one file of fixed-size slots, each holding one patient's data key, wrapped by the master key.
//!
//! Keys are made in extents ahead of need and synced then, so that giving a patient a key costs the hot path nothing:
//! the journal notes which slot the patient took. Overwriting a slot makes everything sealed under it unreadable for
//! good, in the journal and in every backup of it.
//!
//! ```text
//! 0    magic, format version              8 + 4 bytes
//! 16   the house key, wrapped             72 bytes
//! 512  slot 0: the data key, wrapped      72 bytes, zeros to 128; all zeros once erased
//! 640  slot 1 …
//! ```

use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use handoff_store::journal::Disk;
use parking_lot::{Mutex, MutexGuard, RwLock, RwLockReadGuard, RwLockWriteGuard};
use rand::CryptoRng;
use zeroize::Zeroizing;

use crate::clear::Key;
use crate::master::MasterKey;
use crate::seal;

const MAGIC: &[u8; 8] = b"HANDKEYS";
const FORMAT: u32 = 1;

/// The house key lies behind magic and version, aligned.
const HOUSE_AT: u64 = 16;

/// One disk sector, the unit that a power cut leaves whole or untouched.
const HEADER_BYTES: u64 = 512;

/// A wrapped key rounded up to a divisor of the sector: no slot lies across two.
const SLOT_BYTES: u64 = 128;

const WRAPPED_BYTES: usize = Key::BYTES + seal::ENVELOPE_BYTES;

/// Slots made at once: half a megabyte, some milliseconds, enough for years of a practice's new patients.
pub const EXTENT_SLOTS: u64 = 4096;

const HOUSE_PLACE: &[u8] = b"handoff house key";

/// The key ring's file in the data directory.
pub const FILE: &str = "keyring";

/// A key ring that is being written to take its place, or one that has lost it and is to be overwritten.
const DRAFT: &str = "keyring.new";

pub(crate) struct Keyring {
    disk: Arc<dyn Disk>,
    path: PathBuf,
    opened: RwLock<Opened>,
    /// The slot and key that were asked for last: what is revealed in one go is mostly one patient's.
    last: Mutex<Option<(u64, Key)>>,
}

struct Opened {
    master: MasterKey,
    /// Slots that are on disk for certain.
    slots: u64,
}

/// What went wrong with the key ring's file.
#[derive(Debug, thiserror::Error)]
pub enum KeyringError {
    #[error("cannot use the key ring {}", path.display())]
    Io { path: PathBuf, source: io::Error },
    #[error("the key ring in {} is in use by another process\nhelp: stop the running handoff first", path.display())]
    InUse { path: PathBuf },
    #[error(
        "there is no key ring at {}, but the journal has given keys to patients\n\
         help: restore the file from the backup that belongs to this journal",
        path.display()
    )]
    Missing { path: PathBuf },
    #[error(
        "the key ring {} holds {slots} keys, but the journal has given out {taken}\n\
         help: it is older than the journal; restore the newer one",
        path.display()
    )]
    Short { path: PathBuf, slots: u64, taken: u64 },
    #[error("{} is not a key ring of format {FORMAT}", path.display())]
    Foreign { path: PathBuf },
    #[error(
        "the master key does not open the key ring {}\n\
         help: name the master key that was in force when it was last rotated",
        path.display()
    )]
    WrongMaster { path: PathBuf },
    #[error(
        "slot {slot} of the key ring {} is damaged\n\
         help: restore the file from a backup made after the slot was given out",
        path.display()
    )]
    Damaged { path: PathBuf, slot: u64 },
    #[error("the key ring {} has no slot {slot}", path.display())]
    NoSlot { path: PathBuf, slot: u64 },
}

impl Keyring {
    /// Opens the key ring on `disk`, which is the directory `dir`, or makes one when no patient has a key yet (`taken` is
    /// 0).
    pub(crate) fn open(
        disk: Arc<dyn Disk>,
        dir: &Path,
        master: MasterKey,
        taken: u64,
        dice: &mut dyn CryptoRng,
    ) -> Result<Keyring, KeyringError> {
        let path = dir.join(FILE);
        let at = |source| KeyringError::Io { path: path.clone(), source };
        // A draft that a crash kept from its place, or a ring that it kept from being overwritten.
        shred(&*disk, DRAFT).map_err(at)?;
        match length(&*disk, FILE).map_err(at)? {
            Some(_) => {}
            None if taken > 0 => return Err(KeyringError::Missing { path }),
            None => create(&*disk, &master, dice).map_err(at)?,
        }
        let slots = disk.length(FILE).map_err(at)?.saturating_sub(HEADER_BYTES) / SLOT_BYTES;
        if slots < taken {
            return Err(KeyringError::Short { path, slots, taken });
        }
        // A process that died may have left slots that only the page cache knows, and whose sync has failed once: what is not
        // written again would not be tried again.
        let mut untaken = vec![0; ((slots - taken) * SLOT_BYTES) as usize];
        read(&*disk, slot_at(taken), &mut untaken).map_err(at)?;
        disk.write(FILE, slot_at(taken), &untaken).map_err(at)?;
        disk.sync(FILE).map_err(at)?;
        let mut head = [0; HOUSE_AT as usize];
        read(&*disk, 0, &mut head).map_err(at)?;
        if head[..MAGIC.len()] != *MAGIC || head[MAGIC.len()..MAGIC.len() + 4] != FORMAT.to_le_bytes() {
            return Err(KeyringError::Foreign { path });
        }
        let ring = Keyring { disk, path, opened: RwLock::new(Opened { master, slots }), last: Mutex::default() };
        ring.house_key()?;
        Ok(ring)
    }

    /// Names tokens and patients. Drawn once and never changed: a token outlives every master key.
    pub(crate) fn house_key(&self) -> Result<Key, KeyringError> {
        let opened = self.read();
        let mut wrapped = [0; WRAPPED_BYTES];
        read(&*self.disk, HOUSE_AT, &mut wrapped).map_err(|source| self.failed(source))?;
        unwrap(&opened.master, HOUSE_PLACE, &wrapped)
            .ok_or_else(|| KeyringError::WrongMaster { path: self.path.clone() })
    }

    /// The key in a slot; `None` once it has been erased.
    pub(crate) fn key(&self, slot: u64) -> Result<Option<Key>, KeyringError> {
        let opened = self.read();
        if slot >= opened.slots {
            return Err(KeyringError::NoSlot { path: self.path.clone(), slot });
        }
        let mut last = self.last();
        if let Some((_, key)) = last.as_ref().filter(|(of, _)| *of == slot) {
            return Ok(Some(key.clone()));
        }
        let mut wrapped = [0; WRAPPED_BYTES];
        read(&*self.disk, slot_at(slot), &mut wrapped).map_err(|source| self.failed(source))?;
        if wrapped == [0; WRAPPED_BYTES] {
            return Ok(None);
        }
        let key = unwrap(&opened.master, &slot_place(slot), &wrapped)
            .ok_or_else(|| KeyringError::Damaged { path: self.path.clone(), slot })?;
        *last = Some((slot, key.clone()));
        Ok(Some(key))
    }

    pub(crate) fn slots(&self) -> u64 {
        self.read().slots
    }

    /// Makes the next extent of keys. They count once they are on disk.
    pub(crate) fn extend(&self, dice: &mut dyn CryptoRng) -> Result<(), KeyringError> {
        let mut opened = self.write();
        let first = opened.slots;
        let mut extent = Vec::with_capacity((EXTENT_SLOTS * SLOT_BYTES) as usize);
        for slot in first..first + EXTENT_SLOTS {
            let mut key = Zeroizing::new([0; Key::BYTES]);
            dice.fill_bytes(&mut *key);
            extent.extend_from_slice(&wrap(&opened.master, &slot_place(slot), &key, dice));
        }
        self.put(slot_at(first), &extent)?;
        opened.slots += EXTENT_SLOTS;
        Ok(())
    }

    /// Overwrites a slot, and returns once the overwriting is on disk.
    pub(crate) fn erase(&self, slot: u64) -> Result<(), KeyringError> {
        let opened = self.write();
        if slot >= opened.slots {
            return Err(KeyringError::NoSlot { path: self.path.clone(), slot });
        }
        *self.last() = None;
        self.put(slot_at(slot), &[0; SLOT_BYTES as usize])
    }

    /// Wraps every key anew. The file is replaced as a whole or not at all; the old one is overwritten.
    pub(crate) fn rotate(&self, master: MasterKey, dice: &mut dyn CryptoRng) -> Result<(), KeyringError> {
        let house = self.house_key()?;
        let mut opened = self.write();
        let failed = |source| self.failed(source);
        let length = slot_at(opened.slots) as usize;
        let mut old = vec![0; length];
        read(&*self.disk, 0, &mut old).map_err(failed)?;
        let mut new = header(&master, &house, dice);
        for slot in 0..opened.slots {
            let at = slot_at(slot) as usize;
            let wrapped = &old[at..at + WRAPPED_BYTES];
            if wrapped.iter().all(|&byte| byte == 0) {
                new.resize(new.len() + SLOT_BYTES as usize, 0);
                continue;
            }
            let key = unwrap(&opened.master, &slot_place(slot), wrapped)
                .ok_or_else(|| KeyringError::Damaged { path: self.path.clone(), slot })?;
            new.extend_from_slice(&wrap(&master, &slot_place(slot), key.as_bytes(), dice));
        }
        write_draft(&*self.disk, &new).map_err(failed)?;
        self.disk.exchange(DRAFT, FILE).map_err(failed)?;
        self.disk.sync_dir().map_err(failed)?;
        opened.master = master;
        // The old master key may be in other hands: what it opens should not stay in the free blocks of the disk.
        shred(&*self.disk, DRAFT).map_err(failed)
    }

    fn put(&self, at: u64, bytes: &[u8]) -> Result<(), KeyringError> {
        self.disk.write(FILE, at, bytes).and_then(|()| self.disk.sync(FILE)).map_err(|source| self.failed(source))
    }

    /// Copies what is on disk to another disk, which is the directory `dir` and has no key ring.
    pub(crate) fn copy(&self, to: &dyn Disk, dir: &Path) -> Result<(), KeyringError> {
        let opened = self.read();
        let mut content = vec![0; slot_at(opened.slots) as usize];
        read(&*self.disk, 0, &mut content).map_err(|source| self.failed(source))?;
        let copied = || {
            to.create(FILE)?;
            to.write(FILE, 0, &content)?;
            to.sync(FILE)?;
            to.sync_dir()
        };
        copied().map_err(|source| KeyringError::Io { path: dir.join(FILE), source })
    }

    // A panic elsewhere cannot leave `Opened` half changed: every change is one assignment after the disk has agreed.
    fn read(&self) -> RwLockReadGuard<'_, Opened> {
        self.opened.read()
    }

    fn write(&self) -> RwLockWriteGuard<'_, Opened> {
        self.opened.write()
    }

    fn last(&self) -> MutexGuard<'_, Option<(u64, Key)>> {
        self.last.lock()
    }

    fn failed(&self, source: io::Error) -> KeyringError {
        KeyringError::Io { path: self.path.clone(), source }
    }
}

impl std::fmt::Debug for Keyring {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Keyring({})", self.path.display())
    }
}

fn create(disk: &dyn Disk, master: &MasterKey, dice: &mut dyn CryptoRng) -> io::Result<()> {
    let mut house = Zeroizing::new([0; Key::BYTES]);
    dice.fill_bytes(&mut *house);
    write_draft(disk, &header(master, &Key::new(*house), dice))?;
    disk.rename(DRAFT, FILE)?;
    disk.sync_dir()
}

fn header(master: &MasterKey, house: &Key, dice: &mut dyn CryptoRng) -> Vec<u8> {
    let mut header = Vec::with_capacity(HEADER_BYTES as usize);
    header.extend_from_slice(MAGIC);
    header.extend_from_slice(&FORMAT.to_le_bytes());
    header.resize(HOUSE_AT as usize, 0);
    header.extend_from_slice(&wrap(master, HOUSE_PLACE, house.as_bytes(), dice)[..WRAPPED_BYTES]);
    header.resize(HEADER_BYTES as usize, 0);
    header
}

fn write_draft(disk: &dyn Disk, content: &[u8]) -> io::Result<()> {
    disk.create(DRAFT)?;
    disk.write(DRAFT, 0, content)?;
    disk.sync(DRAFT)
}

/// Overwrites a file before its name goes. No such file is as good.
fn shred(disk: &dyn Disk, name: &str) -> io::Result<()> {
    let Some(length) = length(disk, name)? else { return Ok(()) };
    disk.write(name, 0, &vec![0; length as usize])?;
    disk.sync(name)?;
    disk.remove(name)
}

/// None when there is no such file.
fn length(disk: &dyn Disk, name: &str) -> io::Result<Option<u64>> {
    match disk.length(name) {
        Ok(length) => Ok(Some(length)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn read(disk: &dyn Disk, at: u64, buffer: &mut [u8]) -> io::Result<()> {
    match disk.read(FILE, at, buffer)? {
        count if count == buffer.len() => Ok(()),
        _ => Err(ErrorKind::UnexpectedEof.into()),
    }
}

fn slot_at(slot: u64) -> u64 {
    HEADER_BYTES + slot * SLOT_BYTES
}

/// Ties a wrapped key to its slot: two slots cannot be exchanged unnoticed.
fn slot_place(slot: u64) -> [u8; 24] {
    let mut place = *b"handoff slot key........";
    place[16..].copy_from_slice(&slot.to_le_bytes());
    place
}

/// A whole slot. A key of 256 bits never is too long for an envelope.
fn wrap(
    master: &MasterKey,
    place: &[u8],
    key: &[u8; Key::BYTES],
    dice: &mut dyn CryptoRng,
) -> [u8; SLOT_BYTES as usize] {
    let mut slot = [0; SLOT_BYTES as usize];
    if let Ok(envelope) = seal::close(&master.0, place, key, dice) {
        slot[..WRAPPED_BYTES].copy_from_slice(&envelope);
    }
    slot
}

fn unwrap(master: &MasterKey, place: &[u8], wrapped: &[u8]) -> Option<Key> {
    Key::from_slice(&seal::open(&master.0, place, wrapped).ok()?)
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng as _;
    use rand::rngs::StdRng;

    use handoff_store::journal::RealDisk;

    use super::*;

    fn open(dir: &Path, master: MasterKey, taken: u64, dice: &mut StdRng) -> Result<Keyring, KeyringError> {
        let disk = RealDisk::private(dir).expect("a directory of our own");
        Keyring::open(Arc::new(disk), dir, master, taken, dice)
    }

    fn master(seed: u64) -> MasterKey {
        MasterKey::generate(&mut StdRng::seed_from_u64(seed))
    }

    #[test]
    fn keys_survive_reopening_and_differ() {
        let dir = tempfile::tempdir().expect("a directory");
        let mut dice = StdRng::seed_from_u64(7);
        let (house, first, last) = {
            let ring = open(dir.path(), master(1), 0, &mut dice).expect("made");
            assert_eq!(ring.slots(), 0);
            assert!(matches!(ring.key(0), Err(KeyringError::NoSlot { slot: 0, .. })));
            ring.extend(&mut dice).expect("extended");
            let key = |slot| ring.key(slot).expect("read").expect("not erased");
            (ring.house_key().expect("opened"), key(0), key(EXTENT_SLOTS - 1))
        };
        assert_ne!(first.as_bytes(), last.as_bytes());
        let ring = open(dir.path(), master(1), EXTENT_SLOTS, &mut dice).expect("opened");
        assert_eq!(ring.house_key().expect("opened").as_bytes(), house.as_bytes());
        assert_eq!(ring.key(0).expect("read").expect("there").as_bytes(), first.as_bytes());
    }

    #[test]
    fn an_erased_key_is_gone_from_the_file_and_its_neighbours_stay() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join(FILE);
        let mut dice = StdRng::seed_from_u64(7);
        let ring = open(dir.path(), master(1), 0, &mut dice).expect("made");
        ring.extend(&mut dice).expect("extended");
        let before = std::fs::read(&path).expect("read");
        ring.erase(1).expect("erased");
        let after = std::fs::read(&path).expect("read");
        assert!(ring.key(0).expect("read").is_some());
        assert!(ring.key(1).expect("read").is_none());
        assert!(ring.key(2).expect("read").is_some());
        let (from, to) = (slot_at(1) as usize, slot_at(2) as usize);
        assert_eq!(after[from..to], [0; SLOT_BYTES as usize]);
        assert_eq!((&after[..from], &after[to..]), (&before[..from], &before[to..]));
    }

    #[test]
    fn rotation_changes_every_wrapping_and_no_key() {
        let dir = tempfile::tempdir().expect("a directory");
        let mut dice = StdRng::seed_from_u64(7);
        let ring = open(dir.path(), master(1), 0, &mut dice).expect("made");
        ring.extend(&mut dice).expect("extended");
        ring.erase(3).expect("erased");
        let keys = |ring: &Keyring| {
            let slots = (0..EXTENT_SLOTS).map(|slot| ring.key(slot).expect("read").map(|key| *key.as_bytes()));
            (*ring.house_key().expect("opened").as_bytes(), slots.collect::<Vec<_>>())
        };
        let before = keys(&ring);
        ring.rotate(master(2), &mut dice).expect("rotated");
        assert_eq!(keys(&ring), before);
        assert!(!dir.path().join(DRAFT).exists());
        drop(ring);
        assert!(matches!(open(dir.path(), master(1), 0, &mut dice), Err(KeyringError::WrongMaster { .. })));
        assert_eq!(keys(&open(dir.path(), master(2), 0, &mut dice).expect("opened")), before);
    }

    #[test]
    fn what_cannot_be_right_is_refused_by_name() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join(FILE);
        let mut dice = StdRng::seed_from_u64(7);
        assert!(matches!(open(dir.path(), master(1), 1, &mut dice), Err(KeyringError::Missing { .. })));
        let ring = open(dir.path(), master(1), 0, &mut dice).expect("made");
        ring.extend(&mut dice).expect("extended");
        let taken = EXTENT_SLOTS + 1;
        drop(ring);
        assert!(matches!(open(dir.path(), master(1), taken, &mut dice), Err(KeyringError::Short { .. })));
        let whole = std::fs::read(&path).expect("read");
        let mut swapped = whole.clone();
        let (a, b) = (slot_at(0) as usize, slot_at(1) as usize);
        swapped.copy_within(b..b + SLOT_BYTES as usize, a);
        std::fs::write(&path, &swapped).expect("written");
        let ring = open(dir.path(), master(1), 0, &mut dice).expect("opened");
        assert!(matches!(ring.key(0), Err(KeyringError::Damaged { slot: 0, .. })));
        drop(ring);
        std::fs::write(&path, b"something else altogether, and long enough to be read as a header of a file")
            .expect("written");
        assert!(matches!(open(dir.path(), master(1), 0, &mut dice), Err(KeyringError::Foreign { .. })));
    }
}
