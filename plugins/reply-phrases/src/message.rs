//! A message whose words bear their numbers, cut into clauses.

use crate::dictation;
use crate::meaning::Language;
use crate::phrases::{self, LAX, NUMBER, PLAIN, Role, STEMS, TONED};
use crate::typos;
use crate::words::{self, Pause, Words};

/// Longer than any concatenated text (10 parts of 153 characters are at most 300 words); bounds the work of one call.
const WORDS_MAX: usize = 400;
/// Own form, toned form, form without marks, number, two stems.
const NUMBERS_PER_WORD: usize = 6;

/// In a reply so short, a word that is one slip from `stop` is meant so: `sstop`, `stip now`.
const STOP_WORDS_MAX: usize = 2;

/// The numbers of one word; 0 fills up.
pub type Numbers = [u16; NUMBERS_PER_WORD];

pub struct Message {
    pub text: Words,
    pub numbers: Vec<Numbers>,
    /// `clauses[i]`: the clause of word `i`.
    pub clauses: Vec<u16>,
    /// `fillers[i]`: word `i` is `please` or the like.
    pub fillers: Vec<bool>,
}

impl Message {
    pub fn read(text: &str) -> Self {
        let mut text = words::split(text, WORDS_MAX, phrases::simplify);
        dictation::punctuate(&mut text);
        let unmarked = is_vietnamese_unmarked(&text);
        let mut numbers = Vec::with_capacity(text.words.len());
        let mut clauses = Vec::with_capacity(text.words.len());
        let mut fillers = Vec::with_capacity(text.words.len());
        let mut clause = 0;
        for (index, word) in text.words.iter().enumerate() {
            let mut own = numbers_of(word, unmarked);
            let is_known = own[1..] != Numbers::default()[1..] || phrases::number_of(PLAIN, &word.plain) != 0;
            if text.words.len() <= STOP_WORDS_MAX && !is_known && typos::is_stop(&word.plain) {
                own[0] = phrases::number_of(PLAIN, "stop");
            }
            let begins = word.pause != Pause::None || has_role(&own, Role::Break);
            clause += u16::from(index > 0 && begins);
            fillers.push(has_role(&own, Role::Filler));
            numbers.push(own);
            clauses.push(clause);
        }
        Self { text, numbers, clauses, fillers }
    }

    pub fn len(&self) -> usize {
        self.numbers.len()
    }

    /// Whether a question mark ends the clause of word `index`.
    pub fn is_asked(&self, index: usize) -> bool {
        let clause = self.clauses[index];
        (index..self.len()).take_while(|&next| self.clauses[next] == clause).any(|next| self.text.asks[next])
    }

    /// Whether these words stand in capitals among others that do not.
    pub fn is_shouted(&self, words: std::ops::Range<usize>) -> bool {
        self.text.words[words].iter().all(|word| word.loud) && self.text.words.iter().any(|word| !word.loud)
    }

    pub fn clause_of(&self, index: usize) -> u16 {
        self.clauses.get(index).copied().unwrap_or(u16::MAX)
    }
}

/// Whether any number of the word has `role` in any language.
fn has_role(numbers: &Numbers, role: Role) -> bool {
    numbers.iter().any(|&id| id != 0 && Language::ALL.iter().any(|&language| phrases::has_role(id, role, language)))
}

/// Whether Vietnamese would be written here without its marks: at most half of the words bear any.
fn is_vietnamese_unmarked(text: &Words) -> bool {
    let marked = text.words.iter().filter(|word| word.vietnamese).count();
    marked * 2 <= text.words.len()
}

fn numbers_of(word: &words::Word, unmarked: bool) -> Numbers {
    let mut numbers = Numbers::default();
    let ascii = word.toned.is_ascii();
    numbers[1] = phrases::number_of(TONED, &word.toned);
    if unmarked && ascii {
        numbers[2] = phrases::number_of(LAX, &word.plain);
    }
    if word.plain.starts_with(|letter: char| letter.is_ascii_digit()) {
        numbers[3] = NUMBER;
    }
    // A Vietnamese word must not pass for a Spanish one that it resembles without its marks.
    if !word.vietnamese {
        numbers[0] = phrases::number_of(PLAIN, &word.plain);
        stems_of(&word.plain, &mut numbers);
        if numbers == Numbers::default() {
            numbers[0] = typos::correct(&word.plain);
        }
    }
    numbers
}

/// The shortest stem that a phrase may name with `*`.
const STEM_LETTERS_MIN: usize = 3;

fn stems_of(plain: &str, numbers: &mut Numbers) {
    if !plain.is_ascii() {
        return;
    }
    let mut free = 4;
    for length in STEM_LETTERS_MIN..=plain.len() {
        let stem = phrases::number_of(STEMS, &plain[..length]);
        if stem != 0 && free < NUMBERS_PER_WORD {
            numbers[free] = stem;
            free += 1;
        }
    }
}
