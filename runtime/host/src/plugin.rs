//! A plugin that has been looked at: pinned by its digest, compiled, and found to import nothing and to fit the limits.

use std::fmt;
use std::sync::Arc;

use wasmtime::component::{InstancePre, Linker};
use wasmtime::{Engine, Store};

use crate::cache::{self, Cache};
use crate::call::{Answer, Call};
use crate::digest::ComponentDigest;
use crate::engine;
use crate::exports::Exports;
use crate::fault::{FaultKind, HostError};
use crate::function::WitWorld;
use crate::inspect;
use crate::limits::{Budget, PluginLimits};

/// Ready to be called. Cheap to clone.
#[derive(Clone)]
pub struct Plugin(Arc<Inner>);

struct Inner {
    digest: ComponentDigest,
    worlds: Vec<WitWorld>,
    pre: InstancePre<Budget>,
    exports: Exports,
}

impl Plugin {
    /// SHA-256 of the component.
    pub fn digest(&self) -> ComponentDigest {
        self.0.digest
    }

    /// The stages it serves; one for most plugins, never none.
    pub fn worlds(&self) -> &[WitWorld] {
        &self.0.worlds
    }

    pub(crate) fn load(
        engine: &Engine,
        limits: &PluginLimits,
        cache: Option<&Cache>,
        digest: ComponentDigest,
        bytes: &[u8],
    ) -> Result<Plugin, HostError> {
        let component = cache::component(engine, cache, digest, bytes)?;
        if let Some(import) = inspect::effects(engine, &component).into_iter().next() {
            return Err(HostError::Imports { plugin: digest, import });
        }
        // Invariant: the linker is empty. What is not in it cannot be called.
        let pre = Linker::new(engine)
            .instantiate_pre(&component)
            .map_err(|source| HostError::NotAComponent { plugin: digest, source })?;
        let exports = Exports::of(&pre);
        let worlds = exports.worlds();
        if worlds.is_empty() {
            return Err(HostError::ServesNothing { plugin: digest });
        }
        let plugin = Plugin(Arc::new(Inner { digest, worlds, pre, exports }));
        plugin.rehearse(limits)?;
        Ok(plugin)
    }

    /// Starts it once, so that a plugin which cannot start or has other types is refused now and not at its first patient.
    fn rehearse(&self, limits: &PluginLimits) -> Result<(), HostError> {
        let plugin = self.digest();
        let mut store = self.store(limits);
        let instance = self
            .0
            .pre
            .instantiate(&mut store)
            .map_err(|error| HostError::DoesNotStart { plugin, kind: FaultKind::of(&error) })?;
        for world in self.worlds() {
            self.0.exports.check(*world, &mut store, &instance).map_err(|source| HostError::OtherContract {
                plugin,
                world: *world,
                source,
            })?;
        }
        Ok(())
    }

    /// Performs one call in an instance of its own, which ends with the call: nothing of one patient's call is there for
    /// the next.
    pub(crate) fn perform(&self, limits: &PluginLimits, call: &Call) -> wasmtime::Result<Answer> {
        let mut store = self.store(limits);
        let instance = self.0.pre.instantiate(&mut store)?;
        self.0.exports.perform(&mut store, &instance, call)
    }

    fn store(&self, limits: &PluginLimits) -> Store<Budget> {
        let mut store = Store::new(self.0.pre.engine(), Budget::new(limits));
        store.limiter(|budget| budget);
        store.set_epoch_deadline(engine::ticks(limits.deadline));
        store.set_hostcall_fuel(limits.output_bytes);
        store
    }
}

impl fmt::Debug for Plugin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Plugin({})", self.0.digest)
    }
}
