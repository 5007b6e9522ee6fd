//! Whom nobody has got an appointment: referrals that stalled lately, by who is to see to them.

use chrono::{DateTime, Utc};
use handoff_engine::dashboard::marks;
use handoff_engine::ids::ReferralId;
use handoff_engine::referral::Referral;
use handoff_identity::person::Person;

use crate::foresight::Foreseen;
use crate::operations::Operations;
use crate::referrals::{PhiAccessError, Which};
use crate::standing::ReferralStanding;
use crate::views::PatientName;
use crate::worklist::{is_stalled, office};

/// What fits on one sheet of paper, and in one conversation.
const STALLED_MAX: usize = 40;

/// One of them.
#[derive(Clone, Debug)]
pub struct StalledRow {
    pub id: ReferralId,
    /// Only for whoever sees the patient.
    pub patient: Option<PatientName>,
    /// Who sees to it; nobody where it is empty.
    pub owner: String,
    pub office: String,
    pub physician: String,
    pub ordered_at: DateTime<Utc>,
    pub standing: ReferralStanding,
    pub messages: usize,
    pub answered: bool,
    pub next: Option<Foreseen>,
}

impl Operations {
    /// Since then, the oldest first. Names are a look, whether whole or as initials.
    ///
    /// # Errors
    /// When it cannot be read, or the journal does not take the look.
    pub fn stalled_since(
        &self,
        person: &Person,
        since: DateTime<Utc>,
        shows_names: bool,
    ) -> Result<Vec<StalledRow>, PhiAccessError> {
        let which = Which { limit: STALLED_MAX, ..Which::default() };
        let lately = |referral: &Referral| {
            let stalled = |mark: &handoff_engine::referral::Mark| mark.name == marks::STALLED && mark.at >= since;
            is_stalled(referral) && referral.facts.marks.iter().any(stalled)
        };
        let seen = self.in_flight(person, &which, lately)?;
        let what = if shows_names { "stalled referrals, by name" } else { "stalled referrals, by initials" };
        let look = self.look_at(person, what, seen.iter().map(|referral| referral.id))?;
        let now = self.pipeline.clock.now();
        let row = |referral: &Referral| {
            let order = &referral.facts.order;
            let story = self.story(referral.id)?;
            let owner = story.open_tasks(referral, now).into_iter().find_map(|asked| asked.assignee);
            Ok(StalledRow {
                id: referral.id,
                patient: look.as_ref().map(|look| PatientName::of(&referral.facts.patient, look)),
                owner: owner.unwrap_or_default(),
                office: order.specialist.as_ref().map(office).unwrap_or_default(),
                physician: order.referring.name.clone(),
                ordered_at: referral.ordered_at,
                standing: ReferralStanding::of(referral, false, now),
                messages: referral.facts.attempts.len(),
                answered: story.last_reply.is_some(),
                next: self.foreseen(referral)?.into_iter().next(),
            })
        };
        seen.iter().map(|referral| row(referral)).collect()
    }
}
