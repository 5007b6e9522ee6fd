//! A year of a group of fifty providers: a hundred thousand referrals through the whole line in virtual time, every plugin,
//! journal entry and signature real, sockets and the disk's patience left out. Aim: at most five minutes.
//!
//! `just year` runs all of it; `just year 5000` a part.

#![expect(clippy::print_stdout, reason = "a bench speaks to whoever started it")]

use std::sync::Arc;
use std::time::Instant;

use handoff_host::{Host, PluginLimits};
use handoff_practice::Profile;
use handoff_rehearsal::rehearsal::Rehearsal;
use handoff_rehearsal::script::Script;
use handoff_rehearsal::year::{PANEL, Year};

/// As in the daemon.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const REFERRALS: u64 = 100_000;

/// Orders come until then; the last of them still have two months to be seen through.
const ORDER_DAYS: u32 = 300;
const DAYS: u32 = 363;

#[derive(Default)]
struct Totals {
    orders: usize,
    messages: usize,
    visits: usize,
    notes: usize,
    entries: u64,
    calls: u64,
    wrong: usize,
}

fn main() -> anyhow::Result<()> {
    let asked = std::env::args().skip(1).find_map(|argument| argument.parse().ok());
    let referrals = asked.unwrap_or(REFERRALS).next_multiple_of(PANEL);
    let data = tempfile::tempdir()?;
    let host = Arc::new(Host::new(PluginLimits::default(), Some(&data.path().join("compiled")))?);
    let profile = Profile::default();
    let script = Script::shipped(&profile);
    let year = Year { script, profile, seed: 0, referrals, order_days: ORDER_DAYS, days: DAYS };
    let begun = Instant::now();
    let panels = year.live(&host, data.path(), |rehearsal| Ok(Totals::of(rehearsal)), |_| {})?;
    let seconds = begun.elapsed().as_secs_f64();
    let cores = std::thread::available_parallelism()?.get();
    let Totals { orders, messages, visits, notes, entries, calls, wrong } =
        panels.into_iter().fold(Totals::default(), Totals::and);
    println!(
        "a year of {orders} referrals on {cores} cores: {seconds:.0} s ({:.1} ms of a core for each)\n  \
         {messages} messages, {visits} visits, {notes} notes; {entries} journal entries, {calls} plugin calls; \
         lost, doubled or unlawful: {wrong}",
        seconds * 1000.0 * cores as f64 / orders as f64,
    );
    anyhow::ensure!(wrong == 0, "a promise was broken");
    Ok(())
}

impl Totals {
    fn of(rehearsal: &Rehearsal) -> Totals {
        let pipeline = rehearsal.pipeline();
        rehearsal.world().read_ledger(|ledger| Totals {
            orders: ledger.accepted_orders().count(),
            messages: ledger.texts.len() + ledger.mails.len(),
            visits: ledger.visits.len(),
            notes: ledger.notes.len(),
            entries: pipeline.store.last().0,
            calls: pipeline.plugin_calls(),
            wrong: ledger.untouched().len()
                + ledger.duplicates()
                + ledger.texts_after_opt_out()
                + ledger.texts_at_night(),
        })
    }

    fn and(self, other: Totals) -> Totals {
        Totals {
            orders: self.orders + other.orders,
            messages: self.messages + other.messages,
            visits: self.visits + other.visits,
            notes: self.notes + other.notes,
            entries: self.entries + other.entries,
            calls: self.calls + other.calls,
            wrong: self.wrong + other.wrong,
        }
    }
}
