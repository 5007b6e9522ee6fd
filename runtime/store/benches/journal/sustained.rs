//! A load that does not end, with all referrals in flight: the store with its index kept up, against sled alone made to
//! keep its word.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::args::Args;
use crate::bare::SyncedSled;
use crate::load::{drive, fill};
use crate::report::{Table, out};
use crate::usage::mib;
use crate::{StoreCommitter, open};

const COMMITTERS: u64 = 64;

const LOOK_EVERY: Duration = Duration::from_millis(100);

pub fn measure(scratch: &dyn Fn() -> TempDir, args: &Args) {
    let referrals = args.referrals.last().copied().unwrap_or(1_000_000);
    let time = Duration::from_secs(60 * args.minutes);
    out(&format!(
        "\nsustained for {} minutes with {referrals} referrals in flight, {COMMITTERS} committers",
        args.minutes
    ));
    let folder = scratch();
    let store = StoreCommitter { store: open(&folder.path().join("store")), among: referrals };
    fill(&store.store, referrals);
    store.store.settle().expect("settled");
    let (over, highest) = (AtomicBool::new(false), AtomicUsize::new(0));
    let began = Instant::now();
    let committed = std::thread::scope(|scope| {
        scope.spawn(|| {
            while !over.load(Ordering::Relaxed) {
                highest.fetch_max(store.store.backlog_bytes(), Ordering::Relaxed);
                std::thread::sleep(LOOK_EVERY);
            }
        });
        let rate = drive(&store, COMMITTERS, referrals, time);
        over.store(true, Ordering::Relaxed);
        rate * began.elapsed().as_secs_f64()
    });
    // The index has to catch up before the clock stops.
    store.store.settle().expect("settled");
    let ours = committed / began.elapsed().as_secs_f64();
    drop((store, folder));
    let folder = scratch();
    let sled = SyncedSled::create(&folder.path().join("sled"), referrals);
    sled.fill();
    let theirs = drive(&sled, COMMITTERS, referrals, time);
    let mut table = Table::new(
        "transitions per second, aim: 1.5 of sled's",
        &["store", "sled with fdatasync", "store/sled", "backlog at most MiB"],
    );
    table.row(&[
        format!("{ours:.0}"),
        format!("{theirs:.0}"),
        format!("{:.2}", ours / theirs),
        format!("{:.0}", mib(highest.into_inner() as u64)),
    ]);
    table.print();
}
