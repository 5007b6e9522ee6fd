//! What durability costs: the store against a bare append-only log and against sled, on the same bytes in the same run.
//!
//! `cargo bench -p handoff-store`. `HANDOFF_BENCH_REFERRALS=1000000` measures the curve alone, at that size, so that memory
//! is the store's; `HANDOFF_BENCH_DIR` names another disk; `HANDOFF_BENCH_SECONDS` lengthens each measurement.

mod bare;
mod load;
mod report;

use std::path::Path;
use std::time::{Duration, Instant};

use ed25519_dalek::SigningKey;
use handoff_store::journal::{Depth, verify};
use handoff_store::{Store, StoreOptions};
use sha2::{Digest as _, Sha256};

use crate::bare::{BareLog, SyncedSled};
use crate::load::{Committer, STEPPING, drive, entry_of, median_alone};
use crate::report::{Table, mib, out, resident_mib};

/// Committers at once: a lone interface, a busy practice, a flood.
const COMMITTERS: [u64; 3] = [1, 64, 512];

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

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

fn open(dir: &Path) -> Store {
    let options = StoreOptions { depth: Depth::Ends, ..StoreOptions::new(dir, SigningKey::from_bytes(&[1; 32])) };
    Store::open(options).expect("opened").0
}

fn main() {
    let place = std::env::var("HANDOFF_BENCH_DIR").map_or_else(|_| std::env::temp_dir(), Into::into);
    let scratch = tempfile::tempdir_in(place).expect("a folder to measure in");
    let time = Duration::from_secs(number("HANDOFF_BENCH_SECONDS", 3));
    out(&format!("one entry is {} bytes of JSON", load::json_of(1).len()));
    let referrals = number("HANDOFF_BENCH_REFERRALS", 0);
    if referrals > 0 {
        return curve(scratch.path(), time, &[referrals]);
    }
    throughput(scratch.path(), time);
    alone(scratch.path());
    verification(scratch.path());
    curve(scratch.path(), time, &[10_000, 100_000]);
}

fn throughput(dir: &Path, time: Duration) {
    let mut table = Table::new(
        "durable transitions per second",
        &["committers", "store", "bare log", "sled", "store/bare", "store/sled"],
    );
    for committers in COMMITTERS {
        let bare = drive(&BareLog::create(&dir.join(format!("bare-{committers}"))), committers, time);
        let sled = drive(&SyncedSled::create(&dir.join(format!("sled-{committers}"))), committers, time);
        let store = StoreCommitter { store: open(&dir.join(format!("store-{committers}"))), among: STEPPING };
        let ours = drive(&store, committers, time);
        table.row(&[
            committers.to_string(),
            format!("{ours:.0}"),
            format!("{bare:.0}"),
            format!("{sled:.0}"),
            format!("{:.2}", ours / bare),
            format!("{:.2}", ours / sled),
        ]);
    }
    table.print();
}

fn alone(dir: &Path) {
    let bare = median_alone(&BareLog::create(&dir.join("bare-alone")));
    let ours = median_alone(&StoreCommitter { store: open(&dir.join("store-alone")), among: STEPPING });
    let mut table = Table::new("one commit alone, p50 in microseconds", &["store", "bare log", "store/bare"]);
    let micros = |time: Duration| time.as_secs_f64() * 1e6;
    table.row(&[
        format!("{:.0}", micros(ours)),
        format!("{:.0}", micros(bare)),
        format!("{:.2}", micros(ours) / micros(bare)),
    ]);
    table.print();
}

fn verification(dir: &Path) {
    let journal = dir.join("store-512").join("journal");
    let bytes = vec![0x5A; 64 << 20];
    let began = Instant::now();
    std::hint::black_box(Sha256::digest(&bytes));
    let hashing = mib(bytes.len() as u64) / began.elapsed().as_secs_f64();
    let began = Instant::now();
    let sound = verify(&journal, &SigningKey::from_bytes(&[1; 32]).verifying_key()).expect("sound");
    let verifying = mib(sound.bytes) / began.elapsed().as_secs_f64();
    let mut table =
        Table::new("verify, MiB per second", &["journal MiB", "verify", "SHA-256 on one core", "verify/SHA-256"]);
    table.row(&[
        format!("{:.0}", mib(sound.bytes)),
        format!("{verifying:.0}"),
        format!("{hashing:.0}"),
        format!("{:.2}", verifying / hashing),
    ]);
    table.print();
}

/// Commits as fast as 64 committers can, with so many referrals in flight.
fn curve(dir: &Path, time: Duration, sizes: &[u64]) {
    let columns =
        ["in flight", "filled at /s", "steps at /s", "index caught up s", "reopen s", "due timers us", "resident MiB"];
    let mut table = Table::new("with referrals in flight", &columns);
    for size in sizes.iter().copied() {
        let folder = dir.join(format!("curve-{size}"));
        let store = StoreCommitter { store: open(&folder), among: size };
        let began = Instant::now();
        load::fill(&store.store, size);
        let filled = size as f64 / began.elapsed().as_secs_f64();
        let steps = drive(&store, 64, time);
        let began = Instant::now();
        store.store.settle().expect("settled");
        let settled = began.elapsed();
        let began = Instant::now();
        std::hint::black_box(store.store.index().timers_due(load::far_future(), 1_000));
        let due = began.elapsed();
        let resident = resident_mib();
        drop(store);
        let began = Instant::now();
        let reopened = open(&folder);
        let reopen = began.elapsed();
        table.row(&[
            size.to_string(),
            format!("{filled:.0}"),
            format!("{steps:.0}"),
            format!("{:.1}", settled.as_secs_f64()),
            format!("{:.2}", reopen.as_secs_f64()),
            format!("{:.0}", due.as_secs_f64() * 1e6),
            format!("{resident:.0}"),
        ]);
        drop(reopened);
    }
    table.print();
}
