//! What guards can read: plain facts, never a token and never a patient's words.

use std::collections::HashMap;

use cel::Value;
use cel::common::value::CowVal;
use cel::context::VariableResolver;
use chrono::{DateTime, Utc};

use crate::answer::ActAnswer;
use crate::event::{Assessment, Event, LetterStatus, Reply};
use crate::referral::{Attempt, CallOutcome, Channel, Code, Consent, Facts, NotedCall, Order, Patient, Provider};

/// What a guard can name.
pub struct Variable {
    pub name: &'static str,
    value: Reading,
}

/// How a value is read; `None` where there is no such thing now.
type Read = fn(&GuardView<'_>) -> Option<Value>;

enum Reading {
    Whole(Read),
    Fields(&'static [(&'static str, Read)]),
}

/// Each variable with its fields; lists and single values have none.
pub const VARIABLES: &[Variable] = &[
    Variable { name: "patient", value: Reading::Fields(PATIENT) },
    Variable { name: "order", value: Reading::Fields(ORDER) },
    Variable { name: "appointment", value: Reading::Fields(APPOINTMENT) },
    Variable { name: "visit", value: Reading::Fields(VISIT) },
    Variable { name: "note", value: Reading::Fields(NOTE) },
    Variable {
        name: "attempts",
        value: Reading::Whole(|view| Some(view.facts.attempts.iter().map(attempt).collect::<Vec<_>>().into())),
    },
    Variable {
        name: "calls",
        value: Reading::Whole(|view| Some(view.facts.calls.iter().map(call).collect::<Vec<_>>().into())),
    },
    Variable { name: "rerouted", value: Reading::Whole(|view| Some(Value::Int(view.facts.rerouted.into()))) },
    Variable {
        name: "marks",
        value: Reading::Whole(|view| {
            Some(view.facts.marks.iter().map(|mark| text(&mark.name)).collect::<Vec<_>>().into())
        }),
    },
    Variable { name: "reply", value: Reading::Fields(REPLY) },
    Variable { name: "letter", value: Reading::Fields(LETTER) },
    Variable { name: "now", value: Reading::Whole(|view| Some(moment(view.now))) },
    Variable { name: "event", value: Reading::Fields(EVENT) },
];

const PATIENT: &[(&str, Read)] = &[
    ("languages", |view| Some(view.patient().languages.iter().map(|it| text(it)).collect::<Vec<_>>().into())),
    ("language", |view| Some(view.patient().languages.first().map(|it| text(it)).into())),
    ("preferred", |view| Some(view.patient().preferred.map(Channel::as_str).into())),
    ("zone", |view| Some(view.patient().zone.map(|zone| text(zone.name())).into())),
    ("deceased", |view| Some(Value::Bool(view.patient().deceased))),
    (Channel::Sms.as_str(), |view| Some(best_consent(view.patient(), Channel::Sms))),
    (Channel::Email.as_str(), |view| Some(best_consent(view.patient(), Channel::Email))),
    (Channel::Portal.as_str(), |view| Some(best_consent(view.patient(), Channel::Portal))),
    ("reachable", |view| {
        Some(Value::Bool(view.patient().reaches.iter().any(|reach| reach.consent != Consent::Denied)))
    }),
];

const ORDER: &[(&str, Read)] = &[
    ("priority", |view| Some(view.order().priority.as_str().into())),
    ("specialty", |view| Some(code(&view.order().specialty))),
    ("services", |view| Some(view.order().services.iter().map(code).collect::<Vec<_>>().into())),
    ("diagnoses", |view| Some(view.order().diagnoses.iter().map(code).collect::<Vec<_>>().into())),
    ("plan", |view| Some(map([("id", text(&view.order().plan_id)), ("name", text(&view.order().plan_name))]))),
    ("referring", |view| Some(provider(&view.order().referring))),
    ("specialist", |view| Some(view.order().specialist.as_ref().map(provider).into())),
    ("expires_at", |view| Some(view.order().expires_at.map(moment).into())),
];

const APPOINTMENT: &[(&str, Read)] = &[
    ("starts_at", |view| Some(moment(view.facts.appointment.as_ref()?.starts_at))),
    ("minutes", |view| Some(Value::Int(view.facts.appointment.as_ref()?.minutes.into()))),
    ("status", |view| Some(view.facts.appointment.as_ref()?.status.as_str().into())),
];

const VISIT: &[(&str, Read)] = &[
    ("attended", |view| Some(Value::Bool(view.facts.visit.as_ref()?.attended))),
    ("at", |view| Some(moment(view.facts.visit.as_ref()?.at))),
];

const NOTE: &[(&str, Read)] = &[
    ("kind", |view| Some(code(&view.facts.note.as_ref()?.kind))),
    ("received_at", |view| Some(moment(view.facts.note.as_ref()?.received_at))),
];

const REPLY: &[(&str, Read)] = &[
    ("intent", |view| Some(view.reply()?.intent.as_str().into())),
    ("language", |view| Some(text(&view.reply()?.language))),
    ("confidence", |view| Some(Value::Int(view.reply()?.confidence.into()))),
    ("channel", |view| Some(view.said_by()?.as_str().into())),
];

const LETTER: &[(&str, Read)] = &[
    ("template", |view| Some(text(&view.facts.last_letter.as_ref()?.template))),
    ("channel", |view| Some(view.facts.last_letter.as_ref()?.channel.as_str().into())),
    ("language", |view| Some(text(&view.facts.last_letter.as_ref()?.language))),
    ("asked", |view| Some(view.facts.last_letter.as_ref()?.asked.as_str().into())),
    ("at", |view| Some(moment(view.facts.last_letter.as_ref()?.at))),
];

const EVENT: &[(&str, Read)] = &[
    ("name", |view| Some(view.event_name.into())),
    ("reason", |view| Some(reason(view.event).into())),
    ("why", |view| Some(why(view.event).into())),
    ("call", |view| Some(call_outcome(view.event).into())),
    ("task", |view| Some(task_kind(view.event).into())),
];

impl Variable {
    pub fn named(name: &str) -> Option<&'static Variable> {
        VARIABLES.iter().find(|variable| variable.name == name)
    }

    pub fn fields(&self) -> impl Iterator<Item = &'static str> + Clone {
        self.readings().iter().map(|(field, _)| *field)
    }

    fn readings(&self) -> &'static [(&'static str, Read)] {
        match self.value {
            Reading::Whole(_) => &[],
            Reading::Fields(fields) => fields,
        }
    }

    /// Null where there is nothing to read the fields of.
    fn whole(&self, view: &GuardView<'_>) -> Option<Value> {
        match self.value {
            Reading::Whole(read) => read(view),
            Reading::Fields(fields) => {
                let members = fields.iter().map(|(field, read)| Some(((*field).to_string(), read(view)?)));
                Some(members.collect::<Option<HashMap<_, _>>>().map_or(Value::Null, Value::from))
            }
        }
    }

    fn member(&self, view: &GuardView<'_>, field: &str) -> Option<Value> {
        let (_, read) = self.readings().iter().find(|(known, _)| *known == field)?;
        read(view)
    }
}

/// The world as a guard sees it. Values are made when a guard asks for them, and only those.
pub struct GuardView<'a> {
    pub facts: &'a Facts,
    pub event: &'a Event,
    pub event_name: &'a str,
    pub now: DateTime<Utc>,
}

impl VariableResolver for GuardView<'_> {
    /// CEL asks for `event.why` as a whole before it asks for `event`: answering that spares making the rest.
    fn resolve<'b>(&'b self, variable: &str) -> Option<CowVal<'b, 'b>> {
        let value = match variable.split_once('.') {
            Some((variable, field)) => Variable::named(variable)?.member(self, field),
            None => Variable::named(variable)?.whole(self),
        };
        value?.try_into().ok().map(CowVal::Owned)
    }
}

impl GuardView<'_> {
    fn patient(&self) -> &Patient {
        &self.facts.patient
    }

    fn order(&self) -> &Order {
        &self.facts.order
    }

    /// The channel on which the patient, or whoever speaks for them, said something.
    fn said_by(&self) -> Option<Channel> {
        if let Event::OptedOut { channel, .. } = self.event {
            return Some(*channel);
        }
        Some(self.reply()?.channel)
    }

    fn reply(&self) -> Option<&Reply> {
        self.event.reply()
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
        ("channel", attempt.channel.as_str().into()),
        ("at", moment(attempt.at)),
        ("outcome", attempt.outcome.as_str().into()),
    ])
}

fn call(call: &NotedCall) -> Value {
    map([("at", moment(call.at)), ("outcome", call.outcome.as_str().into())])
}

/// The best consent among the addresses of a channel; null where the patient has none.
fn best_consent(patient: &Patient, channel: Channel) -> Value {
    let reaches = patient.reaches.iter().filter(|reach| reach.channel == channel);
    let best = reaches.map(|reach| reach.consent).min_by_key(|consent| match consent {
        Consent::Granted => 0,
        Consent::Unknown => 1,
        Consent::Denied => 2,
    });
    best.map(Consent::as_str).into()
}

/// The reason that came with an event, in the words of who gave it: a refusal's code, a person's reason.
fn reason(event: &Event) -> Option<&str> {
    match event {
        Event::Unreachable { reason, .. } | Event::Person { reason, .. } | Event::Declined { reason } => Some(reason),
        Event::LetterStatus {
            status: LetterStatus::Undeliverable { code } | LetterStatus::Refused { code }, ..
        } => Some(code),
        Event::Network { assessment: Assessment::Nobody { reason } } => Some(reason),
        Event::LetterStatus { status: LetterStatus::Delivered, .. }
        | Event::Network { .. }
        | Event::Ordered { .. }
        | Event::Withdrawn { .. }
        | Event::OrderChanged { .. }
        | Event::PatientUpdated { .. }
        | Event::PatientDied
        | Event::NoteRetracted
        | Event::Record { .. }
        | Event::LetterSent { .. }
        | Event::Reply { .. }
        | Event::OptedOut { .. }
        | Event::Appointment { .. }
        | Event::NoteReceived { .. }
        | Event::Visit { .. }
        | Event::Done { .. }
        | Event::Timer { .. } => None,
        Event::Task { why, .. } => Some(why),
    }
}

/// Why a referral is re-routed.
fn why(event: &Event) -> Option<&'static str> {
    let Event::Network { assessment: Assessment::Alternative { why, .. } } = event else { return None };
    Some(why.as_str())
}

/// What came of the call that a person notes.
fn call_outcome(event: &Event) -> Option<&'static str> {
    let Event::Person { answers, .. } = event else { return None };
    answers.values().find_map(ActAnswer::call).copied().map(CallOutcome::as_str)
}

/// The kind of task that a person did something about.
fn task_kind(event: &Event) -> Option<&str> {
    if let Event::Task { kind, .. } = event { Some(kind) } else { None }
}
