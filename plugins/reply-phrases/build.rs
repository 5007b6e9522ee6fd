//! Turns `phrases/*.txt` into sorted tables and `tests/data/*.jsonl` into the voter's weights, so that a fresh instance
//! has nothing left to prepare.

#[path = "build/examples.rs"]
mod examples;
#[path = "src/features.rs"]
#[allow(dead_code)]
mod features;
#[path = "build/shuffle.rs"]
mod shuffle;
#[path = "build/source.rs"]
mod source;
#[path = "build/table.rs"]
mod table;
#[path = "build/voter.rs"]
mod voter;
#[path = "src/words.rs"]
#[allow(dead_code)]
mod words;

use std::collections::BTreeMap;
use std::error::Error;
use std::path::Path;
use std::{env, fs};

/// The labelled replies that train the voter.
const ROWS: [&str; 16] = [
    "sample",
    "tuning",
    "blind",
    "second",
    "third",
    "fourth",
    "fifth",
    "sixth",
    "seventh",
    "eighth",
    "ninth",
    "tenth",
    "eleventh",
    "twelfth",
    "thirteenth",
    "fourteenth",
];
/// In the order of `Language` in `src/meaning.rs`.
const LANGUAGES: [&str; 4] = ["en", "es", "zh", "vi"];

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=phrases");
    println!("cargo::rerun-if-changed=build");
    println!("cargo::rerun-if-changed=src/words.rs");
    println!("cargo::rerun-if-changed=src/features.rs");
    println!("cargo::rerun-if-changed=tests/data");
    let traditional = traditional(&fs::read_to_string("phrases/traditional.txt")?);
    let mut tables = table::Tables::new(&traditional);
    let mut spelled = Vec::new();
    let mut shuffle = shuffle::Shuffle(7);
    for (index, language) in LANGUAGES.into_iter().enumerate() {
        let path = format!("phrases/{language}.txt");
        let source = source::parse(&fs::read_to_string(&path)?).map_err(|mistake| format!("{path}: {mistake}"))?;
        spelled.extend(examples::spell(&source, &mut shuffle));
        tables.add(index, &source).map_err(|mistake| format!("{path}: {mistake}"))?;
    }
    let out = env::var("OUT_DIR")?;
    fs::write(Path::new(&out).join("phrases.rs"), tables.write())?;
    let rows: Vec<String> =
        ROWS.iter().map(|name| fs::read_to_string(format!("tests/data/{name}.jsonl"))).collect::<Result<_, _>>()?;
    let simplify = |letter| traditional.get(&letter).copied().unwrap_or(letter);
    fs::write(Path::new(&out).join("votes.rs"), voter::train(&rows, &spelled, simplify)?)?;
    Ok(())
}

fn traditional(text: &str) -> BTreeMap<char, char> {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines.filter_map(|line| Some((line.chars().next()?, line.chars().nth(1)?))).collect()
}
