//! What one language's template file says: its letters, and the words that stand in them.

use std::collections::BTreeMap;

use chrono::NaiveDate;

use super::{LocalCalendar, Template};

/// One language's words and letters.
#[derive(Clone, Debug)]
pub struct Language {
    pub tag: String,
    pub translation: Option<Translation>,
    pub words: Words,
    pub calendar: LocalCalendar,
    /// Specialties by their lower-case English name, as this language says them in a sentence.
    pub specialties: BTreeMap<String, String>,
    pub letters: BTreeMap<String, LetterTexts>,
}

/// Who answers for the words of a translated file. 45 CFR 92.201(c)(3): a machine's translation of what matters to a patient's
/// care is reviewed by a qualified human translator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Translation {
    pub translator: String,
    pub reviewed_on: NaiveDate,
}

/// Words that stand in letters without being theirs.
#[derive(Clone, Debug, Default)]
pub struct Words {
    /// For a specialist who is unknown or must not be named: `the office you were referred to`.
    pub specialist: String,
    /// For a specialty that is unknown or must not be named: `specialist`.
    pub specialty: String,
    /// What the patient is asked to answer: yes, help, stop.
    pub yes: String,
    pub help: String,
    pub stop: String,
}

#[derive(Clone, Debug, Default)]
pub struct LetterTexts {
    pub sms: Option<Template>,
    pub email: Option<MailText>,
    /// The mail's text serves when there is none of its own.
    pub portal: Option<MailText>,
}

#[derive(Clone, Debug)]
pub struct MailText {
    pub subject: Template,
    pub text: Template,
}
