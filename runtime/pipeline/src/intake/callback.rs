//! A vendor's call -> events: a patient's reply, or what became of a letter.

use std::sync::Arc;

use handoff_engine::error_chain::Chain;
use handoff_engine::event::Event;
use handoff_engine::ids::{BlindedName, Digest, LetterId, ReferralId, StageKey, Token};
use handoff_engine::referral::Referral;
use handoff_engine::workflow::StageKind;
use handoff_host::contract::carrier::{Callback, Inbound, InboundEvent, InboundReply, InboundStatus};
use handoff_host::{self as host, Call, reason};
use handoff_ingress::callback_fields::Fields;
use handoff_ingress::delivery::{Acknowledgement, Delivery, SenderProof};
use handoff_ingress::signature::{self, Signed, Vouched};
use handoff_store::Json;
use handoff_store::entry::{DeliveryVerdict, Record};
use serde_json::json;

use super::Intake;
use crate::delivery::vendor::vendor_name;
use crate::deployments::Installed;
use crate::error::PipelineError;
use crate::from_wit;
use crate::transaction::Transaction;

/// What a callback tells, and whom of.
enum News {
    /// From an address that these referrals have.
    Reply(Vec<ReferralId>, InboundReply),
    Status(Option<LetterId>, InboundStatus),
}

impl News {
    fn referrals(&self) -> Vec<ReferralId> {
        match self {
            News::Reply(known, _) => known.clone(),
            News::Status(letter, _) => letter.iter().map(|letter| letter.referral).collect(),
        }
    }
}

impl Intake {
    /// Takes a vendor's callback in. When it is answered, what it means is durable.
    pub async fn take_callback(&self, delivery: Delivery) -> Acknowledgement {
        match self.callback(&delivery).await {
            Ok(answer) => answer,
            Err(error) => {
                tracing::error!(vendor = %delivery.source, error = %Chain(&error), "a callback was not taken");
                Acknowledgement::unavailable()
            }
        }
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "any other answer is to another question")]
    #[tracing::instrument(name = "callback", level = "debug", skip_all, fields(stage))]
    async fn callback(&self, delivery: &Delivery) -> Result<Acknowledgement, PipelineError> {
        let stage = StageKind::Outreach.key(&delivery.source);
        let callers = self.transactions.deployments.with_stage(&stage);
        if callers.is_empty() {
            return Ok(Acknowledgement::not_found());
        }
        tracing::Span::current().record("stage", stage.as_str());
        let content_type = delivery.headers.iter().find(|header| header.name == "content-type");
        let content_type = content_type.map(|header| header.value.as_str()).unwrap_or_default();
        let fields = match Fields::open(content_type, &delivery.body) {
            Ok(fields) => fields,
            Err(error) => {
                tracing::warn!(vendor = %delivery.source, %error, "callback refused");
                return Ok(Acknowledgement::malformed());
            }
        };
        let owner = self.transactions.vault.intake(delivery.received_at);
        let mut vouched = None;
        // Whoever had the vendor's place before may have written the letter that this is about.
        for installed in callers {
            let settings = installed.settings(&stage).unwrap_or_default();
            let mut transaction = self.transactions.begin(Arc::clone(&installed));
            let callback = fields.callback(
                &delivery.headers,
                installed.clear_fields(&stage),
                &owner,
                &mut transaction.draft.sealing,
                delivery.received_at,
            );
            let signed = Signed { url: &delivery.url, body: &delivery.body, fields: &fields };
            if let Some(Vouched(words)) = self.authentic(&installed, &stage, &callback, &settings, signed)? {
                vouched = Some((transaction, settings, callback, words));
                break;
            }
        }
        let Some((mut transaction, settings, callback, words)) = vouched else { return Ok(Acknowledgement::forged()) };
        // Played again within its time a callback is answered as before; after it, its signature is too old.
        let key = self.transactions.vault.blind("callback", &format!("{stage} {words}"));
        let _held = self.names.hold(vec![key.clone()]).await;
        let call = Call::Receive { callback, settings };
        let inbound = match transaction.call(&stage, &call)? {
            host::Answer::Receive(Ok(inbound)) => inbound,
            host::Answer::Receive(Err(failure)) => {
                let reason = reason(&failure);
                tracing::error!(%stage, reason, "the vendor's plugin cannot read a callback");
                return Ok(Acknowledgement::unavailable());
            }
            _ => return Err(PipelineError::OtherAnswer { stage }),
        };
        let answer = Acknowledgement {
            status: inbound.status,
            content_type: inbound.content_type.clone(),
            body: inbound.body.clone().into_bytes(),
        };
        if self.transactions.store.index().delivery(&key)?.is_some() {
            return Ok(answer);
        }
        let plugin = transaction.deployment.digest(&stage)?;
        let outcome = Digest(host::Answer::Receive(Ok(inbound.clone())).digest().0);
        transaction.draft.decided(None, &stage, plugin, Json::of(&call)?, outcome);
        self.apply_callback(transaction, delivery, key, inbound).await?;
        Ok(answer)
    }

    fn authentic(
        &self,
        installed: &Installed,
        stage: &StageKey,
        callback: &Callback,
        settings: &str,
        signed: Signed<'_>,
    ) -> Result<Option<Vouched>, PipelineError> {
        let call = Call::AuthenticateCallback { callback: callback.clone(), settings: settings.into() };
        let host::Answer::AuthenticateCallback(checks) = self.transactions.call(installed, stage, &call)? else {
            return Err(PipelineError::OtherAnswer { stage: stage.clone() });
        };
        let verified = signature::verify(
            &checks,
            signed,
            &self.secrets,
            self.transactions.clock.now(),
            SenderProof::SignatureOnly,
        );
        Ok(verified.inspect_err(|forged| tracing::warn!(%stage, %forged, "callback refused")).ok())
    }

    async fn apply_callback(
        &self,
        mut transaction: Transaction<'_>,
        delivery: &Delivery,
        dedupe_key: BlindedName,
        inbound: Inbound,
    ) -> Result<(), PipelineError> {
        let mut news = Vec::new();
        for event in inbound.events {
            news.push(match event {
                InboundEvent::Reply(reply) => News::Reply(self.answerers(&transaction, &reply)?, reply),
                InboundEvent::Status(status) => {
                    let vendor_id = vendor_name(&delivery.source, &status.vendor_id);
                    News::Status(self.transactions.store.index().letter_by_vendor_id(&vendor_id)?, status)
                }
            });
        }
        let referrals: Vec<ReferralId> = news.iter().flat_map(News::referrals).collect();
        transaction.hold(referrals.clone()).await;
        for news in news {
            match news {
                // Nobody we know: still, a stranger's STOP holds for that number.
                News::Reply(known, reply) if known.is_empty() => {
                    transaction.reply_of_stranger(&delivery.source, reply)?;
                }
                News::Reply(known, reply) => transaction.reply(&known, &delivery.source, reply)?,
                News::Status(letter, status) => {
                    if let (Some(letter), Some(status)) = (letter, from_wit::letter_status(status.receipt.outcome)) {
                        let event = Event::LetterStatus { letter, status, channel: None };
                        transaction.transition(letter.referral, event)?;
                    }
                }
            }
        }
        let verdict = match referrals.is_empty() {
            true => DeliveryVerdict::Unmatched { why: "it answers no letter of ours".into() },
            false => DeliveryVerdict::Accepted { referrals },
        };
        transaction.draft.record(Record::Delivery {
            digest: Digest::of(&delivery.body),
            source: delivery.source.clone(),
            kind: "callback".into(),
            dedupe_key,
            verdict,
            bytes: None,
            answer: None,
            envelope: json!({ "door": delivery.transport.name(), "received_at": delivery.received_at }),
        });
        transaction.commit().await
    }

    /// Whose reply this may be, the likeliest first: the open referrals that were written to at this address, the latest letter's
    /// before others; where none is open, the one that was written to last.
    fn answerers(&self, transaction: &Transaction<'_>, reply: &InboundReply) -> Result<Vec<ReferralId>, PipelineError> {
        let index = self.transactions.store.index();
        let mut known = Vec::new();
        for id in index.find(&transaction.address_name(&Token(reply.from.clone()))?)? {
            known.extend(index.referral(&id)?);
        }
        let written_at = |referral: &Referral| referral.facts.last_letter.as_ref().map(|letter| letter.at);
        let is_open = |referral: &Referral| !self.transactions.deployments.ended(referral);
        known.sort_by_key(|referral| std::cmp::Reverse((is_open(referral), written_at(referral), referral.id)));
        let open = known.iter().filter(|referral| is_open(referral)).count();
        known.truncate(open.max(1));
        Ok(known.into_iter().map(|referral| referral.id).collect())
    }
}
