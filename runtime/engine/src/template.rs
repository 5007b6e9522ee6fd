//! Templates: text with `{{ placeholder }}`, compiled once, and only with placeholders that are known; and the languages that
//! letters are written in.

mod date;
mod language;

pub use date::{ClockStyle, LocalCalendar};
pub use language::{Language, LetterTexts, MailText, Translation, Words};

use crate::problem::did_you_mean;
use crate::vocabulary::vocabulary;

vocabulary! {
    /// What a template may leave open.
    pub enum Placeholder {
        Given = "given",
        Family = "family",
        Practice = "practice",
        PracticePhone = "practice_phone",
        Specialist = "specialist",
        SpecialistPhone = "specialist_phone",
        Specialty = "specialty",
        Date = "date",
        Time = "time",
        Yes = "yes",
        Help = "help",
        Stop = "stop",
        /// What a person of the practice writes.
        Message = "message",
    }
}

/// Who reads the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TemplatePlace {
    /// A patient's phone or mailbox, where others may look: no family name.
    Letter,
    /// Staff.
    Task,
}

const LETTER: &[Placeholder] = &[
    Placeholder::Given,
    Placeholder::Practice,
    Placeholder::PracticePhone,
    Placeholder::Specialist,
    Placeholder::SpecialistPhone,
    Placeholder::Specialty,
    Placeholder::Date,
    Placeholder::Time,
    Placeholder::Yes,
    Placeholder::Help,
    Placeholder::Stop,
    Placeholder::Message,
];

const TASK: &[Placeholder] = &[
    Placeholder::Given,
    Placeholder::Family,
    Placeholder::Practice,
    Placeholder::PracticePhone,
    Placeholder::Specialist,
    Placeholder::SpecialistPhone,
    Placeholder::Specialty,
    Placeholder::Date,
    Placeholder::Time,
];

impl TemplatePlace {
    fn placeholders(self) -> &'static [Placeholder] {
        match self {
            TemplatePlace::Letter => LETTER,
            TemplatePlace::Task => TASK,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    pieces: Vec<Piece>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Text(String),
    Slot(Placeholder),
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TemplateFault {
    #[error("`{{{{ {name} }}}}` is no placeholder")]
    Unknown { name: String, help: String },
    #[error("a `{{{{` is not closed")]
    Unclosed,
    #[error("the text is empty")]
    Empty,
}

impl TemplateFault {
    pub fn help(&self) -> String {
        match self {
            TemplateFault::Unknown { help, .. } => help.clone(),
            TemplateFault::Unclosed => "close it: `{{ given }}`".to_string(),
            TemplateFault::Empty => "write the text".to_string(),
        }
    }
}

impl Template {
    pub fn compile(text: &str, place: TemplatePlace) -> Result<Template, TemplateFault> {
        let known = place.placeholders();
        let mut pieces = Vec::new();
        let mut rest = text.trim_end();
        if rest.trim().is_empty() {
            return Err(TemplateFault::Empty);
        }
        while let Some((before, after)) = rest.split_once("{{") {
            let (name, after) = after.split_once("}}").ok_or(TemplateFault::Unclosed)?;
            let name = name.trim();
            let slot = known.iter().find(|placeholder| placeholder.as_str() == name).ok_or_else(|| {
                let help = did_you_mean(name, known.iter().map(|placeholder| placeholder.as_str()));
                TemplateFault::Unknown { name: name.to_string(), help }
            })?;
            if !before.is_empty() {
                pieces.push(Piece::Text(before.to_string()));
            }
            pieces.push(Piece::Slot(*slot));
            rest = after;
        }
        if !rest.is_empty() {
            pieces.push(Piece::Text(rest.to_string()));
        }
        Ok(Template { pieces })
    }

    /// Whether this is left open.
    pub fn asks(&self, placeholder: Placeholder) -> bool {
        self.pieces.contains(&Piece::Slot(placeholder))
    }

    /// The finished text; `None` as soon as a placeholder has no value.
    pub fn fill(&self, value: impl Fn(Placeholder) -> Option<String>) -> Option<String> {
        let mut text = String::new();
        for piece in &self.pieces {
            match piece {
                Piece::Text(written) => text.push_str(written),
                Piece::Slot(placeholder) => text.push_str(&value(*placeholder)?),
            }
        }
        Some(text)
    }
}
