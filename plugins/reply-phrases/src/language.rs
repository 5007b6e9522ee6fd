//! Guesses the language of a message from its script, its small words and the phrases found in it.

use crate::matching::Found;
use crate::meaning::{Language, Meaning};
use crate::message::Message;
use crate::phrases::{self, Role};
use crate::words;

/// What a word that only one language writes so counts.
const MARKED_WORD: u32 = 3;
const FUNCTION_WORD: u32 = 2;
/// The language of our last message decides a draw, and bare words such as `ok` or `1`.
const LAST_MESSAGE: u32 = 1;

/// The most likely language; `last` is that of our last message.
pub fn guess(message: &Message, found: &[Found], last: Option<Language>) -> Language {
    let mut scores = [0u32; Language::ALL.len()];
    for (word, numbers) in message.text.words.iter().zip(&message.numbers) {
        if word.plain.starts_with(words::is_han) {
            scores[Language::Chinese as usize] += 2;
        }
        if word.vietnamese {
            scores[Language::Vietnamese as usize] += MARKED_WORD;
        } else if word.toned.contains('\u{303}') && word.plain.contains('n') {
            scores[Language::Spanish as usize] += MARKED_WORD;
        }
        for language in Language::ALL {
            let known = |&id: &u16| id != 0 && phrases::has_role(id, Role::Function, language);
            scores[language as usize] += if numbers.iter().any(known) { FUNCTION_WORD } else { 0 };
        }
    }
    if message.text.inverted_marks {
        scores[Language::Spanish as usize] += MARKED_WORD;
    }
    for (language, covered) in Language::ALL.into_iter().zip(longest(found)) {
        scores[language as usize] += covered;
    }
    if let Some(last) = last {
        scores[last as usize] += LAST_MESSAGE;
    }
    let best = scores.iter().copied().max().unwrap_or_default();
    let drawn = Language::ALL.into_iter().filter(|language| scores[*language as usize] == best);
    drawn
        .into_iter()
        .max_by_key(|language| (Some(*language) == last, *language == Language::English))
        .unwrap_or(Language::English)
}

/// The words that the longest phrase of each language covers.
fn longest(found: &[Found]) -> [u32; Language::ALL.len()] {
    let mut longest = [0; Language::ALL.len()];
    for one in found.iter().filter(|one| one.rule.meaning <= Meaning::Unclear) {
        let covered = &mut longest[one.rule.language as usize];
        *covered = (*covered).max(u32::try_from(one.length()).unwrap_or_default());
    }
    longest
}
