//! The plain schema.

use trigger_webhook::interpret;
use trigger_webhook::types::Meaning;

use crate::told::{delivery, read, tell};

const ORDER: &str = r#"{
  "id": "evt-1", "event": "order", "referral": ["R-1", 2], "priority": "urgent",
  "ordered_at": "2026-07-06T08:00:00-05:00", "expires_at": "2026-10-01",
  "patient": {
    "identifiers": [{"value": "12", "authority": "clinic", "kind": "MR"}], "given": "Ana", "family": "Ruiz",
    "birth_date": "1980-02-01", "language": "es", "phones": [{"number": "(626) 555-1234", "mobile": true}, "626-555-9876"],
    "emails": ["ana@example.org"], "address": {"state": "CA"}
  },
  "referring": {"id": "1", "name": "Dr. Robert Powell"}, "referred_to": {"name": "Dr. Paul McWilliams", "phone": "626.555.5678"},
  "specialty": {"code": "CAR"}, "diagnoses": ["I10"], "coverages": [{"plan_id": "P", "payer": "Blue", "member_id": "M"}]
}"#;

#[test]
fn an_order_with_everything() {
    assert_eq!(
        tell(&read(ORDER)),
        "202 ordered [R-1 2||] Priority::Urgent 2026-07-06T13:00:00.000Z to 2026-10-01T23:59:59.999Z | \
         12 Ana Ruiz 1980-02-01 Some(\"es\") [\"+16265551234m\", \"+16265559876\"] [\"ana@example.org\"] CA | \
         for CAR by 1/Dr. Robert Powell/// to /Dr. Paul McWilliams//+16265555678/ | [\"I10\"] [\"P//Blue/M\"]"
    );
}

#[test]
fn other_events() {
    let rows = [
        (r#"{"event": "withdrawn", "referral": "R-1"}"#, "202 withdrawn [R-1||]"),
        (
            r#"{"event": "appointment", "change": "booked", "referral": "R-1", "appointment": "A-1", "starts_at": "2026-07-10T14:00:00Z", "minutes": 30, "place": "Room 4"}"#,
            "202 AppointmentChange::Booked [R-1|A-1|] at 2026-07-10T14:00:00.000Z for Some(30) with nobody in Room 4",
        ),
        (
            r#"{"event": "appointment", "change": "no-show", "appointment": "A-1", "patient": {"identifiers": ["12"]}}"#,
            "202 AppointmentChange::NoShow [|A-1|12] at ? for None with nobody in ",
        ),
        (
            r#"{"event": "note", "referral": "R-1", "document_id": "D", "media_type": "text/plain", "content": "aGk="}"#,
            "202 note [R-1|||document D]  final by nobody visited ? written ?: text/plain//aGk=",
        ),
        (
            r#"{"event": "note", "referral": "R-1", "document_id": "D"}"#,
            "202 note [R-1|||document D]  preliminary by nobody visited ? written ?: ",
        ),
        (
            r#"{"event": "note", "referral": {"value": "R-1", "authority": "urn:clinic"}, "document_id": {"value": "D", "authority": "urn:doc"}, "status": "corrected",
                "written_at": "2026-07-11T09:00:00Z", "documents": [{"media_type": "application/pdf", "title": "Echo", "content": "JVBERi0="}, {"media_type": "text/plain", "content": "aG k="}]}"#,
            "202 note [R-1@urn:clinic|||document D@urn:doc]  corrected by nobody visited ? written 2026-07-11T09:00:00.000Z: text/plain//aGk=, application/pdf/Echo/JVBERi0=",
        ),
        (
            r#"{"event": "note", "referral": "R-1", "document_id": "D", "final": false, "content": "aGk="}"#,
            "202 note [R-1|||document D]  preliminary by nobody visited ? written ?: //aGk=",
        ),
        (r#"{"event": "note-retracted", "document_id": "D"}"#, "202 note taken back [|||document D]"),
        (
            r#"{"event": "declined", "referral": "R-1", "group": "G", "reason": "no capacity"}"#,
            "202 declined [R-1|||group G] no capacity",
        ),
        (
            r#"{"event": "patient-updated", "patient": {"identifiers": [{"value": "12", "authority": "urn:mrn"}], "phones": ["+16265551234"]}}"#,
            r#"202 patient updated [||12@urn:mrn] 12    None ["+16265551234"] [] "#,
        ),
        (r#"{"event": "patient-died", "patient": {"identifiers": ["12"]}}"#, "202 patient died [||12]"),
        (
            r#"{"event": "patient-merged", "patient": {"identifiers": ["12"]}, "was": [{"value": "11", "authority": "urn:mrn"}]}"#,
            "202 patient merged [||12] was 11@urn:mrn",
        ),
        (
            r#"{"events": [{"event": "withdrawn", "referral": "R-1"}, {"event": "withdrawn", "referral": "R-2"}]}"#,
            "202 withdrawn [R-1||]\nwithdrawn [R-2||]",
        ),
        (r#"{"events": []}"#, "202 not for us: no events in it"),
    ];
    for (body, expected) in rows {
        assert_eq!(tell(&read(body)), expected, "{body}");
    }
}

#[test]
fn faults_point_at_their_place() {
    let rows = [
        ("", "400 unreadable at line 1, column 0: this is not JSON"),
        ("{\n  \"event\": oops}", "400 unreadable at line 2, column 12: this is not JSON"),
        ("[1]", "422 unreadable at /: this is not a JSON object"),
        ("{}", "422 unreadable at /event: this is missing"),
        (r#"{"event": "party"}"#, "422 unreadable at /event: this word is unknown"),
        (r#"{"event": "withdrawn"}"#, "422 unreadable at /referral: this is missing"),
        (r#"{"event": "order", "patient": {"family": "x"}}"#, "422 unreadable at /referral: this is missing"),
        (r#"{"event": "order", "referral": "1"}"#, "422 unreadable at /patient: nobody can tell who this is"),
        (
            r#"{"event": "order", "referral": "1", "patient": {"family": ["x"]}}"#,
            "422 unreadable at /patient/family: this is not text",
        ),
        (
            r#"{"event": "order", "referral": "1", "ordered_at": "soon"}"#,
            "422 unreadable at /ordered_at: this is no moment",
        ),
        (r#"{"events": [{"event": 1}]}"#, "422 unreadable at /events/0/event: this word is unknown"),
        (r#"{"event": "note", "referral": "1"}"#, "422 unreadable at /document_id: this is missing"),
        (
            r#"{"event": "note", "referral": "1", "document_id": "D", "status": "done"}"#,
            "422 unreadable at /status: this word is unknown",
        ),
        (
            r#"{"event": "note", "referral": "1", "document_id": "D", "content": "aGk"}"#,
            "422 unreadable at /content: the attachment is not Base64",
        ),
        (r#"{"event": "patient-died", "patient": {"family": "Ruiz"}}"#, "422 unreadable at /patient: this is missing"),
        (
            r#"{"event": "patient-merged", "patient": {"identifiers": ["12"]}}"#,
            "422 unreadable at /was: this is missing",
        ),
        (r#"{"event": "withdrawn", "referral": "1", "as_of": "2026"}"#, "422 unreadable at /as_of: this is no moment"),
        (
            r#"{"event": "appointment", "referral": "1", "change": "late"}"#,
            "422 unreadable at /change: this word is unknown",
        ),
    ];
    for (body, expected) in rows {
        let reading = read(body);
        assert!(tell(&reading).starts_with(expected), "{body}: {}", tell(&reading));
        let answer = String::from_utf8_lossy(&reading.accepted.body).into_owned();
        assert!(
            answer.contains(r#""error":"#) && answer.contains(r#""location":"#) && answer.contains(r#""help":"#),
            "{answer}"
        );
    }
}

#[test]
fn every_event_says_whom_it_is_about_and_as_of_when() {
    let body = r#"{"event": "withdrawn", "referral": "R-1", "as_of": "2026-07-06T08:00:00Z", "patient":
        {"identifiers": [{"value": "12", "authority": "urn:mrn", "kind": "MR"}], "family": "Ruiz", "birth_date": "1980-02-01"}}"#;
    let Meaning::Events(events) = read(body).meaning else { panic!("{body}") };
    assert_eq!(events[0].as_of.map(moment::rfc3339).as_deref(), Some("2026-07-06T08:00:00.000Z"));
    let patient = events[0].about.patient.as_ref().unwrap_or_else(|| panic!("the patient is named"));
    assert_eq!((patient.family.as_str(), patient.birth_date.as_str()), ("Ruiz", "1980-02-01"));
    assert_eq!(patient.identifiers[0].authority, "urn:mrn");
    assert!(!events[0].about.by_patient);
}

#[test]
fn the_same_delivery_has_the_same_key() {
    let key = |body: &str, headers: &[(&str, &str)]| interpret(&delivery(body.as_bytes(), headers), "{}").dedupe_key;
    assert_eq!(key(ORDER, &[("idempotency-key", "k")]), "portal|id|evt-1");
    let unnamed = r#"{"event": "withdrawn", "referral": "R-1"}"#;
    assert_eq!(key(unnamed, &[("idempotency-key", "k")]), "portal|idempotency-key|k");
    // The digest of `abc` in FIPS 180-2, B.1.
    assert_eq!(key("abc", &[]), "portal|sha256|ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    assert_ne!(key(unnamed, &[]), key("{}", &[]));
}

#[test]
fn unusable_settings_make_the_sender_try_again() {
    let reading = interpret(&delivery(ORDER.as_bytes(), &[]), r#"{"signatures": {}}"#);
    assert!(tell(&reading).starts_with("503 unreadable at settings: unknown field `signatures`"), "{}", tell(&reading));
    assert_eq!(reading.unavailable.status, 503);
}

#[test]
fn a_visit_that_is_booked_has_a_time_and_no_value_a_control_character() {
    let told = tell(&read(r#"{"event": "appointment", "change": "booked", "referral": "R-1"}"#));
    assert!(told.starts_with("422 unreadable at /starts_at: this is missing"), "{told}");
    let told = tell(&read(r#"{"event": "withdrawn", "referral": "R\u0000-\u00071"}"#));
    assert_eq!(told, "202 withdrawn [R-1||]");
}
