//! Letter -> request -> response. The plugin composes, the host asks for it. An ask is written down before it leaves; the
//! answer, with what the plugin makes of it: one commit for each request.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use handoff_egress::denial::Denial;
use handoff_egress::egress::Performed;
use handoff_egress::pacing::{Admission, Permit, Waiter};
use handoff_engine::event::{Event, LetterStatus};
use handoff_engine::ids::Digest;
use handoff_engine::letter::LetterBody;
use handoff_engine::referral::Referral;
use handoff_host::contract::carrier;
use handoff_host::contract::exchange::{Ask, Response};
use handoff_host::contract::types::Failure;
use handoff_host::{Answer, Call, End, StageCaller, Turn, WithoutResponse};
use handoff_store::Json;
use handoff_store::entry::Record;
use handoff_store::index::OutboxItem;

use super::LetterDelivery;
use super::attempt::{AttemptOutcome, DeliveryAttempt};
use super::first_call::FirstCall;
use crate::contact_rules::ContactVerdict;
use crate::deployments::Installed;
use crate::error::PipelineError;
use crate::transaction::{Transaction, Transactions};

/// Requests in one conversation. Records take four; a plugin that never ends its turn is stopped here.
const ASKS_MAX: u32 = 12;

/// The refusal of a vendor that cannot be asked what became of a letter. See `wit/outreach.wit`.
const NO_LOOKUP: &str = "no-lookup";

/// What came of a request.
enum Exchanged {
    Answered(Response),
    /// No answer, and why.
    Silent(String),
    /// It may not leave, and why.
    Denied(String),
    /// It waits for its turn at the endpoint.
    Waits,
    /// The endpoint has not answered anybody since then.
    TurnedAway(DateTime<Utc>),
}

impl LetterDelivery {
    /// Sees one letter through to its receipt, or to the hour at which it is tried again. `permit` is given to one that has
    /// waited for its endpoint.
    #[tracing::instrument(name = "letter", level = "debug", skip_all, fields(letter = %item.letter.id))]
    pub(super) async fn perform(
        &self,
        item: OutboxItem,
        permit: Option<Permit>,
    ) -> Result<AttemptOutcome, PipelineError> {
        let id = item.letter.id;
        let referral = self.transactions.store.index().referral(&id.referral)?;
        let referral = referral.ok_or(PipelineError::NoSuchReferral(id.referral))?;
        let deployment = match self.transactions.deployments.get(&referral.deployment) {
            Ok(deployment) => self.who_knows(&item, deployment),
            // One letter without a workflow must not stop all others.
            Err(missing) => return self.drop_dead(&item, &missing.to_string()).await,
        };
        let mut transaction = self.transactions.begin(deployment);
        if item.doubt.is_none() && !passes(&mut transaction, &referral, &item, false).await? {
            return Ok(AttemptOutcome::Concluded);
        }
        let Some(FirstCall { speaker, stage, call }) = self.first_call(&transaction.deployment, &referral, &item)?
        else {
            return self.drop_dead(&item, "the workflow has no stage for this letter").await;
        };
        let attempt = DeliveryAttempt {
            delivery: self,
            transaction,
            stage,
            permit,
            asked: None,
            // Only a message can do harm twice; charts and inboxes are asked with keys of ours.
            in_doubt: item.in_doubt() && matches!(item.letter.body, LetterBody::Message(_)),
            is_answered: item.doubt.as_ref().is_some_and(|doubt| doubt.response.is_some()),
            has_unread_answer: false,
            item,
        };
        attempt.converse(&referral, speaker, call).await
    }

    /// A referral may have moved since a vendor was asked: then whoever asked speaks on.
    fn who_knows(&self, item: &OutboxItem, deployment: Arc<Installed>) -> Arc<Installed> {
        let Some(doubt) = &item.doubt else { return deployment };
        let asked = |it: &Arc<Installed>| it.digest(&doubt.stage).is_ok_and(|plugin| plugin == doubt.plugin);
        if asked(&deployment) {
            return deployment;
        }
        self.transactions.deployments.with_stage(&doubt.stage).into_iter().find(asked).unwrap_or(deployment)
    }
}

impl DeliveryAttempt<'_> {
    /// The plugin and the outside speak in turn, until the plugin is done.
    async fn converse(
        mut self,
        referral: &Referral,
        speaker: StageCaller,
        mut call: Call,
    ) -> Result<AttemptOutcome, PipelineError> {
        for _ in 0..ASKS_MAX {
            let lookup = self.in_doubt;
            let answer = match self.consult(&call) {
                Ok(answer) => answer,
                Err(fault) => {
                    // The vendor may have said yes: its answer is read again, and nothing is sent instead.
                    self.in_doubt |= self.is_answered && self.is_message();
                    return self.make_room(fault).await;
                }
            };
            self.note_decision(&call, &answer)?;
            match answer.turn() {
                Some(Ok(Turn::Ask(ask))) => match self.follow(referral, &ask, lookup).await? {
                    Exchanged::Answered(response) => call = speaker.resume(ask.state, response, self.settings()),
                    Exchanged::Silent(why) => return self.retry(why).await,
                    Exchanged::Denied(why) => return self.await_mending(why).await,
                    Exchanged::Waits => return Ok(AttemptOutcome::Waits),
                    Exchanged::TurnedAway(since) => return self.turn_away(&ask.endpoint, since).await,
                },
                Some(Ok(Turn::Done(End::Receipt(receipt))))
                    if receipt.outcome == carrier::Outcome::Unknown && lookup =>
                {
                    // Asked whether it had acted, the vendor said no: the letter may go.
                    self.in_doubt = false;
                    if !passes(&mut self.transaction, referral, &self.item, false).await? {
                        return Ok(AttemptOutcome::Concluded);
                    }
                    call = self.compose_again()?;
                }
                Some(Err(Failure::Refused(refusal))) if refusal.code == NO_LOOKUP && lookup => {
                    // At least once: a vendor that cannot be asked may get a letter twice, but none is lost.
                    self.in_doubt = false;
                    if !passes(&mut self.transaction, referral, &self.item, true).await? {
                        return Ok(AttemptOutcome::Concluded);
                    }
                    call = self.compose_again()?;
                }
                Some(Ok(Turn::Done(end))) => return self.receive(end).await,
                Some(Err(failure)) => return self.fail(failure).await,
                None => return Err(PipelineError::OtherAnswer { stage: self.stage }),
            }
        }
        let why = format!("{} did not end its turn within {ASKS_MAX} words", self.stage);
        self.retry(why).await
    }

    fn is_message(&self) -> bool {
        matches!(self.item.letter.body, LetterBody::Message(_))
    }

    fn settings(&self) -> String {
        self.transaction.deployment.settings(&self.stage).unwrap_or_default()
    }

    /// The letter as it is sent, after all. It cannot have become anything else: it is leased.
    fn compose_again(&self) -> Result<Call, PipelineError> {
        let call = self.delivery.compose(&self.stage, self.item.letter.id, &self.item, self.settings());
        call.ok_or_else(|| PipelineError::OtherAnswer { stage: "outreach".into() })
    }

    /// Asks whoever speaks for a letter, unless it keeps failing.
    fn consult(&self, call: &Call) -> Result<Answer, PipelineError> {
        let LetterDelivery { transactions, breaker, .. } = self.delivery;
        let deployment = &self.transaction.deployment;
        let (plugin, now) = (deployment.digest(&self.stage)?, transactions.clock.now());
        if let Some(until) = breaker.rests_until(plugin, now) {
            return Err(PipelineError::Rests { stage: self.stage.clone(), until });
        }
        let answer = self.transaction.call(&self.stage, call);
        match &answer {
            Ok(_) => breaker.sound(plugin),
            Err(PipelineError::Fault(fault)) => {
                breaker.failed(plugin, fault, now);
                transactions.canary.note_failed(deployment.deployment.digest, self.item.letter.id.referral);
            }
            Err(_) => {}
        }
        answer
    }

    /// Writes down what was asked of the plugin; a response that stands beside it is not written twice.
    fn note_decision(&mut self, call: &Call, answer: &Answer) -> Result<(), PipelineError> {
        let (plugin, digest) = (self.transaction.deployment.digest(&self.stage)?, Digest(answer.digest().0));
        let recorded = if std::mem::take(&mut self.has_unread_answer) {
            Json::of(&WithoutResponse(call))?
        } else {
            Json::of(call)?
        };
        let referral = Some(self.item.letter.id.referral);
        self.transaction.draft.decided(referral, &self.stage, plugin, recorded, digest);
        Ok(())
    }

    /// Does what the plugin asks for, once its endpoint has a place for it.
    async fn follow(&mut self, referral: &Referral, ask: &Ask, lookup: bool) -> Result<Exchanged, PipelineError> {
        let mut permit = match self.enter(ask) {
            Admission::Go(permit) => permit,
            Admission::Wait => return Ok(Exchanged::Waits),
            Admission::Leave { since } => return Ok(Exchanged::TurnedAway(since)),
        };
        self.asked = Some(ask.endpoint.clone());
        self.note_ask(ask, lookup).await?;
        let exchanged = self.exchange(&mut permit, referral, ask).await?;
        self.permit = Some(permit);
        if let Exchanged::Answered(response) = &exchanged {
            let (letter, told) = (self.item.letter.id, Json::of(response)?);
            self.transaction.draft.record(Record::Answered { letter, response: told, lookup });
            (self.is_answered, self.has_unread_answer) = (!lookup, true);
        }
        Ok(exchanged)
    }

    /// Leave to ask an endpoint. Only the first request of a conversation waits for it.
    fn enter(&mut self, ask: &Ask) -> Admission {
        let Transactions { clock, queues, .. } = &*self.delivery.transactions;
        let now = clock.now();
        let mut permit = match self.permit.take() {
            Some(permit) if permit.is_for(&ask.endpoint) => permit,
            Some(_) | None if self.asked.is_some() => queues.join(&ask.endpoint, now),
            Some(_) | None => {
                let comer = Waiter { letter: self.item.letter.id, due: self.item.due, patience: self.patience() };
                match queues.enter(&ask.endpoint, comer, now) {
                    Admission::Go(permit) => permit,
                    other @ (Admission::Wait | Admission::Leave { .. }) => return other,
                }
            }
        };
        permit.spend(now);
        Admission::Go(permit)
    }

    /// Writes an ask down before it is sent: a crash in the middle finds it.
    async fn note_ask(&mut self, ask: &Ask, lookup: bool) -> Result<(), PipelineError> {
        self.transaction.draft.record(Record::Asked {
            letter: self.item.letter.id,
            attempt: self.item.attempts + 1,
            stage: self.stage.clone(),
            plugin: self.transaction.deployment.digest(&self.stage)?,
            endpoint: ask.endpoint.clone(),
            agreement: self.delivery.egress.agreement(&ask.endpoint).map(str::to_string),
            ask: Json::of(ask)?,
            lookup,
        });
        self.transaction.commit_and_go_on().await
    }

    /// One request to the outside, and what came back; what it tells of the patient is sealed with the next commit.
    #[tracing::instrument(name = "exchange", level = "debug", skip_all, fields(stage = %self.stage))]
    async fn exchange(
        &mut self,
        permit: &mut Permit,
        referral: &Referral,
        ask: &Ask,
    ) -> Result<Exchanged, PipelineError> {
        let LetterDelivery { transactions, egress, .. } = self.delivery;
        let letter = self.item.letter.id;
        let grant = self.transaction.deployment.grant(&self.stage, &referral.facts.patient.id, &self.item.letter);
        let performed = egress.perform(&grant, ask, &mut self.transaction.draft.sealing).await;
        self.transaction.draft.now = transactions.clock.now();
        let performed = match performed {
            Ok(performed) => performed,
            Err(denial) => {
                tracing::error!(stage = %self.stage, %denial, "egress denied");
                if let Denial::AgreementExpired { endpoint, expired } = &denial {
                    self.delivery.ask_for_renewal(referral.id, endpoint, *expired).await?;
                }
                return Ok(Exchanged::Denied(denial.to_string()));
            }
        };
        permit.note(&performed, transactions.clock.now());
        Ok(match performed {
            Performed::Answered(response) => Exchanged::Answered(response),
            Performed::NotSent(why) => {
                tracing::info!(stage = %self.stage, %letter, why, "not sent");
                Exchanged::Silent(why)
            }
            Performed::InDoubt(why) => {
                tracing::info!(stage = %self.stage, %letter, why, "no answer came");
                self.in_doubt = self.is_message();
                Exchanged::Silent(why)
            }
        })
    }
}

/// The contact rules' last word before a message leaves. Holds it back or refuses it where they must, and writes that down
/// with what was said before; `in_doubt` is kept while it is held back.
async fn passes(
    transaction: &mut Transaction<'_>,
    referral: &Referral,
    item: &OutboxItem,
    in_doubt: bool,
) -> Result<bool, PipelineError> {
    let LetterBody::Message(message) = &item.letter.body else { return Ok(true) };
    let letter = item.letter.id;
    match transaction.admit(referral, letter, message, item.letter.expires)? {
        ContactVerdict::Go => return Ok(true),
        ContactVerdict::Wait { until, rule } => {
            let (attempts, why) = (item.attempts, rule.into());
            transaction.draft.record(Record::Deferred { letter, due: until, attempts, why, in_doubt });
        }
        ContactVerdict::Never { rule } => {
            transaction.draft.record(Record::Refused { letter, rule: rule.into() });
            let status = LetterStatus::Refused { code: rule.into() };
            transaction.hold(vec![referral.id]).await;
            let channel = Some(message.channel);
            transaction.transition(referral.id, Event::LetterStatus { letter, status, channel })?;
        }
    }
    transaction.commit_and_go_on().await?;
    Ok(false)
}
