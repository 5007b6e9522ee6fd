//! From a reply to its meaning: words, phrases, language, verdict.

use crate::language;
use crate::matching;
use crate::meaning::{Asked, Language};
use crate::message::Message;
use crate::own_words::{self, Own};
use crate::settings::Settings;
use crate::verdict;

pub use crate::verdict::Verdict;

/// Reads `text` as the answer to `asked`, sent in the language of `last_tag`.
pub fn read(text: &str, last_tag: &str, asked: Asked, settings: &Settings) -> Verdict {
    let last = Language::of_tag(last_tag);
    let text = match own_words::of(text) {
        Own::Words(text) => text,
        Own::Reaction => return Verdict::unclear("reaction", last.unwrap_or(Language::English)),
        Own::Quoted => return Verdict::unclear("only words of others", last.unwrap_or(Language::English)),
    };
    let message = Message::read(&text);
    let found = matching::find(&message, asked);
    let language = language::guess(&message, &found, last);
    let verdict = verdict::decide(&message, found, language, asked);
    settings.abstain(settings.outrank(&message.text.words, verdict))
}
