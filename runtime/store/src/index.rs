//! Finds again what the journal remembers: a function of its records and of nothing else.
//!
//! Architecture Invariant: the index holds where things are, never the things. Every row names a position; referrals,
//! letters and sealed data are read from the journal. So it stays small, holds no patient data, and can be thrown away.

mod agenda;
mod answer;
mod forget;
mod history;
mod keyed;
pub(crate) mod keys;
mod kind;
mod listing;
mod live;
mod memory;
mod project;
mod query;
mod recent;
mod row;
mod rows;
mod search;
mod sled;

use std::sync::Arc;

use chrono::{DateTime, Utc};
use handoff_engine::ids::{BlindedName, LetterId, PatientId, ReferralId, Token, VendorMessageId};
use handoff_engine::referral::Referral;

pub use self::agenda::DueTimer;
pub use self::answer::{
    ConsentOnFile, DeadCount, DeadItem, Delivered, Deployed, Doubt, Hold, InFlight, Listed, OpenTask, OutboxItem,
    Pause, ReferralFilter, Reported, TaskFilter, UnmatchedItem, WhatDied,
};
pub use self::keyed::{KeyedIndex, Unusable};
pub use self::kind::{Kind, Kinds};
pub use self::live::{Base, LiveRows, Written};
pub use self::memory::{MemoryIndex, MemoryRows};
pub use self::project::touched_by;
pub(crate) use self::rows::RowKey;
pub use self::rows::{RowVisitor, Rows, in_safe_order};
pub use self::search::Search;
pub use self::sled::{SledRows, SledTrouble};

use crate::entry::Sealed;
use crate::journal::Numbered;
use crate::position::Position;

/// ActAnswers asked for at once are cut to this many: a page for a person, a meal for a worker. Ask again after the last.
pub const PAGE_MAX: usize = 10_000;

/// Finds things by name, by state and by due time.
///
/// Applying entries out of order, or twice, is refused without harm: an index that is ahead skips what it has seen.
pub trait Index: Send + Sync {
    /// Takes entries in, in journal order. Entries at or before [`Index::applied_through`] are skipped.
    fn apply(&self, batch: &[Numbered]) -> Result<(), IndexError>;

    /// The last entry that this index knows of.
    fn applied_through(&self) -> Position;

    fn referral(&self, id: &ReferralId) -> Result<Option<Arc<Referral>>, IndexError>;

    /// In order of id, that is of birth; at most `limit` and at most [`PAGE_MAX`].
    fn referrals(
        &self,
        filter: &ReferralFilter,
        after: Option<ReferralId>,
        limit: usize,
    ) -> Result<Vec<Listed>, IndexError>;

    /// How many referrals in flight stand in which state of which deployment.
    fn in_flight(&self) -> Vec<InFlight>;

    /// Referrals that were given this (blinded) name.
    fn find(&self, name: &BlindedName) -> Result<Vec<ReferralId>, IndexError>;

    /// The delivery that was answered under this key: the first, unless that one was dead and came again alive.
    fn delivery(&self, dedupe_key: &BlindedName) -> Result<Option<Delivered>, IndexError>;

    fn sealed(&self, token: &Token) -> Result<Option<Sealed>, IndexError>;

    fn key_slot(&self, patient: &PatientId) -> Result<Option<u64>, IndexError>;

    /// One more than the highest slot that a patient's key has taken. Reads every such row: for the start only.
    fn key_slots_taken(&self) -> Result<u64, IndexError>;

    /// What is on file for this (blinded) address, one for each channel.
    fn consent(&self, address: &BlindedName) -> Result<Vec<ConsentOnFile>, IndexError>;

    /// Oldest first; the last is in effect for new referrals.
    fn deployments(&self) -> Result<Vec<Deployed>, IndexError>;

    /// Earliest first.
    fn timers_due(&self, now: DateTime<Utc>, limit: usize) -> Vec<DueTimer>;

    fn next_timer(&self) -> Option<DateTime<Utc>>;

    fn outbox(&self, letter: &LetterId) -> Result<Option<OutboxItem>, IndexError>;

    /// Earliest first.
    fn letters_due(&self, now: DateTime<Utc>, limit: usize) -> Result<Vec<OutboxItem>, IndexError>;

    /// As [`Index::letters_due`], names only: no journal is read.
    fn letter_ids_due(&self, now: DateTime<Utc>, limit: usize) -> Vec<LetterId>;

    /// As [`Index::letter_ids_due`], and hands them out: nobody else is given one of them until it is given back or falls due
    /// at another moment. In memory: after a crash nobody holds a letter.
    fn take_letters_due(&self, now: DateTime<Utc>, limit: usize) -> Vec<LetterId>;

    /// A letter handed out is due again, unless it has left the outbox.
    fn give_letter_back(&self, letter: &LetterId) -> Result<(), IndexError>;

    /// Of those not handed out.
    fn next_letter(&self) -> Option<DateTime<Utc>>;

    /// Letters of one referral that have not left the outbox.
    fn letters_of(&self, referral: &ReferralId) -> Result<Vec<OutboxItem>, IndexError>;

    fn letter_by_vendor_id(&self, vendor_id: &VendorMessageId) -> Result<Option<LetterId>, IndexError>;

    /// What a vendor told of a message whose request it had not answered yet; the last word, until the answer is in.
    fn reported(&self, vendor_id: &VendorMessageId) -> Result<Option<Reported>, IndexError>;

    /// Letters and deliveries that wait for a person, oldest first, of later entries than `after`; some `limit` of them, and some
    /// [`PAGE_MAX`] at most. What stands in one entry is not parted: whoever goes on after the last one's position misses none.
    fn dead_letters(&self, after: Position, limit: usize) -> Result<Vec<DeadItem>, IndexError>;

    /// How many wait, however many they are. No journal is read.
    fn dead_count(&self) -> Result<DeadCount, IndexError>;

    /// The letter or delivery that waits under this name.
    fn dead_letter(&self, item: &str) -> Result<Option<DeadItem>, IndexError>;

    /// Open tasks in order of due date, after the one whose due date and name are given; at most `limit` and at most
    /// [`PAGE_MAX`]. No journal is read, and what has ended costs nothing.
    fn tasks(&self, filter: &TaskFilter, after: Option<(DateTime<Utc>, LetterId)>, limit: usize) -> Vec<OpenTask>;
    /// Deliveries that mean no referral, oldest first, from after `after`: at most `limit`, but for more that came in one entry.
    fn unmatched(&self, after: Position, limit: usize) -> Result<Vec<UnmatchedItem>, IndexError>;

    fn unmatched_item(&self, item: &str) -> Result<Option<UnmatchedItem>, IndexError>;

    /// Those of them that wait for a referral of this name.
    fn waiting_for(&self, name: &BlindedName) -> Result<Vec<UnmatchedItem>, IndexError>;

    /// Referrals under legal hold, in order of id.
    fn holds(&self) -> Result<Vec<Hold>, IndexError>;

    /// What holds letters back, and why.
    fn pauses(&self) -> Result<Vec<Pause>, IndexError>;

    /// Every entry that touched the referral, oldest first.
    fn history(&self, referral: &ReferralId) -> Result<Vec<Position>, IndexError>;

    /// Entries that match all of what is asked, oldest first.
    fn search(&self, search: &Search) -> Result<Vec<Position>, IndexError>;
}

#[derive(Debug, thiserror::Error)]
pub enum IndexError {
    #[error(
        "the index row under {prefix:?} cannot be read; remove the index folder and it is rebuilt from the journal"
    )]
    Row { prefix: char },
    #[error("the index cannot be read or written; remove the index folder and it is rebuilt from the journal")]
    Sled(#[source] ::sled::Error),
    #[error("the index has failed; start again, and it is rebuilt from the journal")]
    Failed,
    #[error("the index points at entry {0}, and the journal could not give it")]
    Journal(Position, #[source] crate::journal::ReadError),
    #[error("the index says that entry {at} holds {what}, and it does not; remove the index folder and it is rebuilt")]
    Astray { at: Position, what: &'static str },
}
