//! What one call may use, and why no more.

use std::time::Duration;

use wasmtime::{Error, ResourceLimiter};

/// All memories of a call together, beside [`MEMORY_PER_INPUT_BYTE`]: room for a plugin that brings a language engine along.
const MEMORY_BYTES: usize = 128 << 20;

/// What a call may have more for each byte of the delivery that it reads: there as it came, in the characters that it is read in,
/// as the document that was in it, and as the answer that carries it; some parsers keep a copy each time they look.
const MEMORY_PER_INPUT_BYTE: usize = 12;

/// The longest delivery that memory is reserved for.
const INPUT_BYTES_MAX: usize = 80 << 20;

/// A long delivery has more time, by this many bytes a second.
const INPUT_BYTES_PER_SECOND: usize = 8 << 20;

/// All tables of a call together. A table holds a plugin's indirect functions: hundreds in a parser, some ten thousand
/// in a language engine.
const TABLE_ELEMENTS: usize = 64 << 10;

/// Core instances and tables in one component. One of each in a compiled plugin; a composed one has a handful of small
/// adapters beside it.
const PARTS: u32 = 64;

/// Memories in one component. One in a compiled plugin; each more reserves 4 GiB of addresses for each call at once.
const MEMORIES: u32 = 4;

/// From the start of the call to its answer. A parser takes milliseconds; athenahealth gives up on a notice that is not
/// acknowledged within 5 s, and that includes the wait for a free place and the commit.
const DEADLINE: Duration = Duration::from_secs(2);

/// For a free place. With `DEADLINE` it stays below the 5 s above.
const WAIT: Duration = Duration::from_secs(2);

/// What an answer may be copied out to, beside twice the delivery that it was made from. Without this limit a list whose
/// million elements all point at the same text would be copied a million times.
const OUTPUT_BYTES: usize = 32 << 20;

/// Calls are pure computation: beyond a few for each core, more at once only wait for one another. Bounds the memory of
/// all calls together to 2 GiB, long deliveries aside, of which the listeners let few in at once.
const CONCURRENT_CALLS: u32 = 16;

/// A plugin's stack. Holds a recursive-descent parser some thousand levels deep, and fits the stack of any thread that
/// the host is called from.
pub(crate) const STACK_BYTES: usize = 512 << 10;

/// What one call may use, and how many there may be at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PluginLimits {
    /// Linear memory of one call, all its memories together, in bytes; for one that reads a long delivery, more.
    pub memory_bytes: usize,
    /// Elements in all tables of one call together.
    pub table_elements: usize,
    /// Core instances in one component, and tables.
    pub parts: u32,
    /// Memories in one component.
    pub memories: u32,
    /// From the start of a call to its answer, rounded up to the next 10 ms.
    pub deadline: Duration,
    /// How long a call waits for a free place before it fails as busy.
    pub wait: Duration,
    /// What one answer may be copied out to, in bytes.
    pub output_bytes: usize,
    /// Calls at once. Another one waits.
    pub concurrent_calls: u32,
}

impl Default for PluginLimits {
    fn default() -> PluginLimits {
        PluginLimits {
            memory_bytes: MEMORY_BYTES,
            table_elements: TABLE_ELEMENTS,
            parts: PARTS,
            memories: MEMORIES,
            deadline: DEADLINE,
            wait: WAIT,
            output_bytes: OUTPUT_BYTES,
            concurrent_calls: CONCURRENT_CALLS,
        }
    }
}

impl PluginLimits {
    /// What a call may use that reads a delivery of so many bytes.
    pub(crate) fn with_input(&self, bytes: usize) -> PluginLimits {
        let seconds = bytes as f64 / INPUT_BYTES_PER_SECOND as f64;
        PluginLimits {
            memory_bytes: self.memory_bytes + bytes.min(INPUT_BYTES_MAX) * MEMORY_PER_INPUT_BYTE,
            output_bytes: self.output_bytes + 2 * bytes,
            deadline: self.deadline + Duration::from_secs_f64(seconds),
            ..self.clone()
        }
    }

    /// What the largest call may have of memory.
    pub(crate) fn memory_bytes_max(&self) -> usize {
        self.with_input(INPUT_BYTES_MAX).memory_bytes
    }
}

/// What is left to one call. Wasmtime counts each memory by itself; here they are counted together.
#[derive(Debug)]
pub(crate) struct Budget {
    memory_bytes: usize,
    table_elements: usize,
    parts: usize,
    memories: usize,
}

/// More memory, table or parts than the call is allowed. Ends the call: an answer must not depend on where the limit
/// lies, and so a plugin is not given the chance to go on with less.
#[derive(Debug, thiserror::Error)]
#[error("the call's memory budget is spent")]
pub(crate) struct Spent;

impl Budget {
    pub fn new(limits: &PluginLimits) -> Budget {
        Budget {
            memory_bytes: limits.memory_bytes,
            table_elements: limits.table_elements,
            parts: limits.parts as usize,
            memories: limits.memories as usize,
        }
    }
}

/// Takes the growth from what is left. A plugin's own maximum is its own affair: it hears no, as the specification has it.
fn grow(left: &mut usize, current: usize, desired: usize, maximum: Option<usize>) -> wasmtime::Result<bool> {
    let rest = left.checked_sub(desired.saturating_sub(current)).ok_or_else(|| Error::new(Spent))?;
    let allowed = maximum.is_none_or(|maximum| desired <= maximum);
    if allowed {
        *left = rest;
    }
    Ok(allowed)
}

impl ResourceLimiter for Budget {
    fn memory_growing(&mut self, current: usize, desired: usize, maximum: Option<usize>) -> wasmtime::Result<bool> {
        grow(&mut self.memory_bytes, current, desired, maximum)
    }

    /// The machine is out of memory: not the plugin's doing, but no reason to let it answer otherwise than elsewhere.
    fn memory_grow_failed(&mut self, _: Error) -> wasmtime::Result<()> {
        Err(Error::new(Spent))
    }

    fn table_growing(&mut self, current: usize, desired: usize, maximum: Option<usize>) -> wasmtime::Result<bool> {
        grow(&mut self.table_elements, current, desired, maximum)
    }

    fn table_grow_failed(&mut self, _: Error) -> wasmtime::Result<()> {
        Err(Error::new(Spent))
    }

    fn instances(&self) -> usize {
        self.parts
    }

    fn tables(&self) -> usize {
        self.parts
    }

    fn memories(&self) -> usize {
        self.memories
    }
}
