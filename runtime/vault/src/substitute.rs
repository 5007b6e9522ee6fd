//! Puts patient data where its tokens stand, escaped for the place, and remembers what it put there.

use std::borrow::Cow;
use std::fmt;

use handoff_engine::ids::{PatientId, Token};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use zeroize::Zeroizing;

use crate::{Clear, Sealing, VaultError, token};

/// Everything but the unreserved characters (RFC 3986, 2.3).
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Shorter values turn up in any text by chance: masking them would garble responses and hide nothing.
const MASKED_CHARS_MIN: usize = 4;

/// Where a token stands, and so how its value is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenPlace {
    /// One segment of a URL's path.
    Path,
    /// A query's or form's value; encoded with the rest of it.
    Form,
    /// Inside a JSON string.
    Json,
    /// An HTTP header, or a mail header other than the body's.
    Header,
    /// An HL7 v2 field; the message's delimiters in the order of MSH-1 and MSH-2: field, component, repetition, escape,
    /// subcomponent.
    Hl7([char; 5]),
    /// A mail's text.
    Text,
}

impl fmt::Display for TokenPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            TokenPlace::Path => "a URL's path",
            TokenPlace::Form => "a form",
            TokenPlace::Json => "JSON",
            TokenPlace::Header => "a header",
            TokenPlace::Hl7(_) => "an HL7 message",
            TokenPlace::Text => "a mail",
        })
    }
}

/// Tokens of one patient, on their way out.
pub struct Substitution<'s, 'v> {
    patient: &'s PatientId,
    sealing: &'s Sealing<'v>,
    agreement: Agreement,
    placed: Placed,
}

/// Whether an agreement in force (45 CFR 164.504(e)) lets patient data go where the text goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Agreement {
    InForce,
    Missing,
}

/// Why a text was not filled. Nothing of it may leave.
#[derive(Debug, thiserror::Error)]
pub enum Unfilled {
    #[error("{token} stands for patient data, and no agreement lets any go there")]
    NoAgreement { token: Token },
    #[error("{token} is another patient's")]
    ForeignToken { token: Token },
    #[error(transparent)]
    Sealed(#[from] VaultError),
    #[error("the value of {token} cannot stand in {place}: {why}")]
    Unplaceable { token: Token, place: TokenPlace, why: &'static str },
}

/// The values that went out, by which an echo of them is recognised.
#[derive(Clone, Debug, Default)]
pub struct Placed(Vec<(Token, Clear)>);

impl<'s, 'v> Substitution<'s, 'v> {
    pub fn new(patient: &'s PatientId, sealing: &'s Sealing<'v>, agreement: Agreement) -> Substitution<'s, 'v> {
        Substitution { patient, sealing, agreement, placed: Placed::default() }
    }

    /// `text` with every token replaced once; what a value itself may look like is not read again.
    ///
    /// # Errors
    /// When a token is another patient's, unknown or erased, may not go to this endpoint, or does not fit the place.
    pub fn fill(&mut self, text: &str, place: TokenPlace) -> Result<Zeroizing<String>, Unfilled> {
        let mut filled = Zeroizing::new(String::with_capacity(text.len()));
        let mut from = 0;
        for range in token::find(text) {
            filled.push_str(&text[from..range.start]);
            from = range.end;
            let token = Token(text[range].to_string());
            let clear = self.open(&token)?;
            match escape(clear.as_str(), place) {
                Ok(escaped) => filled.push_str(&escaped),
                Err(why) => return Err(Unfilled::Unplaceable { token, place, why }),
            }
            self.placed.0.push((token, clear));
        }
        filled.push_str(&text[from..]);
        Ok(filled)
    }

    /// Whether no patient data has been placed.
    pub fn is_empty(&self) -> bool {
        self.placed.0.is_empty()
    }

    pub fn into_placed(self) -> Placed {
        self.placed
    }

    fn open(&self, token: &Token) -> Result<Clear, Unfilled> {
        match self.agreement {
            Agreement::InForce => {}
            Agreement::Missing => return Err(Unfilled::NoAgreement { token: token.clone() }),
        }
        match self.sealing.patient_of(token) {
            Some(patient) if patient != *self.patient => Err(Unfilled::ForeignToken { token: token.clone() }),
            Some(_) | None => Ok(self.sealing.reveal(token)?),
        }
    }
}

impl Placed {
    /// `text` with every value that went out turned back into its token: a vendor that repeats the patient's number in
    /// an error message has not told it to the plugin.
    pub fn mask(&self, text: &str) -> String {
        let mut text = Cow::Borrowed(text);
        for (token, clear) in &self.0 {
            let clear = clear.as_str();
            // What is longer than the text, as a document is, is not in it.
            if clear.len() > text.len() || clear.chars().count() < MASKED_CHARS_MIN {
                continue;
            }
            let encoded = utf8_percent_encode(clear, RESERVED).to_string();
            for form in [clear, &encoded] {
                if text.contains(form) {
                    text = Cow::Owned(text.replace(form, &token.0));
                }
            }
        }
        text.into_owned()
    }
}

fn escape(clear: &str, place: TokenPlace) -> Result<Cow<'_, str>, &'static str> {
    match place {
        // Dots would climb out of the path that was allowed, at a server that decodes before it splits.
        TokenPlace::Path if clear.split(['/', '\\']).any(|part| matches!(part, "" | "." | "..")) => {
            Err("it is no path segment")
        }
        TokenPlace::Path => Ok(utf8_percent_encode(clear, RESERVED).into()),
        TokenPlace::Form | TokenPlace::Text => Ok(clear.into()),
        TokenPlace::Json => {
            let quoted = serde_json::Value::from(clear).to_string();
            Ok(quoted[1..quoted.len() - 1].to_string().into())
        }
        TokenPlace::Header if clear.chars().any(char::is_control) => Err("it has a line end or control character"),
        TokenPlace::Header => Ok(clear.into()),
        TokenPlace::Hl7(delimiters) => Ok(escape_hl7(clear, delimiters).into()),
    }
}

/// Two quotation marks and nothing else tell the receiver to delete what it has (HL7 v2.5.1, 2.5.3).
const HL7_NULL: &str = "\"\"";

/// HL7 v2.5.1, 2.7.1 and 2.7.5: delimiters by their letters, control characters in hexadecimal, and what would be read as an
/// order to delete.
fn escape_hl7(clear: &str, [field, component, repetition, escape, subcomponent]: [char; 5]) -> String {
    if clear == HL7_NULL {
        return format!("{escape}X2222{escape}");
    }
    let mut escaped = String::with_capacity(clear.len());
    for c in clear.chars() {
        let letter = if c == field {
            'F'
        } else if c == component {
            'S'
        } else if c == repetition {
            'R'
        } else if c == escape {
            'E'
        } else if c == subcomponent {
            'T'
        } else if c.is_ascii_control() {
            escaped += &format!("{escape}X{:02X}{escape}", u32::from(c));
            continue;
        } else {
            escaped.push(c);
            continue;
        };
        escaped.extend([escape, letter, escape]);
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::MemoryLookup;
    use crate::testing::vault;

    const HL7: TokenPlace = TokenPlace::Hl7(['|', '^', '~', '\\', '&']);

    #[test]
    fn each_place_has_its_own_escaping() {
        let nasty = "O'Brien & \"Söhne\"/..?a=1|^~\\\r\n";
        for (place, clear, expected) in [
            (TokenPlace::Path, "a/b c%é", Ok("a%2Fb%20c%25%C3%A9")),
            (TokenPlace::Path, "+15125550143", Ok("%2B15125550143")),
            (TokenPlace::Path, "..", Err(())),
            (TokenPlace::Path, ".", Err(())),
            (TokenPlace::Path, "", Err(())),
            (TokenPlace::Path, "a/../b", Err(())),
            (TokenPlace::Path, "...", Ok("...")),
            (TokenPlace::Form, nasty, Ok(nasty)),
            (TokenPlace::Json, "a\"b\\c\n\u{1}é", Ok(r#"a\"b\\c\n\u0001é"#)),
            (TokenPlace::Header, "Ana Cruz", Ok("Ana Cruz")),
            (TokenPlace::Header, "Ana\r\nBcc: x@y", Err(())),
            (TokenPlace::Header, "Ana\0", Err(())),
            (HL7, "a|b^c~d\\e&f", Ok("a\\F\\b\\S\\c\\R\\d\\E\\e\\T\\f")),
            (HL7, "\"\"", Ok("\\X2222\\")),
            (HL7, "\"\"x", Ok("\"\"x")),
            (HL7, "x\r\u{1c}\u{b}", Ok("x\\X0D\\\\X1C\\\\X0B\\")),
            (TokenPlace::Hl7(['#', '^', '~', '\\', '&']), "a|b#c", Ok("a|b\\F\\c")),
            (TokenPlace::Text, "two\nlines", Ok("two\nlines")),
        ] {
            let escaped = escape(clear, place).map_err(|_| ());
            assert_eq!(
                escaped.as_deref(),
                expected.as_ref().map(|text| *text).map_err(|()| &()),
                "{place:?} {clear:?}"
            );
        }
    }

    #[test]
    fn a_value_that_looks_like_a_token_is_not_read_again() {
        let dir = tempfile::tempdir().expect("a directory");
        let (vault, index) = (vault(dir.path()), MemoryLookup::default());
        let (patient, other) = (vault.patient_id("MAIN", "1"), vault.patient_id("MAIN", "2"));
        let mut sealing = vault.sealing(&index);
        let foreign = sealing.seal(&other, "given", "Bo");
        let bait = sealing.seal(&patient, "text", &format!("hello {foreign}"));
        let mut filling = Substitution::new(&patient, &sealing, Agreement::InForce);
        let filled = filling.fill(&format!("<{bait}>"), TokenPlace::Text).expect("filled");
        assert_eq!(*filled, format!("<hello {foreign}>"));
        assert!(matches!(filling.fill(&foreign.0, TokenPlace::Text), Err(Unfilled::ForeignToken { .. })));
        let unknown = format!("ZPHIG001{}", "0".repeat(26));
        let denial = filling.fill(&unknown, TokenPlace::Text).expect_err("unknown");
        assert!(matches!(denial, Unfilled::Sealed(VaultError::UnknownToken { .. })));
    }

    #[test]
    fn no_agreement_no_patient_data() {
        let dir = tempfile::tempdir().expect("a directory");
        let (vault, index) = (vault(dir.path()), MemoryLookup::default());
        let patient = vault.patient_id("MAIN", "1");
        let mut sealing = vault.sealing(&index);
        let token = sealing.seal(&patient, "given", "Ana");
        let fill = |agreement, text: &str| {
            Substitution::new(&patient, &sealing, agreement).fill(text, TokenPlace::Json).map(|_| ())
        };
        assert!(matches!(fill(Agreement::Missing, &token.0), Err(Unfilled::NoAgreement { .. })));
        assert!(fill(Agreement::Missing, "no patient data").is_ok());
    }

    #[test]
    fn echoes_are_masked() {
        let dir = tempfile::tempdir().expect("a directory");
        let (vault, index) = (vault(dir.path()), MemoryLookup::default());
        let patient = vault.patient_id("MAIN", "1");
        let mut sealing = vault.sealing(&index);
        let (phone, short) = (sealing.seal(&patient, "phone", "+15125550143"), sealing.seal(&patient, "given", "Ana"));
        let mut filling = Substitution::new(&patient, &sealing, Agreement::InForce);
        filling.fill(&format!("{phone} {short}"), TokenPlace::Form).expect("filled");
        let placed = filling.into_placed();
        let echo = "The number +15125550143 (%2B15125550143) of Ana is not valid";
        assert_eq!(placed.mask(echo), format!("The number {phone} ({phone}) of Ana is not valid"));
        assert!(!format!("{placed:?}").contains("5550143"));
    }
}
