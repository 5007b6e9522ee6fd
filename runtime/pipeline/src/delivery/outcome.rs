//! How an attempt ends: with a receipt, a refusal, another try, another vendor, or a person. Written down with the words that
//! led there, and told to the referral.

use chrono::{DateTime, TimeDelta, Utc};
use handoff_engine::calendar;
use handoff_engine::event::{Delegated, Event, LetterStatus, PatientRecord, VisitFinding};
use handoff_engine::ids::{LetterId, ReferralId, Token};
use handoff_engine::letter::{LetterBody, Message};
use handoff_engine::referral::SentLetter;
use handoff_host::contract::types::{ChannelKind, Failure};
use handoff_host::contract::{carrier, retrieval};
use handoff_host::{End, reason};
use handoff_store::entry::Record;
use handoff_store::index::OutboxItem;

use super::LetterDelivery;
use super::attempt::{AttemptOutcome, DeliveryAttempt};
use super::backoff::{ATTEMPTS_MAX, retry_at};
use super::vendor::{vendor_name, vendor_of};
use crate::addresses::canonical;
use crate::error::PipelineError;
use crate::foreign_values::{is_mail, is_telephone};
use crate::from_wit;
use crate::transaction::Transaction;

/// What a referral hears of a letter that no vendor could be made to carry. See `wit/outreach.wit`.
const UNREACHABLE: &str = "unreachable";

/// A stage whose set-up is wrong is tried again this often, in case IT has mended it.
const MISCONFIGURED_RETRY: TimeDelta = TimeDelta::hours(1);

/// The refusal that is the patient's own: no other vendor may try. See `wit/types.wit`.
const OPTED_OUT: &str = "opted-out";

/// When nobody could say whether the patient attended, ask again after so long.
const ASK_AGAIN_HOURS: u32 = 24;

impl DeliveryAttempt<'_> {
    /// The receipt is in: the letter leaves the outbox, and the referral hears of it.
    pub(super) async fn receive(mut self, end: End) -> Result<AttemptOutcome, PipelineError> {
        let letter = self.hold_referral().await;
        let now = self.transaction.now();
        let mut vendor_id = None;
        let (outcome, events) = match (end, &self.item.letter.body) {
            (End::Receipt(receipt), LetterBody::Message(message)) => {
                if !receipt.vendor_id.is_empty() {
                    vendor_id = Some(vendor_name(vendor_of(&self.stage), &receipt.vendor_id));
                }
                received(now, letter, message, receipt)
            }
            (End::Record(record), _) => {
                let found = if record.is_some() { "found" } else { "missing" };
                let record = record.map(|record| self.transaction.learn(letter.referral, record)).transpose()?;
                (found.into(), vec![Event::Record { record: record.map(Box::new) }])
            }
            (End::Finding(finding), _) => {
                let finding = from_wit::finding(finding, now);
                let word = match finding {
                    VisitFinding::Attended { .. } => "attended",
                    VisitFinding::NoShow => "no-show",
                    VisitFinding::Cancelled => "cancelled",
                    VisitFinding::Moved { .. } => "moved",
                    VisitFinding::Open { .. } => "open",
                };
                (word.into(), vec![Event::Visit { finding }])
            }
            (End::Written(written), _) => done_with(Delegated::Chart, written.references.join(" ")),
            (End::Raised(raised), _) => done_with(Delegated::Task, raised.reference),
            (End::Receipt(_), _) => ("answered for another letter".into(), Vec::new()),
        };
        self.transaction.draft.record(Record::Received { letter, outcome, vendor_id });
        for event in events {
            self.transaction.transition(letter.referral, event)?;
        }
        self.conclude().await
    }

    /// The plugin gave up, in the words of what happens next.
    pub(super) async fn fail(mut self, failure: Failure) -> Result<AttemptOutcome, PipelineError> {
        let letter = self.item.letter.id;
        let why = reason(&failure);
        let refusal = match failure {
            Failure::RetryAfter(retry) => {
                let now = self.transaction.now();
                let asked_for = now + TimeDelta::seconds(i64::from(retry.seconds));
                let due = asked_for.max(retry_at(now, letter, self.item.attempts));
                return self.put_off(due, why).await;
            }
            Failure::Misconfigured(_) => {
                tracing::error!(stage = %self.stage, %letter, "the stage's set-up is wrong; see the letter's timeline");
                self.note_failed();
                return self.await_mending(why).await;
            }
            Failure::Other(_) => return self.retry(why).await,
            // It will not say whether it has acted; perhaps later it will.
            Failure::Refused(_) if self.in_doubt => return self.retry(why).await,
            Failure::Refused(refusal) => refusal,
        };
        self.hold_referral().await;
        if refusal.code != OPTED_OUT && self.hand_over() {
            return self.conclude().await;
        }
        if refusal.code == OPTED_OUT
            && let LetterBody::Message(message) = &self.item.letter.body
        {
            self.transaction.note_consent(&message.to, message.channel, false, "the vendor says so")?;
        }
        self.transaction.draft.record(Record::Refused { letter, rule: refusal.code.clone() });
        let status = LetterStatus::Refused { code: refusal.code };
        self.transaction.transition(letter.referral, given_up(&self.item, status))?;
        self.conclude().await
    }

    /// Tried again later, until this vendor's attempts are spent.
    pub(super) async fn retry(self, why: String) -> Result<AttemptOutcome, PipelineError> {
        let due = retry_at(self.transaction.now(), self.item.letter.id, self.item.attempts);
        self.put_off(due, why).await
    }

    /// As [`DeliveryAttempt::retry`], but the set-up has to change first.
    pub(super) async fn await_mending(self, why: String) -> Result<AttemptOutcome, PipelineError> {
        let due = self.transaction.now() + MISCONFIGURED_RETRY;
        self.put_off(due, why).await
    }

    /// Its plugin gave no answer. One that keeps failing is not waited for where the workflow names another vendor.
    pub(super) async fn make_room(self, fault: PipelineError) -> Result<AttemptOutcome, PipelineError> {
        let (now, why) = (self.transaction.now(), fault.to_string());
        let plugin = self.transaction.deployment.digest(&self.stage)?;
        let Some(until) = self.delivery.breaker.rests_until(plugin, now) else { return self.retry(why).await };
        if self.for_next_vendor().is_some() {
            return self.give_up(why).await;
        }
        let due = until.max(retry_at(now, self.item.letter.id, self.item.attempts));
        self.put_off(due, why).await
    }

    /// The letter's endpoint has not answered since then; nothing was sent.
    pub(super) async fn turn_away(self, endpoint: &str, since: DateTime<Utc>) -> Result<AttemptOutcome, PipelineError> {
        let why = format!("the endpoint {endpoint} has not answered since {}", since.format("%Y-%m-%d %H:%M UTC"));
        self.give_up(why).await
    }

    async fn put_off(mut self, due: DateTime<Utc>, why: String) -> Result<AttemptOutcome, PipelineError> {
        let (letter, attempts, in_doubt) = (self.item.letter.id, self.item.attempts + 1, self.in_doubt);
        let now = self.transaction.now();
        let expired = self.item.letter.expires.is_some_and(|expires| due > expires);
        let (queues, patience) = (&self.delivery.transactions.queues, self.patience());
        let given_up = self.asked.as_deref().and_then(|endpoint| queues.given_up(endpoint, patience, now));
        if attempts >= ATTEMPTS_MAX || (expired && !in_doubt) || given_up.is_some() {
            return self.give_up(why).await;
        }
        self.hold_referral().await;
        // Invariant: doubt ends with an answer, never with time.
        self.transaction.draft.record(Record::Deferred { letter, due, attempts, why, in_doubt });
        if let (true, LetterBody::Message(message)) = (in_doubt, &self.item.letter.body) {
            let referral = self.transaction.current(letter.referral)?;
            if !referral.facts.attempts.iter().any(|attempt| attempt.letter == letter) {
                self.transaction.transition(letter.referral, sent(now, letter, message, true))?;
            }
        }
        self.conclude().await
    }

    /// This vendor has had its chance.
    async fn give_up(mut self, why: String) -> Result<AttemptOutcome, PipelineError> {
        let letter = self.hold_referral().await;
        if self.hand_over() {
            return self.conclude().await;
        }
        let (now, in_doubt) = (self.transaction.now(), self.in_doubt);
        tracing::error!(%letter, stage = %self.stage, "a letter waits for a person");
        self.note_failed();
        self.transaction.draft.record(Record::Dropped { letter, dead: true, why, in_doubt });
        let event = match &self.item.letter.body {
            // It may lie with the patient: what is decided next must not send the same again.
            LetterBody::Message(message) if in_doubt => sent(now, letter, message, true),
            LetterBody::Message(_)
            | LetterBody::ReadRecord
            | LetterBody::CheckVisit
            | LetterBody::WriteChart { .. }
            | LetterBody::Task(_) => given_up(&self.item, LetterStatus::Undeliverable { code: UNREACHABLE.into() }),
        };
        self.transaction.transition(letter.referral, event)?;
        self.conclude().await
    }

    /// Owes the letter to the next vendor, with fresh attempts. False when there is none, or it may not go there.
    fn hand_over(&mut self) -> bool {
        let Some(letter) = self.for_next_vendor() else { return false };
        tracing::warn!(letter = %letter.id, stage = %self.stage, "the next vendor takes over");
        self.transaction.draft.queue(letter);
        true
    }

    fn note_failed(&self) {
        let deployment = self.transaction.deployment.deployment.digest;
        self.delivery.transactions.canary.note_failed(deployment, self.item.letter.id.referral);
    }

    /// The referral hears of it with the commit: nobody else changes it meanwhile.
    async fn hold_referral(&mut self) -> LetterId {
        let letter = self.item.letter.id;
        self.transaction.hold(vec![letter.referral]).await;
        letter
    }

    async fn conclude(self) -> Result<AttemptOutcome, PipelineError> {
        self.delivery.ends.note(&self.stage, self.transaction.draft.records());
        self.transaction.commit().await?;
        Ok(AttemptOutcome::Concluded)
    }
}

impl LetterDelivery {
    /// Gives up every message that is due while outreach is held, as one that may have reached its patient. A person looks at
    /// each. Returns how many there were.
    ///
    /// # Errors
    /// When the journal or the index fails.
    pub async fn doubt_due_messages(&self, why: &str) -> Result<usize, PipelineError> {
        let (store, now) = (&self.transactions.store, self.transactions.clock.now());
        let mut count = 0;
        let parked = self.pauses.parked();
        for id in parked.into_iter().chain(store.index().letter_ids_due(now, usize::MAX)) {
            let Some(item) = store.index().outbox(&id)? else { continue };
            let LetterBody::Message(message) = &item.letter.body else { continue };
            let mut transaction = self.transactions.begin_on(vec![id.referral]).await;
            transaction.draft.record(Record::Dropped { letter: id, dead: true, why: why.into(), in_doubt: true });
            transaction.transition(id.referral, sent(now, id, message, true))?;
            transaction.commit().await?;
            count += 1;
        }
        Ok(count)
    }

    /// A letter without a workflow or a stage waits for a person.
    pub(super) async fn drop_dead(&self, item: &OutboxItem, why: &str) -> Result<AttemptOutcome, PipelineError> {
        let mut transaction = self.transactions.begin_in_force();
        let (letter, in_doubt) = (item.letter.id, item.in_doubt());
        transaction.draft.record(Record::Dropped { letter, dead: true, why: why.into(), in_doubt });
        transaction.commit().await?;
        Ok(AttemptOutcome::Concluded)
    }
}

impl Transaction<'_> {
    /// What the chart knows, in our words; new addresses find the referral from now on.
    fn learn(
        &mut self,
        referral: ReferralId,
        mut record: retrieval::PatientRecord,
    ) -> Result<PatientRecord, PipelineError> {
        let patient = self.current(referral)?.facts.patient.id.clone();
        let mut names = Vec::new();
        for (at, mut reach) in std::mem::take(&mut record.reaches).into_iter().enumerate() {
            let address = Token(reach.address.clone());
            let written = self.reveal(&address)?;
            let (field, fits) = match reach.channel {
                ChannelKind::Sms => ("phone", is_telephone(written.as_str())),
                ChannelKind::Email => ("email", is_mail(written.as_str())),
                ChannelKind::Portal => ("portal", true),
            };
            if !fits {
                self.draft.ignored(referral, format!("the chart's address {at} is no {field} address"));
                continue;
            }
            names.push(self.address_name(&address)?);
            // What is written to is what replies come from; and the order's token for an address is the chart's.
            if reach.channel != ChannelKind::Portal {
                reach.address = self.draft.sealing.seal(&patient, field, &canonical(written.as_str())).0;
            }
            record.reaches.push(reach);
        }
        if !names.is_empty() {
            self.draft.named_as(referral, names);
        }
        let zone = match &record.postal_code {
            Some(token) => calendar::zone_of("", self.reveal(&Token(token.clone()))?.as_str()),
            None => None,
        };
        Ok(from_wit::record(record, zone))
    }
}

/// What a referral hears of a letter that will not be seen through.
fn given_up(item: &OutboxItem, status: LetterStatus) -> Event {
    match &item.letter.body {
        LetterBody::Message(message) => {
            Event::LetterStatus { letter: item.letter.id, status, channel: Some(message.channel) }
        }
        LetterBody::ReadRecord => Event::Record { record: None },
        LetterBody::CheckVisit => Event::Visit { finding: VisitFinding::Open { again_in_hours: ASK_AGAIN_HOURS } },
        LetterBody::WriteChart { .. } => {
            Event::Done { what: Delegated::Chart, succeeded: false, reference: String::new() }
        }
        LetterBody::Task(_) => Event::Done { what: Delegated::Task, succeeded: false, reference: String::new() },
    }
}

fn received(
    now: DateTime<Utc>,
    letter: LetterId,
    message: &Message,
    receipt: carrier::Receipt,
) -> (String, Vec<Event>) {
    let outcome = match &receipt.outcome {
        carrier::Outcome::Accepted => "accepted".into(),
        carrier::Outcome::Delivered => "delivered".into(),
        carrier::Outcome::Undeliverable(code) => format!("undeliverable: {code}"),
        carrier::Outcome::Unknown => "unknown".into(),
    };
    let mut events = vec![sent(now, letter, message, false)];
    let status = from_wit::letter_status(receipt.outcome);
    events.extend(status.map(|status| Event::LetterStatus { letter, status, channel: None }));
    (outcome, events)
}

/// What a referral hears of a message that left, or that may have left.
fn sent(now: DateTime<Utc>, letter: LetterId, message: &Message, in_doubt: bool) -> Event {
    Event::LetterSent {
        in_doubt,
        letter: SentLetter {
            id: letter,
            template: message.template.clone(),
            channel: message.channel,
            language: message.language.clone(),
            asked: message.asked,
            at: now,
        },
    }
}

fn done_with(what: Delegated, reference: String) -> (String, Vec<Event>) {
    ("done".into(), vec![Event::Done { what, succeeded: true, reference }])
}
