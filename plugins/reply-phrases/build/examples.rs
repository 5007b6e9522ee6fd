//! Spells phrases out as short replies, so that the voter learns their words too: a reply nobody wrote before often
//! holds half of one phrase and half of another.

use crate::shuffle::Shuffle;
use crate::source::{Piece, Source};
use std::collections::BTreeMap;

/// A phrase with many alternatives is spelled out so often, each time otherwise.
const SPELLINGS: usize = 2;

/// A reply that a phrase would find, and what it means.
pub struct Spelled {
    pub text: String,
    pub intent: String,
    /// The questions it answers; empty for any.
    pub after: Vec<String>,
}

pub fn spell(source: &Source, shuffle: &mut Shuffle) -> Vec<Spelled> {
    let mut spelled = Vec::new();
    for rule in &source.rules {
        for (_, pieces) in &rule.phrases {
            let mut texts: Vec<String> =
                (0..SPELLINGS).map(|_| words(pieces, &source.lists, shuffle).join(" ")).collect();
            texts.sort_unstable();
            texts.dedup();
            let reply = |text| Spelled { text, intent: rule.intent.clone(), after: rule.after.clone() };
            spelled.extend(texts.into_iter().map(reply));
        }
    }
    spelled
}

fn words(pieces: &[Piece], lists: &BTreeMap<String, Vec<String>>, shuffle: &mut Shuffle) -> Vec<String> {
    let mut said = Vec::new();
    for piece in pieces {
        match piece {
            Piece::Text(text) => said.push(text.clone()),
            Piece::OneOf(words) => said.extend(one_of(words, lists, shuffle)),
            Piece::List(name) => said.extend(lists.get(name).and_then(|words| one_of(words, lists, shuffle))),
            // Half of the time what may be missing is.
            Piece::Maybe(words) if shuffle.below(2) == 0 => said.extend(one_of(words, lists, shuffle)),
            Piece::MaybeList(name) if shuffle.below(2) == 0 => {
                said.extend(lists.get(name).and_then(|words| one_of(words, lists, shuffle)));
            }
            Piece::Maybe(_) | Piece::MaybeList(_) => {}
            Piece::Few | Piece::Many | Piece::Near => {}
            Piece::MessageStart | Piece::MessageEnd | Piece::ClauseStart | Piece::ClauseEnd => {}
        }
    }
    said.iter().map(|word| word.trim_end_matches(['*', '!']).to_owned()).collect()
}

fn one_of(words: &[String], lists: &BTreeMap<String, Vec<String>>, shuffle: &mut Shuffle) -> Option<String> {
    let word = words.get(shuffle.below(words.len()))?;
    match word.strip_prefix('<').and_then(|word| word.strip_suffix('>')) {
        Some("number") => Some("9".to_owned()),
        Some(name) => lists.get(name).and_then(|words| one_of(words, lists, shuffle)),
        None => Some(word.clone()),
    }
}
