//! Readings as lines of text.

use trigger_hl7v2::interpret;
use trigger_hl7v2::types::{
    Code, Delivery, Document, Event, Happening, Meaning, Number, Order, Patient, Provider, Reading, Reference,
    Transport,
};

/// 2026-07-06T08:01:00Z.
const NOW: i64 = 1_783_324_860_000;

pub fn delivery(body: &[u8]) -> Delivery {
    Delivery {
        source: "ehr".to_owned(),
        transport: Transport::Mllp,
        headers: Vec::new(),
        body: body.to_vec(),
        too_long: None,
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
        Meaning::Parts(bodies) => format!("in {} parts", bodies.len()),
        Meaning::Unreadable(problem) => {
            format!("unreadable at {}: {}; {}", problem.location, problem.message, problem.help)
        }
    }
}

fn event(event: &Event) -> String {
    let about = reference(&event.about);
    match &event.what {
        Happening::Ordered(told) => order(&about, told),
        Happening::Withdrawn => format!("withdrawn {about}"),
        Happening::Declined(why) => format!("declined {about} {why}"),
        Happening::Appointment(notice) => format!(
            "appointment {} {about} at {} for {} with {} in {:?}",
            format!("{:?}", notice.change).trim_start_matches("AppointmentChange::"),
            time(notice.starts_at),
            notice.minutes.map_or("?".to_owned(), |minutes| format!("{minutes} min")),
            notice.with.as_ref().map_or("nobody".to_owned(), provider),
            notice.place,
        ),
        Happening::Note(note) => format!(
            "note {about} {} {} by {} visited {} written {}: {}",
            code(&note.kind),
            format!("{:?}", note.status).trim_start_matches("NoteStatus::").to_lowercase(),
            note.author.as_ref().map_or("nobody".to_owned(), provider),
            time(note.visited_at),
            time(note.written_at),
            note.documents.iter().map(document).collect::<Vec<_>>().join(", "),
        ),
        Happening::NoteRetracted => format!("note taken back {about}"),
        Happening::PatientUpdated(told) => format!("patient updated {about}\n  {}", patient(told)),
        Happening::PatientDied => format!("patient died {about}"),
        Happening::PatientMerged(retired) => format!("patient merged {about} was {}", identifiers(retired)),
    }
}

fn document(document: &Document) -> String {
    format!("{} {:?} {} bytes of base64", document.media_type, document.title, document.content.len())
}

fn order(about: &str, order: &Order) -> String {
    [
        format!("ordered {about} {}", format!("{:?}", order.priority).trim_start_matches("Priority::")),
        format!("ordered {} expires {}", time(order.ordered_at), time(order.expires_at)),
        patient(&order.patient),
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

fn patient(patient: &Patient) -> String {
    let phones: Vec<String> = patient
        .phones
        .iter()
        .map(|phone| format!("{}{}", phone.number, if phone.mobile { " mobile" } else { "" }))
        .collect();
    let address = &patient.address;
    [
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
    ]
    .join("\n  ")
}

/// The keys that an event has. The patient is among them where the patient may find the referral.
pub fn reference(keys: &Reference) -> String {
    let patient = keys.patient.as_ref().filter(|_| keys.by_patient);
    let rest = [("group", &keys.group), ("document", &keys.document)];
    let rest: String = rest
        .iter()
        .filter(|(_, list)| !list.is_empty())
        .map(|(name, list)| format!(" | {name} {}", numbers(list)))
        .collect();
    format!(
        "[order {} | appointment {} | patient {}{rest}]",
        numbers(&keys.referral),
        numbers(&keys.appointment),
        patient.map(|patient| identifiers(&patient.identifiers)).unwrap_or_default(),
    )
}

fn numbers(list: &[Number]) -> String {
    let tell = |number: &Number| match number.authority.as_str() {
        "" => number.value.clone(),
        authority => format!("{}@{authority}", number.value),
    };
    list.iter().map(tell).collect::<Vec<_>>().join(" ")
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
