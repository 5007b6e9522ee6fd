//! Any bytes and any JSON: nothing panics, everything is answered, no number loses its authority, no value has a control
//! character.

use proptest::prelude::*;
use serde_json::{Value, json};
use trigger_webhook::types::{Event, Happening, Meaning, NoteStatus, Number, Patient, Provider, Reading};
use trigger_webhook::{authenticate, interpret};

use crate::told::{delivery, read, tell};

fn any_json() -> impl Strategy<Value = Value> {
    let names = "resourceType|event|events|id|status|type|entry|resource|identifier|value|subject|reference|contained|basedOn|code|coding|name|parameter|referral|patient|participant|actor|content|attachment|data|start|telecom|focus|link|other|relatesTo|target|presentedForm|documents|document_id|was|authority|identifiers|family|docStatus|meta|lastUpdated|fullUrl|as_of";
    let words = "ServiceRequest|Appointment|DocumentReference|DiagnosticReport|Task|Bundle|Parameters|SubscriptionStatus|Patient|order|note|appointment|withdrawn|declined|patient-died|patient-merged|note-retracted|active|booked|current|final|rejected|cancelled|subscription|replaces|replaced-by|#p|Patient/1|2026|2026-07-10T14:00:00Z|é|a\u{0}b\u{7}|b25l";
    let leaf = prop_oneof![
        words.prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<bool>().prop_map(Value::from),
        Just(Value::Null)
    ];
    leaf.prop_recursive(6, 80, 8, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((names, inner), 0..8)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

/// A document that says something, with some of its values replaced by any other.
fn mutated() -> impl Strategy<Value = Value> {
    let seeds = [
        include_str!("data/field/10-requisition-bundle.json"),
        include_str!("data/field/11e-batch-one-bad.json"),
        r#"{"resourceType": "Bundle", "type": "batch", "entry": [{"resource": {"resourceType": "Appointment", "id": "a", "status": "cancelled", "basedOn": [{"reference": "ServiceRequest/1"}]}},
            {"resource": {"resourceType": "Appointment", "id": "b", "status": "x"}}, {"resource": {"resourceType": "Task", "id": "t", "status": "rejected", "focus": {"reference": "ServiceRequest/1"}}}]}"#,
        include_str!("data/field/13-appt-v1.json"),
        r#"{"resourceType": "DocumentReference", "id": "n", "status": "current", "masterIdentifier": {"system": "urn:d", "value": "D"},
            "content": [{"attachment": {"contentType": "text/plain", "data": "b25l", "title": "T"}}], "relatesTo": [{"code": "replaces",
            "target": {"reference": "DocumentReference/m"}}], "context": {"related": [{"identifier": {"value": "R-1"}}]}}"#,
        r#"{"resourceType": "Patient", "id": "p", "identifier": [{"value": "12"}], "link": [{"type": "replaces", "other": {"identifier": {"value": "9"}}}]}"#,
        r#"{"event": "note", "referral": ["R-1"], "document_id": "D", "documents": [{"media_type": "text/plain", "content": "b25l", "title": "T"}], "patient": {"identifiers": ["1"], "family": "Ng"}}"#,
    ];
    let seeds: Vec<Value> = seeds.iter().map(|seed| serde_json::from_str(seed).expect("a seed is JSON")).collect();
    let edits = prop::collection::vec((any::<prop::sample::Index>(), any_json()), 0..4);
    (prop::sample::select(seeds), edits).prop_map(|(mut document, edits)| {
        for (at, value) in edits {
            let mut leaves = Vec::new();
            leaves_of(&mut document, &mut leaves);
            let at = at.index(leaves.len());
            *leaves.swap_remove(at) = value;
        }
        document
    })
}

fn leaves_of<'a>(value: &'a mut Value, leaves: &mut Vec<&'a mut Value>) {
    if value.as_array().is_none_or(Vec::is_empty) && value.as_object().is_none_or(serde_json::Map::is_empty) {
        leaves.push(value);
        return;
    }
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| leaves_of(item, leaves)),
        Value::Object(members) => members.values_mut().for_each(|item| leaves_of(item, leaves)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Every text of a reading that is no document's content.
fn texts(reading: &Reading) -> Vec<String> {
    let mut texts = vec![reading.kind.clone(), reading.sender.clone()];
    let Meaning::Events(events) = &reading.meaning else { return texts };
    for Event { about, as_of: _, what } in events {
        for numbers in [&about.referral, &about.appointment, &about.document, &about.group] {
            texts.extend(numbers.iter().flat_map(|number| [number.value.clone(), number.authority.clone()]));
        }
        if let Some(patient) = &about.patient {
            texts.extend(patient.identifiers.iter().flat_map(|it| [it.value.clone(), it.authority.clone()]));
            texts.extend([patient.given.clone(), patient.family.clone(), patient.birth_date.clone()]);
        }
        texts.extend(match what {
            Happening::Ordered(order) => {
                let providers = [Some(&order.referring), order.referred_to.as_ref()].into_iter().flatten();
                providers.flat_map(provider).chain(of_patient(&order.patient)).collect()
            }
            Happening::Declined(why) => vec![why.clone()],
            Happening::Appointment(notice) => {
                notice.with.iter().flat_map(provider).chain([notice.place.clone()]).collect::<Vec<_>>()
            }
            Happening::Note(note) => {
                let heads = note.documents.iter().flat_map(|it| [it.media_type.clone(), it.title.clone()]);
                note.author.iter().flat_map(provider).chain([note.kind.display.clone()]).chain(heads).collect()
            }
            Happening::PatientUpdated(patient) => of_patient(patient),
            Happening::PatientMerged(retired) => retired.iter().map(|it| it.value.clone()).collect(),
            Happening::Withdrawn | Happening::NoteRetracted | Happening::PatientDied => Vec::new(),
        });
    }
    texts
}

fn of_patient(patient: &Patient) -> Vec<String> {
    let address = &patient.address;
    let texts = [&patient.given, &patient.family, &patient.birth_date, &address.line, &address.city, &address.state];
    texts.into_iter().chain(&patient.language).chain(&patient.emails).cloned().collect()
}

fn provider(provider: &Provider) -> Vec<String> {
    [&provider.id, &provider.name, &provider.organization, &provider.phone, &provider.specialty]
        .map(Clone::clone)
        .into()
}

proptest! {
    #[test]
    fn any_json_is_answered(document in prop_oneof![any_json(), mutated()]) {
        let reading = interpret(&delivery(document.to_string().as_bytes(), &[]), "{}");
        let is_cut = matches!(reading.meaning, Meaning::Parts(_));
        prop_assert!(matches!((reading.accepted.status, is_cut), (202 | 422, false) | (200, true)));
        if let Meaning::Parts(bodies) = &reading.meaning {
            let alone: Vec<Reading> = bodies.iter().map(|body| interpret(&delivery(body, &[]), "{}")).collect();
            prop_assert!(alone.len() > 1, "one thing is no several");
            prop_assert!(alone.iter().all(|it| matches!(it.meaning, Meaning::Events(_) | Meaning::Unreadable(_))));
        }
        prop_assert!(texts(&reading).iter().all(|text| !text.chars().any(char::is_control)), "{}", tell(&reading));
        let Meaning::Events(events) = &reading.meaning else { return Ok(()) };
        prop_assert!(!events.is_empty());
        for event in events {
            let Happening::Note(note) = &event.what else { continue };
            prop_assert!(note.status == NoteStatus::Preliminary || !note.documents.is_empty());
        }
    }

    #[test]
    fn a_number_keeps_its_authority(value in "[A-Z0-9.-]{1,12}", authority in "urn:[a-z]{1,8}", place in 0..9_usize) {
        let identifier = json!({"system": authority, "value": value});
        let request = |member: &str, told: Value| {
            let mut request = json!({"resourceType": "ServiceRequest", "id": "s", "status": "revoked"});
            request[member] = told;
            request
        };
        let plain = |member: &str| {
            let mut event = json!({"event": "note-retracted", "referral": "R", "document_id": "D"});
            event[member] = json!({"authority": authority, "value": value});
            event
        };
        let visit = |members: Value| {
            let mut visit = json!({"resourceType": "Appointment", "id": "a", "status": "cancelled"});
            visit["identifier"] = members["identifier"].clone();
            visit["basedOn"] = members["basedOn"].clone();
            visit
        };
        let document = match place {
            0 => request("identifier", json!([identifier])),
            1 => request("requisition", identifier.clone()),
            2 => visit(json!({"identifier": [identifier]})),
            3 => visit(json!({"basedOn": [{"identifier": identifier}]})),
            4 => json!({"resourceType": "Task", "status": "rejected", "focus": {"type": "ServiceRequest", "identifier": identifier}}),
            5 => json!({"resourceType": "DocumentReference", "status": "entered-in-error", "masterIdentifier": identifier,
                        "context": {"related": [{"identifier": {"value": "R"}}]}}),
            6 => plain("referral"),
            7 => plain("document_id"),
            _ => plain("group"),
        };
        let reading = read(&document.to_string());
        let Meaning::Events(events) = &reading.meaning else { panic!("{}", tell(&reading)) };
        let about = &events[0].about;
        let list = match place {
            0 | 3 | 4 | 6 => &about.referral,
            2 => &about.appointment,
            5 | 7 => &about.document,
            _ => &about.group,
        };
        let number = Number { value, authority };
        prop_assert!(list.contains(&number), "{:?} is not in {:?}", number, about);
    }

    #[test]
    fn any_bytes_are_answered(body in prop::collection::vec(any::<u8>(), 0..200), settings in ".{0,40}", time in ".{0,20}") {
        let delivery = delivery(&body, &[("x-time", &time), ("x-signature", &time)]);
        let reading = interpret(&delivery, &settings);
        prop_assert_eq!(&reading, &interpret(&delivery, &settings));
        prop_assert_eq!(authenticate(&delivery, &settings), authenticate(&delivery, &settings));
    }
}
