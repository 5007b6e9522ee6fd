//! Escape sequences in a value (HL7 v2.8, 2.7): delimiters, line breaks, bytes in hexadecimal and switches of the
//! character set.

use encoding_rs::{
    EUC_KR, Encoding, GBK, ISO_2022_JP, ISO_8859_2, ISO_8859_3, ISO_8859_4, ISO_8859_5, ISO_8859_6, ISO_8859_7,
    ISO_8859_8, ISO_8859_15, WINDOWS_1252, WINDOWS_1254,
};

use super::{Delimiters, Spelling};

/// The value's text. A sequence that means nothing stays as it stands: someone wrote the character unescaped.
pub(super) fn resolve(raw: &[u8], escape: u8, delimiters: Delimiters, spelling: Spelling) -> String {
    let mut reader = Reader { text: String::new(), plain: Vec::new(), escaped: Vec::new(), set: Set::Own, spelling };
    let mut rest = raw;
    while let Some(open) = rest.iter().position(|&byte| byte == escape) {
        let (before, from_open) = rest.split_at(open);
        reader.plain(before);
        let inside = from_open.get(1..).unwrap_or_default();
        let close = inside.iter().position(|&byte| byte == escape);
        let sequence = close.and_then(|close| inside.get(..close)).and_then(|inside| sequence(inside, delimiters));
        match sequence {
            Some(sequence) => {
                reader.take(sequence);
                rest = inside.get(close.map_or(0, |close| close + 1)..).unwrap_or_default();
            }
            None => {
                reader.plain(&[escape]);
                rest = inside;
            }
        }
    }
    reader.plain(rest);
    reader.flush();
    reader.text
}

enum Sequence {
    Byte(u8),
    Bytes(Vec<u8>),
    Text(&'static str),
    Switch(Set),
}

/// The character set that the bytes from here on are written in.
#[derive(Clone, Copy)]
enum Set {
    Own,
    /// Announced to the decoder by these bytes (ISO 2022).
    Japanese(&'static [u8]),
    Other(&'static Encoding),
}

struct Reader {
    text: String,
    plain: Vec<u8>,
    escaped: Vec<u8>,
    set: Set,
    spelling: Spelling,
}

impl Reader {
    fn plain(&mut self, bytes: &[u8]) {
        if !bytes.is_empty() {
            self.flush_escaped();
            self.plain.extend_from_slice(bytes);
        }
    }

    fn take(&mut self, sequence: Sequence) {
        match sequence {
            Sequence::Byte(byte) => self.plain(&[byte]),
            // One character's bytes may be spread over several sequences.
            Sequence::Bytes(bytes) => {
                self.flush_plain();
                self.escaped.extend_from_slice(&bytes);
            }
            Sequence::Text(text) => {
                self.flush();
                self.text.push_str(text);
            }
            Sequence::Switch(set) => {
                self.flush();
                self.set = set;
            }
        }
    }

    fn flush(&mut self) {
        self.flush_plain();
        self.flush_escaped();
    }

    fn flush_plain(&mut self) {
        let bytes = std::mem::take(&mut self.plain);
        self.write(&bytes, |spelling| spelling.text.decode(&bytes).into_owned());
    }

    fn flush_escaped(&mut self) {
        let bytes = std::mem::take(&mut self.escaped);
        self.write(&bytes, |spelling| spelling.escapes.decode_escaped(&bytes));
    }

    fn write(&mut self, bytes: &[u8], own: impl Fn(Spelling) -> String) {
        if bytes.is_empty() {
            return;
        }
        let text = match self.set {
            Set::Own => own(self.spelling),
            Set::Japanese(announced) => {
                ISO_2022_JP.decode_without_bom_handling(&[announced, bytes].concat()).0.into_owned()
            }
            Set::Other(encoding) => encoding.decode_without_bom_handling(bytes).0.into_owned(),
        };
        self.text.push_str(&text);
    }
}

fn sequence(inside: &[u8], delimiters: Delimiters) -> Option<Sequence> {
    let Delimiters { field, component, repetition, escape, subcomponent, truncation } = delimiters;
    // A character that the sender did not declare is meant as the standard has it.
    let declared =
        |byte: u8, standard: u8| Sequence::Byte(if byte == super::delimiters::NONE { standard } else { byte });
    match inside {
        b"F" => Some(Sequence::Byte(field)),
        b"S" => Some(declared(component, b'^')),
        b"T" => Some(declared(subcomponent, b'&')),
        b"R" => Some(declared(repetition, b'~')),
        b"E" => Some(Sequence::Byte(escape.unwrap_or(b'\\'))),
        b"P" => Some(Sequence::Byte(truncation.unwrap_or(b'#'))),
        // Highlighting has no meaning in plain text.
        b"H" | b"N" => Some(Sequence::Text("")),
        [b'X', digits @ ..] => hexadecimal(digits).map(Sequence::Bytes),
        [b'.', command @ ..] => formatting(command).map(Sequence::Text),
        [b'C' | b'M', digits @ ..] if !digits.is_empty() => hexadecimal(digits).map(|to| Sequence::Switch(set(&to))),
        // Local sequences: nothing we could show.
        [b'Z', digits @ ..] if digits.iter().all(u8::is_ascii_alphanumeric) => Some(Sequence::Text("")),
        _ => None,
    }
}

/// The bytes that ISO 2022 has after ESC (HL7 v2.8, 2.7.4). One that is not known goes back to the message's own set.
fn set(designation: &[u8]) -> Set {
    match designation {
        b"$B" | b"$@" | b"$(B" => Set::Japanese(b"\x1B$B"),
        b"(I" | b")I" => Set::Japanese(b"\x1B(I"),
        b"(J" => Set::Japanese(b"\x1B(J"),
        b"$)C" => Set::Other(EUC_KR),
        b"$)A" => Set::Other(GBK),
        b"-A" => Set::Other(WINDOWS_1252),
        b"-B" => Set::Other(ISO_8859_2),
        b"-C" => Set::Other(ISO_8859_3),
        b"-D" => Set::Other(ISO_8859_4),
        b"-L" => Set::Other(ISO_8859_5),
        b"-G" => Set::Other(ISO_8859_6),
        b"-F" => Set::Other(ISO_8859_7),
        b"-H" => Set::Other(ISO_8859_8),
        b"-M" => Set::Other(WINDOWS_1254),
        b"-b" => Set::Other(ISO_8859_15),
        _ => Set::Own,
    }
}

fn hexadecimal(digits: &[u8]) -> Option<Vec<u8>> {
    if !digits.len().is_multiple_of(2) || !digits.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    digits
        .chunks(2)
        .map(|pair| std::str::from_utf8(pair).ok().and_then(|pair| u8::from_str_radix(pair, 16).ok()))
        .collect()
}

/// Formatted text commands (HL7 v2.8, 2.7.6): those that break the line break it, the others vanish.
fn formatting(command: &[u8]) -> Option<&'static str> {
    match command.get(..2)?.to_ascii_lowercase().as_slice() {
        b"br" | b"sp" | b"ce" => Some("\n"),
        b"sk" => Some(" "),
        b"in" | b"ti" | b"fi" | b"nf" => Some(""),
        _ => None,
    }
}
