//! Several resources or events in one delivery, one of which is bad: the others do not wait for it.

use serde_json::{Value, json};
use trigger_webhook::interpret;
use trigger_webhook::types::{Meaning, Reading};

use crate::told::{delivery, tell};

fn read(document: &Value) -> Reading {
    interpret(&delivery(document.to_string().as_bytes(), &[]), "{}")
}

fn order(number: &str, status: &str) -> Value {
    json!({"fullUrl": format!("https://ehr.example/ServiceRequest/{number}"), "resource": {"resourceType": "ServiceRequest", "id": number,
        "status": status, "intent": "order", "identifier": [{"value": number}], "subject": {"reference": format!("Patient/{number}")}}})
}

fn patient(number: &str) -> Value {
    json!({"resource": {"resourceType": "Patient", "id": number, "identifier": [{"value": format!("M{number}")}], "name": [{"family": "Ng"}]}})
}

fn bundle(kind: &str) -> Value {
    let entries = [
        patient("1"),
        order("1", "active"),
        order("2", "actve"),
        patient("2"),
        order("3", "draft"),
        patient("4"),
        order("4", "active"),
    ];
    json!({"resourceType": "Bundle", "id": "b", "type": kind, "timestamp": "2026-07-06T08:00:00Z", "entry": entries})
}

/// What each part means when it is read alone.
fn parts(reading: &Reading) -> Vec<(Value, String)> {
    let Meaning::Parts(bodies) = &reading.meaning else { panic!("{}", tell(reading)) };
    let read_alone = |body: &Vec<u8>| {
        let document: Value = serde_json::from_slice(body).expect("a part is JSON");
        let told = tell(&read(&document));
        (document, told)
    };
    bodies.iter().map(read_alone).collect()
}

fn answer(reading: &Reading) -> Value {
    serde_json::from_slice(&reading.accepted.body).expect("an answer in JSON")
}

#[test]
fn the_good_orders_of_a_bundle_do_not_wait_for_the_bad_one() {
    for kind in ["collection", "message", "history", "batch", "searchset"] {
        let reading = read(&bundle(kind));
        let parts = parts(&reading);
        let told: Vec<&str> = parts.iter().map(|(_, told)| told.as_str()).collect();
        assert_eq!(told.len(), 3, "{told:?}");
        assert!(told[0].starts_with("202 ordered [1") && told[2].starts_with("202 ordered [4"), "{told:?}");
        assert!(told[1].starts_with("422 unreadable at /entry/0/resource/status: "), "{}", told[1]);
        // With whom it is about, and with nobody else.
        let text = parts[1].0.to_string();
        assert!(text.contains("M2") && !text.contains("M1") && !text.contains("M4"), "{text}");
        assert_eq!(reading.accepted.status, 200, "{kind}");
    }
    let outcome = answer(&read(&bundle("collection")));
    assert_eq!(outcome["resourceType"], "OperationOutcome");
    assert_eq!(outcome["issue"][0]["severity"], "information");
    assert_eq!(outcome["issue"][1]["location"], json!(["/entry/2/resource/status"]));
    let answered = answer(&read(&bundle("batch")));
    assert_eq!(answered["type"], "batch-response");
    let statuses: Vec<&str> = answered["entry"]
        .as_array()
        .expect("entries")
        .iter()
        .filter_map(|entry| entry["response"]["status"].as_str())
        .collect();
    let taken = "202 Accepted";
    assert_eq!(statuses, [taken, taken, "422 Unprocessable Entity", taken, taken, taken, taken]);
    assert_eq!(answered["entry"][2]["response"]["outcome"]["issue"][0]["severity"], "error");
}

#[test]
fn a_transaction_is_taken_whole_or_not_at_all() {
    let reading = read(&bundle("transaction"));
    assert!(tell(&reading).starts_with("422 unreadable at /entry/2/resource/status: "), "{}", tell(&reading));
}

#[test]
fn a_bad_note_comes_with_its_order_and_does_not_hold_it_up() {
    let note = json!({"resource": {"resourceType": "DocumentReference", "id": "n", "status": "current",
        "content": [{"attachment": {"contentType": "text/plain", "data": "!"}}],
        "context": {"related": [{"reference": "ServiceRequest/1"}]}}});
    let document =
        json!({"resourceType": "Bundle", "type": "collection", "entry": [patient("1"), order("1", "active"), note]});
    let parts = parts(&read(&document));
    assert_eq!(parts.len(), 2);
    assert!(parts[0].1.starts_with("202 ordered [1"), "{}", parts[0].1);
    // The order is with it to be found by, and does not begin again.
    assert!(parts[1].0.to_string().contains("\"search\":{\"mode\":\"include\"}"));
    assert!(
        parts[1].1.starts_with("422 unreadable at /entry/2/resource/content/0/attachment/data: "),
        "{}",
        parts[1].1
    );
}

#[test]
fn what_a_search_includes_says_nothing_by_itself() {
    let mut included = order("1", "active");
    included["search"] = json!({"mode": "include"});
    let visit = json!({"resource": {"resourceType": "Appointment", "id": "a", "status": "cancelled", "basedOn": [{"reference": "ServiceRequest/1"}]},
        "search": {"mode": "match"}});
    let told = tell(&read(&json!({"resourceType": "Bundle", "type": "searchset", "entry": [included, visit]})));
    assert!(told.starts_with("202 AppointmentChange::Cancelled [1"), "{told}");
    assert_eq!(told.lines().count(), 1, "{told}");
}

#[test]
fn the_good_events_of_a_delivery_do_not_wait_for_the_bad_one() {
    let document = json!({"id": "e", "events": [{"event": "withdrawn", "referral": "1"}, {"event": 1}, {"event": "withdrawn", "referral": "3"}]});
    let reading = read(&document);
    let told: Vec<String> = parts(&reading).into_iter().map(|(_, told)| told).collect();
    assert_eq!(told[0], "202 withdrawn [1||]");
    assert!(told[1].starts_with("422 unreadable at /event: this word is unknown"), "{}", told[1]);
    assert_eq!(told[2], "202 withdrawn [3||]");
    let answer = answer(&reading);
    assert_eq!((&answer["status"], &answer["events"]), (&json!("partly"), &json!(2)));
    assert_eq!(answer["refused"][0]["location"], "/events/1/event");
}
