//! Response -> receipt -> event. What became of a letter, written down with the words that led there.

use chrono::{DateTime, TimeDelta, Utc};
use handoff_engine::calendar;
use handoff_engine::event::{Errand, Event, LetterStatus, PatientRecord, VisitFinding};
use handoff_engine::ids::{LetterId, ReferralId, Token};
use handoff_engine::letter::{LetterBody, Message};
use handoff_engine::referral::SentLetter;
use handoff_host::End;
use handoff_host::contract::types::Failure;
use handoff_host::contract::{carrier, retrieval};
use handoff_store::entry::Record;
use handoff_store::index::OutboxItem;

use super::conversation::{Seen, Taken};
use super::outbox::{ATTEMPTS_MAX, retry_at};
use crate::from_wit;
use crate::intake::callback::{vendor_name, vendor_of};
use crate::pipeline::{Line, LineError};
use crate::transaction::draft::Draft;

/// A stage whose set-up is wrong is tried again this often, in case IT has mended it.
const MISCONFIGURED_RETRY: TimeDelta = TimeDelta::hours(1);

/// The refusal that is the patient's own: no other vendor may try. See `wit/types.wit`.
const OPTED_OUT: &str = "opted-out";

/// When nobody could say whether the patient attended, ask again after so long.
const ASK_AGAIN_HOURS: u32 = 24;

impl Line {
    /// The receipt is in: the letter leaves the outbox, and the referral hears of it.
    pub(super) async fn receive(&self, taken: Taken<'_>, end: End) -> Result<Seen, LineError> {
        let Taken { item, mut draft, stage, .. } = taken;
        let letter = item.letter.id;
        let _held = self.referrals.hold_one(letter.referral).await;
        let mut vendor_id = None;
        let (outcome, events) = match (end, &item.letter.body) {
            (End::Receipt(receipt), LetterBody::Message(message)) => {
                if !receipt.vendor_id.is_empty() {
                    vendor_id = Some(vendor_name(vendor_of(&stage), &receipt.vendor_id));
                }
                received(&draft, letter, message, receipt)
            }
            (End::Record(record), _) => {
                let found = if record.is_some() { "found" } else { "missing" };
                let record = record.map(|record| self.learn(&mut draft, letter.referral, record)).transpose()?;
                (found.into(), vec![Event::Record { record: record.map(Box::new) }])
            }
            (End::Finding(finding), _) => {
                let finding = from_wit::finding(finding, draft.now);
                let word = match finding {
                    VisitFinding::Attended { .. } => "attended",
                    VisitFinding::NoShow => "no-show",
                    VisitFinding::Cancelled => "cancelled",
                    VisitFinding::Moved { .. } => "moved",
                    VisitFinding::Open { .. } => "open",
                };
                (word.into(), vec![Event::Visit { finding }])
            }
            (End::Written(written), _) => done_with(Errand::Chart, written.references.join(" ")),
            (End::Raised(raised), _) => done_with(Errand::Task, raised.reference),
            (End::Receipt(_), _) => ("answered for another letter".into(), Vec::new()),
        };
        draft.record(Record::Received { letter, outcome, vendor_id });
        for event in events {
            self.transition(&mut draft, letter.referral, event)?;
        }
        self.commit(draft).await?;
        Ok(Seen::Concluded)
    }

    /// The plugin gave up, in the words of what happens next.
    pub(super) async fn fail(&self, mut taken: Taken<'_>, failure: Failure) -> Result<Seen, LineError> {
        let letter = taken.item.letter.id;
        let why = reason(&failure);
        let refusal = match failure {
            Failure::RetryAfter(retry) => {
                let now = taken.draft.now;
                let asked_for = now + TimeDelta::seconds(i64::from(retry.seconds));
                let due = asked_for.max(retry_at(now, letter, taken.item.attempts));
                return self.put_off(taken, due, why).await;
            }
            Failure::Misconfigured(_) => {
                tracing::error!(stage = taken.stage, %letter, "the stage's set-up is wrong; see the letter's timeline");
                self.note_failed(taken.installed.deployment.digest, letter.referral);
                return self.await_mending(taken, why).await;
            }
            Failure::Other(_) => return self.retry(taken, why).await,
            // It will not say whether it has acted; perhaps later it will.
            Failure::Refused(_) if taken.in_doubt => return self.retry(taken, why).await,
            Failure::Refused(refusal) => refusal,
        };
        let _held = self.referrals.hold_one(letter.referral).await;
        if refusal.code != OPTED_OUT && self.hand_over(&mut taken) {
            self.commit(taken.draft).await?;
            return Ok(Seen::Concluded);
        }
        let Taken { item, mut draft, .. } = taken;
        if refusal.code == OPTED_OUT
            && let LetterBody::Message(message) = &item.letter.body
        {
            self.note_consent(&mut draft, &message.to, message.channel, false, "the vendor says so")?;
        }
        draft.record(Record::Refused { letter, rule: refusal.code.clone() });
        let status = LetterStatus::Refused { code: refusal.code };
        self.transition(&mut draft, letter.referral, given_up(&item, status))?;
        self.commit(draft).await?;
        Ok(Seen::Concluded)
    }

    /// Tried again later, until this vendor's attempts are spent.
    pub(super) async fn retry(&self, taken: Taken<'_>, why: String) -> Result<Seen, LineError> {
        let due = retry_at(taken.draft.now, taken.item.letter.id, taken.item.attempts);
        self.put_off(taken, due, why).await
    }

    /// As [`Line::retry`], but the set-up has to change first.
    pub(super) async fn await_mending(&self, taken: Taken<'_>, why: String) -> Result<Seen, LineError> {
        let due = taken.draft.now + MISCONFIGURED_RETRY;
        self.put_off(taken, due, why).await
    }

    pub(super) async fn put_off(&self, taken: Taken<'_>, due: DateTime<Utc>, why: String) -> Result<Seen, LineError> {
        let Taken { item, in_doubt, draft, .. } = &taken;
        let (letter, attempts, in_doubt, now) = (item.letter.id, item.attempts + 1, *in_doubt, draft.now);
        let expired = item.letter.expires.is_some_and(|expires| due > expires);
        let patience = taken.patience();
        let given_up = taken.asked.as_deref().and_then(|endpoint| self.lanes.given_up(endpoint, patience, now));
        if attempts >= ATTEMPTS_MAX || (expired && !in_doubt) || given_up.is_some() {
            return self.give_up(taken, why).await;
        }
        let _held = self.referrals.hold_one(letter.referral).await;
        let Taken { item, mut draft, .. } = taken;
        // Invariant: doubt ends with an answer, never with time.
        draft.record(Record::Deferred { letter, due, attempts, why, in_doubt });
        if let (true, LetterBody::Message(message)) = (in_doubt, &item.letter.body) {
            let referral = self.current(&draft, letter.referral)?;
            if !referral.facts.attempts.iter().any(|attempt| attempt.letter == letter) {
                let event = sent(&draft, letter, message, true);
                self.transition(&mut draft, letter.referral, event)?;
            }
        }
        self.commit(draft).await?;
        Ok(Seen::Concluded)
    }

    pub(super) async fn drop_dead(&self, item: &OutboxItem, why: &str) -> Result<Seen, LineError> {
        let mut draft = self.draft();
        let (letter, in_doubt) = (item.letter.id, item.in_doubt());
        draft.record(Record::Dropped { letter, dead: true, why: why.into(), in_doubt });
        self.commit(draft).await?;
        Ok(Seen::Concluded)
    }

    /// What the chart knows, in our words; new addresses find the referral from now on.
    fn learn(
        &self,
        draft: &mut Draft<'_>,
        referral: ReferralId,
        record: retrieval::PatientRecord,
    ) -> Result<PatientRecord, LineError> {
        let mut names = Vec::new();
        for reach in &record.reaches {
            let clear = self.reveal(draft, &Token(reach.address.clone()))?;
            names.push(self.vault.blind("address", clear.as_str()));
        }
        if !names.is_empty() {
            draft.named_as(referral, names);
        }
        let zone = match &record.postal_code {
            Some(token) => {
                let clear = self.reveal(draft, &Token(token.clone()))?;
                calendar::zone_of("", clear.as_str())
            }
            None => None,
        };
        Ok(from_wit::record(record, zone))
    }
}

/// What a referral hears of a letter that will not be seen through.
pub(super) fn given_up(item: &OutboxItem, status: LetterStatus) -> Event {
    match &item.letter.body {
        LetterBody::Message(message) => {
            Event::LetterStatus { letter: item.letter.id, status, channel: Some(message.channel) }
        }
        LetterBody::ReadRecord => Event::Record { record: None },
        LetterBody::CheckVisit => Event::Visit { finding: VisitFinding::Open { again_in_hours: ASK_AGAIN_HOURS } },
        LetterBody::WriteChart { .. } => {
            Event::Done { what: Errand::Chart, succeeded: false, reference: String::new() }
        }
        LetterBody::Task(_) => Event::Done { what: Errand::Task, succeeded: false, reference: String::new() },
    }
}

fn received(draft: &Draft<'_>, letter: LetterId, message: &Message, receipt: carrier::Receipt) -> (String, Vec<Event>) {
    let outcome = match &receipt.outcome {
        carrier::Outcome::Accepted => "accepted".into(),
        carrier::Outcome::Delivered => "delivered".into(),
        carrier::Outcome::Undeliverable(code) => format!("undeliverable: {code}"),
        carrier::Outcome::Unknown => "unknown".into(),
    };
    let mut events = vec![sent(draft, letter, message, false)];
    let status = from_wit::letter_status(receipt.outcome);
    events.extend(status.map(|status| Event::LetterStatus { letter, status, channel: None }));
    (outcome, events)
}

/// What a referral hears of a message that left, or that may have left.
pub(super) fn sent(draft: &Draft<'_>, letter: LetterId, message: &Message, in_doubt: bool) -> Event {
    Event::LetterSent {
        in_doubt,
        letter: SentLetter {
            id: letter,
            template: message.template.clone(),
            channel: message.channel,
            language: message.language.clone(),
            asked: message.asked,
            at: draft.now,
        },
    }
}

fn done_with(what: Errand, reference: String) -> (String, Vec<Event>) {
    ("done".into(), vec![Event::Done { what, succeeded: true, reference }])
}

/// A failure in a few words, for the timeline.
pub(crate) fn reason(failure: &Failure) -> String {
    match failure {
        Failure::RetryAfter(retry) => format!("retry after {} s: {}", retry.seconds, retry.reason),
        Failure::Refused(refusal) => format!("refused ({}): {}", refusal.code, refusal.reason),
        Failure::Misconfigured(what) => format!("misconfigured: {what}"),
        Failure::Other(what) => what.clone(),
    }
}
