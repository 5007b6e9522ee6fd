//! Measures the house against what it stands on: the sandboxed HL7 parser against the same parser native, and orders taken
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
use handoff::clock::{Clock as _, SystemClock};
use handoff::gate::{self, Passage};
use handoff::line::Line;
use handoff::line::ingress::{Delivery, Door};
use handoff::rehearsal::Rehearsal;
use handoff_engine::letter::LetterBody;
use handoff_engine::render::measure_sms;
use handoff_host::contract::interpreter;
use handoff_host::{Call, Host, Limits};
use handoff_store::{Position, Record};

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
    let host = Host::new(Limits::default(), None)?;
    let bundled = handoff_bundle::plugin("trigger-hl7v2").context("the bundle has the HL7 trigger")?;
    let plugin = host.load(bundled.component)?;
    let delivery = interpreter::Delivery {
        source: "hl7".into(),
        transport: interpreter::Transport::Mllp,
        headers: Vec::new(),
        body: ORDER.to_vec(),
        received_at: 1_795_424_400_000,
    };
    let call = Call::Interpret { delivery, settings: "{}".into() };
    let native = trigger_hl7v2::types::Delivery {
        source: "hl7".into(),
        transport: trigger_hl7v2::types::Transport::Mllp,
        headers: Vec::new(),
        body: ORDER.to_vec(),
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
    let line = rehearsal.line();
    let spent_before = cpu_seconds()?;
    let took = runtime.block_on(async {
        let begun = Instant::now();
        let mut senders = tokio::task::JoinSet::new();
        for sender in 0..SENDERS {
            let line = Arc::clone(&line);
            senders.spawn(async move {
                for number in (sender..ORDERS).step_by(SENDERS) {
                    let answer = line.take(order(number)).await;
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
    let spent = cpu_seconds()? - spent_before;
    let syncs = syncs_per_second(data.path())?;
    let orders = ORDERS as f64 / took.as_secs_f64();
    let ratio = orders / syncs;
    println!(
        "orders acknowledged, {SENDERS} senders: {orders:.0}/s, fdatasync of 4 KiB: {syncs:.0}/s, ratio {ratio:.2}"
    );
    let spent_before = cpu_seconds()?;
    let done = privacy(&line)?;
    let privacy = cpu_seconds()? - spent_before;
    println!("of {spent:.2} s of a core, sealing and the gate {privacy:.2} s, share {:.2} ({done})", privacy / spent);
    Ok(())
}

/// Does once more, and nothing else, what was done for these orders that patients' privacy asks for: each value sealed and
/// revealed, each name blinded, each letter shown to the gate, when it is owed and when it leaves. Returns how often.
fn privacy(line: &Line) -> anyhow::Result<String> {
    let (mut values, mut names, mut letters) = (0u32, 0u32, 0u32);
    let now = line.clock.now();
    let installed = line.deployments.current();
    for entry in line.store.entries(Position::START) {
        let (_, entry) = entry?;
        let mut sealing = line.vault.sealing(line);
        for sealed in &entry.sealed {
            let clear = line.vault.reveal_bytes(&sealed.token, line)?;
            black_box(sealing.seal_bytes(&sealed.patient, "once more", clear.as_slice()));
            values += 1;
        }
        black_box(sealing.finish()?);
        for record in &entry.records {
            match record {
                Record::Named { names: named, .. } => {
                    for name in named {
                        black_box(line.vault.blind("number", name));
                        names += 1;
                    }
                }
                Record::Queued { letter, .. } => {
                    let LetterBody::Message(message) = &letter.body else { continue };
                    for _ in 0..2 {
                        let passage = Passage {
                            channel: message.channel,
                            consent: Some(true),
                            deceased: false,
                            zone: None,
                            texted: &[],
                            units: measure_sms(&message.text).units,
                            expires: letter.expires,
                        };
                        black_box(gate::admit(&installed.workflow().contact, &passage, now));
                    }
                    letters += 1;
                }
                _ => {}
            }
        }
    }
    Ok(format!("{values} values, {names} names, {letters} letters"))
}

/// Of this process, user and system. See proc_pid_stat(5): fields 14 and 15, in ticks of a hundredth.
fn cpu_seconds() -> anyhow::Result<f64> {
    const TICKS_PER_SECOND: f64 = 100.0;
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    let after_name = stat.rsplit(')').next().context("a name in brackets")?;
    let ticks = after_name.split_whitespace().skip(11).take(2).map(str::parse::<f64>);
    Ok(ticks.sum::<Result<f64, _>>()? / TICKS_PER_SECOND)
}

/// The same order under numbers of its own.
fn order(number: usize) -> Delivery {
    let text = String::from_utf8_lossy(ORDER);
    let text = text.replace("MSG00112", &format!("BENCH{number}")).replace("226839^EPIC", &format!("R{number}^EPIC"));
    Delivery {
        door: Door::Mllp,
        source: "hl7".into(),
        url: String::new(),
        headers: Vec::new(),
        body: text.replace("PATID1234", &format!("PAT{number}")).into_bytes(),
        received_at: SystemClock.now(),
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
