//! Every single byte of a journal is watched: changed, it is found and named, and never costs an acknowledged entry.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::entry::Entry;
use crate::journal::{
    Damage, DamageKind, Disk, Entries as _, Journal, OpenError, SimDisk, VerifyDepth, VerifyError, copy, segment_name,
    verify_disk,
};
use crate::position::Position;

use super::sample::{key, usual};

/// Small segments, so that a few entries fill three of them.
const SEGMENT_BYTES: u64 = 4 << 10;

type Files = BTreeMap<String, Vec<u8>>;

fn open(disk: &SimDisk, seed: u8) -> Result<Journal, OpenError> {
    Journal::open(Arc::new(disk.clone()), key(seed), VerifyDepth::Whole, SEGMENT_BYTES).map(|opened| opened.journal)
}

fn journal_of(entries: u64) -> SimDisk {
    let disk = SimDisk::new(1, None);
    let mut journal = open(&disk, 1).expect("opened");
    for number in 0..entries {
        journal.append_batch(&[usual(number)]).expect("appended");
    }
    // Copied, so that no zeros written ahead remain and every byte counts.
    let tidy = SimDisk::new(1, None);
    copy(&journal.reader(), &tidy, &|_, _| Ok(false)).expect("copied");
    tidy
}

fn files_of(disk: &SimDisk) -> Files {
    let read = |name: String| {
        let mut bytes = vec![0; disk.length(&name).expect("length") as usize];
        disk.read(&name, 0, &mut bytes).expect("read");
        (name, bytes)
    };
    disk.list().expect("names").into_iter().map(read).collect()
}

fn disk_of(files: &Files) -> SimDisk {
    let disk = SimDisk::new(1, None);
    for (name, bytes) in files {
        disk.create(name).expect("created");
        disk.write(name, 0, bytes).expect("written");
        disk.sync(name).expect("synced");
    }
    disk.sync_dir().expect("synced");
    disk
}

fn damage_in(files: &Files) -> Damage {
    match verify_disk(&disk_of(files), &key(1).verifying_key()) {
        Err(VerifyError::Damage(damage)) => damage,
        other => panic!("expected damage, got {other:?}"),
    }
}

#[test]
fn any_changed_byte_is_found_and_named() {
    let files = files_of(&journal_of(9));
    assert!(files.len() >= 3, "several segments are needed to say anything");
    let mut number = 0;
    for (name, bytes) in &files {
        number += 1;
        for at in 0..bytes.len() {
            let mut changed = files.clone();
            changed.entry(name.clone()).and_modify(|bytes| bytes[at] ^= 1 << (at % 8));
            let damage = damage_in(&changed);
            assert_eq!(damage.segment, number, "byte {at} of {name}: {damage}");
            assert!(damage.offset as usize <= at, "byte {at} of {name}: {damage}");
            assert!(at < damage.offset as usize + 1200, "byte {at} of {name}: {damage}");
        }
    }
}

#[test]
fn rotations_purged_segments_and_space_ahead_are_watched_as_closely() {
    let disk = SimDisk::new(1, None);
    let mut journal = open(&disk, 1).expect("opened");
    for number in 0..6 {
        journal.append_batch(&[usual(number)]).expect("appended");
    }
    journal.rotate(key(2)).expect("rotated");
    journal.append_batch(&[usual(6)]).expect("appended");
    journal.reader().purge(1).expect("purged");
    let files = files_of(&disk);
    let sound = verify_disk(&disk_of(&files), &key(1).verifying_key()).expect("sound");
    assert_eq!((sound.purged, sound.keys.len()), (1, 2));
    let (last, open) = files.iter().next_back().expect("a segment");
    assert!(open.ends_with(&[0; 1_000]), "{last} has no space ahead");
    let mut number = 0;
    for (name, bytes) in &files {
        number += 1;
        for at in 0..bytes.len() {
            let mut changed = files.clone();
            changed.entry(name.clone()).and_modify(|bytes| bytes[at] ^= 1 << (at % 8));
            let damage = damage_in(&changed);
            assert_eq!(damage.segment, number, "byte {at} of {name}: {damage}");
            assert!(damage.offset as usize <= at, "byte {at} of {name}: {damage}");
        }
    }
}

#[test]
fn a_changed_byte_never_costs_an_acknowledged_entry() {
    let files = files_of(&journal_of(7));
    for (name, bytes) in &files {
        for at in (0..bytes.len()).step_by(3) {
            let mut changed = files.clone();
            changed.entry(name.clone()).and_modify(|bytes| bytes[at] ^= 0x10);
            match open(&disk_of(&changed), 1) {
                Err(OpenError::Damage(damage)) => assert!(damage.offset as usize <= at),
                Err(other) => panic!("byte {at} of {name}: {other}"),
                Ok(journal) => panic!("byte {at} of {name} was overlooked; {} entries remain", journal.last()),
            }
        }
    }
}

#[test]
fn damage_is_named_as_what_it_is() {
    let files = files_of(&journal_of(9));
    let names: Vec<String> = files.keys().cloned().collect();
    let without = |name: &str| {
        let mut files = files.clone();
        files.remove(name);
        files
    };
    let with = |name: &str, change: &dyn Fn(&mut Vec<u8>)| {
        let mut files = files.clone();
        files.entry(name.to_string()).and_modify(change);
        files
    };
    let (first, second, last) = (&names[0], &names[1], &names[names.len() - 1]);
    let whole = files[first].len() as u64;
    let swapped = {
        let mut files = files.clone();
        let (one, two) = (files[first].clone(), files[second].clone());
        files.insert(first.clone(), two);
        files.insert(second.clone(), one);
        files
    };
    let rows = [
        ("a middle segment is gone", without(second), 2, 0, DamageKind::Missing),
        ("the first segment is gone", without(first), 1, 0, DamageKind::Missing),
        ("a segment was emptied", with(second, &|bytes| bytes.clear()), 2, 0, DamageKind::Missing),
        ("a byte follows a segment", with(first, &|bytes| bytes.push(7)), 1, whole, DamageKind::Trailing),
        ("two segments were swapped", swapped, 1, 0, DamageKind::Misplaced),
    ];
    for (what, files, segment, offset, wrong) in rows {
        let damage = damage_in(&files);
        assert_eq!((damage.segment, damage.offset, &damage.what), (segment, offset, &wrong), "{what}: {damage}");
    }
    let zeros = with(first, &|bytes| bytes.extend([0; 100]));
    assert!(verify_disk(&disk_of(&zeros), &key(1).verifying_key()).is_ok(), "a crash may leave zeros");
    let cut = damage_in(&with(last, &|bytes| bytes.truncate(bytes.len() - 1)));
    assert_eq!(cut.segment as usize, names.len());
    let foreign = verify_disk(&disk_of(&files), &key(2).verifying_key());
    assert!(matches!(foreign, Err(VerifyError::Damage(Damage { what: DamageKind::ForeignKey, .. }))));
}

#[test]
fn an_end_taken_off_at_a_seal_shows_in_the_head() {
    let whole = verify_disk(&journal_of(3), &key(1).verifying_key()).expect("sound");
    let cut = verify_disk(&journal_of(2), &key(1).verifying_key()).expect("sound");
    assert_eq!((whole.last, cut.last), (Position(3), Position(2)));
    assert_ne!(whole.head, cut.head);
}

#[test]
fn keys_rotate_and_every_one_of_them_verifies() {
    let disk = SimDisk::new(1, None);
    let mut journal = open(&disk, 1).expect("opened");
    journal.append_batch(&[usual(1)]).expect("appended");
    journal.rotate(key(2)).expect("rotated");
    journal.append_batch(&[usual(2)]).expect("appended");
    journal.rotate(key(3)).expect("rotated");
    journal.append_batch(&[usual(3)]).expect("appended");
    for seed in 1..=3 {
        let sound = verify_disk(&disk, &key(seed).verifying_key()).expect("sound");
        assert_eq!(sound.last, Position(3));
    }
    assert!(verify_disk(&disk, &key(4).verifying_key()).is_err());
    assert!(matches!(open(&disk, 1), Err(OpenError::WrongKey { .. })));
    let journal = open(&disk, 3).expect("the newest key opens it");
    let entries: Vec<Entry> =
        journal.reader().entries(Position(1)).map(|it| it.expect("entry").1.as_ref().clone()).collect();
    assert_eq!(entries, [usual(1), usual(2), usual(3)]);
}

#[test]
fn opening_at_the_ends_sees_what_it_reads() {
    let files = files_of(&journal_of(9));
    let first = segment_name(1);
    let mut changed = files.clone();
    changed.entry(first.clone()).and_modify(|bytes| {
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
    });
    let opened = Journal::open(Arc::new(disk_of(&changed)), key(1), VerifyDepth::Ends, SEGMENT_BYTES).expect("opened");
    assert_eq!(opened.journal.last(), Position(9));
    let reader = opened.journal.reader();
    let read: Result<Vec<_>, _> = reader.entries(Position(1)).collect();
    assert!(read.is_err(), "reading meets the damage");
    assert_eq!(*reader.entry(Position(1)).expect("before it").expect("not purged"), usual(0));
    assert_eq!(reader.damaged(), [], "nobody has looked yet");
    let bytes: u64 = reader.closed()[1..].iter().map(|number| reader.check(*number).expect("sound")).sum();
    assert!(bytes > 0);
    let found = reader.check(1).expect_err("every byte is checked");
    let whole = verify_disk(&disk_of(&changed), &key(1).verifying_key()).expect_err("every byte is checked");
    assert_eq!(found.to_string(), whole.to_string(), "named as by an auditor");
    assert_eq!(reader.damaged().len(), 1);
    let mut changed = files;
    changed.entry(first).and_modify(|bytes| *bytes.last_mut().expect("a byte") ^= 1);
    assert!(Journal::open(Arc::new(disk_of(&changed)), key(1), VerifyDepth::Ends, SEGMENT_BYTES).is_err());
}
