//! A whole referral (order, durable letter, wait, reply, second letter, done) by Handoff's engine and store, by Restate and
//! by DBOS on PostgreSQL, on the same machine in the same run; then what kill -9 costs each of them.
//!
//! `just bench-peers [--referrals N] [--rounds N] [--waiting N] [--burst N]`. Every side is a program that is told a mode; see
//! `side.rs` for the modes and for what a side includes.

mod handoff;
mod practice;
mod restate;
mod side;
mod vendor;

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use crate::side::{Side, sides};

#[path = "../journal/report.rs"]
mod report;

use crate::report::{Table, out, spread};

/// As in the daemon.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Referrals under way at once. Neither more nor fewer make any of the three faster here.
const AT_ONCE: usize = 256;

/// How long a side may send letters before it is killed.
const BURST: Duration = Duration::from_secs(4);

/// A side that has sent nothing for so long has nothing more to send.
const QUIET: Duration = Duration::from_secs(5);

struct Args {
    /// In one measurement of the slowest side; the others take [`Side::share`] times as many.
    referrals: usize,
    rounds: usize,
    waiting: usize,
}

fn main() {
    let words: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    match words.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["handoff", dir, letters, ref mode @ ..] => handoff::run(Path::new(dir), letters, mode),
        ["restate", peers, dir, letters, ref mode @ ..] => {
            restate::run(Path::new(peers), Path::new(dir), letters, mode);
        }
        ref options => compare(&args(options)),
    }
}

fn args(options: &[&str]) -> Args {
    let mut args = Args { referrals: 2_000, rounds: 3, waiting: 100_000 };
    for pair in options.chunks(2) {
        let [name, value] = pair else { panic!("{pair:?}: an option and a number") };
        let value = value.parse().unwrap_or_else(|_| panic!("{value} is no number"));
        match *name {
            "--referrals" => args.referrals = value,
            "--rounds" => args.rounds = value,
            "--waiting" => args.waiting = value,
            other => panic!("{other} is no option: --referrals, --rounds, --waiting"),
        }
    }
    args
}

fn compare(args: &Args) {
    let scratch = tempfile::tempdir().expect("a folder to measure in");
    let sides = sides(scratch.path());
    side::INCLUDED.iter().for_each(|line| out(line));
    rates(&sides, args);
    after_kill(&sides, args);
    doubled(&sides, scratch.path());
}

fn rates(sides: &[Side], args: &Args) {
    let mut rates = vec![Vec::new(); sides.len()];
    for _ in 0..args.rounds {
        for (side, rates) in sides.iter().zip(&mut rates) {
            let referrals = args.referrals * side.share;
            let seconds = side.told(&["none", "flow", &referrals.to_string(), &AT_ONCE.to_string()]);
            rates.push(referrals as f64 / seconds);
        }
    }
    let rates: Vec<_> = rates.into_iter().map(spread).collect();
    let ours = rates.first().map(|ours| ours.median).unwrap_or_default();
    let mut table = Table::new(
        &format!("whole referrals per second, {AT_ONCE} at once; aims: 10 times Restate, 30 times DBOS"),
        &["side", "referrals/s", "spread", "handoff/side"],
    );
    for (side, rate) in sides.iter().zip(&rates) {
        let ratio = format!("{:.1}", ours / rate.median);
        table.row(&[side.name.into(), format!("{:.0}", rate.median), rate.to_string(), ratio]);
    }
    table.print();
}

/// Until a new order is taken and seen through, and one of those that waited answers a reply.
fn after_kill(sides: &[Side], args: &Args) {
    let mut table = Table::new(
        &format!("ready after kill -9 with {} waiting, seconds; aim: 2", args.waiting),
        &["side", "seconds"],
    );
    for side in sides {
        let waiting = side.start(&["none", "hold", &args.waiting.to_string()]);
        assert_eq!(waiting.line(), "holding", "{}", side.name);
        waiting.kill();
        let seconds = side.told(&["none", "ready", &(args.waiting / 2).to_string()]);
        // At once: the next side may take minutes.
        out(&format!("{}: ready after {seconds:.1} s", side.name));
        table.row(&[side.name.into(), format!("{seconds:.1}")]);
    }
    table.print();
}

fn doubled(sides: &[Side], scratch: &Path) {
    let mut table = Table::new(
        "letters sent twice because of kill -9 in a burst; aim: 0 where the vendor can be asked",
        &["side", "letters", "doubled"],
    );
    for side in sides {
        let letters = scratch.join(format!("letters-{}", side.name));
        std::fs::write(&letters, "").expect("a file for the vendor");
        let path = letters.to_str().expect("a path in UTF-8");
        let burst = side.start(&[path, "flow", &(1_000_000 * side.share).to_string(), &AT_ONCE.to_string()]);
        while lines(&letters).is_empty() {
            std::thread::sleep(Duration::from_millis(50));
        }
        std::thread::sleep(BURST);
        burst.kill();
        let recovering = side.start(&[path, "recover"]);
        let mut sent = lines(&letters).len();
        loop {
            std::thread::sleep(QUIET);
            let now = lines(&letters).len();
            if now == sent {
                break;
            }
            sent = now;
        }
        recovering.kill();
        let lines = lines(&letters);
        let once: BTreeSet<&String> = lines.iter().collect();
        table.row(&[side.name.into(), once.len().to_string(), (lines.len() - once.len()).to_string()]);
    }
    table.print();
}

fn lines(letters: &Path) -> Vec<String> {
    std::fs::read_to_string(letters).unwrap_or_default().lines().map(str::to_string).collect()
}
