//! A vendor that does not carry a letter makes room for the next: it refuses, its attempts are spent, it has not answered for
//! too long, or its plugin keeps failing. Where the workflow names no other, the referral hears of it and chooses another channel.
//!
//! Invariant: never while it is in doubt whether this vendor has acted. Only its own answer ends that.

use chrono::{DateTime, Utc};
use handoff_engine::event::LetterStatus;
use handoff_engine::letter::{Letter, LetterBody, Message};
use handoff_store::entry::Record;

use super::conversation::{Seen, Taken};
use super::outbox::retry_at;
use super::receipt::{given_up, sent};
use crate::pipeline::{Line, LineError};
use handoff_egress::pacing::Patience;

/// What a referral hears of a letter that no vendor could be made to carry. See `wit/outreach.wit`.
const UNREACHABLE: &str = "unreachable";

impl Taken<'_> {
    /// The letter as it is owed to the next vendor for its channel.
    fn for_next_vendor(&self) -> Option<Letter> {
        let letter = &self.item.letter;
        let LetterBody::Message(message) = &letter.body else { return None };
        if self.in_doubt || letter.expires.is_some_and(|expires| self.draft.now > expires) {
            return None;
        }
        let mut vendors_tried = message.vendors_tried.clone();
        vendors_tried.push(self.stage.clone());
        self.installed.carrier(message.channel, &vendors_tried)?;
        Some(Letter { body: LetterBody::Message(Message { vendors_tried, ..message.clone() }), ..letter.clone() })
    }

    /// How long it waits for an endpoint that does not answer.
    pub(super) fn patience(&self) -> Patience {
        match &self.item.letter.body {
            LetterBody::Message(_) if self.in_doubt => Patience::Endless,
            LetterBody::Message(_) if self.for_next_vendor().is_some() => Patience::UntilNextVendor,
            LetterBody::Message(_) => Patience::UntilNextChannel,
            LetterBody::ReadRecord | LetterBody::CheckVisit | LetterBody::WriteChart { .. } | LetterBody::Task(_) => {
                Patience::Endless
            }
        }
    }
}

impl Line {
    /// Owes the letter to the next vendor, with fresh attempts. False when there is none, or it may not go there.
    pub(super) fn hand_over(&self, taken: &mut Taken<'_>) -> bool {
        let Some(letter) = taken.for_next_vendor() else { return false };
        tracing::warn!(letter = %letter.id, stage = taken.stage, "the next vendor takes over");
        taken.draft.queue(letter);
        true
    }

    /// Its plugin gave no answer. One that keeps failing is not waited for where the workflow names another vendor.
    pub(super) async fn make_room(&self, taken: Taken<'_>, fault: LineError) -> Result<Seen, LineError> {
        let (now, why) = (taken.draft.now, fault.to_string());
        let plugin = taken.installed.digest(&taken.stage)?;
        let Some(until) = self.quarantine.rests_until(plugin, now) else { return self.retry(taken, why).await };
        if taken.for_next_vendor().is_some() {
            return self.give_up(taken, why).await;
        }
        let due = until.max(retry_at(now, taken.item.letter.id, taken.item.attempts));
        self.put_off(taken, due, why).await
    }

    /// The letter's endpoint has not answered since then; nothing was sent.
    pub(super) async fn turn_away(
        &self,
        taken: Taken<'_>,
        endpoint: &str,
        since: DateTime<Utc>,
    ) -> Result<Seen, LineError> {
        let why = format!("the endpoint {endpoint} has not answered since {}", since.format("%Y-%m-%d %H:%M UTC"));
        self.give_up(taken, why).await
    }

    /// This vendor has had its chance.
    pub(super) async fn give_up(&self, mut taken: Taken<'_>, why: String) -> Result<Seen, LineError> {
        let letter = taken.item.letter.id;
        let _held = self.referrals.hold_one(letter.referral).await;
        if self.hand_over(&mut taken) {
            self.commit(taken.draft).await?;
            return Ok(Seen::Concluded);
        }
        let Taken { item, installed, stage, in_doubt, mut draft, .. } = taken;
        tracing::error!(%letter, stage, "a letter waits for a person");
        self.note_failed(installed.deployment.digest, letter.referral);
        draft.record(Record::Dropped { letter, dead: true, why, in_doubt });
        let event = match &item.letter.body {
            // It may lie with the patient: what is decided next must not send the same again.
            LetterBody::Message(message) if in_doubt => sent(&draft, letter, message, true),
            _ => given_up(&item, LetterStatus::Undeliverable { code: UNREACHABLE.into() }),
        };
        self.transition(&mut draft, letter.referral, event)?;
        self.commit(draft).await?;
        Ok(Seen::Concluded)
    }
}
