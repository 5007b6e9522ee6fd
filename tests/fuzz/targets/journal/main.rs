//! A journal whose files somebody changed. Neither proving nor opening it panics, and nothing passes for sound but what
//! was once written: all of it, or its beginning up to some seal.
#![no_main]

mod edit;
mod written;

use handoff_store::Position;
use handoff_store::journal::verify_disk;
use libfuzzer_sys::fuzz_target;

use crate::edit::{Edit, How};
use crate::written::{Files, WRITTEN, disk_of, entry_of, key, open};

fuzz_target!(|edits: Vec<Edit>| {
    let mut files = WRITTEN.files.clone();
    edits.iter().for_each(|edit| edit.make(&mut files));
    let proof = verify_disk(&disk_of(&files), &key(1).verifying_key());
    assert!(proof.is_ok() || files != WRITTEN.files, "what was written is not called sound");
    if let Ok(sound) = &proof {
        let written = WRITTEN.beginnings.get(&sound.head).expect("a head that the journal once had");
        // Without its entries a closed segment is one that was purged, which the proof counts.
        assert!(sound.purged > 0 || trimmed(&files) == trimmed(written), "sound, and not what was written");
    }
    let disk = disk_of(&files);
    let opened = open(&disk, 2);
    if let [Edit { how: How::Change { .. }, .. }] = edits[..] {
        assert!(proof.is_err() && opened.is_none(), "a changed byte was overlooked");
    }
    if let Some(store) = opened {
        for entry in store.entries(Position::START) {
            let (position, entry) = entry.expect("an entry of a journal that was opened");
            assert_eq!(*entry, entry_of(position.0), "an entry that nobody wrote");
        }
        verify_disk(&disk, &key(2).verifying_key()).expect("what was opened is sound");
    }
});

/// Zeros at a file's end mean nothing: space written ahead.
fn trimmed(files: &Files) -> Vec<&[u8]> {
    let written = |bytes: &[u8]| bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    files.values().map(|bytes| &bytes[..written(bytes)]).collect()
}
