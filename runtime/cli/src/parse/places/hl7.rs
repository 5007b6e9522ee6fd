//! An HL7 v2 message, cut down to components and subcomponents. Only what is needed to say where something stands: what it means
//! the plugin alone knows.

use std::collections::HashMap;
use std::ops::Range;

use super::{Content, Group, Leaf, Places};

/// Field, repetition, component and subcomponent, in the order in which they cut.
#[derive(Clone, Copy)]
struct Delimiters {
    field: u8,
    repetition: u8,
    component: u8,
    subcomponent: u8,
}

struct Cut<'a> {
    bytes: &'a [u8],
    leaves: Vec<Leaf>,
    ranges: Vec<Range<usize>>,
}

pub(super) fn cut(body: &[u8]) -> Option<Places> {
    let start = body.windows(3).position(|window| window == b"MSH").filter(|start| is_lead_in(&body[..*start]))?;
    let delimiters = delimiters(&body[start..])?;
    let segments = segments(body, start, delimiters.field);
    let names = names(body, &segments, delimiters);
    let mut cut = Cut { bytes: body, leaves: Vec::new(), ranges: Vec::new() };
    let mut groups = Vec::new();
    for (segment, name) in segments.into_iter().zip(names) {
        groups.push(cut.segment(segment, &name, delimiters));
    }
    let Cut { leaves, ranges, .. } = cut;
    let whole = Group { leaves: 0..leaves.len(), groups };
    Some(Places { content: Content::Hl7 { bytes: body.to_vec(), ranges }, leaves, whole })
}

/// What careless framing leaves in front of a message.
fn is_lead_in(bytes: &[u8]) -> bool {
    bytes.iter().all(|byte| b"\x0B\r\n \t\0\xEF\xBB\xBF".contains(byte))
}

fn delimiters(message: &[u8]) -> Option<Delimiters> {
    let field = *message.get(3).filter(|byte| byte.is_ascii_punctuation())?;
    let declared = message.get(4..)?.split(|byte| *byte == field || *byte == b'\r' || *byte == b'\n').next()?;
    let at = |index: usize, standard: u8| declared.get(index).copied().unwrap_or(standard);
    Some(Delimiters { field, component: at(0, b'^'), repetition: at(1, b'~'), subcomponent: at(3, b'&') })
}

/// A line that begins no segment belongs to the one before it.
fn segments(body: &[u8], start: usize, field: u8) -> Vec<Range<usize>> {
    let mut segments: Vec<Range<usize>> = Vec::new();
    let mut from = start;
    while from < body.len() {
        let rest = &body[from..];
        let length = rest.iter().position(|byte| b"\r\n".contains(byte)).unwrap_or(rest.len());
        let line = from..from + length;
        let begins = matches!(rest, [a, b, c, end, ..] if *end == field
            && a.is_ascii_uppercase() && [b, c].iter().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit()));
        match segments.last_mut() {
            Some(last) if !begins && length > 0 => last.end = line.end,
            _ if begins => segments.push(line),
            _ => {}
        }
        from += length + 1;
    }
    segments
}

/// `PID`, `NTE(2)`, `OBX[OBX-3.1=REASON]`.
fn names(body: &[u8], segments: &[Range<usize>], delimiters: Delimiters) -> Vec<String> {
    let text = |range: &Range<usize>| String::from_utf8_lossy(&body[range.clone()]).into_owned();
    let name = |segment: &Range<usize>| text(&(segment.start..segment.start + 3));
    let observed = |segment: &Range<usize>| {
        let field = body[segment.clone()].split(|byte| *byte == delimiters.field).nth(3).unwrap_or_default();
        let ends = [delimiters.component, delimiters.repetition, delimiters.subcomponent];
        let code = field.split(|byte| ends.contains(byte)).next().unwrap_or_default();
        let code = String::from_utf8_lossy(code).trim().to_string();
        let is_plain = !code.is_empty() && code.chars().all(|c| c.is_ascii_alphanumeric() || "-_. ".contains(c));
        (name(segment) == "OBX" && is_plain).then_some(code)
    };
    let mut counts: HashMap<String, usize> = HashMap::new();
    for segment in segments {
        *counts.entry(name(segment)).or_default() += 1;
        *counts.entry(format!("OBX {:?}", observed(segment))).or_default() += 1;
    }
    let mut seen: HashMap<String, usize> = HashMap::new();
    let told = segments.iter().map(|segment| {
        let (name, observed) = (name(segment), observed(segment));
        let nth = seen.entry(name.clone()).or_default();
        *nth += 1;
        match observed {
            Some(code) if counts[&format!("OBX {:?}", Some(&code))] == 1 => format!("OBX[OBX-3.1={code}]"),
            _ if counts[&name] > 1 => format!("{name}({nth})"),
            _ => name,
        }
    });
    told.collect()
}

impl Cut<'_> {
    fn segment(&mut self, range: Range<usize>, name: &str, delimiters: Delimiters) -> Group {
        let (first, is_header) = (self.leaves.len(), name == "MSH");
        let mut groups = Vec::new();
        for (index, field) in self.split(range, delimiters.field).into_iter().enumerate().skip(1) {
            // MSH-1 is the separator itself; MSH-2 is no value.
            let number = if is_header { index + 1 } else { index };
            if is_header && index == 1 {
                continue;
            }
            let first = self.leaves.len();
            self.field(field, &format!("{name}-{number}"), delimiters);
            groups.push(Group { leaves: first..self.leaves.len(), groups: Vec::new() });
        }
        Group { leaves: first..self.leaves.len(), groups }
    }

    fn field(&mut self, range: Range<usize>, name: &str, delimiters: Delimiters) {
        let repetitions = self.split(range, delimiters.repetition);
        let several = repetitions.len() > 1;
        for (number, repetition) in (1..).zip(repetitions) {
            let name = if several { format!("{name}({number})") } else { name.to_string() };
            let components = self.split(repetition, delimiters.component);
            let several = components.len() > 1;
            for (number, component) in (1..).zip(components) {
                let parts = self.split(component, delimiters.subcomponent);
                let is_cut = parts.len() > 1;
                let name = if several || is_cut { format!("{name}.{number}") } else { name.clone() };
                for (number, part) in (1..).zip(parts) {
                    self.leaf(part, if is_cut { format!("{name}.{number}") } else { name.clone() });
                }
            }
        }
    }

    fn leaf(&mut self, range: Range<usize>, place: String) {
        let text = String::from_utf8_lossy(&self.bytes[range.clone()]).into_owned();
        if !text.trim().is_empty() && text != "\"\"" {
            self.leaves.push(Leaf { place, text });
            self.ranges.push(range);
        }
    }

    fn split(&self, range: Range<usize>, separator: u8) -> Vec<Range<usize>> {
        let mut start = range.start;
        let pieces = self.bytes[range].split(|byte| *byte == separator).map(|piece| {
            let piece = start..start + piece.len();
            start = piece.end + 1;
            piece
        });
        pieces.collect()
    }
}
