//! A sound journal, and each beginning of it that is sound by itself.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use chrono::DateTime;
use ed25519_dalek::SigningKey;
use handoff_engine::ids::ReferralId;
use handoff_store::index::MemoryRows;
use handoff_store::journal::{Disk, SimDisk, VerifyDepth, copy, decode, verify_disk};
use handoff_store::{Entry, Record, Store, StoreOptions};

/// Small segments, so that a few entries fill some of them.
const SEGMENT_MAX_BYTES: u64 = 1 << 10;
const ENTRIES: u64 = 6;

/// Whose key signs: at first, after a rotation, and never.
pub const FIRST: u8 = 1;
pub const SECOND: u8 = 2;
pub const STRANGER: u8 = 3;

/// By name.
pub type Files = BTreeMap<String, Vec<u8>>;

pub struct Written {
    pub files: Files,
    /// What may be called sound, by the head of its chain: the journal as it stood at each seal.
    pub beginnings: BTreeMap<[u8; 32], Files>,
}

pub static WRITTEN: LazyLock<Written> = LazyLock::new(write);

pub fn key(seed: u8) -> SigningKey {
    SigningKey::from_bytes(&[seed; 32])
}

pub fn entry_of(number: u64) -> Entry {
    let at = DateTime::from_timestamp(1_767_614_400 + number as i64, 0).expect("a moment");
    let referral = ReferralId::derive(at, &number.to_be_bytes());
    let records = vec![Record::Held { referral, who: "counsel".to_owned(), why: format!("case {number}") }];
    Entry { at, records, sealed: Vec::new() }
}

pub fn open(disk: &SimDisk, seed: u8, depth: VerifyDepth) -> Option<Store> {
    let options = StoreOptions { depth, segment_max_bytes: SEGMENT_MAX_BYTES, ..StoreOptions::new("", key(seed)) };
    Store::inline(Arc::new(disk.clone()), Arc::new(MemoryRows::default()), options).ok().map(|(store, _)| store)
}

pub fn disk_of(files: &Files) -> SimDisk {
    let disk = SimDisk::new(1, None);
    for (name, bytes) in files {
        disk.create(name).expect("a disk without faults");
        disk.write(name, 0, bytes).expect("a disk without faults");
    }
    disk
}

/// A few entries in several segments; half-way another key takes over.
fn write() -> Written {
    let disk = SimDisk::new(1, None);
    let store = open(&disk, FIRST, VerifyDepth::Whole).expect("a new store");
    for number in 1..=ENTRIES {
        if number == ENTRIES / 2 {
            store.rotate(key(SECOND)).expect("another key");
        }
        store.commit(entry_of(number)).wait().expect("committed");
    }
    let tidy = SimDisk::new(1, None);
    copy(store.reader(), &tidy, &|_, _| Ok(false)).expect("copied");
    let read = |name: String| {
        let mut bytes = vec![0; tidy.length(&name).expect("a length") as usize];
        tidy.read(&name, 0, &mut bytes).expect("bytes");
        (name, bytes)
    };
    let files: Files = tidy.list().expect("names").into_iter().map(read).collect();
    let mut written = Written { beginnings: BTreeMap::new(), files };
    let mut before = Files::new();
    for (name, bytes) in &written.files {
        // The proof takes a beginning that ends at a seal, and no other.
        let mut end = 0;
        while let Ok(frame) = decode(&bytes[end..]) {
            end += frame.bytes.len();
            before.insert(name.clone(), bytes[..end].to_vec());
            if let Ok(sound) = verify_disk(&disk_of(&before), &key(FIRST).verifying_key()) {
                written.beginnings.insert(sound.head, before.clone());
            }
        }
    }
    written
}
