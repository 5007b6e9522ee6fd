//! Measures Handoff against what it stands on: the sandboxed HL7 parser against the same parser native, and orders taken
//! in end to end against this machine's fdatasync. Aims: at most 3; as many orders a second as the disk has syncs, or more.
//! And what sealing and the gate cost of an order. Aim: at most a fifth.

#![expect(clippy::print_stdout, reason = "a bench speaks to whoever started it")]

use std::fs::File;
use std::hint::black_box;
use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, anyhow};
use handoff_clock::{Clock as _, SystemClock};
use handoff_engine::ids::{BlindedName, PatientId};
use handoff_engine::letter::{LetterBody, Message};
use handoff_engine::render::measure_sms;
use handoff_host::contract::interpreter;
use handoff_host::{Call, Host, PluginLimits};
use handoff_ingress::delivery::{Delivery, SenderProof, Transport};
use handoff_pipeline::contact_rules;
use handoff_pipeline::contact_rules::Passage;
use handoff_pipeline::pipeline::Pipeline;
use handoff_rehearsal::rehearsal::Rehearsal;
use handoff_store::{Position, Record};
use handoff_vault::ClearBytes;

#[path = "../../store/benches/journal/usage.rs"]
#[expect(dead_code, reason = "memory is the store's to measure")]
mod usage;

use crate::usage::cpu_seconds;

/// As in the daemon.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// A complete referral order with every segment the standard allows it, 5.7 KB.
const ORDER: &[u8] = include_bytes!("../../../plugins/trigger-hl7v2/tests/data/REF-I12-01.hl7");

/// Calls in one sample, and samples of each side, taken in turn, so that a busy machine slows both.
const CALLS: u32 = 100;
const SAMPLES: usize = 30;

/// Orders taken in, and how many at once.
const ORDERS: usize = 4_000;
const SENDERS: usize = 64;

const SYNCS: u32 = 500;

fn main() -> anyhow::Result<()> {
    parser()?;
    orders()
}

fn parser() -> anyhow::Result<()> {
    let host = Host::new(PluginLimits::default(), None)?;
    let bundled = handoff_bundle::plugin("trigger-hl7v2").context("the bundle has the HL7 trigger")?;
    let plugin = host.load(bundled.component)?;
    let delivery = interpreter::Delivery {
        source: "hl7".into(),
        transport: interpreter::Transport::Mllp,
        headers: Vec::new(),
        body: ORDER.to_vec(),
        too_long: None,
        received_at: 1_795_424_400_000,
    };
    let call = Call::Interpret { delivery, settings: "{}".into() };
    let native = trigger_hl7v2::types::Delivery {
        source: "hl7".into(),
        transport: trigger_hl7v2::types::Transport::Mllp,
        headers: Vec::new(),
        body: ORDER.to_vec(),
        too_long: None,
        received_at: 1_795_424_400_000,
    };
    let mut sandboxed = || drop(black_box(host.call(&plugin, &call)));
    let mut bare = || drop(black_box(trigger_hl7v2::interpret(&native, "{}")));
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for _ in 0..SAMPLES {
        ours.push(sample(&mut sandboxed));
        theirs.push(sample(&mut bare));
    }
    let (ours, theirs) = (median(ours), median(theirs));
    let ratio = ours.as_secs_f64() / theirs.as_secs_f64();
    println!("REF^I12 read, fresh instance: sandbox {ours:.2?}, native {theirs:.2?}, ratio {ratio:.2}");
    Ok(())
}

fn orders() -> anyhow::Result<()> {
    let data = tempfile::tempdir()?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let rehearsal = runtime.block_on(Rehearsal::open(1, 0, 1, data.path()))?;
    let pipeline = rehearsal.pipeline();
    let spent_before = cpu_seconds();
    let took = runtime.block_on(async {
        let begun = Instant::now();
        let mut senders = tokio::task::JoinSet::new();
        for sender in 0..SENDERS {
            let pipeline = Arc::clone(&pipeline);
            senders.spawn(async move {
                for number in (sender..ORDERS).step_by(SENDERS) {
                    let answer = pipeline.intake.take_order(order(number)).await;
                    let acknowledged = answer.body.windows(7).any(|window| window == b"MSA|AA|");
                    acknowledged.then_some(()).ok_or_else(|| anyhow!("order {number} was not acknowledged"))?;
                }
                anyhow::Ok(())
            });
        }
        while let Some(done) = senders.join_next().await {
            done??;
        }
        anyhow::Ok(begun.elapsed())
    })?;
    let spent = cpu_seconds() - spent_before;
    let syncs = syncs_per_second(data.path())?;
    let orders = ORDERS as f64 / took.as_secs_f64();
    let ratio = orders / syncs;
    println!(
        "orders acknowledged, {SENDERS} senders: {orders:.0}/s, fdatasync of 4 KiB: {syncs:.0}/s, ratio {ratio:.2}"
    );
    let work = Work::of(&pipeline)?;
    let spent_before = cpu_seconds();
    work.repeat(&pipeline)?;
    let privacy = cpu_seconds() - spent_before;
    println!("of {spent:.2} s of a core, sealing and the gate {privacy:.2} s, share {:.2}", privacy / spent);
    Ok(())
}

/// What was done for orders that patients' privacy asks for.
struct Work {
    /// By entry: whose value, and the value.
    values: Vec<Vec<(PatientId, ClearBytes)>>,
    names: Vec<BlindedName>,
    messages: Vec<Message>,
}

impl Work {
    /// Reads it back out of the journal.
    fn of(pipeline: &Pipeline) -> anyhow::Result<Work> {
        let mut work = Work { values: Vec::new(), names: Vec::new(), messages: Vec::new() };
        for entry in pipeline.store.entries(Position::START) {
            let (_, entry) = entry?;
            let values = entry.sealed.iter().map(|sealed| {
                let clear = pipeline.vault.reveal_bytes(&sealed.token, &pipeline.store)?;
                anyhow::Ok((sealed.patient.clone(), clear))
            });
            work.values.push(values.collect::<Result<_, _>>()?);
            for record in &entry.records {
                match record {
                    Record::Named { names, .. } => work.names.extend(names.iter().cloned()),
                    Record::Queued { letter, .. } => {
                        if let LetterBody::Message(message) = &letter.body {
                            work.messages.push(message.clone());
                        }
                    }
                    _ => {}
                }
            }
        }
        Ok(work)
    }

    /// Once more, and nothing else: each value sealed and revealed within its transaction, each name blinded, each message shown
    /// to the gate when it is owed and when it leaves.
    fn repeat(&self, pipeline: &Pipeline) -> anyhow::Result<()> {
        for values in &self.values {
            let mut sealing = pipeline.vault.sealing(&pipeline.store);
            for (patient, clear) in values {
                let token = sealing.seal_bytes(patient, "once more", clear.as_slice());
                // A delivery's bytes are no text, and nobody reveals them here.
                drop(black_box(sealing.reveal(&token)));
            }
            black_box(sealing.finish()?);
        }
        for name in &self.names {
            black_box(pipeline.vault.blind("number", name));
        }
        let installed = pipeline.deployments.current();
        for message in self.messages.iter().flat_map(|message| [message; 2]) {
            let passage = Passage {
                is_barred: false,
                channel: message.channel,
                consent: Some(true),
                deceased: false,
                zone: None,
                other_zone: None,
                texted: &[],
                units: measure_sms(&message.text).units,
                expires: None,
            };
            black_box(contact_rules::admit(&installed.workflow().contact, &passage, pipeline.clock.now()));
        }
        Ok(())
    }
}

/// The same order under numbers of its own.
fn order(number: usize) -> Delivery {
    let text = String::from_utf8_lossy(ORDER);
    let text = text.replace("MSG00112", &format!("BENCH{number}")).replace("226839^EPIC", &format!("R{number}^EPIC"));
    let text = text.replace("11001^EXTID", &format!("X{number}^EXTID"));
    Delivery {
        transport: Transport::Mllp,
        source: "hl7".into(),
        url: String::new(),
        headers: Vec::new(),
        body: text.replace("PATID1234", &format!("PAT{number}")).into_bytes(),
        too_long: None,
        received_at: SystemClock.now(),
        sender: SenderProof::Connection,
    }
}

fn syncs_per_second(folder: &Path) -> anyhow::Result<f64> {
    let mut file = File::create(folder.join("syncs"))?;
    let begun = Instant::now();
    for _ in 0..SYNCS {
        file.write_all(&[0; 4096])?;
        file.sync_data()?;
    }
    Ok(f64::from(SYNCS) / begun.elapsed().as_secs_f64())
}

fn sample(lap: &mut dyn FnMut()) -> Duration {
    let start = Instant::now();
    (0..CALLS).for_each(|_| lap());
    start.elapsed() / CALLS
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}
