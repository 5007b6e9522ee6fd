//! What a patient's reply means, and whom it binds: read by the reply stage, recorded with its reading, told to the referral.

use chrono::TimeDelta;
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

/// So long people answer what they were written.
const LATELY: TimeDelta = TimeDelta::days(30);

/// A reply, and what it answers.
struct Said<'a> {
    clear: &'a str,
    token: &'a Token,
    /// Of the letter that it answers.
    language: String,
    asked: Asked,
}

impl Transaction<'_> {
    /// Somebody answers a letter that came by `vendor`, from an address that these referrals have, the likeliest first. One
    /// handset may be several patients', and one patient may be referred twice.
    pub(super) fn reply(
        &mut self,
        known: &[ReferralId],
        vendor: &str,
        reply: InboundReply,
    ) -> Result<(), PipelineError> {
        let Some(&likeliest) = known.first() else { return Ok(()) };
        let channel = self.deployment.channel_of(vendor).unwrap_or(Channel::Sms);
        let (text, from) = (self.reveal(&Token(reply.text))?, Token(reply.from));
        let meant = self.named_in(known, text.as_str())?;
        let referral = self.current(meant.unwrap_or(likeliest))?;
        let last = referral.facts.last_letter.as_ref();
        let language = last.map(|letter| letter.language.clone());
        let language = language.or_else(|| referral.facts.patient.languages.first().cloned()).unwrap_or("en".into());
        let asked = last.map_or(Asked::Info, |letter| letter.asked);
        // Sealed anew under the patient it turned out to be from, so that erasing the patient erases the reply.
        let token = self.draft.sealing.seal(&referral.facts.patient.id, "reply", text.as_str());
        let said = Said { clear: text.as_str(), token: &token, language, asked };
        let reading = self.understand(Some(referral.id), said)?;
        // A STOP is about the handset, and an emergency about whoever holds it: every referral hears of it.
        if matches!(reading.intent, Intent::OptOut | Intent::Emergency) {
            return known.iter().try_for_each(|id| self.hear(*id, channel, &from, text.as_str(), &reading));
        }
        let written_to = |id: &&ReferralId| self.current(**id).is_ok_and(|it| it.facts.last_letter.is_some());
        let several = known.iter().filter(written_to).count() > 1 || self.may_be_about_another(&from, &referral)?;
        let is_ambiguous = meant.is_none() && several;
        let reading = match is_ambiguous && moves_one(reading.intent) {
            // Whom it means, a person asks.
            true => event::Reply { intent: Intent::Unclear, ..reading },
            false => reading,
        };
        self.hear(referral.id, channel, &from, text.as_str(), &reading)
    }

    /// One referral hears of a reply.
    fn hear(
        &mut self,
        id: ReferralId,
        channel: Channel,
        from: &Token,
        text: &str,
        reading: &event::Reply,
    ) -> Result<(), PipelineError> {
        let referral = self.current(id)?;
        if matches!(reading.intent, Intent::OptOut | Intent::OptIn) {
            let (granted, why) = (reading.intent == Intent::OptIn, "the patient replied so");
            self.note_consents(&referral, channel, granted, why)?;
            self.note_consent(from, channel, granted, why)?;
        }
        let own = self.own_address(&referral, channel, from)?;
        let token = self.draft.sealing.seal(&referral.facts.patient.id, "reply", text);
        let reply = event::Reply { channel, from: own, text: token, ..reading.clone() };
        let since = self.draft.records().len();
        self.transition(id, Event::Reply { reply: reply.clone() })?;
        self.see_that_it_is_read(&referral, &reply, since)
    }

    /// Whether somebody else with this handset, whose referral has ended, was written to lately: what is said may answer that.
    fn may_be_about_another(&self, from: &Token, likeliest: &Referral) -> Result<bool, PipelineError> {
        let since = self.now() - LATELY;
        let others = self.with_address(from)?;
        Ok(others.iter().any(|other| {
            let is_another = other.facts.patient.id != likeliest.facts.patient.id;
            is_another && other.facts.last_letter.as_ref().is_some_and(|letter| letter.at > since)
        }))
    }

    /// The only one of several referrals that a reply names: by its patient's given name, or by its specialist's name.
    fn named_in(&self, known: &[ReferralId], text: &str) -> Result<Option<ReferralId>, PipelineError> {
        if known.len() < 2 {
            return Ok(None);
        }
        let words: Vec<String> = text.split(|c: char| !c.is_alphabetic()).map(str::to_lowercase).collect();
        let is_said = |name: &str| {
            let name = name.to_lowercase();
            name.chars().count() > 2 && words.contains(&name)
        };
        let mut named = Vec::new();
        for id in known {
            let referral = self.current(*id)?;
            let given = self.reveal(&referral.facts.patient.given)?;
            let specialist = referral.facts.order.specialist.as_ref();
            let specialist = specialist.and_then(|it| it.name.rsplit(' ').next()).unwrap_or_default();
            if is_said(given.as_str()) || is_said(specialist) {
                named.push(*id);
            }
        }
        Ok(if let [only] = named[..] { Some(only) } else { None })
    }

    /// Somebody writes whom we know by no letter. Their STOP holds for the number all the same. What they meant.
    pub(super) fn reply_of_stranger(&mut self, vendor: &str, reply: InboundReply) -> Result<Intent, PipelineError> {
        let (from, text) = (Token(reply.from), Token(reply.text));
        let clear = self.reveal(&text)?;
        let said = Said { clear: clear.as_str(), token: &text, language: "en".into(), asked: Asked::Info };
        let reading = self.understand(None, said)?;
        let channel = self.deployment.channel_of(vendor).unwrap_or(Channel::Sms);
        if matches!(reading.intent, Intent::OptOut | Intent::OptIn) {
            self.note_consent(&from, channel, reading.intent == Intent::OptIn, "the sender replied so")?;
        }
        Ok(reading.intent)
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
}

/// Whether a reply of this kind moves the referral that it is about, and would be wrong about another.
fn moves_one(intent: Intent) -> bool {
    match intent {
        Intent::CancelVisit
        | Intent::Decline
        | Intent::Reschedule
        | Intent::Scheduled
        | Intent::Attended
        | Intent::Confirm => true,
        Intent::Emergency
        | Intent::OptOut
        | Intent::WrongPerson
        | Intent::OptIn
        | Intent::Help
        | Intent::Question
        | Intent::Unclear => false,
    }
}
