//! Which referral an event means: by its own number, by its appointment's, else by its patient.

use std::collections::BTreeSet;

use handoff_engine::ids::{BlindedName, ReferralId};
use handoff_host::contract::interpreter::{self, Meaning};

use super::Intake;
use crate::error::PipelineError;

impl Intake {
    /// The referral that an event means: by its own number, by its appointment's, else by the patient when only one of
    /// theirs is open.
    pub(super) fn known(&self, event: &interpreter::Event) -> Result<Option<ReferralId>, PipelineError> {
        let index = self.transactions.store.index();
        let reference = reference(event);
        let numbers = reference.referral.iter().map(|number| self.number(number));
        let appointments =
            reference.appointment.iter().map(|number| self.transactions.vault.blind("appointment", number));
        for name in numbers.chain(appointments) {
            if let Some(id) = index.find(&name)?.pop() {
                return Ok(Some(id));
            }
        }
        if matches!(event, interpreter::Event::Ordered(_)) {
            // A patient may be referred twice: an order is the same order only by its own number.
            return Ok(None);
        }
        let mut open = BTreeSet::new();
        for identifier in &reference.patient {
            for id in index.find(&self.patient_name(identifier))? {
                let referral = index.referral(&id)?;
                if referral.is_some_and(|referral| !self.transactions.deployments.ended(&referral)) {
                    open.insert(id);
                }
            }
        }
        Ok(if open.len() == 1 { open.pop_first() } else { None })
    }

    pub(super) fn number(&self, number: &str) -> BlindedName {
        self.transactions.vault.blind("number", number)
    }

    pub(super) fn patient_name(&self, id: &interpreter::Identifier) -> BlindedName {
        self.transactions.vault.blind("patient", &format!("{}\u{1f}{}", id.authority, id.value))
    }

    /// Names that two deliveries may fight over: whoever comes second must see what the first did.
    pub(super) fn keys_of(&self, meaning: &Meaning) -> Vec<BlindedName> {
        let Meaning::Events(events) = meaning else { return Vec::new() };
        events.iter().flat_map(|event| &reference(event).referral).map(|number| self.number(number)).collect()
    }
}

/// The numbers that an event goes by.
pub(super) fn reference(event: &interpreter::Event) -> &interpreter::Reference {
    match event {
        interpreter::Event::Ordered(order) => &order.reference,
        interpreter::Event::Withdrawn(reference) => reference,
        interpreter::Event::Appointment(notice) => &notice.reference,
        interpreter::Event::Note(note) => &note.reference,
    }
}
