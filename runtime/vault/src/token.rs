//! The form of a token: what stands in a plugin's hands where patient data belongs. See `wit/types.wit`.

use std::ops::Range;

use handoff_engine::ids::Token;

/// How every token begins.
pub const PREFIX: &str = "ZPHI";

/// `ZPHI`, one letter, three digits of length, twenty-six opaque digits.
pub const TOKEN_CHARS: usize = PREFIX.len() + 1 + LENGTH_DIGITS + OPAQUE_DIGITS;

const LENGTH_DIGITS: usize = 3;

/// 26 digits of 5 bits are 130 bits: two of a practice's values meet once in 2^65.
const OPAQUE_DIGITS: usize = 26;

/// Three base32 digits hold no more; a longer value says this much. Only documents are longer, and nobody counts those.
pub const LENGTH_HINT_MAX: usize = (1 << (5 * LENGTH_DIGITS)) - 1;

/// Crockford's base32: no I, L, O or U to be misread.
const CROCKFORD: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// GSM 03.38, the basic table without escape, line feed and carriage return: one septet each, so that a token's length
/// counts septets. Characters of its extension table cost two and are classed as ASCII or Unicode.
const GSM7_BASIC: &str = "@£$¥èéùìòÇØøÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§\
                          ¿abcdefghijklmnopqrstuvwxyzäöñüà\n\r";

/// Which characters of ASCII are in it: nearly all that is sealed is made of these, and all that is sealed is looked at.
const GSM7_ASCII: u128 = {
    let (bytes, mut found, mut at) = (GSM7_BASIC.as_bytes(), 0, 0);
    while at < bytes.len() {
        if bytes[at].is_ascii() {
            found |= 1 << bytes[at];
        }
        at += 1;
    }
    found
};

fn is_gsm7(c: char) -> bool {
    if c.is_ascii() { GSM7_ASCII >> u32::from(c) & 1 == 1 } else { GSM7_BASIC.contains(c) }
}

/// What characters a sealed value is made of, so that a carrier can count its parts without reading it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Charset {
    /// All in the basic table of GSM 03.38: `G`.
    Gsm7,
    /// All ASCII: `A`.
    Ascii,
    /// Anything else: `U`.
    Unicode,
}

impl Charset {
    pub fn of(text: &str) -> Charset {
        if text.chars().all(is_gsm7) {
            Charset::Gsm7
        } else if text.is_ascii() {
            Charset::Ascii
        } else {
            Charset::Unicode
        }
    }

    pub fn letter(self) -> char {
        match self {
            Charset::Gsm7 => 'G',
            Charset::Ascii => 'A',
            Charset::Unicode => 'U',
        }
    }

    fn from_letter(letter: u8) -> Option<Charset> {
        match letter {
            b'G' => Some(Charset::Gsm7),
            b'A' => Some(Charset::Ascii),
            b'U' => Some(Charset::Unicode),
            _ => None,
        }
    }
}

/// What a token says about its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hints {
    pub charset: Charset,
    /// In characters (bytes for what is not text), at most [`LENGTH_HINT_MAX`].
    pub length: usize,
}

impl Hints {
    pub fn of(value: &[u8]) -> Hints {
        match std::str::from_utf8(value) {
            Ok(text) => Hints { charset: Charset::of(text), length: text.chars().count() },
            Err(_) => Hints { charset: Charset::Unicode, length: value.len() },
        }
    }

    /// `None` when this is not a token.
    pub fn read(token: &Token) -> Option<Hints> {
        let bytes = token.0.as_bytes();
        if !is_token(bytes) {
            return None;
        }
        let charset = Charset::from_letter(bytes[PREFIX.len()])?;
        let digits = &bytes[PREFIX.len() + 1..PREFIX.len() + 1 + LENGTH_DIGITS];
        let length = digits.iter().try_fold(0usize, |sum, &digit| Some(sum << 5 | digit_value(digit)?))?;
        Some(Hints { charset, length })
    }
}

/// Puts a token together from what it says and the first 130 bits of `mac`.
pub(crate) fn mint(hints: Hints, mac: &[u8; 32]) -> Token {
    let length = hints.length.min(LENGTH_HINT_MAX);
    let mut text = String::with_capacity(TOKEN_CHARS);
    text.push_str(PREFIX);
    text.push(hints.charset.letter());
    for shift in (0..LENGTH_DIGITS).rev() {
        text.push(digit((length >> (5 * shift)) as u8));
    }
    text.push_str(&opaque(mac));
    Token(text)
}

/// The first 130 bits of `mac` as 26 Crockford digits.
pub(crate) fn opaque(mac: &[u8; 32]) -> String {
    // Five bits lie in two bytes at most, and the last digit ends within the seventeenth.
    let pair = |at: usize| u16::from_be_bytes([mac[at], mac[at + 1]]);
    (0..OPAQUE_DIGITS).map(|i| digit((pair(5 * i / 8) >> (11 - 5 * i % 8)) as u8)).collect()
}

/// Where tokens stand in a text, in order.
pub fn find(text: &str) -> impl Iterator<Item = Range<usize>> + '_ {
    let mut from = 0;
    std::iter::from_fn(move || {
        while let Some(at) = text[from..].find(PREFIX).map(|offset| from + offset) {
            let end = at + TOKEN_CHARS;
            if text.as_bytes().get(at..end).is_some_and(is_token) {
                from = end;
                return Some(at..end);
            }
            from = at + 1;
        }
        None
    })
}

fn is_token(bytes: &[u8]) -> bool {
    bytes.len() == TOKEN_CHARS
        && bytes.starts_with(PREFIX.as_bytes())
        && Charset::from_letter(bytes[PREFIX.len()]).is_some()
        && bytes[PREFIX.len() + 1..].iter().all(|&b| digit_value(b).is_some())
}

fn digit(value: u8) -> char {
    char::from(CROCKFORD[usize::from(value & 31)])
}

fn digit_value(digit: u8) -> Option<usize> {
    CROCKFORD.iter().position(|&known| known == digit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hints_say_charset_and_length_and_nothing_else() {
        for (value, charset, length) in [
            ("", Charset::Gsm7, 0),
            ("+15125550143", Charset::Gsm7, 12),
            ("José", Charset::Gsm7, 4),
            ("María", Charset::Unicode, 5),
            ("a^b", Charset::Ascii, 3),
            ("`", Charset::Ascii, 1),
            ("王小明", Charset::Unicode, 3),
            ("€5", Charset::Unicode, 2),
        ] {
            let token = mint(Hints::of(value.as_bytes()), &[0xA5; 32]);
            assert_eq!(token.0.len(), TOKEN_CHARS, "{value}");
            assert_eq!(Hints::read(&token), Some(Hints { charset, length }), "{value}");
        }
    }

    #[test]
    fn a_long_value_says_the_most_that_fits() {
        let token = mint(Hints::of(&vec![b'a'; 100_000]), &[0; 32]);
        assert_eq!(Hints::read(&token).map(|hints| hints.length), Some(LENGTH_HINT_MAX));
    }

    #[test]
    fn bytes_that_are_no_text_count_as_bytes() {
        assert_eq!(Hints::of(&[0xFF, 0xFE, 0x00]), Hints { charset: Charset::Unicode, length: 3 });
    }

    #[test]
    fn opaque_digits_carry_130_bits() {
        let mut mac = [0u8; 32];
        assert_eq!(opaque(&mac), "0".repeat(26));
        mac[16] = 0b0100_0000;
        assert_eq!(opaque(&mac), format!("{}1", "0".repeat(25)));
        mac[16] = 0b0010_0000;
        assert_eq!(opaque(&mac), "0".repeat(26), "bit 131 is cut off");
        assert_eq!(opaque(&[0xFF; 32]), "Z".repeat(26));
    }

    #[test]
    fn tokens_are_found_wherever_they_stand() {
        let token = mint(Hints::of(b"x"), &[7; 32]).0;
        let lower = token.to_lowercase();
        for (text, count) in [
            (String::new(), 0),
            (token.clone(), 1),
            (format!("ZPHI{token}"), 1),
            (format!("ZPHIZPHI{token}{token}é"), 2),
            (format!("á{token}&to={token}"), 2),
            (lower, 0),
            (token[..33].to_string(), 0),
            (token.replace("ZPHIG", "ZPHIX"), 0),
        ] {
            let found: Vec<&str> = find(&text).map(|range| &text[range]).collect();
            assert_eq!(found.len(), count, "{text}");
            assert!(found.iter().all(|&it| it == token));
        }
    }
}
