//! Any value behind a token, in any text, on its way out and back. What leaves reads, with a reader of its own kind, as the
//! text with the value in the token's place, and as nothing more: no field, member, line or path segment that the plugin
//! did not write. What comes back shows no value to a plugin, and is what it was behind its tokens.
#![no_main]

use std::path::Path;
use std::sync::{Arc, LazyLock};

use handoff_engine::ids::{PatientId, Token};
use handoff_store::journal::SimDisk;
use handoff_vault::substitute::{Agreement, Placed, Substitution, TokenPlace, Unfilled};
use handoff_vault::tokenise::{Reveal, Tokeniser};
use handoff_vault::{MasterKey, MemoryLookup, Sealing, Vault, token};
use libfuzzer_sys::arbitrary::{self, Arbitrary};
use libfuzzer_sys::fuzz_target;
use percent_encoding::percent_decode_str;
use rand::SeedableRng as _;
use rand::rngs::StdRng;
use serde_json::Value;
use trigger_hl7v2::message::Message;

const HL7: TokenPlace = TokenPlace::Hl7(['|', '^', '~', '\\', '&']);

#[derive(Arbitrary, Debug)]
struct Case<'a> {
    value: &'a str,
    /// What the plugin wrote around the token.
    before: &'a str,
    after: &'a str,
    /// What a vendor answered.
    answer: &'a [u8],
}

/// The same in each run, so that a finding can be played again.
static VAULT: LazyLock<Vault> = LazyLock::new(|| {
    let mut dice = Box::new(StdRng::seed_from_u64(1));
    let master = MasterKey::generate(&mut *dice);
    Vault::on(Arc::new(SimDisk::new(1, None)), Path::new(""), master, dice, 0).expect("a new vault")
});

fuzz_target!(|case: Case| {
    let index = MemoryLookup::default();
    let (patient, other) = (VAULT.patient_id("MAIN", "1"), VAULT.patient_id("MAIN", "2"));
    let mut sealing = VAULT.sealing(&index);
    let theirs = sealing.seal(&patient, "value", case.value);
    let foreign = sealing.seal(&other, "value", case.value);
    let way = Way { patient: &patient, sealing: &sealing, value: case.value, token: &theirs };
    way.text(case.before, case.after);
    way.json(case.before, case.after);
    way.header();
    way.path();
    way.hl7();
    refuses(&patient, &sealing, case.before, &foreign);
    way.echo(case.before, case.after);
    answers(&patient, &mut sealing, case.answer);
});

/// One value on its way out.
struct Way<'a> {
    patient: &'a PatientId,
    sealing: &'a Sealing<'a>,
    value: &'a str,
    token: &'a Token,
}

impl Way<'_> {
    fn fill(&self, text: &str, place: TokenPlace) -> Result<String, Unfilled> {
        let mut substitution = Substitution::new(self.patient, self.sealing, Agreement::InForce);
        substitution.fill(text, place).map(|filled| filled.to_string())
    }

    /// What a text should become: a plugin may well write the token more than once.
    fn filled(&self, written: &str) -> String {
        written.replace(&self.token.0, self.value)
    }

    /// A plugin's own text may happen to look like a token, or to make one of the value's neighbours: then it is refused.
    fn text(&self, before: &str, after: &str) {
        let written = format!("{before}{}{after}", self.token);
        match self.fill(&written, TokenPlace::Text) {
            Ok(filled) => assert_eq!(filled, self.filled(&written)),
            Err(_) => assert!(token::find(&written).count() > 1 || !stands_alone(&written, self.token)),
        }
    }

    fn json(&self, before: &str, after: &str) {
        let written = Value::from(vec![Value::from(format!("{before}{}{after}", self.token)), Value::Null]);
        if let Ok(filled) = self.fill(&written.to_string(), TokenPlace::Json) {
            let read: Value = serde_json::from_str(&filled).expect("what was JSON is JSON");
            assert_eq!(read[0], self.filled(&format!("{before}{}{after}", self.token)));
            assert_eq!(read[1], Value::Null);
        }
    }

    fn header(&self) {
        match self.fill(&self.token.0, TokenPlace::Header) {
            Ok(filled) => assert!(filled == self.value && !filled.chars().any(char::is_control)),
            Err(_) => assert!(self.value.chars().any(char::is_control), "a plain value was refused"),
        }
    }

    fn path(&self) {
        let Ok(filled) = self.fill(&format!("/to/{}/end", self.token), TokenPlace::Path) else { return };
        let segments: Vec<&str> = filled.split('/').collect();
        assert_eq!((segments.len(), segments[1], segments[3]), (4, "to", "end"), "{filled}");
        assert!(!filled.contains(['?', '#', '\\']) && filled.is_ascii());
        let read = percent_decode_str(segments[2]).decode_utf8().expect("UTF-8");
        assert_eq!(read, self.value);
        assert!(!matches!(&*read, "" | "." | ".."));
    }

    fn hl7(&self) {
        let written = format!("MSH|^~\\&|A|B\rPID|1||{}^X|Y\rZZZ|1\r", self.token);
        let filled = self.fill(&written, HL7).expect("HL7 can carry any text");
        let message = Message::parse(filled.as_bytes()).expect("a message");
        let names: Vec<&[u8]> = message.segments().iter().map(|segment| segment.name()).collect();
        assert_eq!(names, [b"MSH", b"PID", b"ZZZ"]);
        let pid = message.segment("PID").expect("it was counted");
        assert_eq!(pid.text(3, 1), self.value.trim(), "{filled:?}");
        assert_eq!((pid.text(3, 2), pid.text(4, 1)), ("X".to_owned(), "Y".to_owned()), "{filled:?}");
    }

    /// A vendor that repeats the value tells it to nobody.
    fn echo(&self, before: &str, after: &str) {
        let mut substitution = Substitution::new(self.patient, self.sealing, Agreement::InForce);
        substitution.fill(&self.token.0, TokenPlace::Form).expect("a form takes any text");
        let placed = substitution.into_placed();
        let shown = placed.mask(&format!("{before}{}{after}", self.value));
        // Capital letters and digits are what tokens are made of themselves.
        let telling = self.value.chars().count() >= 4
            && !self.value.chars().any(|c| c.is_ascii_alphanumeric() && !c.is_ascii_lowercase());
        assert!(!telling || !shown.contains(self.value), "{shown:?}");
        assert!(!format!("{placed:?}").contains(self.value) || !telling);
    }
}

/// Nothing in front of the token makes another token of it.
fn stands_alone(written: &str, wanted: &Token) -> bool {
    token::find(written).any(|range| written[range] == wanted.0)
}

fn refuses(patient: &PatientId, sealing: &Sealing<'_>, before: &str, foreign: &Token) {
    for place in [TokenPlace::Path, TokenPlace::Form, TokenPlace::Json, TokenPlace::Header, HL7, TokenPlace::Text] {
        let fill = |agreement, text: &str| Substitution::new(patient, sealing, agreement).fill(text, place).err();
        assert!(matches!(fill(Agreement::InForce, &foreign.0), Some(Unfilled::ForeignToken { .. })));
        assert!(matches!(fill(Agreement::Missing, &foreign.0), Some(Unfilled::NoAgreement { .. })));
        let refused = fill(Agreement::Missing, before);
        assert_eq!(refused.is_some(), token::find(before).next().is_some(), "{refused:?}");
    }
}

fn answers(patient: &PatientId, sealing: &mut Sealing<'_>, answer: &[u8]) {
    let placed = Placed::default();
    let mut tokeniser = Tokeniser { patient, sealing, placed: &placed };
    let body = tokeniser.body("application/json", answer, &Reveal::default());
    let plain = tokeniser.body("text/plain", answer, &Reveal::default());
    let text = String::from_utf8_lossy(answer);
    let acknowledged = tokeniser.acknowledgement(&text);
    assert_eq!(acknowledged, tokeniser.acknowledgement(&text), "the same answer is shown differently");
    match std::str::from_utf8(answer) {
        Ok("") | Err(_) => assert_eq!(plain, ""),
        Ok(text) => assert_eq!(sealing.reveal(&Token(plain)).expect("sealed").as_str(), text),
    }
    if let Ok(read) = serde_json::from_slice::<Value>(answer) {
        let shown = serde_json::from_str(&body).expect("what was JSON is JSON");
        same_behind_tokens(sealing, &read, &shown);
    }
}

fn same_behind_tokens(sealing: &Sealing<'_>, read: &Value, shown: &Value) {
    match (read, shown) {
        (Value::String(read), Value::String(shown)) if read.is_empty() => assert_eq!(shown, ""),
        (Value::String(read), Value::String(shown)) => {
            assert_eq!(sealing.reveal(&Token(shown.clone())).expect("sealed").as_str(), read);
        }
        (Value::Array(read), Value::Array(shown)) => {
            assert_eq!(read.len(), shown.len());
            read.iter().zip(shown).for_each(|(read, shown)| same_behind_tokens(sealing, read, shown));
        }
        (Value::Object(read), Value::Object(shown)) => {
            assert!(read.keys().eq(shown.keys()));
            read.values().zip(shown.values()).for_each(|(read, shown)| same_behind_tokens(sealing, read, shown));
        }
        (read, shown) => assert_eq!(read, shown),
    }
}
