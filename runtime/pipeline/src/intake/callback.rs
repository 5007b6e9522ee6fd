//! A vendor's call -> events: a patient's reply, or what became of a letter.

use std::sync::Arc;

use handoff_engine::error_chain::Chain;
use handoff_engine::event::Intent;
use handoff_engine::ids::{BlindedName, Digest, LetterId, ReferralId, StageKey, Token, VendorMessageId};
use handoff_engine::workflow::StageKind;
use handoff_host::contract::carrier::{Callback, Inbound, InboundEvent, InboundReply, Outcome};
use handoff_host::{self as host, Call, reason};
use handoff_ingress::callback_fields::Fields;
use handoff_ingress::delivery::{Acknowledgement, Delivery, SenderProof};
use handoff_ingress::signature::{self, Signed, Vouched};
use handoff_store::Json;
use handoff_store::entry::{DeliveryVerdict, Record};
use handoff_store::index::Reported;
use serde_json::json;

use super::Intake;
use super::trigger::{Understood, without_credentials};
use crate::delivery::report::reported;
use crate::delivery::vendor::vendor_name;
use crate::deployments::Installed;
use crate::error::PipelineError;
use crate::transaction::Transaction;

/// What a callback tells, and whom of.
enum News {
    /// From an address that these referrals have.
    Reply(Vec<ReferralId>, InboundReply),
    /// Of a letter that these referrals are bound by.
    Report(Vec<ReferralId>, LetterId, Option<Reported>),
    /// Of a message that we have no name for, as yet.
    Early(VendorMessageId, Option<Reported>),
}

impl News {
    fn referrals(&self) -> Vec<ReferralId> {
        match self {
            News::Reply(known, _) | News::Report(known, ..) => known.clone(),
            News::Early(..) => Vec::new(),
        }
    }
}

impl Intake {
    /// Takes a vendor's callback in. When it is answered, what it means is durable.
    pub async fn take_callback(&self, delivery: Delivery) -> Acknowledgement {
        match self.callback(&delivery).await {
            Ok(understood) => understood.answer,
            Err(error) => {
                tracing::error!(vendor = %delivery.source, error = %Chain(&error), "a callback was not taken");
                Acknowledgement::unavailable()
            }
        }
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "any other answer is to another question")]
    #[tracing::instrument(name = "callback", level = "debug", skip_all, fields(stage))]
    pub(super) async fn callback(&self, delivery: &Delivery) -> Result<Understood, PipelineError> {
        let stage = StageKind::Outreach.key(&delivery.source);
        let callers = self.transactions.deployments.with_stage(&stage);
        if callers.is_empty() {
            return Ok(Acknowledgement::not_found().into());
        }
        tracing::Span::current().record("stage", stage.as_str());
        let content_type = delivery.headers.iter().find(|header| header.name == "content-type");
        let content_type = content_type.map(|header| header.value.as_str()).unwrap_or_default();
        let fields = match Fields::open(content_type, &delivery.body) {
            Ok(fields) => fields,
            Err(error) => {
                tracing::warn!(vendor = %delivery.source, %error, "callback refused");
                return Ok(Acknowledgement::malformed().into());
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
            let believed = match delivery.sender {
                // It was believed when it came in.
                SenderProof::Earlier => Some(Vouched(Digest::of(&delivery.body))),
                SenderProof::SignatureOnly | SenderProof::Connection => {
                    self.authentic(&installed, &stage, &callback, &settings, signed)?
                }
            };
            if let Some(Vouched(words)) = believed {
                vouched = Some((transaction, settings, callback, words));
                break;
            }
        }
        let Some((mut transaction, settings, callback, words)) = vouched else {
            return Ok(Acknowledgement::forged().into());
        };
        let call = Call::Receive { callback, settings };
        let inbound = match transaction.call(&stage, &call)? {
            host::Answer::Receive(Ok(inbound)) => inbound,
            host::Answer::Receive(Err(failure)) => {
                let reason = reason(&failure);
                tracing::error!(%stage, reason, "the vendor's plugin cannot read a callback");
                return Ok(Acknowledgement::unavailable().into());
            }
            _ => return Err(PipelineError::OtherAnswer { stage }),
        };
        let answer = Acknowledgement {
            status: inbound.status,
            content_type: inbound.content_type.clone(),
            body: inbound.body.clone().into_bytes(),
        };
        // Told again it is answered as before: the same message's same news, however it is signed this time.
        let told = news_of(&inbound).unwrap_or_else(|| words.to_string());
        let key = self.transactions.vault.blind("callback", &format!("{stage} {told}"));
        let _held = self.names.hold(vec![key.clone()]).await;
        if delivery.sender != SenderProof::Earlier && self.transactions.store.index().delivery(&key)?.is_some() {
            return Ok(answer.into());
        }
        let plugin = transaction.deployment.digest(&stage)?;
        let outcome = Digest(host::Answer::Receive(Ok(inbound.clone())).digest().0);
        transaction.draft.decided(None, &stage, plugin, Json::of(&call)?, outcome);
        let verdict = self.apply_callback(transaction, delivery, key, inbound).await?;
        Ok(Understood { answer, verdict: Some(verdict), is_kept: true })
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
    ) -> Result<DeliveryVerdict, PipelineError> {
        let named = |event: &InboundEvent| match event {
            InboundEvent::Status(status) => Some(vendor_name(&delivery.source, &status.vendor_id)),
            InboundEvent::Reply(_) => None,
        };
        // Whoever takes in the vendor's answer to a request waits meanwhile, or has ended: a report finds its letter, or the letter it.
        let names: Vec<VendorMessageId> = inbound.events.iter().filter_map(named).collect();
        let _named = self.transactions.vendor_ids.hold(names).await;
        let news = self.news(&transaction, &delivery.source, inbound.events)?;
        let referrals: Vec<ReferralId> = news.iter().flat_map(News::referrals).collect();
        transaction.hold(referrals.clone()).await;
        let mut strangers = Vec::new();
        for news in news {
            match news {
                News::Reply(known, reply) if known.is_empty() => {
                    strangers.push(transaction.reply_of_stranger(&delivery.source, reply)?);
                }
                News::Reply(known, reply) => transaction.reply(&known, &delivery.source, reply)?,
                News::Report(_, letter, Some(report)) => transaction.report(letter, report)?,
                News::Early(vendor_id, Some(Reported { status, cure })) => {
                    transaction.draft.record(Record::Reported { vendor_id, status, cure });
                }
                News::Report(_, _, None) | News::Early(_, None) => {}
            }
        }
        let verdict = match () {
            () if !referrals.is_empty() => DeliveryVerdict::Accepted { referrals },
            () if strangers.is_empty() => {
                DeliveryVerdict::NotForUs { why: "it answers no letter of ours, as yet".into() }
            }
            () => of_strangers(&strangers),
        };
        let owner = self.transactions.vault.intake(delivery.received_at);
        let is_listed = matches!(verdict, DeliveryVerdict::Dead { .. });
        let bytes = is_listed.then(|| transaction.draft.sealing.seal_bytes(&owner, "delivery", &delivery.body));
        let mut envelope = json!({ "door": delivery.transport.name(), "received_at": delivery.received_at });
        if is_listed {
            let headers = without_credentials(&delivery.headers);
            let headers = transaction.draft.sealing.seal_bytes(&owner, "headers", &serde_json::to_vec(&headers)?);
            envelope["headers"] = json!(headers);
        }
        transaction.draft.record(Record::Delivery {
            digest: Digest::of(&delivery.body),
            source: delivery.source.clone(),
            kind: "callback".into(),
            dedupe_key,
            verdict: verdict.clone(),
            bytes,
            answer: None,
            envelope,
            waits_for: Vec::new(),
        });
        transaction.commit().await?;
        Ok(verdict)
    }

    /// What a vendor's words mean, and whom they are about.
    fn news(
        &self,
        transaction: &Transaction<'_>,
        vendor: &str,
        events: Vec<InboundEvent>,
    ) -> Result<Vec<News>, PipelineError> {
        let mut news = Vec::new();
        for event in events {
            news.push(match event {
                InboundEvent::Reply(reply) => News::Reply(transaction.everybody_at(&Token(reply.from.clone()))?, reply),
                InboundEvent::Status(status) => {
                    let vendor_id = vendor_name(vendor, &status.vendor_id);
                    let letter = self.transactions.store.index().letter_by_vendor_id(&vendor_id)?;
                    match (letter, reported(status.receipt)) {
                        (None, report) => News::Early(vendor_id, report),
                        (Some(letter), Some(report)) => {
                            News::Report(transaction.bound_by(letter, &report)?, letter, Some(report))
                        }
                        (Some(letter), None) => News::Report(vec![letter.referral], letter, None),
                    }
                }
            });
        }
        Ok(news)
    }
}

/// What somebody wrote whose address nobody has: a person finds out whose it is. A STOP has been heard, and says no more.
fn of_strangers(meant: &[Intent]) -> DeliveryVerdict {
    if meant.iter().all(|intent| matches!(intent, Intent::OptOut | Intent::OptIn)) {
        return DeliveryVerdict::Unmatched {
            why: "it is from nobody we have written to; their word is on file".into(),
            candidates: Vec::new(),
            applied: Vec::new(),
        };
    }
    let message = match meant.contains(&Intent::Emergency) {
        true => "somebody whom no referral knows may be describing an emergency",
        false => "somebody whom no referral knows has written",
    };
    tracing::error!(message, "a reply waits for a person: see `handoff dead-letters list`");
    DeliveryVerdict::Dead {
        location: "sender".into(),
        message: message.into(),
        help: "read it, find out who it is and telephone; replay it once the address is on a referral, else dismiss it"
            .into(),
    }
}

/// What a callback tells, by the vendor's own names for messages. None where it names none.
fn news_of(inbound: &Inbound) -> Option<String> {
    let told = inbound.events.iter().map(|event| match event {
        InboundEvent::Reply(reply) if reply.vendor_id.is_empty() => None,
        InboundEvent::Reply(reply) => Some(format!("reply {}", reply.vendor_id)),
        InboundEvent::Status(status) => {
            let outcome = match &status.receipt.outcome {
                Outcome::Accepted => "accepted",
                Outcome::Delivered => "delivered",
                Outcome::Undeliverable(code) => code,
                Outcome::Unknown => "unknown",
            };
            Some(format!("status {} {outcome}", status.vendor_id))
        }
    });
    let told: Vec<String> = told.collect::<Option<_>>()?;
    (!told.is_empty()).then(|| told.join("; "))
}
