//! Encapsulated data (ED; HL7 v2.8, 2.A.24): files in OBX-5 as senders really write them. The data stands in the fifth
//! component, in the first, or behind repetition separators; its Base64 is wrapped by line breaks, escapes or repetitions;
//! and one file comes in several OBX (7.4.2.4).

use std::borrow::Cow;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::general_purpose::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use crate::coded;
use crate::document::{Document, PLAIN_TEXT};
use crate::message::{Segment, Value};
use crate::problem::{Condition, Fault, Place};
use crate::types::Code;

/// Senders leave padding out, or bits in it.
pub const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// How files begin in Base64: PDF, RTF, ZIP and the Office files in it, PNG, GIF, JPEG, TIFF, XML, HTML, Word.
const BEGINNINGS: [&str; 14] = [
    "JVBERi",
    "e1xydG",
    "UEsDB",
    "iVBORw",
    "R0lGOD",
    "/9j/",
    "SUkq",
    "TU0AK",
    "PD94bW",
    "PENsaW5pY2",
    "PGh0bW",
    "PCFET0",
    "PEhUTU",
    "0M8R4",
];

/// What one OBX, or one repetition of it, gives of a file.
pub struct Piece {
    sequence: usize,
    /// OBX-3, by which pieces are known to belong together.
    observation: Vec<u8>,
    /// The number in OBX-4: `2`, or the last of `1.2`.
    number: Option<u32>,
    /// What OBX-4 has before that number.
    parent: String,
    kind: String,
    subtype: String,
    encoding: String,
    data: String,
    title: String,
    loinc: Option<Code>,
}

/// Whether OBX-5 holds a file: OBX-2 says so, or text is there that can be nothing but a PDF.
pub fn is_file(obx: &Segment<'_>) -> bool {
    match obx.text(2, 1).as_str() {
        "ED" => true,
        "TX" | "FT" | "ST" | "" => obx
            .field(5)
            .repetitions()
            .any(|value| value.components().any(|part| part.raw().trim_ascii_start().starts_with(b"JVBERi"))),
        _ => false,
    }
}

/// The pieces in one OBX; none where OBX-5 is empty.
pub fn pieces(obx: &Segment<'_>, sequence: usize) -> Result<Vec<Piece>, Fault> {
    let field = obx.field(5);
    if field.is_empty() {
        return Ok(Vec::new());
    }
    let sub_id = obx.text(4, 1);
    let (parent, number) = sub_id.rsplit_once(['.', '-']).unwrap_or(("", &sub_id));
    let piece = |[kind, subtype, encoding, data]: [String; 4]| Piece {
        sequence,
        observation: obx.field(3).raw().to_vec(),
        number: number.parse().ok(),
        parent: parent.to_owned(),
        kind,
        subtype,
        encoding,
        data,
        title: [2, 5, 1]
            .map(|component| obx.text(3, component))
            .into_iter()
            .find(|it| !it.is_empty())
            .unwrap_or_default(),
        loinc: coded::code_of(obx.field(3), "LN"),
    };
    let repetitions: Vec<Vec<Value<'_>>> = field.repetitions().map(|value| value.components().collect()).collect();
    let mut pieces: Vec<Piece> = Vec::new();

    // `source~type~subtype~Base64~data`: repetition separators where component separators belong.
    let is_flat = repetitions.len() > 2 && repetitions.iter().all(|components| components.len() == 1);
    let flat: Vec<Value<'_>> = repetitions.iter().flatten().copied().collect();
    let named = flat.iter().position(is_encoding);
    if let (true, Some(at)) = (is_flat, named) {
        let before = |back: usize| at.checked_sub(back).and_then(|at| flat.get(at)).map(text).unwrap_or_default();
        let data: String = flat.iter().skip(at + 1).map(text).collect();
        pieces.push(piece([before(2), before(1), before(0), data]));
    } else {
        for components in repetitions {
            match (components.as_slice(), pieces.last_mut()) {
                // Base64 that was wrapped by `~`.
                ([only], Some(piece)) => {
                    // In text, a repetition is a line.
                    piece.data.push_str(if piece.encoding.eq_ignore_ascii_case("a") { "\n" } else { "" });
                    piece.data.push_str(&text(only));
                }
                (components, _) => pieces.push(piece(parts(components))),
            }
        }
    }
    match pieces.iter().any(|piece| piece.data.is_empty()) {
        true => Err(Fault::at(
            Condition::RequiredFieldMissing,
            place(sequence),
            format!("{} holds no data", place(sequence)),
            "send the document's bytes in ED-5 (OBX-5.5)",
        )),
        false => Ok(pieces),
    }
}

/// Type, subtype, encoding and data of an ED. The data follows the encoding, wherever that stands; where none is named and the
/// fifth component is empty, it is the component that is Base64.
///
/// Files are large and an instance's memory is not given back: only what is wanted is turned into text.
fn parts(components: &[Value<'_>]) -> [String; 4] {
    let at = |number: usize| components.get(number).map(text).unwrap_or_default();
    let before = |of: usize, back: usize| of.checked_sub(back).map(at).unwrap_or_default();
    // `A` is a word like any other, but where the encoding belongs.
    let is_named = |(at, value): (usize, &Value<'_>)| is_encoding(value) && (at == 3 || value.raw().len() > 1);
    if let Some(encoding) = components.iter().enumerate().position(is_named) {
        return [before(encoding, 2), before(encoding, 1), at(encoding), rest(components, encoding + 1)];
    }
    if components.get(4).is_some_and(|data| !data.is_empty()) {
        return [at(1), at(2), at(3), rest(components, 4)];
    }
    match components.iter().enumerate().map(|(at, value)| (at, text(value))).find(|(_, text)| looks_encoded(text)) {
        Some((data, text)) => [before(data, 2), before(data, 1), String::new(), text],
        None => Default::default(),
    }
}

/// The data. Text has no components: a `^` that was not escaped belongs to it. Base64 with one in it will not be decoded.
fn rest(components: &[Value<'_>], from: usize) -> String {
    match components.get(from..).unwrap_or_default() {
        [only] => text(only),
        several => several.iter().map(text).collect::<Vec<_>>().join("^"),
    }
}

fn text(value: &Value<'_>) -> String {
    let text = value.text();
    if text.trim().len() == text.len() { text } else { text.trim().to_owned() }
}

fn is_encoding(value: &Value<'_>) -> bool {
    let word = value.raw().trim_ascii();
    [b"base64".as_slice(), b"base-64", b"a", b"hex"].iter().any(|known| word.eq_ignore_ascii_case(known))
}

/// Base64 of some length, or of something known: no name, no word.
fn looks_encoded(text: &str) -> bool {
    let known = BEGINNINGS.iter().any(|beginning| text.starts_with(beginning));
    known || (text.len() >= ENCODED_MIN && text.bytes().all(is_base64))
}

fn is_base64(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte.is_ascii_whitespace() || matches!(byte, b'+' | b'/' | b'=')
}

/// No word of a document's name is that long and nothing but letters and digits.
const ENCODED_MIN: usize = 64;

/// The files, in the order in which they begin.
pub fn joined(pieces: Vec<Piece>) -> Result<Vec<Document>, Fault> {
    let mut files: Vec<Vec<Piece>> = Vec::new();
    for piece in pieces {
        match files.iter_mut().rev().find(|file| belongs(file, &piece)) {
            Some(file) => file.push(piece),
            None => files.push(vec![piece]),
        }
    }
    files.into_iter().map(whole).collect()
}

/// A further piece has the observation and the type of those before it, counts on from them, or does not count and follows
/// what began like a file, and does not begin like one itself.
fn belongs(file: &[Piece], piece: &Piece) -> bool {
    let Some(first) = file.first() else { return false };
    let same = |one: &str, other: &str| other.is_empty() || one.eq_ignore_ascii_case(other);
    let is_alike = first.observation == piece.observation
        && same(&first.kind, &piece.kind)
        && same(&first.subtype, &piece.subtype);
    let counts_on =
        first.parent == piece.parent && piece.number.is_some() && file.iter().all(|known| known.number != piece.number);
    let is_next = counts_on || begins(first);
    is_alike && is_next && !begins(piece)
}

fn begins(piece: &Piece) -> bool {
    BEGINNINGS.iter().any(|beginning| piece.data.trim_start().starts_with(beginning))
}

fn whole(mut file: Vec<Piece>) -> Result<Document, Fault> {
    // Pieces that all have one number, or none, are in the order in which they came.
    let is_counted = file.iter().all(|piece| piece.number.is_some());
    if is_counted && file.first().map(|first| first.number) != file.last().map(|last| last.number) {
        file.sort_by_key(|piece| piece.number);
        check_count(&file)?;
    }
    let told = |part: fn(&Piece) -> &str| file.iter().map(part).find(|it| !it.is_empty()).unwrap_or_default();
    let (kind, subtype) = (told(|piece| &piece.kind).to_owned(), told(|piece| &piece.subtype).to_owned());
    let encoding = told(|piece| &piece.encoding).to_lowercase();
    let title = told(|piece| &piece.title).to_owned();
    let loinc = file.first().and_then(|first| first.loinc.clone());
    let content = match file.as_mut_slice() {
        [only] => encoded(&encoding, std::mem::take(&mut only.data), only.sequence)?,
        pieces => joined_content(&encoding, pieces)?,
    };
    check_ends(&content, &subtype, &file)?;
    Ok(Document { media_type: media_type(&kind, &subtype, &content), title, content, loinc })
}

/// One text that was cut; or, where that cannot be, pieces that were encoded each by itself.
fn joined_content(encoding: &str, pieces: &[Piece]) -> Result<String, Fault> {
    let sequence = |piece: Option<&Piece>| piece.map_or(1, |piece| piece.sequence);
    let data = pieces.iter().map(|piece| piece.data.as_str()).collect::<Vec<_>>().concat();
    let bytes = decoded(encoding, &data, sequence(pieces.first())).or_else(|fault| {
        let each = pieces.iter().map(|piece| decoded(encoding, &piece.data, piece.sequence).map_err(|_| fault.clone()));
        each.collect::<Result<Vec<_>, Fault>>().map(|pieces| pieces.concat())
    })?;
    Ok(BASE64.encode(bytes))
}

/// A PDF says where it begins and ends. One that does not was cut on its way: by an engine's field limit, or with a piece that was
/// lost.
fn check_ends(content: &str, subtype: &str, file: &[Piece]) -> Result<(), Fault> {
    let head = content.get(..content.len().min(PDF_TAIL / 3 * 4)).unwrap_or_default();
    let head = BASE64.decode(head).unwrap_or_default();
    let begins = head.windows(5).any(|window| window == b"%PDF-");
    if !begins && subtype.eq_ignore_ascii_case("pdf") {
        let message = "a document is not whole: it is no beginning of a PDF, and ED-3 says that it is one".to_owned();
        let help = "send every piece of the document, counted from 1 in OBX-4, or name what it is in ED-2 and ED-3";
        let place = place(file.first().map_or(1, |piece| piece.sequence));
        return Err(Fault::at(Condition::RequiredFieldMissing, place, message, help));
    }
    if !content.starts_with("JVBERi") {
        return Ok(());
    }
    let tail = content.get(content.len().saturating_sub(PDF_TAIL / 3 * 4)..).unwrap_or_default();
    let tail = BASE64.decode(tail).unwrap_or_default();
    if tail.windows(5).any(|window| window == b"%%EOF") {
        return Ok(());
    }
    let (message, help) = match file.len() {
        1 => (
            "a document is not whole: it is no end of a PDF",
            "send the whole document in ED-5; engines cut what is longer than their field limit",
        ),
        _ => (
            "a document in pieces is not whole: its last piece is no end of a PDF",
            "send every piece of the document, counted from 1 in OBX-4",
        ),
    };
    let place = place(file.last().map_or(1, |piece| piece.sequence));
    Err(Fault::at(Condition::RequiredFieldMissing, place, message.to_owned(), help))
}

/// The data in Base64 with padding. What is so already, as nearly all is, is taken as it stands: a scanned note of many
/// megabytes is there once.
fn encoded(encoding: &str, data: String, sequence: usize) -> Result<String, Fault> {
    let is_base64 = encoding != "a" && encoding != "hex";
    if is_base64 && is_canonical(&data) {
        return Ok(data);
    }
    decoded(encoding, &data, sequence).map(|bytes| BASE64.encode(bytes))
}

fn is_canonical(data: &str) -> bool {
    let mut bytes = [0; CHUNK / 4 * 3];
    let mut chunks = data.as_bytes().chunks(CHUNK).peekable();
    while let Some(chunk) = chunks.next() {
        let decoded = STANDARD.decode_slice(chunk, &mut bytes);
        let is_full = chunks.peek().is_none() || decoded == Ok(bytes.len());
        if decoded.is_err() || !is_full {
            return false;
        }
    }
    true
}

/// A multiple of four, so that only the last one has padding.
const CHUNK: usize = 4096;

/// Within how many bytes of its beginning and its end a PDF says so: 1024 (ISO 32000-1, annex H, notes 13 and 18), and what makes
/// Base64 of it whole.
const PDF_TAIL: usize = 1026;

/// Pieces are counted from 1, some from 0.
fn check_count(file: &[Piece]) -> Result<(), Fault> {
    let numbers: Vec<u32> = file.iter().filter_map(|piece| piece.number).collect();
    let start = numbers.first().copied().unwrap_or_default();
    let gap =
        file.iter().zip(start..).find(|(piece, expected)| piece.number != Some(*expected)).map(|(piece, _)| piece);
    match (file.len(), gap, file.first()) {
        (2.., Some(piece), _) => Err(piece),
        (2.., None, Some(first)) if start > 1 => Err(first),
        _ => Ok(()),
    }
    .map_err(|piece| {
        Fault::at(
            Condition::RequiredFieldMissing,
            Place { field: 4, ..place(piece.sequence) },
            "a document in pieces is not whole: OBX-4 leaves out a number".to_owned(),
            "send every piece of the document, counted from 1 in OBX-4",
        )
    })
}

fn decoded(encoding: &str, data: &str, sequence: usize) -> Result<Vec<u8>, Fault> {
    let bare = || match data.contains(char::is_whitespace) {
        true => Cow::Owned(data.split_whitespace().collect::<Vec<_>>().concat()),
        false => Cow::Borrowed(data),
    };
    match encoding {
        "a" => Ok(data.as_bytes().to_vec()),
        "hex" => hexadecimal(&bare()).ok_or_else(|| undecodable(sequence, "hexadecimal")),
        _ => BASE64.decode(bare().as_bytes()).map_err(|_| undecodable(sequence, "Base64")),
    }
}

fn place(sequence: usize) -> Place {
    Place { segment: "OBX", sequence, field: 5 }
}

fn undecodable(sequence: usize, encoding: &str) -> Fault {
    let message = format!("the document is not {encoding}, as ED-4 says or leaves open");
    let help = "send the document's bytes in ED-5, in the encoding that ED-4 names: Base64, Hex or A";
    Fault::at(Condition::DataType, place(sequence), message, help)
}

fn hexadecimal(text: &str) -> Option<Vec<u8>> {
    if !text.bytes().all(|byte| byte.is_ascii_hexdigit()) || !text.len().is_multiple_of(2) {
        return None;
    }
    let pairs = text.as_bytes().chunks(2);
    pairs.map(|pair| std::str::from_utf8(pair).ok().and_then(|pair| u8::from_str_radix(pair, 16).ok())).collect()
}

/// ED-2 and ED-3 (tables 0191 and 0291) as a media type; where they say too little, the first bytes do.
fn media_type(kind: &str, subtype: &str, content: &str) -> String {
    let (kind, subtype) = (kind.to_lowercase(), subtype.to_lowercase());
    match (kind.as_str(), subtype.as_str()) {
        _ if content.starts_with("JVBERi") => "application/pdf".to_owned(),
        _ if content.starts_with("e1xydG") => "application/rtf".to_owned(),
        (_, "pdf") => "application/pdf".to_owned(),
        (_, "rtf") => "application/rtf".to_owned(),
        (_, "html") => "text/html".to_owned(),
        (_, "xml") => "application/xml".to_owned(),
        (_, "x-hl7-cda-level-one") => "application/hl7-cda+xml".to_owned(),
        (_, "jpeg" | "jpg") => "image/jpeg".to_owned(),
        (_, "png" | "gif" | "tiff") => format!("image/{subtype}"),
        ("text" | "tx" | "ft", "" | "plain") => PLAIN_TEXT.to_owned(),
        ("application" | "audio" | "image" | "text" | "video" | "multipart", subtype) if !subtype.is_empty() => {
            format!("{kind}/{subtype}")
        }
        _ => "application/octet-stream".to_owned(),
    }
}
