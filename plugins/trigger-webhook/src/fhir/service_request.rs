//! ServiceRequest: a referral is ordered or withdrawn.

use serde_json::Value;

use super::bundle::{Bundle, Located};
use super::elements::{code, codes, numbers, provider, text};
use super::patient;
use crate::answer::Fault;
use crate::moments;
use crate::reading::Meant;
use crate::types::{Code, Event, Order, Priority, Reference};
use crate::words;

pub fn read<'a>(bundle: &Bundle<'a>, located: &Located<'a>) -> Result<Meant, Fault> {
    let request = located.value;
    let mut referral = numbers(request);
    words::push_new(&mut referral, text(&request["requisition"]["value"]));
    if referral.is_empty() {
        return Err(Fault::content(
            &format!("{}/identifier", located.pointer),
            "the ServiceRequest has neither an identifier nor an id",
            "send the order's number as an identifier",
        ));
    }
    let reference = Reference { referral, appointment: Vec::new(), patient: Vec::new() };
    match request["status"].as_str() {
        Some("active") => {}
        Some("revoked" | "entered-in-error") => return Ok(Meant::Events(vec![Event::Withdrawn(reference)])),
        Some("draft" | "on-hold") => return Ok(Meant::NotForUs("a referral that is not ordered yet".to_owned())),
        Some("completed") => return Ok(Meant::NotForUs("a referral that is over".to_owned())),
        _ => {
            return Err(Fault::content(
                &format!("{}/status", located.pointer),
                "the ServiceRequest has no status that we know",
                "write active, revoked, draft, on-hold, completed or entered-in-error",
            ));
        }
    }
    let order = order(bundle, request, reference);
    if order.patient.identifiers.is_empty() && order.patient.family.is_empty() {
        return Err(Fault::content(
            &format!("{}/subject", located.pointer),
            "the patient is not here",
            "send the Patient contained, in the bundle, or by an identifier in the reference",
        ));
    }
    Ok(Meant::Events(vec![Event::Ordered(order)]))
}

fn order<'a>(bundle: &Bundle<'a>, request: &'a Value, reference: Reference) -> Order {
    let service = code(&request["code"]);
    let specialty =
        code(&request["performerType"]).or_else(|| code(&request["category"][0])).or_else(|| service.clone());
    let conditions = request["reasonReference"].as_array().into_iter().flatten();
    let conditions = conditions
        .filter_map(|reason| bundle.resolve(request, reason))
        .filter_map(|condition| code(&condition["code"]));
    let diagnoses: Vec<Code> = codes(&request["reasonCode"]).into_iter().chain(conditions).collect();
    let authored = [&request["authoredOn"], &request["meta"]["lastUpdated"]];
    Order {
        reference,
        priority: match request["priority"].as_str() {
            Some("stat") => Priority::Stat,
            Some("urgent" | "asap") => Priority::Urgent,
            _ => Priority::Routine,
        },
        ordered_at: authored.into_iter().find_map(|time| moments::instant(&text(time))),
        expires_at: moments::end(&text(&request["occurrencePeriod"]["end"])),
        patient: patient::patient(bundle, request, &request["subject"]),
        referring: provider(bundle, request, &request["requester"]).unwrap_or_else(words::nobody),
        referred_to: provider(bundle, request, &request["performer"][0]),
        specialty: specialty.unwrap_or_else(words::empty_code),
        services: service.into_iter().chain(codes(&request["orderDetail"])).collect(),
        diagnoses,
        coverages: patient::coverages(bundle, request, &request["insurance"]),
        authorization: None,
        extras: Vec::new(),
    }
}
