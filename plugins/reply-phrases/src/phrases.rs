//! The phrases of `phrases/*.txt`, as the build script numbered and sorted them.

use crate::meaning::{Language, Meaning};

/// A heading of a phrase file.
pub struct Rule {
    pub meaning: Meaning,
    pub name: &'static str,
    pub language: Language,
    /// 0 to 100: how plainly these phrases say it.
    pub strength: u8,
    /// The bits of the questions that it answers.
    pub after: u8,
    /// Which meanings `nothing` hides; empty for all.
    pub hides: &'static [Meaning],
    /// Whether a `not` before it leaves it standing.
    pub even_negated: bool,
    /// Whether it counts only in capitals, among words that are not: `yes and STOP`.
    pub shouted: bool,
    /// Whether it counts only in a message of this language: an English `stop` among Spanish words.
    pub loan: bool,
}

/// One step through a phrase. Words and lists are numbers; a second number is the form without marks.
pub enum Step {
    Word(u16, u16),
    List(u16),
    Maybe(u16),
    /// Up to so many words of any kind, within the clause.
    Gap(u8),
    /// Up to so many words of any kind, within the sentence.
    Near(u8),
    MessageStart,
    MessageEnd,
    ClauseStart,
    ClauseEnd,
}

/// The word number that every number bears besides its own.
pub const NUMBER: u16 = 1;

/// A job that a word may have in a language.
#[derive(Clone, Copy)]
pub enum Role {
    Negation = 0,
    Filler = 4,
    Break = 8,
    Function = 12,
}

/// Whether word `id` has `role` in `language`.
pub fn has_role(id: u16, role: Role, language: Language) -> bool {
    ROLES.get(usize::from(id)).is_some_and(|roles| roles & (1 << (role as u16 + language as u16)) != 0)
}

/// The number of `word` in a sorted table; 0 when it is in no phrase.
pub fn number_of(table: &[(&str, u16)], word: &str) -> u16 {
    table.binary_search_by(|(known, _)| (*known).cmp(word)).map_or(0, |index| table[index].1)
}

/// The simplified character for a traditional one.
pub fn simplify(letter: char) -> char {
    TRADITIONAL.binary_search_by_key(&letter, |(from, _)| *from).map_or(letter, |index| TRADITIONAL[index].1)
}

include!(concat!(env!("OUT_DIR"), "/phrases.rs"));
