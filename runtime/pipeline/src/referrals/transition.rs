//! State + event -> step. The engine decides; this station fetches the decisions it asks for and notes what follows.

use std::collections::VecDeque;
use std::sync::Arc;

use handoff_engine::event::{Assessment, Event};
use handoff_engine::ids::ReferralId;
use handoff_engine::letter::{Letter, LetterBody};
use handoff_engine::referral::{Order, Patient, Referral};
use handoff_engine::step::{self, Effect, NetworkCause, Step};
use handoff_host::contract::roster;
use handoff_host::{Answer, Call};
use handoff_store::entry::Record;

use super::compose_message::Wish;
use crate::deployments::Installed;
use crate::pipeline::{Line, LineError};
use crate::transaction::draft::Draft;
use crate::{from_wit, to_wit};

/// Events that one commit may raise for a referral. A sound workflow needs three; one that answers itself for ever is
/// stopped here and shown to a person.
const EVENTS_PER_COMMIT_MAX: usize = 16;

impl Line {
    /// A referral enters with its order.
    pub(crate) fn begin(
        &self,
        installed: &Installed,
        draft: &mut Draft<'_>,
        id: ReferralId,
        patient: Arc<Patient>,
        order: Arc<Order>,
    ) -> Result<(), LineError> {
        let event = Event::Ordered { patient: Arc::clone(&patient), order: Arc::clone(&order) };
        draft.happened(id, event);
        let step = step::begin(&installed.deployment, id, patient, order, draft.now)?;
        let mut events = VecDeque::new();
        self.effects(installed, draft, step, &mut events)?;
        self.follow(draft, id, events)
    }

    /// Something happened to a referral. Everything that follows from it at once is in the same transaction.
    #[tracing::instrument(name = "transition", level = "debug", skip_all, fields(referral = %id))]
    pub(crate) fn transition(&self, draft: &mut Draft<'_>, id: ReferralId, event: Event) -> Result<(), LineError> {
        self.follow(draft, id, VecDeque::from([event]))
    }

    fn follow(&self, draft: &mut Draft<'_>, id: ReferralId, mut events: VecDeque<Event>) -> Result<(), LineError> {
        let mut taken = 0;
        while let Some(event) = events.pop_front() {
            taken += 1;
            let referral = self.current(draft, id)?;
            let (referral, _) = self.come_along(draft, referral);
            if taken > EVENTS_PER_COMMIT_MAX {
                draft.ignored(id, format!("the workflow answers itself in state {}: {}", referral.state, event.name()));
                break;
            }
            let installed = self.deployments.get(&referral.deployment)?;
            match step::step(&installed.deployment, &referral, &event, draft.now) {
                Ok(step) => {
                    draft.happened(id, event);
                    self.effects(&installed, draft, step, &mut events)?;
                }
                Err(rejection) => {
                    draft.happened(id, event.clone());
                    // That an errand was done needs no answer; that it failed does.
                    if !matches!(event, Event::Done { succeeded: true, .. }) {
                        draft.ignored(id, rejection.to_string());
                    }
                    // Invariant: a timer that fired is gone, whatever the workflow thinks of it; else it would fire for ever.
                    if let Event::Timer { name } = event {
                        let mut referral = Referral::clone(&referral);
                        referral.timers.retain(|timer| timer.name != name);
                        referral.version += 1;
                        draft.stepped(Arc::new(referral), "a timer fired that nothing waits for".into());
                    }
                }
            }
        }
        // It may have come to a state that the deployment in force takes over.
        if let Some(referral) = draft.referral(id).cloned() {
            self.come_along(draft, referral);
        }
        Ok(())
    }

    fn effects(
        &self,
        installed: &Installed,
        draft: &mut Draft<'_>,
        step: Step,
        events: &mut VecDeque<Event>,
    ) -> Result<(), LineError> {
        let referral = &step.referral;
        for (id, effect) in step.letters() {
            let body = match effect {
                Effect::Send { template, channel, asked, expires } => {
                    let wish = Wish { template, channel: *channel, asked: *asked, expires: *expires };
                    events.extend(self.address(installed, draft, referral, id, wish)?);
                    continue;
                }
                Effect::ReadRecord => LetterBody::ReadRecord,
                Effect::CheckVisit => LetterBody::CheckVisit,
                Effect::WriteChart { outcome } => LetterBody::WriteChart { outcome: *outcome },
                Effect::Raise { task } => LetterBody::Task(task.clone()),
                Effect::AssessNetwork { .. } | Effect::RecallLetters => continue,
            };
            draft.queue(Letter { id, due: draft.now, expires: None, body });
        }
        for effect in &step.effects {
            match effect {
                Effect::AssessNetwork { cause } => {
                    let assessment = self.assess(installed, draft, referral, *cause)?;
                    events.push_back(Event::Network { assessment });
                }
                Effect::RecallLetters => self.recall(draft, referral)?,
                Effect::Send { .. }
                | Effect::ReadRecord
                | Effect::CheckVisit
                | Effect::WriteChart { .. }
                | Effect::Raise { .. } => {}
            }
        }
        draft.stepped(Arc::new(step.referral), step.because);
        Ok(())
    }

    fn assess(
        &self,
        installed: &Installed,
        draft: &mut Draft<'_>,
        referral: &Referral,
        cause: NetworkCause,
    ) -> Result<Assessment, LineError> {
        let facts = &referral.facts;
        let request = roster::Request {
            specialty: to_wit::code(&facts.order.specialty),
            plan_id: facts.order.plan_id.clone(),
            plan_name: facts.order.plan_name.clone(),
            referred_to: facts.order.specialist.as_ref().map(to_wit::provider),
            cause: to_wit::network_cause(cause),
            tried: facts.tried.clone(),
            urgent: facts.order.priority != handoff_engine::referral::Priority::Routine,
            now: to_wit::instant(draft.now),
            extras: Vec::new(),
        };
        let settings = installed.settings("network").unwrap_or_default();
        let call = Call::Assess { request, settings };
        Ok(match self.decide(installed, draft, "network", referral.id, &call) {
            Ok(Answer::Assess(Ok(assessment))) => from_wit::assessment(assessment),
            Ok(Answer::Assess(Err(failure))) => {
                Assessment::Nobody { reason: crate::delivery::receipt::reason(&failure) }
            }
            Ok(_) => Assessment::Nobody { reason: "the network stage answered another question".into() },
            Err(fault) => Assessment::Nobody { reason: fault.to_string() },
        })
    }

    /// Letters to the patient that have not left are called back. One that is under way, or was when we went down, is past
    /// recall: its receipt ends it.
    fn recall(&self, draft: &mut Draft<'_>, referral: &Referral) -> Result<(), LineError> {
        for item in self.store.index().letters_of(&referral.id)? {
            if matches!(item.letter.body, LetterBody::Message(_))
                && !item.in_doubt()
                && draft.take_back(&self.leases, &self.lanes, item.letter.id)
            {
                let letter = item.letter.id;
                draft.record(Record::Dropped { letter, dead: false, why: "recalled".into(), in_doubt: false });
            }
        }
        Ok(())
    }

    /// A referral as this transaction has it.
    pub(crate) fn current(&self, draft: &Draft<'_>, id: ReferralId) -> Result<Arc<Referral>, LineError> {
        match draft.referral(id) {
            Some(referral) => Ok(Arc::clone(referral)),
            None => self.store.index().referral(&id)?.ok_or(LineError::NoSuchReferral(id)),
        }
    }
}
