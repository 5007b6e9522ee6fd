//! The measure over one patient's bundle: the publisher's own cases, what the definition says at its edges, and what no bundle is.

use std::path::{Path, PathBuf};

use handoff_operations::reports::cms50::{MeasurementYear, NotABundle, in_bundle};
use proptest::prelude::*;
use serde_json::{Value, json};

pub fn cases() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("measure/cases")
}

/// Cases of the test deck of CMS50FHIR v0.4.000, of the period 2026, with the populations that it expects. Kept are the resources that
/// the measure asks for, and codes without their words.
pub const DECK: [(&str, [u64; 3]); 6] = [
    ("DENOMPass-BehavioralNeurospsychAssessment.json", [1, 1, 0]),
    ("IPFail-ReferralAfterRefPeriod.json", [0, 0, 0]),
    ("IPFail-ReferralAfterRefPeriodNextMP.json", [0, 0, 0]),
    ("NUMERFail-ConsRptAfterMP.json", [1, 1, 0]),
    ("NUMERPass-1stOf2ReferralWithConsultantReport.json", [1, 1, 1]),
    ("NUMERPass-2Referrals1MinApartBothClosed.json", [1, 1, 1]),
];

fn year(text: &str) -> MeasurementYear {
    text.parse().expect("a year")
}

fn measured(bundle: &Value) -> [u64; 3] {
    let counts = in_bundle(bundle.to_string().as_bytes(), year("2026")).expect("a bundle");
    [counts.initial_population, counts.denominator, counts.numerator]
}

#[test]
fn the_publishers_cases_come_out_as_they_expect() {
    for (name, expected) in DECK {
        let text = std::fs::read_to_string(cases().join(name)).expect("a case");
        let bundle: Value = serde_json::from_str(&text).expect("JSON");
        assert_eq!(measured(&bundle), expected, "{name}");
        // As the deck has them: the same once more in a bundle of the bundle.
        let mut twice = bundle.clone();
        twice["entry"].as_array_mut().expect("entries").push(json!({ "resource": bundle }));
        assert_eq!(measured(&twice), expected, "{name}, nested");
        assert_eq!(
            measured(&json!({ "resourceType": "Bundle", "entry": [{ "resource": bundle }] })),
            expected,
            "{name}"
        );
    }
    let files = std::fs::read_dir(cases()).expect("the cases");
    assert_eq!(files.count(), DECK.len(), "a case without its line");
}

const CPT: &str = "http://www.ama-assn.org/go/cpt";
const SNOMED_CT: &str = "http://snomed.info/sct";
const LOINC: &str = "http://loinc.org";

fn coded(system: &str, code: &str) -> Value {
    json!({ "coding": [{ "system": system, "code": code }] })
}

/// Seen on March 2, referred that day, and the report came on April 20, in New York.
fn closed() -> Value {
    json!({ "resourceType": "Bundle", "type": "collection", "entry": [
        { "resource": { "resourceType": "Patient", "id": "p" } },
        { "resource": {
            "resourceType": "Encounter", "id": "e", "status": "finished", "type": [coded(CPT, "99213")],
            "period": { "start": "2026-03-02T09:00:00-05:00", "end": "2026-03-02T09:20:00-05:00" },
        } },
        { "resource": {
            "resourceType": "ServiceRequest", "id": "r", "status": "active", "intent": "order",
            "code": coded(SNOMED_CT, "103696004"), "authoredOn": "2026-03-02T09:15:00-05:00",
        } },
        { "resource": {
            "resourceType": "Task", "id": "t", "status": "completed", "intent": "order", "code": coded(LOINC, "11488-4"),
            "basedOn": [{ "reference": "ServiceRequest/r" }],
            "executionPeriod": { "start": "2026-04-01T08:00:00-04:00", "end": "2026-04-20T10:00:00-04:00" },
        } },
    ] })
}

const ENCOUNTER: usize = 1;
const REFERRAL: usize = 2;
const REPORT: usize = 3;

const NOBODY: [u64; 3] = [0, 0, 0];
const OPEN: [u64; 3] = [1, 1, 0];
const CLOSED: [u64; 3] = [1, 1, 1];

/// The closed loop, with one element of one of its resources as given.
fn with(place: usize, element: &str, value: Value) -> Value {
    let mut bundle = closed();
    bundle["entry"][place]["resource"][element] = value;
    bundle
}

fn and(mut bundle: Value, resource: Value) -> Value {
    bundle["entry"].as_array_mut().expect("entries").push(json!({ "resource": resource }));
    bundle
}

fn check(rows: &[(&str, Value, [u64; 3])]) {
    for (says, bundle, expected) in rows {
        assert_eq!(measured(bundle), *expected, "{says}");
    }
}

#[test]
fn an_encounter_is_a_finished_visit_within_the_year() {
    let (coded_as, status) = (|it| with(ENCOUNTER, "type", it), |it| with(ENCOUNTER, "status", json!(it)));
    let period = |start: Value, end: Value| with(ENCOUNTER, "period", json!({ "start": start, "end": end }));
    check(&[
        ("the closed loop", closed(), CLOSED),
        ("of a second type", coded_as(json!([coded(CPT, "1"), coded(SNOMED_CT, "66902005")])), CLOSED),
        ("an office visit that needs no physician", coded_as(json!([coded(CPT, "99211")])), NOBODY),
        ("a code of another system", coded_as(json!([coded(SNOMED_CT, "99213")])), NOBODY),
        ("a code without its system", coded_as(json!([{ "coding": [{ "code": "99213" }] }])), NOBODY),
        ("an intervention's code is no visit's", coded_as(json!([coded(CPT, "96116")])), NOBODY),
        ("nor one that the measure names", coded_as(json!([coded(CPT, "90839")])), NOBODY),
        ("in progress", status("in-progress"), NOBODY),
        ("without a status", with(ENCOUNTER, "status", Value::Null), NOBODY),
        (
            "from the first second to the last",
            period(json!("2026-01-01T00:00:00Z"), json!("2026-12-31T23:59:59Z")),
            CLOSED,
        ),
        (
            "days are those of its own offset",
            period(json!("2026-01-01T00:00:00+14:00"), json!("2026-12-31T23:00:00-10:00")),
            CLOSED,
        ),
        ("into the next year", period(json!("2026-12-31"), json!("2027-01-01")), NOBODY),
        ("from the last", period(json!("2025-12-31"), json!("2026-01-01")), NOBODY),
        ("known to the day", period(json!("2026-12-31"), json!("2026-12-31")), CLOSED),
        ("known to the month, within", period(json!("2026-05"), json!("2026-06")), CLOSED),
        ("known to a month that the year begins with", period(json!("2026-01"), json!("2026-01-20")), NOBODY),
        ("known to the year", period(json!("2026"), json!("2026")), NOBODY),
        ("not ended", period(json!("2026-03-02"), Value::Null), NOBODY),
        ("not begun", period(Value::Null, json!("2026-03-02")), NOBODY),
        ("ended before it began", period(json!("2026-03-02"), json!("2026-03-01")), NOBODY),
        ("on no day", period(json!("2026-02-30"), json!("2026-03-01")), NOBODY),
        ("without a period", with(ENCOUNTER, "period", Value::Null), NOBODY),
        (
            "with a modifier that nobody knows",
            with(ENCOUNTER, "modifierExtension", json!([{ "url": "urn:x" }])),
            NOBODY,
        ),
    ]);
}

#[test]
fn a_completed_intervention_stands_for_an_encounter() {
    let instead = |procedure: Value| and(with(ENCOUNTER, "status", json!("planned")), procedure);
    let procedure = |code: Value, status: &str, element: &str, when: Value| {
        instead(json!({ "resourceType": "Procedure", "id": "i", "status": status, "code": code, element: when }))
    };
    let at = |code: &str| procedure(coded(CPT, code), "completed", "performedDateTime", json!("2026-02-03"));
    let performed = |element: &str, when: Value| procedure(coded(CPT, "96156"), "completed", element, when);
    check(&[
        ("a neurobehavioral status exam", at("96116"), CLOSED),
        (
            "neuropsychological testing",
            procedure(coded(SNOMED_CT, "307808008"), "completed", "performedDateTime", json!("2026-02-03")),
            CLOSED,
        ),
        ("a diagnostic evaluation", at("90792"), CLOSED),
        ("each that the measure names", at("96112"), CLOSED),
        ("each that the measure names", at("96136"), CLOSED),
        ("each that the measure names", at("96138"), CLOSED),
        ("each that the measure names", at("90839"), CLOSED),
        ("the next half hour of one is none", at("96137"), NOBODY),
        ("an office visit is none", at("99213"), NOBODY),
        (
            "one that was not done",
            procedure(coded(CPT, "96156"), "not-done", "performedDateTime", json!("2026-02-03")),
            NOBODY,
        ),
        ("over a period", performed("performedPeriod", json!({ "start": "2026-01-01", "end": "2026-01-02" })), CLOSED),
        ("over a period that goes on", performed("performedPeriod", json!({ "start": "2026-01-01" })), NOBODY),
        ("in another year", performed("performedDateTime", json!("2025-12-31T23:59:59-05:00")), NOBODY),
        ("at a time in words", performed("performedString", json!("in February")), NOBODY),
    ]);
}

#[test]
fn only_the_first_referral_of_the_first_ten_months_counts() {
    let (status, intent) = (|it| with(REFERRAL, "status", json!(it)), |it| with(REFERRAL, "intent", json!(it)));
    let authored = |it| with(REFERRAL, "authoredOn", json!(it));
    let second = |id: &str, authored: &str| {
        json!({
            "resourceType": "ServiceRequest", "id": id, "status": "active", "intent": "order",
            "code": coded(SNOMED_CT, "306253008"), "authoredOn": authored,
        })
    };
    check(&[
        ("completed", status("completed"), CLOSED),
        ("revoked", status("revoked"), NOBODY),
        ("on hold", status("on-hold"), NOBODY),
        ("a plan", intent("plan"), NOBODY),
        ("an original order, which is a kind of order", intent("original-order"), NOBODY),
        ("to be done by nobody", with(REFERRAL, "doNotPerform", json!(true)), NOBODY),
        ("to be done", with(REFERRAL, "doNotPerform", json!(false)), CLOSED),
        ("of something else", with(REFERRAL, "code", coded(SNOMED_CT, "71388002")), NOBODY),
        ("on October 31", authored("2026-10-31T23:59:59-05:00"), OPEN),
        ("on November 1 at sea, October 31 in London", authored("2026-11-01T00:30:00+14:00"), NOBODY),
        ("on November 1", authored("2026-11-01"), NOBODY),
        ("in October", authored("2026-10"), NOBODY),
        ("in September, and the report came in April", authored("2026-09"), OPEN),
        ("in the year", authored("2026"), NOBODY),
        ("at no time", with(REFERRAL, "authoredOn", Value::Null), NOBODY),
        ("a later one changes nothing", and(closed(), second("later", "2026-03-03")), CLOSED),
        ("an earlier one counts instead", and(closed(), second("earlier", "2026-03-01")), OPEN),
        ("one of last year does not", and(closed(), second("earlier", "2025-12-31")), CLOSED),
        ("a minute earlier, by another clock", and(closed(), second("earlier", "2026-03-02T14:14:00Z")), OPEN),
        ("a minute later, by another clock", and(closed(), second("later", "2026-03-02T16:16:00+02:00")), CLOSED),
    ]);
    let both = and(closed(), second("earlier", "2026-03-01"));
    let report = json!({
        "resourceType": "Task", "id": "u", "status": "completed", "code": coded(LOINC, "34099-2"),
        "basedOn": [{ "reference": "https://ehr.example/fhir/ServiceRequest/earlier" }],
        "executionPeriod": { "end": "2026-05-01" },
    });
    check(&[("both reported", and(both, report), CLOSED)]);
}

#[test]
fn a_report_is_a_completed_task_that_ends_after_its_order_and_within_the_year() {
    let (status, code) = (|it| with(REPORT, "status", json!(it)), |it| with(REPORT, "code", it));
    let based_on = |it: &str| with(REPORT, "basedOn", json!([{ "reference": it }]));
    let period = |start: Value, end: Value| with(REPORT, "executionPeriod", json!({ "start": start, "end": end }));
    let ends = |it: &str| period(Value::Null, json!(it));
    check(&[
        ("failed", status("failed"), OPEN),
        ("a SNOMED report", code(coded(SNOMED_CT, "371530004")), CLOSED),
        ("a discharge summary", code(coded(LOINC, "18842-5")), OPEN),
        ("of another order", based_on("ServiceRequest/x"), OPEN),
        ("of the order by its address", based_on("https://ehr.example/fhir/ServiceRequest/r"), CLOSED),
        ("of the order by its id alone", based_on("r"), CLOSED),
        ("of a version of the order, whose last part is another", based_on("ServiceRequest/r/_history/2"), OPEN),
        (
            "of several orders",
            with(REPORT, "basedOn", json!([{}, { "reference": "a/x" }, { "reference": "a/r" }])),
            CLOSED,
        ),
        ("of none", with(REPORT, "basedOn", Value::Null), OPEN),
        ("begun at no time", ends("2026-04-20T10:00:00Z"), CLOSED),
        ("not ended", period(json!("2026-04-20"), Value::Null), OPEN),
        ("over before it began", period(json!("2026-05-01"), json!("2026-04-20")), OPEN),
        ("on December 31", ends("2026-12-31T23:59:59.999-05:00"), CLOSED),
        ("on January 1", ends("2027-01-01T00:00:00-05:00"), OPEN),
        ("on January 1 at sea, December 31 in London", ends("2027-01-01T00:30:00+14:00"), OPEN),
        ("before the order", ends("2026-03-02T09:14:59-05:00"), OPEN),
        ("with the order", ends("2026-03-02T09:15:00-05:00"), OPEN),
        ("a second after it, by another clock", ends("2026-03-02T14:15:01Z"), CLOSED),
        ("a thousandth after it", ends("2026-03-02T14:15:00.001Z"), CLOSED),
        ("on its day, at no hour", ends("2026-03-02"), OPEN),
        ("on the next day", ends("2026-03-03"), CLOSED),
        ("in its month", ends("2026-03"), OPEN),
        ("in the next month", ends("2026-04"), CLOSED),
        ("with a modifier that nobody knows", with(REPORT, "modifierExtension", json!([{ "url": "urn:x" }])), OPEN),
        ("of an order without an id", with(REFERRAL, "id", Value::Null), OPEN),
        ("of a patient who was not seen", with(ENCOUNTER, "status", json!("cancelled")), NOBODY),
    ]);
}

#[test]
fn what_is_no_bundle_of_one_patient_is_said_to_be_none() {
    let fault = |text: &str| in_bundle(text.as_bytes(), year("2026")).expect_err("no bundle");
    assert_eq!(fault("{\n  \"resourceType\": \"Bundle\","), NotABundle::Json { line: 2, column: 27 });
    assert_eq!(fault(""), NotABundle::Json { line: 1, column: 0 });
    assert_eq!(fault("[]"), NotABundle::OtherContent);
    assert_eq!(fault(r#"{"resourceType":"Patient"}"#), NotABundle::OtherContent);
    assert_eq!(fault(&"[".repeat(100_000)), NotABundle::Json { line: 1, column: 128 });
    let two = and(closed(), json!({ "resourceType": "Patient", "id": "q" }));
    assert_eq!(fault(&two.to_string()), NotABundle::Patients(2));
    assert_eq!(measured(&json!({ "resourceType": "Bundle" })), NOBODY);
    // As it stands outermost: what a nested bundle says of the same resource is an older copy.
    let mut older = with(REFERRAL, "status", json!("revoked"));
    older["entry"].as_array_mut().expect("entries").remove(0);
    assert_eq!(measured(&and(closed(), older)), CLOSED);
}

#[test]
fn a_period_is_a_calendar_year() {
    assert_eq!(year("2026"), year("2026-01-01..2026-12-31"));
    let ends = |year: MeasurementYear| {
        [year.first_day(), year.last_day_of_referrals(), year.last_day()].map(|day| day.to_string())
    };
    assert_eq!(ends(year("2028")), ["2028-01-01", "2028-10-31", "2028-12-31"]);
    for text in [
        "",
        "26",
        "0000",
        "20260",
        "２０２６",
        "2026-01",
        "2026-01-01",
        "2026-01-01..2026-06-30",
        "2026-01-01..2027-12-31",
        "2026-07-01..2027-06-30",
        "2026..2026",
        "-026",
    ] {
        assert!(text.parse::<MeasurementYear>().is_err(), "{text}");
    }
}

/// What the reader looks for, so that what is drawn comes further than its first line.
fn any_json() -> impl Strategy<Value = Value> {
    const WORDS: [&str; 30] = [
        "resourceType",
        "Bundle",
        "Patient",
        "Encounter",
        "Procedure",
        "ServiceRequest",
        "Task",
        "entry",
        "resource",
        "id",
        "status",
        "intent",
        "code",
        "type",
        "coding",
        "system",
        "period",
        "start",
        "end",
        "authoredOn",
        "executionPeriod",
        "basedOn",
        "reference",
        "performedDateTime",
        "finished",
        "completed",
        "order",
        "2026",
        "2026-02-30T24:61:61+99:99",
        "9999-12-31T23:59:59Z",
    ];
    let word = proptest::sample::select(&WORDS[..]).prop_map(str::to_string);
    let text = prop_oneof![word.clone(), "\\PC{0,12}", "[0-9T:+Z.-]{0,30}"];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        text.prop_map(Value::from)
    ];
    leaf.prop_recursive(6, 64, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::vec((word.clone(), inner), 0..6)
                .prop_map(|pairs| Value::Object(pairs.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn no_json_makes_it_panic_and_nobody_is_counted_more_than_once(value in any_json(), place in 0..4usize, element in 0..8usize) {
        let elements = ["type", "period", "status", "code", "authoredOn", "executionPeriod", "basedOn", "id"];
        for text in [value.to_string(), with(place, elements[element], value.clone()).to_string(), and(closed(), value).to_string()] {
            if let Ok(counts) = in_bundle(text.as_bytes(), year("2026")) {
                prop_assert!(counts.numerator <= counts.denominator);
                prop_assert!(counts.denominator == counts.initial_population && counts.initial_population <= 1);
            }
        }
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
        let _any_answer = in_bundle(&bytes, year("2026"));
    }
}
