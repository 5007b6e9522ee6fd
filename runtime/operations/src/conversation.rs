//! What was said between Handoff and a patient: each message with what became of it, each reply with how it was read. Built only
//! with a look that the journal has.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use handoff_engine::event::{Event, Intent, LetterStatus};
use handoff_engine::ids::{LetterId, ReferralId};
use handoff_engine::letter::LetterBody;
use handoff_engine::referral::Channel;
use handoff_store::{Entry, Record};

use crate::access_log::PhiAccess;

/// One side's words.
#[derive(Clone, Debug, PartialEq)]
pub enum Utterance {
    ByUs { letter: LetterId, template: String, channel: Channel, language: String, text: String, status: MessageStatus },
    ByPatient { channel: Channel, language: String, text: String, intent: Intent, confidence: u8 },
}

/// What became of a message.
#[derive(Clone, Debug, PartialEq)]
pub enum MessageStatus {
    Waiting {
        due: DateTime<Utc>,
    },
    Sent,
    Delivered,
    NotDelivered,
    /// It was not sent, and will not be.
    NotSent {
        why: String,
    },
    /// Nobody knows whether it left.
    InDoubt,
}

#[derive(Clone, Debug, PartialEq)]
pub struct UtteredAt {
    pub at: DateTime<Utc>,
    pub said: Utterance,
}

/// Reads a referral's entries in their order.
pub struct ReferralThread<'o> {
    referral: ReferralId,
    look: &'o PhiAccess<'o>,
    said: Vec<UtteredAt>,
    /// Where each message stands among what was said.
    places: BTreeMap<LetterId, usize>,
}

impl<'o> ReferralThread<'o> {
    pub fn new(referral: ReferralId, look: &'o PhiAccess<'o>) -> ReferralThread<'o> {
        ReferralThread { referral, look, said: Vec::new(), places: BTreeMap::new() }
    }

    pub fn read(&mut self, entry: &Entry) {
        for record in &entry.records {
            if let Record::Queued { letter, .. } = record
                && letter.id.referral == self.referral
                && let LetterBody::Message(message) = &letter.body
            {
                let said = Utterance::ByUs {
                    letter: letter.id,
                    template: message.template.clone(),
                    channel: message.channel,
                    language: message.language.clone(),
                    text: self.look.read(&message.text),
                    status: MessageStatus::Waiting { due: letter.due },
                };
                self.places.insert(letter.id, self.said.len());
                self.said.push(UtteredAt { at: letter.due.max(entry.at), said });
            }
            if let Record::Happened { referral, event } = record
                && *referral == self.referral
            {
                self.happened(event, entry.at);
            }
            self.became(record, entry.at);
        }
    }

    /// In the order of time; what has not left stands where it will leave.
    pub fn finish(mut self) -> Vec<UtteredAt> {
        self.said.sort_by_key(|said| said.at);
        self.said
    }

    fn happened(&mut self, event: &Event, at: DateTime<Utc>) {
        if let Event::Reply { reply } = event {
            let said = Utterance::ByPatient {
                channel: reply.channel,
                language: reply.language.clone(),
                text: self.look.reveal(&reply.text).unwrap_or_default(),
                intent: reply.intent,
                confidence: reply.confidence,
            };
            self.said.push(UtteredAt { at, said });
        }
        if let Event::LetterSent { letter, in_doubt } = event {
            let status = if *in_doubt { MessageStatus::InDoubt } else { MessageStatus::Sent };
            self.set(letter.id, status, Some(letter.at));
        }
        if let Event::LetterStatus { letter, status, .. } = event {
            let status = match status {
                LetterStatus::Delivered => MessageStatus::Delivered,
                LetterStatus::Undeliverable { .. } => MessageStatus::NotDelivered,
                LetterStatus::Refused { code } => MessageStatus::NotSent { why: code.clone() },
            };
            self.set(*letter, status, None);
        }
    }

    fn became(&mut self, record: &Record, at: DateTime<Utc>) {
        if let Record::Deferred { letter, due, in_doubt, .. } = record {
            let status = if *in_doubt { MessageStatus::InDoubt } else { MessageStatus::Waiting { due: *due } };
            self.set(*letter, status, Some(*due));
        }
        if let Record::Refused { letter, rule } = record {
            self.set(*letter, MessageStatus::NotSent { why: rule.clone() }, Some(at));
        }
        if let Record::Dropped { letter, why, in_doubt, .. } = record {
            let status = if *in_doubt { MessageStatus::InDoubt } else { MessageStatus::NotSent { why: why.clone() } };
            self.set(*letter, status, Some(at));
        }
    }

    fn set(&mut self, letter: LetterId, became: MessageStatus, moment: Option<DateTime<Utc>>) {
        let Some(place) = self.places.get(&letter) else { return };
        let said = &mut self.said[*place];
        if let Utterance::ByUs { status, .. } = &mut said.said {
            *status = became;
            said.at = moment.unwrap_or(said.at);
        }
    }
}
