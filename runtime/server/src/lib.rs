//! Serves: a running instance, its listeners, signals and background work.
//!
//! Read [`service`] first; [`journal_scrub`] checks every byte of the journal once a day beside it.

#![forbid(unsafe_code)]

pub mod journal_scrub;
pub mod service;
