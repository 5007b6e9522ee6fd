//! Readings as lines of text.

use trigger_hl7v2::interpret;
use trigger_hl7v2::types::{Code, Delivery, Event, Meaning, Order, Provider, Reading, Reference, Transport};

/// 2026-07-06T08:01:00Z.
const NOW: i64 = 1_783_324_860_000;

pub fn delivery(body: &[u8]) -> Delivery {
    Delivery {
        source: "ehr".to_owned(),
        transport: Transport::Mllp,
        headers: Vec::new(),
        body: body.to_vec(),
        received_at: NOW,
    }
}

pub fn read(body: &[u8], settings: &str) -> Reading {
    interpret(&delivery(body), settings)
}

/// Segments, one for each line, as a message with carriage returns.
pub fn message(lines: &[&str]) -> Vec<u8> {
    lines.iter().flat_map(|line| [line.as_bytes(), b"\r"].concat()).collect()
}

pub fn header(kind: &str) -> String {
    format!("MSH|^~\\&|EHR|CLINIC|HANDOFF|HERE|20260706080100-0500||{kind}|77|P|2.5.1")
}

/// The meaning of a message with this header and these segments.
pub fn meaning(kind: &str, lines: &[&str], settings: &str) -> String {
    let header = header(kind);
    let all: Vec<&str> = std::iter::once(header.as_str()).chain(lines.iter().copied()).collect();
    tell(&read(&message(&all), settings))
}

pub fn tell(reading: &Reading) -> String {
    match &reading.meaning {
        Meaning::Events(events) => events.iter().map(event).collect::<Vec<_>>().join("\n"),
        Meaning::NotForUs(reason) => format!("not for us: {reason}"),
        Meaning::Unreadable(problem) => {
            format!("unreadable at {}: {}; {}", problem.location, problem.message, problem.help)
        }
    }
}

fn event(event: &Event) -> String {
    match event {
        Event::Ordered(told) => order(told),
        Event::Withdrawn(keys) => format!("withdrawn {}", reference(keys)),
        Event::Appointment(notice) => format!(
            "appointment {} {} at {} for {} with {} in {:?}",
            format!("{:?}", notice.change).trim_start_matches("AppointmentChange::"),
            reference(&notice.reference),
            time(notice.starts_at),
            notice.minutes.map_or("?".to_owned(), |minutes| format!("{minutes} min")),
            notice.with.as_ref().map_or("nobody".to_owned(), provider),
            notice.place,
        ),
        Event::Note(note) => format!(
            "note {} {} {} final={} by {} visited {} {} {} bytes of base64",
            note.document_id,
            reference(&note.reference),
            code(&note.kind),
            note.final_,
            note.author.as_ref().map_or("nobody".to_owned(), provider),
            time(note.visited_at),
            note.media_type,
            note.content.len(),
        ),
    }
}

fn order(order: &Order) -> String {
    let patient = &order.patient;
    let phones: Vec<String> = patient
        .phones
        .iter()
        .map(|phone| format!("{}{}", phone.number, if phone.mobile { " mobile" } else { "" }))
        .collect();
    let address = &patient.address;
    [
        format!(
            "ordered {} {}",
            reference(&order.reference),
            format!("{:?}", order.priority).trim_start_matches("Priority::")
        ),
        format!("ordered {} expires {}", time(order.ordered_at), time(order.expires_at)),
        format!(
            "patient {} {:?} {:?} born {} speaks {}",
            identifiers(&patient.identifiers),
            patient.given,
            patient.family,
            patient.birth_date,
            patient.language.as_deref().unwrap_or("?"),
        ),
        format!("reached by {phones:?} {:?} {:?}", patient.emails, patient.preferred_channel),
        format!(
            "lives {} / {} / {} / {} / {}",
            address.line, address.city, address.state, address.postal_code, address.country
        ),
        format!("referring {}", provider(&order.referring)),
        format!("referred to {}", order.referred_to.as_ref().map_or("nobody".to_owned(), provider)),
        format!(
            "specialty {} services {:?} diagnoses {:?}",
            code(&order.specialty),
            codes(&order.services),
            codes(&order.diagnoses)
        ),
        format!(
            "coverages {:?} authorization {:?} extras {:?}",
            order
                .coverages
                .iter()
                .map(|c| [&c.plan_id, &c.plan_name, &c.payer, &c.member_id].map(String::as_str).join(" / "))
                .collect::<Vec<_>>(),
            order.authorization,
            order.extras.iter().map(|extra| format!("{}={}", extra.name, extra.value)).collect::<Vec<_>>(),
        ),
    ]
    .join("\n  ")
}

fn reference(keys: &Reference) -> String {
    format!(
        "[order {} | appointment {} | patient {}]",
        keys.referral.join(" "),
        keys.appointment.join(" "),
        identifiers(&keys.patient)
    )
}

fn identifiers(identifiers: &[trigger_hl7v2::types::Identifier]) -> String {
    identifiers.iter().map(|id| format!("{}@{}:{}", id.value, id.authority, id.kind)).collect::<Vec<_>>().join(" ")
}

fn provider(provider: &Provider) -> String {
    [&provider.id, &provider.name, &provider.organization, &provider.phone, &provider.specialty]
        .map(String::as_str)
        .join(" / ")
}

fn codes(list: &[Code]) -> Vec<String> {
    list.iter().map(code).collect()
}

fn code(code: &Code) -> String {
    format!("{}#{} {}", code.system, code.code, code.display)
}

fn time(instant: Option<i64>) -> String {
    instant.map_or("?".to_owned(), moment::rfc3339)
}
