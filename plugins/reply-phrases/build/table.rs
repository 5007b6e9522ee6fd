//! Numbers every word and writes the phrases as static tables of numbers.

use crate::source::{Piece, Source};
use crate::words::{self, Word};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

/// Words that `..` and `...` may span; Chinese counts characters, so it gets more.
const FEW: [u8; 4] = [3, 3, 4, 3];
const MANY: [u8; 4] = [7, 7, 10, 7];
/// How far apart the two of `one & other` may stand.
const NEAR: [u8; 4] = [8, 8, 14, 8];
const WORDS_IN_PHRASE_MAX: usize = 64;
const VIETNAMESE: usize = 3;
/// A list with a job of its own, and the bit (shifted by language) of that job.
const ROLES: [(&str, u32); 4] = [("not", 0), ("fillers", 4), (BREAKS, 8), ("words", 12)];
const BREAKS: &str = "breaks";
/// The list that stands for any number.
const NUMBER: &str = "number";
/// The number of the "any number" word; 0 is "no word".
const NUMBER_ID: u16 = 1;

/// In the order of the bits of `Asked`.
pub const QUESTIONS: [&str; 5] = ["schedule", "confirm-visit", "reminder", "no-show-follow-up", "info"];

/// A word's number and, in Vietnamese, that of its form without marks.
type Pair = (u16, u16);

pub struct Tables<'a> {
    traditional: &'a BTreeMap<char, char>,
    next: u16,
    plain: BTreeMap<String, u16>,
    toned: BTreeMap<String, u16>,
    lax: BTreeMap<String, u16>,
    stems: BTreeMap<String, u16>,
    roles: BTreeMap<u16, u16>,
    /// The lists of the language being read, by name.
    named: BTreeMap<String, usize>,
    lists: Vec<Vec<Vec<Pair>>>,
    rules: Vec<String>,
    phrases: Vec<(usize, Vec<Step>)>,
}

#[derive(Clone)]
enum Step {
    Word(Pair),
    List(usize),
    Maybe(usize),
    Gap(u8),
    Near(u8),
    Mark(&'static str),
}

impl<'a> Tables<'a> {
    pub fn new(traditional: &'a BTreeMap<char, char>) -> Self {
        Self {
            traditional,
            next: NUMBER_ID + 1,
            plain: BTreeMap::new(),
            toned: BTreeMap::new(),
            lax: BTreeMap::new(),
            stems: BTreeMap::new(),
            roles: BTreeMap::new(),
            named: BTreeMap::new(),
            lists: vec![vec![vec![(NUMBER_ID, 0)]]],
            rules: Vec::new(),
            phrases: Vec::new(),
        }
    }

    pub fn add(&mut self, language: usize, source: &Source) -> Result<(), String> {
        self.named = BTreeMap::from([(NUMBER.to_owned(), 0)]);
        for (name, words) in &source.lists {
            if let Some((role, bit)) = ROLES.iter().find(|(known, _)| known == name) {
                let pairs: Vec<Vec<Pair>> = words.iter().map(|word| self.pairs(language, word)).collect();
                if *role == BREAKS && pairs.iter().any(|pairs| pairs.len() > 1) {
                    return Err(format!(
                        "<{BREAKS}> takes single words: the parts of 不过 would break each 过来 in two"
                    ));
                }
                for pair in pairs.into_iter().flatten() {
                    for id in [pair.0, pair.1].into_iter().filter(|id| *id != 0) {
                        *self.roles.entry(id).or_default() |= 1 << (*bit + language as u32);
                    }
                }
            } else {
                let list = self.list(language, words);
                self.named.insert(name.clone(), list);
            }
        }
        for rule in &source.rules {
            self.rules.push(rule_text(language, rule)?);
            for (line, pieces) in &rule.phrases {
                let steps = self.steps(language, pieces).map_err(|mistake| format!("line {line}: {mistake}"))?;
                if !steps.iter().any(|step| matches!(step, Step::Word(_) | Step::List(_))) {
                    return Err(format!("line {line}: a phrase without words"));
                }
                self.phrases.push((self.rules.len() - 1, steps));
            }
        }
        Ok(())
    }

    fn list(&mut self, language: usize, words: &[String]) -> usize {
        let mut alternatives = Vec::new();
        for word in words {
            match word.strip_prefix('<').and_then(|word| word.strip_suffix('>')) {
                Some(NUMBER) => alternatives.push(vec![(NUMBER_ID, 0)]),
                Some(name) => {
                    alternatives.extend(self.named.get(name).into_iter().flat_map(|list| self.lists[*list].clone()))
                }
                None => alternatives.push(self.pairs(language, word)),
            }
        }
        alternatives.retain(|pairs| !pairs.is_empty());
        self.lists.push(alternatives);
        self.lists.len() - 1
    }

    fn steps(&mut self, language: usize, pieces: &[Piece]) -> Result<Vec<Step>, String> {
        let all = self.named.clone();
        let named = |name: &str| all.get(name).copied().ok_or(format!("there is no list <{name}>"));
        let mut steps = Vec::new();
        for piece in pieces {
            match piece {
                Piece::Text(text) => steps.extend(self.pairs(language, text).into_iter().map(Step::Word)),
                Piece::OneOf(words) => steps.push(Step::List(self.list(language, words))),
                Piece::Maybe(words) => steps.push(Step::Maybe(self.list(language, words))),
                Piece::List(name) => steps.push(Step::List(named(name)?)),
                Piece::MaybeList(name) => steps.push(Step::Maybe(named(name)?)),
                Piece::Few => steps.push(Step::Gap(FEW[language])),
                Piece::Near => steps.push(Step::Near(NEAR[language])),
                Piece::Many => steps.push(Step::Gap(MANY[language])),
                Piece::MessageStart => steps.push(Step::Mark("MessageStart")),
                Piece::MessageEnd => steps.push(Step::Mark("MessageEnd")),
                Piece::ClauseStart => steps.push(Step::Mark("ClauseStart")),
                Piece::ClauseEnd => steps.push(Step::Mark("ClauseEnd")),
            }
        }
        Ok(steps)
    }

    fn pairs(&mut self, language: usize, text: &str) -> Vec<Pair> {
        let simplify = |letter| self.traditional.get(&letter).copied().unwrap_or(letter);
        let stem = text.ends_with('*');
        // `dừng!`: only with its marks; without them it may be `đúng`.
        let marked = text.ends_with('!');
        let cut = words::split(text, WORDS_IN_PHRASE_MAX, simplify).words;
        let last = cut.len().saturating_sub(1);
        let pair = |(index, word): (usize, &Word)| match language {
            VIETNAMESE if !word.plain.starts_with(words::is_han) => (
                number(&mut self.next, &mut self.toned, &word.toned),
                if marked { 0 } else { number(&mut self.next, &mut self.lax, &word.plain) },
            ),
            _ if stem && index == last => (number(&mut self.next, &mut self.stems, &word.plain), 0),
            _ => (number(&mut self.next, &mut self.plain, &word.plain), 0),
        };
        cut.iter().enumerate().map(pair).collect()
    }

    /// The words a phrase can begin with.
    fn first(&self, steps: &[Step]) -> BTreeSet<u16> {
        let mut first = BTreeSet::new();
        for step in steps {
            match step {
                Step::Word(pair) => {
                    first.extend([pair.0, pair.1]);
                    break;
                }
                Step::List(list) | Step::Maybe(list) => {
                    first.extend(self.lists[*list].iter().flat_map(|words| [words[0].0, words[0].1]));
                    if matches!(step, Step::List(_)) {
                        break;
                    }
                }
                Step::Gap(_) | Step::Near(_) | Step::Mark(_) => {}
            }
        }
        first.remove(&0);
        first
    }

    pub fn write(&self) -> String {
        let mut out = String::new();
        for (name, table) in
            [("PLAIN", &self.plain), ("TONED", &self.toned), ("LAX", &self.lax), ("STEMS", &self.stems)]
        {
            let entries: Vec<String> = table.iter().map(|(word, id)| format!("({word:?},{id})")).collect();
            put(&mut out, name, "(&str, u16)", &entries);
        }
        let roles: Vec<String> =
            (0..self.next).map(|id| self.roles.get(&id).copied().unwrap_or_default().to_string()).collect();
        put(&mut out, "ROLES", "u16", &roles);
        let list = |list: &Vec<Vec<Pair>>| format!("&{:?}", list).replace('[', "&[").replacen("&&", "&", 1);
        put(&mut out, "LISTS", "&[&[(u16, u16)]]", &self.lists.iter().map(list).collect::<Vec<_>>());
        put(&mut out, "RULES", "Rule", &self.rules);
        let phrase = |(rule, steps): &(usize, Vec<Step>)| {
            let steps: Vec<String> = steps.iter().map(step_text).collect();
            format!("({rule}, &[{}])", steps.join(","))
        };
        put(&mut out, "PHRASES", "(u16, &[Step])", &self.phrases.iter().map(phrase).collect::<Vec<_>>());
        let mut by_first = vec![Vec::new(); usize::from(self.next)];
        for (index, (_, steps)) in self.phrases.iter().enumerate() {
            for id in self.first(steps) {
                by_first[usize::from(id)].push(index);
            }
        }
        put(&mut out, "BY_FIRST", "&[u16]", &by_first.iter().map(|list| format!("&{list:?}")).collect::<Vec<_>>());
        let pairs: Vec<String> = self.traditional.iter().map(|(from, to)| format!("({from:?},{to:?})")).collect();
        put(&mut out, "TRADITIONAL", "(char, char)", &pairs);
        out
    }
}

fn number(next: &mut u16, table: &mut BTreeMap<String, u16>, word: &str) -> u16 {
    *table.entry(word.to_owned()).or_insert_with(|| {
        *next += 1;
        *next - 1
    })
}

fn put(out: &mut String, name: &str, kind: &str, entries: &[String]) {
    let _ = writeln!(out, "pub static {name}: &[{kind}] = &[{}];", entries.join(","));
}

fn step_text(step: &Step) -> String {
    match step {
        Step::Word((id, lax)) => format!("Step::Word({id},{lax})"),
        Step::List(list) => format!("Step::List({list})"),
        Step::Maybe(list) => format!("Step::Maybe({list})"),
        Step::Gap(words_max) => format!("Step::Gap({words_max})"),
        Step::Near(words_max) => format!("Step::Near({words_max})"),
        Step::Mark(mark) => format!("Step::{mark}"),
    }
}

fn rule_text(language: usize, rule: &crate::source::Rule) -> Result<String, String> {
    let mut after = 0u8;
    for question in &rule.after {
        let bit =
            QUESTIONS.iter().position(|known| known == question).ok_or(format!("no such question: {question}"))?;
        after |= 1 << bit;
    }
    if rule.after.is_empty() {
        after = u8::MAX;
    }
    let meaning = |name: &str| name.split('-').map(|word| word[..1].to_uppercase() + &word[1..]).collect::<String>();
    let hides: Vec<String> = rule.hides.iter().map(|name| format!("Meaning::{}", meaning(name))).collect();
    let meaning = meaning(&rule.intent);
    let language = ["English", "Spanish", "Chinese", "Vietnamese"][language];
    Ok(format!(
        "Rule {{ meaning: Meaning::{meaning}, name: {:?}, language: Language::{language}, strength: {}, after: {after}, hides: &[{}], even_negated: {}, shouted: {}, loan: {} }}",
        rule.name,
        rule.strength,
        hides.join(", "),
        rule.even_negated,
        rule.shouted,
        rule.loan
    ))
}
