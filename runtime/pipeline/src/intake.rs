//! What comes in becomes events: orders and notices through a [`trigger`], vendors' calls through a [`callback`], and what waited
//! for a person once more ([`redelivery`]). [`matching`] says which referral is meant.

pub mod callback;
pub mod counts;
mod matching;
pub mod redelivery;
mod reply;
pub mod trigger;

use std::collections::BTreeMap;
use std::sync::Arc;

use handoff_ingress::delivery::{Acknowledgement, Delivery, DeliverySink, Transport};
use handoff_vault::secrets::Secrets;

use self::counts::{SourceCount, SourceCounts};
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
}

impl Intake {
    pub(crate) fn new(transactions: Arc<Transactions>, secrets: Arc<Secrets>) -> Intake {
        Intake { transactions, secrets, names: Locks::default(), counts: SourceCounts::default() }
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
