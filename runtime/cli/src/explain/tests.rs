use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use clap::{Command, CommandFactory as _};
use handoff_engine::error_code::ErrorCode;
use handoff_instance::config::{Config, TEMPLATE};
use serde_json::Value;

use super::{PAGES, page};
use crate::Cli;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn read(path: impl AsRef<Path>) -> String {
    std::fs::read_to_string(root().join(path)).expect("a file of this repository")
}

#[test]
fn every_code_has_a_page_and_every_page_a_code() {
    let codes: Vec<String> = ErrorCode::ALL.iter().map(|(code, title)| format!("{code}: {title}")).collect();
    let titles = PAGES.iter().map(|(code, page)| {
        let title = page.lines().next().and_then(|line| line.strip_prefix("# ")).expect("a title");
        assert!(title.starts_with(&format!("{code}: ")), "{code} shows the page of {title}");
        title.to_string()
    });
    assert_eq!(titles.collect::<Vec<_>>(), codes);
    let files = std::fs::read_dir(root().join("docs/errors")).expect("the pages");
    let files = files.map(|file| file.expect("a file").file_name().to_string_lossy().into_owned());
    let carried: BTreeSet<String> = PAGES.iter().map(|(code, _)| format!("{code}.md")).collect();
    assert_eq!(files.collect::<BTreeSet<_>>(), carried, "a page that the binary does not carry");
}

#[test]
fn a_page_says_how_it_comes_about_how_to_mend_it_and_what_is_safe_meanwhile() {
    for (code, page) in PAGES {
        let headings: Vec<&str> = page.lines().filter(|line| line.starts_with("## ")).collect();
        assert_eq!(headings, ["## How it comes about", "## How to mend it", "## Meanwhile"], "{code}");
        assert!(!fenced(page).is_empty(), "{code} has neither a command nor lines to write");
    }
}

#[test]
fn a_code_is_found_however_it_is_written() {
    for written in ["H0803", "h0803", "803", " H803 "] {
        assert!(page(written).expect(written).starts_with("# H0803: "), "{written}");
    }
    let unknown = page("H0804x").expect_err("no number").to_string();
    assert!(unknown.contains("lists all codes"), "{unknown}");
    let near = page("H0822").expect_err("no such code").to_string();
    assert!(near.contains("H0821, H0820"), "{near}");
}

#[test]
fn every_command_in_a_page_exists() {
    for (code, page) in PAGES {
        for (language, text) in fenced(page) {
            for line in text.lines().filter(|_| language == "sh") {
                let line = line.strip_prefix("sudo -u handoff ").unwrap_or(line);
                if let Some(at) = line.find("handoff ").filter(|at| is_run(&line[..*at])) {
                    exists(&line[at..], code);
                }
            }
        }
        backticked(page).iter().filter(|it| it.starts_with("handoff ")).for_each(|it| exists(it, code));
    }
}

/// What stands before a command's name where it is run: nothing, or a variable.
fn is_run(before: &str) -> bool {
    before.is_empty() || before.ends_with("… ")
}

#[test]
fn every_command_in_a_printed_cure_exists() {
    let mut found = 0;
    for (file, line) in printed() {
        let told = format!("{file}: {line}");
        let cures = backticked(&line).into_iter().filter(|it| it.starts_with("handoff "));
        let bare = line.split_once("help: handoff ").map(|(_, cure)| format!("handoff {cure}"));
        for cure in cures.chain(bare) {
            found += 1;
            exists(cure.split(['\\', '"']).next().unwrap_or_default(), &told);
        }
    }
    assert!(found > 20, "{found} cures were found: are they written otherwise now?");
}

#[test]
fn every_key_in_a_printed_cure_exists() {
    let known = known_keys();
    let is_key = |word: &str| word.chars().all(|it| it.is_ascii_lowercase() || it == '_') && !word.is_empty();
    for (file, line) in printed() {
        for quoted in backticked(&line) {
            let path: Vec<&str> = quoted.split(": ").map(|word| word.trim_end_matches(':')).collect();
            if quoted.ends_with(':') && path.iter().all(|word| is_key(word)) {
                path.iter().for_each(|key| assert!(known.contains(*key), "{file}: there is no key {key}: {line}"));
            }
        }
    }
}

#[test]
fn every_line_of_yaml_in_a_page_can_be_written() {
    let template: Value = serde_saphyr::from_str(TEMPLATE).expect("the template");
    let (known, events) = (known_keys(), events());
    for (code, page) in PAGES {
        for (_, text) in fenced(page).into_iter().filter(|(language, _)| language == "yaml") {
            let lines: Value = serde_saphyr::from_str(&text).unwrap_or_else(|error| panic!("{code}: {error}\n{text}"));
            let top = lines.as_object().expect("keys and values");
            let is_workflow = top.get("format").is_some_and(|format| format == "handoff/workflow@1");
            if !is_workflow && top.keys().all(|key| CONFIG_KEYS.contains(&key.as_str())) {
                let config = serde_json::from_value::<Config>(merged(&template, &lines));
                assert!(config.is_ok(), "{code}: {:?}\n{text}", config.err());
            } else {
                keys_exist(&lines, "", &known, &events, code);
            }
        }
    }
}

const CONFIG_KEYS: &[&str] = &[
    "format",
    "data",
    "workflow",
    "plugins",
    "plugin_keys",
    "unsigned_plugins_because",
    "listen",
    "keys",
    "secrets",
    "endpoints",
    "retention",
    "people",
    "log",
    "traces",
];

/// The template with these lines in place of its own: a page shows whole entries.
fn merged(template: &Value, lines: &Value) -> Value {
    let mut config = template.clone();
    for (key, value) in lines.as_object().expect("a block") {
        match (config.get_mut(key).and_then(Value::as_object_mut), value.as_object()) {
            (Some(block), Some(entries)) => block.extend(entries.clone()),
            (Some(_) | None, Some(_) | None) => config[key] = value.clone(),
        }
    }
    config
}

/// Blocks whose keys a practice names itself.
const NAMED_BY_PRACTICE: &[&str] = &["states", "timers", "letters", "trigger", "outreach", "actions", "resolves"];

fn keys_exist(lines: &Value, parent: &str, known: &BTreeSet<String>, events: &BTreeSet<String>, code: &str) {
    match lines {
        Value::Array(items) => items.iter().for_each(|item| keys_exist(item, parent, known, events, code)),
        Value::Object(block) => {
            for (key, value) in block {
                let is_free = NAMED_BY_PRACTICE.contains(&parent);
                let is_event = events.contains(key) || key.starts_with("timer.");
                assert!(is_free || is_event || known.contains(key), "{code}: there is no key {key} under {parent:?}");
                // What a plugin's settings may say, the plugin knows.
                if key != "settings" {
                    keys_exist(value, key, known, events, code);
                }
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn schema() -> Value {
    serde_json::from_str(&read("workflows/workflow.schema.json")).expect("a schema")
}

/// What can be written in a workflow, a template or the configuration.
fn known_keys() -> BTreeSet<String> {
    let mut known = BTreeSet::new();
    collect(&schema(), &mut |key, value| {
        if key == "properties" {
            known.extend(value.as_object().into_iter().flatten().map(|(key, _)| key.clone()));
        }
    });
    let own: Value = serde_saphyr::from_str(&read("workflows/templates/en.yaml")).expect("a template");
    collect(&own, &mut |key, _| {
        known.insert(key.to_string());
    });
    // The configuration documents some keys in comments.
    let words = TEMPLATE.split(|it: char| !(it.is_ascii_lowercase() || it == '_' || it == ':'));
    known.extend(words.filter_map(|word| word.strip_suffix(':')).map(str::to_string));
    known.extend(["command".to_string(), "env".to_string(), "file".to_string()]);
    known
}

fn events() -> BTreeSet<String> {
    let mut events = BTreeSet::new();
    let mut take = |text: &str| events.extend(text.split_whitespace().map(str::to_string));
    collect(&schema(), &mut |_, value| {
        value.as_array().into_iter().flatten().filter_map(Value::as_str).for_each(&mut take);
    });
    let own: Value = serde_saphyr::from_str(&read("workflows/referral.yaml")).expect("a workflow");
    collect(&own, &mut |key, value| {
        if key == "on" {
            value.as_object().into_iter().flatten().for_each(|(event, _)| take(event));
        }
    });
    events
}

fn collect(value: &Value, each: &mut impl FnMut(&str, &Value)) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| collect(item, each)),
        Value::Object(block) => {
            for (key, value) in block {
                each(key, value);
                collect(value, each);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Lines of our sources that can be printed, with their files.
fn printed() -> Vec<(String, String)> {
    let mut folders = vec![root().join("runtime")];
    let mut lines = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if path.is_dir() {
                if !["tests", "target", "benches"].contains(&name.as_str()) {
                    folders.push(path);
                }
            } else if name.ends_with(".rs") && name != "tests.rs" {
                let text = std::fs::read_to_string(&path).expect("a source");
                let told = text.lines().filter(|line| !line.trim_start().starts_with("//"));
                lines.extend(told.map(|line| (name.clone(), line.to_string())));
            }
        }
    }
    lines
}

/// What stands between fences, with its language.
fn fenced(page: &str) -> Vec<(String, String)> {
    let mut blocks = Vec::new();
    for block in page.split("```").skip(1).step_by(2) {
        let (language, text) = block.split_once('\n').expect("a fence's own line");
        blocks.push((language.to_string(), text.to_string()));
    }
    blocks
}

fn backticked(text: &str) -> Vec<String> {
    let fences_aside = text.split("```").step_by(2);
    fences_aside.flat_map(|text| text.split('`').skip(1).step_by(2)).map(str::to_string).collect()
}

/// Follows a command through its subcommands, and looks for each long flag where it would be read.
fn exists(command: &str, place: &str) {
    let cli = Cli::command();
    let mut at: &Command = &cli;
    let mut words = command.split_whitespace().skip(1).peekable();
    while at.has_subcommands() {
        let Some(word) = words.next_if(|word| !word.starts_with("--")) else { break };
        let found = at.find_subcommand(word);
        if found.is_none() && at.get_positionals().next().is_some() {
            break;
        }
        at = found.unwrap_or_else(|| panic!("{place}: `{command}`: there is no {word} in {}", at.get_name()));
    }
    for word in words {
        let Some(flag) = word.strip_prefix("--") else { continue };
        let flag = flag.split('=').next().unwrap_or_default();
        let known = at.get_arguments().any(|it| it.get_long() == Some(flag)) || ["help", "version"].contains(&flag);
        assert!(known, "{place}: `{command}`: {} has no --{flag}", at.get_name());
    }
}
