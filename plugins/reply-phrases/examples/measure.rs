//! Measures the parser on labelled replies: `cargo run -p reply-phrases --example measure -- [--show] FILE.jsonl …`.
//!
//! A row is `{"last_outbound": {"language", "asked"}, "text", "language", "intent"}`, as in `tests/data`, or
//! `{"asked", "text", "language", "ok": [intents]}`. `--show` also prints each row that is read otherwise than labelled.

#[path = "../tests/replies/rows.rs"]
#[allow(dead_code)]
mod rows;

use rows::{Half, Matrix, Row};
use std::collections::BTreeMap;
use std::process::ExitCode;

fn main() -> ExitCode {
    let (flags, paths): (Vec<String>, Vec<String>) = std::env::args().skip(1).partition(|one| one.starts_with("--"));
    if paths.is_empty() || flags.iter().any(|flag| flag != "--show") {
        eprintln!("usage: measure [--show] FILE.jsonl …");
        return ExitCode::FAILURE;
    }
    let mut languages: BTreeMap<String, Matrix> = BTreeMap::new();
    let mut all = Matrix::default();
    for path in &paths {
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) => {
                eprintln!("{path}: {error}");
                return ExitCode::FAILURE;
            }
        };
        for row in text.lines().filter(|line| !line.trim().is_empty()).map(Row::parse) {
            let verdict = row.read();
            languages.entry(row.language.clone()).or_default().add(&row, &verdict);
            all.add(&row, &verdict);
            let (read, language, rule) = (rows::name(verdict.meaning), verdict.language.tag(), verdict.rule);
            let shown = !flags.is_empty() && row.half == Half::Tuned;
            if shown && !row.right().contains(&read) {
                let (meant, asked) = (row.right().join("/"), row.asked());
                println!("{} {asked} | {:?} | {meant} -> {read} ({rule}, {language})", row.language, row.text);
            }
        }
    }
    for (language, matrix) in &languages {
        println!("{language}\n{matrix}");
    }
    println!("all\n{all}");
    ExitCode::SUCCESS
}
