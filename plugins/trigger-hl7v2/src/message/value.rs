//! A field, repetition, component or subcomponent: a piece of the message that can be cut further or read as text.

use std::borrow::Cow;

use super::charset::is_unwritten;
use super::{Delimiters, Spelling, escape};

#[derive(Clone, Copy)]
pub struct Value<'a> {
    raw: &'a [u8],
    delimiters: Delimiters,
    spelling: Spelling,
}

impl<'a> Value<'a> {
    pub(super) fn new(raw: &'a [u8], delimiters: Delimiters, spelling: Spelling) -> Value<'a> {
        Value { raw, delimiters, spelling }
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

    /// Every component of this repetition.
    pub fn components(&self) -> impl Iterator<Item = Value<'a>> + use<'a> {
        self.split(self.delimiters.component)
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

    /// The first subcomponent of a component, as one line of trimmed text. Null reads as empty.
    pub fn part(&self, component: usize) -> String {
        self.component(component).subcomponent(1).line()
    }

    /// The whole value as one line of trimmed text: a name, a number or a code has no more. Null reads as empty.
    pub fn line(&self) -> String {
        self.text().trim().replace(['\n', '\t'], " ")
    }

    /// The whole value as text, with its escape sequences resolved (HL7 v2.8, 2.7). Null reads as empty.
    pub fn text(&self) -> String {
        if self.is_null() {
            return String::new();
        }
        legible(match self.delimiters.escape {
            Some(escape) if self.raw.contains(&escape) => {
                escape::resolve(self.raw, escape, self.delimiters, self.spelling).into()
            }
            Some(_) | None => self.spelling.text.decode(self.raw),
        })
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
        let Value { raw, delimiters, spelling } = *self;
        raw.split(move |&byte| byte == separator).map(move |raw| Value { raw, delimiters, spelling })
    }

    fn cut(&self, separator: u8, number: usize) -> Value<'a> {
        let empty = Value { raw: b"", ..*self };
        number.checked_sub(1).and_then(|index| self.split(separator).nth(index)).unwrap_or(empty)
    }
}

/// Line breaks as one character each, and no other control character but the tab: a NUL or a bell in a name would go out
/// in a text message.
fn legible(text: Cow<'_, str>) -> String {
    if !text.contains(|c| c == '\r' || is_left_out(c)) {
        return text.into_owned();
    }
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\r' => {
                chars.next_if_eq(&'\n');
                out.push('\n');
            }
            c if is_left_out(c) => {}
            c => out.push(c),
        }
    }
    out
}

/// Control characters, and what is left of a byte order mark.
fn is_left_out(c: char) -> bool {
    is_unwritten(c) || matches!(c, '\u{FEFF}' | '\u{FFFE}')
}
