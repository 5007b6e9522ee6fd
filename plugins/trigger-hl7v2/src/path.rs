//! Places in a message as interface analysts write them: `ZRF-2.1`, `PV1-8(2).1`, `OBX[OBX-3.1=REFREASON]-5`, `PID-3[5=MR].1`.
//!
//! ```text
//! path      = segment which* "-" field which* [ "." component [ "." subcomponent ] ]
//! which     = "(" number ")"                        the second: (2)
//!           | "[" condition "]"                     those of which this is so
//! condition = place "=" value                       of segments: [OBX-3.1=X] or [3.1=X]; of repetitions, a component: [5=MR]
//! value     = characters other than "]"  |  "'" characters "'", a quote in it doubled
//! ```
//!
//! Everything is counted from 1, as HL7 does. Without "which", every segment of that name and every repetition is meant.

use mapping::PathFault;

use crate::message::{Segment, Value, names_segment};

/// A place that may hold something, in any number of segments and repetitions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Path {
    written: String,
    segment: String,
    segments: Vec<Which<SegmentCondition>>,
    field: usize,
    repetitions: Vec<Which<ComponentCondition>>,
    part: Part,
}

/// As far down as the path goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Part {
    component: Option<usize>,
    subcomponent: Option<usize>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Which<C> {
    /// Counted from 1 among those that are left.
    Nth(usize),
    Where(C),
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct SegmentCondition {
    field: usize,
    part: Part,
    value: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct ComponentCondition {
    part: Part,
    value: String,
}

impl Path {
    /// # Errors
    /// Where it stops being a path, and what to write there.
    pub fn parse(text: &str) -> Result<Path, PathFault> {
        let mut reader = Reader { text, at: 0 };
        let segment = reader.segment()?;
        let mut segments = Vec::new();
        while let Some(which) = reader.which(|reader| reader.segment_condition(&segment))? {
            segments.push(which);
        }
        reader.expect('-', "a `-` and the field's number follow the segment, such as `ZRF-2`")?;
        let field = reader.number()?;
        let mut repetitions = Vec::new();
        while let Some(which) = reader.which(Reader::component_condition)? {
            repetitions.push(which);
        }
        let part = match reader.accept('.') {
            true => reader.part()?,
            false => Part::default(),
        };
        if reader.at < text.len() {
            return Err(reader.fault("the path goes on after its end", "write it as `ZRF-2.1` or `PV1-8(2).1`"));
        }
        let written = text.to_owned();
        Ok(Path { written, segment, segments, field, repetitions, part })
    }

    /// What stands there, in the message's order. What is empty, blank or null (`""`) is nothing.
    pub fn find<'a>(&self, segments: &[Segment<'a>]) -> Vec<Value<'a>> {
        let named = segments.iter().filter(|segment| segment.is(&self.segment)).copied().collect();
        let chosen = choose(named, &self.segments, |segment, condition: &SegmentCondition| {
            let mut repetitions = segment.field(condition.field).repetitions();
            repetitions.any(|repetition| condition.part.of(repetition).says(&condition.value))
        });
        let fields = chosen.into_iter().flat_map(|segment| {
            let repetitions = segment.field(self.field).repetitions().collect();
            choose(repetitions, &self.repetitions, |repetition, condition: &ComponentCondition| {
                condition.part.of(*repetition).says(&condition.value)
            })
        });
        let parts = fields.map(|repetition| if self.is_whole() { repetition } else { self.part.of(repetition) });
        parts.filter(|value| !value.is_empty() && !value.line().is_empty()).collect()
    }

    /// Whether it names a field and no part of it.
    pub fn is_whole(&self) -> bool {
        self.part.component.is_none()
    }

    pub fn segment(&self) -> &str {
        &self.segment
    }

    pub fn field(&self) -> usize {
        self.field
    }
}

impl std::fmt::Display for Path {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(&self.written)
    }
}

/// What is left after each "which" in turn.
fn choose<T, C>(mut items: Vec<T>, which: &[Which<C>], is_so: impl Fn(&T, &C) -> bool) -> Vec<T> {
    for which in which {
        match which {
            Which::Nth(number) => items = items.into_iter().skip(number - 1).take(1).collect(),
            Which::Where(condition) => items.retain(|item| is_so(item, condition)),
        }
    }
    items
}

impl Part {
    /// The first component and subcomponent where none is named.
    fn of(self, repetition: Value<'_>) -> Value<'_> {
        let component = repetition.component(self.component.unwrap_or(1));
        match (self.component, self.subcomponent) {
            // A component that is named is meant whole, unless it has subcomponents: then its first.
            (_, Some(number)) => component.subcomponent(number),
            (_, None) => component.subcomponent(1),
        }
    }
}

impl Value<'_> {
    fn says(&self, text: &str) -> bool {
        self.line().eq_ignore_ascii_case(text)
    }
}

/// HL7's fields, repetitions and components have at most three digits' worth of them.
const DIGITS_MAX: usize = 3;

struct Reader<'a> {
    text: &'a str,
    /// In bytes; always at a character's start.
    at: usize,
}

impl Reader<'_> {
    fn rest(&self) -> &str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn accept(&mut self, wanted: char) -> bool {
        let is_there = self.rest().starts_with(wanted);
        self.at += if is_there { wanted.len_utf8() } else { 0 };
        is_there
    }

    fn expect(&mut self, wanted: char, help: &str) -> Result<(), PathFault> {
        if self.accept(wanted) { Ok(()) } else { Err(self.fault(&format!("`{wanted}` is missing"), help)) }
    }

    fn fault(&self, message: &str, help: &str) -> PathFault {
        let before = self.text.get(..self.at).unwrap_or_default();
        PathFault { at: before.chars().count() + 1, message: message.to_owned(), help: help.to_owned() }
    }

    /// Three characters that HL7 knows, or a site's own that begins with Z.
    fn segment(&mut self) -> Result<String, PathFault> {
        let name: String = self.rest().chars().take_while(char::is_ascii_alphanumeric).collect();
        if name.len() != 3 || !names_segment(name.as_bytes()) {
            let help = "begin with a segment's name in capitals, such as `PV1` or `OBX`; a site's own begins with Z";
            return Err(self.fault("HL7 has no such segment", help));
        }
        self.at += name.len();
        Ok(name)
    }

    fn number(&mut self) -> Result<usize, PathFault> {
        let digits: String = self.rest().chars().take_while(char::is_ascii_digit).take(DIGITS_MAX + 1).collect();
        match digits.parse() {
            Ok(number) if number > 0 && digits.len() <= DIGITS_MAX => {
                self.at += digits.len();
                Ok(number)
            }
            _ => Err(self.fault("a number from 1 to 999 is missing", "count from 1, as HL7 does: `ZRF-2.1`")),
        }
    }

    fn part(&mut self) -> Result<Part, PathFault> {
        let component = Some(self.number()?);
        let subcomponent = if self.accept('.') { Some(self.number()?) } else { None };
        Ok(Part { component, subcomponent })
    }

    fn which<C>(
        &mut self,
        condition: impl FnOnce(&mut Self) -> Result<C, PathFault>,
    ) -> Result<Option<Which<C>>, PathFault> {
        if self.accept('(') {
            let number = self.number()?;
            self.expect(')', "close it: `PV1-8(2)`")?;
            return Ok(Some(Which::Nth(number)));
        }
        if !self.accept('[') {
            return Ok(None);
        }
        let condition = condition(self)?;
        self.expect(']', "close it: `OBX[OBX-3.1=CODE]-5`")?;
        Ok(Some(Which::Where(condition)))
    }

    fn segment_condition(&mut self, segment: &str) -> Result<SegmentCondition, PathFault> {
        if self.rest().starts_with(|c: char| c.is_ascii_alphabetic()) {
            if !self.rest().starts_with(&format!("{segment}-")) {
                return Err(self.fault("this is another segment's field", "name a field of the segment itself"));
            }
            self.at += segment.len() + 1;
        }
        let field = self.number()?;
        let part = if self.accept('.') { self.part()? } else { Part::default() };
        Ok(SegmentCondition { field, part, value: self.value()? })
    }

    fn component_condition(&mut self) -> Result<ComponentCondition, PathFault> {
        let part = self.part()?;
        Ok(ComponentCondition { part, value: self.value()? })
    }

    fn value(&mut self) -> Result<String, PathFault> {
        self.expect('=', "say what stands there: `[OBX-3.1=CODE]`")?;
        let value = if self.accept('\'') { self.quoted()? } else { self.bare() };
        if value.is_empty() {
            return Err(self.fault("nothing is looked for", "say what stands there: `[OBX-3.1=CODE]`"));
        }
        Ok(value)
    }

    fn bare(&mut self) -> String {
        let value = self.rest().split(']').next().unwrap_or_default().to_owned();
        self.at += value.len();
        value.trim().to_owned()
    }

    fn quoted(&mut self) -> Result<String, PathFault> {
        let mut value = String::new();
        loop {
            let Some(end) = self.rest().find('\'') else {
                return Err(self.fault("a quote is not closed", "close it: `[OBX-3.1='A]B']`"));
            };
            value.push_str(self.rest().get(..end).unwrap_or_default());
            self.at += end + 1;
            if !self.accept('\'') {
                return Ok(value.trim().to_owned());
            }
            value.push('\'');
        }
    }
}

#[cfg(test)]
mod tests;
