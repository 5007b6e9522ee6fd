//! Remembers: the journal is the truth, the index follows it.
//!
//! Read in this order: [`entry`] is what is remembered, [`journal`] keeps it for good, [`index`] finds it again, [`store`]
//! joins the two and is what the line talks to; [`durable_file`] writes what lies
//! beside them. The journal's form on disk is in `FORMAT.md`.

#![forbid(unsafe_code)]

mod base64_bytes;
pub mod durable_file;
pub mod entry;
mod error_codes;
pub mod index;
pub mod journal;
mod json;
pub mod position;
pub mod store;
pub mod view;

#[cfg(test)]
mod tests;

pub use entry::{
    AccountChange, Canary, DeliveryVerdict, Entry, InstanceKey, Origin, PauseCause, PauseScope, Record, Sealed,
    Settlement, SignInFault,
};
pub use index::Index;
pub use json::Json;
pub use position::Position;
pub use store::{CommitError, Recovery, Reindexed, Store, StoreError, StoreOptions, Ticket};
pub use view::{View, ViewError};
