//! One rule for every word about being written to, whoever carries it: the patient's reply, a vendor that has blocked the number, a person
//! who was told on the telephone or on paper ([`super::acts`]).
//!
//! It is about the address, so it binds every referral that has it, at once; and about all of a patient's addresses where the
//! workflow says so (`opt_out: all`). One that has been heard already raises no second task (`engine/src/step.rs`).

use std::cmp::Reverse;
use std::sync::Arc;

use handoff_engine::event::{Event, OptOutSource};
use handoff_engine::ids::{LetterId, ReferralId, Token};
use handoff_engine::referral::{Channel, Referral};

use crate::error::PipelineError;
use crate::transaction::Transaction;

/// Somebody wants no more messages at an address, and it was no reply of theirs that said so.
pub(crate) struct OptOut<'a> {
    pub channel: Channel,
    pub address: &'a Token,
    pub by: OptOutSource,
}

impl Transaction<'_> {
    /// Everybody whom a word from this address is about, the likeliest first: the open referrals that have it, the one that was
    /// written to last before others; where none is open, the one that was written to last. An address that nobody has: none. What
    /// was a patient's number and is theirs no more is a stranger's.
    pub(crate) fn everybody_at(&self, address: &Token) -> Result<Vec<ReferralId>, PipelineError> {
        let mut known = self.with_address(address)?;
        let written_at = |referral: &Referral| referral.facts.last_letter.as_ref().map(|letter| letter.at);
        let is_open = |referral: &Referral| !self.from.deployments.ended(referral);
        known.sort_by_key(|referral| Reverse((is_open(referral), written_at(referral), referral.id)));
        let open = known.iter().filter(|referral| is_open(referral)).count();
        known.truncate(open.max(1));
        Ok(known.into_iter().map(|referral| referral.id).collect())
    }

    /// Every referral whose patient has this address, those that have ended among them.
    pub(crate) fn with_address(&self, address: &Token) -> Result<Vec<Arc<Referral>>, PipelineError> {
        let index = self.from.store.index();
        let name = self.address_name(address)?;
        let mut known = Vec::new();
        for id in index.find(&name)? {
            let Some(referral) = index.referral(&id)? else { continue };
            for reach in &referral.facts.patient.reaches {
                if self.address_name(&reach.address)? == name {
                    known.push(Arc::clone(&referral));
                    break;
                }
            }
        }
        Ok(known)
    }

    /// Whom a vendor's word about the address of a letter binds: everybody there, and whoever the letter is to, though by now they may
    /// have another number.
    pub(crate) fn everybody_bound(&self, letter: LetterId, address: &Token) -> Result<Vec<ReferralId>, PipelineError> {
        let mut bound = self.everybody_at(address)?;
        if !bound.contains(&letter.referral) {
            bound.push(letter.referral);
        }
        Ok(bound)
    }

    /// Nobody writes there any more. `known` is [`Transaction::everybody_bound`], and held.
    pub(crate) fn opt_out(&mut self, known: &[ReferralId], opt_out: &OptOut<'_>) -> Result<(), PipelineError> {
        let OptOut { channel, address, by } = *opt_out;
        let why = match by {
            OptOutSource::Vendor => "the vendor says so",
        };
        self.note_consent(address, channel, false, why)?;
        for id in known {
            let referral = self.current(*id)?;
            self.note_consents(&referral, channel, false, why)?;
            let from = self.own_address(&referral, channel, address)?;
            self.transition(*id, Event::OptedOut { channel, from, by })?;
        }
        Ok(())
    }

    /// The patient's word about a channel holds for every address of it that is on file; opting out of one channel opts out of
    /// all where the workflow says so. Returns the addresses.
    pub(crate) fn note_consents(
        &mut self,
        referral: &Referral,
        channel: Channel,
        granted: bool,
        why: &str,
    ) -> Result<Vec<Token>, PipelineError> {
        let everything = !granted && self.deployment.opts_out_of_everything();
        let mut noted = Vec::new();
        for reach in referral.facts.patient.reaches.iter().filter(|it| everything || it.channel == channel) {
            self.note_consent(&reach.address, reach.channel, granted, why)?;
            noted.push(reach.address.clone());
        }
        Ok(noted)
    }

    /// The token by which the referral has an address.
    pub(crate) fn own_address(
        &self,
        referral: &Referral,
        channel: Channel,
        address: &Token,
    ) -> Result<Option<Token>, PipelineError> {
        let name = self.address_name(address)?;
        for reach in referral.facts.patient.reaches.iter().filter(|reach| reach.channel == channel) {
            if self.address_name(&reach.address)? == name {
                return Ok(Some(reach.address.clone()));
            }
        }
        Ok(None)
    }
}
