//! Rehearses: the whole pipeline against a simulated practice. The only crate that knows one.
//!
//! Read [`rehearsal`] first (a month on real sockets), then [`year`] with [`in_process`] (a year without them), [`script`] and
//! [`practice_file`] (what a rehearsal is set up from), [`outcome`], [`summary`], [`comparison`] and [`estimate`] (what came of
//! it, and how sure that is), and [`report`] (how it is told).

#![forbid(unsafe_code)]

pub mod comparison;
mod error_codes;
pub mod estimate;
pub mod in_process;
pub mod outcome;
pub mod practice_file;
pub mod rehearsal;
pub mod report;
pub mod script;
pub mod summary;
pub mod year;
