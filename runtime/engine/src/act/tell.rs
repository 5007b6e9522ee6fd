//! What an act says has happened, as the event that would have come from outside.

use chrono::{DateTime, Utc};

use crate::answer::{ActAnswer, ActAnswers, ToldEvent};
use crate::event::{AppointmentChange, Assessment, Event, Intent, Reply, RerouteReason};
use crate::ids::Token;
use crate::referral::{Appointment, CallOutcome, Channel, Code, Note, Referral};
use crate::workflow::ActRule;

/// Names for what a person tells: the line makes them, since the engine makes none.
#[derive(Clone, Debug)]
pub struct Minted {
    /// The patient's words where nobody wrote them down.
    pub words: Token,
    pub document: Token,
}

/// Whoever has read a reply is sure of it.
const READ_BY_A_PERSON: u8 = 100;

/// LOINC's consultation note: what closes the loop.
const CONSULT_NOTE: (&str, &str, &str) = ("http://loinc.org", "11488-4", "Consult note");

/// What follows from an act, in order. `heard` is the patient's last reply, where the act reads one.
pub fn told_events(
    rule: &ActRule,
    answers: &ActAnswers,
    referral: &Referral,
    heard: Option<&Reply>,
    minted: &Minted,
    now: DateTime<Utc>,
) -> Vec<Event> {
    let said = |intent: Intent| Event::Reply { reply: reply(intent, answers, referral, heard, minted) };
    let told = rule.tells.and_then(|told| match told.intent(answers) {
        Some(intent) => Some(said(intent)),
        None => event(told, answers, referral, minted, now),
    });
    // Whoever answers there is not the patient: never again, as if they had written so.
    let wrong = told.is_none() && answers.values().find_map(ActAnswer::call) == Some(&CallOutcome::WrongNumber);
    told.into_iter().chain(wrong.then(|| said(Intent::WrongPerson))).collect()
}

fn event(
    told: ToldEvent,
    answers: &ActAnswers,
    referral: &Referral,
    minted: &Minted,
    now: DateTime<Utc>,
) -> Option<Event> {
    let specialist = || answers.values().find_map(ActAnswer::specialist).cloned();
    let appointment = |change, appointment| Event::Appointment {
        change,
        appointment,
        with: specialist(),
        numbers: Vec::new(),
        as_of: Some(now),
    };
    Some(match told {
        ToldEvent::AppointmentBooked => appointment(AppointmentChange::Booked, Some(booked(answers, Vec::new(), now)?)),
        ToldEvent::AppointmentMoved => {
            // The scheduling system's numbers for it stay its numbers.
            let numbers = referral.facts.appointment.as_ref().map(|known| known.numbers.clone()).unwrap_or_default();
            appointment(AppointmentChange::Moved, Some(booked(answers, numbers, now)?))
        }
        ToldEvent::AppointmentCancelled => appointment(AppointmentChange::Cancelled, None),
        ToldEvent::AppointmentNoShow => appointment(AppointmentChange::NoShow, None),
        ToldEvent::AppointmentCompleted => appointment(AppointmentChange::Completed, None),
        ToldEvent::NetworkAlternative => {
            let why = answers.values().find_map(ActAnswer::reroute_reason).copied().unwrap_or(RerouteReason::Declined);
            let assessment = Assessment::Alternative { specialist: specialist()?, next_available: None, why };
            Event::Network { assessment }
        }
        ToldEvent::NoteReceived => {
            let (media_type, content) = answers.values().find_map(document)?;
            let (system, code, display) = CONSULT_NOTE;
            let kind = Code { system: system.into(), code: code.into(), display: display.into() };
            let document_id = minted.document.clone();
            let note = Note {
                document_id,
                kind,
                media_type,
                content,
                attached: Vec::new(),
                author: None,
                written_at: None,
                received_at: now,
                in_chart: Vec::new(),
                replaces: Vec::new(),
                retracted: false,
            };
            Event::NoteReceived { note, last: true, corrects: false }
        }
        ToldEvent::Withdrawn => Event::Withdrawn { as_of: Some(now) },
        ToldEvent::Reply
        | ToldEvent::ReplyOptOut
        | ToldEvent::ReplyOptIn
        | ToldEvent::ReplyConfirm
        | ToldEvent::ReplyScheduled
        | ToldEvent::ReplyDecline
        | ToldEvent::ReplyWrongPerson => return None,
    })
}

/// What a person has found out now, older messages do not undo.
fn booked(answers: &ActAnswers, numbers: Vec<Token>, now: DateTime<Utc>) -> Option<Appointment> {
    let (starts_at, minutes) = answers.values().find_map(|answer| {
        let ActAnswer::Appointment { starts_at, minutes } = answer else { return None };
        Some((*starts_at, *minutes))
    })?;
    Some(Appointment { numbers, starts_at, minutes, status: AppointmentChange::Booked.status(), as_of: Some(now) })
}

fn document(answer: &ActAnswer) -> Option<(String, Token)> {
    let ActAnswer::Document { media_type, content } = answer else { return None };
    Some((media_type.clone(), content.clone()))
}

fn reply(intent: Intent, answers: &ActAnswers, referral: &Referral, heard: Option<&Reply>, minted: &Minted) -> Reply {
    let facts = &referral.facts;
    let channel = answers.values().find_map(ActAnswer::channel).copied();
    let channel = channel.or(heard.map(|reply| reply.channel)).or(facts.last_letter.as_ref().map(|it| it.channel));
    let language = heard.map(|reply| &reply.language).or(facts.patient.languages.first());
    let text = heard.map(|reply| &reply.text).or(answers.values().find_map(ActAnswer::text)).unwrap_or(&minted.words);
    Reply {
        intent,
        language: language.cloned().unwrap_or_else(|| "en".to_string()),
        confidence: READ_BY_A_PERSON,
        channel: channel.unwrap_or(Channel::Sms),
        from: heard.and_then(|reply| reply.from.clone()),
        text: text.clone(),
    }
}
