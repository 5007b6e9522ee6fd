//! Send -> Letter. The channel stage chooses, the template is filled in, and the contact rules say when, or never.

use chrono::{DateTime, Utc};
use handoff_engine::event::{Event, LetterStatus};
use handoff_engine::ids::{LetterId, Token};
use handoff_engine::letter::{Letter, LetterBody, Message};
use handoff_engine::referral::{Asked, Channel, Consent, ContactPoint, Referral};
use handoff_engine::render::render;
use handoff_engine::workflow::StageKind;
use handoff_host::contract::choice::{self, Decision};
use handoff_host::{Answer, Call, reason};
use handoff_store::entry::Record;

use crate::contact_rules::ContactVerdict;
use crate::error::PipelineError;
use crate::transaction::Transaction;
use crate::{from_wit, to_wit};

/// What the workflow wants said.
pub(super) struct Wish<'a> {
    pub template: &'a str,
    /// The channel stage may know better.
    pub channel: Option<Channel>,
    pub asked: Asked,
    pub expires: Option<DateTime<Utc>>,
    /// A person's, for a letter that carries some.
    pub words: Option<&'a Token>,
}

impl Transaction<'_> {
    /// Owes the patient a letter. Returns the event that follows when there is none to owe.
    pub(super) fn compose_message(
        &mut self,
        referral: &Referral,
        id: LetterId,
        wish: Wish<'_>,
    ) -> Result<Option<Event>, PipelineError> {
        let Wish { template, channel: wanted, asked, expires, words } = wish;
        let reaches = self.reaches(referral)?;
        let situation = self.situation(referral, &reaches, template, wanted);
        let settings = self.deployment.settings(&StageKind::Channel.into()).unwrap_or_default();
        let answer = self.decide(&StageKind::Channel.into(), referral.id, &Call::Choose { situation, settings });
        let nobody = |reason: String| Ok(Some(Event::Unreachable { template: template.to_string(), reason }));
        let chosen = match answer {
            Ok(Answer::Choose(Ok(Decision::Send(chosen)))) => chosen,
            Ok(Answer::Choose(Ok(Decision::Nobody(reason)))) => return nobody(reason),
            Ok(Answer::Choose(Err(failure))) => return nobody(reason(&failure)),
            Ok(_) => return nobody("the channel stage answered another question".into()),
            Err(fault) => return nobody(fault.to_string()),
        };
        let channel = from_wit::channel(chosen.channel);
        let Some(reach) =
            reaches.into_iter().find(|reach| reach.channel == channel && reach.consent != Consent::Denied)
        else {
            return nobody(format!("the channel stage chose {}, which does not reach this patient", channel.name()));
        };
        let workflow = self.deployment.workflow();
        let rendered = match render(workflow, &referral.facts, template, &reach, &chosen.language, words) {
            Ok(rendered) => rendered,
            Err(error) => return nobody(error.to_string()),
        };
        let message = Message {
            template: template.to_string(),
            channel,
            to: reach.address,
            language: rendered.language,
            asked,
            subject: rendered.subject,
            text: rendered.text,
            vendors_tried: Vec::new(),
            again: 0,
        };
        let due = match self.admit(referral, id, &message, expires)? {
            ContactVerdict::Go => self.now(),
            ContactVerdict::Wait { until, rule: _ } => until,
            ContactVerdict::Never { rule } => {
                self.draft.record(Record::Refused { letter: id, rule: rule.into() });
                let status = LetterStatus::Refused { code: rule.into() };
                return Ok(Some(Event::LetterStatus { letter: id, status, channel: Some(channel) }));
            }
        };
        self.draft.queue(Letter { id, due, expires, body: LetterBody::Message(message) });
        Ok(None)
    }

    /// What the channel stage chooses from.
    fn situation(
        &self,
        referral: &Referral,
        reaches: &[ContactPoint],
        template: &str,
        wanted: Option<Channel>,
    ) -> choice::Situation {
        choice::Situation {
            letter: template.to_string(),
            wanted: wanted.map(to_wit::channel),
            reaches: reaches
                .iter()
                .map(|reach| choice::Reachable {
                    channel: to_wit::channel(reach.channel),
                    consent: to_wit::consent(reach.consent),
                })
                .collect(),
            preferred: referral.facts.patient.preferred.map(to_wit::channel),
            languages: referral.facts.patient.languages.clone(),
            available: self.deployment.workflow().language_tags(),
            attempts: referral.facts.attempts.iter().filter_map(|it| to_wit::attempt(it, self.now())).collect(),
            now: to_wit::instant(self.now()),
            extras: Vec::new(),
        }
    }

    /// How the patient can be reached, with what is on file about each address.
    fn reaches(&self, referral: &Referral) -> Result<Vec<ContactPoint>, PipelineError> {
        let mut reaches = referral.facts.patient.reaches.clone();
        for reach in &mut reaches {
            let name = self.address_name(&reach.address)?;
            reach.consent = match self.consent(&name, referral, &reach.address, reach.channel)? {
                Some(true) => Consent::Granted,
                Some(false) => Consent::Denied,
                None => Consent::Unknown,
            };
        }
        Ok(reaches)
    }
}
