//! A task is raised, once.

use escalation_inbox::*;
use expect_test::expect;
use proptest::prelude::*;
use serde_json::Value;

const NAME: &str = "ZPHIA00800000000000000000000000001";
const ORDER: &str = "ZPHIA00600000000000000000000000002";
const MRN: &str = "ZPHIA00400000000000000000000000003";

fn task(audience: Audience) -> Task {
    Task {
        id: "letter-9".into(),
        audience,
        kind: "day-21".into(),
        urgent: false,
        to: None,
        summary: format!("{NAME} has not answered for 21 days."),
        referral: vec![ORDER.into()],
        patient: vec![MRN.into()],
        due_at: 1_780_992_000_000,
        now: 1_780_732_800_000,
        extras: vec![],
    }
}

fn provider(id: &str, name: &str) -> Option<Provider> {
    Some(Provider {
        id: id.into(),
        name: name.into(),
        organization: String::new(),
        phone: String::new(),
        specialty: String::new(),
    })
}

fn raise(task: Task, settings: &str) -> (HttpRequest, Value) {
    let turn = EscalationInbox::raise(task, settings.to_owned());
    let Ok(Turn::Ask(Ask { request: Request::Http(request), .. })) = turn else { panic!("no ask: {turn:?}") };
    let Body::JsonAs(body) = &request.body else { panic!("no JSON") };
    let resource = serde_json::from_str(&body.text).expect("JSON");
    (request, resource)
}

#[test]
fn a_task_is_created_once() {
    let (request, resource) = raise(task(Audience::Physician), "{}");
    let headers: String = request.headers.iter().map(|header| format!("{}: {}\n", header.name, header.value)).collect();
    expect![[r#"
        Method::Post /Task
        Accept: application/fhir+json
        If-None-Exist: identifier=urn%3Ax-handoff%3Atask%7Cletter-9
        Prefer: return=minimal
        {
          "resourceType": "Task",
          "identifier": [
            {
              "use": "official",
              "system": "urn:x-handoff:task",
              "value": "letter-9"
            }
          ],
          "status": "requested",
          "intent": "order",
          "priority": "routine",
          "code": {
            "text": "day-21"
          },
          "description": "ZPHIA00800000000000000000000000001 has not answered for 21 days.",
          "authoredOn": "2026-06-06T08:00:00.000Z",
          "lastModified": "2026-06-06T08:00:00.000Z",
          "performerType": [
            {
              "text": "Referring physician"
            }
          ],
          "restriction": {
            "period": {
              "end": "2026-06-09T08:00:00.000Z"
            }
          },
          "for": {
            "type": "Patient",
            "identifier": {
              "value": "ZPHIA00400000000000000000000000003"
            }
          },
          "focus": {
            "type": "ServiceRequest",
            "identifier": {
              "value": "ZPHIA00600000000000000000000000002"
            }
          }
        }"#]]
    .assert_eq(&format!("{:?} {}\n{headers}{resource:#}", request.method, request.path));
}

#[test]
fn urgency_is_the_priority() {
    let (_, resource) = raise(Task { urgent: true, ..task(Audience::Coordinator) }, "{}");
    assert_eq!(resource["priority"], "urgent");
}

#[test]
fn the_owner_is_the_person_named_else_the_audience_s() {
    let owners = r#"{"owners":{"coordinator":"Group/referrals","physician":"PractitionerRole/7"}}"#;
    let rows = [
        ("physician, nobody known", Audience::Physician, None, "{}"),
        ("physician, by role", Audience::Physician, None, owners),
        ("physician, by NPI", Audience::Physician, provider("1245319599", "Dr. Ana Ruiz"), owners),
        ("physician, by another number", Audience::Physician, provider("A-17", "Dr. Ana Ruiz"), "{}"),
        ("physician, by name only", Audience::Physician, provider("", "Dr. Ana Ruiz"), "{}"),
        ("physician, by name and role", Audience::Physician, provider("", "Dr. Ana Ruiz"), owners),
        ("physician, blank", Audience::Physician, provider("", ""), "{}"),
        ("coordinator", Audience::Coordinator, None, owners),
        ("specialist", Audience::Specialist, None, owners),
    ];
    let table: String = rows
        .into_iter()
        .map(|(what, audience, to, settings)| {
            let (_, resource) = raise(Task { to, ..task(audience) }, settings);
            format!("{what:28} -> {} for {}\n", resource["owner"], resource["performerType"][0]["text"])
        })
        .collect();
    expect![[r#"
        physician, nobody known      -> null for "Referring physician"
        physician, by role           -> {"reference":"PractitionerRole/7"} for "Referring physician"
        physician, by NPI            -> {"type":"Practitioner","identifier":{"value":"1245319599","system":"http://hl7.org/fhir/sid/us-npi"},"display":"Dr. Ana Ruiz"} for "Referring physician"
        physician, by another number -> {"type":"Practitioner","identifier":{"value":"A-17"},"display":"Dr. Ana Ruiz"} for "Referring physician"
        physician, by name only      -> {"type":"Practitioner","display":"Dr. Ana Ruiz"} for "Referring physician"
        physician, by name and role  -> {"reference":"PractitionerRole/7"} for "Referring physician"
        physician, blank             -> null for "Referring physician"
        coordinator                  -> {"reference":"Group/referrals"} for "Referral coordinator"
        specialist                   -> null for "Specialist's office"
    "#]].assert_eq(&table);
}

#[test]
fn numbers_carry_their_system_where_it_is_known() {
    let (_, resource) = raise(
        task(Audience::Physician),
        r#"{"patient_system":"http://ghh.example/mrn","order_system":"http://ghh.example/orders"}"#,
    );
    expect![[r#"{"type":"Patient","identifier":{"value":"ZPHIA00400000000000000000000000003","system":"http://ghh.example/mrn"}} {"type":"ServiceRequest","identifier":{"value":"ZPHIA00600000000000000000000000002","system":"http://ghh.example/orders"}}"#]].assert_eq(&format!("{} {}", resource["for"], resource["focus"]));
    let (_, resource) = raise(Task { patient: vec![], referral: vec![], ..task(Audience::Physician) }, "{}");
    assert!(resource.get("for").is_none() && resource.get("focus").is_none());
}

fn respond(status: u16, headers: &[(&str, &str)], body: &str) -> Response {
    let header = |(name, value): &(&str, &str)| Attribute { name: (*name).into(), value: (*value).into() };
    Response::Http(HttpResponse { status, headers: headers.iter().map(header).collect(), body: body.into() })
}

fn say(turn: Result<Turn, Failure>) -> String {
    match turn {
        Ok(Turn::Done(raised)) => format!("raised {:?}", raised.reference),
        Ok(Turn::Ask(_)) => "a further question".to_owned(),
        Err(Failure::RetryAfter(retry)) => format!("retry after {} s: {}", retry.seconds, retry.reason),
        Err(Failure::Refused(refusal)) => format!("refused {}: {}", refusal.code, refusal.reason),
        Err(Failure::Misconfigured(why)) => format!("misconfigured: {why}"),
        Err(Failure::Other(why)) => format!("other: {why}"),
    }
}

#[test]
fn the_inbox_s_answers() {
    let responses = [
        ("created", respond(201, &[("Location", "https://chart.example/r4/Task/9/_history/1")], "")),
        ("there already", respond(200, &[("Location", "https://chart.example/r4/Task/9")], "")),
        ("no name", respond(200, &[], "")),
        ("several", respond(412, &[], "")),
        ("401", respond(401, &[], "")),
        ("422", respond(422, &[], r#"{"issue":[{"code":"invariant","diagnostics":"Jane Doe"}]}"#)),
        ("429", respond(429, &[("Retry-After", "30")], "")),
        ("500", respond(500, &[], "")),
        ("418", respond(418, &[], "")),
    ];
    let table: String = responses
        .into_iter()
        .map(|(what, response)| {
            format!("{what:13} -> {}\n", say(EscalationInbox::resume(String::new(), response, "{}".into())))
        })
        .collect();
    expect![[r#"
        created       -> raised "Task/9"
        there already -> raised "Task/9"
        no name       -> raised ""
        several       -> refused ambiguous: POST /Task at ehr: more than one Task has this identifier
        401           -> misconfigured: endpoint ehr: the server refused our credentials (401); check its client id, key and token URL
        422           -> refused rejected: POST /Task at ehr: the server answered 422
        429           -> retry after 30 s: POST /Task at ehr: the server answered 429
        500           -> retry after 300 s: POST /Task at ehr: the server answered 500
        418           -> other: POST /Task at ehr: the server answered 418
    "#]].assert_eq(&table);
}

#[test]
fn settings_that_cannot_be_used_are_named() {
    let rows = [
        "{",
        r#"{"colour":1}"#,
        r#"{"identifier_system":"tasks"}"#,
        r#"{"owners":{"coordinator":"referrals"}}"#,
        r#"{"owners":{"nurse":"Group/1"}}"#,
    ];
    let table: String = rows
        .iter()
        .map(|settings| say(EscalationInbox::raise(task(Audience::Physician), (*settings).to_owned())) + "\n")
        .collect();
    expect![[r#"
        misconfigured: settings of escalation-inbox: EOF while parsing an object at line 1 column 1
        misconfigured: settings of escalation-inbox: unknown field `colour`, expected one of `endpoint`, `identifier_system`, `patient_system`, `order_system`, `owners` at line 1 column 9
        misconfigured: identifier_system: write a URI of yours, such as https://clinic.example/handoff
        misconfigured: owners.coordinator: write a reference such as Group/referrals
        misconfigured: settings of escalation-inbox: unknown field `nurse`, expected one of `physician`, `coordinator`, `specialist` at line 1 column 18
    "#]].assert_eq(&table);
}

proptest! {
    #[test]
    fn never_panics(status in any::<u16>(), location in ".*", body in ".*", settings in ".*", text in ".*", time in any::<i64>()) {
        let _ = EscalationInbox::resume(text.clone(), respond(status, &[("Location", &location)], &body), "{}".into());
        let _ = EscalationInbox::raise(task(Audience::Physician), settings);
        let odd = Task { kind: text.clone(), summary: text.clone(), id: text, due_at: time, now: time, ..task(Audience::Physician) };
        let is_raised = EscalationInbox::raise(odd, String::new()).is_ok();
        prop_assert!(is_raised);
    }
}
