//! What comes in becomes events: orders and notices through a [`trigger`], vendors' calls through a [`callback`], and what waited
//! for a person once more ([`redelivery`]). [`matching`] says by its [`names`] which referral is meant, [`events`] tell it, and what
//! means none is [`unmatched`].

pub mod callback;
pub mod counts;
mod events;
mod matching;
pub(crate) mod names;
pub mod redelivery;
mod reply;
pub mod trigger;
mod unheard;
mod unmatched;
pub mod unreadable_budget;

use std::collections::BTreeMap;
use std::sync::Arc;

use handoff_ingress::delivery::{Acknowledgement, Delivery, DeliverySink, Transport};
use handoff_vault::secrets::Secrets;

use self::counts::{SourceCount, SourceCounts};
use self::unreadable_budget::{IntakeLimits, UnreadableBudget};
use crate::transaction::Transactions;
use crate::transaction::locks::Locks;

/// Takes deliveries in.
pub struct Intake {
    transactions: Arc<Transactions>,
    /// With which signatures are checked.
    secrets: Arc<Secrets>,
    /// Held by whoever may create a referral, or answers a delivery.
    names: Locks,
    counts: SourceCounts,
    unreadable: UnreadableBudget,
}

impl Intake {
    pub(crate) fn new(transactions: Arc<Transactions>, secrets: Arc<Secrets>, limits: IntakeLimits) -> Intake {
        let (names, counts, unreadable) = (Locks::default(), SourceCounts::default(), UnreadableBudget::new(limits));
        Intake { transactions, secrets, names, counts, unreadable }
    }

    /// Whether a delivery that cannot be read is kept. `fault` says what is wrong with it.
    fn has_room(&self, delivery: &Delivery, fault: &str) -> bool {
        let (source, bytes) = (&delivery.source, delivery.body.len());
        let has_room = self.unreadable.admits(source, fault, bytes, self.transactions.clock.now());
        if !has_room {
            self.counts.note_turned_away(source);
        }
        has_room
    }

    /// What came in since the start, by source.
    pub fn counts(&self) -> BTreeMap<String, SourceCount> {
        self.counts.all()
    }
}

impl DeliverySink for Intake {
    async fn take(&self, delivery: Delivery) -> Acknowledgement {
        match delivery.transport {
            Transport::Mllp | Transport::Webhook => self.take_order(delivery).await,
            Transport::Callback => self.take_callback(delivery).await,
        }
    }
}
