//! Letter -> request -> response. The plugin composes, the host asks for it. An ask is written down before it leaves; the
//! answer, with what the plugin makes of it: one commit for each request.

use std::sync::Arc;

use handoff_engine::event::{Event, LetterStatus};
use handoff_engine::ids::Digest;
use handoff_engine::letter::LetterBody;
use handoff_engine::referral::Referral;
use handoff_host::contract::carrier;
use handoff_host::contract::exchange::{Ask, Response};
use handoff_host::contract::types::Failure;
use handoff_host::{Answer, Call, End, Turn, WithoutResponse};
use handoff_store::Json;
use handoff_store::entry::Record;
use handoff_store::index::OutboxItem;

use super::first_call::Opening;
use crate::contact_rules::Verdict;
use crate::deployments::Installed;
use crate::pipeline::{Line, LineError};
use crate::transaction::draft::Draft;
use handoff_egress::egress::{Denial, Performed};
use handoff_egress::pacing::{Comer, Entry, Pass};

/// Words in one conversation. Records take four; a plugin that never ends its turn is stopped here.
const ASKS_MAX: u32 = 12;

/// The refusal of a vendor that cannot be asked what became of a letter. See `wit/outreach.wit`.
const NO_LOOKUP: &str = "no-lookup";

/// A letter under way.
pub(super) struct Taken<'a> {
    pub item: OutboxItem,
    pub installed: Arc<Installed>,
    /// Which speaks for it.
    pub stage: String,
    /// The endpoint that it asked last.
    pub asked: Option<String>,
    /// Whether an earlier request may have been acted upon. Until that is settled, every word is a lookup.
    pub in_doubt: bool,
    /// What was said since the last commit.
    pub draft: Draft<'a>,
}

/// How far a worker came with a letter.
pub(super) enum Seen {
    /// To its receipt, or to the hour at which it is tried again.
    Concluded,
    /// Its endpoint's lane has it.
    Waits,
}

/// What came of a request.
enum Exchanged {
    Answered(Response),
    /// No answer, and why.
    Silent(String),
    /// It may not leave, and why.
    Denied(String),
}

impl Line {
    /// Sees one letter through to its receipt, or to the hour at which it is tried again. `pass` is given to one that has
    /// waited for its endpoint.
    #[tracing::instrument(name = "letter", level = "debug", skip_all, fields(letter = %item.letter.id))]
    pub(super) async fn perform(&self, item: OutboxItem, mut pass: Option<Pass>) -> Result<Seen, LineError> {
        let id = item.letter.id;
        let referral = self.store.index().referral(&id.referral)?.ok_or(LineError::NoSuchReferral(id.referral))?;
        let installed = match self.deployments.get(&referral.deployment) {
            Ok(installed) => self.who_knows(&item, installed),
            // One letter without a workflow must not stop all others.
            Err(missing) => return self.drop_dead(&item, &missing.to_string()).await,
        };
        // Only a message can do harm twice; charts and inboxes are asked with keys of ours.
        let in_doubt = item.in_doubt() && matches!(item.letter.body, LetterBody::Message(_));
        // What has been answered already is not sent again, however the gate thinks of it now.
        let mut is_answered = item.doubt.as_ref().is_some_and(|doubt| doubt.response.is_some());
        let mut draft = self.draft();
        if item.doubt.is_none() && !self.passes(&installed, &referral, &item, false, &mut draft).await? {
            return Ok(Seen::Concluded);
        }
        let Some(Opening { speaker, stage, mut call }) = self.opening(&installed, &referral, &item)? else {
            return self.drop_dead(&item, "the workflow has no stage for this letter").await;
        };
        let mut taken = Taken { in_doubt, draft, item, installed, stage, asked: None };
        let (mut has_begun, mut is_news) = (false, false);
        for _ in 0..ASKS_MAX {
            let lookup = taken.in_doubt;
            let answer = match self.consult(&taken, &call) {
                Ok(answer) => answer,
                Err(fault) => {
                    // The vendor may have said yes: its answer is read again, and nothing is sent instead.
                    taken.in_doubt |= is_answered && matches!(taken.item.letter.body, LetterBody::Message(_));
                    return self.make_room(taken, fault).await;
                }
            };
            let (plugin, digest) = (taken.installed.digest(&taken.stage)?, Digest(answer.digest().0));
            let recorded = if is_news { Json::of(&WithoutResponse(&call))? } else { Json::of(&call)? };
            taken.draft.decided(Some(referral.id), &taken.stage, plugin, recorded, digest);
            is_news = false;
            let settings = taken.installed.settings(&taken.stage).unwrap_or_default();
            match answer.turn() {
                Some(Ok(Turn::Ask(ask))) => {
                    let mut leave = match self.enter(pass.take(), &taken, &ask, has_begun) {
                        Entry::Go(pass) => pass,
                        Entry::Wait => return Ok(Seen::Waits),
                        Entry::Leave { since } => return self.turn_away(taken, &ask.endpoint, since).await,
                    };
                    has_begun = true;
                    taken.asked = Some(ask.endpoint.clone());
                    self.ask(&mut taken, &ask, lookup).await?;
                    let exchanged = self.exchange(&mut taken, &mut leave, &referral, &ask).await?;
                    pass = Some(leave);
                    match exchanged {
                        Exchanged::Answered(response) => {
                            let told = Json::of(&response)?;
                            taken.draft.record(Record::Answered { letter: id, response: told, lookup });
                            (is_answered, is_news) = (!lookup, true);
                            call = speaker.resume(ask.state, response, settings);
                        }
                        Exchanged::Silent(why) => return self.retry(taken, why).await,
                        Exchanged::Denied(why) => return self.await_mending(taken, why).await,
                    }
                }
                Some(Ok(Turn::Done(End::Receipt(receipt))))
                    if receipt.outcome == carrier::Outcome::Unknown && lookup =>
                {
                    // Asked whether it had acted, the vendor said no: the letter may go.
                    taken.in_doubt = false;
                    if !self.passes(&taken.installed, &referral, &taken.item, false, &mut taken.draft).await? {
                        return Ok(Seen::Concluded);
                    }
                    call = again(self.compose(&taken.stage, id, &taken.item, settings))?;
                }
                Some(Err(Failure::Refused(refusal))) if refusal.code == NO_LOOKUP && lookup => {
                    // At least once: a vendor that cannot be asked may get a letter twice, but none is lost.
                    taken.in_doubt = false;
                    if !self.passes(&taken.installed, &referral, &taken.item, true, &mut taken.draft).await? {
                        return Ok(Seen::Concluded);
                    }
                    call = again(self.compose(&taken.stage, id, &taken.item, settings))?;
                }
                Some(Ok(Turn::Done(end))) => return self.receive(taken, end).await,
                Some(Err(failure)) => return self.fail(taken, failure).await,
                None => return Err(LineError::OtherAnswer { stage: taken.stage }),
            }
        }
        let why = format!("{} did not end its turn within {ASKS_MAX} words", taken.stage);
        self.retry(taken, why).await
    }

    /// Asks whoever speaks for a letter, unless it keeps failing.
    fn consult(&self, taken: &Taken<'_>, call: &Call) -> Result<Answer, LineError> {
        let (plugin, now) = (taken.installed.digest(&taken.stage)?, self.clock.now());
        if let Some(until) = self.quarantine.rests_until(plugin, now) {
            return Err(LineError::Rests { stage: taken.stage.clone(), until });
        }
        let answer = self.call(&taken.installed, &taken.stage, call);
        match &answer {
            Ok(_) => self.quarantine.sound(plugin),
            Err(LineError::Fault(fault)) => {
                self.quarantine.failed(plugin, fault, now);
                self.note_failed(taken.installed.deployment.digest, taken.item.letter.id.referral);
            }
            Err(_) => {}
        }
        answer
    }

    /// A referral may have moved since a vendor was asked: then whoever asked speaks on.
    fn who_knows(&self, item: &OutboxItem, installed: Arc<Installed>) -> Arc<Installed> {
        let Some(doubt) = &item.doubt else { return installed };
        let asked = |it: &Arc<Installed>| it.digest(&doubt.stage).is_ok_and(|plugin| plugin == doubt.plugin);
        if asked(&installed) {
            return installed;
        }
        self.deployments.with_stage(&doubt.stage).into_iter().find(asked).unwrap_or(installed)
    }

    /// Leave to ask an endpoint. Only the first request of a conversation waits for it.
    fn enter(&self, pass: Option<Pass>, taken: &Taken<'_>, ask: &Ask, has_begun: bool) -> Entry {
        let now = self.clock.now();
        let mut pass = match pass {
            Some(pass) if pass.is_for(&ask.endpoint) => pass,
            Some(_) | None if has_begun => self.lanes.join(&ask.endpoint, now),
            Some(_) | None => {
                let Taken { item, .. } = taken;
                let comer = Comer { letter: item.letter.id, due: item.due, patience: taken.patience() };
                match self.lanes.enter(&ask.endpoint, comer, now) {
                    Entry::Go(pass) => pass,
                    other @ (Entry::Wait | Entry::Leave { .. }) => return other,
                }
            }
        };
        pass.spend(now);
        Entry::Go(pass)
    }

    /// Writes an ask down before it is sent: a crash in the middle finds it.
    async fn ask<'a>(&'a self, taken: &mut Taken<'a>, ask: &Ask, lookup: bool) -> Result<(), LineError> {
        let mut draft = std::mem::replace(&mut taken.draft, self.draft());
        draft.record(Record::Asked {
            letter: taken.item.letter.id,
            attempt: taken.item.attempts + 1,
            stage: taken.stage.clone(),
            plugin: taken.installed.digest(&taken.stage)?,
            endpoint: ask.endpoint.clone(),
            agreement: self.egress.agreement(&ask.endpoint).map(str::to_string),
            ask: Json::of(ask)?,
            lookup,
        });
        self.commit(draft).await
    }

    /// One request to the outside, and what came back; what it tells of the patient is sealed with the next commit.
    #[tracing::instrument(name = "exchange", level = "debug", skip_all, fields(stage = taken.stage))]
    async fn exchange(
        &self,
        taken: &mut Taken<'_>,
        pass: &mut Pass,
        referral: &Referral,
        ask: &Ask,
    ) -> Result<Exchanged, LineError> {
        let letter = taken.item.letter.id;
        let grant = taken.installed.grant(&taken.stage, &referral.facts.patient.id, letter);
        let performed = self.egress.perform(&grant, ask, &mut taken.draft.sealing).await;
        taken.draft.now = self.clock.now();
        let performed = match performed {
            Ok(performed) => performed,
            Err(denial) => {
                tracing::error!(stage = taken.stage, %denial, "egress denied");
                if let Denial::AgreementExpired { endpoint, expired } = &denial {
                    self.ask_for_renewal(referral.id, endpoint, *expired).await?;
                }
                return Ok(Exchanged::Denied(denial.to_string()));
            }
        };
        pass.note(&performed, self.clock.now());
        Ok(match performed {
            Performed::Answered(response) => Exchanged::Answered(response),
            Performed::NotSent(why) => {
                tracing::info!(stage = taken.stage, %letter, why, "not sent");
                Exchanged::Silent(why)
            }
            Performed::InDoubt(why) => {
                tracing::info!(stage = taken.stage, %letter, why, "no answer came");
                taken.in_doubt = matches!(taken.item.letter.body, LetterBody::Message(_));
                Exchanged::Silent(why)
            }
        })
    }

    /// The gate's last word before a message leaves. Holds it back or refuses it where it must, and writes that down with what
    /// was said before; `in_doubt` is kept while it is held back.
    async fn passes<'a>(
        &'a self,
        installed: &Installed,
        referral: &Referral,
        item: &OutboxItem,
        in_doubt: bool,
        draft: &mut Draft<'a>,
    ) -> Result<bool, LineError> {
        let LetterBody::Message(message) = &item.letter.body else { return Ok(true) };
        let letter = item.letter.id;
        match self.admit(installed, draft, referral, message, item.letter.expires)? {
            Verdict::Go => return Ok(true),
            Verdict::Wait { until, rule } => {
                let (attempts, why) = (item.attempts, rule.into());
                draft.record(Record::Deferred { letter, due: until, attempts, why, in_doubt });
                self.commit(std::mem::replace(draft, self.draft())).await?;
            }
            Verdict::Never { rule } => {
                draft.record(Record::Refused { letter, rule: rule.into() });
                let status = LetterStatus::Refused { code: rule.into() };
                let _held = self.referrals.hold_one(referral.id).await;
                let channel = Some(message.channel);
                self.transition(draft, referral.id, Event::LetterStatus { letter, status, channel })?;
                self.commit(std::mem::replace(draft, self.draft())).await?;
            }
        }
        Ok(false)
    }
}

/// A letter's body changed while it was taken up, which cannot be: it is leased.
fn again(call: Option<Call>) -> Result<Call, LineError> {
    call.ok_or_else(|| LineError::OtherAnswer { stage: "outreach".into() })
}
