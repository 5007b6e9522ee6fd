//! Letter -> request -> response. The plugin composes, the host asks for it, and every word is written down first.

use handoff_engine::event::{Event, LetterStatus};
use handoff_engine::ids::Digest;
use handoff_engine::letter::{LetterBody, Message};
use handoff_engine::referral::Referral;
use handoff_host::Call;
use handoff_host::contract::carrier;
use handoff_host::contract::exchange::{Ask, Response, Silence};
use handoff_host::contract::types::Failure;
use handoff_store::entry::Record;
use handoff_store::index::OutboxItem;

use super::egress::{Denial, Performed};
use super::opening::Opening;
use super::turn::{Done, Said, said};
use super::{Line, LineError};
use crate::deployments::Installed;
use crate::gate::Verdict;

/// Words in one conversation. Records take four; a plugin that never ends its turn is stopped here.
const ASKS_MAX: u32 = 12;

/// The refusal of a vendor that cannot be asked what became of a letter. See `wit/outreach.wit`.
const NO_LOOKUP: &str = "no-lookup";

/// A letter under way.
pub(super) struct Taken {
    pub item: OutboxItem,
    /// Whether an earlier request may have been acted upon. Until that is settled, every word is a lookup.
    pub in_doubt: bool,
    /// The plugin's words that are not yet written down.
    pub decided: Vec<Record>,
}

/// What came of a request.
enum Exchanged {
    Answered(Response),
    /// No answer, and why.
    Silent(Silence, String),
    /// It may not leave, and why.
    Denied(String),
}

impl Line {
    /// Sees one letter through to its receipt, or to the hour at which it is tried again.
    pub(super) async fn perform(&self, item: OutboxItem) -> Result<(), LineError> {
        let id = item.letter.id;
        let referral = self.store.index().referral(&id.referral)?.ok_or(LineError::NoSuchReferral(id.referral))?;
        let installed = self.deployments.get(&referral.deployment)?;
        if let LetterBody::Message(message) = &item.letter.body
            && !self.passes(&installed, &referral, &item, message).await?
        {
            return Ok(());
        }
        let Some(opening) = self.opening(&installed, &referral, &item)? else {
            return self.drop_dead(&item, "the workflow has no stage for this letter").await;
        };
        let Opening { speaker, stage, mut call } = opening;
        let mut taken = Taken { in_doubt: item.in_doubt(), decided: Vec::new(), item };
        let mut silent = false;
        for _ in 0..ASKS_MAX {
            let lookup = taken.in_doubt;
            let answer = match self.call(&installed, &stage, &call) {
                Ok(answer) => answer,
                Err(fault) => return self.retry(taken, fault.to_string()).await,
            };
            taken.decided.push(Record::Decided {
                referral: Some(referral.id),
                stage: stage.clone(),
                plugin: installed.digest(&stage)?,
                call: serde_json::to_value(&call)?,
                answer: Digest(answer.digest().0),
            });
            let settings = || installed.settings(&stage).unwrap_or_default();
            match said(answer) {
                // Invariant: nothing is asked in doubt but a lookup, and a lookup begins a conversation.
                Some(Said::Ask(_)) if silent && lookup => {
                    return self.retry(taken, format!("{stage} asked on although no answer had come")).await;
                }
                Some(Said::Ask(ask)) => {
                    self.ask(&mut taken, &installed, &stage, &ask, lookup).await?;
                    match self.exchange(&mut taken, &installed, &referral, &stage, &ask, lookup).await? {
                        Exchanged::Answered(response) => call = speaker.resume(ask.state, response, settings()),
                        Exchanged::Silent(silence, why) => {
                            tracing::info!(stage, letter = %id, why, "no answer came");
                            silent = true;
                            call = speaker.resume(ask.state, Response::Silence(silence), settings());
                        }
                        Exchanged::Denied(why) => return self.await_mending(taken, why).await,
                    }
                }
                Some(Said::Done(Done::Message(receipt))) if receipt.outcome == carrier::Outcome::Unknown && lookup => {
                    // Asked whether it had acted, the vendor said no: the letter may go.
                    taken.in_doubt = false;
                    call = again(self.compose(&stage, id, &taken.item, settings()))?;
                }
                Some(Said::Failed(Failure::Refused(refusal))) if refusal.code == NO_LOOKUP && lookup => {
                    // At least once: a vendor that cannot be asked may get a letter twice, but none is lost.
                    taken.in_doubt = false;
                    call = again(self.compose(&stage, id, &taken.item, settings()))?;
                }
                Some(Said::Done(done)) => return self.receive(taken, done, &stage).await,
                Some(Said::Failed(failure)) => return self.fail(&installed, taken, failure, &stage).await,
                None => return Err(LineError::OtherAnswer { stage }),
            }
        }
        self.retry(taken, format!("{stage} did not end its turn within {ASKS_MAX} words")).await
    }

    /// Writes an ask down before it is sent: a crash in the middle finds it.
    async fn ask(
        &self,
        taken: &mut Taken,
        installed: &Installed,
        stage: &str,
        ask: &Ask,
        lookup: bool,
    ) -> Result<(), LineError> {
        let mut draft = self.draft();
        taken.decided.drain(..).for_each(|record| draft.record(record));
        draft.record(Record::Asked {
            letter: taken.item.letter.id,
            attempt: taken.item.attempts + 1,
            stage: stage.into(),
            plugin: installed.digest(stage)?,
            endpoint: ask.endpoint.clone(),
            agreement: self.egress.agreement(&ask.endpoint).map(str::to_string),
            ask: serde_json::to_value(ask)?,
            lookup,
        });
        self.commit(draft).await
    }

    /// One request to the outside, and what came back, written down before the plugin sees it.
    async fn exchange(
        &self,
        taken: &mut Taken,
        installed: &Installed,
        referral: &Referral,
        stage: &str,
        ask: &Ask,
        lookup: bool,
    ) -> Result<Exchanged, LineError> {
        let grant = installed.grant(stage, &referral.facts.patient.id, taken.item.letter.id);
        let mut draft = self.draft();
        let response = match self.egress.perform(&grant, ask, &mut draft.sealing).await {
            Ok(Performed::Answered(response)) => response,
            Ok(Performed::NotSent(why)) => return Ok(Exchanged::Silent(Silence::NotSent, why)),
            Ok(Performed::InDoubt(why)) => {
                // Only a message can do harm twice; charts and inboxes are asked with keys of ours.
                taken.in_doubt = matches!(taken.item.letter.body, LetterBody::Message(_));
                return Ok(Exchanged::Silent(Silence::InDoubt, why));
            }
            Err(denial) => {
                tracing::error!(stage, %denial, "egress denied");
                if let Denial::AgreementExpired { endpoint, expired } = &denial {
                    self.ask_for_renewal(referral.id, endpoint, *expired).await?;
                }
                return Ok(Exchanged::Denied(denial.to_string()));
            }
        };
        let letter = taken.item.letter.id;
        draft.record(Record::Answered { letter, response: serde_json::to_value(&response)?, lookup });
        self.commit(draft).await?;
        Ok(Exchanged::Answered(response))
    }

    /// The gate's last word before a message leaves. Holds it back or refuses it where it must.
    async fn passes(
        &self,
        installed: &Installed,
        referral: &Referral,
        item: &OutboxItem,
        message: &Message,
    ) -> Result<bool, LineError> {
        let mut draft = self.draft();
        let letter = item.letter.id;
        match self.admit(installed, &draft, referral, message, item.letter.expires)? {
            Verdict::Go => return Ok(true),
            Verdict::Wait { until, rule } => {
                draft.record(Record::Deferred {
                    letter,
                    due: until,
                    attempts: item.attempts,
                    why: rule.into(),
                    in_doubt: item.in_doubt(),
                });
            }
            Verdict::Never { rule } => {
                draft.record(Record::Refused { letter, rule: rule.into() });
                let status = LetterStatus::Refused { code: rule.into() };
                let _held = self.referrals.hold_one(referral.id).await;
                self.transition(&mut draft, referral.id, Event::LetterStatus { letter, status })?;
                self.commit(draft).await?;
                return Ok(false);
            }
        }
        self.commit(draft).await?;
        Ok(false)
    }
}

/// A letter's body changed while it was taken up, which cannot be: it is leased.
fn again(call: Option<Call>) -> Result<Call, LineError> {
    call.ok_or_else(|| LineError::OtherAnswer { stage: "outreach".into() })
}
