//! Trains the voter on labelled replies: one linear model per intent, squared hinge loss.
//!
//! Only `+ - * /` and `sqrt`, which every machine rounds alike, so the same rows give the same plugin.

use crate::examples::Spelled;
use crate::features;
use crate::shuffle::Shuffle;
use crate::table::QUESTIONS;
use crate::words;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fmt::Write;

/// In the order of `Meaning::INTENTS`.
const INTENTS: [&str; 13] = [
    "emergency",
    "opt-out",
    "wrong-person",
    "opt-in",
    "help",
    "cancel-visit",
    "decline",
    "reschedule",
    "scheduled",
    "attended",
    "confirm",
    "question",
    "unclear",
];
/// What only one row says teaches nothing about the next.
const FEATURE_ROWS_MIN: usize = 2;
const ROUNDS: u32 = 20;
const RATE: f64 = 0.5;
const RATE_DECAY: f64 = 0.3;
const WORDS_MAX: usize = 400;

#[derive(Deserialize)]
struct Row {
    last_outbound: LastOutbound,
    text: String,
    intent: String,
    half: Option<String>,
}

#[derive(Deserialize)]
struct LastOutbound {
    asked: String,
}

struct Example {
    /// Places in the list of known features.
    features: Vec<usize>,
    intent: usize,
}

/// The weights as Rust source. Rows of the untouched half are left out: they measure.
pub fn train(files: &[String], spelled: &[Spelled], simplify: impl Fn(char) -> char + Copy) -> Result<String, String> {
    let mut seen = Vec::new();
    // Vietnamese is learned as it is written, with its marks and without.
    let learn_from = |seen: &mut Vec<(Vec<u32>, usize)>, text: &str, question: usize, intent: usize| {
        let mut words = words::split(text, WORDS_MAX, simplify);
        seen.push((features::of(&words, 1 << question), intent));
        if words.words.iter().any(|word| word.vietnamese) {
            words.words.iter_mut().for_each(|word| word.vietnamese = false);
            seen.push((features::of(&words, 1 << question), intent));
        }
    };
    for line in files.iter().flat_map(|file| file.lines()) {
        let row: Row = serde_json::from_str(line).map_err(|error| format!("a row is no reply: {error}"))?;
        if row.half.as_deref() == Some("untouched") {
            continue;
        }
        let question = QUESTIONS.iter().position(|known| *known == row.last_outbound.asked);
        let question = question.ok_or(format!("no such question: {}", row.last_outbound.asked))?;
        let intent = INTENTS.iter().position(|known| *known == row.intent);
        let intent = intent.ok_or(format!("no such intent: {}", row.intent))?;
        learn_from(&mut seen, &row.text, question, intent);
    }
    let mut shuffle = Shuffle(1);
    for reply in spelled {
        // What is no intent of the contract only keeps others from being read.
        let Some(intent) = INTENTS.iter().position(|known| *known == reply.intent) else { continue };
        let answers = |question: &&str| reply.after.is_empty() || reply.after.iter().any(|after| after == question);
        let questions: Vec<usize> = (0..QUESTIONS.len()).filter(|at| answers(&QUESTIONS[*at])).collect();
        let question = questions[shuffle.below(questions.len())];
        learn_from(&mut seen, &reply.text, question, intent);
    }
    let known = known_features(&seen);
    let mut examples: Vec<Example> = seen
        .iter()
        .map(|(features, intent)| Example {
            features: features.iter().filter_map(|feature| known.binary_search(feature).ok()).collect(),
            intent: *intent,
        })
        .collect();
    let mut weights = vec![[0.0; INTENTS.len()]; known.len()];
    for round in 0..ROUNDS {
        shuffle.mix(&mut examples);
        let rate = RATE / (1.0 + RATE_DECAY * f64::from(round));
        for example in &examples {
            learn(&mut weights, example, rate);
        }
    }
    Ok(write(&known, &weights))
}

fn known_features(seen: &[(Vec<u32>, usize)]) -> Vec<u32> {
    let mut rows: BTreeMap<u32, usize> = BTreeMap::new();
    for feature in seen.iter().flat_map(|(features, _)| features) {
        *rows.entry(*feature).or_default() += 1;
    }
    rows.into_iter().filter(|(_, rows)| *rows >= FEATURE_ROWS_MIN).map(|(feature, _)| feature).collect()
}

fn learn(weights: &mut [[f64; INTENTS.len()]], example: &Example, rate: f64) {
    let scale = 1.0 / (example.features.len().max(1) as f64).sqrt();
    let mut scores = [0.0; INTENTS.len()];
    for place in &example.features {
        for (score, weight) in scores.iter_mut().zip(weights[*place]) {
            *score += weight * scale;
        }
    }
    let mut steps = scores;
    for (intent, step) in steps.iter_mut().enumerate() {
        let target = if intent == example.intent { 1.0 } else { -1.0 };
        let missing = (1.0 - target * *step).max(0.0);
        *step = rate * missing * target * scale;
    }
    for place in &example.features {
        for (weight, step) in weights[*place].iter_mut().zip(steps) {
            *weight += step;
        }
    }
}

fn write(known: &[u32], weights: &[[f64; INTENTS.len()]]) -> String {
    let largest = weights.iter().flatten().fold(0.0_f64, |largest, weight| largest.max(weight.abs()));
    let unit = largest / f64::from(i8::MAX);
    let mut out = format!("/// What a weight of 1 stands for.\nconst WEIGHT_UNIT: f64 = {unit:?};\n");
    let _ = writeln!(out, "static FEATURES: &[u32] = &{known:?};");
    out.push_str("static WEIGHTS: &[[i8; Meaning::INTENTS.len()]] = &[");
    for weights in weights {
        let weights = weights.map(|weight| (weight / unit).round() as i8);
        let _ = write!(out, "{weights:?},");
    }
    out.push_str("];\n");
    out
}
