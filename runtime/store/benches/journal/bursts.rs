//! A burst, and a commit with nobody else about, against a log that only appends and syncs.

use std::path::Path;
use std::time::Duration;

use tempfile::TempDir;

use crate::args::Args;
use crate::bare::{BareLog, Ready};
use crate::load::{STEPPING, drive, json_of, median_alone};
use crate::report::{Table, out, spread};
use crate::{StoreCommitter, open};

/// Committers at once: a busy practice, a flood.
const COMMITTERS: [u64; 2] = [64, 512];

/// Rounds of the commit alone, each of some thousand.
const ALONE_ROUNDS: usize = 5;

pub fn measure(scratch: &dyn Fn() -> TempDir, args: &Args) {
    let columns =
        ["committers", "store", "bare log", "bytes at hand", "store/bare", "store/at hand", "spread of the first"];
    let mut table = Table::new(
        &format!(
            "durable transitions per second, aim: half of the bare log ({} bytes each)",
            json_of(1, STEPPING).len()
        ),
        &columns,
    );
    for committers in COMMITTERS {
        let (mut ours, mut bare, mut ready) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..args.rounds {
            let folder = scratch();
            bare.push(drive(&BareLog::create(&folder.path().join("bare")), committers, 0, args.time));
            let log = Ready::over(BareLog::create(&folder.path().join("ready")));
            ready.push(drive(&log, committers, 0, args.time));
            let store = StoreCommitter { store: open(&folder.path().join("store")), among: STEPPING };
            ours.push(drive(&store, committers, 0, args.time));
        }
        let (ours, bare, ready) = (spread(ours), spread(bare), spread(ready));
        table.row(&[
            committers.to_string(),
            format!("{:.0}", ours.median),
            format!("{:.0}", bare.median),
            format!("{:.0}", ready.median),
            format!("{:.2}", ours.median / bare.median),
            format!("{:.2}", ours.median / ready.median),
            format!("{ours} / {bare}"),
        ]);
    }
    table.print();
    out(
        "bare log: the same values written as the same JSON, appended and synced in groups; bytes at hand: the JSON is ready",
    );
}

pub fn alone(dir: &Path) {
    let bare = BareLog::create(&dir.join("bare-alone"));
    let store = StoreCommitter { store: open(&dir.join("store-alone")), among: STEPPING };
    let micros = |time: Duration| time.as_secs_f64() * 1e6;
    let (mut theirs, mut ours) = (Vec::new(), Vec::new());
    for _ in 0..ALONE_ROUNDS {
        theirs.push(micros(median_alone(&bare)));
        ours.push(micros(median_alone(&store)));
    }
    let (theirs, ours) = (spread(theirs), spread(ours));
    let mut table = Table::new(
        "one commit alone, p50 in microseconds, aim: at most 2",
        &["store", "bare log", "store/bare", "spread"],
    );
    table.row(&[
        format!("{:.0}", ours.median),
        format!("{:.0}", theirs.median),
        format!("{:.2}", ours.median / theirs.median),
        format!("{ours} / {theirs}"),
    ]);
    table.print();
}
