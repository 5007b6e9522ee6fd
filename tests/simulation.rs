//! The whole daemon's line, lived through under a virtual clock: on a disk that tears, forgets and fills up, behind a
//! network that loses, delays and repeats, before carriers with bad days and patients with a will of their own. Handoff
//! crashes in the middle of things, and after each run everything that was promised is looked for.
//!
//! Architecture Invariant: a seed is a whole history. Nothing here reads the wall clock or draws other dice, and one
//! thread does everything, so a seed that fails once fails always.
//!
//! `just soak` plays seeds for as long as asked; `just soak-seed N` plays one. Neighbours do whatever was met in the field;
//! with `HANDOFF_TIDY=1` they do what their manuals say.

mod clock;
mod findings;
mod folder;
mod life;
mod network;
mod swaps;

use std::ops::Range;
use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use self::life::{Fates, History, Town};

/// Seeds in an ordinary run.
const SEEDS: Range<u64> = 0..200;

/// Seconds do for a history; what lives on has come to where it does nothing but turn.
const HISTORY_SECONDS_MAX: Duration = Duration::from_secs(300);

/// Histories lived at once: one for each core.
fn cores() -> u64 {
    std::thread::available_parallelism().map_or(1, |cores| cores.get() as u64)
}

/// What a run is asked for from outside.
fn asked(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{name} is no number: {text}")))
}

/// A history, or nothing when it broke a promise: the panic's message and the seed have been printed by then.
#[expect(clippy::print_stderr, reason = "whoever soaks for a night wants to see at midnight what broke")]
fn live(seed: u64, fates: &Fates, town: &Town) -> Option<History> {
    let (lived, died) = mpsc::channel::<()>();
    std::thread::spawn(move || {
        if died.recv_timeout(HISTORY_SECONDS_MAX) == Err(mpsc::RecvTimeoutError::Timeout) {
            eprintln!("seed {seed}: this history does not end");
            std::process::abort();
        }
    });
    // A town is the same after a history that failed: it holds compiled plugins and nothing else.
    let history = std::panic::catch_unwind(AssertUnwindSafe(|| life::live(seed, fates, town))).ok();
    drop(lived);
    if history.is_none() {
        eprintln!("seed {seed}: a promise was broken");
    }
    history
}

/// Does each piece of work once, on every core, until it or the time runs out.
fn each<T: Send>(work: Range<u64>, until: Option<Instant>, perform: impl Fn(u64) -> T + Sync) -> Vec<T> {
    let next = AtomicU64::new(work.start);
    let worker = || {
        let mut done = Vec::new();
        loop {
            let piece = next.fetch_add(1, Ordering::Relaxed);
            if piece >= work.end || until.is_some_and(|until| Instant::now() > until) {
                return done;
            }
            done.push(perform(piece));
        }
    };
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..cores()).map(|_| scope.spawn(worker)).collect();
        workers.into_iter().flat_map(|worker| worker.join().expect("work that does not panic")).collect()
    })
}

#[test]
#[expect(clippy::print_stdout, reason = "a soak speaks to whoever started it")]
fn no_promise_is_broken_whatever_the_disk_the_network_and_the_carrier_do() {
    let town = Town::open();
    let seeds = match asked("HANDOFF_SEED") {
        Some(seed) => seed..seed + 1,
        None => asked("HANDOFF_SEEDS_FROM")
            .map_or(SEEDS, |from| from..asked("HANDOFF_SEEDS").map_or(u64::MAX, |count| from.saturating_add(count))),
    };
    let one = seeds.end - seeds.start == 1;
    let minutes = asked("HANDOFF_SOAK_MINUTES").map(|minutes| Duration::from_secs(60 * minutes));
    let begun = Instant::now();
    let until = minutes.map(|minutes| begun + minutes);
    let fates = if asked("HANDOFF_TIDY").is_some() { Fates::of } else { Fates::in_the_field };
    let lived = each(seeds, until, |seed| live(seed, &fates(seed), &town).ok_or(seed));
    let broken: Vec<String> =
        lived.iter().filter_map(|lived| lived.as_ref().err()).map(|seed| format!("just soak-seed {seed}")).collect();
    assert!(broken.is_empty(), "promises were broken; play them again with:\n{}", broken.join("\n"));
    let histories: Vec<History> = lived.into_iter().flatten().collect();
    let sum = |count: fn(&History) -> u64| histories.iter().map(count).sum::<u64>();
    println!(
        "{} histories in {} s: {} crashes, {} letters, {} exchanges lost, {} steps, {} of them moves",
        histories.len(),
        begun.elapsed().as_secs(),
        sum(|history| history.crashes),
        sum(|history| history.letters),
        sum(|history| history.lost),
        sum(|history| history.steps),
        sum(|history| history.moves),
    );
    // A run in which nothing goes wrong proves nothing.
    assert!(one || sum(|history| history.crashes) > histories.len() as u64 / 2, "the weather was too good");
    assert!(one || sum(|history| history.moves) > histories.len() as u64 / 4, "hardly a referral was moved");
    assert!(one || sum(|history| history.lost) > histories.len() as u64, "the network was too good");
}

/// Found by soaking, each with what was wrong. Another seed may find it in another place: these stay as they were found.
const ONCE_BROKEN: [(u64, &str); 6] = [
    (6_415, "an order that was being taken while the workflow changed was forgotten with the workflow before"),
    (10_339, "a vendor that said twice that a letter had failed was answered with two letters in its place"),
    (10_445, "a letter turned away by a vendor that was down was followed by another to the same vendor, for ever"),
    (21_888, "who texted that a number was not the patient's brought the patient a mail that had already come"),
    (22_422, "the mail after a day came although a mail had taken the place of a text to a wrong number"),
    (60_101, "a mail that bounced brought a text again that had been given up in doubt and had arrived"),
];

#[test]
fn seeds_that_once_broke_a_promise_keep_it() {
    let town = Town::open();
    for (seed, what) in ONCE_BROKEN {
        assert!(live(seed, &Fates::of(seed), &town).is_some(), "seed {seed} again: {what}");
    }
}

/// The same, before neighbours as they were met in the field.
const ONCE_BROKEN_IN_THE_FIELD: [(u64, &str); 3] = [
    (3, "what had waited for its order was taken once more when its sender repeated it"),
    (1_032, "a text that set out in time was a minute on the line, and was called late"),
    (1_062, "a yes from a handset that two share was taken for the other one's, whose referral alone was open"),
];

#[test]
fn seeds_that_the_field_once_broke_keep_their_promises() {
    let town = Town::open();
    for (seed, what) in ONCE_BROKEN_IN_THE_FIELD {
        assert!(live(seed, &Fates::in_the_field(seed), &town).is_some(), "seed {seed} again: {what}");
    }
}

#[test]
fn a_seed_is_a_whole_history() {
    let town = Town::open();
    for seed in [3, 11] {
        let first = life::live(seed, &Fates::in_the_field(seed), &town);
        let second = life::live(seed, &Fates::in_the_field(seed), &town);
        assert_eq!(first, second, "seed {seed} was lived twice and came out differently");
    }
}

/// One patient, fair weather, and the process dies at one disk operation after the other, sometimes with the machine.
#[test]
fn a_crash_at_any_boundary_loses_and_doubles_nothing() {
    let town = Town::open();
    let whole = life::live(BOUNDARY_SEED, &Fates::calm(), &town);
    let step = asked("HANDOFF_BOUNDARY_STEP").unwrap_or(BOUNDARY_STEP);
    let crashes = each(0..whole.operations / step, None, |crash| {
        let operation = crash * step;
        live(BOUNDARY_SEED, &Fates::crash_at(operation), &town).ok_or(operation)
    });
    let broken: Vec<u64> = crashes.into_iter().filter_map(Result::err).collect();
    assert!(broken.is_empty(), "crashes at these of {} disk operations broke promises: {broken:?}", whole.operations);
    assert!(whole.operations > 60, "only {} disk operations: nothing happened", whole.operations);
}

const BOUNDARY_SEED: u64 = 7;

/// An ordinary run crashes at each of so many operations; `HANDOFF_BOUNDARY_STEP=1` at every one.
const BOUNDARY_STEP: u64 = 3;
