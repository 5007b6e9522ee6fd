//! One try at a letter: which stage speaks for it, and how far it has come.

use handoff_egress::pacing::Permit;
use handoff_engine::ids::StageKey;
use handoff_store::index::OutboxItem;

use super::LetterDelivery;
use crate::transaction::Transaction;

/// A letter under way.
pub(super) struct DeliveryAttempt<'a> {
    pub delivery: &'a LetterDelivery,
    /// What was said since the last commit. Its deployment is the one whose stage speaks.
    pub transaction: Transaction<'a>,
    pub item: OutboxItem,
    /// Which speaks for it.
    pub stage: StageKey,
    /// Given to a letter that has waited for its endpoint.
    pub permit: Option<Permit>,
    /// The endpoint that it asked last.
    pub asked: Option<String>,
    /// Whether an earlier request may have been acted upon. Until that is settled, every request is a lookup.
    pub in_doubt: bool,
    /// What has been answered already is not sent again, whatever the contact rules say now.
    pub is_answered: bool,
    /// An answer has come in and is not written down yet.
    pub has_unread_answer: bool,
}

/// How far a worker came with a letter.
pub(super) enum AttemptOutcome {
    /// To its receipt, or to the hour at which it is tried again.
    Concluded,
    /// Its endpoint's queue has it.
    Waits,
}
