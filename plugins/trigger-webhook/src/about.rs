//! What an event is about: the numbers by which its referral is found, and the patient whom the delivery names.

use crate::types::{Event, Happening, Instant, NamedPatient, Number, Reference};

#[derive(Clone, Default)]
pub struct About {
    pub referral: Vec<Number>,
    pub appointment: Vec<Number>,
    pub document: Vec<Number>,
    pub group: Vec<Number>,
    pub patient: Option<NamedPatient>,
    /// Since when it is so.
    pub as_of: Option<Instant>,
}

impl About {
    /// Whether anything is there to find a referral by. A document's own number finds none before the document is known.
    pub fn is_findable(&self) -> bool {
        let is_numbered = [&self.referral, &self.appointment, &self.group].iter().any(|numbers| !numbers.is_empty());
        is_numbered || self.patient.as_ref().is_some_and(|patient| !patient.identifiers.is_empty())
    }

    /// The patient may find the referral where no number of an order's is given. A new order is a new one, whoever's it is.
    pub fn event(self, what: Happening) -> Event {
        let is_numbered = !self.referral.is_empty() || !self.group.is_empty();
        let by_patient = match what {
            Happening::Ordered(_) => false,
            Happening::PatientUpdated(_) | Happening::PatientDied | Happening::PatientMerged(_) => true,
            Happening::Withdrawn
            | Happening::Declined(_)
            | Happening::Appointment(_)
            | Happening::Note(_)
            | Happening::NoteRetracted => !is_numbered,
        };
        let about = Reference {
            referral: self.referral,
            appointment: self.appointment,
            document: self.document,
            group: self.group,
            by_patient: by_patient && self.patient.is_some(),
            patient: self.patient,
        };
        Event { about, as_of: self.as_of, what }
    }
}

/// Each number once within its authority.
pub fn push_number(numbers: &mut Vec<Number>, number: Number) {
    if !number.value.is_empty() && !numbers.contains(&number) {
        numbers.push(number);
    }
}
