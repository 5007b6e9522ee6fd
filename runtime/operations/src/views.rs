//! One referral as each role sees it. What a role does not get to see is not left empty: its view has no place for it.

use chrono::{DateTime, Utc};
use handoff_engine::ids::{LetterId, ReferralId, Token};
use handoff_engine::letter::{Audience, Task};
use handoff_engine::referral::{AppointmentStatus, Channel, Consent, Priority, Provider, Referral};
use handoff_identity::person::Person;
use handoff_identity::role::Role;
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
    #[schema(value_type = String)]
    pub referral: ReferralId,
    pub letter: String,
    #[schema(value_type = String)]
    pub audience: Audience,
    /// The workflow's word for it.
    pub kind: String,
    pub urgent: bool,
    #[schema(value_type = String, format = DateTime)]
    pub due_at: DateTime<Utc>,
    pub overdue: bool,
    /// In clear, and only for whoever sees the patient.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub summary: Option<String>,
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
    fn of(referral: &Referral, ended: bool, look: &PhiAccess<'_>) -> ClearReferral {
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
    pub fn of(
        letter: LetterId,
        task: &Task,
        due_at: DateTime<Utc>,
        now: DateTime<Utc>,
        look: Option<&PhiAccess<'_>>,
    ) -> TaskView {
        TaskView {
            referral: letter.referral,
            letter: letter.to_string(),
            audience: task.audience,
            kind: task.kind.clone(),
            urgent: task.urgent,
            due_at,
            overdue: due_at <= now,
            summary: look.map(|look| look.read(&task.summary)),
        }
    }
}

fn timers(referral: &Referral) -> Vec<NextDue> {
    referral.timers.iter().map(|timer| NextDue { name: timer.name.clone(), due: timer.due }).collect()
}
