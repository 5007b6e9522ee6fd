//! What a patient's reply means, and whom it binds: read by the reply stage, recorded with its reading, told to the referral.

use handoff_engine::error_chain::Chain;
use handoff_engine::event::{self, Event, Intent};
use handoff_engine::ids::{Digest, ReferralId, Token};
use handoff_engine::referral::{Asked, Channel, Referral};
use handoff_engine::workflow::StageKind;
use handoff_host::contract::carrier::InboundReply;
use handoff_host::contract::understanding;
use handoff_host::{self as host, Call};
use handoff_store::Json;

use crate::error::PipelineError;
use crate::transaction::Transaction;
use crate::{from_wit, to_wit};

/// A reply, and what it answers.
struct Said<'a> {
    clear: &'a str,
    token: &'a Token,
    /// Of the letter that it answers.
    language: String,
    asked: Asked,
}

impl Transaction<'_> {
    /// A patient answers a letter that came by `vendor`.
    pub(super) fn reply(&mut self, id: ReferralId, vendor: &str, reply: InboundReply) -> Result<(), PipelineError> {
        let referral = self.current(id)?;
        let channel = self.deployment.channel_of(vendor).unwrap_or(Channel::Sms);
        let text = self.reveal(&Token(reply.text))?;
        let last = referral.facts.last_letter.as_ref();
        let language = last.map(|letter| letter.language.clone());
        let language = language.or_else(|| referral.facts.patient.languages.first().cloned()).unwrap_or("en".into());
        let asked = last.map_or(Asked::Info, |letter| letter.asked);
        // Sealed anew under the patient it turned out to be from, so that erasing the patient erases the reply.
        let token = self.draft.sealing.seal(&referral.facts.patient.id, "reply", text.as_str());
        let reading = self.understand(Some(id), Said { clear: text.as_str(), token: &token, language, asked })?;
        let from = Token(reply.from);
        if matches!(reading.intent, Intent::OptOut | Intent::OptIn) {
            self.opt(&referral, channel, reading.intent == Intent::OptIn)?;
            self.note_consent(&from, channel, reading.intent == Intent::OptIn, "the patient replied so")?;
        }
        let from = self.own_address(&referral, channel, &from)?;
        let reply = event::Reply { channel, from, text: token, ..reading };
        self.transition(id, Event::Reply { reply })
    }

    /// The token by which the referral has the address that a reply came from.
    fn own_address(&self, referral: &Referral, channel: Channel, from: &Token) -> Result<Option<Token>, PipelineError> {
        let from = self.address_name(from)?;
        for reach in referral.facts.patient.reaches.iter().filter(|reach| reach.channel == channel) {
            if self.address_name(&reach.address)? == from {
                return Ok(Some(reach.address.clone()));
            }
        }
        Ok(None)
    }

    /// Somebody answers whom we know by no letter.
    pub(super) fn reply_of_stranger(&mut self, vendor: &str, reply: InboundReply) -> Result<(), PipelineError> {
        let (from, text) = (Token(reply.from), Token(reply.text));
        let clear = self.reveal(&text)?;
        let said = Said { clear: clear.as_str(), token: &text, language: "en".into(), asked: Asked::Info };
        let reading = self.understand(None, said)?;
        let channel = self.deployment.channel_of(vendor).unwrap_or(Channel::Sms);
        if matches!(reading.intent, Intent::OptOut | Intent::OptIn) {
            self.note_consent(&from, channel, reading.intent == Intent::OptIn, "the sender replied so")?;
        }
        Ok(())
    }

    /// What a reply means. A reply that the stage fails on is unclear, and a person reads it.
    fn understand(&mut self, referral: Option<ReferralId>, said: Said<'_>) -> Result<event::Reply, PipelineError> {
        let Said { clear, token, language, asked } = said;
        let settings = self.deployment.settings(&StageKind::Reply.into()).unwrap_or_default();
        let message = understanding::Message {
            text: clear.into(),
            language: language.clone(),
            asked: to_wit::question(asked),
            received_at: to_wit::instant(self.now()),
        };
        let mut recorded = message.clone();
        recorded.text = token.0.clone();
        let recorded = Json::of(&Call::Understand { message: recorded, settings: settings.clone() })?;
        let call = Call::Understand { message, settings };
        let unclear = event::Reply {
            intent: Intent::Unclear,
            language,
            confidence: 0,
            channel: Channel::Sms,
            from: None,
            text: token.clone(),
        };
        let answer = match self.call(&StageKind::Reply.into(), &call) {
            Ok(answer) => answer,
            Err(error) => {
                tracing::error!(error = %Chain(&error), "a reply could not be read; a person reads it");
                return Ok(unclear);
            }
        };
        let plugin = self.deployment.digest(&StageKind::Reply.into())?;
        self.draft.decided(referral, &StageKind::Reply.into(), plugin, recorded, Digest(answer.digest().0));
        let host::Answer::Understand(Ok(reading)) = answer else { return Ok(unclear) };
        Ok(event::Reply {
            intent: from_wit::intent(reading.intent),
            language: reading.language,
            confidence: reading.confidence,
            ..unclear
        })
    }

    /// Opting out of one channel opts out of all where the workflow says so: every address on file hears of it.
    fn opt(&mut self, referral: &Referral, channel: Channel, granted: bool) -> Result<(), PipelineError> {
        for reach in &referral.facts.patient.reaches {
            if reach.channel == channel || self.deployment.opts_out_of_everything() {
                self.note_consent(&reach.address, reach.channel, granted, "the patient replied so")?;
            }
        }
        Ok(())
    }
}
