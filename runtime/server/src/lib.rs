//! Serves: a running instance, its listeners, signals and background work.
//!
//! Read [`service`] first; [`journal_scrub`] checks every byte of the journal once a day beside it. [`demonstration`] shows pages
//! over a practice that was lived through.

#![forbid(unsafe_code)]

pub mod demonstration;
pub mod journal_scrub;
pub mod service;
