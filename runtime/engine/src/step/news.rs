//! News from outside that is none: older than what is known, of an appointment that was replaced, or known already.
//!
//! Feeds repeat themselves, and engines send again what failed, in any order.

use chrono::{DateTime, TimeDelta, Utc};

use super::Rejection;
use crate::event::{AppointmentChange, Event};
use crate::ids::Token;
use crate::referral::{Appointment, AppointmentStatus, Facts, Provider};

#[expect(clippy::wildcard_enum_match_arm, reason = "no other event comes from a system that says when")]
pub(super) fn check(facts: &Facts, event: &Event) -> Result<(), Rejection> {
    match event {
        Event::OrderChanged { order, .. } if is_older(order.as_of, facts.order.as_of) => Err(Rejection::Older),
        Event::PatientDied if facts.patient.deceased => Err(Rejection::NothingNew),
        Event::Appointment { change, appointment, with, numbers, as_of } => {
            let Some(known) = &facts.appointment else { return Ok(()) };
            let told = appointment.as_ref();
            let is_another = is_other(told.map_or(numbers, |told| &told.numbers), &known.numbers);
            // A scheduler that moves a visit by booking anew cancels the old one last; the two may be heard of the wrong way round.
            let is_rebooked = is_another
                && makes_an_appointment(*change)
                && has_fallen_through(known.status)
                && known.as_of.zip(*as_of).is_some_and(|(ended, booked)| ended - booked <= IN_ONE_SITTING);
            if is_older(*as_of, known.as_of) && !is_rebooked {
                return Err(Rejection::Older);
            }
            if !makes_an_appointment(*change) && is_another {
                return Err(Rejection::ReplacedAppointment);
            }
            let is_with = |with: &Provider| facts.order.specialist.as_ref().is_some_and(|known| known.is_same(with));
            if told.is_some_and(|told| makes_an_appointment(*change) && is_known(told, known))
                && with.as_ref().is_none_or(is_with)
            {
                return Err(Rejection::NothingNew);
            }
            Ok(())
        }
        _ => Ok(()),
    }
}

/// Between a new appointment and the cancellation of the one that it takes the place of.
const IN_ONE_SITTING: TimeDelta = TimeDelta::hours(1);

fn is_older(said: Option<DateTime<Utc>>, known: Option<DateTime<Utc>>) -> bool {
    said.zip(known).is_some_and(|(said, known)| said < known)
}

/// Whether it may be of an appointment that was not there before.
fn makes_an_appointment(change: AppointmentChange) -> bool {
    match change {
        AppointmentChange::Booked | AppointmentChange::Moved => true,
        AppointmentChange::Changed
        | AppointmentChange::Cancelled
        | AppointmentChange::Deleted
        | AppointmentChange::NoShow
        | AppointmentChange::Arrived
        | AppointmentChange::Completed => false,
    }
}

/// Whether nobody is expected at it, nor has come.
fn has_fallen_through(status: AppointmentStatus) -> bool {
    match status {
        AppointmentStatus::Cancelled | AppointmentStatus::NoShow => true,
        AppointmentStatus::Booked | AppointmentStatus::Arrived | AppointmentStatus::Completed => false,
    }
}

fn is_other(told: &[Token], known: &[Token]) -> bool {
    !told.is_empty() && !known.is_empty() && !told.iter().any(|number| known.contains(number))
}

/// The same appointment at the same time: a comment, a room or a participant was edited.
fn is_known(told: &Appointment, known: &Appointment) -> bool {
    known.status == AppointmentStatus::Booked
        && told.starts_at == known.starts_at
        && !is_other(&told.numbers, &known.numbers)
}
