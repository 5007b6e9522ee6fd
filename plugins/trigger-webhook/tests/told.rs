//! Readings as lines of text.

use trigger_webhook::interpret;
use trigger_webhook::types::{Attribute, Delivery, Event, Meaning, Provider, Reading, Reference, Transport};

/// 2026-07-06T08:01:00Z.
const NOW: i64 = 1_783_324_860_000;

pub fn delivery(body: &[u8], headers: &[(&str, &str)]) -> Delivery {
    let headers = headers
        .iter()
        .map(|(name, value)| Attribute { name: (*name).to_owned(), value: (*value).to_owned() })
        .collect();
    Delivery { source: "portal".to_owned(), transport: Transport::Http, headers, body: body.to_vec(), received_at: NOW }
}

pub fn read(body: &str) -> Reading {
    interpret(&delivery(body.as_bytes(), &[]), "{}")
}

pub fn tell(reading: &Reading) -> String {
    let told = match &reading.meaning {
        Meaning::Events(events) => events.iter().map(event).collect::<Vec<_>>().join("\n"),
        Meaning::NotForUs(reason) => format!("not for us: {reason}"),
        Meaning::Unreadable(problem) => {
            format!("unreadable at {}: {}; {}", problem.location, problem.message, problem.help)
        }
    };
    format!("{} {}", reading.accepted.status, told)
}

fn event(event: &Event) -> String {
    match event {
        Event::Ordered(order) => {
            let patient = &order.patient;
            let phones: Vec<String> = patient
                .phones
                .iter()
                .map(|phone| format!("{}{}", phone.number, if phone.mobile { "m" } else { "" }))
                .collect();
            format!(
                "ordered {} {:?} {} to {} | {} {} {} {} {:?} {phones:?} {:?} {} | for {} by {} to {} | {:?} {:?}",
                reference(&order.reference),
                order.priority,
                time(order.ordered_at),
                time(order.expires_at),
                patient.identifiers.iter().map(|id| id.value.as_str()).collect::<Vec<_>>().join(","),
                patient.given,
                patient.family,
                patient.birth_date,
                patient.language,
                patient.emails,
                patient.address.state,
                order.specialty.code,
                provider(&order.referring),
                order.referred_to.as_ref().map_or("nobody".to_owned(), provider),
                order.diagnoses.iter().map(|code| code.code.as_str()).collect::<Vec<_>>(),
                order
                    .coverages
                    .iter()
                    .map(|c| [&c.plan_id, &c.plan_name, &c.payer, &c.member_id].map(String::as_str).join("/"))
                    .collect::<Vec<_>>(),
            )
        }
        Event::Withdrawn(keys) => format!("withdrawn {}", reference(keys)),
        Event::Appointment(notice) => format!(
            "{:?} {} at {} for {:?} with {} in {}",
            notice.change,
            reference(&notice.reference),
            time(notice.starts_at),
            notice.minutes,
            notice.with.as_ref().map_or("nobody".to_owned(), provider),
            notice.place,
        ),
        Event::Note(note) => format!(
            "note {} {} {} final={} by {} visited {} {} {}",
            note.document_id,
            reference(&note.reference),
            note.kind.code,
            note.final_,
            note.author.as_ref().map_or("nobody".to_owned(), provider),
            time(note.visited_at),
            note.media_type,
            note.content,
        ),
    }
}

fn reference(keys: &Reference) -> String {
    let patient: Vec<&str> = keys.patient.iter().map(|id| id.value.as_str()).collect();
    format!("[{}|{}|{}]", keys.referral.join(" "), keys.appointment.join(" "), patient.join(" "))
}

fn provider(provider: &Provider) -> String {
    [&provider.id, &provider.name, &provider.organization, &provider.phone, &provider.specialty]
        .map(String::as_str)
        .join("/")
}

fn time(instant: Option<i64>) -> String {
    instant.map_or("?".to_owned(), moment::rfc3339)
}
