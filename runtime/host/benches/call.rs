//! Measures what the host adds to a call: `Host::call` against bare Wasmtime with the same isolation. Aim: at most 1.5.
//!
//! `cargo bench -p handoff-host` builds everything in release; `--profile dev` has the dependencies optimised already
//! and gives the same ratio.

#![expect(clippy::print_stdout, reason = "a bench speaks to whoever started it")]

use std::hint::black_box;
use std::path::Path;
use std::time::{Duration, Instant};

use handoff_host::contract::choice;
use handoff_host::contract::types::ChannelKind;
use handoff_host::{Call, Host, Limits};
use wasmtime::component::{Component, InstancePre, Linker};
use wasmtime::{Config, Enabled, Engine, InstanceAllocationStrategy, PoolingAllocationConfig, Result, Store};

/// Calls in one sample: enough that the clock does not matter.
const CALLS: u32 = 500;

/// Samples of each side, taken in turn, so that a busy machine slows both.
const SAMPLES: usize = 40;

/// What one side of a race does, once.
type Lap<'a> = Box<dyn FnMut() + 'a>;

/// Times both and prints medians and their ratio. Add a row to `main` for each pair worth comparing.
fn race(what: &str, ours: (&str, Lap<'_>), theirs: (&str, Lap<'_>)) {
    let ((our_name, mut our_lap), (their_name, mut their_lap)) = (ours, theirs);
    let (mut our_times, mut their_times) = (Vec::new(), Vec::new());
    for _ in 0..SAMPLES {
        our_times.push(sample(&mut our_lap));
        their_times.push(sample(&mut their_lap));
    }
    let (ours, theirs) = (median(our_times), median(their_times));
    let ratio = ours.as_secs_f64() / theirs.as_secs_f64();
    println!("{what}: {our_name} {ours:.2?}, {their_name} {theirs:.2?}, ratio {ratio:.2}");
}

fn sample(lap: &mut Lap<'_>) -> Duration {
    let start = Instant::now();
    for _ in 0..CALLS {
        lap();
    }
    start.elapsed() / CALLS
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/hostile").canonicalize()?;
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("hostile");
    let built = handoff_builder::build(&fixture, &target, &target)?;
    let bytes = std::fs::read(&built[0].component)?;

    let host = Host::new(Limits::default(), None)?;
    let plugin = host.load(&bytes)?;
    let call = Call::Choose { situation: situation(), settings: "behave".to_owned() };
    let bare = Bare::new(&bytes)?;
    let situation = situation();
    race(
        "channel.choose, fresh instance",
        ("host", Box::new(|| drop(black_box(host.call(&plugin, &call))))),
        ("wasmtime", Box::new(|| drop(black_box(bare.choose(&situation, "behave"))))),
    );
    Ok(())
}

/// What one would write with Wasmtime alone: a pool, a deadline, a new store and instance for each call.
struct Bare {
    pre: InstancePre<()>,
    choice: choice::GuestIndices,
}

impl Bare {
    fn new(bytes: &[u8]) -> Result<Bare> {
        let mut pool = PoolingAllocationConfig::new();
        pool.linear_memory_keep_resident(1 << 20).table_keep_resident(16 << 10).pagemap_scan(Enabled::Auto);
        let mut config = Config::new();
        config
            .allocation_strategy(InstanceAllocationStrategy::Pooling(pool))
            .epoch_interruption(true)
            .concurrency_support(false);
        let engine = Engine::new(&config)?;
        let pre = Linker::new(&engine).instantiate_pre(&Component::new(&engine, bytes)?)?;
        let choice = choice::GuestIndices::new(&pre)?;
        Ok(Bare { pre, choice })
    }

    fn choose(&self, situation: &choice::Situation, settings: &str) -> Result<choice::Decision> {
        let mut store = Store::new(self.pre.engine(), ());
        store.set_epoch_deadline(1);
        let instance = self.pre.instantiate(&mut store)?;
        let guest = self.choice.load(&mut store, &instance)?;
        let decision = guest.call_choose(&mut store, situation, settings)?;
        Ok(decision.expect("the fixture behaves"))
    }
}

fn situation() -> choice::Situation {
    let reachable = |channel| choice::Reachable { channel, consent: choice::ConsentState::Granted };
    let attempt = |at| choice::Attempt { channel: ChannelKind::Sms, at, outcome: choice::AttemptOutcome::Delivered };
    choice::Situation {
        letter: "reminder-1".to_owned(),
        wanted: None,
        reaches: [ChannelKind::Sms, ChannelKind::Email, ChannelKind::Portal].map(reachable).into(),
        preferred: Some(ChannelKind::Email),
        languages: vec!["es".to_owned(), "en".to_owned()],
        available: vec!["en".to_owned(), "es".to_owned(), "vi".to_owned()],
        attempts: [1_795_424_400_000, 1_795_510_800_000].map(attempt).into(),
        now: 1_795_683_600_000,
        extras: Vec::new(),
    }
}
