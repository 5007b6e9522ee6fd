//! The host: loads plugins and calls them, one fresh instance per call, no more at once than there are places.

use std::collections::HashMap;
use std::path::Path;

use parking_lot::Mutex;
use wasmtime::Engine;

use crate::cache::Cache;
use crate::call::{Answer, Call};
use crate::digest::ComponentDigest;
use crate::engine;
use crate::fault::{Fault, FaultKind, HostError};
use crate::inspect::{self, Inspection};
use crate::limits::PluginLimits;
use crate::plugin::Plugin;
use crate::slots::Slots;

/// Calls plugins. Share one: it owns the memory that all calls live in.
pub struct Host {
    engine: Engine,
    limits: PluginLimits,
    cache: Option<Cache>,
    slots: Slots,
    /// A component is made ready once, however many workflows and houses name it.
    loaded: Mutex<HashMap<ComponentDigest, Plugin>>,
}

impl Host {
    /// `cache` is a private directory for compiled plugins, made if need be. Without one each plugin is compiled anew:
    /// some tenths of a second for a parser.
    pub fn new(limits: PluginLimits, cache: Option<&Path>) -> Result<Host, HostError> {
        let engine = engine::new(&limits).map_err(HostError::Setup)?;
        let cache = cache.map(|path| Cache::open(path, &engine)).transpose()?;
        let slots = Slots::new(limits.concurrent_calls);
        Ok(Host { engine, limits, cache, slots, loaded: Mutex::default() })
    }

    /// Compiles a component and checks that it is a plugin: it imports nothing, serves a stage in this contract's types,
    /// and starts within the limits; once, since the same bytes are the same plugin. Waits for a place like a call.
    pub fn load(&self, component: &[u8]) -> Result<Plugin, HostError> {
        let digest = ComponentDigest::of(component);
        let loaded = || self.loaded.lock();
        if let Some(plugin) = loaded().get(&digest) {
            return Ok(plugin.clone());
        }
        let _slot = self.slots.take(self.limits.wait);
        let plugin = Plugin::load(&self.engine, &self.limits, self.cache.as_ref(), digest, component)?;
        loaded().insert(digest, plugin.clone());
        Ok(plugin)
    }

    /// What a component is, whether or not it is fit to be a plugin.
    pub fn inspect(&self, component: &[u8]) -> Result<Inspection, HostError> {
        inspect::inspect(&self.engine, self.cache.as_ref(), component)
    }

    /// What one call may use.
    pub fn limits(&self) -> &PluginLimits {
        &self.limits
    }

    /// Calls a plugin on the caller's thread and waits for the answer: at most `Limits::wait` for a place, and
    /// `Limits::deadline` for the plugin, longer where it reads a long delivery. The same call of the same plugin gives the same answer, always.
    pub fn call(&self, plugin: &Plugin, call: &Call) -> Result<Answer, Fault> {
        let fault = |kind| Fault { plugin: plugin.digest(), function: call.function(), kind };
        let _slot = self.slots.take(self.limits.wait).ok_or_else(|| fault(FaultKind::Busy))?;
        plugin.perform(&self.limits.with_input(call.input_bytes()), call).map_err(|error| fault(FaultKind::of(&error)))
    }
}
