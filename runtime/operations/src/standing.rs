//! Where a referral stands, as people of a practice say it. A workflow's own names for its states are its author's, and no page
//! shows them: what is known of the referral says as much.

use chrono::{DateTime, Utc};
use handoff_engine::referral::{AppointmentStatus, Referral};

/// The place of a referral on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ReferralStanding {
    CheckingPlan,
    ReadingChart,
    NotBooked,
    Booked {
        at: DateTime<Utc>,
    },
    /// There is an appointment, and nobody knows when.
    DateUnknown,
    NewDateWanted,
    CheckingVisit,
    AwaitingNote,
    FilingNote,
    /// People have taken over.
    ByHand,
    ClosedWithNote,
    ClosedWithoutNote,
    Declined,
    NotReachable,
    Withdrawn,
    Died,
    /// Ended in a way that only its workflow has a name for.
    Closed,
}

impl ReferralStanding {
    pub fn of(referral: &Referral, ended: bool, now: DateTime<Utc>) -> ReferralStanding {
        if ended { ReferralStanding::ended(referral) } else { ReferralStanding::in_flight(referral, now) }
    }

    /// The shipped workflow's states say more than facts do; of any other workflow's, the facts have to speak.
    fn ended(referral: &Referral) -> ReferralStanding {
        match referral.state.as_str() {
            "declined" => ReferralStanding::Declined,
            "unreachable" => ReferralStanding::NotReachable,
            "cancelled" => ReferralStanding::Withdrawn,
            "closed-without-note" => ReferralStanding::ClosedWithoutNote,
            _ if referral.facts.patient.deceased => ReferralStanding::Died,
            _ if referral.facts.note.as_ref().is_some_and(|note| note.retracted) => ReferralStanding::ClosedWithoutNote,
            _ if referral.facts.note.is_some() => ReferralStanding::ClosedWithNote,
            _ => ReferralStanding::Closed,
        }
    }

    fn in_flight(referral: &Referral, now: DateTime<Utc>) -> ReferralStanding {
        let facts = &referral.facts;
        let booked = facts.appointment.as_ref().filter(|it| it.status == AppointmentStatus::Booked);
        match referral.state.as_str() {
            "assessing" => ReferralStanding::CheckingPlan,
            "reading-chart" => ReferralStanding::ReadingChart,
            "by-hand" => ReferralStanding::ByHand,
            "rebooking" => ReferralStanding::NewDateWanted,
            "checking-visit" => ReferralStanding::CheckingVisit,
            "scheduled" if booked.is_none() => ReferralStanding::DateUnknown,
            _ if facts.note.is_some() => ReferralStanding::FilingNote,
            _ if facts.visit.as_ref().is_some_and(|visit| visit.attended) => ReferralStanding::AwaitingNote,
            "awaiting-note" => ReferralStanding::AwaitingNote,
            _ => match (booked, &facts.appointment) {
                (Some(visit), _) if visit.starts_at >= now => ReferralStanding::Booked { at: visit.starts_at },
                (Some(_), _) => ReferralStanding::CheckingVisit,
                (None, Some(_)) => ReferralStanding::NewDateWanted,
                (None, None) => ReferralStanding::NotBooked,
            },
        }
    }

    /// Whether nothing more is expected.
    pub fn is_end(self) -> bool {
        self >= ReferralStanding::ClosedWithNote
    }
}
