//! The plain schema: one event, or `{"events": [...]}`. README.md documents it.

use crate::answer::Fault;
use crate::moments;
use crate::node::Node;
use crate::reading::Meant;
use crate::types::{
    Address, AppointmentChange, AppointmentNotice, Attribute, ChannelKind, Code, Coverage, Event, Identifier, Order,
    Patient, Phone, Priority, Provider, Reference, VisitNote,
};
use crate::words;

pub const EVENTS: [&str; 4] = ["order", "withdrawn", "appointment", "note"];

pub fn read(root: &Node<'_>) -> Result<Meant, Fault> {
    let list = root.get("events");
    let events = if list.exists() { list.items() } else { vec![root.clone()] };
    let events: Result<Vec<Event>, Fault> = events.iter().map(event).collect();
    events.map(
        |events| if events.is_empty() { Meant::NotForUs("no events in it".to_owned()) } else { Meant::Events(events) },
    )
}

fn event(node: &Node<'_>) -> Result<Event, Fault> {
    let kind = node.get("event");
    match kind.required("write order, withdrawn, appointment or note")?.as_str() {
        "order" => order(node).map(Event::Ordered),
        "withdrawn" => reference(node).map(Event::Withdrawn),
        "appointment" => appointment(node).map(Event::Appointment),
        "note" => note(node).map(Event::Note),
        _ => Err(unknown_word(&kind, "order, withdrawn, appointment or note")),
    }
}

/// `referral`, `appointment` and, where neither is there, the patient's identifiers.
fn reference(node: &Node<'_>) -> Result<Reference, Fault> {
    let number = node.get("appointment");
    let appointment = if number.is_object() { number.get("number") } else { number };
    let mut reference =
        Reference { referral: node.get("referral").texts()?, appointment: appointment.texts()?, patient: Vec::new() };
    if reference.referral.is_empty() {
        reference.patient = identifiers(&node.get("patient").get("identifiers"))?;
    }
    if reference.referral.is_empty() && reference.appointment.is_empty() && reference.patient.is_empty() {
        return Err(Fault::content(
            node.get("referral").pointer(),
            "this is missing",
            "write the referral's number, as in the order",
        ));
    }
    Ok(reference)
}

fn order(node: &Node<'_>) -> Result<Order, Fault> {
    node.get("referral").texts()?.first().ok_or_else(|| {
        Fault::content(node.get("referral").pointer(), "this is missing", "give each referral a number of its own")
    })?;
    let priority = node.get("priority");
    let authorization = node.get("authorization").text()?;
    Ok(Order {
        reference: Reference { referral: node.get("referral").texts()?, appointment: Vec::new(), patient: Vec::new() },
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
        reference: reference(node)?,
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
    let content = node.get("content").text()?;
    Ok(VisitNote {
        reference: reference(node)?,
        document_id: node.get("document_id").required("give each document a number of its own")?,
        kind: code(&node.get("kind"))?.unwrap_or_else(words::empty_code),
        // There is nothing to close a referral with before the document is here.
        final_: node.get("final").flag()?.unwrap_or(true) && !content.is_empty(),
        author: provider(&node.get("author"))?,
        visited_at: moments::required_sense(&node.get("visited_at"), moments::instant)?,
        media_type: node.get("media_type").text()?,
        content,
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
