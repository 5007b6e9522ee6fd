//! Does what is asked of an instance, one operation a file, journaled with who asked and why.
//!
//! Read [`operations`] first (what an operation is), then any of them; [`control_socket`] carries them from a command to a
//! running instance. [`views`] says what each role gets to see, [`access_log`] notes each look at a patient, and [`reports`]
//! holds what auditors and patients are given.

#![forbid(unsafe_code)]

pub mod access_log;
pub mod accounts;
pub mod acts;
pub mod backup;
pub mod census;
pub mod chronicle;
pub mod control_socket;
pub mod conversation;
pub mod dead_letters;
pub mod deeds;
pub mod disk;
pub mod drill;
mod error_codes;
pub mod foresight;
pub mod health;
pub mod holds;
pub mod keys;
pub mod metrics;
pub mod note;
pub mod operations;
pub mod pauses;
pub mod plugin_reports;
pub mod quality;
pub mod referral_file;
pub mod referrals;
pub mod replay_decisions;
pub mod reports;
pub mod retention;
pub mod search;
pub mod stalled;
pub mod standing;
pub mod story;
pub mod tasks;
pub mod unmatched;
pub mod views;
pub mod workflow;
pub mod workflow_map;
pub mod worklist;
