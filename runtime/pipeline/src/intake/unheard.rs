//! Words that the workflow does nothing about reach a person all the same: what is written after a referral has ended, and what its
//! workflow has no answer to.
//!
//! Invariant: nobody's words reach nobody. Only what needs no answer is left to the timeline: a yes, a STOP, a START, and what the
//! workflow's `ignore:` names.

use std::sync::Arc;

use handoff_engine::event::{self, Intent};
use handoff_engine::letter::{Audience, Letter, LetterBody, Task};
use handoff_engine::referral::Referral;
use handoff_engine::step::{self, Effect};
use handoff_store::Record;

use crate::error::PipelineError;
use crate::transaction::Transaction;

/// A working day: the patient believes that somebody has read it.
const DUE_IN_HOURS: u32 = 24;

impl Transaction<'_> {
    /// `heard` is the referral as it was told, and `since` where in this transaction what follows from it begins.
    pub(super) fn see_that_it_is_read(
        &mut self,
        heard: &Referral,
        reading: &event::Reply,
        since: usize,
    ) -> Result<(), PipelineError> {
        let is_task = |record: &Record| matches!(record, Record::Queued { letter, .. } if letter.id.referral == heard.id && matches!(letter.body, LetterBody::Task(_)));
        if !wants_a_reader(reading.intent) || self.draft.records()[since..].iter().any(is_task) {
            return Ok(());
        }
        let deployment = self.from.deployments.get(&heard.deployment)?;
        let workflow = deployment.workflow();
        let state = workflow.states.get(&heard.state);
        let is_moved = self.current(heard.id)?.state != heard.state;
        if is_moved || state.is_some_and(|state| state.ignore.contains(reading.intent.event_name())) {
            return Ok(());
        }
        let patient = format!("{} {}", heard.facts.patient.given.0, heard.facts.patient.family.0);
        let (kind, summary) = match workflow.is_end(&heard.state) {
            true => ("late-reply", format!("{patient} wrote after the referral had ended. Please read it and answer.")),
            false => ("read-reply", format!("{patient} wrote something that a person should read.")),
        };
        let urgent = reading.intent == Intent::Emergency;
        let due_in_hours = if urgent { 0 } else { DUE_IN_HOURS };
        let task = Task { audience: Audience::Coordinator, kind: kind.into(), urgent, summary, due_in_hours };
        let step = step::hand_over(&*self.current(heard.id)?, task, self.now());
        for (id, effect) in step.letters() {
            let Effect::Raise { task } = effect else { continue };
            let letter = Letter { id, due: self.now(), expires: None, body: LetterBody::Task(task.clone()) };
            self.draft.queue(letter);
        }
        self.draft.stepped(Arc::new(step.referral), step.because);
        Ok(())
    }
}

/// Whether a person has to see it where the workflow has nobody see it.
fn wants_a_reader(intent: Intent) -> bool {
    match intent {
        Intent::Emergency
        | Intent::WrongPerson
        | Intent::Help
        | Intent::CancelVisit
        | Intent::Decline
        | Intent::Reschedule
        | Intent::Question
        | Intent::Unclear => true,
        Intent::OptOut | Intent::OptIn | Intent::Scheduled | Intent::Attended | Intent::Confirm => false,
    }
}
