//! Damage, named so that a person can find it and know what to do.

use crate::journal::frame::NotAFrame;
use crate::position::Position;

/// The first thing wrong with a journal.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "journal segment {segment}, entry {entry}, offset {offset}: {what}; \
     restore this segment from a backup, or run with a backup of the whole journal"
)]
pub struct Damage {
    pub segment: u64,
    /// The entry that is damaged, or the last one before the damage when a seal is.
    pub entry: Position,
    /// Where in the segment's file the damaged frame begins, in bytes.
    pub offset: u64,
    pub what: DamageKind,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DamageKind {
    #[error("not a frame: {0}")]
    Frame(NotAFrame),
    #[error("a frame of this kind does not belong here, or its fields are not as written")]
    Misplaced,
    #[error("the chain is broken: what stands before this seal is not what was sealed")]
    Chain,
    #[error("the signature does not match")]
    Signature,
    #[error("the entry is not one that this version can read")]
    Entry,
    #[error("unsigned bytes at the end")]
    Unsigned,
    #[error("bytes after the segment's end")]
    Trailing,
    #[error("the segment is missing or ends early")]
    Missing,
    #[error("the segment does not continue the one before it")]
    Link,
    #[error("the journal was never signed by the given public key")]
    ForeignKey,
}
