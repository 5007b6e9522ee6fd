//! Readings as lines of text.

use trigger_webhook::interpret;
use trigger_webhook::types::{
    Attribute, Delivery, Event, Happening, Identifier, Meaning, Number, Order, Patient, Provider, Reading, Reference,
    Transport,
};

/// 2026-07-06T08:01:00Z.
const NOW: i64 = 1_783_324_860_000;

pub fn delivery(body: &[u8], headers: &[(&str, &str)]) -> Delivery {
    let headers = headers
        .iter()
        .map(|(name, value)| Attribute { name: (*name).to_owned(), value: (*value).to_owned() })
        .collect();
    Delivery {
        source: "portal".to_owned(),
        transport: Transport::Http,
        headers,
        body: body.to_vec(),
        too_long: None,
        received_at: NOW,
    }
}

pub fn read(body: &str) -> Reading {
    interpret(&delivery(body.as_bytes(), &[]), "{}")
}

pub fn tell(reading: &Reading) -> String {
    let told = match &reading.meaning {
        Meaning::Events(events) => events.iter().map(event).collect::<Vec<_>>().join("\n"),
        Meaning::NotForUs(reason) => format!("not for us: {reason}"),
        Meaning::Parts(bodies) => format!("in {} parts", bodies.len()),
        Meaning::Unreadable(problem) => {
            format!("unreadable at {}: {}; {}", problem.location, problem.message, problem.help)
        }
    };
    format!("{} {}", reading.accepted.status, told)
}

fn event(event: &Event) -> String {
    let about = reference(&event.about);
    match &event.what {
        Happening::Ordered(told) => order(&about, told),
        Happening::Withdrawn => format!("withdrawn {about}"),
        Happening::Declined(why) => format!("declined {about} {why}"),
        Happening::Appointment(notice) => format!(
            "{:?} {about} at {} for {:?} with {} in {}",
            notice.change,
            time(notice.starts_at),
            notice.minutes,
            notice.with.as_ref().map_or("nobody".to_owned(), provider),
            notice.place,
        ),
        Happening::Note(note) => format!(
            "note {about} {} {} by {} visited {} written {}: {}",
            note.kind.code,
            format!("{:?}", note.status).trim_start_matches("NoteStatus::").to_lowercase(),
            note.author.as_ref().map_or("nobody".to_owned(), provider),
            time(note.visited_at),
            time(note.written_at),
            note.documents
                .iter()
                .map(|it| [&it.media_type, &it.title, &it.content].map(String::as_str).join("/"))
                .collect::<Vec<_>>()
                .join(", "),
        ),
        Happening::NoteRetracted => format!("note taken back {about}"),
        Happening::PatientUpdated(told) => format!("patient updated {about} {}", patient(told)),
        Happening::PatientDied => format!("patient died {about}"),
        Happening::PatientMerged(retired) => format!("patient merged {about} was {}", identifiers(retired)),
    }
}

fn order(about: &str, order: &Order) -> String {
    format!(
        "ordered {about} {:?} {} to {} | {} | for {} by {} to {} | {:?} {:?}",
        order.priority,
        time(order.ordered_at),
        time(order.expires_at),
        patient(&order.patient),
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

fn patient(patient: &Patient) -> String {
    let phones: Vec<String> =
        patient.phones.iter().map(|phone| format!("{}{}", phone.number, if phone.mobile { "m" } else { "" })).collect();
    format!(
        "{} {} {} {} {:?} {phones:?} {:?} {}",
        patient.identifiers.iter().map(|id| id.value.as_str()).collect::<Vec<_>>().join(","),
        patient.given,
        patient.family,
        patient.birth_date,
        patient.language,
        patient.emails,
        patient.address.state,
    )
}

/// The keys that an event has: order, appointment, patient where the patient may find the referral; then group and document.
fn reference(keys: &Reference) -> String {
    let patient = keys.patient.as_ref().filter(|_| keys.by_patient);
    let rest = [("group", &keys.group), ("document", &keys.document)];
    let rest = rest.iter().filter(|(_, list)| !list.is_empty());
    let rest: String = rest.map(|(name, list)| format!("|{name} {}", numbers(list))).collect();
    let patient = patient.map(|patient| identifiers(&patient.identifiers)).unwrap_or_default();
    format!("[{}|{}|{patient}{rest}]", numbers(&keys.referral), numbers(&keys.appointment))
}

fn numbers(list: &[Number]) -> String {
    list.iter().map(|number| at(&number.value, &number.authority)).collect::<Vec<_>>().join(" ")
}

fn identifiers(list: &[Identifier]) -> String {
    list.iter().map(|identifier| at(&identifier.value, &identifier.authority)).collect::<Vec<_>>().join(" ")
}

fn at(value: &str, authority: &str) -> String {
    if authority.is_empty() { value.to_owned() } else { format!("{value}@{authority}") }
}

fn provider(provider: &Provider) -> String {
    [&provider.id, &provider.name, &provider.organization, &provider.phone, &provider.specialty]
        .map(String::as_str)
        .join("/")
}

fn time(instant: Option<i64>) -> String {
    instant.map_or("?".to_owned(), moment::rfc3339)
}
