//! What people do to a referral, and what it offers them where it stands.
//!
//! A page or program asks [`Operations::offered_acts`], shows a button for each with a field for each question, and sends what
//! was typed as it is to [`Operations::do_act`]: texts by the question's name, and `QUESTION.PART` for parts.

use handoff_engine::act::{GivenAnswers, MEDIA_TYPES};
use handoff_engine::answer::{ActorRole, AnswerKind};
use handoff_engine::event::{Intent, RerouteReason};
use handoff_engine::ids::ReferralId;
use handoff_engine::referral::{CallOutcome, Channel, Consent, Referral};
use handoff_engine::workflow::{ActRule, Question, Workflow};
use handoff_identity::person::Person;
use handoff_pipeline::error::PipelineError;
use handoff_pipeline::referrals::acts::{ActError, Acted, Actor};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::operations::{Operations, Operator, Request};

/// Something that can be done to a referral now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OfferedAct {
    /// As it is asked for.
    pub name: String,
    /// As it stands on a button.
    pub label: String,
    /// What is said once it is done.
    pub confirm: String,
    pub asks: Vec<AskedQuestion>,
}

/// One thing that whoever does it is asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AskedQuestion {
    /// Under which it is answered.
    pub name: String,
    #[schema(value_type = String)]
    pub kind: AnswerKind,
    pub label: String,
    pub optional: bool,
    /// What can be answered besides, under `name.part`; none of it has to be.
    pub parts: Vec<String>,
    /// The only answers there are; empty where anything of the kind can be answered. For a document, its media types.
    pub choices: Vec<String>,
}

/// Do it.
#[derive(Serialize, Deserialize)]
pub struct DoAct {
    pub referral: ReferralId,
    pub act: String,
    pub answers: GivenAnswers,
}

impl Request for DoAct {
    const PATH: &'static str = "/acts/do";
    const WHY: Option<&'static str> = None;
    type Answer = Acted;

    fn perform(self, operations: &Operations, operator: Operator) -> anyhow::Result<Acted> {
        let DoAct { referral, act, answers } = self;
        let actor = actor(operator, &act)?;
        let done = operations.pipeline.act(referral, &act, &answers, &actor);
        Ok(tokio::runtime::Handle::current().block_on(done)?)
    }
}

/// What can be done to a referral, by whoever owns the machine.
#[derive(Serialize, Deserialize)]
pub struct ListActs {
    pub referral: ReferralId,
}

impl Request for ListActs {
    const PATH: &'static str = "/acts";
    const WHY: Option<&'static str> = Some("to see what can be done");
    type Answer = Vec<OfferedAct>;

    fn perform(self, operations: &Operations, _: Operator) -> anyhow::Result<Vec<OfferedAct>> {
        let ListActs { referral: id } = self;
        let referral = operations.pipeline.store.index().referral(&id)?.ok_or(PipelineError::NoSuchReferral(id))?;
        Ok(operations.offers(&referral, None)?)
    }
}

impl Operations {
    /// What this person may do to a referral now, in the order of the workflow.
    ///
    /// # Errors
    /// When there is no such referral for them.
    pub fn offered_acts(&self, person: &Person, id: ReferralId) -> anyhow::Result<Vec<OfferedAct>> {
        let referral = self.visible(person, id)?;
        match person.role.name().parse() {
            Ok(role) => Ok(self.offers(&referral, Some(role))?),
            Err(_) => Ok(Vec::new()),
        }
    }

    /// Does an act for a person who is signed in. Their role and name are journaled with it.
    ///
    /// # Errors
    /// When there is no such referral for them, the workflow does not offer the act there or to them, or an answer is none.
    pub fn do_act(&self, person: &Person, act: DoAct, why: String) -> anyhow::Result<Acted> {
        self.visible(person, act.referral)?;
        let (who, role) = (person.name.clone(), Some(person.role.name().to_string()));
        act.perform(self, Operator { who, role, why })
    }

    fn offers(&self, referral: &Referral, role: Option<ActorRole>) -> Result<Vec<OfferedAct>, PipelineError> {
        let installed = self.pipeline.deployments.get(&referral.deployment)?;
        let workflow = installed.workflow();
        let offered = workflow.offers(&referral.state);
        let mine = offered.filter(|act| role.is_none_or(|role| act.roles.contains(&role)));
        Ok(mine.map(|act| OfferedAct::of(workflow, act)).collect())
    }
}

/// Whoever owns the machine has no role, and may do anything.
pub(crate) fn actor(operator: Operator, act: &str) -> Result<Actor, ActError> {
    let Operator { who, role, why } = operator;
    let role = match role {
        None => None,
        Some(role) => Some(role.parse().map_err(|_| {
            let roles = ActorRole::WORDS.join(" or a ");
            ActError::NotYours { act: act.to_string(), role, roles }
        })?),
    };
    Ok(Actor { who, role, why })
}

impl OfferedAct {
    fn of(workflow: &Workflow, act: &ActRule) -> OfferedAct {
        OfferedAct {
            name: act.name.clone(),
            label: act.label.clone(),
            confirm: act.confirm.clone(),
            asks: act.asks.iter().map(|question| AskedQuestion::of(workflow, question)).collect(),
        }
    }
}

impl AskedQuestion {
    fn of(workflow: &Workflow, question: &Question) -> AskedQuestion {
        let Question { name, kind, label, optional } = question.clone();
        let words = |words: &[&str]| words.iter().map(ToString::to_string).collect();
        let choices = match kind {
            AnswerKind::Consent => words(&[Consent::Granted.as_str(), Consent::Denied.as_str()]),
            AnswerKind::Channel => words(Channel::WORDS),
            AnswerKind::ReplyIntent => words(Intent::WORDS),
            AnswerKind::CallOutcome => words(CallOutcome::WORDS),
            AnswerKind::RerouteReason => words(RerouteReason::WORDS),
            AnswerKind::Letter => workflow.letters.keys().cloned().collect(),
            AnswerKind::Document => words(MEDIA_TYPES),
            AnswerKind::Appointment
            | AnswerKind::Specialist
            | AnswerKind::Address
            | AnswerKind::Text
            | AnswerKind::Date => Vec::new(),
        };
        AskedQuestion { name, kind, label, optional, parts: words(kind.parts()), choices }
    }
}
