//! The border inwards: what plugins say, in the engine's words. Patient data is sealed as it crosses.

use chrono::{DateTime, Utc};
use handoff_engine::calendar::{self, HomeZones};
use handoff_engine::event::{
    AppointmentChange, Assessment, Intent, LetterStatus, PatientRecord, PatientUpdate, RerouteReason, VisitFinding,
};
use handoff_engine::ids::{PatientId, Token};
use handoff_engine::referral::{
    Appointment, Attached, Channel, Code, Consent, ContactPoint, Note, Order, Patient, PatientIdentifier, Priority,
    Provider,
};
use handoff_host::contract::{attendance, carrier, interpreter, retrieval, roster, types, understanding};
use handoff_vault::{Sealing, Vault};

use crate::addresses::HomeCountry;
use crate::foreign_values::{self, is_mail, is_telephone};
use crate::intake::names::Names;
use crate::languages;

/// How long a visit lasts when the scheduling system does not say; only the attendance check reads it.
const VISIT_MINUTES_DEFAULT: u32 = 30;

/// A moment as the contract writes it. Out of chrono's range means nonsense, and nonsense has no moment.
pub fn instant(at: types::Instant) -> Option<DateTime<Utc>> {
    DateTime::from_timestamp_millis(at)
}

pub fn channel(kind: types::ChannelKind) -> Channel {
    match kind {
        types::ChannelKind::Sms => Channel::Sms,
        types::ChannelKind::Email => Channel::Email,
        types::ChannelKind::Portal => Channel::Portal,
    }
}

fn code(code: types::Code) -> Code {
    Code { system: code.system, code: code.code, display: code.display }
}

pub fn provider(provider: types::Provider) -> Provider {
    Provider {
        id: provider.id,
        name: provider.name,
        organization: provider.organization,
        phone: provider.phone,
        specialty: provider.specialty,
    }
}

/// Whom an order is about. The medical record number names a patient best; without any number the name and birth date do.
pub(crate) fn patient_id(vault: &Vault, patient: &interpreter::Patient, names: &Names<'_>) -> PatientId {
    let best = patient.identifiers.iter().find(|id| id.kind == "MR").or(patient.identifiers.first());
    match best {
        Some(id) => vault.patient_id(names.authority(&id.authority), &id.value),
        None => {
            let who = format!("{}\u{1f}{}\u{1f}{}", patient.family, patient.given, patient.birth_date);
            vault.patient_id("name and birth date", &who)
        }
    }
}

pub fn patient(
    sealing: &mut Sealing<'_>,
    id: PatientId,
    patient: interpreter::Patient,
    consent: Consent,
    as_of: Option<DateTime<Utc>>,
    country: HomeCountry,
) -> Patient {
    let mut reaches = reaches(sealing, &id, &patient, country);
    reaches.iter_mut().for_each(|reach| reach.consent = consent);
    let home = home(&patient, country);
    Patient {
        given: sealing.seal(&id, "given", &patient.given),
        family: sealing.seal(&id, "family", &patient.family),
        born: (!patient.birth_date.is_empty()).then(|| sealing.seal(&id, "born", &patient.birth_date)),
        identifiers: patient
            .identifiers
            .into_iter()
            .map(|identifier| PatientIdentifier {
                value: sealing.seal(&id, "identifier", &identifier.value),
                authority: identifier.authority,
                kind: identifier.kind,
            })
            .collect(),
        reaches,
        languages: languages::tags(patient.language.as_deref()),
        preferred: patient.preferred_channel.map(channel),
        zone: home.map(|home| home.zone),
        other_zone: home.and_then(|home| home.other),
        deceased: false,
        refused: consent == Consent::Denied,
        as_of,
        opted_out: Vec::new(),
        id,
    }
}

/// How to reach the patient, as an EHR says it anew.
pub fn patient_update(
    sealing: &mut Sealing<'_>,
    id: &PatientId,
    patient: &interpreter::Patient,
    consent: Consent,
    as_of: Option<DateTime<Utc>>,
    country: HomeCountry,
) -> PatientUpdate {
    let home = home(patient, country);
    PatientUpdate {
        reaches: reaches(sealing, id, patient, country),
        languages: languages::tags(patient.language.as_deref()),
        preferred: patient.preferred_channel.map(channel),
        zone: home.map(|home| home.zone),
        other_zone: home.and_then(|home| home.other),
        refused: consent == Consent::Denied,
        as_of,
    }
}

/// What an order says of the patient's leave to be written to: `consent` among its extras.
pub fn consent(order: &interpreter::Order) -> Consent {
    let said = order.extras.iter().find(|extra| extra.name == "consent").map(|extra| extra.value.as_str());
    match said {
        Some("granted") => Consent::Granted,
        Some("denied") => Consent::Denied,
        Some(_) | None => Consent::Unknown,
    }
}

fn home(patient: &interpreter::Patient, country: HomeCountry) -> Option<calendar::HomeZones> {
    let interpreter::Address { state, postal_code, country: written, .. } = &patient.address;
    calendar::home_of(state, postal_code, country.of_address(written))
}

/// A mobile number first: a text to a landline reaches nobody.
fn reaches(
    sealing: &mut Sealing<'_>,
    id: &PatientId,
    patient: &interpreter::Patient,
    country: HomeCountry,
) -> Vec<ContactPoint> {
    let (mobile, fixed): (Vec<_>, Vec<_>) = patient.phones.iter().partition(|phone| phone.mobile);
    let mut reach = |channel, field, address: &str| {
        let address = sealing.seal(id, field, &country.canonical(address));
        ContactPoint { channel, address, consent: Consent::Unknown, confirmed: false }
    };
    let phones = mobile.into_iter().chain(fixed).filter(|phone| is_telephone(&phone.number));
    let phones = phones.map(|phone| reach(Channel::Sms, "phone", &phone.number));
    let mut reaches: Vec<_> = phones.collect();
    reaches.extend(
        patient.emails.iter().filter(|email| is_mail(email)).map(|email| reach(Channel::Email, "email", email)),
    );
    reaches
}

/// The order without its patient.
pub fn order(
    sealing: &mut Sealing<'_>,
    patient: &PatientId,
    about: &interpreter::Reference,
    order: interpreter::Order,
    as_of: Option<DateTime<Utc>>,
) -> Order {
    let coverage = order.coverages.into_iter().next();
    let (plan_id, plan_name) = coverage.map(|plan| (plan.plan_id, plan.plan_name)).unwrap_or_default();
    let specialty = if order.specialty.code.is_empty() && order.specialty.display.is_empty() {
        order
            .referred_to
            .as_ref()
            .map(|to| Code { display: to.specialty.clone(), ..Code::default() })
            .unwrap_or_default()
    } else {
        code(order.specialty)
    };
    let specialist = order.referred_to.map(provider);
    Order {
        numbers: numbers(sealing, patient, "number", &about.referral),
        priority: match order.priority {
            interpreter::Priority::Routine => Priority::Routine,
            interpreter::Priority::Urgent => Priority::Urgent,
            interpreter::Priority::Stat => Priority::Stat,
        },
        specialty,
        services: order.services.into_iter().map(code).collect(),
        diagnoses: order.diagnoses.into_iter().map(code).collect(),
        plan_id,
        plan_name,
        referring: provider(order.referring),
        named: specialist.clone(),
        specialist,
        expires_at: order.expires_at.and_then(instant),
        as_of,
        authored_at: order.ordered_at.and_then(instant),
    }
}

/// Numbers of the kind that `field` names, sealed.
pub fn numbers(
    sealing: &mut Sealing<'_>,
    patient: &PatientId,
    field: &str,
    numbers: &[interpreter::Number],
) -> Vec<Token> {
    numbers.iter().map(|number| sealing.seal(patient, field, &number.value)).collect()
}

pub fn appointment_change(change: interpreter::AppointmentChange) -> AppointmentChange {
    match change {
        interpreter::AppointmentChange::Booked => AppointmentChange::Booked,
        interpreter::AppointmentChange::Moved => AppointmentChange::Moved,
        interpreter::AppointmentChange::Changed => AppointmentChange::Changed,
        interpreter::AppointmentChange::Cancelled => AppointmentChange::Cancelled,
        interpreter::AppointmentChange::Deleted => AppointmentChange::Deleted,
        interpreter::AppointmentChange::NoShow => AppointmentChange::NoShow,
        interpreter::AppointmentChange::Arrived => AppointmentChange::Arrived,
        interpreter::AppointmentChange::Completed => AppointmentChange::Completed,
    }
}

/// Absent when the notice names no time; then the referral's own appointment, if any, keeps its time.
pub fn appointment(
    notice: &interpreter::AppointmentNotice,
    numbers: Vec<Token>,
    as_of: Option<DateTime<Utc>>,
) -> Option<Appointment> {
    let starts_at = notice.starts_at.and_then(instant)?;
    let minutes = notice.minutes.unwrap_or(VISIT_MINUTES_DEFAULT);
    Some(Appointment { numbers, starts_at, minutes, status: appointment_change(notice.change).status(), as_of })
}

/// `number` is the first by which its sender knows it.
pub fn note(
    sealing: &mut Sealing<'_>,
    patient: &PatientId,
    number: &str,
    note: interpreter::VisitNote,
    received_at: DateTime<Utc>,
) -> Note {
    let title = |sealing: &mut Sealing<'_>, title: &str| {
        (!title.is_empty()).then(|| sealing.seal(patient, "document-title", title))
    };
    let mut documents = note.documents.into_iter();
    let first = documents.next();
    let (media_type, content) = first.map(|first| (first.media_type, first.content)).unwrap_or_default();
    Note {
        document_id: sealing.seal(patient, "document", number),
        kind: code(note.kind),
        media_type,
        content: sealing.seal(patient, "note", &content),
        attached: documents
            .map(|document| Attached {
                title: title(sealing, &document.title),
                content: sealing.seal(patient, "note", &document.content),
                media_type: document.media_type,
            })
            .collect(),
        author: note.author.map(provider),
        written_at: note.written_at.and_then(instant),
        received_at,
        in_chart: Vec::new(),
        replaces: Vec::new(),
        retracted: false,
    }
}

pub fn record(record: retrieval::PatientRecord, home: Option<HomeZones>) -> PatientRecord {
    let consent = |granted| if granted { Consent::Granted } else { Consent::Denied };
    PatientRecord {
        reaches: record
            .reaches
            .into_iter()
            .map(|reach| ContactPoint {
                channel: channel(reach.channel),
                address: Token(reach.address),
                consent: Consent::Unknown,
                confirmed: true,
            })
            .collect(),
        languages: languages::tags(record.languages.iter().map(String::as_str)),
        preferred: record.preferred_channel.map(channel),
        consents: record.consents.into_iter().map(|c| (c.channel.map(channel), consent(c.granted))).collect(),
        zone: home.map(|home| home.zone),
        other_zone: home.and_then(|home| home.other),
        deceased: record.deceased,
    }
}

/// A specialist whose name could not stand in a letter is none.
pub fn assessment(mut assessment: roster::Assessment) -> Assessment {
    let named = match &mut assessment {
        roster::Assessment::InNetwork(opening) => foreign_values::provider(&mut opening.specialist),
        roster::Assessment::Alternative(other) => foreign_values::provider(&mut other.opening.specialist),
        roster::Assessment::Nobody(_) => Ok(()),
    };
    if let Err(problem) = named {
        return Assessment::Nobody { reason: format!("{}: {}", problem.location, problem.message) };
    }
    match assessment {
        roster::Assessment::InNetwork(opening) => Assessment::InNetwork {
            specialist: provider(opening.specialist),
            next_available: opening.next_available.and_then(instant),
        },
        roster::Assessment::Alternative(other) => Assessment::Alternative {
            specialist: provider(other.opening.specialist),
            next_available: other.opening.next_available.and_then(instant),
            why: match other.why {
                roster::Why::OutOfNetwork => RerouteReason::OutOfNetwork,
                roster::Why::OverBooked => RerouteReason::OverBooked,
                roster::Why::Declined => RerouteReason::Declined,
                roster::Why::NoneNamed => RerouteReason::NoneNamed,
            },
        },
        roster::Assessment::Nobody(reason) => Assessment::Nobody { reason },
    }
}

pub fn intent(intent: understanding::Intent) -> Intent {
    match intent {
        understanding::Intent::Emergency => Intent::Emergency,
        understanding::Intent::OptOut => Intent::OptOut,
        understanding::Intent::WrongPerson => Intent::WrongPerson,
        understanding::Intent::OptIn => Intent::OptIn,
        understanding::Intent::Help => Intent::Help,
        understanding::Intent::CancelVisit => Intent::CancelVisit,
        understanding::Intent::Decline => Intent::Decline,
        understanding::Intent::Reschedule => Intent::Reschedule,
        understanding::Intent::Scheduled => Intent::Scheduled,
        understanding::Intent::Attended => Intent::Attended,
        understanding::Intent::Confirm => Intent::Confirm,
        understanding::Intent::Question => Intent::Question,
        understanding::Intent::Unclear => Intent::Unclear,
    }
}

/// Absent for `unknown`, which only answers a `lookup`, and for `accepted`, which is no news after the letter was sent.
pub fn letter_status(outcome: carrier::Outcome) -> Option<LetterStatus> {
    match outcome {
        carrier::Outcome::Delivered => Some(LetterStatus::Delivered),
        carrier::Outcome::Undeliverable(code) => Some(LetterStatus::Undeliverable { code }),
        carrier::Outcome::Accepted | carrier::Outcome::Unknown => None,
    }
}

pub fn finding(finding: attendance::Finding, now: DateTime<Utc>) -> VisitFinding {
    match finding {
        attendance::Finding::Attended(at) => VisitFinding::Attended { at: instant(at).unwrap_or(now) },
        attendance::Finding::NoShow => VisitFinding::NoShow,
        attendance::Finding::Cancelled => VisitFinding::Cancelled,
        attendance::Finding::Moved(to) => match instant(to) {
            Some(to) => VisitFinding::Moved { to },
            None => VisitFinding::Open { again_in_hours: 24 },
        },
        attendance::Finding::Open(again_in_hours) => VisitFinding::Open { again_in_hours },
    }
}
