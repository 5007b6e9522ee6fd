//! The five or six characters that cut a message up, as MSH-1 and MSH-2 declare them (HL7 v2.8, 2.5.4).

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Delimiters {
    pub field: u8,
    pub component: u8,
    pub repetition: u8,
    /// Absent where the sender declared none: then nothing is escaped.
    pub escape: Option<u8>,
    pub subcomponent: u8,
    /// Since 2.7; `#` where declared.
    pub truncation: Option<u8>,
}

/// Marks a level that is not split. No message byte that matters: framing has removed it.
pub(super) const NONE: u8 = 0;

impl Delimiters {
    /// `|^~\&`, which HL7 recommends and nearly everyone sends.
    pub const STANDARD: Delimiters = Delimiters {
        field: b'|',
        component: b'^',
        repetition: b'~',
        escape: Some(b'\\'),
        subcomponent: b'&',
        truncation: None,
    };

    /// Reads them from a message that starts with `MSH`. MSH-2 may be shorter than four characters: each stands for what its
    /// place says, so the third is the escape character whatever it is. What it leaves out is taken from the standard unless
    /// the character already means something else.
    pub fn read(message: &[u8]) -> Option<Delimiters> {
        let field = message.get(3).copied().filter(|&byte| usable(byte))?;
        let rest = message.get(4..)?;
        let end = rest.iter().position(|&byte| byte == field || byte == b'\r' || byte == b'\n').unwrap_or(rest.len());
        let declared = rest.get(..end)?;
        let distinct =
            |(at, byte): (usize, &u8)| *byte != field && !declared.iter().take(at).any(|other| other == byte);
        let sound = declared.iter().all(|&byte| usable(byte)) && declared.iter().enumerate().all(distinct);
        if declared.is_empty() || declared.len() > DECLARED_MAX || !sound {
            return None;
        }
        let at = |index: usize, standard: u8| match declared.get(index) {
            Some(&byte) => byte,
            None if standard == field || declared.contains(&standard) => NONE,
            None => standard,
        };
        Some(Delimiters {
            field,
            component: at(0, b'^'),
            repetition: at(1, b'~'),
            escape: Some(at(2, b'\\')).filter(|&byte| byte != NONE),
            subcomponent: at(3, b'&'),
            truncation: declared.get(4).copied(),
        })
    }

    /// For MSH-1 and MSH-2, whose text is the delimiters themselves.
    pub(super) fn unsplit(self) -> Delimiters {
        Delimiters { component: NONE, repetition: NONE, subcomponent: NONE, escape: None, ..self }
    }
}

/// Component, repetition, escape, subcomponent, truncation.
const DECLARED_MAX: usize = 5;

fn usable(byte: u8) -> bool {
    byte.is_ascii_punctuation() || byte == b' '
}
