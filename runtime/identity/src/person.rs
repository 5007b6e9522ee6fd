//! A person whom this instance knows for as long as one request takes, and how what they did is written down.

use handoff_store::{CommitError, Record};

use crate::role::Role;

/// One who was let in, or whom the control socket vouches for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    pub name: String,
    pub role: Role,
    /// By which a physician's own referrals name them.
    pub provider: Option<String>,
}

/// Writes one thing down, durably; given by whoever holds the journal.
pub type Recorder<'a> = &'a dyn Fn(Record) -> Result<(), CommitError>;
