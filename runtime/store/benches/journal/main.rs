//! What durability costs: the store against a bare append-only log and against sled, on the same transitions in the same
//! run. Each figure stands beside its aim.
//!
//! `cargo bench -p handoff-store --bench journal -- [PART…] [--seconds N] [--rounds N] [--minutes N] [--referrals N,…]`
//! measures `bursts`, `alone`, `verify` and `curve` where nothing is named; `sustained` takes twice `--minutes` and more.
//! `HANDOFF_BENCH_DIR` names another disk.

mod args;
mod bare;
mod bursts;
mod curve;
mod load;
mod report;
mod sustained;
mod usage;
mod verify;

use std::path::Path;

use ed25519_dalek::SigningKey;
use handoff_store::journal::VerifyDepth;
use handoff_store::{Store, StoreOptions};

use crate::args::{Args, Part};
use crate::load::{Committer, entry_of};

/// As in the daemon.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

struct StoreCommitter {
    store: Store,
    /// Referrals that take turns.
    among: u64,
}

impl Committer for StoreCommitter {
    fn commit(&self, number: u64) {
        self.store.commit(entry_of(number, self.among)).wait().expect("committed");
    }
}

fn key() -> SigningKey {
    SigningKey::from_bytes(&[1; 32])
}

fn open(dir: &Path) -> Store {
    let options = StoreOptions { depth: VerifyDepth::Ends, ..StoreOptions::new(dir, key()) };
    Store::open(options).expect("opened").0
}

fn main() {
    let args = Args::read();
    let place = std::env::var("HANDOFF_BENCH_DIR").map_or_else(|_| std::env::temp_dir(), Into::into);
    let scratch = || tempfile::tempdir_in(&place).expect("a folder to measure in");
    for part in &args.parts {
        match part {
            Part::Bursts => bursts::measure(&scratch, &args),
            Part::Alone => bursts::alone(scratch().path()),
            Part::Verify => verify::measure(scratch().path()),
            Part::Sustained => sustained::measure(&scratch, &args),
            Part::Curve => curve::measure(&scratch, &args),
            Part::Fill { dir, referrals } => curve::fill_until_killed(dir, *referrals, args.time),
            Part::Ready { dir } => curve::ready(dir),
        }
    }
}
