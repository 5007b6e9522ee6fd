//! The border outwards: what the engine knows, in the contract's words. Patient data crosses as tokens only.

use chrono::{DateTime, Utc};
use handoff_engine::ids::{LetterId, Token};
use handoff_engine::letter::{Audience, ChartOutcome};
use handoff_engine::referral::{
    AppointmentStatus, Asked, Attempt, AttemptOutcome, Channel, Code, Consent, Note, Provider, Referral,
};
use handoff_engine::step::NetworkCause;
use handoff_host::contract::{
    attendance, choice, hand_over, interpreter, retrieval, roster, types, understanding, write_back,
};

use handoff_ingress::delivery::{Delivery, Transport};

pub fn instant(at: DateTime<Utc>) -> types::Instant {
    at.timestamp_millis()
}

pub fn delivery(delivery: &Delivery) -> interpreter::Delivery {
    interpreter::Delivery {
        source: delivery.source.clone(),
        transport: match delivery.transport {
            Transport::Mllp => interpreter::Transport::Mllp,
            Transport::Webhook | Transport::Callback => interpreter::Transport::Http,
        },
        headers: delivery.headers.clone(),
        body: delivery.body.clone(),
        too_long: delivery.too_long,
        received_at: instant(delivery.received_at),
    }
}

pub fn channel(channel: Channel) -> types::ChannelKind {
    match channel {
        Channel::Sms => types::ChannelKind::Sms,
        Channel::Email => types::ChannelKind::Email,
        Channel::Portal => types::ChannelKind::Portal,
    }
}

pub fn code(code: &Code) -> types::Code {
    types::Code { system: code.system.clone(), code: code.code.clone(), display: code.display.clone() }
}

pub fn provider(provider: &Provider) -> types::Provider {
    types::Provider {
        id: provider.id.clone(),
        name: provider.name.clone(),
        organization: provider.organization.clone(),
        phone: provider.phone.clone(),
        specialty: provider.specialty.clone(),
    }
}

pub fn consent(consent: Consent) -> choice::ConsentState {
    match consent {
        Consent::Granted => choice::ConsentState::Granted,
        Consent::Denied => choice::ConsentState::Denied,
        Consent::Unknown => choice::ConsentState::Unknown,
    }
}

/// What the channel stage hears of an earlier message. One that did not arrive through no fault of its address is no word against that
/// way, except just now: what was barred a moment ago is not tried again in its place.
pub fn attempt(attempt: &Attempt, now: DateTime<Utc>) -> Option<choice::Attempt> {
    let is_past = attempt.outcome == AttemptOutcome::Unsent && attempt.at < now;
    let outcome = attempt_outcome(attempt.outcome);
    (!is_past).then(|| choice::Attempt { channel: channel(attempt.channel), at: instant(attempt.at), outcome })
}

fn attempt_outcome(outcome: AttemptOutcome) -> choice::AttemptOutcome {
    match outcome {
        AttemptOutcome::Pending => choice::AttemptOutcome::Pending,
        AttemptOutcome::Delivered => choice::AttemptOutcome::Delivered,
        AttemptOutcome::Undeliverable | AttemptOutcome::Unsent => choice::AttemptOutcome::Undeliverable,
        AttemptOutcome::Answered => choice::AttemptOutcome::Answered,
    }
}

pub fn question(asked: Asked) -> understanding::Question {
    match asked {
        Asked::Schedule => understanding::Question::Schedule,
        Asked::ConfirmVisit => understanding::Question::ConfirmVisit,
        Asked::Reminder => understanding::Question::Reminder,
        Asked::NoShowFollowUp => understanding::Question::NoShowFollowUp,
        Asked::Info => understanding::Question::Info,
    }
}

pub fn network_cause(cause: NetworkCause) -> roster::Cause {
    match cause {
        NetworkCause::Ordered => roster::Cause::Ordered,
        NetworkCause::OverBooked => roster::Cause::OverBooked,
        NetworkCause::Declined => roster::Cause::Declined,
    }
}

pub fn chart_outcome(outcome: ChartOutcome) -> write_back::Outcome {
    match outcome {
        ChartOutcome::ClosedWithNote => write_back::Outcome::ClosedWithNote,
        ChartOutcome::ClosedWithoutNote => write_back::Outcome::ClosedWithoutNote,
        ChartOutcome::Declined => write_back::Outcome::Declined,
        ChartOutcome::Cancelled => write_back::Outcome::Cancelled,
        ChartOutcome::Unreachable => write_back::Outcome::Unreachable,
        ChartOutcome::NoShow => write_back::Outcome::NoShow,
        ChartOutcome::NoteRetracted => write_back::Outcome::NoteRetracted,
    }
}

/// What came of a referral. What was taken back is not written, and what is written is not taken back.
pub fn chart_entry(id: LetterId, referral: &Referral, outcome: ChartOutcome, now: types::Instant) -> write_back::Entry {
    let visit = referral.facts.visit.as_ref().filter(|visit| visit.attended);
    let (note, retracts) = match &referral.facts.note {
        Some(note) if note.retracted => (None, note.in_chart.clone()),
        known => (known.as_ref().map(note), Vec::new()),
    };
    write_back::Entry {
        id: id.to_string(),
        referral: order_numbers(referral),
        patient: chart_identifiers(referral),
        ordered_at: instant(referral.ordered_at),
        outcome: chart_outcome(outcome),
        specialist: referral.facts.order.specialist.as_ref().map(provider),
        visited_at: visit.map(|visit| instant(visit.at)),
        note,
        retracts,
        now,
        extras: Vec::new(),
    }
}

pub fn audience(audience: Audience) -> hand_over::Audience {
    match audience {
        Audience::Physician => hand_over::Audience::Physician,
        Audience::Coordinator => hand_over::Audience::Coordinator,
        Audience::Specialist => hand_over::Audience::Specialist,
    }
}

/// What the feed has said about the visit so far, oldest first.
pub fn heard(referral: &Referral) -> Vec<attendance::Heard> {
    let mut heard = Vec::new();
    if let Some(appointment) = &referral.facts.appointment {
        let what = match appointment.status {
            AppointmentStatus::Booked => "booked",
            AppointmentStatus::Cancelled => "cancelled",
            AppointmentStatus::NoShow => "no-show",
            AppointmentStatus::Arrived => "arrived",
            AppointmentStatus::Completed => "completed",
        };
        heard.push(attendance::Heard { what: what.into(), at: instant(appointment.starts_at) });
    }
    if let Some(note) = &referral.facts.note {
        heard.push(attendance::Heard { what: "note".into(), at: instant(note.received_at) });
    }
    heard
}

/// The patient's numbers in the chart, as tokens.
pub fn chart_identifiers(referral: &Referral) -> Vec<write_back::ChartIdentifier> {
    let identifiers = &referral.facts.patient.identifiers;
    identifiers
        .iter()
        .map(|id| write_back::ChartIdentifier {
            value: id.value.0.clone(),
            authority: id.authority.clone(),
            kind: id.kind.clone(),
        })
        .collect()
}

/// The order's numbers, as tokens.
pub fn order_numbers(referral: &Referral) -> Vec<types::Token> {
    referral.facts.order.numbers.iter().map(|number| number.0.clone()).collect()
}

/// As [`chart_identifiers`], for the records stage.
pub fn patient_identifiers(referral: &Referral) -> Vec<retrieval::PatientIdentifier> {
    let identifiers = &referral.facts.patient.identifiers;
    identifiers
        .iter()
        .map(|id| retrieval::PatientIdentifier {
            value: id.value.0.clone(),
            authority: id.authority.clone(),
            kind: id.kind.clone(),
        })
        .collect()
}

pub fn note(note: &Note) -> write_back::Note {
    let document = |media_type: &str, title: Option<&Token>, content: &Token| write_back::Document {
        media_type: media_type.to_owned(),
        title: title.map(|title| title.0.clone()).unwrap_or_default(),
        content: content.0.clone(),
    };
    let attached = note.attached.iter().map(|it| document(&it.media_type, it.title.as_ref(), &it.content));
    write_back::Note {
        kind: code(&note.kind),
        author: note.author.as_ref().map(provider),
        written_at: note.written_at.map(instant),
        received_at: instant(note.received_at),
        documents: std::iter::once(document(&note.media_type, None, &note.content)).chain(attached).collect(),
        replaces: note.replaces.clone(),
    }
}

/// The person a task is for, where the referral names one.
pub fn addressee(referral: &Referral, audience: Audience) -> Option<types::Provider> {
    let order = &referral.facts.order;
    match audience {
        Audience::Physician => Some(provider(&order.referring)),
        Audience::Specialist => order.specialist.as_ref().map(provider),
        Audience::Coordinator => None,
    }
}
