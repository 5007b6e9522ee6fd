//! A plan over a million referrals in flight, beside reading each of them once; and what putting it in force holds up. Aims: a
//! plan within 30 s; new orders wait no more than 10 ms. `just bench-plan [REFERRALS]`.

#![expect(clippy::print_stdout, reason = "a bench speaks to whoever started it")]

use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use chrono::TimeDelta;
use handoff_clock::{Clock, VirtualClock};
use handoff_engine::ids::ReferralId;
use handoff_engine::referral::Referral;
use handoff_ingress::delivery::{Delivery, SenderProof, Transport};
use handoff_pipeline::bundled_workflow;
use handoff_pipeline::deployments::Keep;
use handoff_pipeline::pipeline::Pipeline;
use handoff_pipeline::rollout;
use handoff_pipeline::rollout::{Act, Candidate, plan};
use handoff_practice::{PracticePlan, Simulation};
use handoff_rehearsal::in_process::Outward;
use handoff_rehearsal::rehearsal;
use handoff_store::index::{PAGE_MAX, ReferralFilter};
use handoff_store::{Entry, Origin, Record};

/// As in the daemon.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const ORDER: &str = include_str!("../../../plugins/trigger-hl7v2/tests/data/REF-I12-01.hl7");

const REFERRALS: u64 = 1_000_000;

/// Their orders came in over three weeks, as long as most of them take.
const WEEKS_MINUTES: i64 = 3 * 7 * 24 * 60;

fn main() -> anyhow::Result<()> {
    let referrals = std::env::args().skip(1).find_map(|argument| argument.parse().ok()).unwrap_or(REFERRALS);
    let data = tempfile::tempdir()?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let pipeline = Arc::new(house(&data)?);
    let like = runtime.block_on(one(&pipeline))?;
    fill(&pipeline, &like, referrals)?;
    let (scanned, scanning) = timed(|| scan(&pipeline))?;
    let (ready, examining) = timed(|| examine(&pipeline))?;
    let (plan, planning) = timed(|| Ok(plan::of(&pipeline, &ready, None)?))?;
    let letters: u64 = plan.census.gained.iter().chain(&plan.census.lost).map(|tally| tally.letters).sum();
    println!(
        "plan over {scanned} referrals: {planning:.1?} ({} move, {letters} letters on other days), reading each once {scanning:.1?}, \
         ratio {:.2}; examined before in {examining:.1?}",
        plan.census.moves(),
        planning.as_secs_f64() / scanning.as_secs_f64()
    );
    let quiet = longest_wait(&pipeline, || {
        std::thread::sleep(Duration::from_secs(2));
        Ok(())
    })?;
    let mut applying = Duration::ZERO;
    let held = longest_wait(&pipeline, || {
        let act = Act { origin: Origin::Applied, who: "bench".into(), why: "to see what it holds up".into() };
        applying = timed(|| Ok(rollout::put_in_force(&pipeline, ready, act)?))?.1;
        Ok(())
    })?;
    println!(
        "put in force in {applying:.1?}; whoever asked meanwhile what decides waited {held:.1?} at most, {quiet:.1?} without"
    );
    Ok(())
}

fn timed<T>(work: impl FnOnce() -> anyhow::Result<T>) -> anyhow::Result<(T, Duration)> {
    let begun = Instant::now();
    Ok((work()?, begun.elapsed()))
}

fn house(data: &tempfile::TempDir) -> anyhow::Result<Pipeline> {
    let clock: Arc<dyn Clock> = Arc::new(VirtualClock::starting_at(rehearsal::start() + TimeDelta::hours(16)));
    let world = Simulation::new(PracticePlan::new(1, 0, rehearsal::start()))?;
    world.connect(rehearsal::handoff());
    let secrets = Arc::new(rehearsal::secrets());
    let egress = rehearsal::indoor_egress(Outward { world }, &secrets, Arc::clone(&clock))?;
    rehearsal::house(1, data.path(), egress, secrets, clock).build()
}

/// A referral whose patient has been written to.
async fn one(pipeline: &Arc<Pipeline>) -> anyhow::Result<Arc<Referral>> {
    let delivery = Delivery {
        transport: Transport::Mllp,
        source: "hl7".into(),
        url: String::new(),
        headers: Vec::new(),
        body: ORDER.as_bytes().to_vec(),
        too_long: None,
        received_at: pipeline.clock.now(),
        sender: SenderProof::Connection,
    };
    pipeline.intake.take_order(delivery).await;
    pipeline.settle().await?;
    let listed =
        pipeline.store.index().referrals(&ReferralFilter::default(), None, 1)?.pop().context("the order's referral")?;
    pipeline.store.index().referral(&listed.id)?.context("it is listed")
}

/// So many like it, ordered at other times.
fn fill(pipeline: &Pipeline, like: &Referral, referrals: u64) -> anyhow::Result<()> {
    let at = pipeline.clock.now();
    let mut last = None;
    for number in 0..referrals {
        let back = TimeDelta::minutes((number as i64 * 7919) % WEEKS_MINUTES);
        let mut referral = like.clone();
        referral.id = ReferralId::derive(at - back, &number.to_le_bytes());
        referral.entered_at -= back;
        referral.ordered_at -= back;
        referral.timers.iter_mut().for_each(|timer| timer.due -= back);
        referral.timers.retain(|timer| timer.due > at);
        let stepped = Record::Stepped { referral: Arc::new(referral), because: "a bench".into() };
        last = Some(pipeline.store.commit(Entry { at, records: vec![stepped], sealed: Vec::new() }));
    }
    last.context("some referrals")?.wait()?;
    Ok(pipeline.store.settle()?)
}

/// Reads each referral in flight, as whoever planned without an idea would.
fn scan(pipeline: &Pipeline) -> anyhow::Result<u64> {
    let (mut after, mut read) = (None, 0);
    loop {
        let page = pipeline.store.index().referrals(&ReferralFilter::default(), after, PAGE_MAX)?;
        let Some(last) = page.last() else { return Ok(read) };
        after = Some(last.id);
        for listed in page {
            black_box(pipeline.store.index().referral(&listed.id)?);
            read += 1;
        }
    }
}

/// A reminder goes out at another time, for everybody: each referral's course is another.
fn examine(pipeline: &Pipeline) -> anyhow::Result<rollout::ReadyDeployment> {
    let mut source = bundled_workflow::source();
    source.text = source.text.replace("day-3: { after: 3d }", "day-3: { after: 4d }") + "\nmoves: { others: move }\n";
    Ok(rollout::examine(pipeline, Candidate { source, scenarios: Default::default() }, Keep::Yes)?)
}

/// How long, at most, a new order would have waited to know what decides.
fn longest_wait(pipeline: &Pipeline, work: impl FnOnce() -> anyhow::Result<()>) -> anyhow::Result<Duration> {
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let asker = scope.spawn(|| {
            let mut longest = Duration::ZERO;
            while !over.load(Ordering::Relaxed) {
                let begun = Instant::now();
                black_box(pipeline.deployments.current());
                longest = longest.max(begun.elapsed());
                // As orders come in: it must not keep the machine from the change itself.
                std::thread::sleep(Duration::from_micros(100));
            }
            longest
        });
        let done = work();
        over.store(true, Ordering::Relaxed);
        let longest = asker.join().map_err(|_| anyhow::anyhow!("the asker broke off"))?;
        done.map(|()| longest)
    })
}
