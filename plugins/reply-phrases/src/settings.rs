//! What a clinic sets: phrases of its own and how sure an answer must be.

use crate::meaning::{Language, Meaning};
use crate::words::{self, Word};
use crate::{phrases, verdict::Verdict};
use serde::Deserialize;

/// A clinic's own phrases are matched one by one on every reply; a longer list belongs into `phrases/`.
const PHRASES_MAX: usize = 500;
/// A phrase longer than this would never be texted twice.
const PHRASE_WORDS_MAX: usize = 30;
/// How plainly a phrase speaks when the clinic does not say.
const STRENGTH_DEFAULT: u8 = 90;
/// Below this an answer is `unclear`, unless the clinic says otherwise.
const CONFIDENCE_DEFAULT: u8 = 50;
const PERCENT_MAX: u8 = 100;

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct Written {
    #[serde(default)]
    phrases: Vec<WrittenPhrase>,
    confidence: Option<u8>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenPhrase {
    language: String,
    intent: String,
    text: String,
    confidence: Option<u8>,
}

/// Settings that can be used.
pub struct Settings {
    phrases: Vec<OwnPhrase>,
    confidence_min: u8,
}

struct OwnPhrase {
    language: Language,
    meaning: Meaning,
    words: Vec<Word>,
    strength: u8,
}

impl Settings {
    /// Reads the `settings:` of the stage.
    ///
    /// # Errors
    /// Names the key that cannot be used and what to write there.
    pub fn read(json: &str) -> Result<Self, String> {
        let written: Written = match json.trim() {
            "" | "{}" => Written::default(),
            json => serde_json::from_str(json).map_err(|error| format!("settings: {error}"))?,
        };
        if written.phrases.len() > PHRASES_MAX {
            return Err(format!("settings.phrases: {} phrases, at most {PHRASES_MAX}", written.phrases.len()));
        }
        let confidence_min = percent(written.confidence, CONFIDENCE_DEFAULT, "settings.confidence")?;
        let phrases = written.phrases.iter().enumerate().map(|(index, phrase)| OwnPhrase::read(index, phrase));
        Ok(Self { phrases: phrases.collect::<Result<_, _>>()?, confidence_min })
    }

    /// The clinic's own phrase that `message` holds, if it outranks `verdict`.
    pub fn outrank(&self, message: &[Word], verdict: Verdict) -> Verdict {
        let own = self.phrases.iter().filter(|phrase| phrase.is_in(message));
        let Some(own) = own.min_by_key(|phrase| (phrase.meaning, std::cmp::Reverse(phrase.strength))) else {
            return verdict;
        };
        // An emergency or an opt-out that we know of is never talked away by a clinic's phrase.
        if verdict.meaning <= Meaning::OptOut && verdict.meaning < own.meaning {
            return verdict;
        }
        Verdict { meaning: own.meaning, confidence: own.strength, rule: "phrase of the clinic", language: own.language }
    }

    /// `unclear` for what is less sure than the clinic wants.
    pub fn abstain(&self, verdict: Verdict) -> Verdict {
        match verdict.confidence < self.confidence_min {
            true => Verdict { meaning: Meaning::Unclear, ..verdict },
            false => verdict,
        }
    }
}

impl OwnPhrase {
    fn read(index: usize, written: &WrittenPhrase) -> Result<Self, String> {
        let at = format!("settings.phrases[{index}]");
        let language = Language::of_tag(&written.language).ok_or(format!("{at}.language: write en, es, zh or vi"))?;
        let intent = Meaning::INTENTS.into_iter().find(|(name, _)| *name == written.intent);
        let (_, meaning) = intent.ok_or_else(|| {
            let names: Vec<&str> = Meaning::INTENTS.iter().map(|(name, _)| *name).collect();
            format!("{at}.intent: write one of {}", names.join(", "))
        })?;
        let words = words::split(&written.text, PHRASE_WORDS_MAX + 1, phrases::simplify).words;
        if words.is_empty() || words.len() > PHRASE_WORDS_MAX {
            return Err(format!("{at}.text: write 1 to {PHRASE_WORDS_MAX} words"));
        }
        let strength = percent(written.confidence, STRENGTH_DEFAULT, &format!("{at}.confidence"))?;
        Ok(Self { language, meaning, words, strength })
    }

    fn is_in(&self, message: &[Word]) -> bool {
        message
            .windows(self.words.len())
            .any(|part| part.iter().zip(&self.words).all(|(said, own)| self.equal(said, own)))
    }

    /// Vietnamese marks count where both wrote them.
    fn equal(&self, said: &Word, own: &Word) -> bool {
        said.plain == own.plain
            && (self.language != Language::Vietnamese || !said.vietnamese || said.toned == own.toned)
    }
}

fn percent(written: Option<u8>, default: u8, key: &str) -> Result<u8, String> {
    match written.unwrap_or(default) {
        percent if percent <= PERCENT_MAX => Ok(percent),
        _ => Err(format!("{key}: write 0 to {PERCENT_MAX}")),
    }
}
