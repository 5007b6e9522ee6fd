//! Which place of a message told which fact, found out by asking the plugin again with something else at each place: what its
//! answer then says otherwise stands there. So it holds for any trigger and any settings, and for what the plugin does rather than
//! for what is written about it.

use std::collections::{BTreeMap, HashMap};
use std::mem::discriminant;

use handoff_host::contract::interpreter::{Event, Meaning, Reading};

use super::facts::{Fact, facts};
use super::places::{Group, Places};
use super::reader::TriggerReader;

/// Where each fact of a reading comes from.
pub(super) struct Explanation {
    /// In the order of the events, each with the places that tell it.
    pub told: Vec<(Fact, Vec<String>)>,
    /// Without what stands there, or with something else, the message means another thing or cannot be read.
    pub deciding: Vec<String>,
    /// What stands there changes nothing.
    pub unused: Vec<String>,
}

/// What one place does.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    Tells,
    Decides,
    Nothing,
}

/// Answers depend on MSH, and no answer is looked at: it is not for us to say what of it is left over.
const HEADER: &str = "MSH-";

/// So many places may tell something together: more, and it would say nothing of any of them.
const TOGETHER_MAX: usize = 8;

impl Explanation {
    /// # Errors
    /// When the plugin fails.
    pub fn of(reader: &TriggerReader, body: &[u8], reading: &Reading) -> anyhow::Result<Explanation> {
        let known = facts(reading);
        let Some(places) = Places::of(body) else {
            return Ok(Explanation { told: Vec::new(), deciding: Vec::new(), unused: Vec::new() });
        };
        let mut search = Search {
            reader,
            places: &places,
            reading,
            roles: BTreeMap::new(),
            sources: vec![Vec::new(); known.len()],
            known,
        };
        search.group(&places.whole)?;
        let Search { known, sources, roles, .. } = search;
        let named = |leaves: &[usize]| leaves.iter().map(|leaf| places.leaves[*leaf].place.clone()).collect();
        let of_role = |wanted: Role| {
            let leaves = roles.iter().filter(|(_, role)| **role == wanted).map(|(leaf, _)| *leaf);
            leaves.collect::<Vec<_>>()
        };
        let unused: Vec<String> = named(&of_role(Role::Nothing));
        Ok(Explanation {
            told: known.into_iter().zip(sources).map(|(fact, leaves)| (fact, named(&leaves))).collect(),
            deciding: named(&of_role(Role::Decides)),
            unused: unused.into_iter().filter(|place| !place.starts_with(HEADER)).collect(),
        })
    }
}

struct Search<'a> {
    reader: &'a TriggerReader,
    places: &'a Places,
    reading: &'a Reading,
    known: Vec<Fact>,
    /// The leaves that tell each known fact.
    sources: Vec<Vec<usize>>,
    roles: BTreeMap<usize, Role>,
}

impl Search<'_> {
    /// What a whole does not change when all of it is empty or otherwise, none of its parts does.
    fn group(&mut self, group: &Group) -> anyhow::Result<()> {
        let several = group.leaves.len() > 1;
        let probes: &[fn(&str) -> String] = if several { &[lower, higher, nothing] } else { &[] };
        let otherwise = probes.iter().map(|other| self.whole(group, *other)).collect::<anyhow::Result<Vec<_>>>()?;
        if several && otherwise.iter().all(|asked| asked.is_same(self)) {
            self.roles.extend(group.leaves.clone().map(|leaf| (leaf, Role::Nothing)));
            return Ok(());
        }
        let mut from = group.leaves.start;
        for inner in &group.groups {
            (from..inner.leaves.start).try_for_each(|leaf| self.leaf(leaf))?;
            self.group(inner)?;
            from = inner.leaves.end;
        }
        (from..group.leaves.end).try_for_each(|leaf| self.leaf(leaf))?;
        self.together(group, &otherwise);
        Ok(())
    }

    /// A whole that tells something where none of its parts does by itself: a code and its words say the same.
    fn together(&mut self, group: &Group, otherwise: &[Asked]) {
        let is_unused = |leaf: usize| self.roles.get(&leaf) == Some(&Role::Nothing);
        if group.leaves.len() > TOGETHER_MAX || !group.leaves.clone().all(is_unused) {
            return;
        }
        let missing = otherwise.iter().filter(|asked| asked.means_the_same).map(|asked| asked.missing(&self.known));
        let role = match missing.into_iter().find(|missing| !missing.is_empty()) {
            Some(missing) => {
                missing.into_iter().for_each(|fact| self.sources[fact].extend(group.leaves.clone()));
                Role::Tells
            }
            None if otherwise.iter().any(|asked| !asked.means_the_same) => Role::Decides,
            None => return,
        };
        self.roles.extend(group.leaves.clone().map(|leaf| (leaf, role)));
    }

    /// The message with another text at each place of a group.
    fn whole(&self, group: &Group, other: fn(&str) -> String) -> anyhow::Result<Asked> {
        let texts = group.leaves.clone().map(|leaf| (leaf, other(&self.places.leaves[leaf].text)));
        self.asked(&texts.collect::<Vec<_>>())
    }

    /// Something near comes first, that a date stays one and a code a code: it shows what the place tells. That it is empty shows
    /// what the message is without it.
    fn leaf(&mut self, leaf: usize) -> anyhow::Result<()> {
        let text = self.places.leaves[leaf].text.clone();
        let mut role = Role::Nothing;
        let mut added = Vec::new();
        for other in [lower, higher, longer, nothing] {
            let asked = self.asked(&[(leaf, other(&text))])?;
            if !asked.means_the_same {
                role = Role::Decides;
                continue;
            }
            let missing = asked.missing(&self.known);
            if !missing.is_empty() {
                missing.into_iter().for_each(|fact| self.sources[fact].push(leaf));
                role = Role::Tells;
                added.clear();
                break;
            }
            added.extend(asked.added(&self.known));
        }
        // Said elsewhere as well: something else here adds to it.
        if role == Role::Nothing && !added.is_empty() {
            let alike = (0..self.known.len()).filter(|fact| added.contains(&self.known[*fact].kind()));
            for fact in alike.collect::<Vec<_>>() {
                self.sources[fact].push(leaf);
                role = Role::Tells;
            }
        }
        self.roles.insert(leaf, role);
        Ok(())
    }

    fn asked(&self, changes: &[(usize, String)]) -> anyhow::Result<Asked> {
        let reading = self.reader.read(self.places.with(changes))?;
        Ok(Asked { means_the_same: means_alike(&reading, self.reading), facts: facts(&reading) })
    }
}

/// The same kinds of events, the same reason, the same fault.
fn means_alike(one: &Reading, other: &Reading) -> bool {
    match (&one.meaning, &other.meaning) {
        (Meaning::Events(one), Meaning::Events(other)) => {
            let kinds = |events: &[Event]| events.iter().map(|event| discriminant(&event.what)).collect::<Vec<_>>();
            kinds(one) == kinds(other)
        }
        (Meaning::NotForUs(one), Meaning::NotForUs(other)) => one == other,
        (Meaning::Unreadable(one), Meaning::Unreadable(other)) => one == other,
        (Meaning::Parts(one), Meaning::Parts(other)) => one.len() == other.len(),
        (Meaning::Events(_) | Meaning::NotForUs(_) | Meaning::Unreadable(_) | Meaning::Parts(_), _) => false,
    }
}

/// What the plugin says of the message with something else in it.
struct Asked {
    means_the_same: bool,
    facts: Vec<Fact>,
}

impl Asked {
    fn is_same(&self, search: &Search<'_>) -> bool {
        self.means_the_same && self.facts == search.known
    }

    /// Those that it does not say any more, wherever in a list they stand.
    fn missing(&self, known: &[Fact]) -> Vec<usize> {
        let mut left = counted(&self.facts);
        let is_missing = |fact: &Fact| match left.get_mut(&(fact.kind(), fact.value.clone())) {
            Some(count) if *count > 0 => {
                *count -= 1;
                false
            }
            Some(_) | None => true,
        };
        let mut is_missing = is_missing;
        (0..known.len()).filter(|fact| is_missing(&known[*fact])).collect()
    }

    /// The kinds of those that it says more.
    fn added(&self, known: &[Fact]) -> Vec<String> {
        let before = counted(known);
        let more = self.facts.iter().filter(|fact| !before.contains_key(&(fact.kind(), fact.value.clone())));
        more.map(Fact::kind).collect()
    }
}

fn counted(facts: &[Fact]) -> HashMap<(String, String), usize> {
    let mut counts = HashMap::new();
    facts.iter().for_each(|fact| *counts.entry((fact.kind(), fact.value.clone())).or_default() += 1);
    counts
}

fn nothing(_: &str) -> String {
    String::new()
}

/// The last letter or digit one lower: `30` is a day as `31` was.
fn lower(text: &str) -> String {
    last(text, |c| match c {
        '0' | 'a' | 'A' => char::from(c as u8 + 1),
        c => char::from(c as u8 - 1),
    })
}

fn higher(text: &str) -> String {
    last(text, |c| match c {
        '9' | 'z' | 'Z' => char::from(c as u8 - 1),
        c => char::from(c as u8 + 1),
    })
}

fn longer(text: &str) -> String {
    format!("{}Q7", text.trim_end())
}

fn last(text: &str, other: fn(char) -> char) -> String {
    match text.char_indices().rev().find(|(_, c)| c.is_ascii_alphanumeric()) {
        Some((at, c)) => format!("{}{}{}", &text[..at], other(c), &text[at + 1..]),
        None => longer(text),
    }
}
