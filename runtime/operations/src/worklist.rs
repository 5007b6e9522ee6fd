//! The worklist: who wants a person, why, where each stands and what happens next by itself. In saved views with their counts, a
//! page at a time, each row as the role sees it.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use handoff_engine::dashboard::marks;
use handoff_engine::ids::{LetterId, ReferralId};
use handoff_engine::letter::{Audience, Task};
use handoff_engine::referral::{AttemptOutcome, Channel, Referral};
use handoff_identity::person::Person;
use handoff_identity::role::Role;
use handoff_store::index::ReferralFilter;

use crate::access_log::PhiAccess;
use crate::foresight::{Foreseen, foresee};
use crate::operations::Operations;
use crate::referrals::PhiAccessError;
use crate::standing::ReferralStanding;
use crate::story::{AskedTask, Story};
use crate::views::{PatientName, Visibility};

/// What a person looks through without losing their place.
pub const WORK_ROWS_MAX: usize = 50;

/// What is in flight at a practice of a hundred physicians. More are cut off, and the page says so.
const IN_FLIGHT_MAX: usize = 5_000;

/// Read from the index at once.
const STRIDE: usize = 500;

/// An emergency is for people even after the end; a month later nobody waits for it.
const ENDED_LATELY: TimeDelta = TimeDelta::days(30);

/// A saved filter.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WorkView {
    #[default]
    NeedsMe,
    Unreached,
    Unscheduled,
    AwaitingNote,
    Replies,
    InDoubt,
    Dead,
    Everyone,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WorkOrder {
    #[default]
    Urgent,
    Longest,
    Specialist,
    Next,
}

/// What somebody asks to see.
#[derive(Clone, Debug, Default)]
pub struct WorkQuery {
    pub view: WorkView,
    pub order: WorkOrder,
    /// The specialist's id.
    pub specialist: Option<String>,
    /// The referring physician's id.
    pub physician: Option<String>,
    /// The first is 0.
    pub page: usize,
}

/// One page of it.
#[derive(Debug)]
pub struct Worklist {
    pub counts: Vec<(WorkView, usize)>,
    /// Of all in the view, wanted at once.
    pub urgent: usize,
    pub rows: Vec<WorkRow>,
    pub total: usize,
    /// There are more in flight than were looked at.
    pub is_cut: bool,
    /// Those that a filter can name: id and name.
    pub specialists: Vec<(String, String)>,
    pub physicians: Vec<(String, String)>,
}

/// One referral in it.
#[derive(Clone, Debug)]
pub struct WorkRow {
    pub id: ReferralId,
    /// Only for whoever sees the patient.
    pub patient: Option<PatientName>,
    pub why: Option<WorkReason>,
    pub specialist: String,
    pub specialty: String,
    pub physician: String,
    pub standing: ReferralStanding,
    pub stalled: bool,
    pub ordered_at: DateTime<Utc>,
    pub next: Option<Foreseen>,
    pub last: Option<LastContact>,
}

/// Why it is here.
#[derive(Clone, Debug)]
pub struct WorkReason {
    pub task: LetterId,
    /// Who has taken it, or was given it.
    pub assignee: Option<String>,
    /// The workflow's word for the task.
    pub kind: String,
    pub audience: Audience,
    pub urgent: bool,
    pub due: DateTime<Utc>,
    pub answers_reply: bool,
    /// In clear, and only for whoever sees the patient.
    pub summary: Option<String>,
}

/// The last thing that was said, by either side.
#[derive(Clone, Debug)]
pub struct LastContact {
    pub at: DateTime<Utc>,
    pub by_patient: bool,
    pub channel: Channel,
    pub language: String,
}

struct Candidate {
    referral: Arc<Referral>,
    ended: bool,
    story: Arc<Story>,
    task: Option<AskedTask>,
    is_mine: bool,
}

impl WorkView {
    pub const ALL: [WorkView; 8] = [
        WorkView::NeedsMe,
        WorkView::Unreached,
        WorkView::Unscheduled,
        WorkView::AwaitingNote,
        WorkView::Replies,
        WorkView::InDoubt,
        WorkView::Dead,
        WorkView::Everyone,
    ];

    /// As an address has it.
    pub fn name(self) -> &'static str {
        match self {
            WorkView::NeedsMe => "needs-me",
            WorkView::Unreached => "not-reached",
            WorkView::Unscheduled => "not-booked",
            WorkView::AwaitingNote => "waiting-for-the-note",
            WorkView::Replies => "replies",
            WorkView::InDoubt => "in-doubt",
            WorkView::Dead => "not-delivered",
            WorkView::Everyone => "everyone",
        }
    }

    fn has(self, candidate: &Candidate) -> bool {
        let Candidate { referral, ended, story, task, is_mine } = candidate;
        let facts = &referral.facts;
        let confirmed = facts.marks.iter().any(|mark| mark.name == marks::CONFIRMED);
        let booked = facts.appointment.is_some() || confirmed || facts.visit.is_some() || facts.note.is_some();
        let reached = |outcome| matches!(outcome, AttemptOutcome::Delivered | AttemptOutcome::Answered);
        match self {
            WorkView::NeedsMe => *is_mine,
            WorkView::Replies => task.as_ref().is_some_and(|asked| asked.answers_reply),
            WorkView::Dead => !story.dead.is_empty(),
            WorkView::InDoubt => !ended && !story.doubtful.is_empty(),
            WorkView::Everyone => !ended,
            WorkView::Unscheduled => !ended && !booked,
            WorkView::Unreached => {
                let heard = story.last_reply.is_some() || facts.attempts.iter().any(|it| reached(it.outcome));
                !ended && !booked && !heard
            }
            WorkView::AwaitingNote => {
                !ended && facts.note.is_none() && facts.visit.as_ref().is_some_and(|visit| visit.attended)
            }
        }
    }
}

impl Operations {
    /// # Errors
    /// When it cannot be read, or the journal does not take the look.
    pub fn worklist(&self, person: &Person, query: &WorkQuery) -> Result<Worklist, PhiAccessError> {
        let (mut candidates, is_cut) = self.candidates(person)?;
        let specialists = distinct(&candidates, |it| it.order.specialist.as_ref());
        let physicians = distinct(&candidates, |it| Some(&it.order.referring));
        candidates.retain(|candidate| query.takes(&candidate.referral));
        let count = |view: WorkView| candidates.iter().filter(|candidate| view.has(candidate)).count();
        let counts = WorkView::ALL.map(|view| (view, count(view))).to_vec();
        candidates.retain(|candidate| query.view.has(candidate));
        sort(&mut candidates, query.order);
        let urgent = candidates.iter().filter(|it| it.task.as_ref().is_some_and(|asked| asked.task.urgent)).count();
        let total = candidates.len();
        let shown: Vec<Candidate> =
            candidates.into_iter().skip(query.page.saturating_mul(WORK_ROWS_MAX)).take(WORK_ROWS_MAX).collect();
        let look = self.look_at(person, "the worklist", shown.iter().map(|it| it.referral.id))?;
        let rows = shown.iter().map(|candidate| self.row(candidate, look.as_ref())).collect::<Result<_, _>>()?;
        Ok(Worklist { counts, urgent, rows, total, is_cut, specialists, physicians })
    }

    fn candidates(&self, person: &Person) -> Result<(Vec<Candidate>, bool), PhiAccessError> {
        let index = self.pipeline.store.index();
        let lately = self.pipeline.clock.now() - ENDED_LATELY;
        let (mut candidates, mut after) = (Vec::new(), None);
        loop {
            let page = index.referrals(&ReferralFilter::default(), after, STRIDE)?;
            let Some(last) = page.last() else { return Ok((candidates, false)) };
            after = Some(last.id);
            for listed in page.iter().filter(|listed| !listed.ended || listed.entered_at >= lately) {
                if candidates.len() >= IN_FLIGHT_MAX {
                    return Ok((candidates, true));
                }
                let Some(referral) = index.referral(&listed.id)? else { continue };
                if Visibility::of(person, &referral, false).is_none() {
                    continue;
                }
                candidates.push(self.candidate(person, referral, listed.ended)?);
            }
        }
    }

    fn candidate(&self, person: &Person, referral: Arc<Referral>, ended: bool) -> Result<Candidate, PhiAccessError> {
        let story = self.story(referral.id)?;
        let mut open = story.open_tasks(&referral, self.pipeline.clock.now());
        open.retain(|asked| concerns(person, asked));
        // One's own before another's.
        open.sort_by_key(|asked| !is_mine(person, asked));
        let task = open.into_iter().next();
        let is_mine = task.as_ref().is_some_and(|asked| is_mine(person, asked));
        Ok(Candidate { referral, ended, story, task, is_mine })
    }

    /// One that was found another way.
    pub(crate) fn row_of(
        &self,
        person: &Person,
        referral: Arc<Referral>,
        look: Option<&PhiAccess<'_>>,
    ) -> Result<WorkRow, PhiAccessError> {
        let ended = self.pipeline.deployments.ended(&referral);
        self.row(&self.candidate(person, referral, ended)?, look)
    }

    fn row(&self, candidate: &Candidate, look: Option<&PhiAccess<'_>>) -> Result<WorkRow, PhiAccessError> {
        let Candidate { referral, ended, story, task, .. } = candidate;
        let (now, order) = (self.pipeline.clock.now(), &referral.facts.order);
        let why = task.as_ref().map(|asked| WorkReason::of(asked, look));
        Ok(WorkRow {
            id: referral.id,
            patient: look.map(|look| PatientName::of(&referral.facts.patient, look)),
            why,
            specialist: order.specialist.as_ref().map(office).unwrap_or_default(),
            specialty: order.specialty.display.clone(),
            physician: order.referring.name.clone(),
            standing: ReferralStanding::of(referral, *ended, now),
            stalled: !*ended && is_stalled(referral),
            ordered_at: referral.ordered_at,
            next: self.foreseen(referral)?.into_iter().next(),
            last: last_contact(referral, story),
        })
    }

    /// What happens to it by itself.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub fn foreseen(&self, referral: &Referral) -> Result<Vec<Foreseen>, PhiAccessError> {
        let owed = self.pipeline.store.index().letters_of(&referral.id)?;
        // A deployment that nobody has any more decides nothing, and so nothing is foreseen.
        let Ok(installed) = self.pipeline.deployments.get(&referral.deployment) else { return Ok(Vec::new()) };
        Ok(foresee(&installed.deployment, referral, &owed, self.pipeline.clock.now()))
    }
}

impl WorkReason {
    pub fn of(asked: &AskedTask, look: Option<&PhiAccess<'_>>) -> WorkReason {
        let AskedTask { letter, task, due, answers_reply, assignee, at: _ } = asked.clone();
        let summary = look.map(|look| look.read(&task.summary));
        let Task { kind, audience, urgent, .. } = task;
        WorkReason { task: letter, assignee, kind, audience, urgent, due, answers_reply, summary }
    }
}

impl WorkQuery {
    fn takes(&self, referral: &Referral) -> bool {
        let order = &referral.facts.order;
        let with = |id: &String| order.specialist.as_ref().is_some_and(|it| it.id == *id);
        self.specialist.as_ref().is_none_or(with) && self.physician.as_ref().is_none_or(|id| order.referring.id == *id)
    }
}

/// By the name that people know: the office's, else the person's.
pub fn office(provider: &handoff_engine::referral::Provider) -> String {
    let names = [&provider.organization, &provider.name, &provider.id];
    names.into_iter().find(|name| !name.is_empty()).cloned().unwrap_or_default()
}

/// No appointment in time, and none since.
pub fn is_stalled(referral: &Referral) -> bool {
    let facts = &referral.facts;
    let marked = |name: &str| facts.marks.iter().any(|mark| mark.name == name);
    marked(marks::STALLED) && !marked(marks::CONFIRMED) && facts.appointment.is_none()
}

/// A physician decides what only physicians can; coordinators, and whoever looks after them, do the rest.
fn concerns(person: &Person, asked: &AskedTask) -> bool {
    match person.role {
        Role::Physician => asked.task.audience == Audience::Physician,
        Role::Coordinator | Role::Manager | Role::It | Role::Auditor => asked.task.audience == Audience::Coordinator,
    }
}

pub fn last_contact(referral: &Referral, story: &Story) -> Option<LastContact> {
    let wrote = story.last_reply.as_ref().map(|(at, reply)| LastContact {
        at: *at,
        by_patient: true,
        channel: reply.channel,
        language: reply.language.clone(),
    });
    let sent = referral.facts.last_letter.as_ref().map(|letter| LastContact {
        at: letter.at,
        by_patient: false,
        channel: letter.channel,
        language: letter.language.clone(),
    });
    [wrote, sent].into_iter().flatten().max_by_key(|contact| contact.at)
}

/// Nobody's is everybody's; whoever runs the practice looks after all of them.
fn is_mine(person: &Person, asked: &AskedTask) -> bool {
    person.role == Role::Manager || asked.assignee.as_ref().is_none_or(|name| *name == person.name)
}

fn sort(candidates: &mut [Candidate], order: WorkOrder) {
    match order {
        WorkOrder::Urgent => candidates.sort_by_key(|it| {
            let wanted = it.task.as_ref().map(|asked| (!asked.task.urgent, asked.due));
            (wanted.is_none(), wanted, it.referral.ordered_at)
        }),
        WorkOrder::Longest => candidates.sort_by_key(|it| it.referral.ordered_at),
        WorkOrder::Specialist => candidates
            .sort_by_key(|it| (it.referral.facts.order.specialist.as_ref().map(office), it.referral.ordered_at)),
        WorkOrder::Next => candidates.sort_by_key(|it| {
            let next = it.referral.timers.iter().map(|timer| timer.due).min();
            (next.is_none(), next)
        }),
    }
}

fn distinct<'c>(
    candidates: &'c [Candidate],
    of: impl Fn(&'c handoff_engine::referral::Facts) -> Option<&'c handoff_engine::referral::Provider>,
) -> Vec<(String, String)> {
    let mut all: Vec<(String, String)> = candidates
        .iter()
        .filter_map(|candidate| of(&candidate.referral.facts))
        .map(|provider| (provider.id.clone(), office(provider)))
        .filter(|(id, _)| !id.is_empty())
        .collect();
    all.sort_by(|(one, a), (other, b)| (a, one).cmp(&(b, other)));
    all.dedup();
    all
}
