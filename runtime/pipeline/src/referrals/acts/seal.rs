//! ActAnswers -> what the journal may have of them: patient data as tokens, an address in its one form, consent on file.

use handoff_engine::act::{AnswerFault, GivenAnswer};
use handoff_engine::answer::{ActAnswer, ActAnswers};
use handoff_engine::ids::Token;
use handoff_engine::referral::{Channel, Consent, Referral};

use super::ActError;
use crate::error::PipelineError;
use crate::foreign_values::{is_mail, is_telephone};
use crate::transaction::Transaction;

impl Transaction<'_> {
    /// The answers as tokens. A new address is known to replies and to the contact rules from here on.
    pub(super) fn seal_answers(
        &mut self,
        referral: &Referral,
        given: Vec<(String, GivenAnswer)>,
        why: &str,
    ) -> Result<ActAnswers, ActError> {
        let patient = referral.facts.patient.id.clone();
        let stated = given.iter().find_map(|(_, answer)| match answer {
            GivenAnswer::Plain(answer) => answer.consent().copied(),
            GivenAnswer::Text(_) | GivenAnswer::Address { .. } | GivenAnswer::Document { .. } => None,
        });
        let mut answers = ActAnswers::new();
        for (question, answer) in given {
            let sealed = match answer {
                GivenAnswer::Plain(answer) => answer,
                GivenAnswer::Text(text) => ActAnswer::Text { text: self.draft.sealing.seal(&patient, "words", &text) },
                GivenAnswer::Document { media_type, base64 } => {
                    ActAnswer::Document { media_type, content: self.draft.sealing.seal(&patient, "note", &base64) }
                }
                GivenAnswer::Address { channel, address, replaces } => {
                    check_address(&question, channel, &address)?;
                    let replaces = match replaces {
                        Some(former) => Some(self.own(referral, channel, &former)?.ok_or(AnswerFault::Unfit {
                            question: question.clone(),
                            help: "`.replaces` is none of the patient's addresses of that channel".into(),
                        })?),
                        None => None,
                    };
                    self.take_address(referral, channel, &address, replaces, stated, why)?
                }
            };
            answers.insert(question, sealed);
        }
        Ok(answers)
    }

    fn own(&self, referral: &Referral, channel: Channel, former: &str) -> Result<Option<Token>, PipelineError> {
        let former = self.from.country.canonical(former);
        for reach in referral.facts.patient.reaches.iter().filter(|reach| reach.channel == channel) {
            if self.from.country.canonical(self.reveal(&reach.address)?.as_str()) == former {
                return Ok(Some(reach.address.clone()));
            }
        }
        Ok(None)
    }

    fn take_address(
        &mut self,
        referral: &Referral,
        channel: Channel,
        address: &str,
        replaces: Option<Token>,
        stated: Option<Consent>,
        why: &str,
    ) -> Result<ActAnswer, PipelineError> {
        let canonical = self.from.country.canonical(address);
        let known = self.own(referral, channel, &canonical)?;
        let field = if canonical.contains('@') { "email" } else { "phone" };
        let patient = &referral.facts.patient.id;
        let token = known.unwrap_or_else(|| self.draft.sealing.seal(patient, field, &canonical));
        let name = self.address_name(&token)?;
        let on_file = self.consent(&name, referral, &token, channel)?;
        self.draft.named_as(referral.id, vec![name]);
        let consent = match stated {
            Some(consent) => {
                self.note_consent(&token, channel, consent == Consent::Granted, &format!("a person noted: {why}"))?;
                consent
            }
            None => match on_file {
                Some(true) => Consent::Granted,
                Some(false) => Consent::Denied,
                // Who wants no messages does not want them at another number either.
                None if self.wants_none(referral)? => {
                    self.note_consent(&token, channel, false, "the patient has opted out of all messages")?;
                    Consent::Denied
                }
                None => Consent::Unknown,
            },
        };
        Ok(ActAnswer::Address { channel, address: token, replaces, consent })
    }

    /// Whether the patient has opted out of everything, by whatever address they did so.
    fn wants_none(&self, referral: &Referral) -> Result<bool, PipelineError> {
        if !self.deployment.opts_out_of_everything() {
            return Ok(false);
        }
        for reach in &referral.facts.patient.reaches {
            let words = self.from.store.index().consent(&self.address_name(&reach.address)?)?;
            if words.iter().any(|word| word.channel == reach.channel && !word.granted) {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// What a person types goes where the EHR's word would go: it is held to the same.
fn check_address(question: &str, channel: Channel, address: &str) -> Result<(), AnswerFault> {
    let (fits, help) = match channel {
        Channel::Sms => (is_telephone(address), "this is no telephone number: write it as (213) 555-0140"),
        Channel::Email => (is_mail(address), "this is no mail address of one person: write it as name@example.org"),
        Channel::Portal => (true, ""),
    };
    if fits { Ok(()) } else { Err(AnswerFault::Unfit { question: question.into(), help: help.into() }) }
}
