//! Votes where no phrase was found: a linear model of word neighbours, trained by the build script on our own rows.

use crate::features;
use crate::meaning::{Asked, Meaning};
use crate::words::Words;

include!(concat!(env!("OUT_DIR"), "/votes.rs"));

/// The intent that leads, by how much, and how much speaks for it at all.
#[derive(Clone, Copy)]
pub struct Vote {
    pub meaning: Meaning,
    lead: f64,
    score: f64,
}

/// How far the first must lead before its vote counts where no phrase speaks; measured on rows the model had not seen.
const LEAD_MIN: f64 = 0.3;
/// These were wrong more often, and end or close a referral: they must lead further.
const CLOSING_LEAD_MIN: f64 = 0.6;
/// A missed emergency costs more than a false one, yet a false one wakes somebody.
const EMERGENCY_LEAD_MIN: f64 = 0.45;
/// A missed opt-out breaks the law; a false one brings a call from a person.
const OPT_OUT_LEAD_MIN: f64 = 0.1;
/// From here the vote is heard even against a phrase: of a hundred such votes, two or three were wrong.
const OVERRULING_LEAD_MIN: f64 = 0.6;
const OVERRULING_OPT_OUT_LEAD_MIN: f64 = 0.45;

/// Below this nothing speaks for the first; it is only the least unlikely.
const SCORE_MIN: f64 = -0.5;

/// The question, the beginning and the end are always known; a vote needs a word or two besides.
const KNOWN_MIN: usize = 5;
/// And that one in so many of its features was seen before.
const UNKNOWN_TIMES_MAX: usize = 5;
/// From here nine votes in ten are right.
const CLEAR_LEAD_MIN: f64 = 0.8;
/// Just above the default of `confidence`: a clinic that sets it to 60 hears no close votes.
const CLOSE: u8 = 55;
/// Just above the workflow's usual threshold, which is 75.
const CLEAR: u8 = 76;

impl Vote {
    /// Whether it counts where no phrase speaks.
    ///
    /// Never a yes and never the wish for messages: guessed wrongly, these cost most.
    pub fn counts(self) -> bool {
        match self.meaning {
            Meaning::Confirm | Meaning::OptIn | Meaning::Unclear => false,
            _ if self.score < SCORE_MIN => false,
            Meaning::Decline | Meaning::Attended | Meaning::Scheduled => self.lead >= CLOSING_LEAD_MIN,
            Meaning::Emergency => self.lead >= EMERGENCY_LEAD_MIN,
            Meaning::OptOut => self.lead >= OPT_OUT_LEAD_MIN,
            _ => self.lead >= LEAD_MIN,
        }
    }

    /// How sure it is, as it was right on rows the model had not seen.
    pub fn confidence(self) -> u8 {
        match self.meaning {
            Meaning::Attended | Meaning::Scheduled => CLOSE,
            _ if self.lead >= CLEAR_LEAD_MIN => CLEAR,
            _ => CLOSE,
        }
    }

    /// Whether it is an emergency or an opt-out plain enough to set aside a phrase that says less.
    pub fn overrules(self) -> bool {
        match self.meaning {
            _ if self.score < 0.0 => false,
            Meaning::Emergency => self.lead >= OVERRULING_LEAD_MIN,
            Meaning::OptOut => self.lead >= OVERRULING_OPT_OUT_LEAD_MIN,
            _ => false,
        }
    }

    /// Whether it speaks against a yes.
    pub fn denies_yes(self) -> bool {
        self.meaning != Meaning::Confirm && self.lead >= OVERRULING_LEAD_MIN
    }
}

/// What the message most likely means; `None` for words that nobody else wrote, about which the model knows nothing.
pub fn vote(words: &Words, asked: Asked) -> Option<Vote> {
    // Letters alone are in any noise.
    if !features::of_words(words).any(|word| weights_of(&word).is_some()) {
        return None;
    }
    let features = features::of(words, asked.bit());
    let known: Vec<&[i8; Meaning::INTENTS.len()]> = features.iter().filter_map(weights_of).collect();
    if known.len() < KNOWN_MIN || known.len() * UNKNOWN_TIMES_MAX < features.len() {
        return None;
    }
    let scale = WEIGHT_UNIT / (known.len().max(1) as f64).sqrt();
    let mut scores: Vec<(i32, Meaning)> = Meaning::INTENTS
        .iter()
        .enumerate()
        .map(|(index, (_, meaning))| (known.iter().map(|weights| i32::from(weights[index])).sum(), *meaning))
        .collect();
    scores.sort_unstable_by_key(|(score, meaning)| (std::cmp::Reverse(*score), *meaning));
    let (first, second) = (f64::from(scores[0].0) * scale, f64::from(scores[1].0) * scale);
    Some(Vote { meaning: scores[0].1, lead: first - second, score: first })
}

fn weights_of(feature: &u32) -> Option<&'static [i8; Meaning::INTENTS.len()]> {
    FEATURES.binary_search(feature).ok().map(|index| &WEIGHTS[index])
}
