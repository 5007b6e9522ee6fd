//! The lives of one house: it opens, works, dies in the middle of something, and opens again on what is left.

use std::sync::{Arc, Weak};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use ed25519_dalek::VerifyingKey;
use handoff_engine::ids::Digest;
use handoff_host::{Host, PluginLimits};
use handoff_instance::open::Storage;
use handoff_pipeline::pipeline::Pipeline;
use handoff_practice::{CarrierPlan, EhrPlan, Outbound, OutboundAnswer, OutboundMessage, PracticePlan, Simulation};
use handoff_rehearsal::in_process::InProcessTransport;
use handoff_rehearsal::rehearsal;
use handoff_store::index::MemoryRows;
use handoff_store::journal::{DiskDice, DiskFault, SimDisk, VerifyDepth};
use handoff_store::{Store, StoreOptions};
use handoff_vault::secrets::Secrets;
use parking_lot::Mutex;
use tempfile::TempDir;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::clock::WallClock;
use super::findings::{self, Dispatched};
use super::folder::Folder;
use super::network::{Network, Out, Weather};
use super::swaps::{self, Swap};

/// Small, so that a history has several segments.
const SEGMENT_BYTES: u64 = 512 << 10;

/// How often somebody looks whether Handoff is well, as a monitor does with `/readyz`.
const PROBE_EVERY: Duration = Duration::from_secs(60);

/// A dead process's tasks are gone after so many turns of the runtime.
const TURNS_TO_DIE_MAX: usize = 10_000;

/// What is the same in all histories: compiled plugins.
pub struct Town {
    host: Arc<Host>,
    data: TempDir,
}

impl Town {
    pub fn open() -> Town {
        let data = TempDir::new().expect("a folder");
        let host = Host::new(PluginLimits::default(), Some(&data.path().join("compiled"))).expect("a host");
        let town = Town { host: Arc::new(host), data };
        // The plugins' components are kept in its folder by the first house, before others look for them side by side.
        live(0, &Fates::calm(), &town);
        town
    }
}

/// What goes wrong in a history.
#[derive(Clone, Debug)]
pub struct Fates {
    pub plan: PracticePlan,
    pub weather: Weather,
    /// One for each life but the last, in which the disk is well.
    pub deaths: Vec<Death>,
    /// When somebody sets Handoff's clock, and to how wrong.
    pub clock: Vec<(TimeDelta, TimeDelta)>,
    /// When somebody changes the workflow, and how.
    pub swaps: Vec<(TimeDelta, Swap)>,
}

#[derive(Clone, Debug)]
pub struct Death {
    fault: DiskFault,
    /// The machine goes down as well: what was not synced is lost or torn.
    machine_too: bool,
    /// The index's folder is gone afterwards.
    index_too: bool,
    down_for: Duration,
}

impl Fates {
    pub fn calm() -> Fates {
        let mut plan = PracticePlan::new(0, 1, rehearsal::start());
        plan.profile.carrier = CarrierPlan { throttled: 0.0, failing: 0.0, dropped: 0.0, undelivered: 0.0 };
        plan.profile.ehr =
            EhrPlan { duplicated: 0.0, overtaken: 0.0, by_webhook: 0.0, withdrawn: 0, unrelated: 0, malformed: 0 };
        Fates { plan, weather: Weather::CALM, deaths: Vec::new(), clock: Vec::new(), swaps: Vec::new() }
    }

    /// Fair weather, and a death at one operation of the disk: of the process, at every other one of the machine.
    pub fn crash_at(operation: u64) -> Fates {
        let down_for = Duration::from_secs(30);
        let machine_too = operation % 2 == 1;
        let death = Death { fault: DiskFault::PowerCut { operation }, machine_too, index_too: false, down_for };
        Fates { deaths: vec![death], ..Fates::calm() }
    }

    pub fn of(seed: u64) -> Fates {
        let mut dice = DiskDice::new(seed ^ 0x5EED);
        let mut chance = |most: u64| dice.below(most) as f64 / 1000.0;
        let mut plan = PracticePlan::new(seed, 0, rehearsal::start());
        plan.profile.carrier =
            CarrierPlan { throttled: chance(80), failing: chance(80), dropped: chance(120), undelivered: chance(80) };
        plan.profile.ehr = EhrPlan {
            duplicated: chance(300),
            overtaken: chance(200),
            by_webhook: chance(600),
            withdrawn: dice.below(2) as usize,
            unrelated: dice.below(3) as usize,
            malformed: dice.below(3) as usize,
        };
        plan.referrals = 2 + dice.below(4) as usize;
        plan.days = 22 + dice.below(8) as u32;
        let weather = Weather::of(&mut dice);
        let deaths = (0..dice.below(5)).map(|_| Death::of(&mut dice)).collect();
        let clock = match dice.below(4) {
            0 => (0..3).map(|_| set_wrong(&mut dice)).collect(),
            _ => Vec::new(),
        };
        let swaps = swaps::of(&mut dice);
        Fates { plan, weather, deaths, clock, swaps }
    }

    /// The same in a practice whose neighbours do all that was met in the field, each trait in some histories and not in others.
    pub fn in_the_field(seed: u64) -> Fates {
        let mut fates = Fates::of(seed);
        let mut dice = DiskDice::new(seed ^ 0xF1E1D);
        for chance in fates.plan.profile.mess.traits() {
            *chance = if dice.below(3) == 0 { 0.0 } else { dice.below(600) as f64 / 1000.0 };
        }
        fates
    }
}

/// Within ten minutes of the truth, on any day.
fn set_wrong(dice: &mut DiskDice) -> (TimeDelta, TimeDelta) {
    let when = TimeDelta::minutes(dice.below(28 * 24 * 60) as i64);
    (when, TimeDelta::seconds(dice.below(1200) as i64 - 600))
}

impl Death {
    fn of(dice: &mut DiskDice) -> Death {
        let fault = match dice.below(6) {
            0 => DiskFault::SyncFails { sync: dice.below(150) },
            1 => DiskFault::Full { bytes: 900_000 + dice.below(1_000_000) },
            _ => DiskFault::PowerCut { operation: dice.below(500) },
        };
        let down_for = Duration::from_secs([5, 60, 3_600, 30_000][dice.below(4) as usize]);
        Death { fault, machine_too: dice.below(2) == 0, index_too: dice.below(4) == 0, down_for }
    }
}

/// What a history came to. Two of one seed are equal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct History {
    pub crashes: u64,
    pub steps: u64,
    /// Steps by which a referral came to another workflow.
    pub moves: u64,
    pub letters: u64,
    /// Exchanges that the network lost.
    pub lost: u64,
    /// Operations of the disk in the last life.
    pub operations: u64,
    /// Of the journal's bytes.
    pub journal: Digest,
}

/// What senders sent, and what they were told is done.
pub type Errands = Arc<Mutex<Dispatched>>;

struct House<'t> {
    town: &'t Town,
    fates: &'t Fates,
    seed: u64,
    world: Simulation,
    network: Arc<Network>,
    clock: Arc<WallClock>,
    secrets: Arc<Secrets>,
    disk: SimDisk,
    rows: Arc<MemoryRows>,
    /// Where senders knock; nothing while Handoff is dead.
    door: watch::Sender<Option<InProcessTransport>>,
    /// Whose workflow somebody may change.
    alive: Arc<Mutex<Weak<Pipeline>>>,
    end: DateTime<Utc>,
    crashes: u64,
}

/// Lives through a history and looks for every promise at its end.
///
/// # Panics
/// When one was broken.
pub fn live(seed: u64, fates: &Fates, town: &Town) -> History {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    runtime.expect("a runtime").block_on(async {
        let plan = PracticePlan { seed, ..fates.plan.clone() };
        let mut dice = DiskDice::new(seed);
        let world = Simulation::new(plan.clone()).expect("a small world");
        world.connect(rehearsal::handoff());
        let disk = SimDisk::new(dice.next(), fates.deaths.first().map(|death| death.fault));
        let clock = Arc::new(WallClock::starting_at(plan.start));
        let network =
            Network::new(world.clone(), Arc::clone(&clock), disk.clone(), fates.weather, DiskDice::new(dice.next()));
        let house = House {
            town,
            fates,
            seed,
            world,
            network: Arc::new(network),
            clock,
            secrets: Arc::new(rehearsal::secrets()),
            disk,
            rows: Arc::default(),
            door: watch::Sender::new(None),
            alive: Arc::default(),
            end: rehearsal::end(&plan),
            crashes: 0,
        };
        house.live().await
    })
}

impl House<'_> {
    async fn live(mut self) -> History {
        let errands = Errands::default();
        let mut outside = JoinSet::new();
        outside.spawn(outside_lives(
            self.world.clone(),
            Arc::clone(&self.network),
            Arc::clone(&self.clock),
            self.door.subscribe(),
            Arc::clone(&errands),
        ));
        outside.spawn(somebody_sets(Arc::clone(&self.clock), self.fates.clock.clone()));
        outside.spawn(somebody_swaps(Arc::clone(&self.clock), Arc::clone(&self.alive), self.fates.swaps.clone()));
        let mut deaths = self.fates.deaths.iter();
        let (pipeline, key) = loop {
            let death = deaths.next();
            let next = deaths.as_slice().first().map(|death| death.fault);
            match (self.one_life().await, death) {
                (Ok(alive), _) => break alive,
                (Err(_), Some(death)) => self.die(death, next).await,
                (Err(why), None) => panic!("Handoff died of nothing: {why}"),
            }
        };
        outside.shutdown().await;
        let dispatched = errands.lock().clone();
        let journal = Folder { disk: self.disk.clone(), prefix: JOURNAL };
        let clock_was_right = self.fates.clock.is_empty();
        let found = findings::look(&pipeline, &self.world, &journal, &key, &self.rows, &dispatched, clock_was_right);
        History {
            crashes: self.crashes,
            steps: found.steps,
            moves: found.moves,
            letters: found.letters,
            lost: self.network.lost(),
            operations: self.disk.operations(),
            journal: found.journal,
        }
    }

    /// Lives until the end of time, or dies.
    async fn one_life(&self) -> Result<(Arc<Pipeline>, VerifyingKey), String> {
        let (pipeline, key) = self.open().map_err(|error| format!("{error:#}"))?;
        let pipeline = Arc::new(pipeline);
        let (stop, stopped) = watch::channel(false);
        let mut keeper = tokio::spawn({
            let pipeline = Arc::clone(&pipeline);
            async move { pipeline.keep_time(stopped).await }
        });
        self.door.send_replace(Some(InProcessTransport::new(Arc::clone(&pipeline))));
        *self.alive.lock() = Arc::downgrade(&pipeline);
        let died = tokio::select! {
            biased;
            kept = &mut keeper => Some(match kept {
                Ok(kept) => format!("the timekeeper ended: {kept:?}"),
                Err(error) => std::panic::resume_unwind(error.into_panic()),
            }),
            why = self.unwell(&pipeline) => Some(why),
            () = tokio::time::sleep_until(self.clock.instant_of(self.end)) => None,
        };
        self.door.send_replace(None);
        *self.alive.lock() = Weak::new();
        let why = match died {
            Some(why) => {
                keeper.abort();
                why
            }
            None => {
                // Nobody is left to hear it where the disk has failed already.
                stop.send_replace(true);
                match keeper.await.expect("no panic") {
                    Ok(()) => return Ok((pipeline, key)),
                    // Its disk failed in its last minute.
                    Err(error) => format!("the timekeeper ended: {error:?}"),
                }
            }
        };
        // Invariant: nothing of a dead process goes on while the next one lives.
        for _ in 0..TURNS_TO_DIE_MAX {
            if Arc::strong_count(&pipeline) == 1 {
                return Err(why);
            }
            tokio::task::yield_now().await;
        }
        panic!("somebody holds on to a dead line");
    }

    /// The line, and what its journal is verified with.
    fn open(&self) -> anyhow::Result<(Pipeline, VerifyingKey)> {
        let clock: Arc<WallClock> = Arc::clone(&self.clock);
        let egress = rehearsal::indoor_egress(Out(Arc::clone(&self.network)), &self.secrets, clock.clone())?;
        let plan = rehearsal::house(self.seed, self.town.data.path(), egress, Arc::clone(&self.secrets), clock);
        let key = plan.signing.verifying_key();
        let options = StoreOptions {
            depth: VerifyDepth::Whole,
            segment_max_bytes: SEGMENT_BYTES,
            ..StoreOptions::new(self.town.data.path(), plan.signing.clone())
        };
        let journal = Folder { disk: self.disk.clone(), prefix: JOURNAL };
        let keys = Folder { disk: self.disk.clone(), prefix: KEYS };
        let (store, _) = Store::inline(Arc::new(journal), self.rows.clone(), options)?;
        let ground = Storage { host: Arc::clone(&self.town.host), store, keys: Arc::new(keys) };
        Ok((plan.build_on(ground)?, key))
    }

    /// Returns when the process is dead, or so ill that its supervisor ends it.
    async fn unwell(&self, pipeline: &Pipeline) -> String {
        loop {
            sleep(PROBE_EVERY).await;
            if self.disk.power_is_off() {
                return "killed".into();
            }
            // Beside the work, as in a real house.
            if let Err(error) = pipeline.store.settle() {
                return format!("the index was not carried over: {error}");
            }
            if let Err(error) = pipeline.readiness() {
                return format!("not ready: {error}");
            }
        }
    }

    async fn die(&mut self, death: &Death, next: Option<DiskFault>) {
        self.crashes += 1;
        sleep(death.down_for).await;
        if death.machine_too {
            self.disk = self.disk.after_power_cut(next);
        } else {
            self.disk.restart(next);
        }
        self.network.house_is_on(self.disk.clone());
        if death.index_too {
            self.rows = Arc::default();
        }
    }
}

const JOURNAL: &str = "journal/";
const KEYS: &str = "keys/";

async fn somebody_sets(clock: Arc<WallClock>, wrong: Vec<(TimeDelta, TimeDelta)>) {
    let mut wrong = wrong;
    wrong.sort();
    for (when, by) in wrong {
        tokio::time::sleep_until(clock.instant_of(rehearsal::start() + when)).await;
        clock.set_wrong_by(by);
    }
}

async fn somebody_swaps(clock: Arc<WallClock>, alive: Arc<Mutex<Weak<Pipeline>>>, swaps: Vec<(TimeDelta, Swap)>) {
    for (when, swap) in swaps {
        tokio::time::sleep_until(clock.instant_of(rehearsal::start() + when)).await;
        let pipeline = alive.lock().upgrade();
        if let Some(pipeline) = pipeline {
            swaps::perform(&pipeline, swap);
        }
    }
}

/// The world goes its way, whether Handoff is alive or not.
async fn outside_lives(
    world: Simulation,
    network: Arc<Network>,
    clock: Arc<WallClock>,
    door: watch::Receiver<Option<InProcessTransport>>,
    dispatched: Errands,
) {
    let mut under_way = JoinSet::new();
    loop {
        while let Some(errands) = world.act(clock.true_now()) {
            for errand in errands {
                under_way.spawn(run(
                    world.clone(),
                    Arc::clone(&network),
                    door.clone(),
                    errand,
                    Arc::clone(&dispatched),
                ));
            }
        }
        let next = world.next_action().map(|next| clock.instant_of(next));
        tokio::select! {
            biased;
            Some(done) = under_way.join_next() => done.expect("an errand ends well"),
            () = network.stirred.notified() => {}
            () = tokio::time::sleep_until(next.unwrap_or_else(tokio::time::Instant::now)), if next.is_some() => {}
        }
    }
}

/// One errand, carried to whoever lives when it sets out.
async fn run(
    world: Simulation,
    network: Arc<Network>,
    mut door: watch::Receiver<Option<InProcessTransport>>,
    errand: Outbound,
    errands: Errands,
) {
    let (OutboundMessage::Hl7(body) | OutboundMessage::Post { body, .. }) =
        world.parcel(&errand).expect("Handoff is somewhere");
    let digest = Digest::of(&body);
    errands.lock().truths.insert(digest, errand.truth().clone());
    let inward = door.borrow_and_update().clone();
    let reply = match inward {
        None => OutboundAnswer::None("no connection"),
        Some(inward) => tokio::select! {
            biased;
            _ = door.changed() => OutboundAnswer::None("the connection broke"),
            reply = network.carry(&inward, &errand) => reply,
        },
    };
    if reply.accepts() {
        errands.lock().promised.push(digest);
    }
    world.settle(errand, &reply);
    network.stirred.notify_one();
}
