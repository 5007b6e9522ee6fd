//! FHIR R4 resources, bundles and notifications.

use serde_json::{Value, json};

use trigger_webhook::types::Meaning;

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

const ORDERED: &str = "202 ordered [R-1@urn:clinic ServiceRequest/sr1||] Priority::Urgent 2026-07-06T13:00:00.000Z to 2026-10-01T23:59:59.999Z | \
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
        json!({"resourceType": "Appointment", "id": "a", "status": status, "identifier": [{"system": "urn:visits", "value": "A-1"}],
               "basedOn": [{"reference": "https://ehr.example/fhir/ServiceRequest/sr1"}],
               "start": "2026-07-10T14:00:00Z", "end": "2026-07-10T14:30:00Z",
               "participant": [{"actor": {"reference": "Patient/p"}}, {"actor": {"reference": "Practitioner/d", "display": "Dr. Who"}},
                               {"actor": {"reference": "Location/l", "display": "Room 4"}}]})
    };
    let at = "[ServiceRequest/sr1@https://ehr.example/fhir|A-1@urn:visits Appointment/a|] at 2026-07-10T14:00:00.000Z for Some(30) with Practitioner/d/Dr. Who/// in Room 4";
    let note = |doc_status: &str, attachment: Value| {
        json!({"resourceType": "DocumentReference", "id": "n", "status": "current", "docStatus": doc_status,
               "type": {"coding": [{"system": "http://loinc.org", "code": "11488-4"}]},
               "content": [{"attachment": attachment}],
               "context": {"related": [{"identifier": {"value": "R-1"}}], "period": {"start": "2026-07-10T14:00:00Z"}}})
    };
    let pdf = json!({"contentType": "application/pdf", "data": "JVBERi0="});
    let rows = [
        (request("revoked"), "202 withdrawn [R-1@urn:clinic ServiceRequest/sr1||]".to_owned()),
        (request("entered-in-error"), "202 withdrawn [R-1@urn:clinic ServiceRequest/sr1||]".to_owned()),
        (request("draft"), "202 not for us: a referral that is not ordered yet".to_owned()),
        (request("completed"), "202 not for us: a referral that is over".to_owned()),
        (appointment("booked"), format!("202 AppointmentChange::Booked {at}")),
        (appointment("checked-in"), format!("202 AppointmentChange::Arrived {at}")),
        (appointment("fulfilled"), format!("202 AppointmentChange::Completed {at}")),
        (appointment("noshow"), format!("202 AppointmentChange::NoShow {at}")),
        (appointment("cancelled"), format!("202 AppointmentChange::Cancelled {at}")),
        (appointment("waitlist"), "202 not for us: an appointment that is not agreed yet".to_owned()),
        (note("final", pdf.clone()), "202 note [R-1|||document DocumentReference/n] 11488-4 final by nobody visited 2026-07-10T14:00:00.000Z written ?: application/pdf//JVBERi0=".to_owned()),
        (note("preliminary", pdf), "202 note [R-1|||document DocumentReference/n] 11488-4 preliminary by nobody visited 2026-07-10T14:00:00.000Z written ?: application/pdf//JVBERi0=".to_owned()),
        (note("final", json!({"contentType": "application/pdf", "url": "Binary/1"})), "422 unreadable at /content: the note is final, and its bytes are not here; send them in the attachment's data, or as a Binary in the same Bundle".to_owned()),
        (json!({"resourceType": "Task", "status": "cancelled", "focus": {"reference": "ServiceRequest/sr1"}}), "202 withdrawn [ServiceRequest/sr1||]".to_owned()),
        (json!({"resourceType": "Task", "status": "in-progress", "focus": {"reference": "ServiceRequest/sr1"}}), "202 not for us: a task's progress, which changes nothing for the patient".to_owned()),
        (appointment("pending"), "202 not for us: an appointment that is not agreed yet".to_owned()),
        (request("unknown"), "202 not for us: a referral of which its sender does not know how it stands".to_owned()),
        (json!({"resourceType": "Task", "status": "rejected", "focus": {"reference": "ServiceRequest/sr1"}, "groupIdentifier": {"system": "urn:g", "value": "G"}}), "202 declined [ServiceRequest/sr1|||group G@urn:g] the specialist's office does not take the patient (Task rejected)".to_owned()),
        (json!({"resourceType": "Patient", "id": "p"}), "202 not for us: a patient without a number, whom nothing here could know".to_owned()),
        (json!({"resourceType": "Encounter", "id": "e"}), "202 not for us: nothing of a referral, a visit, a note or a patient in it".to_owned()),
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
        (request("late"), "422 unreadable at /status: "),
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
    assert_eq!(
        both,
        "202 note [R-1|||document DocumentReference/n]  final by nobody visited ? written ?: text/plain//b25l, text/plain//dHdv"
    );
    let pdf = json!({"attachment": {"contentType": "application/pdf", "title": "Echo", "data": "JVBERi0="}});
    let mixed = told(&note(json!([pdf, attachment("b25l")])));
    assert!(mixed.ends_with("written ?: text/plain//b25l, application/pdf/Echo/JVBERi0="), "{mixed}");
    let broken = told(&note(json!([attachment("b25")])));
    assert!(
        broken.starts_with("422 unreadable at /content/0/attachment/data: the attachment is not Base64"),
        "{broken}"
    );
    let beside = json!({"resourceType": "Bundle", "entry": [
        {"resource": note(json!([{"attachment": {"contentType": "text/plain", "url": "Binary/9"}}]))},
        {"resource": {"resourceType": "Binary", "id": "9", "data": "b25l"}}]});
    assert!(told(&beside).ends_with("text/plain//b25l"), "{}", told(&beside));
}

#[test]
fn a_note_is_corrected_and_taken_back() {
    let note = |members: &[(&str, Value)]| {
        let mut note = json!({"resourceType": "DocumentReference", "id": "n", "status": "current",
            "masterIdentifier": {"system": "urn:doc", "value": "D-9"}, "identifier": [{"system": "urn:doc", "value": "D-9"}],
            "content": [{"attachment": {"contentType": "text/plain", "data": "b25l"}}], "date": "2026-07-11T09:00:00Z",
            "context": {"related": [{"identifier": {"system": "urn:clinic", "value": "R-1"}}]}});
        for (name, value) in members {
            note[*name] = value.clone();
        }
        told(&note)
    };
    let own = "D-9@urn:doc DocumentReference/n";
    let rows = [
        (vec![], format!("202 note [R-1@urn:clinic|||document {own}]  final by")),
        (vec![("docStatus", json!("amended"))], format!("202 note [R-1@urn:clinic|||document {own}]  corrected by")),
        (
            vec![(
                "relatesTo",
                json!([{"code": "replaces", "target": {"reference": "https://ehr.example/fhir/DocumentReference/m"}}]),
            )],
            format!(
                "202 note [R-1@urn:clinic|||document {own} DocumentReference/m@https://ehr.example/fhir]  corrected by"
            ),
        ),
        (
            vec![("relatesTo", json!([{"code": "appends", "target": {"reference": "DocumentReference/m"}}]))],
            format!("202 note [R-1@urn:clinic|||document {own} DocumentReference/m]  final by"),
        ),
        (vec![("status", json!("entered-in-error"))], format!("202 note taken back [R-1@urn:clinic|||document {own}]")),
        (
            vec![("docStatus", json!("entered-in-error"))],
            format!("202 note taken back [R-1@urn:clinic|||document {own}]"),
        ),
        (vec![("status", json!("superseded"))], "202 not for us: a document that no longer stands".to_owned()),
    ];
    for (members, expected) in rows {
        let told = note(&members);
        assert!(told.starts_with(&expected), "{members:?}: {told}");
    }
    assert!(note(&[]).contains("visited 2026-07-11T09:00:00.000Z written 2026-07-11T09:00:00.000Z: "));
}

#[test]
fn a_report_is_a_note_unless_it_is_a_departments() {
    let report = |status: &str, category: &str| {
        told(&json!({"resourceType": "DiagnosticReport", "id": "d", "status": status,
            "identifier": [{"system": "urn:report", "value": "F-1"}],
            "category": [{"coding": [{"code": category}]}], "code": {"coding": [{"system": "http://loinc.org", "code": "11488-4"}]},
            "basedOn": [{"reference": "ServiceRequest/sr1"}], "effectiveDateTime": "2026-07-10", "issued": "2026-07-11T09:00:00Z",
            "resultsInterpreter": [{"display": "Dr. Who"}], "conclusion": "one",
            "presentedForm": [{"contentType": "application/pdf", "title": "Report", "data": "JVBERi0="}]}))
    };
    let about = "[ServiceRequest/sr1|||document F-1@urn:report DiagnosticReport/d]";
    let rest = "by /Dr. Who/// visited 2026-07-10T00:00:00.000Z written 2026-07-11T09:00:00.000Z: text/plain; charset=utf-8//b25l, application/pdf/Report/JVBERi0=";
    for (status, expected) in [
        ("preliminary", format!("202 note {about} 11488-4 preliminary {rest}")),
        ("final", format!("202 note {about} 11488-4 final {rest}")),
        ("amended", format!("202 note {about} 11488-4 corrected {rest}")),
        ("corrected", format!("202 note {about} 11488-4 corrected {rest}")),
        ("entered-in-error", format!("202 note taken back {about}")),
        ("cancelled", "202 not for us: a report that did not come to be".to_owned()),
    ] {
        assert_eq!(report(status, "LP7839-6"), expected, "{status}");
    }
    assert!(report("final", "LAB").starts_with("202 not for us: results of a laboratory"));
    assert!(report("soon", "").starts_with("422 unreadable at /status: "));
}

#[test]
fn what_the_chart_stage_wrote_comes_back_as_no_news() {
    let own = |system: &str| {
        json!({"resourceType": "Task", "id": "t", "status": "failed", "focus": {"reference": "ServiceRequest/sr1"},
               "identifier": [{"use": "official", "system": system, "value": "letter-7"}]})
    };
    let nothing = "202 not for us: what Handoff itself has written to the chart";
    assert_eq!(told(&own("urn:x-handoff:chart-entry")), nothing);
    assert!(told(&own("urn:office")).starts_with("422 unreadable at /status: the specialist's office could not"));
    let delivery = crate::told::delivery(own("https://clinic.example/handoff").to_string().as_bytes(), &[]);
    let settings = r#"{"own_system": "https://clinic.example/handoff"}"#;
    assert_eq!(tell(&trigger_webhook::interpret(&delivery, settings)), nothing);
}

#[test]
fn a_patient_alone_is_news_of_the_patient() {
    let patient = |members: &[(&str, Value)]| {
        let mut patient = json!({"resourceType": "Patient", "id": "p", "identifier": [{"system": "urn:mrn", "value": "12"}],
            "name": [{"family": "Ruiz", "given": ["Ana"]}], "birthDate": "1980-02-01",
            "telecom": [{"system": "phone", "use": "mobile", "value": "(626) 555-1234"}],
            "communication": [{"language": {"text": "Spanish"}}]});
        for (name, value) in members {
            patient[*name] = value.clone();
        }
        patient
    };
    let other = json!({"identifier": {"system": "urn:mrn", "value": "99"}});
    let updated = "patient updated [||12@urn:mrn] 12 Ana Ruiz 1980-02-01 Some(\"Spanish\") [\"+16265551234m\"] [] ";
    let link = |kind: &str, other: &Value| ("link", json!([{"type": kind, "other": other}]));
    let rows = [
        (vec![], format!("202 {updated}")),
        (vec![("deceasedBoolean", json!(false))], format!("202 {updated}")),
        (vec![("deceasedBoolean", json!(true))], "202 patient died [||12@urn:mrn]".to_owned()),
        (vec![("deceasedDateTime", json!("2026-07"))], "202 patient died [||12@urn:mrn]".to_owned()),
        (vec![link("replaced-by", &other)], "202 patient merged [||99@urn:mrn] was 12@urn:mrn".to_owned()),
        (vec![link("replaces", &other)], format!("202 patient merged [||12@urn:mrn] was 99@urn:mrn\n{updated}")),
        (vec![link("seealso", &other)], format!("202 {updated}")),
        (
            vec![link("replaced-by", &json!({"reference": "Patient/q"}))],
            "422 unreadable at /link/0/other: the record has become another one's, whose numbers are not here; send the other Patient in the same Bundle, or its identifier in the reference".to_owned(),
        ),
        (vec![("active", json!(false))], "202 not for us: a patient's record that is not in use".to_owned()),
    ];
    for (members, expected) in rows {
        assert_eq!(told(&patient(&members)), expected, "{members:?}");
    }
    // Beside an order, it is the order's patient.
    let both =
        json!({"resourceType": "Bundle", "entry": [{"resource": patient(&[])}, {"resource": request("active")}]});
    assert_eq!(told(&both), ORDERED);
}

#[test]
fn every_event_says_whom_it_is_about_and_as_of_when() {
    let first = |document: &Value| {
        let reading = read(&document.to_string());
        let Meaning::Events(events) = reading.meaning else { panic!("{document}") };
        (events[0].about.clone(), events[0].as_of.map(moment::rfc3339))
    };
    let mut revoked = request("revoked");
    let (about, as_of) = first(&revoked);
    let patient = about.patient.unwrap_or_else(|| panic!("the patient is named"));
    assert_eq!((patient.family.as_str(), patient.birth_date.as_str(), about.by_patient), ("Ruiz", "1980-02-01", false));
    assert_eq!((patient.identifiers[0].value.as_str(), patient.identifiers[0].authority.as_str()), ("12", "urn:mrn"));
    assert_eq!(as_of, None);
    revoked["meta"] = json!({"lastUpdated": "2026-07-06T09:01:00+01:00"});
    assert_eq!(first(&revoked).1.as_deref(), Some("2026-07-06T08:01:00.000Z"));
    // Nobody speaks from the day after tomorrow, and a day says nothing of two versions on it.
    for untimely in ["2026-07-09T08:01:00Z", "2026-07-06", "soon"] {
        revoked["meta"] = json!({"lastUpdated": untimely});
        assert_eq!(first(&revoked).1, None, "{untimely}");
    }
    revoked["meta"] = Value::Null;
    let notified = |focus: &str| {
        json!({"resourceType": "Bundle", "timestamp": "2026-07-06T07:00:00Z", "entry": [
            {"resource": {"resourceType": "SubscriptionStatus", "subscription": {"reference": "https://ehr.example/fhir/Subscription/9"},
                "notificationEvent": [{"timestamp": "2026-07-06T06:59:00Z", "focus": {"reference": focus}}]}},
            {"resource": revoked}]})
    };
    let (about, as_of) = first(&notified("https://ehr.example/fhir/ServiceRequest/sr1"));
    assert_eq!(as_of.as_deref(), Some("2026-07-06T06:59:00.000Z"));
    assert_eq!(about.referral[1].authority, "https://ehr.example/fhir");
    assert_eq!(first(&notified("ServiceRequest/sr2")).1.as_deref(), Some("2026-07-06T07:00:00.000Z"));
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
fn of_several_the_one_who_attends() {
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
