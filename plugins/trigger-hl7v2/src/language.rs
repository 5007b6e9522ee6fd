//! The patient's language (PID-15, table 0296 over ISO 639) as a BCP 47 tag.

use crate::message::Value;

/// Every ISO 639-1 code.
const TWO_LETTER: &str = "aa ab ae af ak am an ar as av ay az ba be bg bh bi bm bn bo br bs ca ce ch co cr cs cu cv cy da de dv \
dz ee el en eo es et eu fa ff fi fj fo fr fy ga gd gl gn gu gv ha he hi ho hr ht hu hy hz ia id ie ig ii ik io is it iu ja jv \
ka kg ki kj kk kl km kn ko kr ks ku kv kw ky la lb lg li ln lo lt lu lv mg mh mi mk ml mn mr ms mt my na nb nd ne ng nl nn no \
nr nv ny oc oj om or os pa pi pl ps pt qu rm rn ro ru rw sa sc sd se sg si sk sl sm sn so sq sr ss st su sv sw ta te tg th ti \
tk tl tn to tr ts tt tw ty ug uk ur uz ve vi vo wa wo xh yi yo za zh zu";

/// ISO 639-2 codes (terminology and bibliographic), English names and habits of senders, for the languages that US
/// practices meet most. The tag comes first.
const KNOWN: [(&str, &str); 48] = [
    ("am", "amh amharic"),
    ("ar", "ara arabic"),
    ("bn", "ben bengali bangla"),
    ("bs", "bos bosnian"),
    ("cs", "ces cze czech"),
    ("de", "deu ger german"),
    ("el", "ell gre greek"),
    ("en", "eng english"),
    ("es", "spa sp spanish espanol español castilian"),
    ("fa", "fas per persian farsi dari"),
    ("fr", "fra fre french"),
    ("gu", "guj gujarati"),
    ("he", "heb hebrew"),
    ("hi", "hin hindi"),
    ("hmn", "hmn hmong"),
    ("hr", "hrv croatian"),
    ("ht", "hat haitian creole kreyol"),
    ("hu", "hun hungarian"),
    ("hy", "hye arm armenian"),
    ("it", "ita italian"),
    ("ja", "jpn japanese"),
    ("kar", "kar karen"),
    ("km", "khm khmer cambodian"),
    ("ko", "kor korean"),
    ("lo", "lao laotian"),
    ("ml", "mal malayalam"),
    ("mr", "mar marathi"),
    ("my", "mya bur burmese"),
    ("ne", "nep nepali"),
    ("nl", "nld dut dutch"),
    ("nv", "nav navajo"),
    ("pa", "pan punjabi panjabi"),
    ("pl", "pol polish"),
    ("ps", "pus pashto"),
    ("pt", "por portuguese"),
    ("ro", "ron rum romanian"),
    ("ru", "rus russian"),
    ("so", "som somali"),
    ("sq", "sqi alb albanian"),
    ("sr", "srp serbian"),
    ("sw", "swa swahili"),
    ("ta", "tam tamil"),
    ("te", "tel telugu"),
    ("tl", "tgl fil tagalog filipino pilipino"),
    ("uk", "ukr ukrainian"),
    ("ur", "urd urdu"),
    ("vi", "vie vietnamese"),
    ("zh", "zho chi cmn chinese mandarin"),
];

/// Spoken by too many to be read as `zh`; it has no two-letter code.
const CANTONESE: &str = "yue";

/// From PID-15: the code, else its name, else the alternate code. Nothing when none of them is a language we know.
pub fn language(value: Value<'_>) -> Option<String> {
    [1, 2, 4, 5].into_iter().find_map(|component| tag(&value.part(component)))
}

fn tag(word: &str) -> Option<String> {
    let word = word.trim().replace('_', "-");
    let mut parts = word.split(['-', ' ', ',', '(', ';']).filter(|part| !part.is_empty());
    let primary = primary(&parts.next()?.to_lowercase())?;
    let tagged = word.contains('-') && !word.contains(' ');
    match parts.next() {
        Some(script) if tagged && script.len() == 4 && is_alphabetic(script) => {
            Some(format!("{primary}-{}", capitalised(script)))
        }
        Some(region) if tagged && region.len() == 2 && is_alphabetic(region) => {
            Some(format!("{primary}-{}", region.to_ascii_uppercase()))
        }
        Some(_) | None => Some(primary),
    }
}

fn primary(word: &str) -> Option<String> {
    if word == CANTONESE || word == "cantonese" {
        return Some(CANTONESE.to_owned());
    }
    if word.len() == 2 && TWO_LETTER.split(' ').any(|code| code == word) {
        return Some(word.to_owned());
    }
    let known = KNOWN.iter().find(|(_, words)| words.split(' ').any(|known| known == word));
    known.map(|(tag, _)| (*tag).to_owned())
}

fn is_alphabetic(word: &str) -> bool {
    word.bytes().all(|byte| byte.is_ascii_alphabetic())
}

fn capitalised(word: &str) -> String {
    word.char_indices().map(|(at, c)| if at == 0 { c.to_ascii_uppercase() } else { c.to_ascii_lowercase() }).collect()
}
