//! Asking, judging and writing FHIR.

mod sealed;

use expect_test::expect;
use fhir::ask::{Identifier, create_once};
use fhir::wit::exchange::{Request, Response};
use fhir::wit::types::Failure;
use fhir::{judge, patient, write};
use sealed::respond;
use serde_json::json;

fn say(failure: Failure) -> String {
    match failure {
        Failure::RetryAfter(retry) => format!("retry after {} s: {}", retry.seconds, retry.reason),
        Failure::Refused(refusal) => format!("refused {}: {}", refusal.code, refusal.reason),
        Failure::Misconfigured(why) => format!("misconfigured: {why}"),
        Failure::Other(why) => format!("other: {why}"),
    }
}

#[test]
fn searches_are_judged_by_status() {
    let outcome = r#"{"resourceType":"OperationOutcome","issue":[{"code":"invalid","diagnostics":"Jane Doe"}]}"#;
    let responses = [
        ("200", respond(200, &[], r#"{"resourceType":"Bundle"}"#)),
        ("200 nothing", respond(200, &[], "{}")),
        ("200 html", respond(200, &[], "<html>")),
        ("400", respond(400, &[], outcome)),
        ("401", respond(401, &[], outcome)),
        ("403", respond(403, &[], outcome)),
        ("404", respond(404, &[], outcome)),
        ("405", respond(405, &[], "")),
        ("410", respond(410, &[], "")),
        ("422", respond(422, &[], "")),
        ("429", respond(429, &[], "")),
        ("429, 7 s", respond(429, &[("Retry-After", "7")], "")),
        ("429, 0 s", respond(429, &[("Retry-After", "0")], "")),
        ("429, months", respond(429, &[("Retry-After", "9999999")], "")),
        (
            "503, dated",
            respond(
                503,
                &[("retry-after", "Fri, 24 May 2019 17:45:46 GMT"), ("date", "Fri, 24 May 2019 17:44:46 GMT")],
                "",
            ),
        ),
        ("500", respond(500, &[], "")),
        ("302", respond(302, &[], "")),
        ("mllp", Response::Mllp(String::new())),
    ];
    let table: String = responses
        .into_iter()
        .map(|(what, response)| {
            let said = match judge::found(response, "chart", "GET /Patient") {
                Ok(Some(_)) => "found".to_owned(),
                Ok(None) => "nothing".to_owned(),
                Err(failure) => say(failure),
            };
            format!("{what:12} -> {said}\n")
        })
        .collect();
    expect![[r#"
        200          -> found
        200 nothing  -> other: GET /Patient at chart: the answer is no FHIR resource
        200 html     -> other: GET /Patient at chart: the answer is no JSON
        400          -> refused rejected: GET /Patient at chart: the server answered 400
        401          -> misconfigured: endpoint chart: the server refused our credentials (401); check its client id, key and token URL
        403          -> misconfigured: endpoint chart: GET /Patient is not allowed (403); grant the client this scope
        404          -> nothing
        405          -> misconfigured: endpoint chart: the server knows no GET /Patient (405); check the base URL
        410          -> nothing
        422          -> refused rejected: GET /Patient at chart: the server answered 422
        429          -> retry after 60 s: GET /Patient at chart: the server answered 429
        429, 7 s     -> retry after 7 s: GET /Patient at chart: the server answered 429
        429, 0 s     -> retry after 1 s: GET /Patient at chart: the server answered 429
        429, months  -> retry after 86400 s: GET /Patient at chart: the server answered 429
        503, dated   -> retry after 60 s: GET /Patient at chart: the server answered 503
        500          -> retry after 300 s: GET /Patient at chart: the server answered 500
        302          -> other: GET /Patient at chart: the server answered 302
        mllp         -> misconfigured: endpoint chart: a FHIR server speaks HTTP; this endpoint does not
    "#]].assert_eq(&table);
}

#[test]
fn creates_are_judged_by_status_and_location() {
    let responses = [
        ("201", respond(201, &[("Location", "https://chart.example/r4/Task/123/_history/1")], "")),
        ("201, relative", respond(201, &[("location", "Task/123")], "")),
        ("200, existing", respond(200, &[("Content-Location", "https://chart.example/r4/Task/7/_history/2")], "")),
        ("201, body only", respond(201, &[], r#"{"resourceType":"Task","id":"9"}"#)),
        ("201, other type", respond(201, &[("Location", "https://chart.example/Other/123")], "")),
        ("201, odd id", respond(201, &[("Location", "https://chart.example/Task/a b")], "")),
        ("200, silent", respond(200, &[], "")),
        ("412", respond(412, &[], "")),
        ("404", respond(404, &[], "")),
        ("409", respond(409, &[], "")),
        ("422", respond(422, &[], r#"{"issue":[{"code":"required"}]}"#)),
    ];
    let table: String = responses
        .into_iter()
        .map(|(what, response)| {
            format!("{what:15} -> {}\n", judge::created(response, "chart", "Task").unwrap_or_else(say))
        })
        .collect();
    expect![[r#"
        201             -> Task/123
        201, relative   -> Task/123
        200, existing   -> Task/7
        201, body only  -> Task/9
        201, other type -> 
        201, odd id     -> 
        200, silent     -> 
        412             -> refused ambiguous: POST /Task at chart: more than one Task has this identifier
        404             -> misconfigured: endpoint chart: the server knows no POST /Task (404); check the base URL
        409             -> retry after 60 s: POST /Task at chart: the server answered 409
        422             -> refused rejected: POST /Task at chart: the server answered 422
    "#]]
    .assert_eq(&table);
}

#[test]
fn a_second_create_finds_the_first() {
    let identifier = Identifier { system: "https://clinic.example/handoff", value: "letter 1&2" };
    let ask = create_once("chart", &json!({ "resourceType": "Task" }), &identifier, String::new());
    let Request::Http(request) = ask.request else { panic!("no HTTP request") };
    let headers: String = request.headers.iter().map(|header| format!("{}: {}\n", header.name, header.value)).collect();
    expect![[r#"
        Accept: application/fhir+json
        If-None-Exist: identifier=https%3A%2F%2Fclinic.example%2Fhandoff%7Cletter%201%262
        Prefer: return=minimal
    "#]]
    .assert_eq(&headers);
    assert_eq!(request.path, "/Task");
}

#[test]
fn patients_are_found_by_number_and_system() {
    let systems: patient::Systems =
        serde_json::from_value(json!({ "GHH": "http://ghh.example/mrn" })).expect("a map of systems");
    let rows: &[&[patient::Number]] = &[
        &[("T1", "GHH", "MR")],
        &[("T1", "http://other.example", "MR"), ("T2", "2.16.840.1.1", "PI")],
        &[("T1", "GHH", "MR"), ("T2", "urn:oid:2.16.840.1.113883.4.1", "SS")],
        &[("T1", "UNKNOWN", "MR"), ("T2", "", "PI")],
        &[("T2", "urn:oid:2.16.840.1.113883.4.1", "SS")],
    ];
    let table: String = rows
        .iter()
        .map(|numbers| format!("{}\n", patient::identifier_parameter(numbers, &systems).unwrap_or_else(say)))
        .collect();
    expect![[r#"
        http://ghh.example/mrn|T1
        http://other.example|T1,urn:oid:2.16.840.1.1|T2
        http://ghh.example/mrn|T1
        misconfigured: identifier_systems: write the FHIR system of one of the patient's authorities: ["", "UNKNOWN"]
        misconfigured: identifier_systems: write the FHIR system of one of the patient's authorities: ["urn:oid:2.16.840.1.113883.4.1"]
    "#]].assert_eq(&table);
}

#[test]
fn national_provider_identifiers_are_told_by_their_check_digit() {
    for (id, system) in [
        ("1234567893", write::NPI),
        ("1245319599", write::NPI),
        ("1234567890", ""),
        ("123456789", ""),
        ("12345x7893", ""),
    ] {
        assert_eq!(write::provider_system(id), system, "{id}");
    }
}

#[test]
fn the_seal_spares_what_is_revealed() {
    let body = json!({ "entry": [{ "resource": { "status": "booked", "id": "7", "ok": true } }] });
    let Response::Http(response) =
        sealed::found(sealed::bundle(&[body["entry"][0]["resource"].clone()]), &["entry[].resource.status".into()])
    else {
        panic!("no HTTP response")
    };
    assert!(
        response.body.contains("\"booked\"")
            && response.body.contains("true")
            && response.body.contains(&sealed::token("7"))
    );
}
