//! The recipe that ships: it parses, and its scenarios come true.

use std::fs;

use handoff_engine::scenario::Scenario;

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
