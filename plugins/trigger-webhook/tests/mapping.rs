//! Sites that tell facts in extensions and other places of their own.

use serde_json::{Value, json};
use trigger_webhook::interpret;
use trigger_webhook::types::{Code, Happening, Meaning};

use crate::told::{delivery, tell};

fn told(document: &Value, settings: &Value) -> String {
    let reading = interpret(&delivery(document.to_string().as_bytes(), &[]), &settings.to_string());
    let Meaning::Events(events) = &reading.meaning else { return tell(&reading) };
    let [Happening::Ordered(order)] = events.iter().map(|event| &event.what).collect::<Vec<_>>()[..] else {
        return tell(&reading);
    };
    let code = |code: &Code| format!("{}#{} {}", code.system, code.code, code.display);
    let phones: Vec<_> = order.patient.phones.iter().map(|phone| phone.number.as_str()).collect();
    let numbers: Vec<_> = events[0].about.referral.iter().map(|it| format!("{}@{}", it.value, it.authority)).collect();
    [
        format!("{:?} {}", order.priority, numbers.join(" ")),
        code(&order.specialty),
        order.services.iter().map(code).collect::<Vec<_>>().join(", "),
        order.diagnoses.iter().map(code).collect::<Vec<_>>().join(", "),
        format!("{:?} {phones:?}", order.patient.language),
        order.extras.iter().map(|extra| format!("{}={}", extra.name, extra.value)).collect::<Vec<_>>().join(", "),
    ]
    .join("\n")
}

fn order(extensions: &Value) -> Value {
    json!({"resourceType": "ServiceRequest", "id": "s", "status": "active", "intent": "order", "identifier": [{"system": "urn:o", "value": "R-1"}],
        "extension": extensions,
        "subject": {"reference": "#p"},
        "contained": [{"resourceType": "Patient", "id": "p", "identifier": [{"system": "urn:mrn", "value": "12"}], "name": [{"family": "Ng"}],
            "extension": [{"url": "urn:lang", "valueCode": "vi"}, {"url": "urn:cell", "valueString": "626-555-9876"}]}]})
}

#[test]
fn the_urgency_stands_in_an_extension() {
    let coded =
        json!({"map": {"urgency": {"from": "extension[url=urn:u].valueCode", "codes": {"U": "urgent", "1": "stat"}}}});
    let lenient =
        json!({"map": {"urgency": {"from": "extension('urn:u').value", "codes": {"U": "urgent"}, "default": "stat"}}});
    let rows = [
        (
            &coded,
            json!([{"url": "urn:x", "valueCode": "1"}, {"url": "urn:u", "valueCode": "U"}]),
            "Priority::Urgent R-1@urn:o",
        ),
        (&coded, json!([{"url": "urn:u", "valueCode": " "}]), "Priority::Routine R-1@urn:o"),
        (&coded, Value::Null, "Priority::Routine R-1@urn:o"),
        (
            &coded,
            json!([{"url": "urn:u", "valueCode": "SECRET"}]),
            "422 unreadable at /extension[url=urn:u].valueCode: the settings do not say which urgency the code here means; list the code under `map.urgency.codes` of the trigger's settings as routine, urgent, stat, or set `map.urgency.default`",
        ),
        (&lenient, json!([{"url": "urn:u", "valueInteger": 9}]), "Priority::Stat R-1@urn:o"),
        (
            &lenient,
            json!([{"url": "urn:u", "valueCodeableConcept": {"coding": [{"system": "x", "code": "u"}]}}]),
            "Priority::Urgent R-1@urn:o",
        ),
    ];
    for (settings, extensions, expected) in rows {
        let told = told(&order(&extensions), settings);
        assert!(told.starts_with(expected), "{extensions}: {told}");
    }
}

#[test]
fn each_fact_goes_where_the_contract_has_it() {
    let settings = json!({"map": {
        "specialty": {"from": "extension[url=urn:s].value", "codes": {"CARD": {"code": "394579002", "display": "Cardiology", "system": "http://snomed.info/sct"}}},
        "visit_type": "extension[url=urn:v].valueCodeableConcept",
        "diagnosis": "extension[url=urn:d].value",
        "referral_number": "extension[url=urn:n].valueIdentifier",
        "consent": {"from": "extension[url=urn:c].valueBoolean", "codes": {"true": "granted", "false": "denied"}},
        "language": "subject.resolve().extension[url=urn:lang].value",
        "mobile": "subject.resolve().extension[url=urn:cell].value",
        "reason": "extension[url=urn:r].valueString",
    }});
    let document = order(&json!([
        {"url": "urn:s", "valueCode": "CARD"},
        {"url": "urn:v", "valueCodeableConcept": {"coding": [{"system": "urn:vt", "code": "NEW", "display": "New patient"}]}},
        {"url": "urn:d", "valueCoding": {"code": "I20.0"}}, {"url": "urn:d", "valueCode": "E11.9"},
        {"url": "urn:n", "valueIdentifier": {"system": "urn:site", "value": "77"}},
        {"url": "urn:c", "valueBoolean": false},
        {"url": "urn:r", "valueString": "Chest\u{7} pain"},
    ]));
    let expected = [
        "Priority::Routine 77@urn:site R-1@urn:o ServiceRequest/s@",
        "http://snomed.info/sct#394579002 Cardiology",
        "urn:vt#NEW New patient",
        "http://hl7.org/fhir/sid/icd-10-cm#I20.0 , http://hl7.org/fhir/sid/icd-10-cm#E11.9 ",
        r#"Some("vi") ["+16265559876"]"#,
        "referral-reason=Chest pain, consent=denied",
    ];
    assert_eq!(told(&document, &settings), expected.join("\n"));
}

#[test]
fn visits_and_patients_are_told_by_the_sites_own_words() {
    let settings = json!({"map": {
        "visit_status": {"from": "extension[url=urn:st].valueCode", "codes": {"DNA": "no-show"}},
        "referral_number": "Appointment.extension[url=urn:n].valueString",
        "mobile": "Patient.extension[url=urn:cell].valueString",
    }});
    let visit = json!({"resourceType": "Appointment", "id": "a", "status": "booked", "start": "2026-07-10T14:00:00Z",
        "extension": [{"url": "urn:st", "valueCode": "DNA"}, {"url": "urn:n", "valueString": "R-7"}]});
    let visited = told(&visit, &settings);
    assert!(visited.starts_with("202 AppointmentChange::NoShow [R-7|Appointment/a|"), "{visited}");
    let patient = json!({"resourceType": "Patient", "id": "p", "identifier": [{"value": "12"}], "extension": [{"url": "urn:cell", "valueString": "6265559876"}]});
    let updated = told(&patient, &settings);
    assert!(updated.contains("+16265559876"), "{updated}");
}

#[test]
fn a_wrong_map_is_told_with_its_key_before_any_delivery() {
    let rows = [
        (
            json!({"map": {"urgency": "extension[url]"}}),
            "503 unreadable at settings.map.urgency: this is no place in a message: at character 14, `=` is missing; ",
        ),
        (
            json!({"map": {"urgency": {"from": "Practitioner.name"}}}),
            "503 unreadable at settings.map.urgency.from: this is no place in a message: at character 1, this is no resource that is read here; begin with ServiceRequest, ",
        ),
        (
            json!({"map": {"colour": "code"}}),
            "503 unreadable at settings.map.colour: this is no fact that can be mapped; write one of: urgency, specialty, ",
        ),
    ];
    for (settings, expected) in rows {
        for body in ["", r#"{"event": "order"}"#] {
            let reading = interpret(&delivery(body.as_bytes(), &[]), &settings.to_string());
            assert!(tell(&reading).starts_with(expected), "{settings}: {}", tell(&reading));
        }
    }
}
