//! Asking plugins and the contact rules. Every decision is written down with what it was made from, so that it can be made again.

use chrono::{DateTime, Utc};
use handoff_engine::ids::{BlindedName, Digest, LetterId, ReferralId, StageKey, Token};
use handoff_engine::letter::Message;
use handoff_engine::referral::{Attempt, AttemptOutcome, Channel, Consent, Referral};
use handoff_engine::render::measure_sms;
use handoff_host::{Answer, Call};
use handoff_store::Json;
use handoff_store::entry::Record;
use handoff_vault::Clear;

use crate::contact_rules;
use crate::contact_rules::{ContactVerdict, Passage};
use crate::error::PipelineError;
use crate::transaction::Transaction;

impl Transaction<'_> {
    /// One call of a stage's plugin, unrecorded: for what is recorded elsewhere or changes nothing.
    pub(crate) fn call(&self, stage: &StageKey, call: &Call) -> Result<Answer, PipelineError> {
        self.from.call(&self.deployment, stage, call)
    }

    /// A decision for a referral, recorded.
    pub(super) fn decide(
        &mut self,
        stage: &StageKey,
        referral: ReferralId,
        call: &Call,
    ) -> Result<Answer, PipelineError> {
        let answer = self.call(stage, call).inspect_err(|fault| {
            tracing::error!(%stage, %referral, %fault, "a decision failed; a person decides");
            self.from.canary.note_failed(self.deployment.deployment.digest, referral);
        })?;
        let plugin = self.deployment.digest(stage)?;
        self.draft.decided(Some(referral), stage, plugin, Json::of(call)?, Digest(answer.digest().0));
        Ok(answer)
    }

    /// Whether and when a message may go to this patient.
    pub(crate) fn admit(
        &self,
        referral: &Referral,
        letter: LetterId,
        message: &Message,
        expires: Option<DateTime<Utc>>,
    ) -> Result<ContactVerdict, PipelineError> {
        let name = self.address_name(&message.to)?;
        let texted = match message.channel {
            Channel::Sms => self.texted(&name, letter)?,
            Channel::Email | Channel::Portal => Vec::new(),
        };
        let is_barred = match &self.from.test_recipients {
            Some(listed) => !listed.contains(&self.from.country.canonical(self.reveal(&message.to)?.as_str())),
            None => false,
        };
        let passage = Passage {
            is_barred,
            channel: message.channel,
            consent: self.consent(&name, referral, &message.to, message.channel)?,
            deceased: referral.facts.patient.deceased,
            zone: referral.facts.patient.zone,
            other_zone: referral.facts.patient.other_zone,
            texted: &texted,
            units: measure_sms(&message.text).units,
            expires,
        };
        Ok(contact_rules::admit(&self.deployment.workflow().contact, &passage, self.now()))
    }

    /// The (blinded) name by which the index knows an address, whoever's it is, and however it is written.
    pub(crate) fn address_name(&self, address: &Token) -> Result<BlindedName, PipelineError> {
        Ok(self.from.vault.blind("address", &self.from.country.canonical(self.reveal(address)?.as_str())))
    }

    /// The patient's last word about an address: given to us under its name, else as the chart has it.
    pub(super) fn consent(
        &self,
        name: &BlindedName,
        referral: &Referral,
        address: &Token,
        channel: Channel,
    ) -> Result<Option<bool>, PipelineError> {
        let on_file = self.from.store.index().consent(name)?;
        if let Some(word) = on_file.iter().find(|word| word.channel == channel) {
            return Ok(Some(word.granted));
        }
        let reach = referral.facts.patient.reaches.iter().find(|reach| reach.address == *address);
        Ok(match reach.map(|reach| reach.consent) {
            Some(Consent::Granted) => Some(true),
            Some(Consent::Denied) => Some(false),
            Some(Consent::Unknown) | None => None,
        })
    }

    /// When texts went to the number of this name, over all referrals of whoever answers it, but for `letter` itself: one that goes again
    /// because it did not arrive is no second text.
    fn texted(&self, name: &BlindedName, letter: LetterId) -> Result<Vec<DateTime<Utc>>, PipelineError> {
        let mut texted = Vec::new();
        for id in self.from.store.index().find(name)? {
            if let Some(referral) = self.from.store.index().referral(&id)? {
                let went = |attempt: &&Attempt| {
                    attempt.channel == Channel::Sms
                        && attempt.letter != letter
                        && attempt.outcome != AttemptOutcome::Unsent
                };
                texted.extend(referral.facts.attempts.iter().filter(went).map(|attempt| attempt.at));
            }
        }
        Ok(texted)
    }

    /// The patient gave or withdrew consent for an address, whichever referral it was about.
    pub(crate) fn note_consent(
        &mut self,
        address: &Token,
        channel: Channel,
        granted: bool,
        why: &str,
    ) -> Result<(), PipelineError> {
        let address = self.address_name(address)?;
        self.draft.record(Record::Consented { address, channel, granted, why: why.into() });
        Ok(())
    }

    pub(crate) fn reveal(&self, token: &Token) -> Result<Clear, PipelineError> {
        Ok(self.draft.sealing.reveal(token)?)
    }
}
