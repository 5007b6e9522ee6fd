//! What people do to a referral: their answers read, and what the act says has happened.
//!
//! A workflow lists its acts under `actions:`. Doing one is an event of its own, `person.NAME`, with the answers in it. Where the
//! act *tells* another event (an appointment that somebody was told of by telephone), that event follows in the same commit,
//! and is learned and handled as if it had come from outside.

mod given;
mod tell;

pub use given::{AnswerFault, DOCUMENT_BASE64_MAX, GivenAnswer, GivenAnswers, MEDIA_TYPES, TEXT_CHARS_MAX};
pub use tell::{Minted, told_events};
