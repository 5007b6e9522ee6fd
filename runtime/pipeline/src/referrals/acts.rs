//! What a person does -> events. Held against what the workflow offers where the referral stands, sealed, and carried like what
//! comes from outside: the same step, the same contact rules, the same one commit.

mod seal;

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};
use handoff_engine::act::{AnswerFault, GivenAnswers, Minted, told_events};
use handoff_engine::answer::{ActAnswers, ActorRole, ToldEvent};
use handoff_engine::event::{Event, Intent, Reply};
use handoff_engine::ids::{LetterId, ReferralId, Token};
use handoff_engine::letter::LetterBody;
use handoff_engine::referral::Referral;
use handoff_engine::step;
use handoff_engine::task::{ReferralTask, TaskChange, TaskOutcome};
use handoff_engine::workflow::ActRule;
use handoff_store::Record;
use serde::{Deserialize, Serialize};

use crate::error::PipelineError;
use crate::pipeline::Pipeline;
use crate::transaction::Transaction;

/// As long as an account's name may be.
const ASSIGNEE_CHARS_MAX: usize = 64;
/// What nobody wants to see for longer is done, or moot.
const SNOOZED_FOR_MAX: TimeDelta = TimeDelta::days(90);

/// Who acts, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actor {
    pub who: String,
    /// Absent for whoever owns the machine, and may do anything.
    pub role: Option<ActorRole>,
    pub why: String,
}

/// What came of an act.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Acted {
    pub referral: ReferralId,
    /// Where the referral stands now.
    pub state: String,
    /// What the workflow says to whoever did it.
    pub confirm: String,
    /// Messages to the patient that are owed for it, and when each may leave.
    pub owed: Vec<OwedMessage>,
    /// Rules that keep a message from the patient for good: `opted-out`, `text-too-long`.
    pub refused: Vec<String>,
    /// The kinds of tasks that are moot by it.
    pub moot: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OwedMessage {
    pub letter: String,
    pub channel: String,
    pub due: DateTime<Utc>,
}

/// Why an act was not done. Nothing of it has happened.
#[derive(Debug, thiserror::Error)]
pub enum ActError {
    #[error("the workflow has no action `{act}`\n  help: it has: {known}")]
    NoSuchAct { act: String, known: String },
    #[error("`{act}` is not for a {role}\n  help: ask a {roles}")]
    NotYours { act: String, role: String, roles: String },
    #[error("a referral in state {state} does not take `{act}`\n  help: {help}")]
    NotTaken { act: String, state: String, help: String },
    #[error(transparent)]
    Answer(#[from] AnswerFault),
    #[error("the patient has not replied\n  help: `read-reply` says what a reply means; log a call instead")]
    NothingToRead,
    #[error("there is no task {task}\n  help: `handoff tasks list` lists those that are open")]
    NoSuchTask { task: LetterId },
    #[error("task {task} is {state}\n  help: {help}")]
    TaskState { task: LetterId, state: &'static str, help: &'static str },
    #[error(transparent)]
    Pipeline(#[from] PipelineError),
}

impl ActError {
    pub fn pipeline(&self) -> Option<&PipelineError> {
        if let ActError::Pipeline(error) = self { Some(error) } else { None }
    }
}

impl Pipeline {
    /// Does what a person asks to a referral. When it returns, that is durable.
    ///
    /// # Errors
    /// When the workflow does not offer it there, or not to them; when an answer is missing or cannot be taken.
    pub async fn act(&self, id: ReferralId, act: &str, given: &GivenAnswers, actor: &Actor) -> Result<Acted, ActError> {
        let mut transaction = self.transactions.begin_on(self.who_hears(id)?).await;
        let before = transaction.current(id)?;
        let (before, _) = transaction.migrate(before);
        let deployment = self.deployments.get(&before.deployment)?;
        let workflow = &deployment.deployment.workflow;
        let rule = workflow.act(act).ok_or_else(|| {
            let known: Vec<&str> = workflow.acts.iter().map(|act| act.name.as_str()).collect();
            ActError::NoSuchAct { act: act.to_string(), known: known.join(", ") }
        })?;
        check_offered(workflow, &before, rule, actor)?;
        let zone = before.facts.patient.zone.unwrap_or(workflow.contact.zone);
        let answered = given.read(rule, workflow, zone, transaction.now())?;
        transaction.deployment = deployment.clone();
        let answers = transaction.seal_answers(&before, answered, &actor.why)?;
        let heard = match rule.tells {
            Some(ToldEvent::Reply) => Some(self.last_reply(id)?.ok_or(ActError::NothingToRead)?),
            Some(_) | None => None,
        };
        let minted = transaction.mint(rule, &before);
        let told = told_events(rule, &answers, &before, heard.as_ref(), &minted, transaction.now());
        let done = done_by(actor, act, answers);
        let refused = step::step(&deployment.deployment, &before, &done, transaction.now()).err();
        if let Some(rejection) = refused.filter(|_| told.is_empty()) {
            let (act, state) = (act.to_string(), before.state.clone());
            return Err(ActError::NotTaken {
                act,
                state,
                help: format!("its condition does not hold now: {rejection}"),
            });
        }
        transaction.spread(id, &told, actor)?;
        transaction.follow(id, std::iter::once(done).chain(told).collect())?;
        let acted = transaction.acted(&before, rule)?;
        transaction.commit().await?;
        Ok(acted)
    }

    /// Does something about a task. When it returns, that is durable.
    ///
    /// # Errors
    /// When there is no such task, or it has ended, or has not.
    pub async fn change_task(
        &self,
        task: LetterId,
        change: TaskChange,
        actor: &Actor,
    ) -> Result<ReferralTask, ActError> {
        check_change(&change, self.clock.now())?;
        let mut transaction = self.transactions.begin_on(vec![task.referral]).await;
        let of = |referral: &Referral| referral.tasks.iter().find(|known| known.letter == task.number).cloned();
        let unknown = |error| match matches!(error, PipelineError::NoSuchReferral(_)) {
            true => ActError::NoSuchTask { task },
            false => ActError::Pipeline(error),
        };
        let referral = transaction.current(task.referral).map_err(unknown)?;
        let known = of(&referral).ok_or(ActError::NoSuchTask { task })?;
        if !known.takes(&change) {
            let (state, help) = match known.ended.as_ref().map(|end| end.how) {
                None => ("open", "nothing is left to be done for it to be open"),
                Some(TaskOutcome::Done) => ("done", "open it again first, if it was not"),
                Some(TaskOutcome::Moot) => ("moot", "what it asked for has come about; open it again if it has not"),
            };
            return Err(ActError::TaskState { task, state, help });
        }
        let Actor { who, role, why } = actor.clone();
        let role = role.map(|role| role.to_string());
        let event = Event::Task { task, kind: known.kind, change, who, role, why };
        transaction.transition(task.referral, event)?;
        let changed = of(&*transaction.current(task.referral)?).ok_or(ActError::NoSuchTask { task })?;
        transaction.commit().await?;
        Ok(changed)
    }

    /// A referral, and those that share an address with it: what is said of the address is said to all of them.
    fn who_hears(&self, id: ReferralId) -> Result<Vec<ReferralId>, PipelineError> {
        let transaction = self.transactions.begin_in_force();
        let mut hears = BTreeSet::from([id]);
        for reach in &transaction.current(id)?.facts.patient.reaches {
            hears.extend(self.store.index().find(&transaction.address_name(&reach.address)?)?);
        }
        Ok(hears.into_iter().collect())
    }

    /// The last reply that came from the patient, not from a person who told of one.
    fn last_reply(&self, id: ReferralId) -> Result<Option<Reply>, PipelineError> {
        for position in self.store.index().history(&id)?.into_iter().rev() {
            let Some(entry) = self.store.read(position)? else { continue };
            let events = || {
                entry.records.iter().filter_map(|record| {
                    let Record::Happened { referral, event } = record else { return None };
                    (*referral == id).then_some(event)
                })
            };
            if events().any(|event| matches!(event, Event::Person { .. })) {
                continue;
            }
            if let Some(reply) = events().filter_map(Event::reply).next_back() {
                return Ok(Some(reply.clone()));
            }
        }
        Ok(None)
    }
}

/// A task is given to somebody who could be called by that name, and comes back before it is forgotten.
fn check_change(change: &TaskChange, now: DateTime<Utc>) -> Result<(), AnswerFault> {
    let unfit = |question: &str, help: String| Err(AnswerFault::Unfit { question: question.into(), help });
    match change {
        TaskChange::Assigned { to: Some(to) }
            if to.trim().is_empty() || to.chars().count() > ASSIGNEE_CHARS_MAX || to.chars().any(char::is_control) =>
        {
            unfit("to", "name a person, or nobody".into())
        }
        TaskChange::Snoozed { until } if *until <= now || *until > now + SNOOZED_FOR_MAX => {
            unfit("until", format!("name a moment within the next {} days", SNOOZED_FOR_MAX.num_days()))
        }
        TaskChange::Assigned { .. } | TaskChange::Snoozed { .. } | TaskChange::Done | TaskChange::Reopened => Ok(()),
    }
}

fn check_offered(
    workflow: &handoff_engine::workflow::Workflow,
    referral: &Referral,
    rule: &ActRule,
    actor: &Actor,
) -> Result<(), ActError> {
    if let Some(role) = actor.role.filter(|role| !rule.roles.contains(role)) {
        let roles: Vec<&str> = rule.roles.iter().map(|role| role.as_str()).collect();
        let (act, role) = (rule.name.clone(), role.to_string());
        return Err(ActError::NotYours { act, role, roles: roles.join(" or a ") });
    }
    let offered: Vec<&str> = workflow.offers(&referral.state).map(|act| act.name.as_str()).collect();
    if !offered.contains(&rule.name.as_str()) {
        let (act, state) = (rule.name.clone(), referral.state.clone());
        return Err(ActError::NotTaken { act, state, help: format!("it takes: {}", offered.join(", ")) });
    }
    Ok(())
}

fn done_by(actor: &Actor, act: &str, answers: ActAnswers) -> Event {
    let Actor { who, role, why } = actor.clone();
    Event::Person { verb: act.to_string(), who, reason: why, role: role.map(|role| role.to_string()), answers }
}

impl Transaction<'_> {
    /// Names for what the act tells and nobody has a name for yet.
    fn mint(&mut self, rule: &ActRule, referral: &Referral) -> Minted {
        let patient = &referral.facts.patient.id;
        let document = match rule.tells {
            Some(ToldEvent::NoteReceived) => {
                let name = format!("{}/{}", referral.id, referral.version);
                self.draft.sealing.seal(patient, "document", &name)
            }
            Some(_) | None => Token(String::new()),
        };
        Minted { words: self.draft.sealing.seal(patient, "reply", ""), document }
    }

    /// What the patient says of being written to is about addresses, whoever else has them: it goes on file, and everybody who
    /// shares one hears of a stop.
    fn spread(&mut self, id: ReferralId, told: &[Event], actor: &Actor) -> Result<(), PipelineError> {
        let Some(reply) = told.iter().find_map(Event::reply) else { return Ok(()) };
        if !matches!(reply.intent, Intent::OptOut | Intent::OptIn) {
            return Ok(());
        }
        let granted = reply.intent == Intent::OptIn;
        let referral = self.current(id)?;
        let why = format!("the patient told {}: {}", actor.who, actor.why);
        let mut others = BTreeSet::new();
        for address in self.note_consents(&referral, reply.channel, granted, &why)? {
            others.extend(self.from.store.index().find(&self.address_name(&address)?)?);
        }
        others.remove(&id);
        if granted {
            return Ok(());
        }
        let clear = self.reveal(&reply.text)?;
        for other in others {
            let patient = self.current(other)?.facts.patient.id.clone();
            let text = self.draft.sealing.seal(&patient, "reply", clear.as_str());
            let reply = Reply { text, from: None, ..reply.clone() };
            self.transition(other, Event::Reply { reply })?;
        }
        Ok(())
    }

    /// What this transaction came to for whoever acts.
    fn acted(&self, before: &Referral, rule: &ActRule) -> Result<Acted, PipelineError> {
        let after = self.current(before.id)?;
        let was_open = |letter| before.tasks.iter().any(|task| task.letter == letter && task.is_open());
        let is_moot = |task: &&ReferralTask| task.ended.as_ref().is_some_and(|end| end.how == TaskOutcome::Moot);
        let moot = after.tasks.iter().filter(is_moot).filter(|task| was_open(task.letter));
        let owed = |record: &Record| {
            let Record::Queued { letter, .. } = record else { return None };
            let LetterBody::Message(message) = &letter.body else { return None };
            let (name, channel) = (message.template.clone(), message.channel.to_string());
            (letter.id.referral == before.id).then_some(OwedMessage { letter: name, channel, due: letter.due })
        };
        let refused = |record: &Record| {
            let Record::Refused { letter, rule } = record else { return None };
            (letter.referral == before.id).then(|| rule.clone())
        };
        Ok(Acted {
            referral: before.id,
            state: after.state.clone(),
            confirm: rule.confirm.clone(),
            owed: self.draft.records().iter().filter_map(owed).collect(),
            refused: self.draft.records().iter().filter_map(refused).collect(),
            moot: moot.map(|task| task.kind.clone()).collect(),
        })
    }
}
