use proptest::prelude::*;
use serde_json::{Value, json};

use super::Path;
use crate::fhir::bundle::Bundle;

fn document() -> Value {
    json!({
        "resourceType": "ServiceRequest",
        "contained": [{ "resourceType": "Patient", "id": "p", "birthDate": "1980", "language": "es" }],
        "subject": { "reference": "#p" },
        "identifier": [{ "system": "urn:a", "value": "1" }, { "system": "urn:b", "value": "2" }],
        "extension": [
            { "url": "https://ehr.example/urgency", "valueCode": "U" },
            { "url": "https://ehr.example/visit", "extension": [{ "url": "kind", "valueString": "new" }] },
            { "url": "https://ehr.example/empty", "valueString": " " },
            { "url": "https://ehr.example/rank", "valueInteger": 3 },
        ],
        "performer": null, "performerType": { "text": "Cardiology" }, "note": [{ "text": "a" }, { "text": "b" }],
    })
}

fn found(path: &str) -> String {
    let document = document();
    let path = Path::parse(path).expect("the path is one");
    path.find(&Bundle::of(&document), &document).iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
}

#[test]
fn each_path_finds_what_stands_there() {
    let rows = [
        ("extension[url=https://ehr.example/urgency].valueCode", r#""U""#),
        ("extension[url='https://ehr.example/urgency'].value", r#""U""#),
        ("extension('https://ehr.example/urgency').value", r#""U""#),
        ("ServiceRequest.extension.where(url = 'https://ehr.example/urgency').value", r#""U""#),
        ("Appointment.extension.value", ""),
        ("extension(\"https://ehr.example/visit\").extension[url=kind].valueString", r#""new""#),
        ("extension[url=https://ehr.example/empty].valueString", ""),
        ("extension[valueInteger=3].valueInteger", "3"),
        ("extension[url=https://ehr.example/none].value", ""),
        ("identifier[1].value", r#""2""#),
        ("identifier[system=urn:b].value", r#""2""#),
        ("identifier.first().value", r#""1""#),
        ("note.text", r#""a" "b""#),
        // A member's name is no beginning of another's.
        ("performer", ""),
        ("subject.resolve().language", r#""es""#),
        ("identifier[9].value", ""),
    ];
    for (path, expected) in rows {
        assert_eq!(found(path), expected, "{path}");
    }
}

#[test]
fn what_is_no_path_is_told_with_its_place() {
    let rows = [
        ("", 1, "a member's name is missing"),
        ("extension.", 11, "a member's name is missing"),
        ("Patient", 8, "no member is named"),
        ("Practitioner.name", 1, "this is no resource that is read here"),
        ("subject.Patient", 9, "this is no resource that is read here"),
        ("extension[url=x", 16, "`]` is missing"),
        ("extension[url]", 14, "`=` is missing"),
        ("extension[url=]", 15, "nothing is looked for"),
        ("extension('x'", 14, "`)` is missing"),
        ("extension('x)", 14, "`'` is missing"),
        ("name.exists()", 6, "this function is not known"),
        ("name given", 5, "the path goes on after its end"),
        ("extension[99999]", 11, "a member's name is missing"),
    ];
    for (path, at, message) in rows {
        let fault = Path::parse(path).expect_err(path);
        assert_eq!((fault.at, fault.message.as_str()), (at, message), "{path}");
        assert!(!fault.help.is_empty(), "{path}");
    }
}

proptest! {
    #[test]
    fn any_text_is_a_path_or_a_fault_within_it(text in "(Patient|extension|where|resolve)?[a-zA-Z.()\\[\\]='\"0-9é ]{0,24}") {
        match Path::parse(&text) {
            Ok(path) => {
                let document = document();
                path.find(&Bundle::of(&document), &document);
            }
            Err(fault) => prop_assert!(fault.at <= text.chars().count() + 1 && !fault.help.is_empty()),
        }
    }
}
