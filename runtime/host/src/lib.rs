//! Calls plugins: load, pin, limit, call. Knows no workflow, and gives a plugin nothing but the arguments of the call.
//!
//! ```no_run
//! # use handoff_host::{Call, Host, PluginLimits};
//! # fn twice(component: &[u8], call: &Call) -> Result<(), Box<dyn std::error::Error>> {
//! let host = Host::new(PluginLimits::default(), None)?;
//! let plugin = host.load(component)?;
//! let answer = host.call(&plugin, call)?;
//! assert_eq!(answer.digest(), host.call(&plugin, call)?.digest(), "a plugin is a pure function");
//! # Ok(()) }
//! ```

mod cache;
mod call;
pub mod contract;
mod digest;
mod earlier;
mod engine;
mod exports;
mod fault;
mod function;
mod host;
mod inspect;
mod limits;
mod plugin;
mod slots;
mod turn;

pub use call::{Answer, Call, WithoutResponse};
pub use digest::ComponentDigest;
pub use earlier::{AnswersToAll, ChartEntry, TriggerReading};
pub use fault::{Fault, FaultKind, HostError};
pub use function::{ContractVersion, Function, WitWorld};
pub use host::Host;
pub use inspect::Inspection;
pub use limits::PluginLimits;
pub use plugin::Plugin;
pub use turn::{End, StageCaller, Turn, reason};
