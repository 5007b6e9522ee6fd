//! `handoff measure cms50`, through the real binary.

use serde_json::{Value, json};

use super::journal::small_year;
use super::patient::{DECK, cases};
use crate::house::{House, handoff, objects, printed};

fn over_journal(data: &str, more: &[&str]) -> Vec<String> {
    let words = [&["measure", "cms50", "--period", "2026", "--data", data], more].concat();
    words.iter().map(ToString::to_string).collect()
}

fn refused(arguments: &[&str]) -> String {
    let output = handoff(arguments);
    assert!(!output.status.success() && output.stdout.is_empty(), "{arguments:?}");
    String::from_utf8(output.stderr).expect("UTF-8")
}

fn borrowed(words: &[String]) -> Vec<&str> {
    words.iter().map(String::as_str).collect()
}

#[test]
fn a_year_is_told_by_clinician_with_what_is_assumed() {
    let folder = small_year();
    let data = folder.path().to_str().expect("UTF-8");
    let told = printed(&borrowed(&over_journal(data, &[])));
    let rows: Vec<Vec<&str>> = told.lines().map(|line| line.split_whitespace().collect()).collect();
    for row in [
        "Ines Marsh (1999000111) 1 1 1 100 %",
        "Ngozi Okafor (1548236790) 1 1 0 0 %",
        "all 2 2 1 50 %",
        "2026-01-01 to 2026-12-31, days in UTC",
    ] {
        assert!(rows.contains(&row.split(' ').collect()), "{row}: {told}");
    }
    assert!(told.contains("Handoff sees no encounter of the referring practice."), "{told}");
    assert!(!told.contains("P1") && !told.contains("P2"), "a patient: {told}");

    let [result] = objects(&borrowed(&over_journal(data, &["--json"]))).try_into().expect("one object");
    let result: Value = result;
    let all = json!({ "initial-population": 2, "denominator": 2, "numerator": 1 });
    assert_eq!((&result["result"]["populations"], &result["result"]["score"]), (&all, &json!(0.5)));
    assert_eq!(result["result"]["clinicians"][0]["id"], "1999000111");
    assert_eq!(result["result"]["assumed"].as_array().map(Vec::len), Some(4));
}

#[test]
fn a_measure_report_says_who_reports_what_of_which_measure() {
    let folder = small_year();
    let data = folder.path().to_str().expect("UTF-8");
    let report = |more: &[&str]| {
        let [report] = objects(&borrowed(&over_journal(data, more))).try_into().expect("one object");
        let report: Value = report;
        report
    };
    let all = report(&["--fhir", "--reporter", "Larkspur Family Medicine"]);
    assert_eq!((&all["resourceType"], &all["type"]), (&json!("MeasureReport"), &json!("summary")));
    assert_eq!(all["measure"], "https://madie.cms.gov/Measure/CMS50FHIRCRLReceiptofSpecialistReport|0.4.000");
    assert_eq!(all["period"], json!({ "start": "2026-01-01", "end": "2026-12-31" }));
    assert_eq!(all["reporter"], json!({ "type": "Organization", "display": "Larkspur Family Medicine" }));
    assert!(all["text"]["div"].as_str().is_some_and(|div| div.contains("sees no encounter")), "{all}");
    let populations = |report: &Value| -> Vec<(String, u64)> {
        let populations = report["group"][0]["population"].as_array().expect("populations").clone();
        let told = |it: &Value| {
            let code = it["code"]["coding"][0]["code"].as_str().expect("a code").to_string();
            (code, it["count"].as_u64().expect("a count"))
        };
        populations.iter().map(told).collect()
    };
    let expected = |[initial, denominator, numerator]: [u64; 3]| {
        vec![
            ("initial-population".to_string(), initial),
            ("denominator".to_string(), denominator),
            ("numerator".to_string(), numerator),
        ]
    };
    assert_eq!(populations(&all), expected([2, 2, 1]));
    assert_eq!(all["group"][0]["measureScore"]["value"], 0.5);
    let one = report(&["--fhir", "--clinician", "1548236790"]);
    assert_eq!(populations(&one), expected([1, 1, 0]));
    let npi = json!({ "system": "http://hl7.org/fhir/sid/us-npi", "value": "1548236790" });
    assert_eq!((&one["reporter"]["type"], &one["reporter"]["identifier"]), (&json!("Practitioner"), &npi));
    let unknown = refused(&borrowed(&over_journal(data, &["--fhir", "--clinician", "1"])));
    assert!(unknown.starts_with("error[H1204]: "), "{unknown}");
}

#[test]
fn bundles_are_measured_file_by_file_and_whole_folders() {
    let folder = cases();
    let folder = folder.to_str().expect("UTF-8");
    let files: Vec<String> = DECK.iter().map(|(name, _)| format!("{folder}/{name}")).collect();
    let measure = ["measure", "cms50", "--period", "2026-01-01..2026-12-31", "--json", "--bundle"];
    let [by_file] = objects(&[&measure[..], &borrowed(&files)].concat()).try_into().expect("one object");
    let by_file: Value = by_file;
    for ((file, (name, [initial, denominator, numerator])), told) in
        files.iter().zip(DECK).zip(by_file["bundles"].as_array().expect("bundles"))
    {
        let populations = json!({ "initial-population": initial, "denominator": denominator, "numerator": numerator });
        assert_eq!((&told["file"], &told["populations"]), (&json!(file), &populations), "{name}");
    }
    assert_eq!(by_file["populations"], json!({ "initial-population": 4, "denominator": 4, "numerator": 2 }));
    assert_eq!(objects(&[&measure[..], &[folder]].concat())[0]["bundles"], by_file["bundles"]);
    let told = printed(&["measure", "cms50", "--period", "2026", "--bundle", folder]);
    assert!(told.ends_with("6 patients  initial population 4, denominator 4, numerator 2, score 50 %\n"), "{told}");
    assert!(
        told.contains("NUMERFail-ConsRptAfterMP.json  initial population 1, denominator 1, numerator 0\n"),
        "{told}"
    );
    let report = objects(&["measure", "cms50", "--period", "2026", "--fhir", "--bundle", folder]);
    assert_eq!(report[0]["group"][0]["measureScore"]["value"], 0.5);
    assert_eq!(report[0]["text"], Value::Null, "nothing is assumed of a bundle");
}

#[test]
fn what_cannot_be_measured_is_named_with_its_cure() {
    let house = House::empty();
    let file = |name: &str, text: &str| {
        std::fs::write(house.path(name), text).expect("written");
        house.path(name)
    };
    let over = |path: &str| refused(&["measure", "cms50", "--period", "2026", "--bundle", path]);
    let cut = over(&file("cut.json", "{\"resourceType\":\"Bundle\",\"id\":\"Everyman Adam\""));
    assert!(cut.contains("error[H1202]: ") && cut.contains("it is no JSON: line 1, column"), "{cut}");
    assert!(
        cut.contains("--> ") && cut.contains("cut.json") && cut.contains("help: ") && !cut.contains("Everyman"),
        "{cut}"
    );
    let other = over(&file("other.json", "{\"resourceType\":\"Everyman\"}"));
    assert!(other.starts_with("error[H1202]: ") && !other.contains("Everyman"), "{other}");
    let two = r#"{"resourceType":"Bundle","entry":[{"resource":{"resourceType":"Patient","id":"a"}},{"resource":{"resourceType":"Patient","id":"b"}}]}"#;
    let several = over(&file("two.json", two));
    assert!(several.starts_with("error[H1203]: ") && several.contains("it has 2 patients"), "{several}");
    let nothing = over(&house.path("missing.json"));
    assert!(nothing.starts_with("error[H"), "{nothing}");

    std::fs::create_dir(house.path("folder")).expect("a folder");
    let empty = over(&house.path("folder"));
    assert!(empty.starts_with("error[H1202]: ") && empty.contains("has no FHIR bundle"), "{empty}");
    file("folder/a.bundle.json", "{\"resourceType\":\"Bundle\"}");
    file("folder/a.expected.json", "{\"populations\":{}}");
    let beside = handoff(&["measure", "cms50", "--period", "2026", "--bundle", &house.path("folder")]);
    assert!(beside.status.success());
    assert!(String::from_utf8_lossy(&beside.stderr).starts_with("passed over "), "what lies beside is named");

    let month = refused(&["measure", "cms50", "--period", "2026-05", "--bundle", &house.path("folder")]);
    assert!(month.starts_with("error[H1201]: `2026-05` is no measurement period"), "{month}");
    let both = refused(&["measure", "cms50", "--period", "2026", "--data", "x", "--bundle", "y"]);
    assert!(both.contains("cannot be used with"), "{both}");
}

#[test]
fn a_running_instance_is_measured_beside_it() {
    let house = House::new();
    let daemon = house.serve();
    let order = crate::mllp::order(1);
    let answer = crate::mllp::Sender::connect(daemon.mllp).and_then(|mut sender| sender.ask(&order));
    assert_eq!(answer.expect("an answer").code, "AA");
    let authored = house.records().into_iter().find(|it| it["event"]["event"] == "ordered").expect("an order");
    let authored = authored["event"]["order"]["authored_at"].as_str().expect("when it was written").to_string();
    let year = authored.get(..4).expect("a year");
    let [told] = objects(&["measure", "cms50", "--period", year, "--json", "--data", &house.path("data")])
        .try_into()
        .expect("one");
    let told: Value = told;
    let is_in_time = authored.get(5..7).is_some_and(|month| month < "11");
    assert_eq!(told["result"]["populations"]["denominator"], u64::from(is_in_time), "{authored}: {told}");
    assert_eq!(told["result"]["zone"], "America/New_York");
}
