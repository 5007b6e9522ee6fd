//! The character set of a message (MSH-18, table 0211), and text from bytes.

use std::borrow::Cow;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Charset {
    Utf8,
    /// ISO 8859-1, read as its superset Windows-1252, which is what senders that declare it mostly write.
    Latin1,
}

/// Windows-1252 0x80 to 0x9F. Unassigned bytes keep their Latin-1 control code.
const WINDOWS_1252: [char; 32] = [
    '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8D}', 'Ž', '\u{8F}', //
    '\u{90}', '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9D}', 'ž', 'Ÿ',
];

impl Charset {
    /// As MSH-18 names it. None where it names nothing we know, or plain ASCII: then the bytes decide.
    pub fn named(name: &[u8]) -> Option<Charset> {
        let plain: Vec<u8> =
            name.iter().filter(|byte| byte.is_ascii_alphanumeric()).map(|byte| byte.to_ascii_uppercase()).collect();
        match plain.as_slice() {
            b"UNICODEUTF8" | b"UTF8" => Some(Charset::Utf8),
            b"88591" | b"ISO88591" | b"ISOIR100" | b"LATIN1" | b"WINDOWS1252" | b"CP1252" => Some(Charset::Latin1),
            _ => None,
        }
    }

    /// UTF-8 if the bytes are valid as such, else Latin-1.
    pub fn guess(bytes: &[u8]) -> Charset {
        if std::str::from_utf8(bytes).is_ok() { Charset::Utf8 } else { Charset::Latin1 }
    }

    /// Never fails: bytes that are not the UTF-8 they claim to be are read as Latin-1.
    pub fn decode(self, bytes: &[u8]) -> Cow<'_, str> {
        match (self, std::str::from_utf8(bytes)) {
            (Charset::Utf8, Ok(text)) => Cow::Borrowed(text),
            (Charset::Latin1, Ok(text)) if text.is_ascii() => Cow::Borrowed(text),
            (Charset::Utf8, Err(_)) | (Charset::Latin1, _) => {
                Cow::Owned(bytes.iter().map(|&byte| latin1(byte)).collect())
            }
        }
    }
}

fn latin1(byte: u8) -> char {
    match byte {
        0x80..=0x9F => WINDOWS_1252.get(usize::from(byte - 0x80)).copied().unwrap_or(char::from(byte)),
        0x00..=0x7F | 0xA0..=0xFF => char::from(byte),
    }
}
