//! Which segments of an ORU belong to one order's results (HL7 v2.8, 7.3.1).

use crate::coded;
use crate::message::Segment;
use crate::order;

pub struct Group<'s, 'a> {
    pub numbers: Vec<String>,
    pub pid: Option<Segment<'a>>,
    pub segments: &'s [Segment<'a>],
}

impl Group<'_, '_> {
    /// The filler's number of the report, else the placer's.
    pub fn document_id(&self) -> String {
        let (orc, obr) = (order::named(self.segments, "ORC"), order::named(self.segments, "OBR"));
        coded::numbers([(orc, 3), (obr, 3), (orc, 2), (obr, 2)]).into_iter().next().unwrap_or_default()
    }
}

/// Cut where an order with other numbers or another patient starts. An OBR without numbers goes on with the one before.
pub fn groups<'s, 'a>(segments: &'s [Segment<'a>]) -> Vec<Group<'s, 'a>> {
    let mut groups: Vec<(usize, Vec<String>, Option<Segment<'a>>)> = Vec::new();
    let (mut pid, mut orc, mut new_patient) = (None, None, false);
    for (at, segment) in segments.iter().enumerate() {
        if segment.is("PID") {
            (pid, orc, new_patient) = (Some(*segment), None, true);
        } else if segment.is("ORC") {
            orc = Some((at, *segment));
        } else if segment.is("OBR") {
            let (start, order) = orc.take().map_or((at, None), |(at, orc)| (at, Some(orc)));
            let obr = Some(*segment);
            let numbers = numbers(order, obr);
            let goes_on =
                !new_patient && groups.last().is_some_and(|(_, known, _)| numbers.is_empty() || *known == numbers);
            if !goes_on {
                groups.push((start, numbers, pid));
            }
            new_patient = false;
        }
    }
    let ends: Vec<usize> = groups.iter().map(|(start, _, _)| *start).skip(1).chain([segments.len()]).collect();
    groups
        .into_iter()
        .zip(ends)
        .filter_map(|((start, numbers, pid), end)| {
            // What follows the next patient's PID is about them.
            let group = segments.get(start..end)?;
            let end = group.iter().position(|segment| segment.is("PID")).unwrap_or(group.len());
            Some(Group { numbers, pid, segments: group.get(..end)? })
        })
        .collect()
}

/// The placer's number, then the filler's. ORC-4 numbers a group of orders; only where the sender has put a number of its own
/// in the placer's place does it bring back the one that the order had.
fn numbers(orc: Option<Segment<'_>>, obr: Option<Segment<'_>>) -> Vec<String> {
    let own = [(orc, 2), (obr, 2), (orc, 3), (obr, 3)];
    let authority = |segment: Option<Segment<'_>>, field: usize| {
        let identifier = segment.map(|segment| segment.field(field).component(2).subcomponent(1).line());
        identifier.filter(|text| !text.is_empty())
    };
    let placer = authority(orc, 2).or_else(|| authority(obr, 2));
    let group = authority(orc, 4);
    let renumbered = group.is_some() && placer.is_some() && group != placer;
    coded::numbers(own.into_iter().chain(renumbered.then_some((orc, 4))))
}

/// What follows the first segment of this name: everything where there is none.
pub fn after<'s, 'a>(segments: &'s [Segment<'a>], name: &str) -> &'s [Segment<'a>] {
    let at = segments.iter().position(|segment| segment.is(name)).map_or(0, |at| at + 1);
    segments.get(at..).unwrap_or_default()
}
