//! A practice's year: panels of patients side by side on every core, each a whole instance on a simulated disk, with plugins,
//! journal entries and signatures as in production; only sockets and the disk's patience are left out.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use anyhow::Context as _;
use handoff_engine::error_code::{ErrorCode, Failure};
use handoff_host::Host;
use handoff_instance::open::Storage;
use handoff_practice::{EhrPlan, PracticePlan, Profile};
use handoff_store::index::MemoryRows;
use handoff_store::journal::SimDisk;
use handoff_store::{Store, StoreOptions};

use crate::rehearsal::{Rehearsal, signing_key, start};
use crate::script::Script;

/// Patients are rehearsed in panels of so many: what happens to one patient does not depend on another's. Each panel costs
/// an instance; a larger one outgrows the processor's caches.
pub const PANEL: u64 = 100;

/// A simulated file that grows is copied: many short segments cost less than one long one.
const SEGMENT_BYTES: u64 = 2 << 20;

/// Seeds of panels are told apart by their lower half.
const PANELS_BITS: u32 = 32;

pub struct Year {
    pub script: Script,
    pub profile: Profile,
    pub seed: u64,
    pub referrals: u64,
    /// Orders come for so many days;
    pub order_days: u32,
    /// what becomes of them is watched for so many, from the first order on.
    pub days: u32,
}

impl Year {
    pub fn panels(&self) -> u64 {
        self.referrals.div_ceil(PANEL)
    }

    /// Lives through it, and reads off each panel when it is over. In the order of the panels; `lived` hears how many have
    /// been lived through.
    ///
    /// # Errors
    /// When an instance cannot be built or its journal fails; the first panel to fail ends the rest, and is named with its seed.
    pub fn live<T: Send>(
        &self,
        host: &Arc<Host>,
        data: &Path,
        read: impl Fn(&Rehearsal) -> anyhow::Result<T> + Sync,
        lived: impl Fn(u64) + Sync,
    ) -> anyhow::Result<Vec<T>> {
        let panels = self.panels();
        if panels == 0 {
            return Ok(Vec::new());
        }
        // One house alone: it keeps the plugins' components for all.
        drop(self.built(0, host, data)?);
        let mut told = Vec::new();
        let (next, done) = (AtomicU64::new(0), AtomicU64::new(0));
        let cores = thread::available_parallelism()?.get();
        let worker = || {
            let mut told = Vec::new();
            loop {
                let panel = next.fetch_add(1, Ordering::Relaxed);
                if panel >= panels {
                    return Ok(told);
                }
                let one = self.panel(panel, host, data, &read);
                if one.is_err() {
                    next.store(panels, Ordering::Relaxed);
                }
                told.push((panel, one?));
                lived(done.fetch_add(1, Ordering::Relaxed) + 1);
            }
        };
        thread::scope(|scope| -> anyhow::Result<()> {
            let workers: Vec<_> = (0..cores).map(|_| scope.spawn(worker)).collect();
            for worker in workers {
                let its: anyhow::Result<Vec<(u64, T)>> = worker.join().map_err(|_| {
                    let text = format!("a panel of seed {} broke off", self.seed);
                    Failure::new(ErrorCode::REHEARSAL_BROKEN, text)
                })?;
                told.extend(its?);
            }
            Ok(())
        })?;
        told.sort_by_key(|(panel, _)| *panel);
        Ok(told.into_iter().map(|(_, one)| one).collect())
    }

    fn panel<T>(
        &self,
        panel: u64,
        host: &Arc<Host>,
        data: &Path,
        read: &impl Fn(&Rehearsal) -> anyhow::Result<T>,
    ) -> anyhow::Result<T> {
        let live = || {
            let rehearsal = self.built(panel, host, data)?;
            // The doors' patience with slow bodies is the machine's own time.
            let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().context("a runtime")?;
            runtime.block_on(rehearsal.run(|_| {}))?;
            read(&rehearsal)
        };
        live().with_context(|| format!("panel {panel} of seed {} could not be rehearsed", self.seed))
    }

    /// A panel's house and the world around it, before the first order.
    fn built(&self, panel: u64, host: &Arc<Host>, data: &Path) -> anyhow::Result<Rehearsal> {
        let plan = self.plan(panel)?;
        let options =
            StoreOptions { segment_max_bytes: SEGMENT_BYTES, ..StoreOptions::new(data, signing_key(plan.seed)) };
        let (journal, keys) = (SimDisk::new(plan.seed, None), SimDisk::new(plan.seed, None));
        let (store, _) = Store::inline(Arc::new(journal), Arc::new(MemoryRows::default()), options)?;
        let ground = Storage { host: Arc::clone(host), store, keys: Arc::new(keys) };
        Rehearsal::of(&self.script, plan, data, ground)
    }

    fn plan(&self, panel: u64) -> anyhow::Result<PracticePlan> {
        // Evenly: the panels that come first have one patient more.
        let (each, more) = (self.referrals / self.panels(), self.referrals % self.panels());
        let size = each + u64::from(panel < more);
        let (order_days, days) = (self.order_days, self.days);
        let ehr = self.profile.ehr;
        // Written of a hundred.
        let withdrawn = (ehr.withdrawn * usize::try_from(size)? + 50) / 100;
        let profile = Profile { ehr: EhrPlan { withdrawn, ..ehr }, ..self.profile.clone() };
        let seed = (self.seed << PANELS_BITS) | panel;
        Ok(PracticePlan { order_days, days, profile, ..PracticePlan::new(seed, usize::try_from(size)?, start()) })
    }
}
