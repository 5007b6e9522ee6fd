//! A year of a group of fifty providers: a hundred thousand referrals through the whole line in virtual time, every plugin,
//! journal entry and signature real, sockets and the disk's patience left out. Aim: at most five minutes.
//!
//! `just year` runs all of it; `just year 5000` a part.

#![expect(clippy::print_stdout, reason = "a bench speaks to whoever started it")]

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use anyhow::Context as _;
use handoff::house::Ground;
use handoff::rehearsal::{self, Rehearsal};
use handoff_host::{Host, Limits};
use handoff_practice::{Ledger, Plan};
use handoff_store::index::MemoryRows;
use handoff_store::journal::SimDisk;
use handoff_store::{Store, StoreOptions};

const REFERRALS: u64 = 100_000;

/// A provider's panel is rehearsed as panels of so many, one after the other on every core: what happens to one patient
/// does not depend on another's.
const PANEL: u64 = 100;

/// Orders come until then; the last of them still have two months to be seen through.
const ORDER_DAYS: u32 = 300;
const DAYS: u32 = 363;

#[derive(Default)]
struct Totals {
    orders: AtomicU64,
    messages: AtomicU64,
    visits: AtomicU64,
    notes: AtomicU64,
    entries: AtomicU64,
    calls: AtomicU64,
    wrong: AtomicU64,
}

fn main() -> anyhow::Result<()> {
    let asked = std::env::args().skip(1).find_map(|argument| argument.parse().ok());
    let panels = asked.unwrap_or(REFERRALS).div_ceil(PANEL);
    let data = tempfile::tempdir()?;
    let host = Arc::new(Host::new(Limits::default(), Some(&data.path().join("compiled")))?);
    let totals = Totals::default();
    let begun = Instant::now();
    // The first alone: it keeps the plugins' components for the others.
    year(0, data.path(), &host, &totals)?;
    let next = AtomicU64::new(1);
    let cores = std::thread::available_parallelism()?.get();
    std::thread::scope(|scope| -> anyhow::Result<()> {
        let worker = || -> anyhow::Result<()> {
            loop {
                let panel = next.fetch_add(1, Ordering::Relaxed);
                if panel >= panels {
                    return Ok(());
                }
                year(panel, data.path(), &host, &totals)?;
            }
        };
        let workers: Vec<_> = (0..cores).map(|_| scope.spawn(worker)).collect();
        workers.into_iter().try_for_each(|worker| worker.join().map_err(|_| anyhow::anyhow!("a year broke off"))?)
    })?;
    let seconds = begun.elapsed().as_secs_f64();
    let total = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
    println!(
        "a year of {} referrals on {cores} cores: {seconds:.0} s ({:.1} ms of a core for each)\n  \
         {} messages, {} visits, {} notes; {} journal entries, {} plugin calls; lost, doubled or unlawful: {}",
        total(&totals.orders),
        seconds * 1000.0 * cores as f64 / total(&totals.orders) as f64,
        total(&totals.messages),
        total(&totals.visits),
        total(&totals.notes),
        total(&totals.entries),
        total(&totals.calls),
        total(&totals.wrong),
    );
    anyhow::ensure!(total(&totals.wrong) == 0, "a promise was broken");
    Ok(())
}

fn year(panel: u64, data: &std::path::Path, host: &Arc<Host>, totals: &Totals) -> anyhow::Result<()> {
    let referrals = usize::try_from(PANEL)?;
    let plan = Plan { order_days: ORDER_DAYS, days: DAYS, ..Plan::new(panel, referrals, rehearsal::start()) };
    let options = StoreOptions::new(data, rehearsal::signing_key(panel));
    let (journal, keys) = (SimDisk::new(panel, None), SimDisk::new(panel, None));
    let (store, _) = Store::inline(Arc::new(journal), Arc::new(MemoryRows::default()), options)?;
    let ground = Ground { host: Arc::clone(host), store, keys: Arc::new(keys) };
    let rehearsal = Rehearsal::indoors(plan, data, ground)?;
    let runtime = tokio::runtime::Builder::new_current_thread().build().context("a runtime")?;
    runtime.block_on(rehearsal.run(|_| {}))?;
    let ledger: Ledger = rehearsal.world().ledger();
    let line = rehearsal.line();
    let count = |counter: &AtomicU64, by: usize| counter.fetch_add(by as u64, Ordering::Relaxed);
    count(&totals.orders, ledger.accepted_orders().count());
    count(&totals.messages, ledger.texts.len() + ledger.mails.len());
    count(&totals.visits, ledger.visits.len());
    count(&totals.notes, ledger.notes.len());
    let wrong = ledger.untouched().len() + ledger.duplicates() + ledger.texts_after_opt_out() + ledger.texts_at_night();
    count(&totals.wrong, wrong);
    totals.entries.fetch_add(line.store.last().0, Ordering::Relaxed);
    totals.calls.fetch_add(line.plugin_calls.load(Ordering::Relaxed), Ordering::Relaxed);
    Ok(())
}
