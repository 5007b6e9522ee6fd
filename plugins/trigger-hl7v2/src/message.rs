//! An HL7 v2 message as it came: its delimiters and segments, by reference into the bytes.
//!
//! Reading is lossless and total. `encode(parse(bytes))` gives the same bytes back, and asking for a field that is not
//! there gives an empty [`Value`]. Tolerated because real senders do it: byte order marks, left-over MLLP framing, LF and
//! CRLF between segments, and line breaks inside a field (a break ends a segment only where another segment follows).

mod charset;
mod delimiters;
mod escape;
mod split;
mod value;

pub use charset::{Charset, Declared, Spelling};
pub use delimiters::Delimiters;
pub(crate) use split::names_segment;
pub use value::Value;

const BOM_UTF8: &[u8] = b"\xEF\xBB\xBF";
const BOM_UTF16: [&[u8]; 2] = [b"\xFF\xFE", b"\xFE\xFF"];
/// Left in front of MSH by careless framing: MLLP's start block, blank lines, spaces, a stray NUL.
const LEAD_IN: &[u8] = b"\x0B\r\n \t\0";
/// Left behind the last segment: MLLP's end block, a DOS end-of-file, a stray NUL.
const LEAD_OUT: &[u8] = b"\x1C\x1A\r\n \t\0";

/// One message, borrowed from the bytes it was read from.
#[derive(Clone)]
pub struct Message<'a> {
    lead_in: &'a [u8],
    segments: Vec<Segment<'a>>,
    lead_out: &'a [u8],
    delimiters: Delimiters,
    spelling: Spelling,
}

/// Why these bytes are no HL7 v2 message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotHl7 {
    /// Nothing but framing and blanks.
    Empty,
    /// Starts with a UTF-16 byte order mark.
    Utf16,
    /// Starts with FHS or BHS (HL7 v2.8, 2.10.3).
    Batch,
    /// Does not start with MSH.
    NoHeader,
    /// MSH-1 or MSH-2 is missing, a letter, a digit, not ASCII, or means two things.
    Delimiters,
    /// MSH-2 holds `&amp;`: the message went through XML and was not turned back.
    XmlEscaped,
}

/// One segment with the line break that ended it.
#[derive(Clone, Copy)]
pub struct Segment<'a> {
    raw: &'a [u8],
    terminator: &'a [u8],
    delimiters: Delimiters,
    spelling: Spelling,
}

impl<'a> Message<'a> {
    /// Reads a message. Only the header can be wrong; all else is taken as it comes.
    pub fn parse(bytes: &'a [u8]) -> Result<Message<'a>, NotHl7> {
        let mut message = Message::cut(bytes)?;
        let charset = match message.declared() {
            _ if message.is_marked_utf8() => Charset::Utf8,
            Declared::Known(charset) => charset,
            Declared::Unsaid | Declared::Unknown => Charset::guess(bytes),
        };
        message.spell(Spelling::plain(charset));
        Ok(message)
    }

    /// Reads a message whose characters are settled.
    pub fn parse_as(bytes: &'a [u8], spelling: Spelling) -> Result<Message<'a>, NotHl7> {
        let mut message = Message::cut(bytes)?;
        message.spell(spelling);
        Ok(message)
    }

    fn cut(bytes: &'a [u8]) -> Result<Message<'a>, NotHl7> {
        if BOM_UTF16.iter().any(|mark| bytes.starts_with(mark)) {
            return Err(NotHl7::Utf16);
        }
        let start = header_offset(bytes);
        let (lead_in, rest) = bytes.split_at(start);
        let end = rest.iter().rposition(|byte| !LEAD_OUT.contains(byte)).map_or(0, |last| last + 1);
        let (body, lead_out) = rest.split_at(end);

        if body.is_empty() {
            return Err(NotHl7::Empty);
        }
        if body.starts_with(b"FHS") || body.starts_with(b"BHS") {
            return Err(NotHl7::Batch);
        }
        if !body.starts_with(b"MSH") {
            return Err(NotHl7::NoHeader);
        }
        let not_read = if starts_xml_escaped(body) { NotHl7::XmlEscaped } else { NotHl7::Delimiters };
        let delimiters = Delimiters::read(body).ok_or(not_read)?;
        let spelling = Spelling::plain(Charset::Utf8);
        Ok(Message { lead_in, segments: split::segments(body, delimiters, spelling), lead_out, delimiters, spelling })
    }

    fn spell(&mut self, spelling: Spelling) {
        self.spelling = spelling;
        for segment in &mut self.segments {
            segment.spelling = spelling;
        }
    }

    /// Starts with the byte order mark of UTF-8.
    pub fn is_marked_utf8(&self) -> bool {
        self.lead_in.ends_with(BOM_UTF8)
    }

    /// What MSH-18 says.
    pub fn declared(&self) -> Declared {
        Declared::by(self.header().field(18).raw(), self.delimiters.repetition)
    }

    /// Writes the message again, down to each subcomponent.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = self.lead_in.to_vec();
        for segment in &self.segments {
            segment.encode(&mut out);
        }
        out.extend_from_slice(self.lead_out);
        out
    }

    /// The same message with these of its segments, by their places in it.
    pub fn excerpt(&self, kept: &[usize]) -> Vec<u8> {
        let mut out = self.lead_in.to_vec();
        let segments = self.segments.iter().enumerate().filter(|(at, _)| kept.contains(at));
        segments.for_each(|(_, segment)| segment.encode(&mut out));
        out
    }

    /// The places of these segments in the message.
    pub fn places(&self, segments: &[Segment<'a>]) -> Vec<usize> {
        let is_wanted = |segment: &Segment<'a>| segments.iter().any(|it| std::ptr::eq(it.raw(), segment.raw()));
        self.segments.iter().enumerate().filter(|(_, segment)| is_wanted(segment)).map(|(at, _)| at).collect()
    }

    /// MSH. Invariant: a parsed message has it as its first segment.
    pub fn header(&self) -> Segment<'a> {
        self.segment("MSH").unwrap_or(Segment::empty(self.delimiters, self.spelling))
    }

    pub fn segments(&self) -> &[Segment<'a>] {
        &self.segments
    }

    /// The first segment of this name.
    pub fn segment(&self, name: &str) -> Option<Segment<'a>> {
        self.segments.iter().find(|segment| segment.is(name)).copied()
    }

    pub fn delimiters(&self) -> Delimiters {
        self.delimiters
    }

    pub fn charset(&self) -> Charset {
        self.spelling.text
    }
}

impl<'a> Segment<'a> {
    /// A segment without fields, for groups in which an optional segment is missing.
    pub fn empty(delimiters: Delimiters, spelling: Spelling) -> Segment<'a> {
        Segment { raw: b"", terminator: b"", delimiters, spelling }
    }

    /// The bytes before the first field separator: `PID`.
    pub fn name(&self) -> &'a [u8] {
        self.raw.split(|&byte| byte == self.delimiters.field).next().unwrap_or_default()
    }

    /// The bytes as sent, without the line break.
    pub fn raw(&self) -> &'a [u8] {
        self.raw
    }

    pub fn is(&self, name: &str) -> bool {
        self.name() == name.as_bytes()
    }

    /// Field by its HL7 number, counted from 1. MSH-1 is the separator itself (HL7 v2.8, 2.14.9.1).
    pub fn field(&self, number: usize) -> Value<'a> {
        let separator = self.delimiters.field;
        let header = self.is("MSH");
        if header && number == 1 {
            return self.plain(self.raw.get(3..4).unwrap_or_default());
        }
        let index = if header { number.saturating_sub(1) } else { number };
        if index == 0 {
            return self.plain(b"");
        }
        let raw = self.raw.split(|&byte| byte == separator).nth(index).unwrap_or_default();
        if header && number == 2 { self.plain(raw) } else { self.value(raw) }
    }

    /// The first subcomponent of a component of the first repetition, as trimmed text: `text(5, 1)` of PID is the family name.
    pub fn text(&self, field: usize, component: usize) -> String {
        self.field(field).part(component)
    }

    fn value(&self, raw: &'a [u8]) -> Value<'a> {
        Value::new(raw, self.delimiters, self.spelling)
    }

    fn plain(&self, raw: &'a [u8]) -> Value<'a> {
        Value::new(raw, self.delimiters.unsplit(), self.spelling)
    }

    fn encode(&self, out: &mut Vec<u8>) {
        for (index, raw) in self.raw.split(|&byte| byte == self.delimiters.field).enumerate() {
            if index > 0 {
                out.push(self.delimiters.field);
            }
            let verbatim = index == 0 || (index == 1 && self.is("MSH"));
            if verbatim { out.extend_from_slice(raw) } else { self.value(raw).encode(out) }
        }
        out.extend_from_slice(self.terminator);
    }
}

fn header_offset(bytes: &[u8]) -> usize {
    let mut offset = 0;
    loop {
        let rest = bytes.get(offset..).unwrap_or_default();
        if rest.starts_with(BOM_UTF8) {
            offset += BOM_UTF8.len();
        } else if rest.first().is_some_and(|byte| LEAD_IN.contains(byte)) {
            offset += 1;
        } else {
            return offset;
        }
    }
}

fn starts_xml_escaped(body: &[u8]) -> bool {
    let line = body.split(|&byte| byte == b'\r' || byte == b'\n').next().unwrap_or_default();
    line.windows(5).take(XML_ESCAPE_WITHIN).any(|window| window == b"&amp;")
}

/// From MSH-1 to the end of MSH-2, with every character escaped.
const XML_ESCAPE_WITHIN: usize = 16;
