//! State + event -> step. The engine decides; this stage fetches the decisions it asks for and notes what follows.

use std::collections::VecDeque;
use std::sync::Arc;

use handoff_engine::event::{Assessment, Event};
use handoff_engine::ids::ReferralId;
use handoff_engine::letter::{Letter, LetterBody};
use handoff_engine::referral::{Order, Patient, Referral};
use handoff_engine::step::{self, Effect, NetworkCause, Step};
use handoff_engine::workflow::StageKind;
use handoff_host::contract::roster;
use handoff_host::{Answer, Call, reason};
use handoff_store::entry::Record;

use super::compose_message::Wish;
use crate::error::PipelineError;
use crate::transaction::Transaction;
use crate::{from_wit, to_wit};

/// Events that one commit may raise for a referral. A sound workflow needs three; one that answers itself for ever is
/// stopped here and shown to a person.
const EVENTS_PER_COMMIT_MAX: usize = 16;

impl Transaction<'_> {
    /// A referral enters with its order.
    pub(crate) fn create_referral(
        &mut self,
        id: ReferralId,
        patient: Arc<Patient>,
        order: Arc<Order>,
    ) -> Result<(), PipelineError> {
        let deployment = self.from.deployments.for_new(id);
        self.from.canary.note_begun(deployment.deployment.digest, id);
        let event = Event::Ordered { patient: Arc::clone(&patient), order: Arc::clone(&order) };
        self.draft.happened(id, event);
        let step = step::begin(&deployment.deployment, id, patient, order, self.now())?;
        let mut events = VecDeque::new();
        self.under(deployment, |transaction| transaction.effects(step, &mut events))?;
        self.follow(id, events)
    }

    /// Something happened to a referral. Everything that follows from it at once is in the same transaction.
    #[tracing::instrument(name = "transition", level = "debug", skip_all, fields(referral = %id))]
    pub(crate) fn transition(&mut self, id: ReferralId, event: Event) -> Result<(), PipelineError> {
        self.follow(id, VecDeque::from([event]))
    }

    /// As [`Transaction::transition`], for several things at once: in order, each over what the one before it left.
    pub(super) fn follow(&mut self, id: ReferralId, mut events: VecDeque<Event>) -> Result<(), PipelineError> {
        let mut taken = 0;
        while let Some(event) = events.pop_front() {
            taken += 1;
            let referral = self.current(id)?;
            let (referral, _) = self.migrate(referral);
            if taken > EVENTS_PER_COMMIT_MAX {
                self.draft
                    .ignored(id, format!("the workflow answers itself in state {}: {}", referral.state, event.name()));
                break;
            }
            let deployment = self.from.deployments.get(&referral.deployment)?;
            match step::step(&deployment.deployment, &referral, &event, self.now()) {
                Ok(step) => {
                    self.draft.happened(id, event);
                    self.under(deployment, |transaction| transaction.effects(step, &mut events))?;
                }
                Err(rejection) => {
                    self.draft.happened(id, event.clone());
                    // That an errand was done needs no answer; that it failed does. What a person does may be answered by
                    // what it tells, which comes next.
                    let told = matches!(event, Event::Person { .. }) && !events.is_empty();
                    if !told && !matches!(event, Event::Done { succeeded: true, .. }) {
                        self.draft.ignored(id, rejection.to_string());
                    }
                    // Invariant: a timer that fired is gone, whatever the workflow thinks of it; else it would fire for ever.
                    if let Event::Timer { name } = event {
                        let mut referral = Referral::clone(&referral);
                        referral.timers.retain(|timer| timer.name != name);
                        referral.version += 1;
                        self.draft.stepped(Arc::new(referral), "a timer fired that nothing waits for".into());
                    }
                }
            }
        }
        // It may have come to a state that the deployment in force takes over.
        if let Some(referral) = self.draft.referral(id).cloned() {
            self.migrate(referral);
        }
        Ok(())
    }

    fn effects(&mut self, step: Step, events: &mut VecDeque<Event>) -> Result<(), PipelineError> {
        let referral = &step.referral;
        for (id, effect) in step.letters() {
            let body = match effect {
                Effect::Send { template, channel, asked, expires, words } => {
                    let words = words.as_ref();
                    let wish = Wish { template, channel: *channel, asked: *asked, expires: *expires, words };
                    events.extend(self.compose_message(referral, id, wish)?);
                    continue;
                }
                Effect::ReadRecord => LetterBody::ReadRecord,
                Effect::CheckVisit => LetterBody::CheckVisit,
                Effect::WriteChart { outcome } => {
                    // What was on its way to the chart is out of date.
                    let is_earlier = |body: &LetterBody| matches!(body, LetterBody::WriteChart { .. });
                    self.recall(referral, is_earlier, "a newer entry takes its place")?;
                    LetterBody::WriteChart { outcome: *outcome }
                }
                Effect::Raise { task } => LetterBody::Task(task.clone()),
                Effect::AssessNetwork { .. } | Effect::RecallLetters => continue,
            };
            self.draft.queue(Letter { id, due: self.now(), expires: None, body });
        }
        for effect in &step.effects {
            match effect {
                Effect::AssessNetwork { cause } => {
                    let assessment = self.assess(referral, *cause)?;
                    events.push_back(Event::Network { assessment });
                }
                Effect::RecallLetters => {
                    self.recall(referral, |body| matches!(body, LetterBody::Message(_)), "recalled")?
                }
                Effect::Send { .. }
                | Effect::ReadRecord
                | Effect::CheckVisit
                | Effect::WriteChart { .. }
                | Effect::Raise { .. } => {}
            }
        }
        self.draft.stepped(Arc::new(step.referral), step.because);
        Ok(())
    }

    fn assess(&mut self, referral: &Referral, cause: NetworkCause) -> Result<Assessment, PipelineError> {
        let facts = &referral.facts;
        let request = roster::Request {
            specialty: to_wit::code(&facts.order.specialty),
            plan_id: facts.order.plan_id.clone(),
            plan_name: facts.order.plan_name.clone(),
            referred_to: facts.order.specialist.as_ref().map(to_wit::provider),
            cause: to_wit::network_cause(cause),
            tried: facts.tried.clone(),
            urgent: facts.order.priority != handoff_engine::referral::Priority::Routine,
            now: to_wit::instant(self.now()),
            extras: Vec::new(),
        };
        let settings = self.deployment.settings(&StageKind::Network.into()).unwrap_or_default();
        let call = Call::Assess { request, settings };
        Ok(match self.decide(&StageKind::Network.into(), referral.id, &call) {
            Ok(Answer::Assess(Ok(assessment))) => from_wit::assessment(assessment),
            Ok(Answer::Assess(Err(failure))) => Assessment::Nobody { reason: reason(&failure) },
            Ok(_) => Assessment::Nobody { reason: "the network stage answered another question".into() },
            Err(fault) => Assessment::Nobody { reason: fault.to_string() },
        })
    }

    /// Letters of this kind that have not left are called back. One that is under way, or was when we went down, is past recall:
    /// its receipt ends it.
    fn recall(
        &mut self,
        referral: &Referral,
        is_meant: impl Fn(&LetterBody) -> bool,
        why: &str,
    ) -> Result<(), PipelineError> {
        let mut recalled = self.draft.queued(referral.id);
        recalled.retain(|letter| is_meant(&letter.body));
        let mut recalled: Vec<_> = recalled.into_iter().map(|letter| letter.id).collect();
        for item in self.from.store.index().letters_of(&referral.id)? {
            if is_meant(&item.letter.body)
                && !item.in_doubt()
                && self.draft.take_back(&self.from.leases, &self.from.queues, item.letter.id)
            {
                recalled.push(item.letter.id);
            }
        }
        for letter in recalled {
            self.draft.record(Record::Dropped { letter, dead: false, why: why.into(), in_doubt: false });
        }
        Ok(())
    }
}
