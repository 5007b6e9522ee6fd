//! The plain schema: one event, or `{"events": [...]}`. README.md documents it.

use crate::about::{About, push_number};
use crate::answer::Fault;
use crate::moments;
use crate::node::Node;
use crate::reading::Meant;
use crate::types::{
    Address, AppointmentChange, AppointmentNotice, Attribute, ChannelKind, Code, Coverage, Document, Event, Happening,
    Identifier, NoteStatus, Number, Order, Patient, Phone, Priority, Provider, VisitNote,
};
use crate::words;

pub const EVENTS: [&str; 9] = [
    "order",
    "withdrawn",
    "declined",
    "appointment",
    "note",
    "note-retracted",
    "patient-updated",
    "patient-died",
    "patient-merged",
];
const EVENTS_TOLD: &str = "order, withdrawn, declined, appointment, note, note-retracted, patient-updated, patient-died or \
patient-merged";

pub fn read(root: &Node<'_>) -> Result<Meant, Fault> {
    let list = root.get("events");
    let events = if list.exists() { list.items() } else { vec![root.clone()] };
    let read = events.iter().map(|node| {
        let body = node.value().cloned().unwrap_or_default();
        (body, event(node).map(|event| Meant::Events(vec![event])))
    });
    Meant::of_several(read.collect(), "no events in it")
}

fn event(node: &Node<'_>) -> Result<Event, Fault> {
    let kind = node.get("event");
    let word = kind.required(&format!("write {EVENTS_TOLD}"))?;
    let about = about(node)?;
    let what = match word.as_str() {
        "order" => Happening::Ordered(order(node)?),
        "withdrawn" => Happening::Withdrawn,
        "declined" => Happening::Declined(node.get("reason").text()?),
        "appointment" => Happening::Appointment(appointment(node)?),
        "note" => Happening::Note(note(node)?),
        "note-retracted" => Happening::NoteRetracted,
        "patient-updated" => Happening::PatientUpdated(patient(&node.get("patient"))?),
        "patient-died" => Happening::PatientDied,
        "patient-merged" => Happening::PatientMerged(merged(&node.get("was"))?),
        _ => return Err(unknown_word(&kind, EVENTS_TOLD)),
    };
    let missing = match &what {
        Happening::Ordered(_) if about.referral.is_empty() => {
            Some(("referral", "give each referral a number of its own"))
        }
        Happening::Note(_) | Happening::NoteRetracted if about.document.is_empty() => {
            Some(("document_id", "give each document a number of its own"))
        }
        Happening::PatientUpdated(_) | Happening::PatientDied | Happening::PatientMerged(_) => {
            let is_known = about.patient.as_ref().is_some_and(|patient| !patient.identifiers.is_empty());
            (!is_known).then_some(("patient", "write the patient's identifiers"))
        }
        // A document that is here already is found by its own number.
        Happening::NoteRetracted => None,
        _ => (!about.is_findable()).then_some(("referral", "write the referral's number, as in the order")),
    };
    match missing {
        Some((member, help)) => Err(Fault::content(node.get(member).pointer(), "this is missing", help)),
        None => Ok(about.event(what)),
    }
}

/// `referral`, `appointment`, `document_id`, `group`, `patient` and `as_of`, as far as they are there.
fn about(node: &Node<'_>) -> Result<About, Fault> {
    let appointment = node.get("appointment");
    let numbered = appointment.get("number");
    let named = node.get("patient");
    let identified = Patient {
        identifiers: identifiers(&named.get("identifiers"))?,
        given: named.get("given").text()?,
        family: named.get("family").text()?,
        birth_date: named.get("birth_date").text()?,
        ..words::unknown_patient()
    };
    Ok(About {
        referral: numbers(&node.get("referral"))?,
        appointment: numbers(if numbered.exists() { &numbered } else { &appointment })?,
        document: numbers(&node.get("document_id"))?,
        group: numbers(&node.get("group"))?,
        patient: words::named(&identified),
        as_of: moments::required_sense(&node.get("as_of"), moment::read_rfc3339)?,
    })
}

/// A number, or `{"value", "authority"}`; one or several.
fn numbers(node: &Node<'_>) -> Result<Vec<Number>, Fault> {
    let mut numbers = Vec::new();
    for item in node.items() {
        let number = if item.is_object() {
            Number { value: item.get("value").required("write the number")?, authority: item.get("authority").text()? }
        } else {
            Number { value: item.text()?, authority: String::new() }
        };
        push_number(&mut numbers, number);
    }
    Ok(numbers)
}

fn merged(node: &Node<'_>) -> Result<Vec<Identifier>, Fault> {
    let retired = identifiers(node)?;
    if retired.is_empty() {
        return Err(Fault::content(
            node.pointer(),
            "this is missing",
            "write the identifiers that are the patient's no more",
        ));
    }
    Ok(retired)
}

fn order(node: &Node<'_>) -> Result<Order, Fault> {
    let priority = node.get("priority");
    let authorization = node.get("authorization").text()?;
    Ok(Order {
        priority: match priority.text()?.as_str() {
            "" | "routine" => Priority::Routine,
            "urgent" => Priority::Urgent,
            "stat" => Priority::Stat,
            _ => return Err(unknown_word(&priority, "routine, urgent or stat")),
        },
        ordered_at: moments::required_sense(&node.get("ordered_at"), moments::instant)?,
        expires_at: moments::required_sense(&node.get("expires_at"), moments::end)?,
        patient: patient(&node.get("patient"))?,
        referring: provider(&node.get("referring"))?.unwrap_or_else(words::nobody),
        referred_to: provider(&node.get("referred_to"))?,
        specialty: code(&node.get("specialty"))?.unwrap_or_else(words::empty_code),
        services: codes(&node.get("services"))?,
        diagnoses: codes(&node.get("diagnoses"))?,
        coverages: node.get("coverages").items().iter().map(coverage).collect::<Result<_, _>>()?,
        authorization: Some(authorization).filter(|number| !number.is_empty()),
        extras: extras(&node.get("extras"))?,
    })
}

fn appointment(node: &Node<'_>) -> Result<AppointmentNotice, Fault> {
    let change = node.get("change");
    let minutes = node.get("minutes");
    let change = match change.required("write what happened to the appointment")?.as_str() {
        "booked" => AppointmentChange::Booked,
        "moved" => AppointmentChange::Moved,
        "changed" => AppointmentChange::Changed,
        "cancelled" => AppointmentChange::Cancelled,
        "deleted" => AppointmentChange::Deleted,
        "no-show" => AppointmentChange::NoShow,
        "arrived" => AppointmentChange::Arrived,
        "completed" => AppointmentChange::Completed,
        _ => {
            return Err(unknown_word(
                &change,
                "booked, moved, changed, cancelled, deleted, no-show, arrived or completed",
            ));
        }
    };
    let start = node.get("starts_at");
    let starts_at = moments::required_sense(&start, moment::read_rfc3339)?;
    if starts_at.is_none() && matches!(change, AppointmentChange::Booked | AppointmentChange::Moved) {
        return Err(Fault::content(start.pointer(), "this is missing", "write when the visit starts"));
    }
    Ok(AppointmentNotice {
        change,
        starts_at,
        minutes: match minutes.text()?.as_str() {
            "" => None,
            text => Some(
                text.parse()
                    .map_err(|_| Fault::content(minutes.pointer(), "this is no duration", "write whole minutes"))?,
            ),
        },
        with: provider(&node.get("with"))?,
        place: node.get("place").text()?,
    })
}

fn note(node: &Node<'_>) -> Result<VisitNote, Fault> {
    let list = node.get("documents");
    let mut documents = Vec::new();
    for item in if list.exists() { list.items() } else { vec![node.clone()] } {
        let content = item.get("content");
        if let Some(content) = words::base64(&content.text()?, content.pointer())? {
            documents.push(Document {
                media_type: item.get("media_type").text()?,
                title: item.get("title").text()?,
                content,
            });
        }
    }
    documents.sort_by_key(|document| !document.media_type.starts_with("text/plain"));
    let status = node.get("status");
    let told = match (status.text()?.as_str(), node.get("final").flag()?) {
        ("preliminary", _) | ("", Some(false)) => NoteStatus::Preliminary,
        ("final", _) | ("", Some(true) | None) => NoteStatus::Final,
        ("corrected", _) => NoteStatus::Corrected,
        _ => return Err(unknown_word(&status, "preliminary, final or corrected")),
    };
    Ok(VisitNote {
        kind: code(&node.get("kind"))?.unwrap_or_else(words::empty_code),
        // There is nothing to close a referral with before the document is here.
        status: if documents.is_empty() { NoteStatus::Preliminary } else { told },
        author: provider(&node.get("author"))?,
        visited_at: moments::required_sense(&node.get("visited_at"), moments::instant)?,
        written_at: moments::required_sense(&node.get("written_at"), moments::instant)?,
        documents,
    })
}

fn patient(node: &Node<'_>) -> Result<Patient, Fault> {
    let patient = Patient {
        identifiers: identifiers(&node.get("identifiers"))?,
        given: node.get("given").text()?,
        family: node.get("family").text()?,
        birth_date: node.get("birth_date").text()?,
        language: Some(node.get("language").text()?).filter(|tag| !tag.is_empty()),
        phones: phones(&node.get("phones"))?,
        emails: node.get("emails").texts()?,
        address: address(&node.get("address"))?,
        preferred_channel: channel(&node.get("preferred_channel"))?,
    };
    if patient.identifiers.is_empty() && patient.family.is_empty() {
        return Err(Fault::content(
            node.pointer(),
            "nobody can tell who this is",
            "write identifiers, or given and family",
        ));
    }
    Ok(patient)
}

fn identifiers(node: &Node<'_>) -> Result<Vec<Identifier>, Fault> {
    node.items()
        .iter()
        .map(|item| {
            if !item.is_object() {
                return Ok(Identifier { value: item.text()?, authority: String::new(), kind: String::new() });
            }
            Ok(Identifier {
                value: item.get("value").required("write the identifier")?,
                authority: item.get("authority").text()?,
                kind: item.get("kind").text()?,
            })
        })
        .collect()
}

fn phones(node: &Node<'_>) -> Result<Vec<Phone>, Fault> {
    let mut phones = Vec::new();
    for item in node.items() {
        let number = if item.is_object() { item.get("number") } else { item.clone() };
        let mobile = item.get("mobile").flag()?.unwrap_or(false);
        phones.extend(words::phone(&number.text()?, mobile));
    }
    Ok(phones)
}

fn address(node: &Node<'_>) -> Result<Address, Fault> {
    Ok(Address {
        line: node.get("line").text()?,
        city: node.get("city").text()?,
        state: node.get("state").text()?,
        postal_code: node.get("postal_code").text()?,
        country: node.get("country").text()?,
    })
}

fn channel(node: &Node<'_>) -> Result<Option<ChannelKind>, Fault> {
    match node.text()?.as_str() {
        "" => Ok(None),
        "sms" => Ok(Some(ChannelKind::Sms)),
        "email" => Ok(Some(ChannelKind::Email)),
        "portal" => Ok(Some(ChannelKind::Portal)),
        _ => Err(unknown_word(node, "sms, email or portal")),
    }
}

fn provider(node: &Node<'_>) -> Result<Option<Provider>, Fault> {
    if !node.exists() {
        return Ok(None);
    }
    Ok(Some(Provider {
        id: node.get("id").text()?,
        name: node.get("name").text()?,
        organization: node.get("organization").text()?,
        phone: Some(node.get("phone").text()?).map(|text| phone::e164(&text).unwrap_or(text)).unwrap_or_default(),
        specialty: node.get("specialty").text()?,
    }))
}

/// `{"system", "code", "display"}`, or just the code.
fn code(node: &Node<'_>) -> Result<Option<Code>, Fault> {
    if !node.exists() {
        return Ok(None);
    }
    if !node.is_object() {
        return Ok(Some(Code { code: node.text()?, ..words::empty_code() }));
    }
    Ok(Some(Code {
        system: node.get("system").text()?,
        code: node.get("code").text()?,
        display: node.get("display").text()?,
    }))
}

fn codes(node: &Node<'_>) -> Result<Vec<Code>, Fault> {
    let codes: Result<Vec<Option<Code>>, Fault> = node.items().iter().map(code).collect();
    codes.map(|codes| codes.into_iter().flatten().collect())
}

fn coverage(node: &Node<'_>) -> Result<Coverage, Fault> {
    Ok(Coverage {
        plan_id: node.get("plan_id").text()?,
        plan_name: node.get("plan_name").text()?,
        payer: node.get("payer").text()?,
        member_id: node.get("member_id").text()?,
    })
}

fn extras(node: &Node<'_>) -> Result<Vec<Attribute>, Fault> {
    let members = node.value().and_then(|value| value.as_object()).into_iter().flatten();
    members.map(|(name, _)| Ok(Attribute { name: name.clone(), value: node.get(name).text()? })).collect()
}

fn unknown_word(node: &Node<'_>, words: &str) -> Fault {
    Fault::content(node.pointer(), "this word is unknown", &format!("write {words}"))
}
