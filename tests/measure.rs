//! The quality measure CMS50: over bundles as its definition has it, over a journal, and as the command line tells it.

mod command;
mod journal;
mod patient;
mod values;
