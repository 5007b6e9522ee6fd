//! Labelled replies in four languages, the costly mistakes among them, and arbitrary text.

#[path = "replies/rows.rs"]
#[allow(dead_code)]
mod rows;

use proptest::prelude::*;
use reply_phrases::meaning::{Asked, Meaning};
use reply_phrases::reading;
use reply_phrases::settings::Settings;
use rows::{Half, Matrix, Row, asked, name, plain};
use std::collections::BTreeMap;

const SAMPLES: &str = include_str!("data/sample.jsonl");
const TUNING: &str = include_str!("data/tuning.jsonl");
const BLIND: &str = include_str!("data/blind.jsonl");
const SECOND: &str = include_str!("data/second.jsonl");
const THIRD: &str = include_str!("data/third.jsonl");

/// `REPLY_PHRASES_SHOW=1` shows the rows that are read otherwise than labelled.
fn measure(rows: &str, half: Half) -> BTreeMap<String, Matrix> {
    let mut scores: BTreeMap<String, Matrix> = BTreeMap::new();
    let show = half == Half::Tuned && std::env::var_os("REPLY_PHRASES_SHOW").is_some();
    for row in rows.lines().map(Row::parse).filter(|row| row.half == half) {
        let verdict = row.read();
        scores.entry(row.language.clone()).or_default().add(&row, &verdict);
        let read = name(verdict.meaning);
        if show && !row.right().contains(&read) {
            let (asked, right, rule) = (row.asked(), row.right(), verdict.rule);
            println!("{} {asked} | {} | {right:?} -> {read} ({rule})", row.language, row.text);
        }
    }
    scores
}

fn at_least(rows: &str, half: Half, percent: usize) {
    for (language, score) in measure(rows, half) {
        assert!(score.right * 100 >= score.rows * percent, "{language}: {} of {}", score.right, score.rows);
    }
}

#[test]
fn samples_are_understood() {
    at_least(SAMPLES, Half::Tuned, 98);
}

#[test]
fn tuning_rows_are_understood() {
    at_least(TUNING, Half::Tuned, 95);
}

/// Written after the first phrases, to measure them; read since.
#[test]
fn blind_rows_are_understood() {
    at_least(BLIND, Half::Tuned, 93);
}

#[test]
fn second_rows_are_understood() {
    at_least(SECOND, Half::Tuned, 97);
}

/// The half that shaped neither the phrases nor the voter.
#[test]
fn untouched_rows_are_understood() {
    at_least(SECOND, Half::Untouched, 92);
}

/// Mostly opt-outs and emergencies in many wordings, and what only looks like them.
#[test]
fn third_rows_are_understood() {
    at_least(THIRD, Half::Tuned, 96);
}

#[test]
fn nobody_is_opted_out_or_confirmed_by_mistake() {
    for (rows, half) in [
        (SAMPLES, Half::Tuned),
        (TUNING, Half::Tuned),
        (BLIND, Half::Tuned),
        (SECOND, Half::Tuned),
        (THIRD, Half::Tuned),
        (SECOND, Half::Untouched),
    ] {
        for (language, score) in measure(rows, half) {
            assert_eq!((score.falsely("opt-out"), score.falsely("confirm")), (0, 0), "{language}");
        }
    }
}

fn read(text: &str, language: &str, question: &str) -> &'static str {
    name(reading::read(text, language, asked(question), &plain()).meaning)
}

#[test]
fn costly_mistakes_are_not_made() {
    for (text, language, question, expected) in [
        ("STOP", "vi", "reminder", "opt-out"),
        ("ＳＴＯＰ", "en", "info", "opt-out"),
        ("I'll come but stop texting", "en", "confirm-visit", "opt-out"),
        ("can my wife stop in", "en", "schedule", "question"),
        ("cancel", "en", "reminder", "opt-out"),
        ("停止", "zh", "reminder", "opt-out"),
        ("dừng", "vi", "reminder", "opt-out"),
        ("đúng", "vi", "reminder", "confirm"),
        ("yes", "en", "confirm-visit", "confirm"),
        ("yes", "en", "no-show-follow-up", "unclear"),
        ("don't stop texting me", "en", "info", "opt-in"),
        ("I want to kill myself, and stop texting me", "en", "reminder", "emergency"),
        ("maybe, I'll try", "en", "confirm-visit", "unclear"),
        ("", "en", "info", "unclear"),
    ] {
        assert_eq!(read(text, language, question), expected, "{text:?} in {language} after {question}");
    }
}

#[test]
fn a_clinic_adds_phrases() {
    let settings = r#"{"phrases": [{"language": "en", "intent": "confirm", "text": "see ya there"}]}"#;
    let settings = Settings::read(settings).expect("good settings");
    let verdict = reading::read("aight SEE YA there!", "en", Asked::Reminder, &settings);
    assert_eq!((verdict.meaning, verdict.rule), (Meaning::Confirm, "phrase of the clinic"));
    let verdict = reading::read("see ya there, but stop texting me", "en", Asked::Reminder, &settings);
    assert_eq!(verdict.meaning, Meaning::OptOut);
}

#[test]
fn settings_that_cannot_be_used_name_their_key() {
    for (settings, key) in [
        (r#"{"phrase": []}"#, "phrase"),
        (r#"{"confidence": 101}"#, "settings.confidence"),
        (r#"{"phrases": [{"language": "fr", "intent": "confirm", "text": "oui"}]}"#, "settings.phrases[0].language"),
        (r#"{"phrases": [{"language": "en", "intent": "yes", "text": "yo"}]}"#, "settings.phrases[0].intent"),
        (r#"{"phrases": [{"language": "en", "intent": "confirm", "text": "!"}]}"#, "settings.phrases[0].text"),
    ] {
        let mistake = Settings::read(settings).err().unwrap_or_default();
        assert!(mistake.contains(key), "{settings}: {mistake}");
    }
}

/// What one reply costs natively; a bound far above it, so that a busy machine does not fail the test.
#[test]
fn a_reply_costs_little() {
    let text = "Sorry I won't be able to come Wednesday, is there another slot next week? My car broke down";
    let began = std::time::Instant::now();
    for _ in 0..1_000 {
        let verdict = reading::read(text, "en", Asked::Reminder, &plain());
        assert_ne!(verdict.meaning, Meaning::Confirm);
    }
    let each = began.elapsed() / 1_000;
    println!("{each:?} for {} characters", text.len());
    assert!(each < std::time::Duration::from_millis(5), "{each:?}");
}

proptest! {
    #[test]
    fn any_text_is_read_twice_alike(text in any::<String>(), language in "[a-z]{0,3}") {
        let read = || reading::read(&text, &language, Asked::Reminder, &plain());
        prop_assert_eq!(read(), read());
    }

    #[test]
    fn any_words_are_read(words in prop::collection::vec("stop|no|không|không|能|不|sí|chest|pain|[?.,!]|\\PC", 0..60)) {
        let verdict = reading::read(&words.join(" "), "en", Asked::ConfirmVisit, &plain());
        prop_assert!(verdict.confidence <= 100);
    }
}
