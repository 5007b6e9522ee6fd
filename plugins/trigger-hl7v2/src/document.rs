//! The documents of a note: the text of its OBX and NTE segments as one, and each file (ED) whole. A pointer to a document
//! that lies elsewhere is no document.
//!
//! Invariant: what cannot be read whole is a fault. Half a note in the chart is taken for all of it.

use base64::Engine as _;

use crate::coded;
use crate::encapsulated::{self, BASE64, Piece};
use crate::message::{Segment, Value};
use crate::problem::{Condition, Fault, Place};
use crate::types::{self, Code};

#[derive(Clone, Default)]
pub struct Document {
    pub media_type: String,
    /// OBX-3 of a file, as its heading; a text has none of its own.
    pub title: String,
    /// Base64 with padding.
    pub content: String,
    /// OBX-3 where it is LOINC.
    pub loinc: Option<Code>,
}

impl From<Document> for types::Document {
    fn from(Document { media_type, title, content, loinc: _ }: Document) -> types::Document {
        types::Document { media_type, title, content }
    }
}

pub const PLAIN_TEXT: &str = "text/plain; charset=utf-8";
/// OBX-2 of what only points at something: a name, a number, a link.
const POINTERS: [&str; 3] = ["HD", "EI", "RP"];
/// OBX-11 (table 0085) of what was wrong and is taken back: deleted, posted as wrong.
const RETRACTED: [&str; 2] = ["D", "W"];
/// OBX-11 of what takes the place of something sent before.
const CORRECTED: &str = "C";
/// OBX-11 of what could not be had.
const NOT_OBTAINED: &str = "X";

/// What the OBX and NTE segments of one note hold.
#[derive(Default)]
pub struct Contents {
    pub documents: Vec<Document>,
    /// Something was taken back, something is said to be corrected, something stands.
    pub is_retracted: bool,
    pub is_corrected: bool,
    pub is_standing: bool,
    /// Something only points at a document.
    pub has_pointer: bool,
}

/// Reads the segments in order; the first OBX among them is the message's `first`th. The text comes first, then the files as
/// they stood.
pub fn find(segments: &[Segment<'_>], first: usize) -> Result<Contents, Fault> {
    let mut contents = Contents::default();
    let mut text = Text::default();
    let mut pieces: Vec<Piece> = Vec::new();
    let mut sequence = first.saturating_sub(1);
    // The comments of an observation that was taken back go with it.
    let mut is_void = false;
    for segment in segments {
        if segment.is("NTE") && !is_void {
            text.add(None, lines(segment.field(3)));
        }
        if !segment.is("OBX") {
            continue;
        }
        sequence += 1;
        let status = segment.text(11, 1);
        is_void = RETRACTED.contains(&status.as_str()) || status == NOT_OBTAINED;
        if is_void {
            contents.is_retracted |= status != NOT_OBTAINED;
            continue;
        }
        contents.is_standing = true;
        contents.is_corrected |= status == CORRECTED;
        if encapsulated::is_file(segment) {
            pieces.extend(encapsulated::pieces(segment, sequence)?);
        } else if POINTERS.contains(&segment.text(2, 1).as_str()) {
            contents.has_pointer = true;
        } else {
            check_escaped(segment, sequence)?;
            text.add(Some(segment), line(segment));
        }
    }
    contents.documents = text.document().into_iter().chain(encapsulated::joined(pieces)?).collect();
    Ok(contents)
}

/// A `|` in a text that was not escaped moves the rest of it into the fields behind. Text has no units (OBX-6), and what
/// stands in OBX-11 is then no status (table 0085).
fn check_escaped(obx: &Segment<'_>, sequence: usize) -> Result<(), Fault> {
    let is_text = matches!(obx.text(2, 1).as_str(), "TX" | "FT");
    let status = obx.text(11, 1);
    let is_status = status.len() == 1 && status.bytes().all(|byte| byte.is_ascii_uppercase());
    if is_text && !is_status && !obx.field(6).is_empty() {
        return Err(Fault::at(
            Condition::DataType,
            Place { segment: "OBX", sequence, field: 5 },
            "the text is cut: something stands in OBX-6 and no status in OBX-11".to_owned(),
            "escape the field separator in texts, as \\F\\",
        ));
    }
    Ok(())
}

/// The lines of a note, and what they are of.
#[derive(Default)]
struct Text {
    lines: Vec<String>,
    kinds: Vec<Option<Code>>,
}

impl Text {
    fn add(&mut self, obx: Option<&Segment<'_>>, line: Option<String>) {
        let Some(line) = line else { return };
        self.kinds.extend(obx.map(|obx| coded::code_of(obx.field(3), "LN")));
        self.lines.push(line);
    }

    fn document(self) -> Option<Document> {
        // Lines of one observation are named by it; a panel of several is named by its order.
        let loinc = self.kinds.first().filter(|first| self.kinds.iter().all(|kind| kind == *first));
        (!self.lines.is_empty()).then(|| Document {
            media_type: PLAIN_TEXT.to_owned(),
            title: String::new(),
            content: BASE64.encode(self.lines.join("\n")),
            loinc: loinc.cloned().flatten(),
        })
    }
}

/// Text has repetitions and no components: what looks like one was not escaped.
fn lines(field: Value<'_>) -> Option<String> {
    let text = field.repetitions().map(|line| line.text()).collect::<Vec<_>>().join("\n");
    let text = text.trim_end();
    (!text.trim().is_empty()).then(|| text.to_owned())
}

/// Text stands for itself; a measurement gets its name and unit: `Hemoglobin: 12.5 g/mL`.
fn line(obx: &Segment<'_>) -> Option<String> {
    let field = obx.field(5);
    let kind = obx.text(2, 1);
    let readable = |value: Value<'_>| match kind.as_str() {
        "CE" | "CWE" | "CNE" | "CF" => coded::code(value)
            .map(|code| if code.display.is_empty() { code.code } else { code.display })
            .unwrap_or_default(),
        "SN" => [1, 2, 3, 4].map(|component| value.part(component)).concat(),
        "NM" | "DT" | "TM" | "DTM" | "TS" | "SI" | "ID" | "IS" => value.part(1),
        _ => components(value),
    };
    let value = match kind.as_str() {
        "TX" | "FT" | "" => return lines(field),
        "ST" => lines(field)?,
        _ => field.repetitions().map(readable).collect::<Vec<_>>().join("\n"),
    };
    if value.trim().is_empty() {
        return None;
    }
    let name = [obx.text(3, 2), obx.text(3, 1)].into_iter().find(|text| !text.is_empty());
    let unit = obx.text(6, 1);
    let measured = if unit.is_empty() { value } else { format!("{value} {unit}") };
    Some(name.map_or(measured.clone(), |name| format!("{name}: {measured}")))
}

/// A name, an address or anything else of several components, as words.
fn components(value: Value<'_>) -> String {
    value.components().map(|part| part.part(1)).filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
}
