//! What was acknowledged and surely means no referral: kept, applied by itself when one comes that it means, or by a person who says
//! which it is.

use std::collections::BTreeSet;

use handoff_engine::error_chain::Chain;
use handoff_engine::ids::{BlindedName, ReferralId};
use handoff_engine::workflow::StageKind;
use handoff_host::contract::interpreter::{Happening, Meaning};
use handoff_host::{self as host, Call};
use handoff_ingress::delivery::Delivery;
use handoff_store::entry::{DeliveryVerdict, Record, Settlement};

use super::Intake;
use super::names::Names;
use super::trigger::{Read, without_credentials};
use crate::error::PipelineError;
use crate::to_wit;
use crate::transaction::Transaction;

/// Who settles what waited by itself.
const BY_ITSELF: &str = "handoff";

/// The referral that an unmatched delivery means has come.
pub(super) fn settled_by_itself(item: String) -> Record {
    let (how, who, why) = (Settlement::Matched, BY_ITSELF, "the referral that it means is here");
    Record::Settled { item, how, who: who.into(), why: why.into() }
}

impl Intake {
    /// Applies what waited for names that this transaction gives. In the same commit: an order whose withdrawal overtook it
    /// writes to nobody. `held` are the referrals that this transaction may change beside those that it begins.
    pub(super) fn take_up_waiting(
        &self,
        transaction: &mut Transaction<'_>,
        held: &BTreeSet<ReferralId>,
    ) -> Result<(), PipelineError> {
        let mut looked_for = BTreeSet::new();
        let mut tried = BTreeSet::new();
        loop {
            let new: Vec<BlindedName> =
                transaction.draft.names().filter(|name| !looked_for.contains(*name)).cloned().collect();
            if new.is_empty() {
                return Ok(());
            }
            let mut waiting = BTreeSet::new();
            for name in &new {
                waiting.extend(
                    self.transactions.store.index().waiting_for(name)?.into_iter().map(|item| (item.at, item.item)),
                );
            }
            looked_for.extend(new);
            for (_, item) in waiting {
                if tried.insert(item.clone()) {
                    self.take_up(transaction, held, &item)?;
                }
            }
        }
    }

    /// Applies one that waited, if all of it now means referrals of this transaction. Else it goes on waiting.
    fn take_up(
        &self,
        transaction: &mut Transaction<'_>,
        held: &BTreeSet<ReferralId>,
        item: &str,
    ) -> Result<(), PipelineError> {
        let Some(delivery) = self.kept_delivery(item)? else { return Ok(()) };
        let read = match self.read(transaction, &delivery, None) {
            Ok(read) => read,
            Err(error) => {
                tracing::warn!(item, error = %Chain(&error), "an unmatched delivery cannot be read any more; it waits for a person");
                return Ok(());
            }
        };
        let names = Names::of(&self.transactions.vault, &read.reading.sender, &delivery.source);
        let Meaning::Events(events) = &read.reading.meaning else { return Ok(()) };
        for event in events {
            let concerned = self.concerned(transaction, &names, event)?;
            let is_ours = |id: &ReferralId| held.contains(id) || transaction.draft.referral(*id).is_some();
            if concerned.is_empty() || !concerned.iter().all(is_ours) {
                return Ok(());
            }
        }
        self.understand(transaction, &names, read)?;
        transaction.draft.record(settled_by_itself(item.into()));
        Ok(())
    }

    /// Applies an unmatched delivery to the referral that a person says it means.
    ///
    /// # Errors
    /// When there is no such item or referral, when the delivery begins a referral of its own, or cannot be read any more. It
    /// stays on the list then.
    pub async fn assign(&self, item: &str, id: ReferralId, who: &str, why: &str) -> Result<(), PipelineError> {
        let not_unmatched = || PipelineError::NotUnmatched { item: item.into() };
        let delivery = self.kept_delivery(item)?.ok_or_else(not_unmatched)?;
        let mut transaction = self.transactions.begin_on(vec![id]).await;
        transaction.current(id)?;
        let read = self.read(&transaction, &delivery, Some(id))?;
        let Meaning::Events(events) = &read.reading.meaning else { return Err(not_unmatched()) };
        if events.iter().any(|event| matches!(event.what, Happening::Ordered(_))) {
            return Err(PipelineError::OrdersItself { item: item.into() });
        }
        let names = Names::of(&self.transactions.vault, &read.reading.sender, &delivery.source);
        // Somebody else may have been at it.
        self.transactions.store.index().unmatched_item(item)?.ok_or_else(not_unmatched)?;
        self.understand(&mut transaction, &names, read)?;
        let how = Settlement::Assigned;
        transaction.draft.record(Record::Settled { item: item.into(), how, who: who.into(), why: why.into() });
        transaction.commit().await
    }

    /// Takes an unmatched delivery off the list for good. The reason is journaled: it must name no patient.
    ///
    /// # Errors
    /// When there is no such item.
    pub async fn dismiss_unmatched(&self, item: &str, who: &str, why: &str) -> Result<(), PipelineError> {
        let mut transaction = self.transactions.begin_on(Vec::new()).await;
        let known = self.transactions.store.index().unmatched_item(item)?;
        known.ok_or_else(|| PipelineError::NotUnmatched { item: item.into() })?;
        let how = Settlement::Dismissed;
        transaction.draft.record(Record::Settled { item: item.into(), how, who: who.into(), why: why.into() });
        transaction.commit().await
    }

    /// The delivery as it came. Nothing when it is not on the list of the unmatched.
    fn kept_delivery(&self, item: &str) -> Result<Option<Delivery>, PipelineError> {
        match self.unmatched_record(item)? {
            Some((at, record)) => self.delivery_of(at, record),
            None => Ok(None),
        }
    }

    /// An unmatched delivery's own record, and when it came.
    pub fn unmatched_record(
        &self,
        item: &str,
    ) -> Result<Option<(chrono::DateTime<chrono::Utc>, Record)>, PipelineError> {
        let Some(unmatched) = self.transactions.store.index().unmatched_item(item)? else { return Ok(None) };
        let Some(entry) = self.transactions.store.read(unmatched.position)? else { return Ok(None) };
        let is_it = |record: &&Record| matches!(record, Record::Delivery { digest, verdict: DeliveryVerdict::Unmatched { .. }, .. } if digest.to_string() == item);
        Ok(entry.records.iter().rev().find(is_it).map(|record| (entry.at, record.clone())))
    }

    /// Asks the trigger once more. The same bytes mean the same, or more where its settings were mended.
    fn read<'d>(
        &self,
        transaction: &Transaction<'_>,
        delivery: &'d Delivery,
        assigned: Option<ReferralId>,
    ) -> Result<Read<'d>, PipelineError> {
        let stage = StageKind::Trigger.key(&delivery.source);
        let settings = transaction.deployment.settings(&stage).unwrap_or_default();
        let wire = to_wit::delivery(delivery);
        let wire = host::contract::interpreter::Delivery { headers: without_credentials(&delivery.headers), ..wire };
        let call = Call::Interpret { delivery: wire, settings };
        let host::Answer::Interpret(reading) = self.transactions.call(&transaction.deployment, &stage, &call)? else {
            return Err(PipelineError::OtherAnswer { stage });
        };
        Ok(Read { assigned, ..self.admitted(stage, delivery, reading) })
    }
}
