//! Which segments of an ORU belong to one order's results (HL7 v2.8, 7.3.1).

use crate::about::About;
use crate::message::Segment;
use crate::number;
use crate::order;
use crate::types::Number;

pub struct Group<'s, 'a> {
    numbers: Vec<Number>,
    pid: Option<Segment<'a>>,
    pub segments: &'s [Segment<'a>],
}

impl<'a> Group<'_, 'a> {
    /// With the patient whose they are.
    pub fn with_patient(&self) -> Vec<Segment<'a>> {
        self.pid.iter().chain(self.segments).copied().collect()
    }

    /// The report's number is the filler's, else the placer's. ORC-4 numbers the group that the order came in: where a filler
    /// puts a number of its own in the placer's place, it is all that is left of the order's.
    pub fn about(&self) -> About<'a> {
        let (orc, obr) = (order::named(self.segments, "ORC"), order::named(self.segments, "OBR"));
        let fillers = number::numbers([(obr, 3), (orc, 3)]);
        About {
            referral: self.numbers.clone(),
            document: if fillers.is_empty() { number::numbers([(obr, 2), (orc, 2)]) } else { fillers },
            group: number::numbers([(orc, 4)]),
            pid: self.pid,
            ..About::default()
        }
    }
}

/// Cut where an order with other numbers or another patient starts. An OBR without numbers goes on with the one before.
pub fn groups<'s, 'a>(segments: &'s [Segment<'a>]) -> Vec<Group<'s, 'a>> {
    let mut groups: Vec<(usize, Vec<Number>, Option<Segment<'a>>)> = Vec::new();
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

/// The placer's number, then the filler's.
fn numbers(orc: Option<Segment<'_>>, obr: Option<Segment<'_>>) -> Vec<Number> {
    number::numbers([(orc, 2), (obr, 2), (orc, 3), (obr, 3)])
}

/// What follows the first segment of this name: everything where there is none.
pub fn after<'s, 'a>(segments: &'s [Segment<'a>], name: &str) -> &'s [Segment<'a>] {
    let at = segments.iter().position(|segment| segment.is(name)).map_or(0, |at| at + 1);
    segments.get(at..).unwrap_or_default()
}
