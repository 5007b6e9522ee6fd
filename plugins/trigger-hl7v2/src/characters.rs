//! Which characters a message is written in, settled before anything in it is read: a wrong name in a text message is
//! worse than none.

use crate::message::{Charset, Declared, Message, Spelling};
use crate::problem::{Condition, Fault, Place};

const MSH_18: Place = Place { segment: "MSH", sequence: 1, field: 18 };

/// How to go on with a message.
pub enum Settled {
    /// As it stands, read in this set.
    AsItIs(Charset),
    /// Rewritten as UTF-8: among its bytes are some that only look like delimiters.
    Rewritten(Vec<u8>, Spelling),
}

/// `default` counts where MSH-18 says nothing; without either, the bytes decide between UTF-8 and Windows-1252.
pub fn settle(message: &Message<'_>, body: &[u8], default: Option<&str>) -> Result<Settled, Fault> {
    let declared = match (message.declared(), default) {
        (Declared::Unsaid, Some(name)) => Declared::by(name.as_bytes(), message.delimiters().repetition),
        (declared, _) => declared,
    };
    // The escape of ISO 2022 turns ASCII into something else.
    let is_ascii = body.is_ascii() && !body.contains(&0x1B);
    let charset = match declared {
        Declared::Known(charset) => charset,
        Declared::Unsaid | Declared::Unknown if is_ascii => message.charset(),
        Declared::Unsaid => message.charset(),
        Declared::Unknown => {
            return Err(Fault::at(
                Condition::DataType,
                MSH_18,
                "MSH-18 names a character set that is not known here".to_owned(),
                "send UTF-8 and say so in MSH-18: UNICODE UTF-8",
            ));
        }
    };
    // A byte order mark says more than MSH-18.
    let charset = if message.is_marked_utf8() { Charset::Utf8 } else { charset };
    if is_ascii {
        return Ok(Settled::AsItIs(charset));
    }
    let switches = body.windows(2).any(|pair| matches!(pair, [0x1B, b'$' | b'(' | b')' | b'-' | b',' | b'.']));
    if switches && charset != Charset::ISO_2022 {
        return Err(Fault::at(
            Condition::DataType,
            MSH_18,
            "the message switches character sets on its way, and MSH-18 does not start with ISO IR87".to_owned(),
            "send UTF-8 and say so in MSH-18: UNICODE UTF-8",
        ));
    }
    let settled = match charset {
        Charset::Multibyte(_) => charset
            .rewritten(body)
            .map(|bytes| Settled::Rewritten(bytes, Spelling { text: Charset::Utf8, escapes: charset })),
        Charset::Utf8 | Charset::Utf16 | Charset::Latin1 | Charset::OneByte(_) => {
            charset.has(body).then_some(Settled::AsItIs(charset))
        }
    };
    settled.ok_or_else(|| {
        Fault::at(
            Condition::DataType,
            MSH_18,
            "the message has bytes that the character set of MSH-18 does not have".to_owned(),
            "name the set that the message is written in, or send UTF-8: UNICODE UTF-8",
        )
    })
}
