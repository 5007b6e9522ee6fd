//! In which language? The patient's first that has a template (BCP 47 tags, RFC 4647 lookup), else the practice's.

use crate::settings::Settings;
use crate::{Failure, Situation};

/// Answers with a tag from `available`, written as it is there, for templates are found by it.
pub fn choose(situation: &Situation, settings: &Settings) -> Result<String, Failure> {
    let available = &situation.available;
    situation
        .languages
        .iter()
        .chain([&settings.default_language])
        .find_map(|tag| lookup(tag, available))
        .or(available.first())
        .cloned()
        .ok_or_else(|| {
            Failure::Misconfigured(format!("the letter {} has no template in any language", situation.letter))
        })
}

/// RFC 4647, 3.4: the tag itself, then shortened from the right (`zh-Hant-TW`, `zh-Hant`, `zh`). Failing that, a sister
/// of the same language (`zh-Hans` for a reader of `zh-Hant`): nearer than the practice's default.
fn lookup<'a>(tag: &str, available: &'a [String]) -> Option<&'a String> {
    let wanted: Vec<String> = subtags(tag);
    let exact = (1..=wanted.len())
        .rev()
        .find_map(|length| available.iter().find(|candidate| subtags(candidate) == wanted[..length]));
    exact.or_else(|| available.iter().find(|candidate| subtags(candidate).first() == wanted.first()))
}

/// Some charts write `zh_Hans`.
fn subtags(tag: &str) -> Vec<String> {
    tag.trim().split(['-', '_']).map(str::to_ascii_lowercase).collect()
}
