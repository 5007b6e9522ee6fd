//! A vendor that does not carry a letter makes room for the next: it refuses, its attempts are spent, it has not answered for
//! too long, or its plugin keeps failing. Where the workflow names no other, the referral hears of it and chooses another channel.
//!
//! Invariant: never while it is in doubt whether this vendor has acted. Only its own answer ends that.

use handoff_egress::pacing::Patience;
use handoff_engine::letter::{Letter, LetterBody, Message};

use super::attempt::DeliveryAttempt;

impl DeliveryAttempt<'_> {
    /// The letter as it is owed to the next vendor for its channel.
    pub(super) fn for_next_vendor(&self) -> Option<Letter> {
        let letter = &self.item.letter;
        let LetterBody::Message(message) = &letter.body else { return None };
        if self.in_doubt || letter.expires.is_some_and(|expires| self.transaction.now() > expires) {
            return None;
        }
        let mut vendors_tried = message.vendors_tried.clone();
        vendors_tried.push(self.stage.clone());
        self.transaction.deployment.carrier(message.channel, &vendors_tried)?;
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
