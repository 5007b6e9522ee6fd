//! A chart is asked, answers sealed, and a record comes of it.

#[path = "../../fhir/tests/fhir/sealed.rs"]
mod sealed;

use expect_test::{Expect, expect};
use proptest::prelude::*;
use records_fhir::*;
use sealed::{bundle, found, respond, token};
use serde_json::{Value, json};

const SETTINGS: &str = r#"{"identifier_systems":{"GHH":"http://ghh.example/mrn"}}"#;

fn query(wanted: &[&str]) -> Query {
    Query {
        patient: vec![PatientIdentifier { value: token("mrn1"), authority: "GHH".into(), kind: "MR".into() }],
        wanted: wanted.iter().map(|word| (*word).to_owned()).collect(),
    }
}

fn jane() -> Value {
    json!({
        "resourceType": "Patient", "id": "pat-1",
        "name": [{ "family": "Doe", "given": ["Jane"] }],
        "telecom": [
            { "system": "phone", "use": "home", "value": "+15550100" },
            { "system": "phone", "use": "mobile", "value": "+15550101", "rank": 2 },
            { "system": "email", "value": "jane@example.org", "rank": 1 },
            { "system": "phone", "use": "old", "value": "+15550102" },
            { "system": "fax", "value": "+15550103" },
            { "system": "sms", "value": "" },
            { "value": "+15550104" },
        ],
        "communication": [
            { "language": { "coding": [{ "system": "urn:ietf:bcp:47", "code": "en" }] } },
            { "language": { "coding": [{ "system": "urn:ietf:bcp:47", "code": "es-MX" }] }, "preferred": true },
            { "language": { "coding": [{ "code": "en" }] } },
            { "language": { "text": "Klingon" } },
        ],
        "address": [
            { "use": "old", "postalCode": "10001" },
            { "use": "work", "postalCode": "20002" },
            { "use": "home", "state": "NY", "postalCode": "30003" },
        ],
        "deceasedBoolean": false,
    })
}

fn consent(words: Value) -> Value {
    let mut consent = json!({ "resourceType": "Consent", "id": "c", "status": "active", "scope": { "coding": [{ "code": "patient-privacy" }] } });
    for (name, value) in words.as_object().into_iter().flatten() {
        consent[name] = value.clone();
    }
    consent
}

fn codes(code: &str) -> Value {
    json!([{ "coding": [{ "code": code }] }])
}

/// Answers each ask in turn, sealing what it does not reveal.
fn converse(query: Query, settings: &str, answers: &[Value]) -> Result<Option<PatientRecord>, Failure> {
    let mut turn = RecordsFhir::retrieve(query, settings.to_owned())?;
    for answer in answers {
        match turn {
            Turn::Ask(ask) => {
                turn = RecordsFhir::resume(ask.state, found(answer.clone(), &ask.reveal), settings.to_owned())?
            }
            Turn::Done(_) => panic!("an answer that nobody asked for"),
        }
    }
    match turn {
        Turn::Done(record) => Ok(record),
        Turn::Ask(ask) => panic!("a further question: {:?}", ask.request),
    }
}

fn say(answer: Result<Option<PatientRecord>, Failure>) -> String {
    let record = match answer {
        Ok(Some(record)) => record,
        Ok(None) => return "unknown to the chart".to_owned(),
        Err(Failure::RetryAfter(retry)) => return format!("retry after {} s: {}", retry.seconds, retry.reason),
        Err(Failure::Refused(refusal)) => return format!("refused {}: {}", refusal.code, refusal.reason),
        Err(Failure::Misconfigured(why)) => return format!("misconfigured: {why}"),
        Err(Failure::Other(why)) => return format!("other: {why}"),
    };
    let reaches: Vec<String> =
        record.reaches.iter().map(|reach| format!("{:?} {}", reach.channel, reach.address)).collect();
    let consents: Vec<String> =
        record.consents.iter().map(|consent| format!("{:?} {}", consent.channel, consent.granted)).collect();
    format!(
        "reaches {reaches:?}\nlanguages {:?}\npreferred {:?}\nconsents {consents:?}\ndeceased {}\npostal code {:?}",
        record.languages, record.preferred_channel, record.deceased, record.postal_code
    )
}

fn check_consents(consents: &[(&str, Value)], expected: Expect) {
    let table: String = consents
        .iter()
        .map(|(what, consents)| {
            let consents: Vec<Value> = consents.as_array().cloned().unwrap_or_default();
            let answers = [bundle(&[json!({ "resourceType": "Patient", "id": "pat-1" })]), bundle(&consents)];
            let record = converse(query(&[]), SETTINGS, &answers).expect("a record").expect("a patient");
            let said: Vec<String> = record
                .consents
                .iter()
                .map(|consent| {
                    let channel = consent.channel.map_or("all".to_owned(), |channel| format!("{channel:?}"));
                    format!("{channel} {}", if consent.granted { "yes" } else { "no" })
                })
                .collect();
            format!("{what:32} -> {}\n", said.join(", "))
        })
        .collect();
    expected.assert_eq(&table);
}

#[test]
fn the_minimum_is_asked_for() {
    let turn = RecordsFhir::retrieve(query(&[]), SETTINGS.into());
    let Ok(Turn::Ask(Ask { endpoint, request: Request::Http(request), reveal, .. })) = turn else { panic!("no ask") };
    expect![[r#"
        ehr /Patient [
            Attribute {
                name: "identifier",
                value: "http://ghh.example/mrn|ZPHIA000MRN10000000000000000000000",
            },
            Attribute {
                name: "_elements",
                value: "id,telecom,communication,deceased,address",
            },
            Attribute {
                name: "_count",
                value: "2",
            },
        ]"#]]
    .assert_eq(&format!("{endpoint} {} {:#?}", request.path, request.query));
    for secret in ["name", "value", "birthDate", "line", "city", "postalCode", "resource.id"] {
        assert!(reveal.iter().all(|path| !path.ends_with(secret)), "{secret} is revealed");
    }
}

#[test]
fn a_record_is_made_of_what_arrives_sealed() {
    expect![[r#"
        reaches ["ChannelKind::Email ZPHIA000JANEEXAMPLEORG000000000000", "ChannelKind::Sms ZPHIA00015550101000000000000000000"]
        languages ["es-MX", "en", "ZPHIA000KLINGON0000000000000000000"]
        preferred Some(ChannelKind::Email)
        consents []
        deceased false
        postal code Some("ZPHIA00030003000000000000000000000")"#]].assert_eq(&say(converse(query(&["phone"]), SETTINGS, &[bundle(&[jane()])])));
}

#[test]
fn unmarked_phones_are_texted_only_where_the_practice_says_so() {
    let settings = r#"{"identifier_systems":{"GHH":"http://ghh.example/mrn"},"text_unmarked_phones":true}"#;
    expect![[r#"
        reaches ["ChannelKind::Email ZPHIA000JANEEXAMPLEORG000000000000", "ChannelKind::Sms ZPHIA00015550101000000000000000000", "ChannelKind::Sms ZPHIA00015550100000000000000000000"]
        languages ["es-MX", "en", "ZPHIA000KLINGON0000000000000000000"]
        preferred Some(ChannelKind::Email)
        consents []
        deceased false
        postal code Some("ZPHIA00030003000000000000000000000")"#]].assert_eq(&say(converse(query(&["phone"]), settings, &[bundle(&[jane()])])));
}

#[test]
fn the_dead_are_left_in_peace() {
    for deceased in [json!({ "deceasedBoolean": true }), json!({ "deceasedDateTime": "2026-01-01" })] {
        let mut patient = json!({ "resourceType": "Patient", "id": "pat-1" });
        for (name, value) in deceased.as_object().into_iter().flatten() {
            patient[name] = value.clone();
        }
        let record = converse(query(&[]), SETTINGS, &[bundle(&[patient])]).expect("a record").expect("a patient");
        assert!(record.deceased);
    }
}

#[test]
fn the_patient_has_to_be_one() {
    let other = json!({ "resourceType": "Patient", "id": "pat-2" });
    let outcome = json!({ "resourceType": "OperationOutcome", "issue": [{ "code": "informational" }] });
    let rows = [
        ("nobody", bundle(&[])),
        ("only an outcome", bundle(std::slice::from_ref(&outcome))),
        ("an outcome beside", bundle(&[outcome, json!({ "resourceType": "Patient", "id": "pat-1" })])),
        ("the same twice", bundle(&[jane(), jane()])),
        ("two", bundle(&[jane(), other])),
        ("no id", bundle(&[json!({ "resourceType": "Patient" })])),
        ("no bundle", json!(7)),
    ];
    let table: String = rows
        .into_iter()
        .map(|(what, answer)| {
            let said = say(converse(query(&["phone"]), SETTINGS, &[answer]));
            format!("{what:18} -> {}\n", said.lines().next().unwrap_or_default())
        })
        .collect();
    expect![[r#"
        nobody             -> unknown to the chart
        only an outcome    -> unknown to the chart
        an outcome beside  -> reaches []
        the same twice     -> reaches ["ChannelKind::Email ZPHIA000JANEEXAMPLEORG000000000000", "ChannelKind::Sms ZPHIA00015550101000000000000000000"]
        two                -> refused ambiguous: the patient's numbers belong to more than one Patient in the chart
        no id              -> unknown to the chart
        no bundle          -> other: GET /Patient at ehr: the answer is no FHIR resource
    "#]].assert_eq(&table);
}

#[test]
fn consents_are_read_by_channel() {
    let permit = |code: &str| consent(json!({ "category": codes(code), "provision": { "type": "permit" } }));
    let deny = |code: &str| consent(json!({ "category": codes(code), "provision": { "type": "deny" } }));
    check_consents(
        &[
            ("none", json!([])),
            ("permit sms", json!([permit("sms")])),
            ("permit SMS, other case", json!([permit("SMS")])),
            ("deny sms", json!([deny("text-message")])),
            ("permit all, deny email", json!([permit("contact"), deny("email")])),
            ("permit and deny sms", json!([permit("sms"), deny("sms"), permit("sms")])),
            ("rejected sms", json!([consent(json!({ "status": "rejected", "category": codes("sms") }))])),
            (
                "inactive sms",
                json!([consent(
                    json!({ "status": "inactive", "category": codes("sms"), "provision": { "type": "permit" } })
                )]),
            ),
            (
                "draft sms",
                json!([consent(
                    json!({ "status": "draft", "category": codes("sms"), "provision": { "type": "permit" } })
                )]),
            ),
            (
                "research sms",
                json!([consent(
                    json!({ "scope": { "coding": [{ "code": "research" }] }, "category": codes("sms"), "provision": { "type": "permit" } })
                )]),
            ),
            ("by action", json!([consent(json!({ "provision": { "type": "permit", "action": codes("portal") } }))])),
            (
                "opt-in policy",
                json!([consent(
                    json!({ "category": codes("email"), "policyRule": { "coding": [{ "code": "OPTIN" }] } })
                )]),
            ),
            (
                "opt-out policy",
                json!([consent(
                    json!({ "category": codes("email"), "policyRule": { "coding": [{ "code": "OPTOUT" }] } })
                )]),
            ),
            (
                "opt-in with exception",
                json!([consent(json!({
                    "category": codes("contact"), "policyRule": { "coding": [{ "code": "OPTIN" }] },
                    "provision": { "provision": [{ "type": "deny", "action": codes("sms") }, { "type": "permit", "code": codes("email") }, { "action": codes("portal") }] },
                }))]),
            ),
            ("no verdict", json!([consent(json!({ "category": codes("sms") }))])),
            ("another code", json!([permit("npp")])),
        ],
        expect![[r#"
            none                             -> 
            permit sms                       -> ChannelKind::Sms yes
            permit SMS, other case           -> ChannelKind::Sms yes
            deny sms                         -> ChannelKind::Sms no
            permit all, deny email           -> all yes, ChannelKind::Email no
            permit and deny sms              -> ChannelKind::Sms no
            rejected sms                     -> ChannelKind::Sms no
            inactive sms                     -> 
            draft sms                        -> 
            research sms                     -> 
            by action                        -> ChannelKind::Portal yes
            opt-in policy                    -> ChannelKind::Email yes
            opt-out policy                   -> ChannelKind::Email no
            opt-in with exception            -> all yes, ChannelKind::Sms no, ChannelKind::Email yes
            no verdict                       -> 
            another code                     -> 
        "#]],
    );
}

#[test]
fn a_chart_without_consents_still_has_a_record() {
    let Ok(Turn::Ask(first)) = RecordsFhir::retrieve(query(&["consent"]), SETTINGS.into()) else { panic!("no ask") };
    let Ok(Turn::Ask(second)) =
        RecordsFhir::resume(first.state, found(bundle(&[jane()]), &first.reveal), SETTINGS.into())
    else {
        panic!("no second ask")
    };
    let Request::Http(request) = &second.request else { panic!("no HTTP request") };
    expect![[r#"/Consent ["patient=ZPHIA000PAT10000000000000000000000", "status=active,rejected", "_count=100"]"#]]
        .assert_eq(&format!(
            "{} {:?}",
            request.path,
            request.query.iter().map(|part| format!("{}={}", part.name, part.value)).collect::<Vec<_>>()
        ));
    for (what, response) in [
        ("404", respond(404, &[], "")),
        ("more pages", found(json!({ "resourceType": "Bundle", "link": [{ "relation": "next" }] }), &second.reveal)),
        ("403", respond(403, &[], "")),
    ] {
        let said = match RecordsFhir::resume(second.state.clone(), response, SETTINGS.into()) {
            Ok(Turn::Done(record)) => format!("record {}", record.is_some()),
            Ok(Turn::Ask(_)) => "a further question".to_owned(),
            Err(failure) => say(Err(failure)),
        };
        match what {
            "404" => expect!["record true"].assert_eq(&said),
            "403" => {
                expect!["misconfigured: endpoint ehr: GET /Consent is not allowed (403); grant the client this scope"]
                    .assert_eq(&said)
            }
            _ => expect!["other: the patient has more consents than one page holds"].assert_eq(&said),
        }
    }
}

#[test]
fn failures_of_the_chart_keep_their_kind() {
    let Ok(Turn::Ask(ask)) = RecordsFhir::retrieve(query(&[]), SETTINGS.into()) else { panic!("no ask") };
    let outcome =
        r#"{"resourceType":"OperationOutcome","issue":[{"code":"invalid","diagnostics":"Jane Doe, born 1970"}]}"#;
    let rows = [
        ("404", respond(404, &[], outcome)),
        ("401", respond(401, &[], outcome)),
        ("403", respond(403, &[], outcome)),
        ("429", respond(429, &[("Retry-After", "9")], outcome)),
        ("500", respond(500, &[], outcome)),
        ("400", respond(400, &[], outcome)),
    ];
    let table: String = rows
        .into_iter()
        .map(|(what, response)| match RecordsFhir::resume(ask.state.clone(), response, SETTINGS.into()) {
            Ok(Turn::Done(record)) => format!("{what:8} -> {}\n", say(Ok(record))),
            Ok(Turn::Ask(_)) => format!("{what:8} -> a further question\n"),
            Err(failure) => format!("{what:8} -> {}\n", say(Err(failure))),
        })
        .collect();
    assert!(!table.contains("Jane"));
    expect![[r#"
        404      -> unknown to the chart
        401      -> misconfigured: endpoint ehr: the server refused our credentials (401); check its client id, key and token URL
        403      -> misconfigured: endpoint ehr: GET /Patient is not allowed (403); grant the client this scope
        429      -> retry after 9 s: GET /Patient at ehr: the server answered 429
        500      -> retry after 300 s: GET /Patient at ehr: the server answered 500
        400      -> refused rejected: GET /Patient at ehr: the server answered 400
    "#]].assert_eq(&table);
}

#[test]
fn settings_and_numbers_that_cannot_be_used_are_named() {
    let rows = [
        say(converse(query(&[]), "{", &[])),
        say(converse(query(&[]), r#"{"colour":1}"#, &[])),
        say(converse(query(&[]), "{}", &[])),
        say(converse(Query { patient: vec![], wanted: vec![] }, "{}", &[])),
    ];
    expect![[r#"
        misconfigured: settings of records-fhir: EOF while parsing an object at line 1 column 1
        misconfigured: settings of records-fhir: unknown field `colour`, expected one of `endpoint`, `identifier_systems`, `text_unmarked_phones`, `consent_codes` at line 1 column 9
        misconfigured: identifier_systems: write the FHIR system of one of the patient's authorities: ["GHH"]
        unknown to the chart"#]].assert_eq(&rows.join("\n"));
}

proptest! {
    #[test]
    fn never_panics_on_any_answer(
        status in any::<u16>(), body in ".*", settings in ".*", state in ".*",
        odd in r#"\{"entry":\[\{"resource":\{"resourceType":"(Patient|Consent)","id":"a","(telecom|communication|address|provision|scope)":(7|null|\[\{\}\]|\{"type":7\}|"x")\}\}\]\}"#,
    ) {
        let Ok(Turn::Ask(ask)) = RecordsFhir::retrieve(query(&[]), SETTINGS.into()) else { panic!("no ask") };
        let consents = r#"{"Consents":{"record":{"reaches":[],"languages":[],"preferred_channel":null,"consents":[],"deceased":false,"postal_code":null,"extras":[]}}}"#;
        for state in [ask.state.as_str(), consents, state.as_str()] {
            let _ = RecordsFhir::resume(state.to_owned(), respond(status, &[], &body), SETTINGS.into());
            let _ = RecordsFhir::resume(state.to_owned(), respond(200, &[], &odd), SETTINGS.into());
        }
        let _ = RecordsFhir::retrieve(query(&[]), settings);
    }
}
