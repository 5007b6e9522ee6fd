//! What happened to one referral, and what made Handoff do what it did: the journal's entries as facts for a page to put into
//! words. No text of a patient's is in it; [`crate::conversation`] has those.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use handoff_engine::deployment::Deployment;
use handoff_engine::event::{AppointmentChange, Assessment, Delegated, Event, Intent, RerouteReason, VisitFinding};
use handoff_engine::ids::ReferralId;
use handoff_engine::letter::{Audience, ChartOutcome, Letter, LetterBody};
use handoff_engine::referral::{Channel, Referral};
use handoff_engine::task::TaskChange;
use handoff_engine::workflow::When;
use handoff_store::{Entry, Record};

use crate::standing::ReferralStanding;
use crate::worklist::office;

/// One line of it.
#[derive(Clone, Debug, PartialEq)]
pub struct ChronicleLine {
    pub at: DateTime<Utc>,
    pub what: Told,
    /// What led to it, where it was Handoff's own doing.
    pub because: Option<Cause>,
}

/// What happened.
#[derive(Clone, Debug, PartialEq)]
pub enum Told {
    Came(Cause),
    MessageOwed {
        letter: String,
        channel: Channel,
        due: DateTime<Utc>,
    },
    /// The contact rules hold it back.
    MessageWaits {
        until: DateTime<Utc>,
        why: String,
    },
    MessageRefused {
        rule: String,
    },
    MessageDropped {
        why: String,
        is_dead: bool,
    },
    Asked {
        audience: Audience,
        kind: String,
    },
    ChartWritten(ChartOutcome),
    Stands(ReferralStanding),
    HeldForCourt {
        who: String,
        why: String,
    },
    Released {
        who: String,
        why: String,
    },
    /// The reason is the auditor's to read.
    GlassBroken {
        who: String,
        until: DateTime<Utc>,
    },
}

/// What came in, or came about.
#[derive(Clone, Debug, PartialEq)]
pub enum Cause {
    Ordered,
    Withdrawn,
    OrderChanged {
        redirected: bool,
    },
    /// By the specialist's office.
    Declined {
        reason: String,
    },
    PatientUpdated,
    PatientDied,
    NoteRetracted,
    ChartRead {
        found: bool,
    },
    InPlan {
        office: String,
    },
    Rerouted {
        office: String,
        why: RerouteReason,
    },
    NobodyInPlan,
    Replied {
        intent: Intent,
        confidence: u8,
    },
    Visit(AppointmentChange),
    VisitFound(VisitFinding),
    NoteCame {
        last: bool,
    },
    NotDelivered,
    NoWayLeft,
    ChartAnswered {
        written: bool,
    },
    /// So long after the order, or after it came to where it is; or around the visit.
    Timer(Option<When>),
    Person {
        who: String,
        verb: String,
        reason: String,
    },
    TaskChanged {
        who: String,
        kind: String,
        change: TaskChange,
    },
}

/// How a deployment that decided then is found now.
pub type DeploymentOf<'d> = &'d dyn Fn(&Referral) -> Option<Arc<Deployment>>;

/// Reads a referral's entries in their order.
pub struct Chronicler<'d> {
    referral: ReferralId,
    deployment_of: DeploymentOf<'d>,
    /// As the entry before left it.
    present: Option<(Arc<Referral>, ReferralStanding)>,
    pub lines: Vec<ChronicleLine>,
}

impl<'d> Chronicler<'d> {
    pub fn new(referral: ReferralId, deployment_of: DeploymentOf<'d>) -> Chronicler<'d> {
        Chronicler { referral, deployment_of, present: None, lines: Vec::new() }
    }

    pub fn read(&mut self, entry: &Entry) {
        let mut because = None;
        for record in &entry.records {
            if let Record::Happened { referral, event } = record
                && *referral == self.referral
            {
                let Some(cause) = self.cause(event) else { continue };
                because = Some(cause.clone());
                // A timer that falls due is told with what it brings about.
                if !matches!(cause, Cause::Timer(_)) {
                    self.lines.push(ChronicleLine { at: entry.at, what: Told::Came(cause), because: None });
                }
            } else if let Record::Stepped { referral, .. } = record
                && referral.id == self.referral
            {
                self.stepped(referral, entry.at, because.clone());
            } else if let Some(what) = self.done(record) {
                self.lines.push(ChronicleLine { at: entry.at, what, because: because.clone() });
            }
        }
    }

    fn stepped(&mut self, referral: &Arc<Referral>, at: DateTime<Utc>, because: Option<Cause>) {
        let deployment = (self.deployment_of)(referral);
        let ended = deployment.is_some_and(|it| it.workflow.is_end(&referral.state));
        let standing = ReferralStanding::of(referral, ended, at);
        let before = self.present.replace((Arc::clone(referral), standing));
        if before.is_some_and(|(_, before)| before != standing) {
            self.lines.push(ChronicleLine { at, what: Told::Stands(standing), because });
        }
    }

    fn done(&self, record: &Record) -> Option<Told> {
        let ours = |id: &handoff_engine::ids::LetterId| id.referral == self.referral;
        if let Record::Queued { letter, .. } = record
            && ours(&letter.id)
        {
            return owed(letter);
        }
        if let Record::Deferred { letter, due, why, in_doubt: false, .. } = record
            && ours(letter)
        {
            return Some(Told::MessageWaits { until: *due, why: why.clone() });
        }
        if let Record::Refused { letter, rule } = record
            && ours(letter)
        {
            return Some(Told::MessageRefused { rule: rule.clone() });
        }
        if let Record::Dropped { letter, dead, why, .. } = record
            && ours(letter)
        {
            return Some(Told::MessageDropped { why: why.clone(), is_dead: *dead });
        }
        self.kept(record)
    }

    fn kept(&self, record: &Record) -> Option<Told> {
        if let Record::Held { referral, who, why } = record
            && *referral == self.referral
        {
            return Some(Told::HeldForCourt { who: who.clone(), why: why.clone() });
        }
        if let Record::Released { referral, who, why } = record
            && *referral == self.referral
        {
            return Some(Told::Released { who: who.clone(), why: why.clone() });
        }
        if let Record::BrokeGlass { referral, who, until, .. } = record
            && *referral == self.referral
        {
            return Some(Told::GlassBroken { who: who.clone(), until: *until });
        }
        None
    }

    fn cause(&self, event: &Event) -> Option<Cause> {
        Some(match event {
            Event::Ordered { .. } => Cause::Ordered,
            Event::Withdrawn { .. } => Cause::Withdrawn,
            Event::OrderChanged { redirected, .. } => Cause::OrderChanged { redirected: *redirected },
            Event::Declined { reason } => Cause::Declined { reason: reason.clone() },
            Event::PatientUpdated { .. } => Cause::PatientUpdated,
            Event::PatientDied => Cause::PatientDied,
            Event::NoteRetracted => Cause::NoteRetracted,
            Event::Record { record } => Cause::ChartRead { found: record.is_some() },
            Event::Network { assessment } => match assessment {
                Assessment::InNetwork { specialist, .. } => Cause::InPlan { office: office(specialist) },
                Assessment::Alternative { specialist, why, .. } => {
                    Cause::Rerouted { office: office(specialist), why: *why }
                }
                Assessment::Nobody { .. } => Cause::NobodyInPlan,
            },
            // What becomes of a message is told beside it.
            Event::LetterSent { .. } => return None,
            Event::LetterStatus { status, .. } => match status {
                handoff_engine::event::LetterStatus::Delivered => return None,
                handoff_engine::event::LetterStatus::Undeliverable { .. }
                | handoff_engine::event::LetterStatus::Refused { .. } => Cause::NotDelivered,
            },
            Event::Unreachable { .. } => Cause::NoWayLeft,
            Event::Reply { reply } => Cause::Replied { intent: reply.intent, confidence: reply.confidence },
            Event::OptedOut { .. } => Cause::Replied { intent: Intent::OptOut, confidence: 100 },
            Event::Appointment { change, .. } => Cause::Visit(*change),
            Event::NoteReceived { last, .. } => Cause::NoteCame { last: *last },
            Event::Visit { finding } => Cause::VisitFound(finding.clone()),
            Event::Done { what: Delegated::Chart, succeeded, .. } => Cause::ChartAnswered { written: *succeeded },
            Event::Done { what: Delegated::Task, .. } => return None,
            Event::Timer { name } => Cause::Timer(self.rule(name)),
            Event::Task { who, kind, change, .. } => {
                Cause::TaskChanged { who: who.clone(), kind: kind.clone(), change: change.clone() }
            }
            Event::Person { verb, who, reason, .. } => {
                Cause::Person { who: who.clone(), verb: verb.clone(), reason: reason.clone() }
            }
        })
    }

    /// What the workflow of then says of a timer.
    fn rule(&self, timer: &str) -> Option<When> {
        let (referral, _) = self.present.as_ref()?;
        let deployment = (self.deployment_of)(referral)?;
        let state = deployment.workflow.states.get(&referral.state);
        let rules = state.into_iter().flat_map(|state| &state.timers).chain(&deployment.workflow.timers);
        rules.into_iter().find(|rule| rule.name == timer).map(|rule| rule.when)
    }
}

fn owed(letter: &Letter) -> Option<Told> {
    match &letter.body {
        LetterBody::Message(message) => {
            Some(Told::MessageOwed { letter: message.template.clone(), channel: message.channel, due: letter.due })
        }
        LetterBody::Task(task) => Some(Told::Asked { audience: task.audience, kind: task.kind.clone() }),
        LetterBody::WriteChart { outcome } => Some(Told::ChartWritten(*outcome)),
        LetterBody::ReadRecord | LetterBody::CheckVisit => None,
    }
}
