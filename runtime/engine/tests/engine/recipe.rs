//! The recipe that ships: it parses, and its scenarios come true.

use std::fs;

use handoff_engine::scenario::Scenario;
use handoff_engine::workflow::Workflow;

use crate::given;

/// Fewer would leave a path of the recipe untold.
const SCENARIOS_MIN: usize = 12;

#[test]
fn every_scenario_comes_true() {
    let deployment = given::recipe();
    let mut count = 0;
    let mut wrong = Vec::new();
    for entry in fs::read_dir(given::workflows().join("scenarios")).expect("the scenarios can be read") {
        let path = entry.expect("a folder entry").path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let text = fs::read_to_string(&path).expect("a scenario can be read");
        match Scenario::parse(&name, &text).and_then(|scenario| scenario.run(&name, &deployment)) {
            Ok(_) => count += 1,
            Err(mismatch) => wrong.push(mismatch.to_string()),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(count >= SCENARIOS_MIN, "only {count} scenarios");
}

#[test]
fn the_published_schema_is_the_readers_own() {
    let schema = serde_json::to_string_pretty(&handoff_engine::workflow::schema()).expect("a schema is written");
    expect_test::expect_file!["../../../../workflows/workflow.schema.json"].assert_eq(&format!("{schema}\n"));
}

/// A visit that is booked while the chart is read, and a state that asks the patient to make one.
#[test]
fn no_letter_of_the_recipe_is_sent_past_what_is_known_and_the_check_says_so_where_one_would_be() {
    let text = given::recipe_text();
    let warnings = |text: &str| -> Vec<String> {
        let workflow = Workflow::parse_with("referral.yaml", text, &given::recipe_files()).expect("it has no problem");
        let said = workflow.warnings("referral.yaml");
        said.iter().map(|warning| warning.as_warning().to_string()).collect()
    };
    assert_eq!(warnings(&text), Vec::<String>::new());
    let looks = "        - if: appointment != null && appointment.status == \"booked\"\n          do: [mark: confirmed, send: visit-booked]\n          to: scheduled\n";
    let blind = text.replacen(looks, "", 1);
    assert_ne!(blind, text);
    let said = warnings(&blind).join("\n");
    assert!(
        said.starts_with(
            "warning[H0039]: an appointment may have become known before `record.found` in state `reading-chart`"
        ),
        "{said}"
    );
}

/// 45 CFR 92.201(c)(3). The recipe's own words have no such translator yet, and say so.
#[test]
fn a_translation_names_who_answers_for_it() {
    let unreviewed = |workflow: &Workflow| workflow.unreviewed_languages().map(str::to_string).collect::<Vec<_>>();
    assert_eq!(unreviewed(&given::recipe().workflow), ["es", "vi", "zh"]);
    let with = |translation: &str| {
        let mut files = given::recipe_files();
        let spanish = files.get_mut("templates/es.yaml").expect("the Spanish templates");
        *spanish = spanish.replacen("language: es\n", &format!("language: es\ntranslation: {translation}\n"), 1);
        Workflow::parse_with("workflows/referral.yaml", &given::recipe_text(), &files)
    };
    let reviewed = with("{ translator: A. Nuñez, reviewed_on: 2026-12-25 }").expect("a workflow");
    assert_eq!(unreviewed(&reviewed), ["vi", "zh"]);
    for (translation, said) in [
        ("{ translator: A. Nuñez, reviewed_on: soon }", "`soon` is no date"),
        ("{ translator: A. Nuñez }", "reviewed_on"),
    ] {
        let problems = with(translation).err().unwrap_or_default();
        assert!(problems.len() == 1 && problems[0].message.contains(said), "{translation}: {problems:?}");
        assert_eq!(problems[0].file, "templates/es.yaml");
    }
}
