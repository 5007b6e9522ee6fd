//! What guards can read: plain facts, never a token and never a patient's words.

use std::collections::HashMap;

use cel::Value;
use cel::common::value::CowVal;
use cel::context::VariableResolver;
use chrono::{DateTime, Utc};

use crate::event::{Assessment, Event, LetterStatus, Reply, RerouteReason};
use crate::referral::{
    AppointmentStatus, Asked, Attempt, AttemptOutcome, Channel, Code, Consent, Facts, Patient, Priority, Provider,
};

/// Each variable with its fields; lists have none.
pub const VARIABLES: &[(&str, &[&str])] = &[
    ("patient", &["languages", "language", "preferred", "zone", "deceased", "sms", "email", "portal", "reachable"]),
    ("order", &["priority", "specialty", "services", "diagnoses", "plan", "referring", "specialist", "expires_at"]),
    ("appointment", &["starts_at", "minutes", "status"]),
    ("visit", &["attended", "at"]),
    ("note", &["kind", "received_at"]),
    ("attempts", &[]),
    ("rerouted", &[]),
    ("marks", &[]),
    ("reply", &["intent", "language", "confidence", "channel"]),
    ("letter", &["template", "channel", "language", "asked", "at"]),
    ("now", &[]),
    ("event", &["name", "reason", "why"]),
];

/// The fields of a variable; `None` when there is no such variable.
pub fn fields(variable: &str) -> Option<&'static [&'static str]> {
    VARIABLES.iter().find(|(name, _)| *name == variable).map(|(_, fields)| *fields)
}

/// The world as a guard sees it. Values are made when a guard asks for them, and only those.
pub struct View<'a> {
    pub facts: &'a Facts,
    pub event: &'a Event,
    pub event_name: &'a str,
    pub now: DateTime<Utc>,
}

impl VariableResolver for View<'_> {
    /// CEL asks for `event.why` as a whole before it asks for `event`: answering that spares making the rest.
    fn resolve<'b>(&'b self, variable: &str) -> Option<CowVal<'b, 'b>> {
        let value = match variable.split_once('.') {
            Some((variable, field)) => self.member(variable, field),
            None => self.whole(variable),
        };
        value?.try_into().ok().map(CowVal::Owned)
    }
}

impl View<'_> {
    fn whole(&self, variable: &str) -> Option<Value> {
        let facts = self.facts;
        let absent = match variable {
            "attempts" => return Some(facts.attempts.iter().map(attempt).collect::<Vec<_>>().into()),
            "rerouted" => return Some(Value::Int(facts.rerouted.into())),
            "marks" => return Some(facts.marks.iter().map(|mark| text(&mark.name)).collect::<Vec<_>>().into()),
            "now" => return Some(moment(self.now)),
            "appointment" => facts.appointment.is_none(),
            "visit" => facts.visit.is_none(),
            "note" => facts.note.is_none(),
            "letter" => facts.last_letter.is_none(),
            "reply" => self.reply().is_none(),
            _ => false,
        };
        if absent {
            return Some(Value::Null);
        }
        let members = fields(variable)?.iter().map(|field| Some(((*field).to_string(), self.member(variable, field)?)));
        Some(members.collect::<Option<HashMap<_, _>>>()?.into())
    }

    /// `None` where there is no such thing, now or ever.
    fn member(&self, variable: &str, field: &str) -> Option<Value> {
        let order = &self.facts.order;
        Some(match (variable, field) {
            ("patient", _) => return patient(&self.facts.patient, field),
            ("order", "priority") => priority(order.priority).into(),
            ("order", "specialty") => code(&order.specialty),
            ("order", "services") => order.services.iter().map(code).collect::<Vec<_>>().into(),
            ("order", "diagnoses") => order.diagnoses.iter().map(code).collect::<Vec<_>>().into(),
            ("order", "plan") => map([("id", text(&order.plan_id)), ("name", text(&order.plan_name))]),
            ("order", "referring") => provider(&order.referring),
            ("order", "specialist") => order.specialist.as_ref().map(provider).into(),
            ("order", "expires_at") => order.expires_at.map(moment).into(),
            ("appointment", "starts_at") => moment(self.facts.appointment.as_ref()?.starts_at),
            ("appointment", "minutes") => Value::Int(self.facts.appointment.as_ref()?.minutes.into()),
            ("appointment", "status") => appointment_status(self.facts.appointment.as_ref()?.status).into(),
            ("visit", "attended") => Value::Bool(self.facts.visit.as_ref()?.attended),
            ("visit", "at") => moment(self.facts.visit.as_ref()?.at),
            ("note", "kind") => code(&self.facts.note.as_ref()?.kind),
            ("note", "received_at") => moment(self.facts.note.as_ref()?.received_at),
            ("letter", "template") => text(&self.facts.last_letter.as_ref()?.template),
            ("letter", "channel") => self.facts.last_letter.as_ref()?.channel.name().into(),
            ("letter", "language") => text(&self.facts.last_letter.as_ref()?.language),
            ("letter", "asked") => asked(self.facts.last_letter.as_ref()?.asked).into(),
            ("letter", "at") => moment(self.facts.last_letter.as_ref()?.at),
            ("reply", "intent") => self.reply()?.intent.name().into(),
            ("reply", "language") => text(&self.reply()?.language),
            ("reply", "confidence") => Value::Int(self.reply()?.confidence.into()),
            ("reply", "channel") => self.reply()?.channel.name().into(),
            ("event", "name") => self.event_name.into(),
            ("event", "reason") => reason(self.event).into(),
            ("event", "why") => why(self.event).into(),
            _ => return None,
        })
    }

    fn reply(&self) -> Option<&Reply> {
        if let Event::Reply { reply } = self.event { Some(reply) } else { None }
    }
}

fn map<const N: usize>(fields: [(&str, Value); N]) -> Value {
    fields.into_iter().map(|(name, value)| (name.to_string(), value)).collect::<HashMap<_, _>>().into()
}

fn text(text: &str) -> Value {
    text.into()
}

fn moment(at: DateTime<Utc>) -> Value {
    Value::Timestamp(at.fixed_offset())
}

fn code(code: &Code) -> Value {
    map([("system", text(&code.system)), ("code", text(&code.code)), ("display", text(&code.display))])
}

fn provider(provider: &Provider) -> Value {
    map([
        ("id", text(&provider.id)),
        ("name", text(&provider.name)),
        ("organization", text(&provider.organization)),
        ("specialty", text(&provider.specialty)),
    ])
}

fn attempt(attempt: &Attempt) -> Value {
    map([
        ("channel", attempt.channel.name().into()),
        ("at", moment(attempt.at)),
        ("outcome", attempt_outcome(attempt.outcome).into()),
    ])
}

fn patient(patient: &Patient, field: &str) -> Option<Value> {
    // The best consent among the addresses of a channel; null where the patient has none.
    let consent = |channel: Channel| -> Value {
        let reaches = || patient.reaches.iter().filter(move |reach| reach.channel == channel);
        let best = reaches().map(|reach| reach.consent).min_by_key(|consent| match consent {
            Consent::Granted => 0,
            Consent::Unknown => 1,
            Consent::Denied => 2,
        });
        best.map(|consent| match consent {
            Consent::Granted => "granted",
            Consent::Denied => "denied",
            Consent::Unknown => "unknown",
        })
        .into()
    };
    Some(match field {
        "languages" => patient.languages.iter().map(|language| text(language)).collect::<Vec<_>>().into(),
        "language" => patient.languages.first().map(|language| text(language)).into(),
        "preferred" => patient.preferred.map(Channel::name).into(),
        "zone" => patient.zone.map(|zone| text(zone.name())).into(),
        "deceased" => Value::Bool(patient.deceased),
        "sms" => consent(Channel::Sms),
        "email" => consent(Channel::Email),
        "portal" => consent(Channel::Portal),
        "reachable" => Value::Bool(patient.reaches.iter().any(|reach| reach.consent != Consent::Denied)),
        _ => return None,
    })
}

fn priority(priority: Priority) -> &'static str {
    match priority {
        Priority::Routine => "routine",
        Priority::Urgent => "urgent",
        Priority::Stat => "stat",
    }
}

fn appointment_status(status: AppointmentStatus) -> &'static str {
    match status {
        AppointmentStatus::Booked => "booked",
        AppointmentStatus::Cancelled => "cancelled",
        AppointmentStatus::NoShow => "no-show",
        AppointmentStatus::Arrived => "arrived",
        AppointmentStatus::Completed => "completed",
    }
}

fn asked(asked: Asked) -> &'static str {
    match asked {
        Asked::Schedule => "schedule",
        Asked::ConfirmVisit => "confirm-visit",
        Asked::Reminder => "reminder",
        Asked::NoShowFollowUp => "no-show-follow-up",
        Asked::Info => "info",
    }
}

fn attempt_outcome(outcome: AttemptOutcome) -> &'static str {
    match outcome {
        AttemptOutcome::Pending => "pending",
        AttemptOutcome::Delivered => "delivered",
        AttemptOutcome::Undeliverable => "undeliverable",
        AttemptOutcome::Answered => "answered",
    }
}

/// The reason that came with an event, in the words of who gave it: a refusal's code, a person's reason.
fn reason(event: &Event) -> Option<&str> {
    match event {
        Event::Unreachable { reason, .. } | Event::Person { reason, .. } => Some(reason),
        Event::LetterStatus {
            status: LetterStatus::Undeliverable { code } | LetterStatus::Refused { code }, ..
        } => Some(code),
        Event::Network { assessment: Assessment::Nobody { reason } } => Some(reason),
        Event::LetterStatus { status: LetterStatus::Delivered, .. }
        | Event::Network { .. }
        | Event::Ordered { .. }
        | Event::Withdrawn
        | Event::Record { .. }
        | Event::LetterSent { .. }
        | Event::Reply { .. }
        | Event::Appointment { .. }
        | Event::NoteReceived { .. }
        | Event::Visit { .. }
        | Event::Done { .. }
        | Event::Timer { .. } => None,
    }
}

/// Why a referral is re-routed.
fn why(event: &Event) -> Option<&'static str> {
    let Event::Network { assessment: Assessment::Alternative { why, .. } } = event else { return None };
    Some(match why {
        RerouteReason::OutOfNetwork => "out-of-network",
        RerouteReason::OverBooked => "over-booked",
        RerouteReason::Declined => "declined",
        RerouteReason::NoneNamed => "none-named",
    })
}
