//! A site that tells facts in places of its own: what `map` in a trigger's settings says is checked with the workflow, and counts for
//! each message that comes.

use std::path::Path;

use crate::house::{self, House, until};
use crate::mllp::Sender;
use crate::workflows::{copy, shipped};

const MAPPED: &str = "hl7:
      plugin: trigger-hl7v2
      settings:
        map:
          urgency: { from: ZRF-2.1, codes: { U: urgent, S: stat }, default: routine }
          referral_number: { from: ZRF-3, system: SITE }
          consent: { from: \"OBX[OBX-3.1=TEXTOK]-5\", codes: { Y: granted, N: denied } }";

/// The recipe with this in the place of its HL7 trigger.
fn recipe(hl7: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    copy(&shipped(), folder.path());
    let file = folder.path().join("referral.yaml");
    let text = std::fs::read_to_string(&file).expect("the recipe");
    let plain = "hl7: { plugin: trigger-hl7v2 }";
    assert!(text.contains(plain));
    std::fs::write(&file, text.replace(plain, hl7)).expect("written");
    folder
}

fn check(folder: &Path) -> (Option<i32>, String) {
    let output = house::handoff(&["workflow", "check", folder.join("referral.yaml").to_str().expect("UTF-8")]);
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    // What is said of the recipe's translations is not of its settings.
    let faults = told.split("warning: no translator").next().unwrap_or_default();
    (output.status.code(), faults.to_string())
}

#[test]
fn a_wrong_map_fails_the_check_with_every_place_and_cure() {
    let sound = recipe(MAPPED);
    assert_eq!(check(sound.path()), (Some(0), String::new()));
    let wrong = recipe(
        "hl7:
      plugin: trigger-hl7v2
      settings:
        map:
          urgency: { from: ZRF_2, codes: { U: fast } }
          urgancy: ZRF-2
          diagnosis: { from: [DG1-3, \"QQQ-3\"] }
          plan: IN1-2",
    );
    let (code, told) = check(wrong.path());
    assert_eq!(code, Some(1), "{told}");
    let text = std::fs::read_to_string(wrong.path().join("referral.yaml")).expect("the recipe");
    let line = |what: &str| 1 + text.lines().position(|line| line.contains(what)).expect("a line");
    let rows = [
        (
            "ZRF_2",
            "`map.urgency.from`: this is no place in a message: at character 4, `-` is missing",
            "such as `ZRF-2`",
        ),
        ("fast", "`map.urgency.codes.U`: this is no urgency", "help: write routine, urgent, stat"),
        ("urgancy", "`map.urgancy`: this is no fact that can be mapped", "help: write one of: urgency, specialty"),
        (
            "QQQ-3",
            "`map.diagnosis.from.1`: this is no place in a message: at character 1",
            "a site's own begins with Z",
        ),
    ];
    for (wrong, message, cure) in rows {
        let problem = told.split("\n\n").find(|problem| problem.contains(message)).unwrap_or_else(|| panic!("{told}"));
        assert!(problem.starts_with("error[H0024]: settings of trigger.hl7, "), "{problem}");
        assert!(problem.contains(&format!("referral.yaml:{}:", line(wrong))), "{problem}");
        assert!(problem.contains(cure), "{problem}");
    }
    assert!(told.contains("4 problem(s)"), "{told}");
}

#[test]
fn a_wrong_map_is_never_put_in_force() {
    let house = House::new();
    let daemon = house.serve();
    let wrong = recipe("hl7: { plugin: trigger-hl7v2, settings: { map: { urgency: ZRF_2 } } }");
    let file = wrong.path().join("referral.yaml");
    let file = file.to_str().expect("UTF-8");
    let applied =
        house::handoff(&["workflow", "apply", file, "--why", "a map", "--config", &house.path("handoff.yaml")]);
    let told = String::from_utf8_lossy(&applied.stderr).into_owned();
    assert!(!applied.status.success() && told.contains("H0024") && told.contains("map.urgency"), "{told}");
    drop(daemon);
}

#[test]
fn what_a_site_maps_counts_for_its_referrals() {
    let house = House::new();
    house.edit("workflows/referral.yaml", "hl7: { plugin: trigger-hl7v2 }", MAPPED);
    let daemon = house.serve();
    let send = |message: &str| {
        let asked = Sender::connect(daemon.mllp).and_then(|mut sender| sender.ask(message.as_bytes()));
        asked.expect("an answer").code
    };
    let order = format!("{}\rOBX|1|TX|TEXTOK||N\rZRF|1|U|S77\r", sample("22a-order.hl7").trim_end());
    assert_eq!(send(&order), "AA");
    let facts = || {
        let mut steps = house.records().into_iter().filter(|record| record["record"] == "stepped");
        steps.next_back().expect("a step")["referral"]["facts"].clone()
    };
    let facts = facts();
    assert_eq!(facts["order"]["priority"], "urgent");
    assert_eq!(facts["order"]["numbers"].as_array().map(Vec::len), Some(2), "the site's number and RF1-6");
    let reaches = facts["patient"]["reaches"].as_array().expect("addresses").clone();
    assert!(!reaches.is_empty() && reaches.iter().all(|reach| reach["consent"] == "denied"), "{reaches:?}");
    // A code without a meaning is refused with its place, and kept.
    let unknown = order.replace("H22a", "H22z").replace("R5022", "R5029").replace("TEXTOK||N", "TEXTOK||Q");
    assert_eq!(send(&unknown), "AE");
    let dead = until("the dead letter", || house.dead_letters().into_iter().next());
    assert_eq!(dead["what"]["location"], "OBX[OBX-3.1=TEXTOK]-5", "{dead}");
    // The site's number finds the referral again.
    let withdrawn = order.replace("REF^I12", "REF^I14").replace("H22a", "H22y").replace("R5022^NORTHEHR", "");
    assert_eq!(send(&withdrawn), "AA");
    let happened = house.records().into_iter().filter(|record| record["record"] == "happened");
    assert_eq!(happened.filter(|record| record["event"]["event"] == "withdrawn").count(), 1);
}

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/feeds.md");

/// The page for interface analysts cannot lie: its settings are checked, its messages read, and what is printed is what stands there.
#[test]
fn the_page_says_what_happens() {
    let page = std::fs::read_to_string(PAGE).expect("the page");
    let folder = tempfile::tempdir().expect("a folder");
    let mut told = String::new();
    let mut lines = page.lines();
    let (mut settings, mut commands) = (0, 0);
    while let Some(line) = lines.next() {
        told += &format!("{line}\n");
        let Some(kind) = line.strip_prefix("```").filter(|kind| !kind.is_empty()) else { continue };
        let block: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
        match kind.split_once(' ') {
            Some(("yaml", "settings")) => {
                let indented: String = block.iter().map(|line| format!("\n        {line}")).collect();
                let checked = recipe(&format!("hl7:\n      plugin: trigger-hl7v2\n      settings:{indented}"));
                assert_eq!(check(checked.path()), (Some(0), String::new()));
                settings += 1;
            }
            Some(("hl7", file)) => {
                let file = folder.path().join(file);
                std::fs::create_dir_all(file.parent().expect("a folder")).expect("a folder");
                std::fs::write(file, block.join("\r")).expect("written");
            }
            Some(_) | None => {}
        }
        let shown = if kind == "console" {
            let asked = block.iter().filter_map(|line| line.strip_prefix("$ "));
            let told = asked.map(|command| {
                commands += 1;
                let words: Vec<&str> = command.split_whitespace().skip(1).collect();
                let output = std::process::Command::new(env!("CARGO_BIN_EXE_handoff-house"));
                let output = { output }.args(words).current_dir(folder.path()).output().expect("the binary runs");
                assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
                let lines = String::from_utf8(output.stdout).expect("UTF-8");
                let lines: Vec<&str> = lines.lines().map(str::trim_end).collect();
                format!("$ {command}\n{}", lines.join("\n"))
            });
            told.collect::<Vec<_>>().join("\n")
        } else {
            block.join("\n")
        };
        told += &format!("{shown}\n```\n");
    }
    assert!(settings > 0 && commands > 1);
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        return std::fs::write(PAGE, &told).expect("written");
    }
    assert_eq!(told, page, "run the test with UPDATE_EXPECT=1 and read what changed");
}

/// A field sample of the HL7 trigger's, as it came.
fn sample(name: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../plugins/trigger-hl7v2/tests/data/field");
    std::fs::read_to_string(folder.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// What `handoff parse` says of a message in JSON.
fn explained(file: &Path, more: &[&str]) -> serde_json::Value {
    let arguments = [&["parse", file.to_str().expect("UTF-8"), "--explain", "--json"], more].concat();
    serde_json::from_str(&house::printed(&arguments)).expect("an object")
}

/// The value of a fact, and the places that tell it.
fn fact(told: &serde_json::Value, path: &str) -> (String, Vec<String>) {
    let facts = told["explanation"]["facts"].as_array().expect("facts");
    let found = facts.iter().find(|fact| fact["fact"] == path).unwrap_or_else(|| panic!("{path} in {facts:#?}"));
    let places = found["from"].as_array().expect("places").iter();
    let places = places.map(|place| place.as_str().expect("a place").to_string()).collect();
    (found["value"].as_str().expect("a text").to_string(), places)
}

#[test]
fn an_explanation_names_the_place_of_each_fact_after_mapping() {
    let folder = recipe(MAPPED);
    let (workflow, file) = (folder.path().join("referral.yaml"), folder.path().join("order.hl7"));
    let order = format!("{}\rOBX|1|TX|TEXTOK||N\rZRF|x|U|S77|left\r", sample("22a-order.hl7").trim_end());
    std::fs::write(&file, order).expect("written");
    let told = explained(&file, &["--workflow", workflow.to_str().expect("UTF-8")]);
    let rows = [
        ("order.priority", "Urgent", "ZRF-2"),
        ("about.referral.0.value", "S77", "ZRF-3"),
        ("about.referral.1.value", "R5022", "RF1-6.1"),
        ("order.patient.family", "Dunmore", "PID-5.1"),
        ("order.specialty.code", "CAR", "RF1-3.1"),
        ("order.extras.0.value", "denied", "OBX[OBX-3.1=TEXTOK]-5"),
    ];
    for (path, value, place) in rows {
        let (said, places) = fact(&told, path);
        // By its code an OBX is found, and so that tells as well.
        let telling: Vec<&str> = places.iter().map(String::as_str).filter(|place| !place.ends_with("]-3")).collect();
        assert_eq!((said.as_str(), telling), (value, vec![place]), "{path}");
    }
    let listed = |name: &str| -> Vec<String> {
        let places = told["explanation"][name].as_array().expect("places").iter();
        places.map(|place| place.as_str().expect("a place").to_string()).collect()
    };
    assert!(listed("unused").contains(&"ZRF-4".to_string()) && listed("unused").contains(&"ZRF-1".to_string()));
    // Without the map, RF1-2 says how urgent it is, and nothing of ZRF is used.
    let plain = explained(&file, &[]);
    assert_eq!(fact(&plain, "order.priority").1, ["RF1-2.1"]);
    assert!(plain["explanation"]["unused"].as_array().is_some_and(|unused| unused.contains(&"ZRF-2".into())));
    assert!(listed("deciding").contains(&"MSH-10".to_string()), "{told}");
}

#[test]
fn a_resource_is_explained_by_its_paths() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("order.json");
    let order = r##"{"resourceType": "ServiceRequest", "id": "s", "status": "active", "intent": "order", "identifier": [{"value": "R-1"}],
        "extension": [{"url": "urn:u", "valueCode": "U"}, {"url": "urn:x", "valueString": "left"}], "subject": {"reference": "#p"},
        "contained": [{"resourceType": "Patient", "id": "p", "name": [{"family": "Ng"}]}]}"##;
    std::fs::write(&file, order).expect("written");
    let settings = r#"{"map": {"urgency": {"from": "extension[url=urn:u].valueCode", "codes": {"U": "urgent"}}}}"#;
    let told = explained(&file, &["--settings", settings]);
    let places = ["extension[url=urn:u].url", "extension[url=urn:u].valueCode"].map(str::to_string).to_vec();
    assert_eq!(fact(&told, "order.priority"), ("Urgent".to_string(), places));
    assert_eq!(fact(&told, "order.patient.family").1, ["contained.name.family"]);
    let unused = told["explanation"]["unused"].as_array().expect("places");
    assert!(unused.contains(&"extension[url=urn:x].valueString".into()), "{unused:?}");
}

#[test]
fn a_survey_counts_groups_and_names_no_patient() {
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).expect("written");
    let order = format!("{}\rZRF|1|LEFT OVER\r", sample("22a-order.hl7").trim_end());
    write("a.hl7", &order);
    let bad = |number: usize| order.replace("H22a", &format!("B{number}")).replace("R5022^NORTHEHR", "");
    write("night.hl7", &(0..7).map(bad).collect::<Vec<_>>().join("\n"));
    write("lab.hl7", &order.replace("REF^I12^REF_I12", "OUL^R22").replace("H22a", "L1"));
    let path = folder.path().to_str().expect("UTF-8");
    let told = house::printed(&["parse", "--against", path, "--json"]);
    let survey: serde_json::Value = serde_json::from_str(&told).expect("an object");
    assert_eq!((&survey["files"], &survey["messages"]), (&3.into(), &9.into()));
    let kinds = survey["kinds"].as_array().expect("kinds");
    let referrals = kinds.iter().find(|kind| kind["kind"] == "REF^I12").expect("referrals");
    assert_eq!((&referrals["messages"], &referrals["refused"]), (&8.into(), &7.into()));
    assert_eq!(referrals["becomes"]["a referral ordered"], 1);
    let left =
        referrals["left_over"].as_array().expect("places").iter().map(|it| it["place"].as_str()).collect::<Vec<_>>();
    assert_eq!(&left[..2], [Some("ZRF-1"), Some("ZRF-2")]);
    let refused = survey["refused"].as_array().expect("refusals");
    assert_eq!((refused.len(), &refused[0]["count"], &refused[0]["location"]), (1, &7.into(), &"RF1-6".into()));
    assert_eq!(refused[0]["messages"][0], "night.hl7 no. 1 (B0)");
    let words = house::printed(&["parse", "--against", path]);
    assert!(
        words.contains("7  REF^I12, at RF1-6: RF1-6 is empty") && words.contains("not for us: laboratory"),
        "{words}"
    );
    for of_a_patient in ["Dunmore", "Alf", "70221", "Plum Row", "5550157", "W99887766", "1969", "LEFT OVER"] {
        assert!(!told.contains(of_a_patient) && !words.contains(of_a_patient), "{of_a_patient}: {words}");
    }
}
