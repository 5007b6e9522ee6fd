//! Finds the phrases in a message.

use crate::meaning::{Asked, Language, Meaning};
use crate::message::{Message, Numbers};
use crate::phrases::{self, BY_FIRST, LISTS, PHRASES, RULES, Role, Rule, Step};
use crate::words::Pause;

/// A phrase and the words it covers: `start..end`.
#[derive(Clone, Copy)]
pub struct Found {
    pub rule: &'static Rule,
    pub start: usize,
    pub end: usize,
}

impl Found {
    pub fn length(&self) -> usize {
        self.end - self.start
    }

    pub fn within(&self, other: &Found) -> bool {
        other.start <= self.start && self.end <= other.end
    }
}

/// All phrases in `message` that answer `asked`.
pub fn find(message: &Message, asked: Asked) -> Vec<Found> {
    let mut found = Vec::new();
    for start in 0..message.len() {
        for &number in &message.numbers[start] {
            if number == 0 {
                continue;
            }
            for &phrase in BY_FIRST[usize::from(number)] {
                let (rule, steps) = PHRASES[usize::from(phrase)];
                let rule = &RULES[usize::from(rule)];
                if rule.after & asked.bit() == 0 {
                    continue;
                }
                let Some(end) = (Walk { message, language: rule.language }).end(steps, start) else { continue };
                let this = Found { rule, start, end };
                if is_yes_for_if(message, rule, start) {
                    continue;
                }
                let loud_enough = !rule.shouted || message.is_shouted(start..end);
                if end > start && loud_enough && (rule.even_negated || !is_negated(message, &this)) {
                    found.push(this);
                }
            }
        }
    }
    found
}

/// Whether a Spanish `if` was found where `sí` was written, with its accent: a yes.
fn is_yes_for_if(message: &Message, rule: &Rule, start: usize) -> bool {
    const YES: &str = "si\u{301}";
    let supposes = matches!(rule.meaning, Meaning::Hedge | Meaning::Nothing);
    supposes && rule.language == Language::Spanish && message.text.words[start].toned == YES
}

/// How many words before a phrase a `not` still turns it round.
fn reach(language: Language) -> usize {
    match language {
        Language::English | Language::Spanish | Language::Vietnamese => 3,
        Language::Chinese => 2,
    }
}

/// Whether a `not` stands before the phrase in its clause. A phrase that says `not` itself means what it says.
fn is_negated(message: &Message, found: &Found) -> bool {
    let language = found.rule.language;
    let negates = |index: usize| is_negation(&message.numbers[index], language) && !is_choice(message, index);
    if found.rule.meaning > Meaning::Question || negates(found.start) {
        return false;
    }
    let clause = message.clauses[found.start];
    let before = found.start.saturating_sub(reach(language))..found.start;
    before.into_iter().any(|index| message.clauses[index] == clause && negates(index))
}

/// Whether the word stands between two of the same: `能不能` asks, it does not deny.
fn is_choice(message: &Message, index: usize) -> bool {
    index > 0 && index + 1 < message.len() && message.text.words[index - 1].plain == message.text.words[index + 1].plain
}

fn is_negation(numbers: &Numbers, language: Language) -> bool {
    numbers.iter().any(|&id| id != 0 && phrases::has_role(id, Role::Negation, language))
}

/// A walk through the steps of one phrase along the message.
struct Walk<'a> {
    message: &'a Message,
    language: Language,
}

impl Walk<'_> {
    /// Where the phrase ends if it begins at `at`; the longest way first.
    fn end(&self, steps: &[Step], at: usize) -> Option<usize> {
        let Some((step, rest)) = steps.split_first() else { return Some(at) };
        match step {
            Step::Word(id, lax) => self.is_word(at, *id, *lax).then(|| self.end(rest, at + 1))?,
            Step::List(list) => self.one_of(*list, at, rest),
            Step::Maybe(list) => self.one_of(*list, at, rest).or_else(|| self.end(rest, at)),
            Step::Gap(words_max) => self.gap(*words_max, at, rest),
            Step::Near(words_max) => self.near(*words_max, at, rest),
            Step::MessageStart => {
                self.message.fillers[..at].iter().all(|filler| *filler).then(|| self.end(rest, at))?
            }
            Step::MessageEnd => self.message.fillers[at..].iter().all(|filler| *filler).then_some(at),
            Step::ClauseStart => self.begins_clause(at).then(|| self.end(rest, at))?,
            Step::ClauseEnd => self.ends_clause(at).then(|| self.end(rest, at))?,
        }
    }

    fn is_word(&self, at: usize, id: u16, lax: u16) -> bool {
        let Some(numbers) = self.message.numbers.get(at) else { return false };
        numbers.contains(&id) || (lax != 0 && numbers.contains(&lax))
    }

    fn one_of(&self, list: u16, at: usize, rest: &[Step]) -> Option<usize> {
        LISTS[usize::from(list)].iter().find_map(|words| {
            let all = words.iter().enumerate().all(|(offset, &(id, lax))| self.is_word(at + offset, id, lax));
            all.then(|| self.end(rest, at + words.len()))?
        })
    }

    /// A gap stays within its clause and skips no `not`.
    fn gap(&self, words_max: u8, at: usize, rest: &[Step]) -> Option<usize> {
        let clause = self.message.clause_of(at.saturating_sub(1));
        for next in at..=(at + usize::from(words_max)).min(self.message.len()) {
            if self.message.clause_of(next) == clause {
                if let Some(end) = self.end(rest, next) {
                    return Some(end);
                }
                if is_negation(&self.message.numbers[next], self.language) {
                    return None;
                }
            } else {
                return matches!(rest, [Step::ClauseEnd | Step::MessageEnd, ..]).then(|| self.end(rest, next))?;
            }
        }
        None
    }

    /// Wider than a gap: over commas and over a `not`, to the end of the sentence.
    fn near(&self, words_max: u8, at: usize, rest: &[Step]) -> Option<usize> {
        for next in at..=(at + usize::from(words_max)).min(self.message.len()) {
            if self.message.text.words.get(next).is_some_and(|word| next > 0 && word.pause == Pause::Sentence) {
                return None;
            }
            if let Some(end) = self.end(rest, next) {
                return Some(end);
            }
        }
        None
    }

    fn begins_clause(&self, at: usize) -> bool {
        let clause = self.message.clause_of(at);
        let before = (0..at).rev().take_while(|&index| self.message.clauses[index] == clause);
        before.into_iter().all(|index| self.message.fillers[index])
    }

    fn ends_clause(&self, at: usize) -> bool {
        let clause = self.message.clause_of(at.saturating_sub(1));
        let after = (at..self.message.len()).take_while(|&index| self.message.clauses[index] == clause);
        after.into_iter().all(|index| self.message.fillers[index])
    }
}
