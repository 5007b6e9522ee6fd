//! The recipe as shipped is sound, and a fault in it is shown with its place and its cure.

use std::path::{Path, PathBuf};

use crate::house::{handoff, printed};

/// The folder of the recipe.
pub fn shipped() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../workflows")
}

pub fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("a folder");
    for entry in std::fs::read_dir(from).expect("a folder") {
        let entry = entry.expect("an entry");
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).expect("a copy");
        }
    }
}

#[test]
fn the_recipe_has_no_problems_and_plays_every_scenario() {
    let told = printed(&["workflow", "check", shipped().join("referral.yaml").to_str().expect("UTF-8")]);
    assert!(told.lines().next().is_some_and(|line| line.ends_with("no problems")), "{told}");
    let scenarios = std::fs::read_dir(shipped().join("scenarios")).expect("scenarios");
    for scenario in scenarios {
        let name = scenario.expect("a scenario").file_name();
        let name = name.to_str().expect("UTF-8");
        assert!(told.lines().any(|line| line.contains('✓') && line.ends_with(name)), "{name} was not played:\n{told}");
    }
}

#[test]
fn each_fault_is_shown_with_file_line_column_and_cure() {
    let rows = [
        ("    hl7: { plugin: trigger-hl7v2 }", "    hl7: { plug: trigger-hl7v2 }", "H0003", "write `plugin`"),
        ("format: handoff/workflow@1", "format: handoff/workflow@9", "H0006", "handoff/workflow@1"),
        ("stages:\n", "stages: [\n", "H0001", ""),
    ];
    for (sound, faulty, code, cure) in rows {
        let folder = tempfile::tempdir().expect("a folder");
        copy(&shipped(), folder.path());
        let file = folder.path().join("referral.yaml");
        let text = std::fs::read_to_string(&file).expect("the recipe");
        let line = 1 + text[..text.find(sound).expect("a line of the recipe")].matches('\n').count();
        std::fs::write(&file, text.replacen(sound, faulty, 1)).expect("written");
        let output = handoff(&["workflow", "check", file.to_str().expect("UTF-8")]);
        let told = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{faulty}: {told}");
        let problem = told.split("\n\n").find(|problem| problem.starts_with(&format!("error[{code}]")));
        let problem = problem.unwrap_or_else(|| panic!("{faulty}: {told}"));
        let after = |mark: &str| problem.lines().find_map(|line| line.trim().strip_prefix(mark)).expect("its line");
        let place: Vec<&str> = after("--> ").rsplitn(3, ':').collect();
        let number = |text: &str| text.parse::<usize>().expect("a number");
        assert!(place[2].ends_with("referral.yaml"), "{problem}");
        // A bracket that is never closed is noticed where it should have been.
        assert!(number(place[1]) >= line && number(place[0]) >= 1, "{faulty} stands on line {line}: {problem}");
        let help = after("help: ");
        assert!(help.contains(cure) && !help.is_empty(), "{problem}");
    }
}

#[test]
fn a_scenario_that_does_not_hold_is_shown_and_fails_the_check() {
    let folder = tempfile::tempdir().expect("a folder");
    copy(&shipped(), folder.path());
    let scenario = folder.path().join("scenarios/happy-path.txt");
    let text = std::fs::read_to_string(&scenario).expect("a scenario");
    assert!(text.contains("closed"), "{text}");
    std::fs::write(&scenario, text.replace("closed", "stalled")).expect("written");
    let output = handoff(&["workflow", "check", folder.path().join("referral.yaml").to_str().expect("UTF-8")]);
    let told = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert!(told.lines().any(|line| line.contains('✗') && line.ends_with("happy-path.txt")), "{told}");
}
