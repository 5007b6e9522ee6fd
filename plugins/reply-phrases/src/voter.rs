//! Votes where no phrase was found: a linear model of word neighbours, trained by the build script on our own rows.

use crate::features;
use crate::meaning::{Asked, Meaning};
use crate::words::Words;

include!(concat!(env!("OUT_DIR"), "/votes.rs"));

/// How far the first must lead before its vote counts; measured on rows the model had not seen.
const LEAD_MIN: f64 = 0.3;
/// An emergency wakes somebody and an opt-out ends the conversation: these must lead further.
const GRAVE_LEAD_MIN: f64 = 0.8;

/// What the message most likely means; `None` when the vote is close.
///
/// Never a yes and never the wish for messages: guessed wrongly, these cost most.
pub fn vote(words: &Words, asked: Asked) -> Option<Meaning> {
    let known = features::of(words, asked.bit());
    let known: Vec<&[i8; Meaning::INTENTS.len()]> = known.iter().filter_map(weights_of).collect();
    let scale = WEIGHT_UNIT / f64::from(u32::try_from(known.len().max(1)).ok()?).sqrt();
    let mut scores: Vec<(i32, Meaning)> = Meaning::INTENTS
        .iter()
        .enumerate()
        .map(|(index, (_, meaning))| (known.iter().map(|weights| i32::from(weights[index])).sum(), *meaning))
        .collect();
    scores.sort_unstable_by_key(|(score, meaning)| (std::cmp::Reverse(*score), *meaning));
    let lead = f64::from(scores[0].0 - scores[1].0) * scale;
    let meaning = scores[0].1;
    let enough = match meaning {
        Meaning::Emergency | Meaning::OptOut => lead >= GRAVE_LEAD_MIN,
        Meaning::Confirm | Meaning::OptIn | Meaning::Unclear => false,
        _ => lead >= LEAD_MIN,
    };
    enough.then_some(meaning)
}

fn weights_of(feature: &u32) -> Option<&'static [i8; Meaning::INTENTS.len()]> {
    WEIGHTS.binary_search_by_key(feature, |(known, _)| *known).ok().map(|index| &WEIGHTS[index].1)
}
