//! One referral as each role sees it. What a role does not get to see is not left empty: its view has no place for it.

use chrono::{DateTime, Utc};
use handoff_engine::ids::{ReferralId, Token};
use handoff_engine::letter::Audience;
use handoff_engine::referral::{AppointmentStatus, Channel, Consent, Patient, Priority, Provider, Referral};
use handoff_engine::task::{ReferralTask, TaskEnd, TaskOutcome};
use handoff_identity::person::Person;
use handoff_identity::role::Role;
use handoff_store::index::OpenTask;
use serde::Serialize;
use utoipa::ToSchema;

use crate::access_log::PhiAccess;
use crate::reports::timeline::TimelineMoment;

/// How somebody may see a referral.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Visibility {
    Clear,
    Tokens,
}

impl Visibility {
    /// Nothing where for this person there is no such referral. `opened` says that they broke the glass before it.
    pub fn of(person: &Person, referral: &Referral, opened: bool) -> Option<Visibility> {
        match person.role {
            Role::Coordinator => Some(Visibility::Clear),
            Role::Physician if opened || is_own(person, referral) => Some(Visibility::Clear),
            Role::Physician => None,
            Role::Manager | Role::It | Role::Auditor => Some(Visibility::Tokens),
        }
    }
}

/// Whether a physician ordered it.
pub fn is_own(person: &Person, referral: &Referral) -> bool {
    person
        .provider
        .as_ref()
        .is_some_and(|provider| !provider.is_empty() && *provider == referral.facts.order.referring.id)
}

/// Who a patient is, for whoever may know: as far as the vault still has it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PatientName {
    pub given: Option<String>,
    pub family: Option<String>,
    /// `YYYY-MM-DD`, or as much of it as is known.
    pub born: Option<String>,
}

/// A referral, by the role that asks.
#[derive(Debug, Serialize, ToSchema)]
#[serde(tag = "view", rename_all = "kebab-case")]
pub enum RoleView {
    /// For coordinators, and for physicians of their own patients.
    Clear(Box<ClearReferral>),
    /// For everybody else.
    Tokens(TokenReferral),
}

/// With the patient's data, as far as the vault still has it: what was erased is absent.
#[derive(Debug, Serialize, ToSchema)]
pub struct ClearReferral {
    #[schema(value_type = String)]
    pub id: ReferralId,
    pub state: String,
    pub ended: bool,
    #[schema(value_type = String, format = DateTime)]
    pub ordered_at: DateTime<Utc>,
    #[schema(value_type = String, format = DateTime)]
    pub entered_at: DateTime<Utc>,
    pub given: Option<String>,
    pub family: Option<String>,
    pub reaches: Vec<ClearReach>,
    /// BCP 47, best first.
    pub languages: Vec<String>,
    /// The order's numbers in the EHR.
    pub numbers: Vec<String>,
    #[schema(value_type = String)]
    pub priority: Priority,
    pub specialty: String,
    pub diagnoses: Vec<String>,
    pub plan: String,
    pub referring: Clinician,
    pub specialist: Option<Clinician>,
    pub appointment: Option<VisitView>,
    pub attended: Option<bool>,
    /// Whether the consultation note has come back.
    pub noted: bool,
    pub timers: Vec<NextDue>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct ClearReach {
    #[schema(value_type = String)]
    pub channel: Channel,
    pub address: Option<String>,
    #[schema(value_type = String)]
    pub consent: Consent,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct Clinician {
    pub id: String,
    pub name: String,
    pub organization: String,
    pub phone: String,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct VisitView {
    #[schema(value_type = String, format = DateTime)]
    pub starts_at: DateTime<Utc>,
    pub minutes: u32,
    #[schema(value_type = String)]
    pub status: AppointmentStatus,
}

/// When the workflow looks at it again.
#[derive(Debug, Serialize, ToSchema)]
pub struct NextDue {
    pub name: String,
    #[schema(value_type = String, format = DateTime)]
    pub due: DateTime<Utc>,
}

/// Where it stands, of whom only the vault could say.
#[derive(Debug, Serialize, ToSchema)]
pub struct TokenReferral {
    #[schema(value_type = String)]
    pub id: ReferralId,
    pub state: String,
    pub ended: bool,
    #[schema(value_type = String, format = DateTime)]
    pub ordered_at: DateTime<Utc>,
    #[schema(value_type = String, format = DateTime)]
    pub entered_at: DateTime<Utc>,
    /// The patient as the journal names them.
    pub patient: String,
    #[schema(value_type = String)]
    pub given: Token,
    #[schema(value_type = String)]
    pub family: Token,
    /// The specialist's id; empty while none is named.
    pub specialist: String,
    pub timers: Vec<NextDue>,
}

/// One line of a referral's history.
#[derive(Debug, Serialize, ToSchema)]
pub struct MessageView {
    #[schema(value_type = String, format = DateTime)]
    pub at: DateTime<Utc>,
    pub what: String,
    /// What was written to the patient, to a person, or by the patient: in clear, and only for whoever sees the patient.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
}

/// Something that a person was asked to do.
#[derive(Debug, Serialize, ToSchema)]
pub struct TaskView {
    /// By which it is done, given to somebody, put off or opened again.
    pub task: String,
    #[schema(value_type = String)]
    pub referral: ReferralId,
    #[schema(value_type = String)]
    pub audience: Audience,
    /// The workflow's word for it.
    pub kind: String,
    pub urgent: bool,
    #[schema(value_type = String, format = DateTime)]
    pub raised_at: DateTime<Utc>,
    #[schema(value_type = String, format = DateTime)]
    pub due_at: DateTime<Utc>,
    /// Open, and due before now.
    pub overdue: bool,
    /// Who has it.
    pub assignee: Option<String>,
    #[schema(value_type = Option<String>, format = DateTime)]
    pub snoozed_until: Option<DateTime<Utc>>,
    /// Absent while it is open.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended: Option<TaskEndView>,
    /// In clear, and only for whoever sees the patient.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub summary: Option<String>,
}

/// How a task came to its end.
#[derive(Debug, Serialize, ToSchema)]
pub struct TaskEndView {
    #[schema(value_type = String, format = DateTime)]
    pub at: DateTime<Utc>,
    /// `done` or `moot`.
    #[schema(value_type = String)]
    pub how: TaskOutcome,
    /// The person who did it, or the event that made it moot.
    pub by: String,
    pub why: String,
}

impl PatientName {
    pub fn of(patient: &Patient, look: &PhiAccess<'_>) -> PatientName {
        let born = patient.born.as_ref().and_then(|born| look.reveal(born));
        PatientName { given: look.reveal(&patient.given), family: look.reveal(&patient.family), born }
    }
}

impl RoleView {
    /// By the role: in clear only with the look that the journal already has.
    pub fn of(referral: &Referral, ended: bool, look: Option<&PhiAccess<'_>>) -> RoleView {
        match look {
            Some(look) => RoleView::Clear(Box::new(ClearReferral::of(referral, ended, look))),
            None => RoleView::Tokens(TokenReferral::of(referral, ended)),
        }
    }
}

impl ClearReferral {
    pub(crate) fn of(referral: &Referral, ended: bool, look: &PhiAccess<'_>) -> ClearReferral {
        let facts = &referral.facts;
        let (patient, order) = (&facts.patient, &facts.order);
        let reaches = patient.reaches.iter().map(|reach| ClearReach {
            channel: reach.channel,
            address: look.reveal(&reach.address),
            consent: reach.consent,
        });
        ClearReferral {
            id: referral.id,
            state: referral.state.clone(),
            ended,
            ordered_at: referral.ordered_at,
            entered_at: referral.entered_at,
            given: look.reveal(&patient.given),
            family: look.reveal(&patient.family),
            reaches: reaches.collect(),
            languages: patient.languages.clone(),
            numbers: order.numbers.iter().filter_map(|number| look.reveal(number)).collect(),
            priority: order.priority,
            specialty: order.specialty.display.clone(),
            diagnoses: order.diagnoses.iter().map(|code| format!("{} {}", code.code, code.display)).collect(),
            plan: order.plan_name.clone(),
            referring: Clinician::of(&order.referring),
            specialist: order.specialist.as_ref().map(Clinician::of),
            appointment: facts.appointment.as_ref().map(|it| VisitView {
                starts_at: it.starts_at,
                minutes: it.minutes,
                status: it.status,
            }),
            attended: facts.visit.as_ref().map(|visit| visit.attended),
            noted: facts.note.is_some(),
            timers: timers(referral),
        }
    }
}

impl TokenReferral {
    fn of(referral: &Referral, ended: bool) -> TokenReferral {
        let facts = &referral.facts;
        TokenReferral {
            id: referral.id,
            state: referral.state.clone(),
            ended,
            ordered_at: referral.ordered_at,
            entered_at: referral.entered_at,
            patient: facts.patient.id.0.clone(),
            given: facts.patient.given.clone(),
            family: facts.patient.family.clone(),
            specialist: facts.order.specialist.as_ref().map(|it| it.id.clone()).unwrap_or_default(),
            timers: timers(referral),
        }
    }
}

impl Clinician {
    fn of(provider: &Provider) -> Clinician {
        let Provider { id, name, organization, phone, specialty: _ } = provider.clone();
        Clinician { id, name, organization, phone }
    }
}

impl MessageView {
    pub fn of(moment: TimelineMoment, look: Option<&PhiAccess<'_>>) -> MessageView {
        let text = look.and_then(|look| moment.text.as_deref().map(|text| look.read(text)));
        MessageView { at: moment.at, what: moment.what, text }
    }
}

impl TaskView {
    /// `summary` has tokens where patient data belongs.
    pub fn of(
        referral: ReferralId,
        task: &ReferralTask,
        summary: Option<String>,
        now: DateTime<Utc>,
        look: Option<&PhiAccess<'_>>,
    ) -> TaskView {
        TaskView {
            task: task.id(referral).to_string(),
            referral,
            audience: task.audience,
            kind: task.kind.clone(),
            urgent: task.urgent,
            raised_at: task.raised_at,
            due_at: task.due_at,
            overdue: task.is_open() && task.due_at <= now,
            assignee: task.assignee.clone(),
            snoozed_until: task.snoozed_until,
            ended: task.ended.clone().map(|TaskEnd { at, how, by, why }| TaskEndView { at, how, by, why }),
            summary: look.zip(summary).map(|(look, summary)| look.read(&summary)),
        }
    }

    /// As [`TaskView::of`], by the index.
    pub fn open(task: OpenTask, summary: Option<String>, now: DateTime<Utc>, look: Option<&PhiAccess<'_>>) -> TaskView {
        let OpenTask { task, audience, kind, urgent, raised_at, due_at, assignee, snoozed_until } = task;
        let (referral, task, overdue, ended) = (task.referral, task.to_string(), due_at <= now, None);
        let summary = look.zip(summary).map(|(look, summary)| look.read(&summary));
        TaskView {
            task,
            referral,
            audience,
            kind,
            urgent,
            raised_at,
            due_at,
            overdue,
            assignee,
            snoozed_until,
            ended,
            summary,
        }
    }
}

fn timers(referral: &Referral) -> Vec<NextDue> {
    referral.timers.iter().map(|timer| NextDue { name: timer.name.clone(), due: timer.due }).collect()
}
