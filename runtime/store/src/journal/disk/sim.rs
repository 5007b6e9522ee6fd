//! A disk that fails on purpose, the same way for the same seed: lost and torn writes, failed syncs, a full disk.
//!
//! It keeps what the machine sees apart from what would survive a power cut. A cut keeps each unsynced sector or loses
//! it, and keeps names up to some unsynced change; sectors themselves are whole or absent, as disks promise.

use std::collections::BTreeMap;
use std::io::{self, Error, ErrorKind};
use std::sync::Arc;

use parking_lot::{Mutex, MutexGuard};

use crate::journal::disk::{Disk, DiskDice};
use crate::journal::tail::SECTOR_BYTES;

/// What goes wrong, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DiskFault {
    /// The power is cut at this operation (writes, cuts, syncs and name changes count; the first is 0).
    PowerCut { operation: u64 },
    /// This sync fails (the first is 0), and what it should have made durable never will be.
    SyncFails { sync: u64 },
    /// No room beyond so many bytes in all files.
    Full { bytes: u64 },
}

/// Cheap to clone; clones are the same disk.
#[derive(Clone)]
pub struct SimDisk {
    state: Arc<Mutex<State>>,
}

struct State {
    dice: DiskDice,
    fault: Option<DiskFault>,
    operations: u64,
    syncs: u64,
    off: bool,
    files: Vec<Inode>,
    names: BTreeMap<String, usize>,
    durable_names: BTreeMap<String, usize>,
    unsynced_names: Vec<BTreeMap<String, usize>>,
}

#[derive(Clone, Default)]
struct Inode {
    seen: Vec<u8>,
    unsynced: Vec<Change>,
    /// What is durable, since a sync has failed. Until then it is what is seen without what is unsynced: two copies of a
    /// year's journals would cost more than all that is done with them.
    durable: Option<Vec<u8>>,
}

/// A write, or a cut where `end` is the file's new length; with what it takes to undo it.
#[derive(Clone)]
struct Change {
    offset: usize,
    end: usize,
    is_cut: bool,
    length_before: usize,
    /// What stood from `offset` on.
    before: Vec<u8>,
}

/// A change, with what it wrote.
struct Made {
    change: Change,
    wrote: Vec<u8>,
}

impl Inode {
    fn write(&mut self, offset: usize, bytes: &[u8]) {
        let (end, length_before) = (offset + bytes.len(), self.seen.len());
        let before = self.seen[offset.min(length_before)..end.min(length_before)].to_vec();
        put(&mut self.seen, offset, bytes);
        self.unsynced.push(Change { offset, end, is_cut: false, length_before, before });
    }

    fn cut(&mut self, length: usize) {
        let length_before = self.seen.len();
        let before = self.seen[length.min(length_before)..].to_vec();
        self.seen.truncate(length);
        self.unsynced.push(Change { offset: length, end: length, is_cut: true, length_before, before });
    }

    /// What is durable, and the changes that are not, oldest first.
    fn apart(&self) -> (Vec<u8>, Vec<Made>) {
        let mut content = self.seen.clone();
        let made = self.unsynced.iter().rev().map(|change| {
            let wrote = content.get(change.offset..change.end).unwrap_or_default().to_vec();
            content.resize(change.length_before, 0);
            let offset = change.offset.min(change.length_before);
            content[offset..offset + change.before.len()].copy_from_slice(&change.before);
            Made { change: change.clone(), wrote }
        });
        let mut made: Vec<Made> = made.collect();
        made.reverse();
        (self.durable.clone().unwrap_or(content), made)
    }

    fn sync(&mut self) {
        if let Some(durable) = &mut self.durable {
            for change in &self.unsynced {
                // What a later change has written over it is synced with it.
                let end = change.end.min(self.seen.len());
                match (change.is_cut, self.seen.get(change.offset..end)) {
                    (false, Some(bytes)) => put(durable, change.offset, bytes),
                    (true, _) => durable.truncate(change.end),
                    (false, None) => {}
                }
            }
        }
        self.unsynced.clear();
    }

    /// The kernel drops the pages' dirty marks: later syncs succeed and save nothing of these.
    fn fail_to_sync(&mut self) {
        self.durable = Some(self.apart().0);
        self.unsynced.clear();
    }
}

impl SimDisk {
    pub fn new(seed: u64, fault: Option<DiskFault>) -> SimDisk {
        SimDisk::with(seed, fault, Vec::new(), BTreeMap::new())
    }

    fn with(seed: u64, fault: Option<DiskFault>, files: Vec<Inode>, names: BTreeMap<String, usize>) -> SimDisk {
        let state = State {
            dice: DiskDice::new(seed),
            fault,
            operations: 0,
            syncs: 0,
            off: false,
            files,
            durable_names: names.clone(),
            names,
            unsynced_names: Vec::new(),
        };
        SimDisk { state: Arc::new(Mutex::new(state)) }
    }

    /// What a machine finds after the power was cut here and came back.
    pub fn after_power_cut(&self, fault: Option<DiskFault>) -> SimDisk {
        let mut state = self.lock();
        let choices = state.unsynced_names.len() as u64 + 1;
        let kept_names = state.dice.below(choices) as usize;
        let names = match kept_names.checked_sub(1) {
            Some(last) => state.unsynced_names[last].clone(),
            None => state.durable_names.clone(),
        };
        let seed = state.dice.next();
        let State { files, dice, .. } = &mut *state;
        let files = files.iter().map(|file| survivor(file, dice)).collect();
        SimDisk::with(seed, fault, files, names)
    }

    /// The process ends and another begins; the machine stays up: where the power was to be cut, only the process was
    /// killed. Operations and syncs count from 0 again.
    pub fn restart(&self, fault: Option<DiskFault>) {
        let mut state = self.lock();
        state.off = false;
        state.fault = fault;
        state.operations = 0;
        state.syncs = 0;
    }

    /// Operations so far: the range from which to choose where to cut the power.
    pub fn operations(&self) -> u64 {
        self.lock().operations
    }

    pub fn power_is_off(&self) -> bool {
        self.lock().off
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock()
    }
}

fn survivor(file: &Inode, dice: &mut DiskDice) -> Inode {
    let (mut durable, unsynced) = file.apart();
    // All, none, or each sector by a throw of the dice.
    let chance = [0, 1, 2, 3][dice.below(4) as usize];
    for Made { change, wrote } in unsynced {
        if change.is_cut {
            if chance > 0 {
                durable.truncate(change.end);
            }
            continue;
        }
        let mut at = 0;
        while at < wrote.len() {
            let place = change.offset + at;
            let room = SECTOR_BYTES - place % SECTOR_BYTES;
            let part = &wrote[at..wrote.len().min(at + room)];
            if dice.below(3) < chance {
                put(&mut durable, place, part);
            }
            at += part.len();
        }
    }
    Inode { seen: durable, unsynced: Vec::new(), durable: None }
}

fn put(bytes: &mut Vec<u8>, offset: usize, part: &[u8]) {
    // A gap reads as zeros.
    bytes.resize(bytes.len().max(offset), 0);
    let (over, beyond) = part.split_at(part.len().min(bytes.len() - offset));
    bytes[offset..offset + over.len()].copy_from_slice(over);
    bytes.extend_from_slice(beyond);
}

impl State {
    /// Counts an operation that changes something; the power may go.
    fn tick(&mut self) -> io::Result<()> {
        let now = self.operations;
        self.operations += 1;
        if self.fault == Some(DiskFault::PowerCut { operation: now }) {
            self.off = true;
        }
        self.powered()
    }

    fn powered(&self) -> io::Result<()> {
        if self.off { Err(Error::other("the power is off")) } else { Ok(()) }
    }

    fn file(&mut self, name: &str) -> io::Result<&mut Inode> {
        let inode = *self.names.get(name).ok_or(ErrorKind::NotFound)?;
        Ok(&mut self.files[inode])
    }

    /// How much of a write that grows a file fits.
    fn room_for(&self, grows: usize) -> usize {
        let used: usize = self.names.values().map(|inode| self.files[*inode].seen.len()).sum();
        match self.fault {
            Some(DiskFault::Full { bytes }) => {
                let room = usize::try_from(bytes).unwrap_or(usize::MAX).saturating_sub(used);
                if grows <= room { grows } else { room / SECTOR_BYTES * SECTOR_BYTES }
            }
            Some(DiskFault::PowerCut { .. } | DiskFault::SyncFails { .. }) | None => grows,
        }
    }
}

impl Disk for SimDisk {
    fn create(&self, name: &str) -> io::Result<()> {
        let mut state = self.lock();
        state.tick()?;
        if state.names.contains_key(name) {
            return Err(ErrorKind::AlreadyExists.into());
        }
        state.files.push(Inode::default());
        let inode = state.files.len() - 1;
        state.names.insert(name.to_string(), inode);
        let names = state.names.clone();
        state.unsynced_names.push(names);
        Ok(())
    }

    fn write(&self, name: &str, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let mut state = self.lock();
        let offset = usize::try_from(offset).map_err(|_| ErrorKind::FileTooLarge)?;
        let grows = (offset + bytes.len()).saturating_sub(state.file(name)?.seen.len());
        let missing = grows - state.room_for(grows);
        let powered = state.tick();
        // A write at which the power goes, or the room ends, may still have reached the disk in parts.
        let written = bytes.len().saturating_sub(missing);
        state.file(name)?.write(offset, &bytes[..written]);
        if missing > 0 {
            return Err(ErrorKind::StorageFull.into());
        }
        powered
    }

    fn truncate(&self, name: &str, length: u64) -> io::Result<()> {
        let mut state = self.lock();
        state.tick()?;
        let length = usize::try_from(length).map_err(|_| ErrorKind::FileTooLarge)?;
        state.file(name)?.cut(length);
        Ok(())
    }

    fn sync(&self, name: &str) -> io::Result<()> {
        let mut state = self.lock();
        state.tick()?;
        let sync = state.syncs;
        state.syncs += 1;
        let fails = state.fault == Some(DiskFault::SyncFails { sync });
        let file = state.file(name)?;
        if fails {
            file.fail_to_sync();
            return Err(Error::other("the sync failed"));
        }
        file.sync();
        Ok(())
    }

    fn read(&self, name: &str, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let mut state = self.lock();
        state.powered()?;
        let seen = &state.file(name)?.seen;
        let rest = usize::try_from(offset).ok().and_then(|offset| seen.get(offset..)).unwrap_or_default();
        let count = rest.len().min(buffer.len());
        buffer[..count].copy_from_slice(&rest[..count]);
        Ok(count)
    }

    fn length(&self, name: &str) -> io::Result<u64> {
        let mut state = self.lock();
        state.powered()?;
        Ok(state.file(name)?.seen.len() as u64)
    }

    fn list(&self) -> io::Result<Vec<String>> {
        let state = self.lock();
        state.powered()?;
        Ok(state.names.keys().cloned().collect())
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let mut state = self.lock();
        state.tick()?;
        let inode = state.names.remove(from).ok_or(ErrorKind::NotFound)?;
        state.names.insert(to.to_string(), inode);
        let names = state.names.clone();
        state.unsynced_names.push(names);
        Ok(())
    }

    fn exchange(&self, one: &str, other: &str) -> io::Result<()> {
        let mut state = self.lock();
        state.tick()?;
        let mine = *state.names.get(one).ok_or(ErrorKind::NotFound)?;
        let yours = *state.names.get(other).ok_or(ErrorKind::NotFound)?;
        state.names.insert(one.to_string(), yours);
        state.names.insert(other.to_string(), mine);
        let names = state.names.clone();
        state.unsynced_names.push(names);
        Ok(())
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        let mut state = self.lock();
        state.tick()?;
        state.names.remove(name).ok_or(ErrorKind::NotFound)?;
        let names = state.names.clone();
        state.unsynced_names.push(names);
        Ok(())
    }

    fn sync_dir(&self) -> io::Result<()> {
        let mut state = self.lock();
        state.tick()?;
        state.durable_names = state.names.clone();
        state.unsynced_names.clear();
        Ok(())
    }
}
