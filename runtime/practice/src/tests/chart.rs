//! The chart's FHIR interface.

use serde_json::{Value, json};

use super::{fair_weather, nowhere, start};
use crate::{PracticeServers, RECORD_SYSTEM, REFERRAL_SYSTEM};

struct Client {
    base: String,
    token: String,
}

impl Client {
    fn of(practice: &PracticeServers) -> Client {
        let addresses = practice.addresses();
        Client { base: addresses.fhir, token: crate::ACCESS_TOKEN.to_string() }
    }

    async fn get(&self, path: &str) -> (u16, Value) {
        let request = reqwest::Client::new().get(format!("{}/{path}", self.base)).bearer_auth(&self.token);
        let response = request.send().await.expect("an answer");
        (response.status().as_u16(), response.json().await.expect("JSON"))
    }

    async fn post(&self, path: &str, condition: &str, body: &Value) -> (u16, Value) {
        let request = reqwest::Client::new().post(format!("{}{path}", self.base)).bearer_auth(&self.token);
        let request = if condition.is_empty() { request } else { request.header("If-None-Exist", condition) };
        let response = request.json(body).send().await.expect("an answer");
        (response.status().as_u16(), response.json().await.expect("JSON"))
    }
}

#[tokio::test]
async fn knows_its_patients() {
    let practice = PracticeServers::start(fair_weather(3)).await.expect("started");
    let client = Client::of(&practice);
    let person = practice.people()[2].clone();
    let (status, bundle) = client.get(&format!("Patient?identifier={RECORD_SYSTEM}|{}", person.record_number)).await;
    assert_eq!((status, &bundle["total"]), (200, &json!(1)));
    let patient = &bundle["entry"][0]["resource"];
    assert_eq!(patient["name"][0]["family"], person.family.as_str());
    let id = patient["id"].as_str().expect("an id");
    for (path, total) in [
        (format!("Consent?patient=Patient/{id}"), 1),
        (format!("Consent?patient={id}&status=active"), 1),
        (format!("Coverage?beneficiary=Patient/{id}"), 1),
        (format!("Appointment?patient={id}"), 0),
        (
            format!(
                "Patient?identifier={},{RECORD_SYSTEM}|{}",
                practice.people()[0].record_number,
                person.record_number
            ),
            2,
        ),
        (format!("Patient?identifier={},nobody", person.record_number), 1),
        ("Patient?identifier=nobody".to_string(), 0),
        // The order has not been written yet.
        (format!("ServiceRequest?identifier={}", person.referral.number), 0),
    ] {
        assert_eq!(client.get(&path).await.1["total"], total, "{path}");
    }
    practice.connect(nowhere());
    practice.act(person.referral.ordered_at).await.expect("connected");
    let path = format!("ServiceRequest?identifier={REFERRAL_SYSTEM}|{}", person.referral.number);
    assert_eq!(client.get(&path).await.1["total"], 1);
}

#[tokio::test]
async fn tells_no_more_than_was_asked_for() {
    let practice = PracticeServers::start(fair_weather(1)).await.expect("started");
    let client = Client::of(&practice);
    let whole = client.get("Patient").await.1["entry"][0]["resource"].clone();
    let part = client.get("Patient?_elements=telecom").await.1["entry"][0]["resource"].clone();
    let members: Vec<&str> = part.as_object().expect("a resource").keys().map(String::as_str).collect();
    assert_eq!(members, ["resourceType", "id", "telecom", "meta"]);
    assert_eq!((&part["id"], &part["telecom"]), (&whole["id"], &whole["telecom"]));
    assert_eq!(part["meta"]["tag"][0]["code"], "SUBSETTED");

    let task = json!({ "resourceType": "Task", "status": "requested", "intent": "order" });
    let request = reqwest::Client::new().post(format!("{}/Task", client.base)).bearer_auth(&client.token);
    let response = request.header("Prefer", "return=minimal").json(&task).send().await.expect("an answer");
    let location = response.headers()["location"].to_str().expect("text").to_string();
    assert_eq!(response.status(), 201);
    assert_eq!(response.text().await.expect("a body"), "");
    let id = location.split('/').nth(3).expect("an id");
    assert_eq!(client.get(&format!("Task/{id}")).await.0, 200, "{location}");
}

#[tokio::test]
async fn refuses_with_an_operation_outcome() {
    let practice = PracticeServers::start(fair_weather(1)).await.expect("started");
    let client = Client::of(&practice);
    let stranger = Client { token: "wrong".to_string(), ..Client::of(&practice) };
    let task = json!({ "resourceType": "Task", "status": "requested", "intent": "order" });
    let bare = json!({ "resourceType": "Task", "status": "requested" });
    for (answer, status) in [
        (stranger.get("Patient").await, 401),
        (client.get("Observation").await, 404),
        (client.get("Patient/nobody").await, 404),
        (client.get("Patient?shoe-size=44").await, 400),
        (client.post("/Patient", "", &json!({ "resourceType": "Patient" })).await, 405),
        (client.post("/DocumentReference", "", &task).await, 400),
        (client.post("/Task", "", &bare).await, 422),
    ] {
        assert_eq!((answer.0, &answer.1["resourceType"]), (status, &json!("OperationOutcome")), "{}", answer.1);
    }
    assert!(practice.ledger().writes.is_empty());
}

#[tokio::test]
async fn a_conditional_create_writes_once() {
    let practice = PracticeServers::start(fair_weather(2)).await.expect("started");
    practice.connect(nowhere());
    practice.act(start()).await.expect("connected");
    let client = Client::of(&practice);
    let number = &practice.people()[1].referral.number;
    let task = json!({
        "resourceType": "Task",
        "identifier": [{ "system": "urn:handoff", "value": "L-1" }],
        "status": "completed",
        "intent": "order",
        "basedOn": [{ "identifier": { "system": REFERRAL_SYSTEM, "value": number } }],
    });
    let condition = "identifier=urn%3Ahandoff%7CL-1";
    let (first, created) = client.post("/Task", condition, &task).await;
    let (second, found) = client.post("/Task", condition, &task).await;
    assert_eq!((first, second), (201, 200));
    assert_eq!(created, found);
    let path = format!("Task/{}", created["id"].as_str().expect("an id"));
    assert_eq!(client.get(&path).await, (200, created));
    // Without a condition the same resource is written again.
    assert_eq!(client.post("/Task", "", &task).await.0, 201);
    assert_eq!(client.post("/Task", condition, &task).await.0, 412);
    let writes = practice.ledger().writes;
    assert_eq!(
        writes.iter().map(|write| (write.person, write.repeated)).filter(|it| *it == (Some(1), false)).count(),
        2
    );
    assert_eq!(writes.len(), 3);
}

#[tokio::test]
async fn a_transaction_writes_each_entry_once() {
    let practice = PracticeServers::start(fair_weather(1)).await.expect("started");
    let client = Client::of(&practice);
    let entry = |kind: &str, body: Value| json!({ "resource": body, "request": { "method": "POST", "url": kind, "ifNoneExist": "identifier=L-2" } });
    let identifier = json!([{ "value": "L-2" }]);
    let bundle = json!({ "resourceType": "Bundle", "type": "transaction", "entry": [
        entry("Task", json!({ "resourceType": "Task", "identifier": identifier, "status": "completed", "intent": "order" })),
        entry("DocumentReference", json!({ "resourceType": "DocumentReference", "identifier": identifier, "status": "current", "content": [] })),
    ]});
    for expected in ["201", "200"] {
        let (status, answer) = client.post("", "", &bundle).await;
        assert_eq!((status, &answer["type"]), (200, &json!("transaction-response")), "{answer}");
        for place in [0, 1] {
            assert_eq!(answer["entry"][place]["response"]["status"], expected);
        }
    }
}
