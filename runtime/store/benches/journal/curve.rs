//! The same load with ever more referrals in flight, each size in a process of its own that ends by kill -9.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::args::Args;
use crate::load::{self, drive, entry_of, fill};
use crate::report::{Table, out};
use crate::usage::{cpu_seconds, resident_mib};
use crate::{StoreCommitter, open};

const COMMITTERS: u64 = 64;

pub fn measure(scratch: &dyn Fn() -> TempDir, args: &Args) {
    let columns = [
        "in flight",
        "filled at /s",
        "steps at /s",
        "CPU us per step",
        "resident MiB",
        "1,000 due timers us",
        "ready after kill -9 s",
        "of it replayed entries",
        "resident then MiB",
    ];
    let mut table = Table::new(
        "with referrals in flight; aims at the last: cost at most 2 of the first, 1,024 MiB, ready in 5 s",
        &columns,
    );
    for size in &args.referrals {
        let folder = scratch();
        let dir = folder.path().to_str().expect("a path in UTF-8");
        let seconds = args.time.as_secs().to_string();
        let filled = told_by(&["fill", dir, &size.to_string(), "--seconds", &seconds], true);
        let ready = told_by(&["ready", dir], false);
        table.row(&[vec![size.to_string()], filled, ready].concat());
    }
    table.print();
}

/// Runs this program again and gives the line that it says. One that has to be killed is killed without notice.
fn told_by(arguments: &[&str], kill: bool) -> Vec<String> {
    let this = std::env::current_exe().expect("this program has a path");
    let mut child = Command::new(this).args(arguments).stdout(Stdio::piped()).spawn().expect("started");
    let mut line = String::new();
    BufReader::new(child.stdout.take().expect("piped")).read_line(&mut line).expect("said");
    if kill {
        child.kill().expect("killed");
    }
    child.wait().expect("ended");
    line.split_whitespace().map(str::to_string).collect()
}

/// Brings so many in flight, measures steps, says what was found, and goes on stepping until it is killed.
pub fn fill_until_killed(dir: &Path, referrals: u64, time: Duration) {
    let store = StoreCommitter { store: open(dir), among: referrals };
    let began = Instant::now();
    fill(&store.store, referrals);
    let filled = referrals as f64 / began.elapsed().as_secs_f64();
    store.store.settle().expect("settled");
    let (began, cpu) = (Instant::now(), cpu_seconds());
    let rate = drive(&store, COMMITTERS, referrals, time);
    let steps = rate * began.elapsed().as_secs_f64();
    // A step costs what it costs the index too.
    store.store.settle().expect("settled");
    let (took, cpu) = (began.elapsed(), cpu_seconds() - cpu);
    let began = Instant::now();
    std::hint::black_box(store.store.index().timers_due(load::far_future(), 1_000));
    let due = began.elapsed();
    let resident = resident_mib();
    std::thread::scope(|scope| {
        let stepping = scope.spawn(|| drive(&store, COMMITTERS, referrals * 2, Duration::from_secs(3_600)));
        std::thread::sleep(Duration::from_secs(2));
        out(&format!(
            "{filled:.0} {:.0} {:.1} {resident:.0} {:.0}",
            steps / took.as_secs_f64(),
            cpu * 1e6 / steps,
            due.as_secs_f64() * 1e6,
        ));
        drop(stepping.join());
    });
}

/// How long from the start of the process's work until a commit is acknowledged.
pub fn ready(dir: &Path) {
    let began = Instant::now();
    let options = handoff_store::StoreOptions {
        depth: handoff_store::journal::VerifyDepth::Ends,
        ..handoff_store::StoreOptions::new(dir, crate::key())
    };
    let (store, recovery) = handoff_store::Store::open(options).expect("opened");
    store.commit(entry_of(1, 10)).wait().expect("committed");
    out(&format!("{:.2} {} {:.0}", began.elapsed().as_secs_f64(), recovery.applied, resident_mib()));
}
