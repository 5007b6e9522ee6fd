//! Measures what the host adds to a call: `Host::call` against bare Wasmtime with the same isolation. Aim: at most 1.5; in Rust
//! at most 25 µs a call, in JavaScript 5 ms, in Python 20 ms. `just authors` builds the plugins in the latter two.
//!
//! `cargo bench -p handoff-host` builds everything in release; `--profile dev` has the dependencies optimised already
//! and gives the same ratio.

#![expect(clippy::print_stdout, reason = "a bench speaks to whoever started it")]

use std::hint::black_box;
use std::path::Path;
use std::time::{Duration, Instant};

use handoff_host::contract::types::ChannelKind;
use handoff_host::contract::{carrier, choice, hand_over};
use handoff_host::{Call, Host, PluginLimits};
use wasmtime::component::{Component, InstancePre, Linker};
use wasmtime::{Config, Enabled, Engine, InstanceAllocationStrategy, PoolingAllocationConfig, Result, Store};

/// Calls in one sample, of a plugin that takes microseconds and of one that brings a language along: enough that the clock
/// does not matter.
const CALLS: u32 = 500;
const CALLS_WITH_ENGINE: u32 = 5;

/// Samples of each side, taken in turn, so that a busy machine slows both.
const SAMPLES: usize = 40;

/// What one side of a race does, once.
type Lap<'a> = Box<dyn FnMut() + 'a>;

/// Times both and prints medians and their ratio. Add a row to `main` for each pair worth comparing.
fn race(what: &str, calls: u32, ours: (&str, Lap<'_>), theirs: (&str, Lap<'_>)) {
    let ((our_name, mut our_lap), (their_name, mut their_lap)) = (ours, theirs);
    let (mut our_times, mut their_times) = (Vec::new(), Vec::new());
    for _ in 0..SAMPLES {
        our_times.push(sample(calls, &mut our_lap));
        their_times.push(sample(calls, &mut their_lap));
    }
    let (ours, theirs) = (median(our_times), median(their_times));
    let ratio = ours.as_secs_f64() / theirs.as_secs_f64();
    println!("{what}: {our_name} {ours:.2?}, {their_name} {theirs:.2?}, ratio {ratio:.2}");
}

fn sample(calls: u32, lap: &mut Lap<'_>) -> Duration {
    let start = Instant::now();
    for _ in 0..calls {
        lap();
    }
    start.elapsed() / calls
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/hostile").canonicalize()?;
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("hostile");
    let bytes = handoff_builder::build_one(&fixture, &target)?;
    let call = Call::Choose { situation: situation(), settings: "behave".to_owned() };
    both("channel.choose in Rust", CALLS, &bytes, &call)?;
    by_authors("outreach-telnyx", "letter", "outreach.compose in JavaScript")?;
    by_authors("escalation-jira", "task", "escalation.raise in Python")
}

/// A plugin with a language engine in it, as its author built it, asked what one of its cases asks.
fn by_authors(plugin: &str, case: &str, what: &str) -> Result<(), Box<dyn std::error::Error>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let Ok(bytes) = std::fs::read(root.join(format!("target/authors/{plugin}/{plugin}.wasm"))) else {
        println!("{what}: {plugin} is not built; `just authors` builds it");
        return Ok(());
    };
    let call = std::fs::read_to_string(root.join(format!("plugins/{plugin}/cases/{case}.in")))?;
    both(what, CALLS_WITH_ENGINE, &bytes, &serde_json::from_str(&call)?)
}

fn both(what: &str, calls: u32, bytes: &[u8], call: &Call) -> Result<(), Box<dyn std::error::Error>> {
    let limits = PluginLimits::default();
    let host = Host::new(limits.clone(), None)?;
    let plugin = host.load(bytes)?;
    host.call(&plugin, call)?;
    let bare = Bare::new(bytes, &limits)?;
    race(
        &format!("{what}, fresh instance"),
        calls,
        ("host", Box::new(|| drop(black_box(host.call(&plugin, call))))),
        ("wasmtime", Box::new(|| bare.perform(call).expect("an answer"))),
    );
    Ok(())
}

/// What one would write with Wasmtime alone: a pool, a deadline, a new store and instance for each call.
struct Bare {
    pre: InstancePre<()>,
    guest: Guest,
}

enum Guest {
    Channel(choice::GuestIndices),
    Outreach(carrier::GuestIndices),
    Escalation(hand_over::GuestIndices),
}

impl Bare {
    fn new(bytes: &[u8], limits: &PluginLimits) -> Result<Bare> {
        let mut pool = PoolingAllocationConfig::new();
        pool.max_memory_size(limits.memory_bytes)
            .table_elements(limits.table_elements)
            .max_core_instances_per_component(limits.parts)
            .max_tables_per_component(limits.parts)
            .max_memories_per_component(limits.memories)
            .total_core_instances(limits.concurrent_calls * limits.parts)
            .total_tables(limits.concurrent_calls * limits.parts)
            .total_memories(limits.concurrent_calls * limits.memories)
            .linear_memory_keep_resident(1 << 20)
            .table_keep_resident(16 << 10)
            .pagemap_scan(Enabled::Auto);
        let mut config = Config::new();
        config
            .allocation_strategy(InstanceAllocationStrategy::Pooling(pool))
            .epoch_interruption(true)
            .concurrency_support(false);
        let engine = Engine::new(&config)?;
        let pre = Linker::new(&engine).instantiate_pre(&Component::new(&engine, bytes)?)?;
        let guest = match (choice::GuestIndices::new(&pre), carrier::GuestIndices::new(&pre)) {
            (Ok(choice), _) => Guest::Channel(choice),
            (Err(_), Ok(carrier)) => Guest::Outreach(carrier),
            (Err(_), Err(_)) => Guest::Escalation(hand_over::GuestIndices::new(&pre)?),
        };
        Ok(Bare { pre, guest })
    }

    fn perform(&self, call: &Call) -> Result<()> {
        let mut store = Store::new(self.pre.engine(), ());
        store.set_epoch_deadline(1);
        let instance = self.pre.instantiate(&mut store)?;
        match (&self.guest, call) {
            (Guest::Channel(guest), Call::Choose { situation, settings }) => {
                let guest = guest.load(&mut store, &instance)?;
                drop(black_box(guest.call_choose(&mut store, situation, settings)?));
            }
            (Guest::Outreach(guest), Call::Compose { letter, settings }) => {
                let guest = guest.load(&mut store, &instance)?;
                drop(black_box(guest.call_compose(&mut store, letter, settings)?));
            }
            (Guest::Escalation(guest), Call::Raise { task, settings }) => {
                let guest = guest.load(&mut store, &instance)?;
                drop(black_box(guest.call_raise(&mut store, task, settings)?));
            }
            (_, other) => panic!("no lap for {}", other.function()),
        }
        Ok(())
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
