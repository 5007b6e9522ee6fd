//! Under which blinded names numbers and patients are kept and looked for. A number is its authority's (HL7 v2.5.1, 2.A.28 and
//! 2.A.14): two systems that count from one are not one system.

use handoff_engine::ids::BlindedName;
use handoff_host::contract::interpreter::{Identifier, NamedPatient, Number};
use handoff_vault::Vault;

use crate::search_names::words;

/// Between an authority and its number; no message can hold it.
const APART: char = '\u{1f}';
/// Before whoever stands in for an authority, so that no authority's own name is taken for it.
const STAND_IN: char = '\u{1e}';

/// What a number counts.
#[derive(Clone, Copy)]
pub(crate) enum Counted {
    Referral,
    Appointment,
    Document,
}

impl Counted {
    fn word(self) -> &'static str {
        match self {
            Counted::Referral => "number",
            Counted::Appointment => "appointment",
            Counted::Document => "document",
        }
    }
}

/// The names that one sender's numbers go by.
pub(crate) struct Names<'a> {
    vault: &'a Vault,
    /// For numbers without an authority.
    stand_in: String,
}

impl<'a> Names<'a> {
    /// `sender` is who speaks, as the message says; where it does not, the source is.
    pub fn of(vault: &'a Vault, sender: &str, source: &str) -> Names<'a> {
        let speaker = if sender.is_empty() { source } else { sender };
        Names { vault, stand_in: format!("{STAND_IN}{speaker}") }
    }

    /// Whose number it is.
    pub fn authority<'n>(&'n self, named: &'n str) -> &'n str {
        if named.is_empty() { &self.stand_in } else { named }
    }

    /// The number as its authority's: who has it is meant.
    pub fn exact(&self, counted: Counted, number: &Number) -> BlindedName {
        let Number { value, authority } = number;
        self.vault.blind(counted.word(), &format!("{}{APART}{value}", self.authority(authority)))
    }

    /// Those that a referral is kept under.
    pub fn kept(&self, counted: Counted, number: &Number) -> [BlindedName; 2] {
        let bare = if number.authority.is_empty() { self.unsaid(counted, number) } else { self.said(counted, number) };
        [self.exact(counted, number), bare]
    }

    /// The same digits from a system that does not say whose they are, or was not told. Who has them may be meant: where the
    /// patient agrees.
    pub fn loose(&self, counted: Counted, number: &Number) -> Vec<BlindedName> {
        let mut names = vec![self.unsaid(counted, number)];
        if number.authority.is_empty() {
            names.push(self.said(counted, number));
        }
        names
    }

    /// Kept by a sender that named no authority; until contract 0.2.0 every number was.
    fn unsaid(&self, counted: Counted, number: &Number) -> BlindedName {
        self.vault.blind(counted.word(), &number.value)
    }

    fn said(&self, counted: Counted, number: &Number) -> BlindedName {
        self.vault.blind(counted.word(), &format!("{APART}{}", number.value))
    }

    pub fn identifier(&self, identifier: &Identifier) -> BlindedName {
        let Identifier { value, authority, kind: _ } = identifier;
        self.vault.blind("patient", &format!("{}{APART}{value}", self.authority(authority)))
    }

    /// With what a referral of an earlier release is kept under, which gave no authority a stand-in.
    pub fn identifier_names(&self, identifier: &Identifier) -> impl Iterator<Item = BlindedName> {
        let Identifier { value, authority, kind: _ } = identifier;
        let earlier = authority.is_empty().then(|| self.vault.blind("patient", &format!("{APART}{value}")));
        [self.identifier(identifier)].into_iter().chain(earlier)
    }

    /// Family name and date of birth, where both are known to the day: few share them.
    pub fn person(&self, family: &str, birth_date: &str) -> Option<BlindedName> {
        // `García-López` is `GARCIA LOPEZ`.
        let family: String = words(family).collect();
        let is_known = !family.is_empty() && birth_date.len() == "YYYY-MM-DD".len();
        is_known.then(|| self.vault.blind("person", &format!("{family}{APART}{birth_date}")))
    }

    /// Every name that a patient may be kept under, surest first.
    pub fn patient(&self, patient: &NamedPatient) -> Vec<BlindedName> {
        let numbers = patient.identifiers.iter().flat_map(|identifier| self.identifier_names(identifier));
        numbers.chain(self.person(&patient.family, &patient.birth_date)).collect()
    }
}

/// A number that somebody typed, whoever gave it out.
pub(crate) fn number_as_typed(vault: &Vault, value: &str) -> [BlindedName; 2] {
    let word = Counted::Referral.word();
    [vault.blind(word, value), vault.blind(word, &format!("{APART}{value}"))]
}
