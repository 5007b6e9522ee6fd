//! A thousand changes of the workflow while 64 connections send orders: what the changes cost those orders, beside the same
//! load without them, in one run. None may be refused. `just bench-swap [SWAPS]`.

#![expect(clippy::print_stdout, reason = "a bench speaks to whoever started it")]

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use handoff_clock::{Clock, SystemClock};
use handoff_instance::config::{Listen, MllpListener};
use handoff_pipeline::bundled_workflow;
use handoff_pipeline::deployments::Keep;
use handoff_pipeline::pipeline::Pipeline;
use handoff_pipeline::rollout;
use handoff_pipeline::rollout::{Act, Candidate};
use handoff_practice::{PracticePlan, Simulation};
use handoff_rehearsal::in_process::Outward;
use handoff_rehearsal::rehearsal;
use handoff_server::service;
use handoff_store::Origin;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

/// As in the daemon.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const ORDER: &str = include_str!("../../../plugins/trigger-hl7v2/tests/data/REF-I12-01.hl7");

const CONNECTIONS: usize = 64;

const SWAPS: usize = 1_000;

/// With and without take turns so often, so that a busy machine slows both.
const ROUNDS: usize = 4;

/// A round without lasts as long as the one with took, and no less than this.
const ROUND_MIN: Duration = Duration::from_secs(2);

/// Of an order's way: sent until acknowledged.
type Times = Vec<Duration>;

fn main() -> anyhow::Result<()> {
    let swaps = std::env::args().skip(1).find_map(|argument| argument.parse().ok()).unwrap_or(SWAPS);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(run(swaps))
}

async fn run(swaps: usize) -> anyhow::Result<()> {
    let data = tempfile::tempdir()?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let world = Simulation::new(PracticePlan::new(1, 0, rehearsal::start()))?;
    world.connect(rehearsal::handoff());
    let secrets = Arc::new(rehearsal::secrets());
    let egress = rehearsal::indoor_egress(Outward { world }, &secrets, Arc::clone(&clock))?;
    let house = rehearsal::house(1, data.path(), egress, secrets, clock);
    let pipeline = Arc::new(house.build()?);
    let any: SocketAddr = ([127, 0, 0, 1], 0).into();
    let listen = Listen { mllp: vec![MllpListener::new("hl7", any)], http: None, api: None };
    let service = service::start(&listen, Arc::clone(&pipeline)).await?;
    let address = *service.mllp.first().context("an MLLP listener")?;
    let next = Arc::new(AtomicUsize::new(0));
    let (mut with, mut without) = (Times::new(), Times::new());
    let (mut swapping, mut longest) = (Duration::ZERO, Duration::ZERO);
    for _ in 0..ROUNDS {
        let begun = Instant::now();
        let over = Arc::new(AtomicBool::new(false));
        let senders = send(address, &next, &over);
        let swapper = {
            let (pipeline, count) = (Arc::clone(&pipeline), swaps / ROUNDS);
            tokio::task::spawn_blocking(move || {
                (0..count).map(|number| swap(&pipeline, number)).collect::<Result<Times, _>>()
            })
        };
        let took = swapper.await??;
        longest = took.iter().copied().max().unwrap_or_default().max(longest);
        over.store(true, Ordering::Relaxed);
        with.extend(heard(senders).await?);
        swapping += begun.elapsed();

        let over = Arc::new(AtomicBool::new(false));
        let senders = send(address, &next, &over);
        tokio::time::sleep(begun.elapsed().max(ROUND_MIN)).await;
        over.store(true, Ordering::Relaxed);
        without.extend(heard(senders).await?);
    }
    service.close().await;
    let taken = pipeline.store.index().in_flight().iter().map(|place| place.referrals).sum::<u64>();
    ensure!(
        taken as usize >= with.len() + without.len(),
        "{} orders were acknowledged, and there are {taken} referrals in flight",
        with.len() + without.len()
    );
    println!(
        "{swaps} changes, {:.0}/s, the longest {longest:.1?}; {} orders beside them, {} without, none refused",
        swaps as f64 / swapping.as_secs_f64(),
        with.len(),
        without.len()
    );
    for (name, share) in [("p50", 0.5), ("p99", 0.99), ("p99.9", 0.999)] {
        let (with, without) = (at(&mut with, share), at(&mut without, share));
        let ratio = with.as_secs_f64() / without.as_secs_f64();
        println!("{name}: with changes {with:.2?}, without {without:.2?}, ratio {ratio:.2}");
    }
    Ok(())
}

/// One of two workflows, in turn.
fn swap(pipeline: &Pipeline, number: usize) -> anyhow::Result<Duration> {
    let mut source = bundled_workflow::source();
    source.text = source.text.replace("day-3: { after: 3d }", &format!("day-3: {{ after: 3d{}h }}", number % 2 + 1));
    let begun = Instant::now();
    let ready = rollout::examine(pipeline, Candidate { source, scenarios: Default::default() }, Keep::Yes)?;
    let act = Act { origin: Origin::Applied, who: "bench".into(), why: "to see what it costs".into() };
    match rollout::put_in_force(pipeline, ready, act) {
        // Where one round ends as the next begins.
        Ok(_) | Err(rollout::ChangeError::InForce(_)) => Ok(begun.elapsed()),
        Err(error) => Err(error.into()),
    }
}

fn send(address: SocketAddr, next: &Arc<AtomicUsize>, over: &Arc<AtomicBool>) -> JoinSet<anyhow::Result<Times>> {
    let mut senders = JoinSet::new();
    for _ in 0..CONNECTIONS {
        let (next, over) = (Arc::clone(next), Arc::clone(over));
        senders.spawn(async move {
            let mut stream = TcpStream::connect(address).await?;
            let mut times = Times::new();
            while !over.load(Ordering::Relaxed) {
                let message = order(next.fetch_add(1, Ordering::Relaxed));
                let begun = Instant::now();
                stream.write_all(format!("\x0b{message}\x1c\r").as_bytes()).await?;
                let mut answer = Vec::new();
                while !answer.ends_with(b"\x1c\r") {
                    ensure!(stream.read_buf(&mut answer).await? > 0, "the connection was closed");
                }
                ensure!(answer.windows(7).any(|window| window == b"MSA|AA|"), "an order was refused");
                times.push(begun.elapsed());
            }
            Ok(times)
        });
    }
    senders
}

async fn heard(mut senders: JoinSet<anyhow::Result<Times>>) -> anyhow::Result<Times> {
    let mut all = Times::new();
    while let Some(times) = senders.join_next().await {
        all.extend(times??);
    }
    Ok(all)
}

/// The same order under numbers of its own.
fn order(number: usize) -> String {
    let text = ORDER.replace("MSG00112", &format!("SWAP{number}")).replace("226839^EPIC", &format!("R{number}^EPIC"));
    text.replace("11001^EXTID", &format!("X{number}^EXTID")).replace("PATID1234", &format!("PAT{number}"))
}

fn at(times: &mut Times, share: f64) -> Duration {
    times.sort();
    let place = (times.len() as f64 * share) as usize;
    times.get(place.min(times.len().saturating_sub(1))).copied().unwrap_or_default()
}
