//! One form for each language, whichever source wrote it: HL7, FHIR and charts write ISO 639 in three lengths, BCP 47 with a dash or an
//! underscore, and names; compared as text `spa` is not `es`, and the patient is written to in English.

/// BCP 47's primary language first; then ISO 639-2 and 639-3 codes (terminology and bibliographic), English names, the languages' own names,
/// and habits of senders. Those that patients in the United States speak most (Census, table C16001 and its detail), and their kin.
const KNOWN: &[(&str, &str)] = &[
    ("aii", "aii syr assyrian syriac chaldean"),
    ("am", "amh amharic"),
    ("ar", "ara arb arabic العربية"),
    ("ase", "ase sgn asl americansignlanguage"),
    ("az", "aze azerbaijani"),
    ("bg", "bul bulgarian"),
    ("bn", "ben bengali bangla"),
    ("bs", "bos bosnian"),
    ("ca", "cat catalan"),
    ("chk", "chk chuukese"),
    ("cs", "ces cze czech"),
    ("da", "dan danish"),
    ("de", "deu ger german deutsch"),
    ("din", "din dinka"),
    ("el", "ell gre greek"),
    ("en", "eng english"),
    ("es", "spa sp spn spanish espanol español castilian castellano"),
    ("et", "est estonian"),
    ("fa", "fas per pes prs persian farsi dari"),
    ("fi", "fin finnish"),
    ("fr", "fra fre french français francais"),
    ("gu", "guj gujarati"),
    ("haw", "haw hawaiian"),
    ("he", "heb iw hebrew"),
    ("hi", "hin hindi"),
    ("hmn", "hmn mww hnj hmong miao"),
    ("hr", "hrv scr croatian"),
    ("ht", "hat creole haitian haitiancreole kreyol kreyòl"),
    ("hu", "hun hungarian"),
    ("hy", "hye arm armenian"),
    ("id", "ind in indonesian bahasa"),
    ("ig", "ibo igbo"),
    ("ilo", "ilo ilocano iloko"),
    ("it", "ita italian italiano"),
    ("ja", "jpn japanese 日本語"),
    ("ka", "kat geo georgian"),
    ("kar", "kar ksw karen"),
    ("km", "khm khmer cambodian"),
    ("ko", "kor korean 한국어"),
    ("ku", "kur kmr ckb kurdish kurmanji sorani"),
    ("lo", "lao laotian"),
    ("lt", "lit lithuanian"),
    ("lv", "lav lvs latvian"),
    ("mam", "mam mam"),
    ("mh", "mah marshallese"),
    ("mk", "mkd mac macedonian"),
    ("ml", "mal malayalam"),
    ("mn", "mon mongolian"),
    ("mr", "mar marathi"),
    ("ms", "msa may zsm malay"),
    ("my", "mya bur burmese"),
    ("ne", "nep npi nepali"),
    ("nl", "nld dut dutch"),
    ("no", "nor nob norwegian"),
    ("nv", "nav navajo diné"),
    ("om", "orm oromo"),
    ("pa", "pan punjabi panjabi"),
    ("pl", "pol polish polski"),
    ("ps", "pus pbt pashto pushto"),
    ("pt", "por portuguese português portugues"),
    ("quc", "quc kiche quiche"),
    ("rhg", "rhg rohingya"),
    ("ro", "ron rum mol romanian moldovan"),
    ("ru", "rus russian русский"),
    ("rw", "kin kinyarwanda"),
    ("sk", "slk slo slovak"),
    ("sm", "smo samoan"),
    ("so", "som somali soomaali"),
    ("sq", "sqi alb albanian"),
    ("sr", "srp scc serbian"),
    ("sv", "swe swedish"),
    ("sw", "swa swh swahili kiswahili"),
    ("ta", "tam tamil"),
    ("te", "tel telugu"),
    ("th", "tha thai"),
    ("ti", "tir tigrinya"),
    ("tl", "tgl fil tagalog filipino pilipino"),
    ("to", "ton tongan"),
    ("tr", "tur turkish"),
    ("uk", "ukr ukrainian українська"),
    ("ur", "urd urdu"),
    ("uz", "uzb uzbek"),
    ("vi", "vie vietnamese tiếngviệt tiengviet"),
    ("yi", "yid ji yiddish"),
    ("yo", "yor yoruba"),
    ("yue", "yue cantonese"),
    ("zh", "zho chi cmn chinese mandarin 中文 汉语 漢語"),
];

/// What a script in words says of Chinese.
const SCRIPTS: [(&str, &str); 4] =
    [("simplified", "Hans"), ("traditional", "Hant"), ("简体", "Hans"), ("繁體", "Hant")];

/// The BCP 47 tag of what is written. `None` for what is no language that we know: `UNK`, `Other`, `Declined`.
pub(crate) fn tag(written: &str) -> Option<String> {
    let lower = written.trim().to_lowercase().replace('_', "-");
    let subtags: Vec<&str> = lower.split('-').collect();
    if is_tag(&subtags) {
        let mut tag = primary(subtags[0])?;
        for subtag in &subtags[1..] {
            tag.push('-');
            tag += &cased(subtag);
        }
        return Some(tag);
    }
    let bare: String = lower.chars().filter(|c| c.is_alphanumeric()).collect();
    let words = || lower.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    // `Spanish, Mexico`; `Chinese (Traditional)`; `Haitian Creole`; `Mandarin Chinese`; `spa - Spanish`.
    let primary = named(&bare).or_else(|| words().find_map(named))?;
    let script = SCRIPTS.iter().find(|(word, _)| lower.contains(word)).filter(|_| primary == "zh");
    Some(script.map_or(primary.clone(), |(_, script)| format!("{primary}-{script}")))
}

/// RFC 5646, 2.1, as far as charts go: a language and, behind it, script, region and variants.
fn is_tag(subtags: &[&str]) -> bool {
    let is_alphanumeric = |subtag: &&str| subtag.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let (Some(language), rest) = (subtags.first(), &subtags[1..]) else { return false };
    (2..=3).contains(&language.len())
        && language.bytes().all(|byte| byte.is_ascii_alphabetic())
        && rest.iter().all(|subtag| (2..=8).contains(&subtag.len()))
        && subtags.iter().all(is_alphanumeric)
        && rest.len() <= 3
}

fn primary(code: &str) -> Option<String> {
    named(code).or_else(|| is_language(code).then(|| code.to_string()))
}

fn named(word: &str) -> Option<String> {
    let row = KNOWN.iter().find(|(tag, words)| *tag == word || words.split(' ').any(|known| known == word));
    row.map(|(tag, _)| (*tag).to_string())
}

/// A code of ISO 639 that nobody uses for "unknown", "none" or "other".
fn is_language(code: &str) -> bool {
    const NONE: [&str; 13] = ["und", "mul", "mis", "zxx", "unk", "oth", "nas", "na", "no", "none", "dec", "ref", "unc"];
    !NONE.contains(&code) && (code.len() == 3 || TWO_LETTERS.split(' ').any(|known| known == code))
}

/// ISO 639-1, but for what stands in [`KNOWN`].
const TWO_LETTERS: &str = "aa ab ae af ak an as av ay ba be bh bi bm bo br ce ch co cr cu cv cy dv dz ee eo eu ff fj fo fy ga gd gl gn \
                           gv ha ho hz ia ie ii ik io is iu jv kg ki kj kk kl kn kr ks kv kw ky la lb lg li ln lu mg mi mt na nb nd ng nn \
                           nr ny oc oj or os pi qu rm rn sa sc sd se sg si sl sn ss st su tg tk tn ts tt tw ty ug ve vo wa wo xh za zu";

/// RFC 5646, 2.1.1: `Hant`, `MX`, `419`.
fn cased(subtag: &str) -> String {
    match subtag.len() {
        2 => subtag.to_uppercase(),
        4 if subtag.bytes().all(|byte| byte.is_ascii_alphabetic()) => subtag[..1].to_uppercase() + &subtag[1..],
        _ => subtag.to_string(),
    }
}

/// Each once, best first. What is no language is left out.
pub(crate) fn tags<'a>(written: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    let mut tags: Vec<String> = Vec::new();
    for tag in written.into_iter().filter_map(tag) {
        if !tags.contains(&tag) {
            tags.push(tag);
        }
    }
    tags
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_language_is_one_language_however_it_is_written() {
        for (written, expected) in [
            ("es", "es"),
            ("spa", "es"),
            ("SPA", "es"),
            ("Spanish", "es"),
            ("español", "es"),
            ("Spanish, Castilian", "es"),
            ("spa - Spanish", "es"),
            ("es-MX", "es-MX"),
            ("es_419", "es-419"),
            ("spa-US", "es-US"),
            ("chi", "zh"),
            ("zho", "zh"),
            ("cmn", "zh"),
            ("Mandarin Chinese", "zh"),
            ("Chinese (Traditional)", "zh-Hant"),
            ("zh-Hant", "zh-Hant"),
            ("zh_hans_CN", "zh-Hans-CN"),
            ("Cantonese", "yue"),
            ("vie", "vi"),
            ("Vietnamese", "vi"),
            ("Haitian Creole", "ht"),
            ("Tagalog", "tl"),
            ("fil", "tl"),
            ("ger", "de"),
            ("iw", "he"),
            ("EN", "en"),
            ("English (United States)", "en"),
            ("haw", "haw"),
            ("zu", "zu"),
        ] {
            assert_eq!(tag(written).as_deref(), Some(expected), "{written}");
        }
    }

    #[test]
    fn what_is_no_language_is_none() {
        for written in
            ["", " ", "UNK", "und", "Other", "Unknown", "Declined", "ZPHIU00400000000000000000000000009", "?", "1"]
        {
            assert_eq!(tag(written), None, "{written}");
        }
    }

    #[test]
    fn every_language_is_found_by_its_tag_and_stands_once() {
        let mut seen = std::collections::BTreeSet::new();
        for (primary, words) in KNOWN {
            assert_eq!(tag(primary).as_deref(), Some(*primary));
            for word in words.split(' ').filter(|word| word != primary) {
                assert!(seen.insert(word), "{word} stands twice");
                assert_eq!(tag(word).as_deref(), Some(*primary), "{word}");
            }
        }
        assert_eq!(tags(["spa", "es", "eng", "?"]), ["es", "en"]);
    }
}
