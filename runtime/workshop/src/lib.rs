//! Where a plugin is made: begun from the contract, built into a component that imports nothing, tried against its own
//! cases and its stage's kit, and signed. Knows no workflow, no house and no patient.

#![forbid(unsafe_code)]

mod begin;
mod cases;
pub mod conform;
mod contract;
mod error;
mod make;
mod pace;
mod project;
pub mod registry;
pub mod signature;

pub use begin::begin;
pub use cases::{Case, CaseVerdict};
pub use error::WorkshopError;
pub use make::build;
pub use pace::{Pace, pace};
pub use project::{PluginLanguage, Project};
