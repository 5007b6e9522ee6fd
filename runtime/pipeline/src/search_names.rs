//! By what people look for a referral: a word of the patient's name, the date of birth, a number, an address. Each is blinded, so
//! that the index finds what it cannot read; and so only whole words are found.

use chrono::NaiveDate;
use handoff_engine::ids::BlindedName;
use handoff_host::contract::interpreter;
use handoff_vault::Vault;
use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::is_combining_mark;

use crate::addresses::HomeCountry;
use crate::intake::names::number_as_typed;

/// More words than a name and a date have are no search.
const TERMS_MAX: usize = 6;

/// As people write a date here; the first that fits.
const DATE_FORMATS: [&str; 5] = ["%Y-%m-%d", "%m/%d/%Y", "%m-%d-%Y", "%m.%d.%Y", "%Y%m%d"];

/// Names by which somebody will look for this patient.
pub fn of_patient(vault: &Vault, patient: &interpreter::Patient) -> Vec<BlindedName> {
    let words = words(&patient.given).chain(words(&patient.family));
    let mut names: Vec<BlindedName> = words.map(|word| vault.blind("name-word", &word)).collect();
    if let Some(born) = date(&patient.birth_date) {
        names.push(vault.blind("born", &born.to_string()));
    }
    names.extend(patient.identifiers.iter().map(|id| vault.blind("record-number", id.value.trim())));
    names.sort();
    names.dedup();
    names
}

/// What somebody typed, term by term: a referral is meant when one name of every term is its.
pub fn of_typed(vault: &Vault, country: HomeCountry, typed: &str) -> Vec<Vec<BlindedName>> {
    let typed = typed.trim();
    // `(213) 555-0140` is one number in two words.
    if country.canonical(typed).starts_with('+') {
        return vec![numbers(vault, country, typed)];
    }
    let terms = typed.split([' ', ',', ';']).filter(|term| !term.is_empty()).take(TERMS_MAX);
    terms.flat_map(|term| names_of(vault, country, term)).collect()
}

fn names_of(vault: &Vault, country: HomeCountry, term: &str) -> Vec<Vec<BlindedName>> {
    if let Some(born) = date(term) {
        return vec![vec![vault.blind("born", &born.to_string())]];
    }
    let names = |word: String| vault.blind("name-word", &word);
    match words(term).collect::<Vec<_>>().as_slice() {
        [] => Vec::new(),
        // `García-López` is two words of one name; a number with a hyphen has digits.
        [_, _, ..] if !term.contains(|c: char| c.is_ascii_digit() || c == '@') => {
            words(term).map(|word| vec![names(word)]).collect()
        }
        [first, ..] => vec![[numbers(vault, country, term), vec![names(first.clone())]].concat()],
    }
}

/// A text as each kind of number, and as an address.
fn numbers(vault: &Vault, country: HomeCountry, text: &str) -> Vec<BlindedName> {
    let others = [vault.blind("record-number", text), vault.blind("address", &country.canonical(text))];
    number_as_typed(vault, text).into_iter().chain(others).collect()
}

/// Folded, so that `Beltrán` is found by `beltran`.
pub(crate) fn words(text: &str) -> impl Iterator<Item = String> {
    let folded: String = text.nfkd().filter(|c| !is_combining_mark(*c)).flat_map(char::to_lowercase).collect();
    let words: Vec<String> =
        folded.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).map(str::to_string).collect();
    words.into_iter()
}

fn date(text: &str) -> Option<NaiveDate> {
    DATE_FORMATS.into_iter().find_map(|format| NaiveDate::parse_from_str(text, format).ok())
}

#[cfg(test)]
mod tests {
    use handoff_vault::{MasterKey, system_dice};

    use super::*;

    fn ana() -> interpreter::Patient {
        interpreter::Patient {
            identifiers: vec![interpreter::Identifier {
                authority: "NPC".into(),
                value: "MRN-0042".into(),
                kind: "MR".into(),
            }],
            given: "Ana María".into(),
            family: "Beltrán-Ruiz".into(),
            birth_date: "1967-06-14".into(),
            language: None,
            phones: Vec::new(),
            emails: Vec::new(),
            address: interpreter::Address {
                line: String::new(),
                city: String::new(),
                state: String::new(),
                postal_code: String::new(),
                country: String::new(),
            },
            preferred_channel: None,
        }
    }

    #[test]
    fn a_patient_is_found_by_words_dates_and_numbers_however_they_are_written() {
        let folder = tempfile::TempDir::new().expect("a folder");
        let master = MasterKey::parse(&"a7".repeat(32)).expect("a key");
        let vault = Vault::open(folder.path(), master, system_dice(), 0).expect("a vault");
        let names = of_patient(&vault, &ana());
        let means = |typed: &str| {
            let terms = of_typed(&vault, HomeCountry::default(), typed);
            !terms.is_empty() && terms.iter().all(|term| term.iter().any(|name| names.contains(name)))
        };
        for typed in [
            "beltran",
            "BELTRÁN",
            "Beltrán-Ruiz",
            "Ana Beltrán",
            "Beltran, Ana",
            "maria ruiz",
            "1967-06-14",
            "06/14/1967",
            "6/14/1967",
            "Beltrán 6/14/1967",
            "MRN-0042",
            " MRN-0042 ",
        ] {
            assert!(means(typed), "{typed}");
        }
        for typed in ["", "  ", ", ,", "belt", "Ana Gómez", "1967-06-15", "Beltrán 6/15/1967", "MRN-0043", "0042"] {
            assert!(!means(typed), "{typed}");
        }
    }
}
