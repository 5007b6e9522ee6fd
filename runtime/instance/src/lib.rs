//! Opens an instance from its configuration. Everything that can be wrong with a set-up is found here.
//!
//! Read [`config`] first (what a person writes), then [`paths`] and [`signing_key`] (what lies where), [`open`] (how the parts
//! come together), [`source_protection`] (who may speak at which listener), [`telemetry`] (its logs and traces), and [`error_report`] (how an error reads).

#![forbid(unsafe_code)]

pub mod certificates;
pub mod config;
pub mod error_report;
pub mod open;
pub mod paths;
pub mod signing_key;
pub mod source_protection;
pub mod telemetry;
