//! A field, repetition, component or subcomponent: a piece of the message that can be cut further or read as text.

use super::{Charset, Delimiters};

#[derive(Clone, Copy)]
pub struct Value<'a> {
    raw: &'a [u8],
    delimiters: Delimiters,
    charset: Charset,
}

impl<'a> Value<'a> {
    pub(super) fn new(raw: &'a [u8], delimiters: Delimiters, charset: Charset) -> Value<'a> {
        Value { raw, delimiters, charset }
    }

    /// The bytes as sent, escapes and all.
    pub fn raw(&self) -> &'a [u8] {
        self.raw
    }

    /// `""`: the sender wants what we know here deleted (HL7 v2.8, 2.5.3).
    pub fn is_null(&self) -> bool {
        self.raw == b"\"\""
    }

    /// Nothing to read here: empty, blank, null, or delimiters only.
    pub fn is_empty(&self) -> bool {
        let Delimiters { component, repetition, subcomponent, .. } = self.delimiters;
        self.is_null()
            || self
                .raw
                .iter()
                .all(|&byte| byte == b' ' || byte == component || byte == repetition || byte == subcomponent)
    }

    pub fn repetitions(&self) -> impl Iterator<Item = Value<'a>> + use<'a> {
        self.split(self.delimiters.repetition)
    }

    /// Component by its HL7 number, counted from 1, of the first repetition.
    pub fn component(&self, number: usize) -> Value<'a> {
        let first = self.cut(self.delimiters.repetition, 1);
        first.cut(self.delimiters.component, number)
    }

    /// Subcomponent by its HL7 number, counted from 1.
    pub fn subcomponent(&self, number: usize) -> Value<'a> {
        self.cut(self.delimiters.subcomponent, number)
    }

    /// The first subcomponent of a component, as trimmed text. Null reads as empty.
    pub fn part(&self, component: usize) -> String {
        let value = self.component(component).subcomponent(1);
        if value.is_null() { String::new() } else { value.text().trim().to_owned() }
    }

    /// The whole value as text, with its escape sequences resolved (HL7 v2.8, 2.7). Null reads as empty.
    pub fn text(&self) -> String {
        if self.is_null() {
            return String::new();
        }
        match self.delimiters.escape {
            Some(escape) if self.raw.contains(&escape) => self.charset.decode(&self.unescape(escape)).into_owned(),
            Some(_) | None => self.charset.decode(self.raw).into_owned(),
        }
    }

    pub(super) fn encode(&self, out: &mut Vec<u8>) {
        let Delimiters { repetition, component, subcomponent, .. } = self.delimiters;
        self.join(out, repetition, |out, value| {
            value.join(out, component, |out, value| {
                value.join(out, subcomponent, |out, value| out.extend_from_slice(value.raw));
            });
        });
    }

    fn join(&self, out: &mut Vec<u8>, separator: u8, write: impl Fn(&mut Vec<u8>, Value<'a>)) {
        for (index, value) in self.split(separator).enumerate() {
            if index > 0 {
                out.push(separator);
            }
            write(out, value);
        }
    }

    fn split(&self, separator: u8) -> impl Iterator<Item = Value<'a>> + use<'a> {
        let Value { raw, delimiters, charset } = *self;
        raw.split(move |&byte| byte == separator).map(move |raw| Value { raw, delimiters, charset })
    }

    fn cut(&self, separator: u8, number: usize) -> Value<'a> {
        let empty = Value { raw: b"", ..*self };
        number.checked_sub(1).and_then(|index| self.split(separator).nth(index)).unwrap_or(empty)
    }

    fn unescape(&self, escape: u8) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.raw.len());
        let mut rest = self.raw;
        while let Some(open) = rest.iter().position(|&byte| byte == escape) {
            let (before, from_open) = rest.split_at(open);
            out.extend_from_slice(before);
            let inside = from_open.get(1..).unwrap_or_default();
            let close = inside.iter().position(|&byte| byte == escape);
            let sequence = close.and_then(|close| inside.get(..close));
            match sequence.and_then(|sequence| self.resolve(sequence)) {
                Some(bytes) => {
                    out.extend_from_slice(&bytes);
                    rest = inside.get(close.map_or(0, |close| close + 1)..).unwrap_or_default();
                }
                // No sequence at all: someone wrote the character unescaped, as in a path. Keep it.
                None => {
                    out.push(escape);
                    rest = inside;
                }
            }
        }
        out.extend_from_slice(rest);
        out
    }

    fn resolve(&self, sequence: &[u8]) -> Option<Vec<u8>> {
        let Delimiters { field, component, repetition, escape, subcomponent, truncation } = self.delimiters;
        match sequence {
            b"F" => Some(vec![field]),
            b"S" => Some(vec![component]),
            b"T" => Some(vec![subcomponent]),
            b"R" => Some(vec![repetition]),
            b"E" => Some(escape.into_iter().collect()),
            b"P" => Some(truncation.into_iter().collect()),
            // Highlighting has no meaning in plain text.
            b"H" | b"N" => Some(Vec::new()),
            [b'X', digits @ ..] => hexadecimal(digits),
            [b'.', command @ ..] => formatting(command),
            // Switches of character set and local sequences: nothing we could show.
            [b'C' | b'M', digits @ ..] if !digits.is_empty() && hexadecimal(digits).is_some() => Some(Vec::new()),
            [b'Z', digits @ ..] if digits.iter().all(u8::is_ascii_alphanumeric) => Some(Vec::new()),
            _ => None,
        }
    }
}

fn hexadecimal(digits: &[u8]) -> Option<Vec<u8>> {
    if !digits.len().is_multiple_of(2) {
        return None;
    }
    digits
        .chunks(2)
        .map(|pair| std::str::from_utf8(pair).ok().and_then(|pair| u8::from_str_radix(pair, 16).ok()))
        .collect()
}

/// Formatted text commands (HL7 v2.8, 2.7.6): those that break the line break it, the others vanish.
fn formatting(command: &[u8]) -> Option<Vec<u8>> {
    let word = command.get(..2)?;
    match word.to_ascii_lowercase().as_slice() {
        b"br" | b"sp" | b"ce" => Some(b"\n".to_vec()),
        b"in" | b"ti" | b"fi" | b"nf" | b"sk" => {
            Some(if word.eq_ignore_ascii_case(b"sk") { b" ".to_vec() } else { Vec::new() })
        }
        _ => None,
    }
}
