//! The documents in OBX-5: encapsulated data (ED) as it is, everything else as lines of plain text. A pointer to a
//! document that lies elsewhere is no document.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use crate::coded;
use crate::message::{Segment, Value};
use crate::problem::{Condition, Fault};
use crate::types::Code;

#[derive(Clone, Default)]
pub struct Document {
    pub media_type: String,
    /// Base64 with padding.
    pub content: String,
    /// OBX-3 where it is LOINC.
    pub loinc: Option<Code>,
}

/// Senders leave padding out, or bits in it.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

const PLAIN_TEXT: &str = "text/plain; charset=utf-8";
/// OBX-2 of what only points at something: a name, a number, a link.
const POINTERS: [&str; 3] = ["HD", "EI", "RP"];
/// OBX-11 (table 0085) of what must not be read: deleted, wrong, not obtainable.
const VOID: [&str; 3] = ["D", "W", "X"];

/// The encapsulated documents; where there are none, one text made of all other observations.
pub fn find(segments: &[Segment<'_>]) -> Result<Vec<Document>, Fault> {
    let mut documents = Vec::new();
    let mut lines = Vec::new();
    let mut kinds = Vec::new();
    let observations = segments.iter().filter(|segment| segment.is("OBX")).enumerate();
    for (index, obx) in observations.filter(|(_, obx)| !VOID.contains(&obx.text(11, 1).as_str())) {
        if obx.text(2, 1) == "ED" {
            documents.extend(encapsulated(obx, index + 1)?);
        } else if let Some(line) = line(obx) {
            kinds.push(coded::code_of(obx.field(3), "LN"));
            lines.push(line);
        }
    }
    if documents.is_empty() && !lines.is_empty() {
        // Lines of one observation are named by it; a panel of several is named by its order.
        let loinc = kinds.first().filter(|first| kinds.iter().all(|kind| kind == *first)).cloned().flatten();
        documents.push(Document {
            media_type: PLAIN_TEXT.to_owned(),
            content: LENIENT.encode(lines.join("\n")),
            loinc,
        });
    }
    Ok(documents)
}

/// ED: source, type, subtype, encoding, data (HL7 v2.8, 2.A.24). Nothing when the data is empty.
fn encapsulated(obx: &Segment<'_>, sequence: usize) -> Result<Option<Document>, Fault> {
    let ed = obx.field(5);
    let data = ed.component(5);
    if data.is_empty() {
        return Ok(None);
    }
    let content = match ed.part(4).to_lowercase().as_str() {
        "a" => LENIENT.encode(data.text()),
        "hex" => LENIENT.encode(hexadecimal(&data.text()).ok_or_else(|| undecodable(sequence, "hexadecimal"))?),
        _ => {
            let text: String = data.text().chars().filter(|c| !c.is_whitespace()).collect();
            let bytes = LENIENT.decode(text).map_err(|_| undecodable(sequence, "Base64"))?;
            LENIENT.encode(bytes)
        }
    };
    let media_type = media_type(&ed.part(2), &ed.part(3), &content);
    Ok(Some(Document { media_type, content, loinc: coded::code_of(obx.field(3), "LN") }))
}

fn undecodable(sequence: usize, encoding: &str) -> Fault {
    let message = format!("the document is not {encoding}, as ED-4 says or leaves open");
    let help = "send the document's bytes in ED-5, in the encoding that ED-4 names: Base64, Hex or A";
    Fault::field(Condition::DataType, "OBX", sequence, 5, message, help)
}

fn hexadecimal(text: &str) -> Option<Vec<u8>> {
    let digits: Vec<u8> = text.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
    let pairs =
        digits.chunks(2).map(|pair| std::str::from_utf8(pair).ok().and_then(|pair| u8::from_str_radix(pair, 16).ok()));
    if digits.len().is_multiple_of(2) { pairs.collect() } else { None }
}

/// ED-2 and ED-3 (tables 0191 and 0291) as a media type; where they say too little, the first bytes do.
fn media_type(kind: &str, subtype: &str, content: &str) -> String {
    let (kind, subtype) = (kind.to_lowercase(), subtype.to_lowercase());
    match (kind.as_str(), subtype.as_str()) {
        _ if content.starts_with("JVBERi") => "application/pdf".to_owned(),
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

fn is_text(obx: &Segment<'_>) -> bool {
    matches!(obx.text(2, 1).as_str(), "TX" | "FT" | "ST" | "")
}

/// Text stands for itself; a measurement gets its name and unit: `Hemoglobin: 12.5 g/mL`.
fn line(obx: &Segment<'_>) -> Option<String> {
    let field = obx.field(5);
    let kind = obx.text(2, 1);
    if POINTERS.contains(&kind.as_str()) {
        return None;
    }
    let readable = |value: Value<'_>| match kind.as_str() {
        "TX" | "FT" | "ST" | "" => value.text(),
        "CE" | "CWE" | "CNE" | "CF" => coded::code(value)
            .map(|code| if code.display.is_empty() { code.code } else { code.display })
            .unwrap_or_default(),
        "SN" => [1, 2, 3, 4].map(|component| value.part(component)).concat(),
        _ => value.part(1),
    };
    let value = field.repetitions().map(readable).collect::<Vec<_>>().join("\n");
    if value.trim().is_empty() {
        return None;
    }
    if is_text(obx) && kind != "ST" {
        return Some(value);
    }
    let name = [obx.text(3, 2), obx.text(3, 1)].into_iter().find(|text| !text.is_empty());
    let unit = obx.text(6, 1);
    let measured = if unit.is_empty() { value } else { format!("{value} {unit}") };
    Some(name.map_or(measured.clone(), |name| format!("{name}: {measured}")))
}
