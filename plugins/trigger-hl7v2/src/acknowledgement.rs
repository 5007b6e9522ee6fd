//! The answer to a message (HL7 v2.8, 2.9.2 and 2.14.1): MSH turned around, MSA and, where something is wrong, ERR.

use crate::digest;
use crate::message::{Message, Value};
use crate::problem::{Condition, Fault, Location, Verdict};
use crate::types::{Answer, Instant};

const CONTENT_TYPE: &str = "application/hl7-v2";
/// Versions up to 2.6 give MSH-10 20 characters: one letter and these digits of a digest.
const CONTROL_ID_DIGITS: usize = 19;
/// MSA-3 is at least this long in every version.
const TEXT_MAX: usize = 80;
/// ERR-7 and ERR-8 came with 2.5 and this length.
const ERR_TEXT_MAX: usize = 250;

/// What an answer takes over from the message, as raw bytes in the sender's own delimiters.
pub struct Header {
    syntax: Syntax,
    sending: [Vec<u8>; 2],
    receiving: [Vec<u8>; 2],
    trigger: Vec<u8>,
    control_id: Vec<u8>,
    processing: Vec<u8>,
    version: Vec<u8>,
    charset: Vec<u8>,
    accept_wanted: Vec<u8>,
    application_wanted: Vec<u8>,
}

#[derive(Clone, Copy)]
struct Syntax {
    field: u8,
    component: u8,
    escape: Option<u8>,
    encoding: [u8; 5],
    encoding_length: usize,
}

impl Header {
    pub fn of(message: &Message<'_>) -> Header {
        let header = message.header();
        let raw = |number: usize| header.field(number).raw().to_vec();
        let first = |value: Value<'_>| value.component(1).raw().trim_ascii().to_vec();
        let delimiters = message.delimiters();
        let mut encoding = [0; 5];
        let declared = header.field(2).raw();
        let encoding_length = declared.len().min(encoding.len());
        for (slot, &byte) in encoding.iter_mut().zip(declared) {
            *slot = byte;
        }
        Header {
            syntax: Syntax {
                field: delimiters.field,
                component: delimiters.component,
                escape: delimiters.escape,
                encoding,
                encoding_length,
            },
            sending: [raw(3), raw(4)],
            receiving: [raw(5), raw(6)],
            trigger: header.field(9).component(2).raw().to_vec(),
            control_id: raw(10),
            processing: raw(11),
            version: raw(12),
            charset: raw(18),
            accept_wanted: first(header.field(15)),
            application_wanted: first(header.field(16)),
        }
    }

    /// For bytes that have no MSH to answer to.
    pub fn unknown() -> Header {
        Header {
            syntax: Syntax {
                field: b'|',
                component: b'^',
                escape: Some(b'\\'),
                encoding: *b"^~\\&\0",
                encoding_length: 4,
            },
            sending: [Vec::new(), Vec::new()],
            receiving: [b"HANDOFF".to_vec(), Vec::new()],
            trigger: Vec::new(),
            control_id: Vec::new(),
            processing: b"P".to_vec(),
            version: b"2.5.1".to_vec(),
            charset: Vec::new(),
            accept_wanted: Vec::new(),
            application_wanted: Vec::new(),
        }
    }

    /// `2.5.1` as `[2, 5, 1]`; 2.5 for a sender that does not say.
    fn version(&self) -> Vec<u32> {
        let text = String::from_utf8_lossy(&self.version);
        let id = text.split(char::from(self.syntax.component)).next().unwrap_or_default();
        let numbers: Option<Vec<u32>> = id.trim().split('.').map(|part| part.parse().ok()).collect();
        numbers.unwrap_or_else(|| vec![2, 5])
    }
}

pub fn accepted(header: &Header, received_at: Instant) -> Answer {
    answer(header, Verdict::Accept, &[], 200, received_at)
}

pub fn refused(header: &Header, fault: &Fault, received_at: Instant) -> Answer {
    answer(header, fault.verdict, std::slice::from_ref(fault), if fault.retry { 503 } else { 400 }, received_at)
}

/// Parts of the message are at fault, an ERR for each; the others were taken. Sending all of it again changes nothing of those.
pub fn partly(header: &Header, faults: &[Fault], received_at: Instant) -> Answer {
    let told = |fault: &Fault| Fault { message: format!("{}; the rest was taken", fault.message), ..fault.clone() };
    let faults: Vec<Fault> = faults.iter().map(told).collect();
    let verdict = if faults.is_empty() { Verdict::Accept } else { Verdict::Error };
    answer(header, verdict, &faults, 200, received_at)
}

/// Tells the sender to keep the message and try again: error 207, application internal error.
pub fn unavailable(header: &Header, received_at: Instant) -> Answer {
    let fault = Fault {
        verdict: Verdict::Error,
        condition: Condition::InternalError,
        location: None,
        place: String::new(),
        message: "The message could not be stored".to_owned(),
        help: "Send it again later".to_owned(),
        retry: true,
    };
    answer(header, Verdict::Error, &[fault], 503, received_at)
}

/// Empty where the sender asked not to be answered.
fn answer(header: &Header, verdict: Verdict, faults: &[Fault], status: u16, received_at: Instant) -> Answer {
    let body = code(header, verdict).map(|code| write(header, code, faults, received_at)).unwrap_or_default();
    Answer { status, content_type: CONTENT_TYPE.to_owned(), body }
}

/// MSA-1. In enhanced mode (MSH-15 or MSH-16 is valued) the answer on this connection is the accept acknowledgement that
/// MSH-15 asks for; where it asks for none, the application acknowledgement that MSH-16 asks for (HL7 v2.8, 2.9.3).
fn code(header: &Header, verdict: Verdict) -> Option<&'static str> {
    let original = header.accept_wanted.is_empty() && header.application_wanted.is_empty();
    let wanted = |condition: &[u8]| match condition {
        b"AL" => true,
        b"ER" => verdict != Verdict::Accept,
        b"SU" => verdict == Verdict::Accept,
        _ => false,
    };
    if !original && wanted(&header.accept_wanted) {
        return Some(match verdict {
            Verdict::Accept => "CA",
            Verdict::Error => "CE",
            Verdict::Reject => "CR",
        });
    }
    (original || wanted(&header.application_wanted)).then_some(match verdict {
        Verdict::Accept => "AA",
        Verdict::Error => "AE",
        Verdict::Reject => "AR",
    })
}

fn write(header: &Header, code: &str, faults: &[Fault], received_at: Instant) -> Vec<u8> {
    let syntax = header.syntax;
    let version = header.version();
    let encoding = syntax.encoding.get(..syntax.encoding_length).unwrap_or_default();

    let mut kind = b"ACK".to_vec();
    // The trigger came with 2.2, the structure with 2.3.1.
    let structure_named = version >= vec![2, 3, 1];
    if (!header.trigger.is_empty() && version > vec![2, 1]) || structure_named {
        kind.push(syntax.component);
        kind.extend_from_slice(&header.trigger);
    }
    if structure_named {
        kind.push(syntax.component);
        kind.extend_from_slice(b"ACK");
    }
    let mut msh = vec![
        encoding.to_vec(),
        header.receiving[0].clone(),
        header.receiving[1].clone(),
        header.sending[0].clone(),
        header.sending[1].clone(),
        time(received_at, &version).into_bytes(),
        Vec::new(),
        kind,
        control_id(header, code, received_at).into_bytes(),
        header.processing.clone(),
        header.version.clone(),
    ];
    if !header.charset.is_empty() {
        msh.extend([Vec::new(), Vec::new(), Vec::new(), Vec::new(), Vec::new(), header.charset.clone()]);
    }
    let mut msa = vec![code.as_bytes().to_vec(), header.control_id.clone()];

    let mut out = Vec::new();
    let structured = version >= vec![2, 5];
    if let Some(fault) = faults.first().filter(|_| !structured) {
        msa.push(escaped(syntax, &fault.message, TEXT_MAX));
    }
    segment(&mut out, syntax, "MSH", &msh);
    segment(&mut out, syntax, "MSA", &msa);
    if structured {
        faults.iter().for_each(|fault| segment(&mut out, syntax, "ERR", &err(syntax, fault)));
    } else if !faults.is_empty() {
        // One segment, whose field repeats.
        let errors: Vec<Vec<u8>> = faults.iter().map(|fault| early_err(syntax, fault, &version)).collect();
        let repetition = syntax.encoding.get(1).copied().filter(|&byte| byte != 0).unwrap_or(b'~');
        segment(&mut out, syntax, "ERR", &[errors.join(&repetition)]);
    }
    out
}

/// ERR of 2.5 and later: ERR-2 location, ERR-3 code, ERR-4 severity, ERR-7 for the interface team, ERR-8 for anyone.
fn err(syntax: Syntax, fault: &Fault) -> Vec<Vec<u8>> {
    let location = fault.location.map(|location| joined(syntax.component, &parts(location))).unwrap_or_default();
    let code =
        joined(syntax.component, &[fault.condition.code(), fault.condition.text(), "HL70357"].map(str::to_owned));
    let [help, message] = [&fault.help, &fault.message].map(|text| escaped(syntax, text, ERR_TEXT_MAX));
    vec![Vec::new(), location, code, b"E".to_vec(), Vec::new(), Vec::new(), help, message]
}

/// ERR of 2.4 and earlier has one field: location and code (ELD). 2.1 knows the code without its text.
fn early_err(syntax: Syntax, fault: &Fault, version: &[u32]) -> Vec<u8> {
    let mut parts = fault.location.map(parts).unwrap_or_default();
    parts.resize(3, String::new());
    let subcomponent = syntax.encoding.get(3).copied().filter(|&byte| byte != 0).unwrap_or(b'&');
    let code = [fault.condition.code(), fault.condition.text(), "HL70357"].map(str::to_owned);
    let mut field = joined(syntax.component, &parts);
    field.push(syntax.component);
    let code = if version > [2, 1].as_slice() { code.as_slice() } else { &code[..1] };
    field.extend_from_slice(&joined(subcomponent, code));
    field
}

fn parts(location: Location) -> Vec<String> {
    let mut parts = vec![String::from_utf8_lossy(&location.segment).into_owned(), location.sequence.to_string()];
    parts.extend(location.field.map(|field| field.to_string()));
    parts
}

fn joined(separator: u8, parts: &[String]) -> Vec<u8> {
    parts.iter().map(String::as_bytes).collect::<Vec<_>>().join(&separator)
}

fn segment(out: &mut Vec<u8>, syntax: Syntax, name: &str, fields: &[Vec<u8>]) {
    out.extend_from_slice(name.as_bytes());
    for field in fields {
        out.push(syntax.field);
        out.extend_from_slice(field);
    }
    out.push(b'\r');
}

/// Our own words: ASCII, cut to length, with the sender's delimiters escaped or, without an escape character, left out.
fn escaped(syntax: Syntax, text: &str, max: usize) -> Vec<u8> {
    let mut out = Vec::new();
    for byte in text.bytes().filter(|byte| byte.is_ascii_graphic() || *byte == b' ').take(max) {
        let position = syntax.encoding.iter().take(syntax.encoding_length.min(4)).position(|&known| known == byte);
        let letter = if byte == syntax.field { Some(b'F') } else { position.and_then(|at| b"SRET".get(at).copied()) };
        match (letter, syntax.escape) {
            (Some(letter), Some(escape)) => out.extend_from_slice(&[escape, letter, escape]),
            (Some(_), None) => {}
            (None, _) => out.push(byte),
        }
    }
    out
}

/// The same delivery always gets the same control id; an acceptance and a refusal differ.
fn control_id(header: &Header, code: &str, received_at: Instant) -> String {
    let [application, facility] = &header.sending;
    let key =
        [application.as_slice(), facility, &header.control_id, code.as_bytes(), received_at.to_string().as_bytes()]
            .join(&b'|');
    let digest = digest::of(&key);
    format!("H{}", digest.get(..CONTROL_ID_DIGITS).unwrap_or_default())
}

/// MSH-7 in UTC. The offset came with 2.2.
fn time(received_at: Instant, version: &[u32]) -> String {
    let text = moment::rfc3339(received_at);
    let digits: String = text.chars().filter(char::is_ascii_digit).take(14).collect();
    if version > [2, 1].as_slice() { format!("{digits}+0000") } else { digits }
}
