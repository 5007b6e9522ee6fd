//! The character set of a message (MSH-18, table 0211), and text from bytes.

use std::borrow::Cow;

use encoding_rs::{
    BIG5, EUC_JP, EUC_KR, Encoding, GB18030, ISO_2022_JP, ISO_8859_2, ISO_8859_3, ISO_8859_4, ISO_8859_5, ISO_8859_6,
    ISO_8859_7, ISO_8859_8, ISO_8859_10, ISO_8859_13, ISO_8859_14, ISO_8859_15, ISO_8859_16, SHIFT_JIS, UTF_16BE,
    WINDOWS_874, WINDOWS_1250, WINDOWS_1251, WINDOWS_1252, WINDOWS_1253, WINDOWS_1254, WINDOWS_1255, WINDOWS_1256,
    WINDOWS_1257, WINDOWS_1258,
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Charset {
    Utf8,
    /// Declared as UTF-16 by a sender whose bytes are none (nothing in 16 bits can be framed): its text is read as UTF-8,
    /// its hexadecimal escapes are code units.
    Utf16,
    /// ISO 8859-1, read as its superset Windows-1252, which is what senders that declare it mostly write.
    Latin1,
    /// One byte for each character, ASCII below 0x80.
    OneByte(&'static Encoding),
    /// Several bytes for a character, and among them some that look like delimiters: cut up only as UTF-8.
    Multibyte(&'static Encoding),
}

/// What MSH-18 says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Declared {
    /// Nothing, or ASCII: the bytes decide.
    Unsaid,
    Known(Charset),
    /// A name that means nothing here.
    Unknown,
}

/// How a message writes its characters: those that stand there, and those in `\X..\`. They differ once a message has been
/// turned into UTF-8 to be cut up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spelling {
    pub text: Charset,
    pub escapes: Charset,
}

impl Spelling {
    pub const fn plain(charset: Charset) -> Spelling {
        Spelling { text: charset, escapes: charset }
    }
}

impl Declared {
    /// Every repetition of MSH-18 counts: `~ISO IR87` is how Japanese senders say "ASCII, and with escapes JIS X 0208".
    pub fn by(names: &[u8], repetition: u8) -> Declared {
        let mut declared = Declared::Unsaid;
        for name in names.split(|&byte| byte == repetition) {
            match (declared, Declared::named(name)) {
                (Declared::Unsaid, next) => declared = next,
                // The first one named is the default. What comes after it is switched to by escapes (MSH-20).
                (Declared::Known(_) | Declared::Unknown, _) => break,
            }
        }
        declared
    }

    fn named(name: &[u8]) -> Declared {
        let plain: String = name
            .iter()
            .filter(|byte| byte.is_ascii_alphanumeric())
            .map(|&byte| char::from(byte.to_ascii_uppercase()))
            .collect();
        let part = plain.strip_prefix("ISO").unwrap_or(&plain);
        let one = |encoding| Declared::Known(Charset::OneByte(encoding));
        let several = |encoding| Declared::Known(Charset::Multibyte(encoding));
        match part {
            "" | "ASCII" | "USASCII" | "IR6" | "ANSIX34" => Declared::Unsaid,
            "UNICODEUTF8" | "UTF8" | "10646UTF8" | "IR192" => Declared::Known(Charset::Utf8),
            "UNICODE" | "UNICODEUTF16" | "UTF16" | "UCS2" => Declared::Known(Charset::Utf16),
            "88591" | "IR100" | "LATIN1" | "WINDOWS1252" | "CP1252" | "ANSI" => Declared::Known(Charset::Latin1),
            "88592" | "IR101" | "LATIN2" => one(ISO_8859_2),
            "88593" | "IR109" | "LATIN3" => one(ISO_8859_3),
            "88594" | "IR110" | "LATIN4" => one(ISO_8859_4),
            "88595" | "IR144" => one(ISO_8859_5),
            "88596" | "IR127" => one(ISO_8859_6),
            "88597" | "IR126" => one(ISO_8859_7),
            "88598" | "88598I" | "IR138" => one(ISO_8859_8),
            // Windows-1254 and Windows-874 are 8859-9 and 8859-11 with characters where those have none.
            "88599" | "IR148" | "LATIN5" | "WINDOWS1254" | "CP1254" => one(WINDOWS_1254),
            "885910" | "IR157" | "LATIN6" => one(ISO_8859_10),
            "885911" | "IR166" | "TIS620" | "WINDOWS874" | "CP874" => one(WINDOWS_874),
            "885913" | "IR179" => one(ISO_8859_13),
            "885914" | "IR199" => one(ISO_8859_14),
            "885915" | "IR203" | "LATIN9" => one(ISO_8859_15),
            "885916" | "IR226" => one(ISO_8859_16),
            "WINDOWS1250" | "CP1250" => one(WINDOWS_1250),
            "WINDOWS1251" | "CP1251" => one(WINDOWS_1251),
            "WINDOWS1253" | "CP1253" => one(WINDOWS_1253),
            "WINDOWS1255" | "CP1255" => one(WINDOWS_1255),
            "WINDOWS1256" | "CP1256" => one(WINDOWS_1256),
            "WINDOWS1257" | "CP1257" => one(WINDOWS_1257),
            "WINDOWS1258" | "CP1258" => one(WINDOWS_1258),
            "GB180302000" | "GB180302005" | "GB180302022" | "GB18030" | "GBK" | "GB2312" | "IR58" => several(GB18030),
            "BIG5" => several(BIG5),
            "KSX1001" | "KSC5601" | "EUCKR" | "IR149" => several(EUC_KR),
            "IR87" | "2022JP" => several(ISO_2022_JP),
            "IR14" | "IR13" | "SHIFTJIS" | "SJIS" | "WINDOWS31J" | "CP932" => several(SHIFT_JIS),
            "EUCJP" => several(EUC_JP),
            _ => Declared::Unknown,
        }
    }
}

impl Charset {
    /// ASCII, with escapes to JIS X 0208 and back.
    pub const ISO_2022: Charset = Charset::Multibyte(&encoding_rs::ISO_2022_JP_INIT);

    /// UTF-8 if the bytes are valid as such, else Latin-1.
    pub fn guess(bytes: &[u8]) -> Charset {
        if std::str::from_utf8(bytes).is_ok() { Charset::Utf8 } else { Charset::Latin1 }
    }

    fn encoding(self) -> &'static Encoding {
        match self {
            Charset::Utf8 | Charset::Utf16 | Charset::Latin1 => WINDOWS_1252,
            Charset::OneByte(encoding) | Charset::Multibyte(encoding) => encoding,
        }
    }

    /// Never fails: bytes that are not the UTF-8 they claim to be are read as Latin-1.
    pub fn decode(self, bytes: &[u8]) -> Cow<'_, str> {
        if let (Charset::Utf8 | Charset::Utf16, Ok(text)) = (self, std::str::from_utf8(bytes)) {
            return Cow::Borrowed(text);
        }
        self.encoding().decode_without_bom_handling(bytes).0
    }

    /// Whether every byte is one of this set's characters. No text is made of them: a message may hold a large file.
    pub fn has(self, bytes: &[u8]) -> bool {
        match self {
            Charset::Utf8 | Charset::Utf16 => std::str::from_utf8(bytes).is_ok(),
            Charset::Latin1 => true,
            Charset::OneByte(encoding) => {
                let mut met = [false; 256];
                bytes.iter().for_each(|&byte| met[usize::from(byte)] = true);
                let met: Vec<u8> = (0x80..=u8::MAX).filter(|&byte| met[usize::from(byte)]).collect();
                // ISO 8859 leaves 0x80 to 0x9F to control characters. In a message they are another set's letters.
                encoding
                    .decode_without_bom_handling_and_without_replacement(&met)
                    .is_some_and(|text| !text.chars().any(|c| matches!(c, '\u{80}'..='\u{9F}')))
            }
            Charset::Multibyte(_) => self.rewritten(bytes).is_some(),
        }
    }

    /// The bytes as UTF-8, if every one of them is one of this set's characters.
    pub fn rewritten(self, bytes: &[u8]) -> Option<Vec<u8>> {
        let text = self.encoding().decode_without_bom_handling_and_without_replacement(bytes)?;
        Some(text.into_owned().into_bytes())
    }

    /// What `\X..\` stands for: bytes of the character set (HL7 v2.8, 2.7.5). Some senders write UTF-16 code units
    /// whatever their set is, as in `\X00E0\`: read as bytes, those hold a control character, which no text does.
    pub fn decode_escaped(self, bytes: &[u8]) -> String {
        let units = || {
            let text = UTF_16BE.decode_without_bom_handling_and_without_replacement(bytes)?;
            (bytes.len().is_multiple_of(2) && !text.chars().any(is_unwritten)).then(|| text.into_owned())
        };
        let as_bytes = self.decode(bytes);
        let odd = self == Charset::Utf16 || as_bytes.chars().any(is_unwritten);
        if odd && let Some(text) = units() { text } else { as_bytes.into_owned() }
    }
}

/// Control characters that no text is written with.
pub(super) fn is_unwritten(c: char) -> bool {
    c.is_control() && !matches!(c, '\n' | '\r' | '\t')
}
