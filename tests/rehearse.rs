//! `handoff rehearse`, through the real binary: what a workflow would do for a practice, and whether another would do better.

use serde_json::Value;
use tempfile::TempDir;

use crate::house::{handoff, printed};
use crate::workflows;

/// Two weeks of orders: enough for a reminder to show, and soon over.
const DAYS: &str = "14";

fn shipped(file: &str) -> String {
    workflows::shipped().join(file).to_str().expect("UTF-8").to_string()
}

/// A folder with a workflow of one's own: the shipped one, changed.
struct Own(TempDir);

impl Own {
    fn with(changes: &[(&str, &str)]) -> Own {
        let folder = TempDir::new().expect("a folder");
        workflows::copy(&workflows::shipped(), folder.path());
        let own = Own(folder);
        let mut text = std::fs::read_to_string(own.workflow()).expect("the recipe");
        for (from, to) in changes {
            assert!(text.contains(from), "the recipe has no longer {from}");
            text = text.replace(from, to);
        }
        std::fs::write(own.workflow(), text).expect("written");
        own
    }

    fn workflow(&self) -> String {
        self.0.path().join("referral.yaml").to_str().expect("UTF-8").to_string()
    }

    fn practice(&self, text: &str) -> String {
        let path = self.0.path().join("mine.yaml");
        std::fs::write(&path, text).expect("written");
        path.to_str().expect("UTF-8").to_string()
    }
}

fn rehearse(arguments: &[&str]) -> Value {
    let told = printed(&[&["rehearse", "--days", DAYS, "--json"][..], arguments].concat());
    serde_json::from_str(&told).expect("JSON")
}

fn refused(arguments: &[&str]) -> String {
    let output = handoff(&[&["rehearse"][..], arguments].concat());
    assert!(!output.status.success(), "{arguments:?} was rehearsed");
    String::from_utf8(output.stderr).expect("UTF-8")
}

fn figure<'r>(report: &'r Value, name: &str) -> &'r Value {
    let figures = report["figures"].as_array().expect("figures");
    figures.iter().find(|figure| figure["figure"] == name).unwrap_or_else(|| panic!("no {name}: {report}"))
}

fn percent(report: &Value, name: &str) -> f64 {
    figure(report, name)["workflow"]["percent"].as_f64().expect("a share")
}

#[test]
fn the_example_is_the_practice_that_is_assumed_without_a_file() {
    let (workflow, practice) = (shipped("referral.yaml"), shipped("practice.yaml"));
    let without = rehearse(&[&workflow]);
    let mut with = rehearse(&[&workflow, "--practice", &practice]);
    let assumptions = with["assumptions"].as_array_mut().expect("assumptions");
    for assumption in assumptions {
        assert_eq!(assumption["default"], false, "{assumption} is not in the example");
        assumption["default"] = true.into();
    }
    assert_eq!(with, without, "the same seed, twice");
    assert!(percent(&without, "confirmed_in_7_days") > 60.0, "{without}");
    assert_eq!(without["caution"].as_str().map(|told| told.contains("assumptions")), Some(true));
    let other = rehearse(&[&workflow, "--seed", "2"]);
    assert_ne!(other["figures"], without["figures"], "other patients");
}

#[test]
fn who_never_answers_is_not_confirmed_and_stalls() {
    let own = Own::with(&[]);
    let practice = own.practice(
        "patients: { self_starting: 0 }\nanswers: { heeded: [0], heeded_after_miss: 0, coordinator_books: 0 }\n",
    );
    let report = rehearse(&[&own.workflow(), "--practice", &practice]);
    assert_eq!(percent(&report, "confirmed_in_7_days"), 0.0, "{report}");
    assert!(percent(&report, "stalled_at_day_14") > 90.0, "{report}");
    assert_eq!(figure(&report, "no_show")["workflow"]["percent"], Value::Null, "nobody had a visit");
}

#[test]
fn without_reminders_a_workflow_does_worse_and_is_told_so() {
    let silent = Own::with(&[
        ("      by-email: { after: 24h }\n", ""),
        ("      day-3: { after: 3d }\n", ""),
        ("      day-7: { after: 7d }\n", ""),
        ("      day-14: { after: 14d }\n", ""),
        (
            "      timer.by-email: { if: 'patient.email != null && patient.email != \"denied\" && (letter == null || letter.channel != \"email\")', do: [send: { letter: first-contact, channel: email }] }\n",
            "",
        ),
        ("      timer.day-3: { do: [send: { letter: reminder-1, channel: sms }] }\n", ""),
        ("      timer.day-7: { do: [send: { letter: reminder-2, channel: sms }] }\n", ""),
        ("      timer.day-14: { do: [send: { letter: last-reminder }] }\n", ""),
    ]);
    let report = rehearse(&[&silent.workflow(), "--against", &shipped("referral.yaml")]);
    let confirmed = &figure(&report, "confirmed_in_7_days")["difference"];
    assert_eq!(confirmed["seen"], "worse", "{report}");
    assert!(confirmed["interval"]["high"].as_f64().is_some_and(|high| high < 0.0), "{confirmed}");
    let texts = report["per_referral"].as_array().and_then(|rows| rows.iter().find(|row| row["what"] == "texts"));
    assert_eq!(texts.expect("texts")["difference"]["seen"], "fewer", "{report}");

    let told = printed(&["rehearse", "--days", "7", &shipped("referral.yaml"), "--against", &silent.workflow()]);
    assert!(told.contains("no difference seen"), "out of network has nothing to do with reminders:\n{told}");
    for word in ["A less B", "Wilson", "nothing of this was measured", "* prices.text_part"] {
        assert!(told.contains(word), "{word} is not in:\n{told}");
    }
    for name in ["Dr.", "555", "MRN", "@", "RF7"] {
        assert!(!told.contains(name), "{name} is in:\n{told}");
    }
}

#[test]
fn a_practice_that_cannot_be_is_refused_with_place_and_cure() {
    let own = Own::with(&[]);
    for (text, place, cure) in [
        ("answers:\n  heded: [1]\n", "mine.yaml:2:3", "help: write `heeded`"),
        ("patients:\n  hear: { texts: 90, mails: 30 }\n", "mine.yaml:2:9", "add up to 100"),
    ] {
        let told = refused(&[&own.workflow(), "--practice", &own.practice(text)]);
        assert!(told.contains(place) && told.contains(cure), "{text}{told}");
    }
}

#[test]
fn a_workflow_that_cannot_be_rehearsed_is_refused_with_reason_and_cure() {
    for (from, to, told) in [
        ("plugin: reply-phrases", "plugin: reply-oracle", "help: bundled are"),
        ("plugin: outreach-twilio", "plugin: outreach-nobody", "outreach-nobody"),
        ("      settings: settings/sms.yaml\n", "", "`settings: settings/sms.yaml`"),
        ("    hl7: { plugin: trigger-hl7v2 }\n", "", "hl7: { plugin: trigger-hl7v2 }"),
        ("start: assessing", "start: nowhere", "referral.yaml:"),
    ] {
        let own = Own::with(&[(from, to)]);
        let refused = refused(&[&own.workflow()]);
        assert!(refused.contains("cannot be rehearsed") && refused.contains(told), "{to}: {refused}");
    }
}

/// Other names for endpoints, sources and vendors, as an instance of one's own has them.
#[test]
fn a_house_of_ones_own_names_is_rehearsed_as_well() {
    let own = Own::with(&[
        ("endpoint: ehr", "endpoint: epic"),
        ("endpoint: sms", "endpoint: twilio"),
        ("    hl7: { plugin", "    interface-engine: { plugin"),
    ]);
    for (file, endpoint) in [("records", "epic"), ("chart", "epic"), ("escalation", "epic"), ("sms", "twilio")] {
        let path = own.0.path().join(format!("settings/{file}.yaml"));
        let text = std::fs::read_to_string(&path).expect("settings");
        std::fs::write(&path, format!("{text}\nendpoint: {endpoint}\n")).expect("written");
    }
    let report = rehearse(&[&own.workflow(), "--against", &shipped("referral.yaml")]);
    for row in report["figures"].as_array().expect("figures") {
        assert_eq!(row["difference"]["seen"], "no-difference", "names change nothing: {row}");
    }
}
