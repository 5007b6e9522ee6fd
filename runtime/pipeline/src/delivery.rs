//! What goes out: a letter from the outbox to its receipt.
//!
//! [`outbox`] leases it and gives it to a worker, [`first_call`] says which stage speaks, [`conversation`] lets it ask, and
//! [`outcome`] ends the [`attempt`]: with a receipt, another try ([`backoff`]), another vendor ([`failover`]) or a person. What its
//! vendor says of it later is a [`report`].

mod attempt;
pub mod baa_renewal;
pub(crate) mod backoff;
mod conversation;
mod failover;
mod first_call;
pub mod letter_ends;
pub(crate) mod letter_history;
pub(crate) mod outbox;
mod outcome;
pub(crate) mod plugin_breaker;
pub(crate) mod report;
pub mod sender_faults;
pub(crate) mod vendor;

use std::sync::Arc;

use handoff_egress::egress::Egress;

use self::baa_renewal::Renewals;
use self::letter_ends::LetterEnds;
use self::plugin_breaker::PluginBreaker;
use crate::pauses::Pauses;
use crate::transaction::Transactions;

/// Sees letters through.
pub struct LetterDelivery {
    pub(crate) transactions: Arc<Transactions>,
    egress: Arc<Egress>,
    pauses: Arc<Pauses>,
    renewals: Renewals,
    pub(crate) breaker: PluginBreaker,
    pub(crate) ends: LetterEnds,
    /// Where vendors call back; absent when we cannot be reached from outside.
    public_url: Option<String>,
    /// One letter after the other, in due order: a rehearsal must come out the same each time.
    sequential: bool,
}

impl LetterDelivery {
    pub(crate) fn new(
        transactions: Arc<Transactions>,
        egress: Arc<Egress>,
        pauses: Arc<Pauses>,
        public_url: Option<String>,
        sequential: bool,
    ) -> LetterDelivery {
        LetterDelivery {
            transactions,
            egress,
            pauses,
            renewals: Renewals::default(),
            breaker: PluginBreaker::default(),
            ends: LetterEnds::default(),
            public_url,
            sequential,
        }
    }
}
