//! Did the patient come? The visit was to be on 2026-06-09T08:00:00Z.

#[path = "../../fhir/tests/fhir/sealed.rs"]
mod sealed;

use expect_test::expect;
use proptest::prelude::*;
use sealed::{bundle, found, respond, token};
use serde_json::{Value, json};
use visit_fhir::*;

const SETTINGS: &str =
    r#"{"appointment_system":"http://ghh.example/appointments","order_system":"any","again_hours":12}"#;
const STARTS_AT: i64 = 1_780_992_000_000;

fn visit() -> Visit {
    Visit {
        referral: vec![token("order1")],
        appointment: vec![token("appt1")],
        starts_at: STARTS_AT,
        minutes: 30,
        heard: vec![Heard { what: "booked".into(), at: STARTS_AT - 86_400_000 }],
        now: STARTS_AT + 7_200_000,
        extras: vec![],
    }
}

fn appointment(status: &str, start: &str) -> Value {
    json!({ "resourceType": "Appointment", "id": "a", "status": status, "start": start })
}

fn encounter(status: &str) -> Value {
    json!({ "resourceType": "Encounter", "id": "e", "status": status, "period": { "start": "2026-06-09T08:07:00Z" } })
}

/// The appointments and encounters that the scheduling system has.
fn check(visit: Visit, settings: &str, appointments: &[Value], encounters: &[Value]) -> String {
    let mut turn = VisitFhir::check(visit, settings.to_owned());
    let mut asked = 0;
    while let Ok(Turn::Ask(ask)) = turn {
        asked += 1;
        let Request::Http(request) = &ask.request else { panic!("no HTTP request") };
        let resources = if request.path == "/Appointment" { appointments } else { encounters };
        turn = VisitFhir::resume(ask.state.clone(), found(bundle(resources), &ask.reveal), settings.to_owned());
    }
    format!("{} after {asked} question(s)", say(turn))
}

fn say(turn: Result<Turn, Failure>) -> String {
    match turn {
        Ok(Turn::Done(Finding::Attended(at))) => format!("attended {}", moment::rfc3339(at)),
        Ok(Turn::Done(Finding::NoShow)) => "no-show".to_owned(),
        Ok(Turn::Done(Finding::Cancelled)) => "cancelled".to_owned(),
        Ok(Turn::Done(Finding::Moved(to))) => format!("moved to {}", moment::rfc3339(to)),
        Ok(Turn::Done(Finding::Open(hours))) => format!("open, again in {hours} h"),
        Ok(Turn::Ask(_)) => "a further question".to_owned(),
        Err(Failure::RetryAfter(retry)) => format!("retry after {} s: {}", retry.seconds, retry.reason),
        Err(Failure::Refused(refusal)) => format!("refused {}: {}", refusal.code, refusal.reason),
        Err(Failure::Misconfigured(why)) => format!("misconfigured: {why}"),
        Err(Failure::Other(why)) => format!("other: {why}"),
    }
}

#[test]
fn appointments_tell_what_happened() {
    let on_time = "2026-06-09T08:00:00Z";
    let later = "2026-06-11T09:30:00-04:00";
    let rows: &[(&str, &[Value])] = &[
        ("fulfilled", &[appointment("fulfilled", on_time)]),
        ("arrived", &[appointment("arrived", on_time)]),
        ("checked-in", &[appointment("checked-in", on_time)]),
        ("fulfilled, another time", &[appointment("fulfilled", later)]),
        ("fulfilled, no time", &[appointment("fulfilled", "")]),
        ("noshow", &[appointment("noshow", on_time)]),
        ("cancelled", &[appointment("cancelled", on_time)]),
        ("entered-in-error", &[appointment("entered-in-error", on_time)]),
        ("booked", &[appointment("booked", on_time)]),
        ("booked, some seconds later", &[appointment("booked", "2026-06-09T08:00:59Z")]),
        ("booked, a minute later", &[appointment("booked", "2026-06-09T08:01:00Z")]),
        ("booked, another day", &[appointment("booked", later)]),
        ("pending, another day", &[appointment("pending", later)]),
        ("proposed, another day", &[appointment("proposed", later)]),
        ("waitlist", &[appointment("waitlist", "")]),
        ("a status of tomorrow", &[appointment("pondering", later)]),
        ("no status", &[json!({ "resourceType": "Appointment" })]),
        ("none", &[]),
        ("cancelled, then booked anew", &[appointment("cancelled", on_time), appointment("booked", later)]),
        ("no-show, then booked anew", &[appointment("noshow", on_time), appointment("booked", later)]),
        ("booked anew and fulfilled", &[appointment("booked", later), appointment("fulfilled", on_time)]),
        ("cancelled and no-show", &[appointment("cancelled", later), appointment("noshow", on_time)]),
        ("an outcome only", &[json!({ "resourceType": "OperationOutcome" })]),
    ];
    let table: String =
        rows.iter().map(|(what, found)| format!("{what:28} -> {}\n", check(visit(), SETTINGS, found, &[]))).collect();
    expect![[r#"
        fulfilled                    -> attended 2026-06-09T08:00:00.000Z after 1 question(s)
        arrived                      -> attended 2026-06-09T08:00:00.000Z after 1 question(s)
        checked-in                   -> attended 2026-06-09T08:00:00.000Z after 1 question(s)
        fulfilled, another time      -> attended 2026-06-11T13:30:00.000Z after 1 question(s)
        fulfilled, no time           -> attended 2026-06-09T08:00:00.000Z after 1 question(s)
        noshow                       -> no-show after 1 question(s)
        cancelled                    -> cancelled after 1 question(s)
        entered-in-error             -> cancelled after 1 question(s)
        booked                       -> open, again in 12 h after 2 question(s)
        booked, some seconds later   -> open, again in 12 h after 2 question(s)
        booked, a minute later       -> moved to 2026-06-09T08:01:00.000Z after 1 question(s)
        booked, another day          -> moved to 2026-06-11T13:30:00.000Z after 1 question(s)
        pending, another day         -> moved to 2026-06-11T13:30:00.000Z after 1 question(s)
        proposed, another day        -> open, again in 12 h after 2 question(s)
        waitlist                     -> open, again in 12 h after 2 question(s)
        a status of tomorrow         -> open, again in 12 h after 2 question(s)
        no status                    -> open, again in 12 h after 2 question(s)
        none                         -> open, again in 12 h after 2 question(s)
        cancelled, then booked anew  -> moved to 2026-06-11T13:30:00.000Z after 1 question(s)
        no-show, then booked anew    -> moved to 2026-06-11T13:30:00.000Z after 1 question(s)
        booked anew and fulfilled    -> attended 2026-06-09T08:00:00.000Z after 1 question(s)
        cancelled and no-show        -> no-show after 1 question(s)
        an outcome only              -> open, again in 12 h after 2 question(s)
    "#]]
    .assert_eq(&table);
}

#[test]
fn an_open_appointment_s_encounter_knows_better() {
    let open = [appointment("booked", "2026-06-09T08:00:00Z")];
    let statuses = ["finished", "in-progress", "arrived", "planned", "cancelled", "unknown"];
    let table: String = statuses
        .into_iter()
        .map(|status| format!("{status:12} -> {}\n", check(visit(), SETTINGS, &open, &[encounter(status)])))
        .collect();
    expect![[r#"
        finished     -> attended 2026-06-09T08:07:00.000Z after 2 question(s)
        in-progress  -> attended 2026-06-09T08:07:00.000Z after 2 question(s)
        arrived      -> attended 2026-06-09T08:07:00.000Z after 2 question(s)
        planned      -> open, again in 12 h after 2 question(s)
        cancelled    -> open, again in 12 h after 2 question(s)
        unknown      -> open, again in 12 h after 2 question(s)
    "#]]
    .assert_eq(&table);
    let without = SETTINGS.replace("\"again_hours\"", "\"encounters\":false,\"again_hours\"");
    assert_eq!(check(visit(), &without, &open, &[encounter("finished")]), "open, again in 12 h after 1 question(s)");
    let undated = [json!({ "resourceType": "Encounter", "status": "finished" })];
    assert_eq!(check(visit(), SETTINGS, &open, &undated), "attended 2026-06-09T08:00:00.000Z after 2 question(s)");
}

#[test]
fn what_the_feed_has_said_is_not_asked() {
    let heard = |words: &[&str]| Visit {
        heard: words.iter().map(|what| Heard { what: (*what).into(), at: STARTS_AT + 300_000 }).collect(),
        ..visit()
    };
    let fulfilled = [appointment("fulfilled", "2026-06-09T08:00:00Z")];
    let rows: &[&[&str]] = &[
        &["booked", "arrived"],
        &["completed"],
        &["note"],
        &["no-show"],
        &["arrived", "no-show"],
        &["arrived", "whispered"],
        &[],
    ];
    let table: String =
        rows.iter().map(|words| format!("{words:?} -> {}\n", check(heard(words), SETTINGS, &fulfilled, &[]))).collect();
    expect![[r#"
        ["booked", "arrived"] -> attended 2026-06-09T08:05:00.000Z after 0 question(s)
        ["completed"] -> attended 2026-06-09T08:05:00.000Z after 0 question(s)
        ["note"] -> attended 2026-06-09T08:00:00.000Z after 0 question(s)
        ["no-show"] -> attended 2026-06-09T08:00:00.000Z after 1 question(s)
        ["arrived", "no-show"] -> attended 2026-06-09T08:00:00.000Z after 1 question(s)
        ["arrived", "whispered"] -> attended 2026-06-09T08:05:00.000Z after 0 question(s)
        [] -> attended 2026-06-09T08:00:00.000Z after 1 question(s)
    "#]]
    .assert_eq(&table);
}

#[test]
fn the_appointment_is_searched_by_its_number_else_by_the_order() {
    let search = |visit: Visit, settings: &str| match VisitFhir::check(visit, settings.to_owned()) {
        Ok(Turn::Ask(Ask { endpoint, request: Request::Http(request), .. })) => {
            let query: Vec<String> = request.query.iter().map(|part| format!("{}={}", part.name, part.value)).collect();
            format!("{endpoint} {} {}", request.path, query.join(" "))
        }
        other => say(other),
    };
    let rows = [
        search(visit(), SETTINGS),
        search(Visit { appointment: vec![token("a"), token("b")], ..visit() }, SETTINGS),
        search(Visit { appointment: vec![], ..visit() }, SETTINGS),
        search(Visit { appointment: vec![], referral: vec![], ..visit() }, SETTINGS),
        search(visit(), "{}"),
        search(Visit { appointment: vec![], ..visit() }, r#"{"order_system":"orders"}"#),
        search(visit(), r#"{"again_hours":0}"#),
        search(visit(), r#"{"again_hours":721}"#),
        search(visit(), "{"),
        search(visit(), r#"{"colour":1}"#),
    ];
    expect![[r#"
        ehr /Appointment identifier=http://ghh.example/appointments|ZPHIA000APPT1000000000000000000000 _elements=status,start _count=20
        ehr /Appointment identifier=http://ghh.example/appointments|ZPHIA000A0000000000000000000000000,http://ghh.example/appointments|ZPHIA000B0000000000000000000000000 _elements=status,start _count=20
        ehr /Appointment based-on:ServiceRequest.identifier=ZPHIA000ORDER100000000000000000000 _elements=status,start _count=20
        open, again in 12 h
        misconfigured: appointment_system: write the URI of the numbers' system, or `any` if there is only one
        misconfigured: order_system: write the URI of the numbers' system, or `any` if there is only one
        misconfigured: again_hours: write 1 to 720
        misconfigured: again_hours: write 1 to 720
        misconfigured: settings of visit-fhir: EOF while parsing an object at line 1 column 1
        misconfigured: settings of visit-fhir: unknown field `colour`, expected one of `endpoint`, `again_hours`, `appointment_system`, `order_system`, `encounters` at line 1 column 9"#]].assert_eq(&rows.join("\n"));
}

#[test]
fn failures_keep_their_kind() {
    let Ok(Turn::Ask(appointments)) = VisitFhir::check(visit(), SETTINGS.into()) else { panic!("no ask") };
    let open = found(bundle(&[appointment("booked", "")]), &appointments.reveal);
    let Ok(Turn::Ask(encounters)) = VisitFhir::resume(appointments.state.clone(), open, SETTINGS.into()) else {
        panic!("no second ask")
    };
    let mut table = String::new();
    for (what, state) in [("appointment", &appointments.state), ("encounter", &encounters.state)] {
        for (answer, response) in [
            ("404", respond(404, &[], "")),
            ("401", respond(401, &[], "")),
            ("403", respond(403, &[], "")),
            ("429", respond(429, &[("Retry-After", "4")], "")),
            ("500", respond(500, &[], "")),
        ] {
            table += &format!(
                "{what:11} {answer:8} -> {}\n",
                say(VisitFhir::resume(state.clone(), response, SETTINGS.into()))
            );
        }
    }
    expect![[r#"
        appointment 404      -> a further question
        appointment 401      -> misconfigured: endpoint ehr: the server refused our credentials (401); check its client id, key and token URL
        appointment 403      -> misconfigured: endpoint ehr: GET /Appointment is not allowed (403); grant the client this scope
        appointment 429      -> retry after 4 s: GET /Appointment at ehr: the server answered 429
        appointment 500      -> retry after 300 s: GET /Appointment at ehr: the server answered 500
        encounter   404      -> open, again in 12 h
        encounter   401      -> misconfigured: endpoint ehr: the server refused our credentials (401); check its client id, key and token URL
        encounter   403      -> misconfigured: endpoint ehr: GET /Encounter is not allowed (403); grant the client this scope
        encounter   429      -> retry after 4 s: GET /Encounter at ehr: the server answered 429
        encounter   500      -> retry after 300 s: GET /Encounter at ehr: the server answered 500
    "#]].assert_eq(&table);
}

proptest! {
    #[test]
    fn never_panics(
        status in any::<u16>(), body in ".*", state in ".*", settings in ".*", starts_at in any::<i64>(),
        odd in r#"\{"entry":\[\{"resource":\{"resourceType":"(Appointment|Encounter)","(status|start|period)":(7|null|"booked"|"finished"|\{"start":7\})\}\}\]\}"#,
    ) {
        let visit = Visit { starts_at, ..visit() };
        let Ok(Turn::Ask(ask)) = VisitFhir::check(visit.clone(), SETTINGS.into()) else { panic!("no ask") };
        for state in [ask.state.clone(), ask.state.replace("Appointment", "Encounter"), state] {
            for body in [&body, &odd] {
                let _ = VisitFhir::resume(state.clone(), respond(status, &[], body), SETTINGS.into());
                let _ = VisitFhir::resume(state.clone(), respond(200, &[], body), SETTINGS.into());
            }
        }
        let _ = VisitFhir::check(visit, settings);
    }
}
