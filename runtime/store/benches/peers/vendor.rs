//! The vendor: a file with a line for each letter. Whoever writes twice under one number has sent a letter twice.

use std::collections::HashSet;
use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::path::PathBuf;

/// Absent where only durability is measured, on every side.
pub struct Vendor(Option<(PathBuf, File)>);

impl Vendor {
    pub fn at(letters: &str) -> Vendor {
        if letters == "none" {
            return Vendor(None);
        }
        let file = OpenOptions::new().append(true).create(true).open(letters).expect("the vendor's file");
        Vendor(Some((letters.into(), file)))
    }

    pub fn send(&self, letter: &str) {
        if let Vendor(Some((_, file))) = self {
            // One write: appended whole, and there although the writer is killed.
            (&mut &*file).write_all(format!("{letter}\n").as_bytes()).expect("sent");
        }
    }

    /// What was sent so far, for whoever asks before sending again.
    pub fn sent(&self) -> HashSet<String> {
        let Vendor(Some((path, _))) = self else { return HashSet::new() };
        std::fs::read_to_string(path).unwrap_or_default().lines().map(str::to_string).collect()
    }
}
