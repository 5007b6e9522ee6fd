//! One referral whole, as its page shows it: who, where it stands, what comes next, what was said, what happened and why.

use chrono::{DateTime, Utc};
use handoff_engine::ids::ReferralId;
use handoff_engine::referral::{AppointmentStatus, Referral};
use handoff_identity::person::Person;

use crate::access_log::PhiAccess;
use crate::chronicle::{ChronicleLine, Chronicler};
use crate::conversation::{ReferralThread, UtteredAt};
use crate::foresight::Foreseen;
use crate::operations::Operations;
use crate::referrals::PhiAccessError;
use crate::standing::ReferralStanding;
use crate::views::{ClearReferral, PatientName};
use crate::worklist::{LastContact, WorkReason, is_stalled, last_contact, office};

#[derive(Debug)]
pub struct ReferralFile {
    pub id: ReferralId,
    /// Only for whoever sees the patient.
    pub seen: Option<SeenReferral>,
    pub office: String,
    pub standing: ReferralStanding,
    pub stalled: bool,
    pub ended: bool,
    pub ordered_at: DateTime<Utc>,
    pub entered_at: DateTime<Utc>,
    pub milestones: Milestones,
    pub foreseen: Vec<Foreseen>,
    pub tasks: Vec<WorkReason>,
    pub last: Option<LastContact>,
    /// Newest first.
    pub chronicle: Vec<ChronicleLine>,
    /// Below this a person reads what a patient wrote.
    pub confidence_min: u8,
}

/// What only whoever sees the patient gets.
#[derive(Debug)]
pub struct SeenReferral {
    pub patient: PatientName,
    pub order: ClearReferral,
    pub conversation: Vec<UtteredAt>,
    /// Of the note: when it came, and the kinds of its files.
    pub note: Option<(DateTime<Utc>, Vec<String>)>,
}

/// How far along the way to the closed loop it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Milestones {
    pub plan_checked: bool,
    pub chart_read: bool,
    pub booked: Option<DateTime<Utc>>,
    pub is_booked: bool,
    pub attended: Option<DateTime<Utc>>,
    pub noted: Option<DateTime<Utc>>,
    pub closed: bool,
}

impl Operations {
    /// # Errors
    /// When there is none for this person, or the journal does not take the look.
    pub fn referral_file(&self, person: &Person, id: ReferralId) -> Result<ReferralFile, PhiAccessError> {
        let (referral, look) = self.one(person, id, "a referral's page")?;
        let (ended, now) = (self.pipeline.deployments.ended(&referral), self.pipeline.clock.now());
        let deployments = &self.pipeline.deployments;
        let deployment_of = |of: &Referral| deployments.get(&of.deployment).ok().map(|it| it.deployment.clone());
        let mut chronicler = Chronicler::new(id, &deployment_of);
        let mut conversation = look.as_ref().map(|look| ReferralThread::new(id, look));
        for position in self.pipeline.store.index().history(&id)? {
            let Some(entry) = self.pipeline.store.read(position)? else { continue };
            chronicler.read(&entry);
            if let Some(conversation) = &mut conversation {
                conversation.read(&entry);
            }
        }
        let mut chronicle = chronicler.lines;
        chronicle.reverse();
        let story = self.story(id)?;
        let tasks = story.open_tasks(&referral, now);
        let seen = match (&look, conversation) {
            (Some(look), Some(conversation)) => Some(seen(&referral, ended, look, conversation)),
            (Some(_) | None, _) => None,
        };
        Ok(ReferralFile {
            id,
            seen,
            office: referral.facts.order.specialist.as_ref().map(office).unwrap_or_default(),
            standing: ReferralStanding::of(&referral, ended, now),
            stalled: !ended && is_stalled(&referral),
            ended,
            ordered_at: referral.ordered_at,
            entered_at: referral.entered_at,
            milestones: Milestones::of(&referral, ended),
            foreseen: self.foreseen(&referral)?,
            tasks: tasks.iter().map(|asked| WorkReason::of(asked, look.as_ref())).collect(),
            last: last_contact(&referral, &story),
            chronicle,
            confidence_min: deployment_of(&referral).map_or(0, |it| it.workflow.stages.confidence_min),
        })
    }
}

fn seen(referral: &Referral, ended: bool, look: &PhiAccess<'_>, conversation: ReferralThread<'_>) -> SeenReferral {
    let order = ClearReferral::of(referral, ended, look);
    let note = referral.facts.note.as_ref().map(|note| {
        let further = note.attached.iter().map(|document| document.media_type.clone());
        (note.received_at, std::iter::once(note.media_type.clone()).chain(further).collect())
    });
    let patient = PatientName::of(&referral.facts.patient, look);
    SeenReferral { patient, order, conversation: conversation.finish(), note }
}

impl Milestones {
    fn of(referral: &Referral, closed: bool) -> Milestones {
        let facts = &referral.facts;
        let booked = facts.appointment.as_ref().filter(|it| it.status != AppointmentStatus::Cancelled);
        let attended = facts.visit.as_ref().filter(|visit| visit.attended).map(|visit| visit.at);
        let noted = facts.note.as_ref().map(|note| note.received_at);
        let under_way = closed || !facts.attempts.is_empty() || booked.is_some();
        Milestones {
            plan_checked: under_way || referral.version > 1,
            chart_read: under_way,
            booked: booked.map(|it| it.starts_at),
            is_booked: booked.is_some() || attended.is_some() || noted.is_some(),
            attended,
            noted,
            closed,
        }
    }
}
