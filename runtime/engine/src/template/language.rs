//! What one language's template file says: its letters, and the words that stand in them.

use std::collections::BTreeMap;

use super::{LocalCalendar, Template};

/// One language's words and letters.
#[derive(Clone, Debug)]
pub struct Language {
    pub tag: String,
    pub words: Words,
    pub calendar: LocalCalendar,
    /// Specialties by their lower-case English name, as this language says them in a sentence.
    pub specialties: BTreeMap<String, String>,
    pub letters: BTreeMap<String, LetterTexts>,
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
