//! Any text as a workflow and, after a NUL, as its English templates. Read without a panic; what is taken is taken again
//! and means the same; what is not is told with a place that an editor can go to.
#![no_main]

use std::path::Path;
use std::sync::LazyLock;

use handoff_engine::workflow::{Files, Problem, Workflow};
use libfuzzer_sys::fuzz_target;

const FILE: &str = "workflows/referral.yaml";
const TEMPLATES: &str = "templates/en.yaml";

/// What lies beside the recipe that ships with Handoff: settings, and templates in one language.
static FILES: LazyLock<Files> = LazyLock::new(|| {
    let workflows = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../workflows");
    let settings = std::fs::read_dir(workflows.join("settings")).expect("the recipe's settings");
    let names = settings.map(|entry| format!("settings/{}", entry.expect("a file").file_name().display()));
    let names = names.chain([TEMPLATES.to_owned()]);
    names.map(|name| (name.clone(), std::fs::read_to_string(workflows.join(name)).expect("a text"))).collect()
});

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let mut files = FILES.clone();
    let text = match text.split_once('\0') {
        Some((text, templates)) => {
            files.insert(TEMPLATES.to_owned(), templates.to_owned());
            text
        }
        None => text,
    };
    match (Workflow::parse_with(FILE, text, &files), Workflow::parse_with(FILE, text, &files)) {
        (Ok(workflow), Ok(again)) => {
            assert!(workflow.states.contains_key(&workflow.start), "it begins nowhere");
            assert_eq!(format!("{workflow:?}"), format!("{again:?}"), "the same text means something else");
        }
        (Err(problems), Err(again)) => {
            assert_eq!(problems, again, "the same text has other problems");
            assert!(!problems.is_empty(), "refused, and nothing is wrong");
            for problem in &problems {
                check(problem, if problem.file == FILE { text } else { &files[&problem.file] });
            }
        }
        (Ok(_), Err(_)) | (Err(_), Ok(_)) => panic!("taken once and refused once"),
    }
});

/// Line and column are within the text, or one past its end, where what is missing should stand; or both are 0.
fn check(problem: &Problem, text: &str) {
    assert!(!problem.message.is_empty() && !problem.help.is_empty(), "{problem}");
    if (problem.line, problem.column) == (0, 0) {
        return;
    }
    let text = text.replace("\r\n", "\n");
    let mut lines = text.split(['\r', '\n']);
    let line = usize::try_from(problem.line).ok().and_then(|line| line.checked_sub(1)).and_then(|line| lines.nth(line));
    let columns = line.map_or(0, |line| line.chars().count() as u64 + 1);
    assert!((1..=columns).contains(&problem.column), "{problem}: there is no such place");
}
