//! How an attempt ends: with a receipt, a refusal, another try, another vendor, or a person. Written down with the words that
//! led there, and told to the referral.

use chrono::{DateTime, TimeDelta, Utc};
use handoff_engine::calendar;
use handoff_engine::event::{Delegated, Event, LetterStatus, OptOutSource, PatientRecord, VisitFinding};
use handoff_engine::ids::{LetterId, ReferralId, Token};
use handoff_engine::letter::{LetterBody, Message};
use handoff_engine::referral::SentLetter;
use handoff_host::contract::types::{ChannelKind, Failure};
use handoff_host::contract::{carrier, retrieval};
use handoff_host::{End, reason};
use handoff_store::entry::Record;
use handoff_store::index::{OutboxItem, Reported};
use handoff_vault::token;

use super::LetterDelivery;
use super::attempt::{AttemptOutcome, DeliveryAttempt};
use super::backoff::{ATTEMPTS_MAX, retry_at};
use super::report::{OPTED_OUT, reported};
use super::vendor::{vendor_name, vendor_of};
use crate::error::PipelineError;
use crate::foreign_values::{is_mail, is_telephone};
use crate::from_wit;
use crate::referrals::opt_out::OptOut;
use crate::transaction::Transaction;

/// What a referral hears of a letter that no vendor could be made to carry: its address is not at fault.
const NO_VENDOR: &str = "no-vendor";

/// What it hears of one that is of no use any more.
const EXPIRED: &str = "expired";

/// A stage whose set-up is wrong is tried again this often, in case IT has mended it.
const MISCONFIGURED_RETRY: TimeDelta = TimeDelta::hours(1);

/// When nobody could say whether the patient attended, ask again after so long.
const ASK_AGAIN_HOURS: u32 = 24;

impl DeliveryAttempt<'_> {
    /// The receipt is in: the letter leaves the outbox, and the referral hears of it.
    pub(super) async fn receive(mut self, end: End) -> Result<AttemptOutcome, PipelineError> {
        if let End::Receipt(receipt) = end {
            return self.receive_receipt(receipt).await;
        }
        let letter = self.hold_referral().await;
        let now = self.transaction.now();
        let (outcome, events) = match (end, &self.item.letter.body) {
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
        self.transaction.draft.record(Record::Received { letter, outcome, vendor_id: None });
        for event in events {
            self.transaction.transition(letter.referral, event)?;
        }
        self.conclude().await
    }

    /// A vendor has taken a message, or says what became of it. It may have said so before, in a callback that came first.
    async fn receive_receipt(mut self, receipt: carrier::Receipt) -> Result<AttemptOutcome, PipelineError> {
        let letter = self.item.letter.id;
        let vendor_id = Some(receipt.vendor_id.as_str()).filter(|id| !id.is_empty());
        let vendor_id = vendor_id.map(|id| vendor_name(vendor_of(&self.stage), id));
        let transactions = &self.delivery.transactions;
        let _named = transactions.vendor_ids.hold(vendor_id.iter().collect()).await;
        let told = match &vendor_id {
            Some(id) => transactions.store.index().reported(id)?,
            None => None,
        };
        let outcome = match &receipt.outcome {
            carrier::Outcome::Accepted => "accepted".into(),
            carrier::Outcome::Delivered => "delivered".into(),
            carrier::Outcome::Undeliverable(code) => format!("undeliverable: {code}"),
            carrier::Outcome::Unknown => "unknown".into(),
        };
        let reports: Vec<Reported> = reported(receipt).into_iter().chain(told).collect();
        let mut bound = vec![letter.referral];
        for report in &reports {
            bound.extend(self.transaction.bound_by(letter, report)?);
        }
        self.transaction.hold(bound).await;
        self.transaction.draft.record(Record::Received { letter, outcome, vendor_id });
        if let LetterBody::Message(message) = &self.item.letter.body {
            let now = self.transaction.now();
            self.transaction.transition(letter.referral, sent(now, letter, message, false))?;
            for report in reports {
                self.transaction.report(letter, report)?;
            }
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
            Failure::Misconfigured(cure) => {
                tracing::error!(stage = %self.stage, %letter, "the stage's set-up is wrong; see the letter's timeline");
                self.delivery
                    .transactions
                    .sender_faults
                    .note(&format!("{}: {cure}", self.stage), self.transaction.now());
                self.note_failed();
                return self.await_mending(why).await;
            }
            Failure::Other(_) => return self.retry(why).await,
            // It will not say whether it has acted; perhaps later it will.
            Failure::Refused(_) if self.in_doubt => return self.retry(why).await,
            Failure::Refused(refusal) => refusal,
        };
        if refusal.code == OPTED_OUT
            && let LetterBody::Message(message) = &self.item.letter.body
        {
            let known = self.transaction.everybody_bound(letter, &message.to)?;
            self.transaction.hold(known.clone()).await;
            let opt_out = OptOut { channel: message.channel, address: &message.to, by: OptOutSource::Vendor };
            self.transaction.opt_out(&known, &opt_out)?;
        } else {
            self.hold_referral().await;
            if self.hand_over() {
                return self.conclude().await;
            }
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
            return self.give_up(NO_VENDOR, why).await;
        }
        let due = until.max(retry_at(now, self.item.letter.id, self.item.attempts));
        self.put_off(due, why).await
    }

    /// The letter's endpoint has not answered since then; nothing was sent.
    pub(super) async fn turn_away(self, endpoint: &str, since: DateTime<Utc>) -> Result<AttemptOutcome, PipelineError> {
        let why = format!("the endpoint {endpoint} has not answered since {}", since.format("%Y-%m-%d %H:%M UTC"));
        self.give_up(NO_VENDOR, why).await
    }

    async fn put_off(mut self, due: DateTime<Utc>, why: String) -> Result<AttemptOutcome, PipelineError> {
        let (letter, attempts, in_doubt) = (self.item.letter.id, self.item.attempts + 1, self.in_doubt);
        let now = self.transaction.now();
        let expired = self.item.letter.expires.is_some_and(|expires| due > expires);
        let (queues, patience) = (&self.delivery.transactions.queues, self.patience());
        let given_up = self.asked.as_deref().and_then(|endpoint| queues.given_up(endpoint, patience, now));
        if attempts >= ATTEMPTS_MAX || (expired && !in_doubt) || given_up.is_some() {
            return self.give_up(if expired { EXPIRED } else { NO_VENDOR }, why).await;
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
    async fn give_up(mut self, code: &str, why: String) -> Result<AttemptOutcome, PipelineError> {
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
            | LetterBody::Task(_) => given_up(&self.item, LetterStatus::Undeliverable { code: code.into() }),
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
                reach.address =
                    self.draft.sealing.seal(&patient, field, &self.from.country.canonical(written.as_str())).0;
            }
            record.reaches.push(reach);
        }
        if !names.is_empty() {
            self.draft.named_as(referral, names);
        }
        // A plugin that may not read a language hands on what stands for it.
        for language in record.languages.iter_mut().filter(|language| token::find(language).next().is_some()) {
            *language = self.reveal(&Token(language.clone()))?.as_str().to_string();
        }
        let home = match &record.postal_code {
            Some(token) => {
                let clear = self.reveal(&Token(token.clone()))?;
                let here = self.from.country.code();
                calendar::home_of("", clear.as_str(), here).or_else(|| calendar::home_of(clear.as_str(), "", here))
            }
            None => None,
        };
        Ok(from_wit::record(record, home))
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
