//! `reply-phrases`: understands a patient's reply by the phrases people use, and leaves the rest to a person.
//!
//! The phrases are data, one file per language in `phrases/`; see the README for how to read and add them.

// The allocator of the component: an instance lives for one call.
use bump as _;

pub mod meaning;
pub mod reading;
pub mod settings;

mod dictation;
mod features;
mod forms;
mod language;
mod matching;
mod message;
mod own_words;
mod phrases;
mod typos;
mod verdict;
mod voter;
mod words;

use meaning::{Asked, Meaning};
use settings::Settings;

wit_bindgen::generate!({ path: "../../wit", world: "reply" });

pub use exports::handoff::stage::understanding::{Guest, Intent, Message, Question, Reading};
use handoff::stage::types::Failure;

/// The component.
pub struct ReplyPhrases;

impl Guest for ReplyPhrases {
    fn understand(message: Message, settings: String) -> Result<Reading, Failure> {
        let settings = Settings::read(&settings).map_err(Failure::Misconfigured)?;
        let verdict = reading::read(&message.text, &message.language, asked(message.asked), &settings);
        Ok(Reading {
            intent: intent(verdict.meaning),
            language: verdict.language.tag().to_owned(),
            confidence: verdict.confidence,
            evidence: format!("{} ({})", verdict.rule, verdict.language.tag()),
        })
    }
}

fn asked(question: Question) -> Asked {
    match question {
        Question::Schedule => Asked::Schedule,
        Question::ConfirmVisit => Asked::ConfirmVisit,
        Question::Reminder => Asked::Reminder,
        Question::NoShowFollowUp => Asked::NoShowFollowUp,
        Question::Info => Asked::Info,
    }
}

fn intent(meaning: Meaning) -> Intent {
    match meaning {
        Meaning::Emergency => Intent::Emergency,
        Meaning::OptOut => Intent::OptOut,
        Meaning::WrongPerson => Intent::WrongPerson,
        Meaning::OptIn => Intent::OptIn,
        Meaning::Help => Intent::Help,
        Meaning::CancelVisit => Intent::CancelVisit,
        Meaning::Decline => Intent::Decline,
        Meaning::Reschedule => Intent::Reschedule,
        Meaning::Scheduled => Intent::Scheduled,
        Meaning::Attended => Intent::Attended,
        Meaning::Confirm => Intent::Confirm,
        Meaning::Question => Intent::Question,
        Meaning::Unclear
        | Meaning::Nothing
        | Meaning::Hedge
        | Meaning::Doubt
        | Meaning::TakenBack
        | Meaning::Machine => Intent::Unclear,
    }
}

// A native linker refuses the names that a component exports.
#[cfg(target_arch = "wasm32")]
export!(ReplyPhrases);
