//! What waits for a person is taken up again, once what was wrong with it or with us has been mended, or dismissed.

use chrono::{DateTime, Utc};
use handoff_engine::ids::{LetterId, Token};
use handoff_engine::letter::{Letter, LetterBody, Message};
use handoff_host::contract::types::Attribute;
use handoff_ingress::delivery::{Delivery, SenderProof, Transport};
use handoff_store::entry::{DeliveryVerdict, Record, Settlement};
use handoff_store::index::{DeadItem, WhatDied};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Intake;
use crate::delivery::letter_history::LetterHistory;
use crate::error::PipelineError;
use crate::transaction::Transactions;

/// What became of a dead item that was taken up again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Replayed {
    /// A delivery was read after all.
    Delivery(DeliveryVerdict),
    /// A letter is owed again. `in_doubt` when its vendor is asked first whether it has acted.
    Letter { letter: LetterId, in_doubt: bool },
}

impl Intake {
    /// Takes a dead delivery in again, or owes a dead letter anew: with fresh attempts, every vendor, its doubt kept. The
    /// contact rules are asked before it leaves. `item` is what the dead-letter list names it by.
    ///
    /// # Errors
    /// When there is no such item; when a delivery still cannot be read; when a letter has expired, or its patient's referral
    /// has ended. The list keeps it then.
    pub async fn replay(&self, item: &str, who: &str, why: &str) -> Result<Replayed, PipelineError> {
        let dead = self.waits(item)?;
        let settled =
            Record::Settled { item: item.into(), how: Settlement::Replayed, who: who.into(), why: why.into() };
        match dead.what {
            WhatDied::Delivery { .. } => self.take_in_again(item, settled).await.map(Replayed::Delivery),
            WhatDied::Letter { letter, .. } => self.owe_again(item, letter, settled).await,
        }
    }

    /// Takes an item off the list for good. The reason is journaled: it must name no patient.
    ///
    /// # Errors
    /// When there is no such item.
    pub async fn dismiss(&self, item: &str, who: &str, why: &str) -> Result<(), PipelineError> {
        let referrals = match self.waits(item)?.what {
            WhatDied::Letter { letter, .. } => vec![letter.referral],
            WhatDied::Delivery { .. } => Vec::new(),
        };
        let mut transaction = self.transactions.begin_on(referrals).await;
        // Somebody else may have been at it.
        self.waits(item)?;
        let (item, how) = (item.into(), Settlement::Dismissed);
        transaction.draft.record(Record::Settled { item, how, who: who.into(), why: why.into() });
        transaction.commit().await
    }

    fn waits(&self, item: &str) -> Result<DeadItem, PipelineError> {
        self.transactions.store.index().dead_letter(item)?.ok_or_else(|| PipelineError::NotDead { item: item.into() })
    }

    async fn take_in_again(&self, item: &str, settled: Record) -> Result<DeliveryVerdict, PipelineError> {
        let not_dead = || PipelineError::NotDead { item: item.into() };
        let (at, record) = self.dead(item)?.ok_or_else(not_dead)?;
        let delivery = self.delivery_of(at, record)?.ok_or_else(not_dead)?;
        let understood = match delivery.transport {
            Transport::Mllp | Transport::Webhook => self.trigger(&delivery).await?,
            Transport::Callback => self.callback(&delivery).await?,
        };
        match understood.verdict {
            Some(DeliveryVerdict::Dead { location, message, help }) => {
                Err(PipelineError::StillDead { item: item.into(), location, message, help })
            }
            Some(verdict) => {
                let mut transaction = self.transactions.begin_in_force();
                transaction.draft.record(settled);
                transaction.commit().await?;
                Ok(verdict)
            }
            None => Err(not_dead()),
        }
    }

    /// What a record kept of a delivery, to be taken in once more. Nothing when its bytes were not kept.
    pub(super) fn delivery_of(&self, at: DateTime<Utc>, record: Record) -> Result<Option<Delivery>, PipelineError> {
        let Record::Delivery { source, bytes: Some(token), envelope, .. } = record else { return Ok(None) };
        let transport = match envelope["door"].as_str() {
            Some("webhook") => Transport::Webhook,
            Some("callback") => Transport::Callback,
            Some(_) | None => Transport::Mllp,
        };
        let body = self.transactions.vault.reveal_bytes(&token, &self.transactions.store)?.as_slice().to_vec();
        let headers = self.kept_headers(&envelope)?;
        let (url, sender, too_long) = (String::new(), SenderProof::Earlier, envelope["too_long"].as_u64());
        Ok(Some(Delivery { transport, source, url, headers, body, too_long, received_at: at, sender }))
    }

    fn kept_headers(&self, envelope: &Value) -> Result<Vec<Attribute>, PipelineError> {
        match envelope["headers"].as_str() {
            Some(token) => {
                let Transactions { vault, store, .. } = &*self.transactions;
                let sealed = vault.reveal_bytes(&Token(token.into()), store)?;
                Ok(serde_json::from_slice(sealed.as_slice())?)
            }
            // HL7 over MLLP has none.
            None => Ok(Vec::new()),
        }
    }

    /// The delivery's own record, as it was when it died.
    pub fn dead(&self, item: &str) -> Result<Option<(DateTime<Utc>, Record)>, PipelineError> {
        let Some(dead) = self.transactions.store.index().dead_letter(item)? else { return Ok(None) };
        let Some(entry) = self.transactions.store.read(dead.position)? else { return Ok(None) };
        let record = entry
            .records
            .iter()
            .find(|record| matches!(record, Record::Delivery { digest, .. } if digest.to_string() == item));
        Ok(record.map(|record| (entry.at, record.clone())))
    }

    async fn owe_again(&self, item: &str, id: LetterId, settled: Record) -> Result<Replayed, PipelineError> {
        let mut transaction = self.transactions.begin_on(vec![id.referral]).await;
        self.waits(item)?;
        let referral = transaction.current(id.referral)?;
        let Some(LetterHistory { letter, doubt, .. }) = self.transactions.letter_history(id)? else {
            return Err(PipelineError::NotDead { item: item.into() });
        };
        if letter.expires.is_some_and(|expires| expires < transaction.now()) {
            return Err(PipelineError::Expired { item: item.into() });
        }
        let body = match letter.body {
            // A patient whose referral is over would not know what it is about.
            LetterBody::Message(_) if self.transactions.deployments.ended(&referral) => {
                return Err(PipelineError::Ended { item: item.into(), state: referral.state.clone() });
            }
            LetterBody::Message(message) => LetterBody::Message(Message { vendors_tried: Vec::new(), ..message }),
            body @ (LetterBody::ReadRecord
            | LetterBody::CheckVisit
            | LetterBody::WriteChart { .. }
            | LetterBody::Task(_)) => body,
        };
        let due = transaction.now();
        transaction.draft.record(Record::Queued { letter: Letter { body, due, ..letter }, doubt });
        transaction.draft.record(settled);
        transaction.commit().await?;
        Ok(Replayed::Letter { letter: id, in_doubt: doubt.is_some() })
    }
}
