//! A journal whose files somebody changed. Neither proving nor opening it panics, and nothing passes for sound but what
//! was once written: all of it, or its beginning up to some seal.
#![no_main]

mod edit;
mod stranger;
mod written;

use handoff_store::Position;
use handoff_store::journal::{VerifyDepth, verify_disk};
use libfuzzer_sys::arbitrary::{self, Arbitrary};
use libfuzzer_sys::fuzz_target;

use crate::edit::{Edit, How};
use crate::stranger::Skill;
use crate::written::{FIRST, Files, SECOND, STRANGER, WRITTEN, disk_of, entry_of, key, open};

#[derive(Arbitrary, Debug)]
struct Case {
    edits: Vec<Edit>,
    /// A stranger signs what came of it.
    signed: Option<Skill>,
}

fuzz_target!(|case: Case| {
    let mut files = WRITTEN.files.clone();
    case.edits.iter().for_each(|edit| edit.make(&mut files));
    if let Some(skill) = case.signed {
        stranger::sign(&mut files, &key(STRANGER), skill);
        expect_no_panic(&files, case.edits.is_empty());
    }
    let proof = verify_disk(&disk_of(&files), &key(FIRST).verifying_key());
    assert!(proof.is_ok() || files != WRITTEN.files, "what was written is not called sound");
    if let Ok(sound) = &proof {
        let written = WRITTEN.beginnings.get(&sound.head).expect("a head that the journal once had");
        // Without its entries a closed segment is one that was purged, which the proof counts.
        assert!(sound.purged > 0 || trimmed(&files) == trimmed(written), "sound, and not what was written");
    }
    let disk = disk_of(&files);
    let opened = open(&disk, SECOND, VerifyDepth::Whole);
    if let [Edit { how: How::Change { .. }, .. }] = case.edits[..] {
        assert!(proof.is_err() && opened.is_none(), "a changed byte was overlooked");
    }
    if let Some(store) = opened {
        for entry in store.entries(Position::START) {
            let (position, entry) = entry.expect("an entry of a journal that was opened");
            assert_eq!(*entry, entry_of(position.0), "an entry that nobody wrote");
        }
        verify_disk(&disk, &key(SECOND).verifying_key()).expect("what was opened is sound");
    }
    // Opened at its ends a journal is not proven; that it is read is all there is to say.
    open(&disk_of(&files), SECOND, VerifyDepth::Ends);
});

/// With the stranger's key it is the stranger's journal, and may say what it likes.
fn expect_no_panic(files: &Files, sound: bool) {
    let proof = verify_disk(&disk_of(files), &key(STRANGER).verifying_key());
    assert!(proof.is_ok() || !sound, "the stranger does not know the format: {proof:?}");
    for depth in [VerifyDepth::Whole, VerifyDepth::Ends] {
        if let Some(store) = open(&disk_of(files), STRANGER, depth) {
            store.entries(Position::START).for_each(drop);
        }
    }
}

/// Zeros at a file's end mean nothing: space written ahead.
fn trimmed(files: &Files) -> Vec<&[u8]> {
    let written = |bytes: &[u8]| bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    files.values().map(|bytes| &bytes[..written(bytes)]).collect()
}
