//! Proving a journal, against hashing as many bytes.

use std::path::Path;
use std::time::Instant;

use handoff_store::journal::verify;
use sha2::{Digest as _, Sha256};

use crate::load::fill;
use crate::report::{Table, spread};
use crate::usage::mib;
use crate::{key, open};

/// Entries in the journal to verify: some 300 MiB.
const ENTRIES: u64 = 200_000;

const ROUNDS: usize = 5;

pub fn measure(dir: &Path) {
    let store = open(dir);
    fill(&store, ENTRIES);
    drop(store);
    let journal = dir.join("journal");
    let bytes = vec![0x5A; 64 << 20];
    let (mut hashing, mut verifying, mut size) = (Vec::new(), Vec::new(), 0);
    for _ in 0..ROUNDS {
        let began = Instant::now();
        std::hint::black_box(Sha256::digest(&bytes));
        hashing.push(mib(bytes.len() as u64) / began.elapsed().as_secs_f64());
        let began = Instant::now();
        size = verify(&journal, &key().verifying_key()).expect("sound").bytes;
        verifying.push(mib(size) / began.elapsed().as_secs_f64());
    }
    let (hashing, verifying) = (spread(hashing), spread(verifying));
    let mut table = Table::new(
        "verify, MiB per second, aim: 500, or half of hashing",
        &["journal MiB", "verify", "SHA-256 on one core", "verify/SHA-256", "spread"],
    );
    table.row(&[
        format!("{:.0}", mib(size)),
        format!("{:.0}", verifying.median),
        format!("{:.0}", hashing.median),
        format!("{:.2}", verifying.median / hashing.median),
        format!("{verifying} / {hashing}"),
    ]);
    table.print();
}
