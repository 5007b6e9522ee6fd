//! What a vendor reports of a message that it had taken: with its answer, in a callback, or in a callback that overtook the answer.
//!
//! Invariant: what passes, and what is the sender's own fault, is no fault of the patient's address. Such a message goes again, a few
//! times, as long as it still says what is to be said; then another way is taken, and a person sees that none of it arrived.

use chrono::TimeDelta;
use handoff_engine::event::{Event, LetterStatus, OptOutSource};
use handoff_engine::ids::{LetterId, ReferralId};
use handoff_engine::letter::{Letter, LetterBody, Message};
use handoff_engine::referral::AttemptOutcome;
use handoff_host::contract::carrier::Receipt;
use handoff_store::Record;
use handoff_store::index::Reported;

use super::letter_history::LetterHistory;
use crate::error::PipelineError;
use crate::from_wit;
use crate::referrals::opt_out::OptOut;
use crate::transaction::Transaction;

/// The words of `wit/outreach.wit` that the pipeline acts upon itself.
pub(crate) const OPTED_OUT: &str = "opted-out";
const PASSING: &str = "passing";
const SENDER: &str = "sender";
const UNREACHABLE: &str = "unreachable";

/// A handset is switched on again, or a carrier well again, within hours; a day's limit ends within a day.
const AGAIN_AFTER: TimeDelta = TimeDelta::hours(2);

/// A number that could not be reached in six hours is not reached by this letter.
const PASSING_MAX: u32 = 3;

/// Beyond a day whoever runs the instance has not mended it: another way must do.
const SENDER_MAX: u32 = 13;

/// The name under which a plugin says what is to be done about a fault of ours.
const CURE: &str = "cure";

/// What is news of a receipt.
pub(crate) fn reported(receipt: Receipt) -> Option<Reported> {
    let cure = receipt.extras.into_iter().find(|extra| extra.name == CURE).map(|extra| extra.value);
    from_wit::letter_status(receipt.outcome).map(|status| Reported { status, cure })
}

/// Why a message did not arrive; nothing for one that did.
fn code(status: &LetterStatus) -> &str {
    match status {
        LetterStatus::Delivered => "",
        LetterStatus::Undeliverable { code } | LetterStatus::Refused { code } => code,
    }
}

impl Transaction<'_> {
    /// Whom a report is about: whoever takes it in holds them.
    pub(crate) fn bound_by(&self, letter: LetterId, report: &Reported) -> Result<Vec<ReferralId>, PipelineError> {
        match self.message(letter)?.filter(|_| code(&report.status) == OPTED_OUT) {
            Some(message) => self.everybody_bound(letter, &message.to),
            None => Ok(vec![letter.referral]),
        }
    }

    /// A letter fared so. Everybody that it binds is held.
    pub(crate) fn report(&mut self, letter: LetterId, report: Reported) -> Result<(), PipelineError> {
        let mut status = report.status;
        match code(&status) {
            // First, so that nothing more is sent because this did not arrive.
            OPTED_OUT => {
                if let Some(message) = self.message(letter)? {
                    let known = self.everybody_bound(letter, &message.to)?;
                    let by = OptOutSource::Vendor;
                    self.opt_out(&known, &OptOut { channel: message.channel, address: &message.to, by })?;
                }
            }
            PASSING => {
                if self.send_again(letter, PASSING_MAX, "it may pass".into())? {
                    return Ok(());
                }
                status = LetterStatus::Undeliverable { code: UNREACHABLE.into() };
            }
            SENDER => {
                let cure = report.cure.unwrap_or_else(|| "the sender is at fault".into());
                self.note_sender_fault(letter, &cure);
                if self.send_again(letter, SENDER_MAX, cure.clone())? {
                    return Ok(());
                }
                self.draft.record(Record::Dropped { letter, dead: true, why: cure, in_doubt: false });
            }
            _ => {}
        }
        if status == LetterStatus::Delivered {
            self.keep_back(letter)?;
        }
        self.transition(letter.referral, Event::LetterStatus { letter, status, channel: None })
    }

    /// Owes a message once more that a vendor had taken and that did not arrive: to the next vendor where the sender's account with
    /// this one is at fault and there is another, else to the same after a while. False when it has lost its sense by now.
    fn send_again(&mut self, id: LetterId, most: u32, why: String) -> Result<bool, PipelineError> {
        if self.is_owed(id)? {
            return Ok(true);
        }
        let Some(LetterHistory { letter, stage, .. }) = self.from.letter_history(id)? else {
            return Ok(false);
        };
        let LetterBody::Message(message) = letter.body else { return Ok(false) };
        let mut due = self.now() + AGAIN_AFTER;
        let mut vendors_tried = message.vendors_tried.clone();
        if most == SENDER_MAX {
            vendors_tried.extend(stage);
            match self.deployment.carrier(message.channel, &vendors_tried) {
                Some(_) => due = self.now(),
                None => vendors_tried.clone_from(&message.vendors_tried),
            }
        }
        let is_late = letter.expires.is_some_and(|expires| due > expires);
        if message.again >= most || is_late || !self.is_last_word(id)? {
            return Ok(false);
        }
        let again = message.again + 1;
        let body = LetterBody::Message(Message { vendors_tried, again, ..message });
        self.draft.queue(Letter { due, body, ..letter });
        self.draft.record(Record::Deferred { letter: id, due, attempts: 0, why, in_doubt: false });
        Ok(true)
    }

    /// Whether a message is what was said last to the patient, nobody has answered it, and the referral stands where it stood then.
    fn is_last_word(&self, id: LetterId) -> Result<bool, PipelineError> {
        let referral = self.current(id.referral)?;
        let facts = &referral.facts;
        let is_pending = facts.attempts.iter().any(|it| it.letter == id && it.outcome == AttemptOutcome::Pending);
        let is_last = facts.last_letter.as_ref().is_some_and(|it| it.id == id && it.at >= referral.entered_at);
        Ok(is_pending && is_last && !self.from.deployments.ended(&referral))
    }

    /// Whether it is owed, this transaction's own receipt for it aside.
    fn is_owed(&self, id: LetterId) -> Result<bool, PipelineError> {
        let is_receipt = |record: &Record| matches!(record, Record::Received { letter, .. } if *letter == id);
        let is_taken = self.draft.records().iter().any(is_receipt);
        Ok(!is_taken && self.from.store.index().outbox(&id)?.is_some())
    }

    /// One that was owed again has arrived after all.
    fn keep_back(&mut self, letter: LetterId) -> Result<(), PipelineError> {
        if !self.is_owed(letter)? {
            return Ok(());
        }
        let owed = self.from.store.index().outbox(&letter)?;
        if owed.is_some_and(|item| !item.in_doubt())
            && self.draft.take_back(&self.from.leases, &self.from.queues, letter)
        {
            let why = "it has arrived".into();
            self.draft.record(Record::Dropped { letter, dead: false, why, in_doubt: false });
        }
        Ok(())
    }

    fn message(&self, letter: LetterId) -> Result<Option<Message>, PipelineError> {
        let known = self.from.letter_history(letter)?;
        Ok(known.and_then(|known| match known.letter.body {
            LetterBody::Message(message) => Some(message),
            LetterBody::ReadRecord | LetterBody::CheckVisit | LetterBody::WriteChart { .. } | LetterBody::Task(_) => {
                None
            }
        }))
    }

    fn note_sender_fault(&self, letter: LetterId, cure: &str) {
        tracing::error!(%letter, cure, "a vendor says that the sender is at fault; no patient's address is blamed");
        self.from.sender_faults.note(cure, self.now());
        self.from.canary.note_failed(self.deployment.deployment.digest, letter.referral);
    }
}
