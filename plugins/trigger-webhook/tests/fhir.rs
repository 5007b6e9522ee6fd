//! FHIR R4 resources, bundles and notifications.

use serde_json::{Value, json};

use crate::told::{read, tell};

fn told(document: &Value) -> String {
    tell(&read(&document.to_string()))
}

fn request(status: &str) -> Value {
    json!({
        "resourceType": "ServiceRequest", "id": "sr1", "status": status, "intent": "order", "priority": "asap",
        "identifier": [{"system": "urn:clinic", "value": "R-1"}],
        "authoredOn": "2026-07-06T08:00:00-05:00",
        "code": {"coding": [{"system": "http://snomed.info/sct", "code": "306206005"}]},
        "performerType": {"coding": [{"code": "CAR"}]},
        "reasonCode": [{"coding": [{"code": "I10"}]}],
        "occurrencePeriod": {"end": "2026-10-01"},
        "subject": {"reference": "#p"}, "requester": {"reference": "#d"},
        "performer": [{"reference": "PractitionerRole/9", "display": "Dr. Paul McWilliams"}],
        "insurance": [{"reference": "#c"}],
        "contained": [
            {"resourceType": "Patient", "id": "p", "identifier": [{"system": "urn:mrn", "value": "12", "type": {"coding": [{"code": "MR"}]}}],
             "name": [{"use": "old", "family": "Gone"}, {"use": "official", "family": "Ruiz", "given": ["Ana", "B"]}],
             "birthDate": "1980-02-01",
             "telecom": [{"system": "phone", "value": "626-555-9876", "rank": 2}, {"system": "phone", "use": "mobile", "value": "(626) 555-1234", "rank": 1},
                         {"system": "email", "value": "ana@example.org"}, {"system": "phone", "use": "old", "value": "626-555-0000"}],
             "communication": [{"language": {"coding": [{"code": "en"}]}}, {"language": {"coding": [{"code": "es"}]}, "preferred": true}],
             "address": [{"state": "CA"}]},
            {"resourceType": "Practitioner", "id": "d", "identifier": [{"system": "urn:x", "value": "7"}, {"system": "http://hl7.org/fhir/sid/us-npi", "value": "1234567893"}],
             "name": [{"prefix": ["Dr."], "given": ["Robert"], "family": "Powell"}]},
            {"resourceType": "Coverage", "id": "c", "subscriberId": "M", "payor": [{"display": "Blue"}],
             "class": [{"type": {"coding": [{"code": "plan"}]}, "value": "P", "name": "Plan"}]}
        ]
    })
}

const ORDERED: &str = "202 ordered [R-1 ServiceRequest/sr1||] Priority::Urgent 2026-07-06T13:00:00.000Z to 2026-10-01T23:59:59.999Z | \
    12 Ana Ruiz 1980-02-01 Some(\"es\") [\"+16265551234m\", \"+16265559876\"] [\"ana@example.org\"] CA | \
    for CAR by 1234567893/Dr. Robert Powell/// to PractitionerRole/9/Dr. Paul McWilliams/// | [\"I10\"] [\"P/Plan/Blue/M\"]";

#[test]
fn a_service_request_with_everything_contained() {
    assert_eq!(told(&request("active")), ORDERED);
}

#[test]
fn a_bundle_resolves_by_url_and_by_id() {
    let mut split = request("active");
    let contained = split["contained"].take();
    split["subject"] = json!({"reference": "urn:uuid:p"});
    split["requester"] = json!({"reference": "https://ehr.example/fhir/Practitioner/d/_history/3"});
    split["insurance"] = json!([{"reference": "Coverage/c"}]);
    let entries: Vec<Value> = [json!({"resource": split})]
        .into_iter()
        .chain(contained.as_array().into_iter().flatten().map(|resource| json!({"fullUrl": format!("urn:uuid:{}", resource["id"].as_str().unwrap_or_default()), "resource": resource})))
        .collect();
    assert_eq!(told(&json!({"resourceType": "Bundle", "id": "b", "type": "transaction", "entry": entries})), ORDERED);
}

#[test]
fn a_role_gives_person_and_place_and_never_goes_round() {
    let mut through_role = request("active");
    through_role["requester"] = json!({"reference": "#role"});
    let role = |practitioner: &str| {
        json!({"resourceType": "PractitionerRole", "id": "role", "practitioner": {"reference": practitioner},
               "organization": {"display": "Good Health"}, "specialty": [{"coding": [{"code": "207Q", "display": "Family medicine"}]}]})
    };
    for (practitioner, expected) in [
        ("#d", "by 1234567893/Dr. Robert Powell/Good Health//Family medicine"),
        ("#role", "by //Good Health//Family medicine"),
    ] {
        if let Some(contained) = through_role["contained"].as_array_mut() {
            contained.insert(0, role(practitioner));
        }
        let told = told(&through_role);
        assert!(told.contains(expected), "{told}");
    }
}

#[test]
fn what_else_there_is() {
    let appointment = |status: &str| {
        json!({"resourceType": "Appointment", "id": "a", "status": status, "identifier": [{"value": "A-1"}],
               "basedOn": [{"reference": "https://ehr.example/fhir/ServiceRequest/sr1"}],
               "start": "2026-07-10T14:00:00Z", "end": "2026-07-10T14:30:00Z",
               "participant": [{"actor": {"reference": "Patient/p"}}, {"actor": {"reference": "Practitioner/d", "display": "Dr. Who"}},
                               {"actor": {"reference": "Location/l", "display": "Room 4"}}]})
    };
    let at = "[ServiceRequest/sr1|A-1 Appointment/a|] at 2026-07-10T14:00:00.000Z for Some(30) with Practitioner/d/Dr. Who/// in Room 4";
    let note = |doc_status: &str, attachment: Value| {
        json!({"resourceType": "DocumentReference", "id": "n", "status": "current", "docStatus": doc_status,
               "type": {"coding": [{"system": "http://loinc.org", "code": "11488-4"}]},
               "content": [{"attachment": attachment}],
               "context": {"related": [{"identifier": {"value": "R-1"}}], "period": {"start": "2026-07-10T14:00:00Z"}}})
    };
    let pdf = json!({"contentType": "application/pdf", "data": "JVBERi0="});
    let rows = [
        (request("revoked"), "202 withdrawn [R-1 ServiceRequest/sr1||]".to_owned()),
        (request("entered-in-error"), "202 withdrawn [R-1 ServiceRequest/sr1||]".to_owned()),
        (request("draft"), "202 not for us: a referral that is not ordered yet".to_owned()),
        (request("completed"), "202 not for us: a referral that is over".to_owned()),
        (appointment("booked"), format!("202 AppointmentChange::Booked {at}")),
        (appointment("checked-in"), format!("202 AppointmentChange::Arrived {at}")),
        (appointment("fulfilled"), format!("202 AppointmentChange::Completed {at}")),
        (appointment("noshow"), format!("202 AppointmentChange::NoShow {at}")),
        (appointment("cancelled"), format!("202 AppointmentChange::Cancelled {at}")),
        (appointment("waitlist"), "202 not for us: an appointment that is not agreed yet".to_owned()),
        (note("final", pdf.clone()), "202 note DocumentReference/n [R-1||] 11488-4 final=true by nobody visited 2026-07-10T14:00:00.000Z application/pdf JVBERi0=".to_owned()),
        (note("preliminary", pdf), "202 note DocumentReference/n [R-1||] 11488-4 final=false by nobody visited 2026-07-10T14:00:00.000Z application/pdf JVBERi0=".to_owned()),
        (note("final", json!({"contentType": "application/pdf", "url": "Binary/1"})), "422 unreadable at /content: the note is final, and its bytes are not here; send them in attachment.data, or as a Binary in the same Bundle".to_owned()),
        (json!({"resourceType": "Task", "status": "cancelled", "focus": {"reference": "ServiceRequest/sr1"}}), "202 withdrawn [ServiceRequest/sr1||]".to_owned()),
        (json!({"resourceType": "Task", "status": "in-progress", "focus": {"reference": "ServiceRequest/sr1"}}), "202 not for us: a task's progress, which changes nothing for the patient".to_owned()),
        (json!({"resourceType": "Patient", "id": "p"}), "202 not for us: no ServiceRequest, Task, Appointment or DocumentReference in it".to_owned()),
    ];
    for (document, expected) in rows {
        assert_eq!(told(&document), expected, "{document}");
    }
}

#[test]
fn subscription_notifications() {
    let parameters = |kind: &str| json!({"resourceType": "Parameters", "parameter": [{"name": "subscription", "valueReference": {"reference": "Subscription/1"}}, {"name": "type", "valueCode": kind}]});
    let status = json!({"resourceType": "SubscriptionStatus", "type": "event-notification", "notificationEvent": [{"id": "e-9", "eventNumber": "1"}]});
    let bundle = |entries: &[&Value]| {
        let entries: Vec<Value> = entries.iter().map(|resource| json!({"resource": resource})).collect();
        json!({"resourceType": "Bundle", "id": "b", "type": "history", "entry": entries})
    };
    assert_eq!(told(&bundle(&[&parameters("event-notification"), &request("active")])), ORDERED);
    assert_eq!(told(&bundle(&[&status, &request("active")])), ORDERED);
    assert_eq!(told(&bundle(&[&parameters("handshake")])), "202 not for us: a subscription's handshake or heartbeat");
    for id_only in [bundle(&[&parameters("event-notification")]), bundle(&[&status])] {
        assert!(told(&id_only).starts_with("422 unreadable at /entry: the notification names resources"), "{id_only}");
    }
    assert_eq!(read(&bundle(&[&status]).to_string()).dedupe_key, "portal|id|e-9");
    assert_eq!(read(&bundle(&[&parameters("heartbeat")]).to_string()).dedupe_key, "portal|id|b");
}

#[test]
fn faults_point_at_their_place() {
    let mut without = request("active");
    without["contained"] = json!([]);
    let mut unnumbered = request("active");
    unnumbered["identifier"] = json!([]);
    unnumbered["id"] = Value::Null;
    let in_bundle =
        json!({"resourceType": "Bundle", "entry": [{"resource": {"resourceType": "Patient"}}, {"resource": without}]});
    let rows = [
        (request("unknown"), "422 unreadable at /status: "),
        (unnumbered, "422 unreadable at /identifier: "),
        (without.clone(), "422 unreadable at /subject: the patient is not here"),
        (in_bundle, "422 unreadable at /entry/1/resource/subject: the patient is not here"),
        (json!({"resourceType": "Appointment", "status": "late"}), "422 unreadable at /status: "),
        (json!({"resourceType": "Appointment", "status": "booked"}), "422 unreadable at /basedOn: "),
        (json!({"resourceType": "DocumentReference", "status": "current"}), "422 unreadable at /context/related: "),
        (json!({"resourceType": "Task", "status": "cancelled"}), "422 unreadable at /focus: "),
    ];
    for (document, expected) in rows {
        assert!(told(&document).starts_with(expected), "{}", told(&document));
    }
}

#[test]
fn only_a_referral_is_a_referral() {
    let with = |member: &str, value: Value| {
        let mut request = request("active");
        request["code"] = json!({"text": "Something"});
        request[member] = value;
        told(&request)
    };
    let category = |code: &str| json!([{"coding": [{"code": code}]}]);
    let other = "202 not for us: an order for a test or an image, not a referral";
    assert_eq!(with("category", category("108252007")), other);
    assert_eq!(with("category", category("363679005")), other);
    assert_eq!(with("specimen", json!([{"reference": "Specimen/1"}])), other);
    assert_eq!(with("code", json!({"coding": [{"system": "http://loinc.org", "code": "24317-0"}]})), other);
    assert_eq!(with("intent", json!("proposal")), "202 not for us: a referral that is not ordered");
    assert_eq!(with("doNotPerform", json!(true)), "202 not for us: a referral that is not ordered");
    assert!(with("category", category("3457005")).starts_with("202 ordered "));
    assert!(with("note", json!([])).starts_with("202 ordered "));
    let mut laboratory = request("active");
    laboratory["code"] = Value::Null;
    laboratory["category"] = category("laboratory");
    let reading = trigger_webhook::interpret(
        &crate::told::delivery(laboratory.to_string().as_bytes(), &[]),
        r#"{"orders": "all"}"#,
    );
    assert!(tell(&reading).starts_with("202 ordered "), "{}", tell(&reading));
}

#[test]
fn a_note_is_whole_or_refused() {
    let note = |content: Value| {
        json!({"resourceType": "DocumentReference", "id": "n", "status": "current", "content": content,
               "context": {"related": [{"identifier": {"value": "R-1"}}]}})
    };
    let attachment = |data: &str| json!({"attachment": {"contentType": "text/plain", "data": data}});
    let both = told(&note(json!([attachment("b25l"), {"attachment": {"url": "Binary/9"}}, attachment("dHdv")])));
    let lines: Vec<&str> = both.lines().collect();
    assert!(
        lines[0].contains("note DocumentReference/n [")
            && lines[0].ends_with("final=true by nobody visited ? text/plain b25l"),
        "{both}"
    );
    assert!(lines[1].contains("note DocumentReference/n-2 [") && lines[1].ends_with("text/plain dHdv"), "{both}");
    let broken = told(&note(json!([attachment("b25")])));
    assert!(
        broken.starts_with("422 unreadable at /content/0/attachment/data: the attachment is not Base64"),
        "{broken}"
    );
    let beside = json!({"resourceType": "Bundle", "entry": [
        {"resource": note(json!([{"attachment": {"contentType": "text/plain", "url": "Binary/9"}}]))},
        {"resource": {"resourceType": "Binary", "id": "9", "data": "b25l"}}]});
    assert!(told(&beside).ends_with("text/plain b25l"), "{}", told(&beside));
    let mut wrong = note(json!([attachment("b25l")]));
    wrong["status"] = json!("entered-in-error");
    assert!(told(&wrong).starts_with("422 unreadable at /status: a note is taken back"), "{}", told(&wrong));
}

#[test]
fn times_that_are_there_are_read_or_refused() {
    let mut late = request("active");
    late["authoredOn"] = json!("07/06/2026");
    assert!(told(&late).starts_with("422 unreadable at /authoredOn: this is no moment"), "{}", told(&late));
    let mut endless = request("active");
    endless["occurrencePeriod"]["end"] = json!("soon");
    assert!(told(&endless).starts_with("422 unreadable at /occurrencePeriod/end: "), "{}", told(&endless));
    let booked = |start: Value| {
        told(&json!({"resourceType": "Appointment", "id": "a", "status": "booked", "start": start,
                     "basedOn": [{"reference": "ServiceRequest/sr1"}]}))
    };
    for start in [json!("2026-07-10"), json!("tomorrow"), json!("2026-07-10T14:00"), Value::Null, json!(7)] {
        let told = booked(start);
        assert!(told.starts_with("422 unreadable at /start: "), "{told}");
    }
}

#[test]
fn who_declines_and_who_attends() {
    let declined =
        told(&json!({"resourceType": "Task", "status": "rejected", "focus": {"reference": "ServiceRequest/sr1"}}));
    assert!(declined.starts_with("422 unreadable at /status: the specialist's office does not take"), "{declined}");
    let of = |code: &str, name: &str| json!({"type": [{"coding": [{"code": code}]}], "actor": {"reference": format!("Practitioner/{name}"), "display": name}});
    let told = told(
        &json!({"resourceType": "Appointment", "id": "a", "status": "booked", "start": "2026-07-10T14:00:00Z",
        "basedOn": [{"reference": "ServiceRequest/sr1"}], "participant": [of("SPRF", "Aide"), of("X", "Some"), of("ATND", "Who")]}),
    );
    assert!(told.contains("with Practitioner/Who/Who"), "{told}");
}

#[test]
fn control_characters_reach_no_value() {
    let mut odd = request("active");
    odd["contained"][0]["name"][1]["family"] = json!("Ru\u{0}iz\u{7}");
    assert_eq!(told(&odd), ORDERED);
}
