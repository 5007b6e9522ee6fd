//! A referral ends, and the chart is told once.

#[path = "../../fhir/tests/fhir/sealed.rs"]
mod sealed;

use chart_fhir::*;
use expect_test::expect;
use proptest::prelude::*;
use sealed::{bundle, found, respond, token};
use serde_json::{Value, json};

const SETTINGS: &str =
    r#"{"identifier_systems":{"GHH":"http://ghh.example/mrn"},"order_system":"http://ghh.example/orders"}"#;

/// 2026-06-06T08:00:00Z, the order of the measure's example; its report was there on 2026-06-09T08:15:00Z.
const ORDERED_AT: i64 = 1_780_732_800_000;
const VISITED_AT: i64 = 1_780_992_000_000;
const RECEIVED_AT: i64 = 1_780_992_900_000;

fn entry(outcome: Outcome) -> Entry {
    let note = Note {
        kind: Code { system: "LN".into(), code: "34099-2".into(), display: "Cardiology Consult note".into() },
        author: None,
        written_at: None,
        received_at: RECEIVED_AT,
        documents: vec![document("application/pdf", "", "bm90ZQ")],
        replaces: vec![],
    };
    Entry {
        id: "letter-7".into(),
        referral: vec![token("order1")],
        patient: vec![ChartIdentifier { value: token("mrn1"), authority: "GHH".into(), kind: "MR".into() }],
        ordered_at: ORDERED_AT,
        outcome,
        specialist: Some(Provider {
            id: "1245319599".into(),
            name: "Dr. Ana Ruiz".into(),
            organization: "Heart Center".into(),
            phone: String::new(),
            specialty: "Cardiology".into(),
        }),
        visited_at: Some(VISITED_AT),
        note: (outcome == Outcome::ClosedWithNote).then_some(note),
        retracts: vec![],
        now: RECEIVED_AT + 60_000,
        extras: vec![],
    }
}

fn nobody() -> Provider {
    Provider {
        id: String::new(),
        name: String::new(),
        organization: String::new(),
        phone: String::new(),
        specialty: String::new(),
    }
}

fn document(media_type: &str, title: &str, content: &str) -> Document {
    Document { media_type: media_type.into(), title: title.into(), content: token(content) }
}

fn patient() -> Value {
    bundle(&[json!({ "resourceType": "Patient", "id": "pat-1" })])
}

fn order() -> Value {
    bundle(&[json!({ "resourceType": "ServiceRequest", "id": "req-1" })])
}

/// What the chart does: it finds patient and order, and numbers what is created.
fn chart(ask: &Ask) -> Response {
    match &ask.request {
        Request::Http(request) => match request.path.as_str() {
            "/Patient" => found(patient(), &ask.reveal),
            "/ServiceRequest" => found(order(), &ask.reveal),
            "/DocumentReference" => {
                respond(201, &[("Location", "https://chart.example/r4/DocumentReference/77/_history/1")], "")
            }
            _ => respond(201, &[("Location", "https://chart.example/r4/Task/123/_history/1")], ""),
        },
        other => panic!("no HTTP request: {other:?}"),
    }
}

fn converse(entry: Entry, settings: &str, chart: impl Fn(&Ask) -> Response) -> (Vec<Ask>, Result<Written, Failure>) {
    let mut asks = vec![];
    let mut turn = ChartFhir::write(entry, settings.to_owned());
    loop {
        match turn {
            Ok(Turn::Ask(ask)) => {
                turn = ChartFhir::resume(ask.state.clone(), chart(&ask), settings.to_owned());
                asks.push(ask);
            }
            Ok(Turn::Done(written)) => return (asks, Ok(written)),
            Err(failure) => return (asks, Err(failure)),
        }
    }
}

fn body(ask: &Ask) -> Value {
    match &ask.request {
        Request::Http(HttpRequest { body: Body::JsonAs(body), .. }) => serde_json::from_str(&body.text).expect("JSON"),
        _ => Value::Null,
    }
}

fn say(answer: Result<Written, Failure>) -> String {
    match answer {
        Ok(written) => format!("written {:?}", written.references),
        Err(Failure::RetryAfter(retry)) => format!("retry after {} s: {}", retry.seconds, retry.reason),
        Err(Failure::Refused(refusal)) => format!("refused {}: {}", refusal.code, refusal.reason),
        Err(Failure::Misconfigured(why)) => format!("misconfigured: {why}"),
        Err(Failure::Other(why)) => format!("other: {why}"),
    }
}

#[test]
fn a_closed_loop_takes_four_requests() {
    let (asks, written) = converse(entry(Outcome::ClosedWithNote), SETTINGS, chart);
    let requests: String = asks
        .iter()
        .map(|ask| match &ask.request {
            Request::Http(request) => {
                let query: Vec<String> =
                    request.query.iter().map(|part| format!("{}={}", part.name, part.value)).collect();
                let once = request.headers.iter().find(|header| header.name == "If-None-Exist");
                let once = once.map_or(String::new(), |header| format!(" once {}", header.value));
                format!("{:?} {} {}{once}\n", request.method, request.path, query.join(" "))
            }
            other => panic!("no HTTP request: {other:?}"),
        })
        .collect();
    expect![[r#"
        Method::Get /Patient identifier=http://ghh.example/mrn|ZPHIA000MRN10000000000000000000000 _elements=id _count=2
        Method::Get /ServiceRequest patient=ZPHIA000PAT10000000000000000000000 identifier=http://ghh.example/orders|ZPHIA000ORDER100000000000000000000 _elements=id _count=2
        Method::Post /DocumentReference  once identifier=urn%3Ax-handoff%3Achart-entry%7Cletter-7
        Method::Post /Task  once identifier=urn%3Ax-handoff%3Achart-entry%7Cletter-7
        written ["DocumentReference/77", "Task/123"]"#]].assert_eq(&(requests + &say(written)));
}

#[test]
fn the_note_is_a_document_reference() {
    let (asks, _) = converse(entry(Outcome::ClosedWithNote), SETTINGS, chart);
    expect![[r#"
        {
          "resourceType": "DocumentReference",
          "identifier": [
            {
              "use": "official",
              "system": "urn:x-handoff:chart-entry",
              "value": "letter-7"
            }
          ],
          "status": "current",
          "docStatus": "final",
          "type": {
            "coding": [
              {
                "system": "http://loinc.org",
                "code": "34099-2",
                "display": "Cardiology Consult note"
              }
            ]
          },
          "category": [
            {
              "coding": [
                {
                  "system": "http://hl7.org/fhir/us/core/CodeSystem/us-core-documentreference-category",
                  "code": "clinical-note",
                  "display": "Clinical Note"
                }
              ]
            }
          ],
          "subject": {
            "reference": "Patient/ZPHIA000PAT10000000000000000000000"
          },
          "date": "2026-06-09T08:15:00.000Z",
          "content": [
            {
              "attachment": {
                "contentType": "application/pdf",
                "data": "ZPHIA000BM90ZQ00000000000000000000"
              }
            }
          ],
          "context": {
            "related": [
              {
                "reference": "ServiceRequest/ZPHIA000REQ10000000000000000000000"
              }
            ],
            "period": {
              "start": "2026-06-09T08:00:00.000Z"
            }
          },
          "author": [
            {
              "type": "Practitioner",
              "identifier": {
                "value": "1245319599",
                "system": "http://hl7.org/fhir/sid/us-npi"
              },
              "display": "Dr. Ana Ruiz"
            }
          ]
        }"#]]
    .assert_eq(&serde_json::to_string_pretty(&body(&asks[2])).expect("JSON"));
}

#[test]
fn a_corrected_note_is_whole_and_takes_the_place_of_the_one_before() {
    let mut entry = entry(Outcome::ClosedWithNote);
    let author = Provider { id: "1003000126".into(), name: "Dr. Paul McWilliams".into(), ..nobody() };
    if let Some(note) = &mut entry.note {
        note.author = Some(author);
        note.written_at = Some(VISITED_AT + 60_000);
        note.documents = vec![
            document("text/plain; charset=utf-8", "", "text"),
            document("application/pdf", &token("title"), "echo"),
            document("image/jpeg", "", "ecg"),
        ];
        note.replaces = vec!["DocumentReference/77".into(), "Task/123".into()];
    }
    let (asks, written) = converse(entry, SETTINGS, chart);
    let document = body(&asks[2]);
    expect![[r#"
        content [{"attachment":{"contentType":"text/plain; charset=utf-8","data":"ZPHIA000TEXT0000000000000000000000"}},{"attachment":{"contentType":"application/pdf","data":"ZPHIA000ECHO0000000000000000000000","title":"ZPHIA000TITLE000000000000000000000"}},{"attachment":{"contentType":"image/jpeg","data":"ZPHIA000ECG00000000000000000000000"}}]
        author [{"type":"Practitioner","identifier":{"value":"1003000126","system":"http://hl7.org/fhir/sid/us-npi"},"display":"Dr. Paul McWilliams"}]
        date "2026-06-09T08:01:00.000Z"
        relatesTo [{"code":"replaces","target":{"reference":"DocumentReference/77"}}]
        written ["DocumentReference/77", "Task/123"]"#]]
    .assert_eq(&(["content", "author", "date", "relatesTo"].map(|name| format!("{name} {}\n", document[name])).concat() + &say(written)));
}

#[test]
fn the_end_is_a_task() {
    let (asks, _) = converse(entry(Outcome::ClosedWithNote), SETTINGS, chart);
    expect![[r#"
        {
          "resourceType": "Task",
          "identifier": [
            {
              "use": "official",
              "system": "urn:x-handoff:chart-entry",
              "value": "letter-7"
            }
          ],
          "basedOn": [
            {
              "reference": "ServiceRequest/ZPHIA000REQ10000000000000000000000"
            }
          ],
          "status": "completed",
          "businessStatus": {
            "coding": [
              {
                "system": "http://hl7.org/fhir/us/bser/CodeSystem/TaskBusinessStatusCS",
                "code": "7.0",
                "display": "Service Request Fulfillment Completed"
              }
            ]
          },
          "intent": "order",
          "code": {
            "coding": [
              {
                "system": "http://loinc.org",
                "code": "11488-4",
                "display": "Consult note"
              }
            ]
          },
          "focus": {
            "reference": "ServiceRequest/ZPHIA000REQ10000000000000000000000"
          },
          "for": {
            "reference": "Patient/ZPHIA000PAT10000000000000000000000"
          },
          "executionPeriod": {
            "start": "2026-06-09T08:00:00.000Z",
            "end": "2026-06-09T08:15:00.000Z"
          },
          "authoredOn": "2026-06-06T08:00:00.000Z",
          "lastModified": "2026-06-09T08:16:00.000Z",
          "owner": {
            "type": "Practitioner",
            "identifier": {
              "value": "1245319599",
              "system": "http://hl7.org/fhir/sid/us-npi"
            },
            "display": "Dr. Ana Ruiz"
          },
          "output": [
            {
              "type": {
                "coding": [
                  {
                    "system": "http://loinc.org",
                    "code": "34099-2",
                    "display": "Cardiology Consult note"
                  }
                ]
              },
              "valueReference": {
                "reference": "DocumentReference/77"
              }
            }
          ]
        }"#]]
    .assert_eq(&serde_json::to_string_pretty(&body(&asks[3])).expect("JSON"));
}

#[test]
fn outcomes_differ_in_status() {
    let outcomes = [
        Outcome::ClosedWithNote,
        Outcome::ClosedWithoutNote,
        Outcome::Declined,
        Outcome::Cancelled,
        Outcome::Unreachable,
        Outcome::NoShow,
    ];
    let table: String = outcomes
        .into_iter()
        .map(|outcome| {
            let (asks, _) = converse(entry(outcome), SETTINGS, chart);
            let task = asks.last().map(body).unwrap_or_default();
            let business = &task["businessStatus"]["coding"][0];
            format!(
                "{outcome:?}: {} requests, {}, {} {}, {}\n",
                asks.len(),
                task["status"],
                business["code"],
                business["display"],
                task["statusReason"]["text"]
            )
        })
        .collect();
    expect![[r#"
        Outcome::ClosedWithNote: 4 requests, "completed", "7.0" "Service Request Fulfillment Completed", null
        Outcome::ClosedWithoutNote: 3 requests, "failed", "5.1.4" "Service Request Event Completed", "The patient was seen; no report came back"
        Outcome::Declined: 3 requests, "rejected", "4.0" "Service Request Declined", "The specialist or the patient declined"
        Outcome::Cancelled: 3 requests, "cancelled", "6.0" "Service Request Fulfillment Cancelled", "The referral was cancelled"
        Outcome::Unreachable: 3 requests, "failed", "6.0" "Service Request Fulfillment Cancelled", "The patient could not be reached"
        Outcome::NoShow: 3 requests, "failed", "5.1.2" "Scheduled Service Request Event Unattended", "The patient did not come to the visit"
    "#]].assert_eq(&table);
}

/// CMS50 v0.4.000, "Referring Clinician Receives Consultant Report to Close Referral Loop", on our Task.
fn counts(task: &Value, order: &Value) -> bool {
    let coding = &task["code"]["coding"][0];
    let instant = |value: &Value| moment::read_rfc3339(value.as_str().unwrap_or_default());
    let (end, authored) = (instant(&task["executionPeriod"]["end"]), instant(&order["authoredOn"]));
    coding["system"] == "http://loinc.org"
        && coding["code"] == "11488-4"
        && task["basedOn"][0]["reference"] == format!("ServiceRequest/{}", order["id"].as_str().unwrap_or_default())
        && end.is_some()
        && end > authored
        && task["executionPeriod"]["end"].as_str().is_some_and(|end| end.starts_with("2026"))
        && task["status"] == "completed"
}

#[test]
fn the_measure_counts_a_report_and_nothing_else() {
    let bundle: Value = serde_json::from_str(include_str!("data/cms50-numerator.bundle.json")).expect("the example");
    let resources = || bundle["entry"].as_array().into_iter().flatten().map(|entry| &entry["resource"]);
    let example =
        resources().find(|found| found["resourceType"] == "Task" && found["status"] == "completed").expect("a task");
    let order = resources().find(|found| {
        example["basedOn"][0]["reference"] == format!("ServiceRequest/{}", found["id"].as_str().unwrap_or_default())
    });
    assert!(counts(example, order.expect("its order")), "the measure's own example");

    // The token stands for the id; the host puts it in.
    let order = json!({ "id": token("req-1"), "authoredOn": moment::rfc3339(ORDERED_AT) });
    for (outcome, counted) in [
        (Outcome::ClosedWithNote, true),
        (Outcome::ClosedWithoutNote, false),
        (Outcome::Declined, false),
        (Outcome::Cancelled, false),
        (Outcome::Unreachable, false),
        (Outcome::NoShow, false),
    ] {
        let (asks, _) = converse(entry(outcome), SETTINGS, chart);
        let task = asks.last().map(body).unwrap_or_default();
        assert_eq!(counts(&task, &order), counted, "{outcome:?}");
        for (member, _) in example
            .as_object()
            .into_iter()
            .flatten()
            .filter(|(name, _)| !["id", "meta", "priority"].contains(&name.as_str()))
        {
            assert!(task.get(member).is_some(), "the example has {member}");
        }
    }
}

#[test]
fn a_note_of_unknown_kind_is_a_consult_note() {
    for (system, code, expected) in [
        ("LN", "34099-2", "34099-2"),
        ("http://loinc.org", "11488-4", "11488-4"),
        ("L", "CONS", "11488-4"),
        ("LN", "", "11488-4"),
        ("", "", "11488-4"),
    ] {
        let mut entry = entry(Outcome::ClosedWithNote);
        if let Some(note) = &mut entry.note {
            note.kind = Code { system: system.into(), code: code.into(), display: String::new() };
        }
        let (asks, _) = converse(entry, SETTINGS, chart);
        assert_eq!(body(&asks[2])["type"]["coding"][0]["code"], expected, "{system} {code}");
    }
}

#[test]
fn what_is_not_known_is_left_out() {
    for specialist in [None, Some(nobody())] {
        let entry = Entry { specialist, visited_at: None, ..entry(Outcome::ClosedWithNote) };
        let (asks, _) = converse(entry, SETTINGS, chart);
        let (document, task) = (body(&asks[2]), body(&asks[3]));
        assert!(
            document.get("author").is_none()
                && document["context"].get("period").is_none()
                && task.get("owner").is_none()
        );
        assert_eq!(task["executionPeriod"]["start"], moment::rfc3339(ORDERED_AT));
    }
}

#[test]
fn a_server_that_names_nothing_is_referred_to_by_our_number() {
    let silent = |ask: &Ask| match &ask.request {
        Request::Http(request) if matches!(request.path.as_str(), "/DocumentReference" | "/Task") => {
            respond(200, &[], "")
        }
        _ => chart(ask),
    };
    let (asks, written) = converse(entry(Outcome::ClosedWithNote), SETTINGS, silent);
    expect![[r#"[{"type":{"coding":[{"system":"http://loinc.org","code":"34099-2","display":"Cardiology Consult note"}]},"valueReference":{"type":"DocumentReference","identifier":{"value":"letter-7","system":"urn:x-handoff:chart-entry"}}}]"#]].assert_eq(&body(&asks[3])["output"].to_string());
    assert_eq!(say(written), "written []");
}

type Answer<'a> = &'a dyn Fn(&Ask) -> Response;

#[test]
fn failures_at_each_step() {
    let none = bundle(&[]);
    let two = bundle(&[
        json!({ "resourceType": "Patient", "id": "a" }),
        json!({ "resourceType": "Patient", "id": "b" }),
        json!({ "resourceType": "ServiceRequest", "id": "a" }),
        json!({ "resourceType": "ServiceRequest", "id": "b" }),
    ]);
    let paths = ["/Patient", "/ServiceRequest", "/DocumentReference", "/Task"];
    let mut table = String::new();
    for failing in paths {
        let answers: [(&str, Answer); 5] = [
            ("none", &|ask| found(none.clone(), &ask.reveal)),
            ("two", &|ask| found(two.clone(), &ask.reveal)),
            ("403", &|_| respond(403, &[], "")),
            ("412", &|_| respond(412, &[], "")),
            ("503", &|_| respond(503, &[("Retry-After", "5")], "")),
        ];
        for (what, answer) in answers {
            let fails = |ask: &Ask| match &ask.request {
                Request::Http(request) if request.path == failing => answer(ask),
                _ => chart(ask),
            };
            let (_, written) = converse(entry(Outcome::ClosedWithNote), SETTINGS, fails);
            table += &format!("{failing:18} {what:8} -> {}\n", say(written));
        }
    }
    expect![[r#"
        /Patient           none     -> refused patient-unknown: the chart has no Patient by these numbers
        /Patient           two      -> refused patient-ambiguous: the chart has more than one Patient by these numbers
        /Patient           403      -> misconfigured: endpoint ehr: GET /Patient is not allowed (403); grant the client this scope
        /Patient           412      -> other: GET /Patient at ehr: the server answered 412
        /Patient           503      -> retry after 5 s: GET /Patient at ehr: the server answered 503
        /ServiceRequest    none     -> refused order-unknown: the chart has no ServiceRequest by these numbers
        /ServiceRequest    two      -> refused order-ambiguous: the chart has more than one ServiceRequest by these numbers
        /ServiceRequest    403      -> misconfigured: endpoint ehr: GET /ServiceRequest is not allowed (403); grant the client this scope
        /ServiceRequest    412      -> other: GET /ServiceRequest at ehr: the server answered 412
        /ServiceRequest    503      -> retry after 5 s: GET /ServiceRequest at ehr: the server answered 503
        /DocumentReference none     -> written ["Task/123"]
        /DocumentReference two      -> written ["Task/123"]
        /DocumentReference 403      -> misconfigured: endpoint ehr: POST /DocumentReference is not allowed (403); grant the client this scope
        /DocumentReference 412      -> refused ambiguous: POST /DocumentReference at ehr: more than one DocumentReference has this identifier
        /DocumentReference 503      -> retry after 5 s: POST /DocumentReference at ehr: the server answered 503
        /Task              none     -> written ["DocumentReference/77"]
        /Task              two      -> written ["DocumentReference/77"]
        /Task              403      -> misconfigured: endpoint ehr: POST /Task is not allowed (403); grant the client this scope
        /Task              412      -> refused ambiguous: POST /Task at ehr: more than one Task has this identifier
        /Task              503      -> retry after 5 s: POST /Task at ehr: the server answered 503
    "#]].assert_eq(&table);
}

#[test]
fn entries_and_settings_that_cannot_be_used_are_refused() {
    let whole = || entry(Outcome::ClosedWithNote);
    let rows = [
        say(converse(Entry { patient: vec![], ..whole() }, SETTINGS, chart).1),
        say(converse(Entry { referral: vec![], ..whole() }, SETTINGS, chart).1),
        say(converse(Entry { note: None, ..whole() }, SETTINGS, chart).1),
        say(converse(
            Entry { note: whole().note.map(|note| Note { documents: vec![], ..note }), ..whole() },
            SETTINGS,
            chart,
        )
        .1),
        say(converse(whole(), "{}", chart).1),
        say(converse(whole(), r#"{"identifier_system":"handoff"}"#, chart).1),
        say(converse(whole(), r#"{"colour":1}"#, chart).1),
    ];
    expect![[r#"
        refused patient-unknown: the referral carries no number of the patient's in the chart
        refused order-unknown: the referral carries no order number
        other: the outcome is closed-with-note, and there is no note
        other: the outcome is closed-with-note, and there is no note
        misconfigured: identifier_systems: write the FHIR system of one of the patient's authorities: ["GHH"]
        misconfigured: identifier_system: write a URI of yours, such as https://clinic.example/handoff
        misconfigured: settings of chart-fhir: unknown field `colour`, expected one of `endpoint`, `identifier_systems`, `order_system`, `identifier_system` at line 1 column 9"#]].assert_eq(&rows.join("\n"));
}

proptest! {
    #[test]
    fn never_panics_on_any_answer(status in any::<u16>(), location in ".*", body in ".*", state in ".*", settings in ".*") {
        let (asks, _) = converse(entry(Outcome::ClosedWithNote), SETTINGS, chart);
        let states = asks.iter().map(|ask| ask.state.clone()).chain([state]);
        for state in states {
            let _ = ChartFhir::resume(state, respond(status, &[("Location", &location)], &body), SETTINGS.into());
        }
        let _ = ChartFhir::write(entry(Outcome::NoShow), settings);
    }

    #[test]
    fn never_panics_on_any_time(ordered_at in any::<i64>(), now in any::<i64>(), visited_at in any::<i64>()) {
        let entry = Entry { ordered_at, now, visited_at: Some(visited_at), ..entry(Outcome::NoShow) };
        prop_assert!(converse(entry, SETTINGS, chart).1.is_ok());
    }
}

#[test]
fn a_note_that_was_taken_back_is_marked_where_it_lies() {
    let retracts = vec!["DocumentReference/77".to_owned(), "Task/123".to_owned()];
    let taken_back = || Entry { retracts: retracts.clone(), ..entry(Outcome::NoteRetracted) };
    let (asks, written) = converse(taken_back(), SETTINGS, |_| respond(200, &[], ""));
    let told: Vec<String> = asks
        .iter()
        .map(|ask| match &ask.request {
            Request::Http(request) => format!("{:?} {} {}", request.method, request.path, body(ask)),
            other => panic!("no HTTP request: {other:?}"),
        })
        .collect();
    let mark = r#"[{"op":"replace","path":"/status","value":"entered-in-error"}]"#;
    let expected = [format!("Method::Patch /DocumentReference/77 {mark}"), format!("Method::Patch /Task/123 {mark}")];
    assert_eq!(told, expected);
    assert_eq!(written.expect("written").references, retracts);
    for (status, said) in
        [(404, "written"), (405, "refused cannot-change"), (501, "refused cannot-change"), (503, "retry after 300 s")]
    {
        let (_, written) = converse(taken_back(), SETTINGS, |_| respond(status, &[], ""));
        assert!(say(written).starts_with(said), "{status}");
    }
}
