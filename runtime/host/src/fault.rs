//! What can go wrong, with a name for each case and nothing of what the plugin said: a panic's text could name a patient.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use wasmtime::Trap;

use crate::digest::ComponentDigest;
use crate::exports::NotExported;
use crate::function::{Function, WitWorld};
use crate::limits::Spent;

/// A call that gave no answer. Which plugin, which function, what happened; never the plugin's own words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("plugin {plugin} {kind} in `{function}`: {}", kind.help())]
pub struct Fault {
    pub plugin: ComponentDigest,
    pub function: Function,
    pub kind: FaultKind,
}

/// Why a call gave no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "kebab-case")]
pub enum FaultKind {
    /// It panicked, or did what WebAssembly forbids. So ends endless recursion, too, when a compiler keeps a second stack
    /// in the plugin's memory, as Rust's does.
    #[error("trapped")]
    Trapped,
    #[error("ran out of stack")]
    StackExhausted,
    #[error("ran past its deadline")]
    TimedOut,
    /// `Limits::memory_bytes` or `Limits::table_elements`.
    #[error("ran out of memory")]
    OutOfMemory,
    /// What it returned is not what the contract says: text that is no UTF-8, a pointer to nowhere, a case unknown.
    #[error("returned what the contract does not allow")]
    BadOutput,
    /// `Limits::output_bytes`.
    #[error("returned too much")]
    OutputTooLarge,
    /// Every place was taken for `Limits::wait`. The plugin did not run.
    #[error("found no free place")]
    Busy,
    /// The plugin serves another stage.
    #[error("is not asked")]
    NotExported,
}

impl FaultKind {
    /// What an operator can do about it.
    pub fn help(self) -> &'static str {
        match self {
            FaultKind::Trapped => "repeat the recorded call against the plugin and mend it there",
            FaultKind::StackExhausted => "mend the plugin's recursion, or refuse the input that drives it so deep",
            FaultKind::TimedOut => "repeat the recorded call and mend the plugin, or raise `deadline`",
            FaultKind::OutOfMemory => "repeat the recorded call and mend the plugin, or raise `memory_bytes`",
            FaultKind::BadOutput => "build the plugin with generated bindings for this contract's version",
            FaultKind::OutputTooLarge => "let the plugin return less, or raise `output_bytes`",
            FaultKind::Busy => "raise `concurrent_calls`, or find the plugin that runs long",
            FaultKind::NotExported => "name a plugin for this stage whose world exports the function",
        }
    }

    /// What Wasmtime's error means. Its text is looked at for one case only and never passed on.
    pub(crate) fn of(error: &wasmtime::Error) -> FaultKind {
        if error.is::<Spent>() {
            return FaultKind::OutOfMemory;
        }
        if error.is::<NotExported>() {
            return FaultKind::NotExported;
        }
        match error.downcast_ref::<Trap>() {
            Some(Trap::Interrupt) => FaultKind::TimedOut,
            Some(Trap::StackOverflow) => FaultKind::StackExhausted,
            Some(Trap::AllocationTooLarge) => FaultKind::OutOfMemory,
            Some(
                Trap::InvalidChar
                | Trap::InvalidDiscriminant
                | Trap::StringOutOfBounds
                | Trap::ListOutOfBounds
                | Trap::UnalignedPointer,
            ) => FaultKind::BadOutput,
            // The trap's other cases are all faults of the plugin's own code.
            Some(_) => FaultKind::Trapped,
            None if error.root_cause().to_string().contains(OUTPUT_SPENT) => FaultKind::OutputTooLarge,
            None => FaultKind::BadOutput,
        }
    }
}

/// Wasmtime's type for this error is private; its text is not.
const OUTPUT_SPENT: &str = "fuel allocated for hostcalls has been exhausted";

/// Why a plugin is not taken, or the host does not start.
#[derive(Debug, thiserror::Error)]
pub enum HostError {
    #[error("the sandbox could not be set up; check the limits on address space (`ulimit -v`) and `concurrent_calls`")]
    Setup(#[source] wasmtime::Error),
    #[error("{} is not fit to keep compiled plugins: {why}", path.display())]
    Cache { path: PathBuf, why: &'static str, source: Option<std::io::Error> },
    #[error(
        "plugin {plugin} is not a component of WebAssembly; build it for `wasm32-unknown-unknown` and encode it with \
         `wasm-tools component new`"
    )]
    NotAComponent {
        plugin: ComponentDigest,
        #[source]
        source: wasmtime::Error,
    },
    #[error(
        "plugin {plugin} imports `{import}`; a plugin is a pure function and may import nothing: take what it needs from \
         the arguments, and build it for `wasm32-unknown-unknown`, without WASI"
    )]
    Imports { plugin: ComponentDigest, import: String },
    #[error(
        "plugin {plugin} serves no stage: it exports no interface of `handoff:stage`; build it against one of the worlds \
         in `wit/`"
    )]
    ServesNothing { plugin: ComponentDigest },
    #[error(
        "plugin {plugin} exports `{}` in another shape than the contract's; build it against `wit/` as it is in this \
         release", world.interface()
    )]
    OtherContract {
        plugin: ComponentDigest,
        world: WitWorld,
        #[source]
        source: wasmtime::Error,
    },
    #[error(
        "plugin {plugin} needs more memory, tables or instances from its start than the host's limits allow; build it \
         smaller, or raise `memory_bytes`, `table_elements` or `parts`"
    )]
    DoesNotFit {
        plugin: ComponentDigest,
        #[source]
        source: wasmtime::Error,
    },
    #[error("plugin {plugin} does not start ({kind}); it is started once when it is loaded, and failed; {}", kind.help())]
    DoesNotStart { plugin: ComponentDigest, kind: FaultKind },
}
