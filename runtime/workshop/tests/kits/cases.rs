//! What the authors of the bundled plugins would write as cases: each plugin's settings as `handoff init` lays them
//! down, its stage's calls, and what the other side says.

use std::path::Path;

use handoff_host::contract::exchange::{HttpResponse, MailResponse, Response};
use handoff_host::contract::types::{Attribute, Code, Provider};
use handoff_host::contract::{attendance, carrier, hand_over, interpreter, retrieval, roster, write_back};
use handoff_host::{Answer, Call, ChartEntry, Plugin};
use serde_json::{Value, json};

use crate::HOST;

/// 2026-11-23T09:00:00Z.
pub const NOW: i64 = 1_795_424_400_000;

const PATIENT: &str = "ZPHIA00700000000000000000000000004";
const ORDER: &str = "ZPHIA00600000000000000000000000003";

/// The cases of a bundled plugin. One that is new has to be given some.
pub fn of(name: &str, plugin: &Plugin) -> Vec<Call> {
    let converse = |opening: Call, answers: &[Response]| converse(plugin, opening, answers);
    match name {
        "trigger-hl7v2" => vec![mllp(REFERRAL), mllp(BOOKED), mllp(RESULT)],
        "trigger-webhook" => vec![posted(ORDERED), posted(WITHDRAWN), posted(APPOINTMENT)],
        "records-fhir" => converse(retrieve(), &[bundle(&[patient()]), bundle(&[consent()])]),
        "channel-consent" => vec![with("channel-consent", json!({}))],
        "outreach-twilio" => {
            converse(compose("sms", "sms"), &[respond(201, r#"{"sid":"SM1","status":"queued","num_segments":"1"}"#)])
        }
        "outreach-email" => converse(compose("email", "email"), &[mailed(250)]),
        "reply-phrases" => vec![with("reply-phrases", json!({}))],
        "network-roster" => vec![
            assess("1003000126", "MEDICARE", "cardiology"),
            assess("1003000126", "UHC", "cardiology"),
            assess("1003000142", "AETNA", "gastroenterology"),
        ],
        "visit-hl7" => vec![visit("{}", &["booked", "arrived"]), visit("{}", &["booked", "no-show"])],
        "visit-fhir" => ["fulfilled", "noshow", "booked"]
            .iter()
            .flat_map(|status| converse(visit(VISIT_FHIR, &["booked"]), &[bundle(&[appointment(status)]), bundle(&[])]))
            .collect(),
        "chart-fhir" => converse(
            write_chart(),
            &[
                bundle(&[json!({ "resourceType": "Patient", "id": "ZPHIA00500000000000000000000000011" })]),
                bundle(&[json!({ "resourceType": "ServiceRequest", "id": "ZPHIA00500000000000000000000000012" })]),
                created("DocumentReference/77"),
                created("Task/123"),
            ],
        ),
        "escalation-inbox" => converse(raise(), &[created("Task/9")]),
        other => panic!("{other} has no cases yet"),
    }
}

/// An opening, and how it goes on with these answers, one after the other.
fn converse(plugin: &Plugin, opening: Call, answers: &[Response]) -> Vec<Call> {
    let mut calls = vec![opening];
    for response in answers {
        let last = &calls[calls.len() - 1];
        let answer = serde_json::to_value(HOST.call(plugin, last).expect("an answer")).expect("JSON");
        let Some(state) = answer["value"]["Ok"]["Ask"]["state"].as_str() else { break };
        let (state, response, settings) = (state.to_owned(), response.clone(), settings_of(last));
        calls.push(match HOST.call(plugin, last).expect("an answer") {
            Answer::Retrieve(_) | Answer::ResumeRetrieval(_) => Call::ResumeRetrieval { state, response, settings },
            Answer::Compose(_) | Answer::ResumeCarrier(_) => Call::ResumeCarrier { state, response, settings },
            Answer::CheckVisit(_) | Answer::ResumeVisit(_) => Call::ResumeVisit { state, response, settings },
            Answer::WriteChart(_) | Answer::ResumeChart(_) => Call::ResumeChart { state, response, settings },
            Answer::Raise(_) | Answer::ResumeTask(_) => Call::ResumeTask { state, response, settings },
            other => panic!("{other:?} asks nobody"),
        });
    }
    calls
}

fn settings_of(call: &Call) -> String {
    let call = serde_json::to_value(call).expect("JSON");
    call["arguments"]["settings"].as_str().expect("settings").to_owned()
}

/// `workflows/settings/NAME.yaml`, as the host hands it over.
fn settings(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../../workflows/settings/{name}.yaml"));
    let text = std::fs::read_to_string(path).expect("settings");
    serde_saphyr::from_str::<Value>(&text).expect("YAML").to_string()
}

/// A stage's call that matters by its settings alone: its kit makes up the rest.
fn with(name: &str, settings: Value) -> Call {
    let arguments = match name {
        "channel-consent" => json!({ "situation": {
            "letter": "first-contact", "wanted": null, "reaches": [{ "channel": "Sms", "consent": "Granted" }],
            "preferred": null, "languages": ["es"], "available": ["en", "es"], "attempts": [], "now": NOW, "extras": [],
        }, "settings": settings.to_string() }),
        _ => json!({ "message": {
            "text": "sí, ya tengo cita", "language": "es", "asked": "Schedule", "received_at": NOW,
        }, "settings": settings.to_string() }),
    };
    let function = if name == "channel-consent" { "choose" } else { "understand" };
    serde_json::from_value(json!({ "function": function, "arguments": arguments })).expect("a call")
}

fn respond(status: u16, body: &str) -> Response {
    Response::Http(HttpResponse { status, headers: vec![], body: body.into() })
}

fn bundle(resources: &[Value]) -> Response {
    let entry: Vec<_> = resources.iter().map(|resource| json!({ "resource": resource })).collect();
    respond(200, &json!({ "resourceType": "Bundle", "type": "searchset", "entry": entry }).to_string())
}

fn created(location: &str) -> Response {
    let headers = vec![Attribute { name: "location".into(), value: location.into() }];
    Response::Http(HttpResponse { status: 201, headers, body: String::new() })
}

fn mailed(code: u16) -> Response {
    Response::Mail(MailResponse { code, enhanced: String::new(), text: String::new() })
}

const REFERRAL: &str = "MSH|^~\\&|EHR|CEDAR|HANDOFF|CEDAR|20261123090000+0000||REF^I12^REF_I12|R-1|P|2.5.1\r\
    RF1|P|R|^Cardiology||O|R-1^CEDAR|20261123\r\
    PRD|RP|Powell^Robert||||||1003000118^NPI\r\
    PRD|RT|McWilliams^Paul||||||1003000126^NPI\r\
    PID|1||P-4711^^^CEDAR^MR||Okonkwo^Rosalind||19610615|F|||115 Main Street^^Goodtown^KY^42010||^PRN^CP^^^270^6009800||es\r";

const BOOKED: &str = "MSH|^~\\&|EHR|CEDAR|HANDOFF|CEDAR|20261124090000+0000||SIU^S12|S-1|P|2.5.1\r\
    SCH|A-1|A-1|||||||30|min|^^^20261201150000+0000|||||||||||||||R-1\r\
    PID|1||P-4711^^^CEDAR^MR||Okonkwo^Rosalind||19610615|F\r";

const RESULT: &str = "MSH|^~\\&|LAB|CEDAR|HANDOFF|CEDAR|20261124100000+0000||ADT^A08|L-1|P|2.5.1\r\
    PID|1||P-4711^^^CEDAR^MR||Okonkwo^Rosalind||19610615|F\r";

fn mllp(message: &str) -> Call {
    let delivery = interpreter::Delivery {
        source: "ehr".into(),
        transport: interpreter::Transport::Mllp,
        headers: vec![],
        body: message.as_bytes().to_vec(),
        too_long: None,
        received_at: NOW + 10 * 86_400_000,
    };
    Call::Interpret { delivery, settings: "{}".into() }
}

const ORDERED: &str = r#"{ "id": "evt-1", "event": "order", "referral": "R-1", "priority": "urgent",
    "patient": { "identifiers": [{ "value": "P-4711", "authority": "CEDAR", "kind": "MR" }], "given": "Rosalind",
      "family": "Okonkwo", "birth_date": "1961-06-15", "phones": [{ "number": "(626) 555-1234", "mobile": true }] },
    "specialty": { "code": "cardiology" } }"#;

const WITHDRAWN: &str = r#"{ "id": "evt-2", "event": "withdrawn", "referral": "R-1" }"#;

const APPOINTMENT: &str = r#"{ "event": "appointment", "change": "booked", "referral": "R-1", "appointment": "A-1",
    "starts_at": "2026-12-01T15:00:00Z", "minutes": 30 }"#;

fn posted(body: &str) -> Call {
    let header = Attribute { name: "x-signature".into(), value: format!("sha256={}", "0".repeat(64)) };
    let delivery = interpreter::Delivery {
        source: "webhook".into(),
        transport: interpreter::Transport::Http,
        headers: vec![header],
        body: body.as_bytes().to_vec(),
        too_long: None,
        received_at: NOW,
    };
    Call::Interpret { delivery, settings: settings("webhook") }
}

fn retrieve() -> Call {
    let number = retrieval::PatientIdentifier { value: PATIENT.into(), authority: "CEDAR".into(), kind: "MR".into() };
    Call::Retrieve { query: retrieval::Query { patient: vec![number], wanted: vec![] }, settings: settings("records") }
}

fn patient() -> Value {
    json!({
        "resourceType": "Patient", "id": "ZPHIA00500000000000000000000000011",
        "telecom": [{ "system": "phone", "use": "mobile", "value": "ZPHIG00C00000000000000000000000001" }],
        "communication": [{ "language": { "coding": [{ "code": "es" }] } }],
        "address": [{ "use": "home", "postalCode": "ZPHIA00500000000000000000000000013" }],
    })
}

fn consent() -> Value {
    json!({
        "resourceType": "Consent", "id": "ZPHIA00500000000000000000000000014", "status": "active",
        "scope": { "coding": [{ "code": "patient-privacy" }] },
        "category": [{ "coding": [{ "code": "sms" }] }],
        "provision": { "type": "permit" },
    })
}

fn compose(stage: &str, channel: &str) -> Call {
    let letter = json!({
        "id": "01JD0000000000000000000003", "channel": if channel == "sms" { "Sms" } else { "Email" },
        "to": "ZPHIG00C00000000000000000000000001", "language": "en", "subject": "Your referral",
        "text": "Please call us.", "callback_url": null, "extras": [],
    });
    let letter: carrier::Letter = serde_json::from_value(letter).expect("a letter");
    Call::Compose { letter, settings: settings(stage) }
}

fn provider(id: &str) -> Provider {
    Provider {
        id: id.into(),
        name: String::new(),
        organization: String::new(),
        phone: String::new(),
        specialty: String::new(),
    }
}

fn assess(specialist: &str, plan: &str, specialty: &str) -> Call {
    let request = roster::Request {
        specialty: Code { system: String::new(), code: specialty.into(), display: String::new() },
        plan_id: plan.into(),
        plan_name: String::new(),
        referred_to: Some(provider(specialist)),
        cause: roster::Cause::Ordered,
        tried: vec![],
        urgent: false,
        now: NOW,
        extras: vec![],
    };
    Call::Assess { request, settings: settings("network") }
}

const VISIT_FHIR: &str = r#"{"appointment_system":"https://cedar.example/appointments","order_system":"any"}"#;

fn visit(settings: &str, heard: &[&str]) -> Call {
    let heard = heard.iter().map(|what| attendance::Heard { what: (*what).into(), at: NOW });
    let visit = attendance::Visit {
        referral: vec![ORDER.into()],
        appointment: vec!["ZPHIA00600000000000000000000000006".into()],
        starts_at: NOW,
        minutes: 30,
        heard: heard.collect(),
        now: NOW + 7_200_000,
        extras: vec![],
    };
    Call::CheckVisit { visit, settings: settings.into() }
}

fn appointment(status: &str) -> Value {
    json!({ "resourceType": "Appointment", "status": status, "start": "2026-11-23T09:00:00Z" })
}

fn write_chart() -> Call {
    let note = write_back::Note {
        kind: Code { system: "LN".into(), code: "11488-4".into(), display: "Consult note".into() },
        author: None,
        written_at: None,
        received_at: NOW,
        documents: vec![write_back::Document {
            media_type: "application/pdf".into(),
            title: String::new(),
            content: "ZPHIA0ZZ00000000000000000000000005".into(),
        }],
        replaces: Vec::new(),
    };
    let entry = write_back::Entry {
        id: "01JD0000000000000000000001".into(),
        referral: vec![ORDER.into()],
        patient: vec![write_back::ChartIdentifier {
            value: PATIENT.into(),
            authority: "CEDAR".into(),
            kind: "MR".into(),
        }],
        ordered_at: NOW - 86_400_000,
        outcome: write_back::Outcome::ClosedWithNote,
        specialist: Some(provider("1003000126")),
        visited_at: Some(NOW),
        note: Some(note),
        retracts: Vec::new(),
        now: NOW,
        extras: vec![],
    };
    Call::WriteChart { entry: ChartEntry::V0_2(Box::new(entry)), settings: settings("chart") }
}

fn raise() -> Call {
    let task = hand_over::Task {
        id: "01JD0000000000000000000002".into(),
        audience: hand_over::Audience::Coordinator,
        kind: "stalled".into(),
        urgent: false,
        to: None,
        summary: "No visit after 14 days.".into(),
        referral: vec![ORDER.into()],
        patient: vec![PATIENT.into()],
        due_at: NOW,
        now: NOW,
        extras: vec![],
    };
    Call::Raise { task, settings: settings("escalation") }
}
