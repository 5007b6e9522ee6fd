//! Asking plugins and the gate. Every decision is written down with what it was made from, so that it can be made again.

use std::sync::atomic::Ordering;

use chrono::{DateTime, Utc};
use handoff_engine::ids::{Digest, ReferralId, Token};
use handoff_engine::letter::Message;
use handoff_engine::referral::{Channel, Consent, Referral};
use handoff_engine::render::measure_sms;
use handoff_host::{Answer, Call};
use handoff_store::Json;
use handoff_store::entry::Record;
use handoff_vault::Clear;

use crate::contact_rules;
use crate::contact_rules::{Passage, Verdict};
use crate::deployments::Installed;
use crate::pipeline::{Line, LineError};
use crate::transaction::draft::Draft;

impl Line {
    /// One call of a stage's plugin, unrecorded: for what is recorded elsewhere or changes nothing.
    #[tracing::instrument(name = "plugin", level = "debug", skip_all, fields(stage))]
    pub(crate) fn call(&self, installed: &Installed, stage: &str, call: &Call) -> Result<Answer, LineError> {
        let plugin = installed.plugin(stage)?;
        self.plugin_calls.fetch_add(1, Ordering::Relaxed);
        Ok(self.host.call(plugin, call)?)
    }

    /// A decision for a referral, recorded.
    pub(super) fn decide(
        &self,
        installed: &Installed,
        draft: &mut Draft<'_>,
        stage: &str,
        referral: ReferralId,
        call: &Call,
    ) -> Result<Answer, LineError> {
        let answer = self.call(installed, stage, call).inspect_err(|fault| {
            tracing::error!(stage, %referral, %fault, "a decision failed; a person decides");
            self.note_failed(installed.deployment.digest, referral);
        })?;
        let plugin = installed.digest(stage)?;
        draft.decided(Some(referral), stage, plugin, Json::of(call)?, Digest(answer.digest().0));
        Ok(answer)
    }

    /// Whether and when a message may go to this patient.
    pub(crate) fn admit(
        &self,
        installed: &Installed,
        draft: &Draft<'_>,
        referral: &Referral,
        message: &Message,
        expires: Option<DateTime<Utc>>,
    ) -> Result<Verdict, LineError> {
        let name = self.address_name(draft, &message.to)?;
        let texted = match message.channel {
            Channel::Sms => self.texted(&name)?,
            Channel::Email | Channel::Portal => Vec::new(),
        };
        let passage = Passage {
            channel: message.channel,
            consent: self.consent(&name, referral, &message.to, message.channel)?,
            deceased: referral.facts.patient.deceased,
            zone: referral.facts.patient.zone,
            texted: &texted,
            units: measure_sms(&message.text).units,
            expires,
        };
        Ok(contact_rules::admit(&installed.workflow().contact, &passage, draft.now))
    }

    /// The (blinded) name by which the index knows an address, whoever's it is.
    pub(crate) fn address_name(&self, draft: &Draft<'_>, address: &Token) -> Result<String, LineError> {
        Ok(self.vault.blind("address", self.reveal(draft, address)?.as_str()))
    }

    /// The patient's last word about an address: given to us under its name, else as the chart has it.
    pub(super) fn consent(
        &self,
        name: &str,
        referral: &Referral,
        address: &Token,
        channel: Channel,
    ) -> Result<Option<bool>, LineError> {
        let on_file = self.store.index().consent(name)?;
        if let Some(word) = on_file.iter().find(|word| word.channel == channel.name()) {
            return Ok(Some(word.granted));
        }
        let reach = referral.facts.patient.reaches.iter().find(|reach| reach.address == *address);
        Ok(match reach.map(|reach| reach.consent) {
            Some(Consent::Granted) => Some(true),
            Some(Consent::Denied) => Some(false),
            Some(Consent::Unknown) | None => None,
        })
    }

    /// When texts went to the number of this name, over all referrals of whoever answers it, and when those still owed will go.
    fn texted(&self, name: &str) -> Result<Vec<DateTime<Utc>>, LineError> {
        let mut texted = Vec::new();
        for id in self.store.index().find(name)? {
            if let Some(referral) = self.store.index().referral(&id)? {
                let attempts = &referral.facts.attempts;
                texted.extend(attempts.iter().filter(|a| a.channel == Channel::Sms).map(|a| a.at));
            }
        }
        Ok(texted)
    }

    /// The patient gave or withdrew consent for an address, whichever referral it was about.
    pub(crate) fn note_consent(
        &self,
        draft: &mut Draft<'_>,
        address: &Token,
        channel: Channel,
        granted: bool,
        why: &str,
    ) -> Result<(), LineError> {
        let address = self.address_name(draft, address)?;
        draft.record(Record::Consented { address, channel: channel.name().into(), granted, why: why.into() });
        Ok(())
    }

    pub(crate) fn reveal(&self, draft: &Draft<'_>, token: &Token) -> Result<Clear, LineError> {
        Ok(draft.sealing.reveal(token)?)
    }
}
