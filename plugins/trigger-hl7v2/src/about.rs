//! What an event is about: the numbers by which its referral is found, and the patient whom the message names.

use crate::mapped;
use crate::message::Segment;
use crate::patient;
use crate::problem::{Fault, Place};
use crate::reading::Feed;
use crate::settings::MatchPatient;
use crate::types::{Event, Happening, Number, Reference};

#[derive(Clone, Default)]
pub struct About<'a> {
    pub referral: Vec<Number>,
    pub appointment: Vec<Number>,
    pub document: Vec<Number>,
    pub group: Vec<Number>,
    pub pid: Option<Segment<'a>>,
}

impl<'a> About<'a> {
    /// With the referral's numbers that the site sends in a place of its own, before the standard's.
    pub fn mapped(mut self, segments: &[Segment<'a>], feed: &Feed<'_>) -> Result<About<'a>, Fault> {
        let own = mapped::numbers(segments, feed)?;
        self.referral.retain(|number| !own.contains(number));
        self.referral.splice(0..0, own);
        Ok(self)
    }

    /// Without a number and without a patient's, nobody could tell what it is about.
    pub fn require_key(&self, place: Place, help: &str) -> Result<(), Fault> {
        let is_numbered = [&self.referral, &self.appointment, &self.group].iter().any(|numbers| !numbers.is_empty());
        let is_named = self.pid.is_some_and(|pid| !patient::identifiers(pid).is_empty());
        if is_numbered || is_named { Ok(()) } else { Err(Fault::missing_field(place.segment, place.field, help)) }
    }

    /// As of when the message was sent.
    pub fn event(self, what: Happening, feed: &Feed<'_>) -> Event {
        let is_numbered = !self.referral.is_empty() || !self.group.is_empty();
        let by_patient = match what {
            // The patient's other referral is another one.
            Happening::Ordered(_) => false,
            Happening::PatientUpdated(_) | Happening::PatientDied | Happening::PatientMerged(_) => true,
            Happening::Withdrawn
            | Happening::Declined(_)
            | Happening::Appointment(_)
            | Happening::Note(_)
            | Happening::NoteRetracted => match feed.settings.match_patient {
                MatchPatient::Never => false,
                MatchPatient::Unnumbered => !is_numbered,
                MatchPatient::Always => true,
            },
        };
        let patient = self.pid.and_then(patient::named);
        let about = Reference {
            referral: self.referral,
            appointment: self.appointment,
            document: self.document,
            group: self.group,
            by_patient: by_patient && patient.is_some(),
            patient,
        };
        Event { about, as_of: feed.sent_at, what }
    }
}
