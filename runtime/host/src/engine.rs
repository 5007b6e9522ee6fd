//! The one place that configures Wasmtime. A second configuration would silently compile every plugin again.

use std::time::Duration;

use wasmtime::{Config, Enabled, Engine, InstanceAllocationStrategy, PoolingAllocationConfig};

use crate::limits::{PluginLimits, STACK_BYTES};

/// A deadline is counted in ticks: short beside any deadline, and too long to be seen in a profile.
const TICK: Duration = Duration::from_millis(10);

/// What a used memory keeps for the next call, in bytes; zeroed, where the rest is given back to the kernel. As much as
/// a parser touches, so that most calls fault no page in.
const WARM_MEMORY_BYTES: usize = 1 << 20;

/// The same for a table.
const WARM_TABLE_BYTES: usize = 16 << 10;

/// An engine whose calls are repeatable to the bit and stoppable at any time.
pub(crate) fn new(limits: &PluginLimits) -> wasmtime::Result<Engine> {
    let mut config = Config::new();
    config
        .allocation_strategy(InstanceAllocationStrategy::Pooling(pool(limits)))
        .epoch_interruption(true)
        .max_wasm_stack(STACK_BYTES)
        // A plugin is called from one thread and answers before the next call: nothing of the asynchronous contract is
        // needed, and its bookkeeping is a third of a short call.
        .concurrency_support(false)
        // Which bits a NaN has, and how a relaxed operation rounds, is the processor's choice, unless it is taken away.
        .cranelift_nan_canonicalization(true)
        .wasm_relaxed_simd(false)
        .wasm_memory64(false)
        // Frames and messages of a plugin go nowhere: they could hold patient data.
        .wasm_backtrace_max_frames(None)
        .generate_address_map(false);
    let engine = Engine::new(&config)?;
    tick(&engine)?;
    Ok(engine)
}

fn pool(limits: &PluginLimits) -> PoolingAllocationConfig {
    let calls = limits.concurrent_calls;
    let parts = calls.saturating_mul(limits.parts);
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(calls)
        .total_core_instances(parts)
        .total_memories(calls.saturating_mul(limits.memories))
        .total_tables(parts)
        .max_core_instances_per_component(limits.parts)
        .max_memories_per_component(limits.memories)
        .max_tables_per_component(limits.parts)
        .max_memories_per_module(limits.memories)
        .max_tables_per_module(limits.parts)
        .max_memory_size(limits.memory_bytes_max())
        .table_elements(limits.table_elements)
        .linear_memory_keep_resident(WARM_MEMORY_BYTES)
        .table_keep_resident(WARM_TABLE_BYTES)
        .pagemap_scan(Enabled::Auto);
    pool
}

/// How many ticks make up `deadline`: at least as long, at most one tick longer.
pub(crate) fn ticks(deadline: Duration) -> u64 {
    let ticks = deadline.as_nanos().div_ceil(TICK.as_nanos());
    u64::try_from(ticks).unwrap_or(u64::MAX - 1) + 1
}

/// One thread moves the clock of all calls; it ends with the engine.
fn tick(engine: &Engine) -> wasmtime::Result<()> {
    let engine = engine.weak();
    std::thread::Builder::new().name("plugin-deadlines".to_owned()).spawn(move || {
        while let Some(engine) = engine.upgrade() {
            engine.increment_epoch();
            drop(engine);
            std::thread::sleep(TICK);
        }
    })?;
    Ok(())
}
