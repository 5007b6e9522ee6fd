//! Encapsulated data (ED; HL7 v2.8, 2.A.24): files in OBX-5 as senders really write them. The data stands in the fifth
//! component, in the first, or behind repetition separators; its Base64 is wrapped by line breaks, escapes or repetitions;
//! and one file comes in several OBX (7.4.2.4).

use base64::Engine as _;
use base64::alphabet;
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
    let piece = |kind: String, subtype: String, encoding: String, data: String| Piece {
        sequence,
        observation: obx.field(3).raw().to_vec(),
        number: number.parse().ok(),
        parent: parent.to_owned(),
        kind,
        subtype,
        encoding,
        data,
        loinc: coded::code_of(obx.field(3), "LN"),
    };
    let text = |value: &Value<'_>| value.text().trim().to_owned();
    let repetitions: Vec<Vec<Value<'_>>> = field.repetitions().map(|value| value.components().collect()).collect();
    let mut pieces: Vec<Piece> = Vec::new();

    // `source~type~subtype~Base64~data`: repetition separators where component separators belong.
    let is_flat = repetitions.len() > 2 && repetitions.iter().all(|components| components.len() == 1);
    let flat: Vec<Value<'_>> = repetitions.iter().flatten().copied().collect();
    let named = flat.iter().position(|value| is_encoding(&text(value)));
    if let (true, Some(at)) = (is_flat, named) {
        let before = |back: usize| at.checked_sub(back).and_then(|at| flat.get(at)).map(text).unwrap_or_default();
        let data: String = flat.iter().skip(at + 1).map(text).collect();
        pieces.push(piece(before(2), before(1), flat.get(at).map(text).unwrap_or_default(), data));
    } else {
        for components in repetitions {
            match (components.as_slice(), pieces.last_mut()) {
                // Base64 that was wrapped by `~`.
                ([only], Some(piece)) => {
                    // In text, a repetition is a line.
                    piece.data.push_str(if piece.encoding.eq_ignore_ascii_case("a") { "\n" } else { "" });
                    piece.data.push_str(&text(only));
                }
                (components, _) => {
                    let (kind, subtype, encoding, data) = parts(components);
                    pieces.push(piece(kind, subtype, encoding, data));
                }
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
fn parts(components: &[Value<'_>]) -> (String, String, String, String) {
    let at = |number: usize| components.get(number).map(|value| value.text().trim().to_owned()).unwrap_or_default();
    let words: Vec<String> = (0..components.len()).map(at).collect();
    // `A` is a word like any other, but where the encoding belongs.
    let named = |at: usize, word: &str| is_encoding(word) && (at == 3 || word.len() > 1);
    let encoding = words.iter().enumerate().position(|(at, word)| named(at, word));
    let rest = |from: usize| words.iter().skip(from).map(String::as_str).collect::<Vec<_>>().join("^");
    match encoding {
        // Text has no components: what was not escaped belongs to it. Base64 with a `^` in it will not be decoded.
        Some(encoding) => {
            let before = |back: usize| encoding.checked_sub(back).map(at).unwrap_or_default();
            (before(2), before(1), at(encoding), rest(encoding + 1))
        }
        None if !at(4).is_empty() => (at(1), at(2), at(3), rest(4)),
        None => match words.iter().position(|word| looks_encoded(word)) {
            Some(data) => {
                let before = |back: usize| data.checked_sub(back).map(at).unwrap_or_default();
                (before(2), before(1), String::new(), at(data))
            }
            None => (String::new(), String::new(), String::new(), String::new()),
        },
    }
}

fn is_encoding(word: &str) -> bool {
    ["base64", "base-64", "a", "hex"].contains(&word.to_lowercase().as_str())
}

/// Base64 of some length, or of something known: no name, no word.
fn looks_encoded(text: &str) -> bool {
    let bare: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    let known = BEGINNINGS.iter().any(|beginning| bare.starts_with(beginning));
    (known || bare.len() >= ENCODED_MIN) && BASE64.decode(&bare).is_ok()
}

/// No word of a document's name is that long and nothing but letters and digits.
const ENCODED_MIN: usize = 64;

/// The files, each with the number of pieces that came before it.
pub fn joined(pieces: Vec<Piece>) -> Result<Vec<(usize, Document)>, Fault> {
    let mut files: Vec<(usize, Vec<Piece>)> = Vec::new();
    for (index, piece) in pieces.into_iter().enumerate() {
        match files.iter_mut().rev().find(|(_, file)| belongs(file, &piece)) {
            Some((_, file)) => file.push(piece),
            None => files.push((index, vec![piece])),
        }
    }
    files.into_iter().map(|(before, file)| Ok((before, whole(file)?))).collect()
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
    let Some(first) = file.first() else { return Ok(Document::default()) };
    let encoding = file.iter().map(|piece| piece.encoding.as_str()).find(|it| !it.is_empty()).unwrap_or_default();
    let data: String = file.iter().map(|piece| piece.data.as_str()).collect();
    // One text that was cut; or, where that cannot be, pieces that were encoded each by itself.
    let bytes = decoded(encoding, &data, first.sequence).or_else(|fault| {
        let each = file.iter().map(|piece| decoded(encoding, &piece.data, piece.sequence).map_err(|_| fault.clone()));
        each.collect::<Result<Vec<_>, Fault>>().map(|pieces| pieces.concat())
    })?;
    let tail = bytes.get(bytes.len().saturating_sub(PDF_TAIL)..).unwrap_or_default();
    if file.len() > 1 && bytes.starts_with(b"%PDF") && !tail.windows(5).any(|window| window == b"%%EOF") {
        return Err(Fault::at(
            Condition::RequiredFieldMissing,
            place(file.last().map_or(first.sequence, |piece| piece.sequence)),
            "a document in pieces is not whole: its last piece is no end of a PDF".to_owned(),
            "send every piece of the document, counted from 1 in OBX-4",
        ));
    }
    let content = BASE64.encode(bytes);
    let told = |part: fn(&Piece) -> &str| file.iter().map(part).find(|it| !it.is_empty()).unwrap_or_default();
    let media_type = media_type(told(|piece| &piece.kind), told(|piece| &piece.subtype), &content);
    Ok(Document { media_type, content, loinc: first.loinc.clone() })
}

/// Within how many bytes of its end a PDF says that it ends (ISO 32000-1, annex H, note 18).
const PDF_TAIL: usize = 1024;

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
    let bare = || data.chars().filter(|c| !c.is_whitespace()).collect::<String>();
    match encoding.to_lowercase().as_str() {
        "a" => Ok(data.as_bytes().to_vec()),
        "hex" => hexadecimal(&bare()).ok_or_else(|| undecodable(sequence, "hexadecimal")),
        _ => BASE64.decode(bare()).map_err(|_| undecodable(sequence, "Base64")),
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
