//! Keeps what will happen, in virtual time.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

use chrono::{DateTime, Utc};

/// A queue by time; at one moment by person, and for one person in the order of noting down. The person comes before
/// the order of noting so that concurrent requests for different people cannot change what happens.
pub(crate) struct Agenda<A> {
    heap: BinaryHeap<Reverse<Slot<A>>>,
    noted: BTreeMap<usize, u64>,
}

struct Slot<A> {
    at: DateTime<Utc>,
    person: usize,
    sequence: u64,
    action: A,
}

impl<A> Agenda<A> {
    pub fn new() -> Agenda<A> {
        Agenda { heap: BinaryHeap::new(), noted: BTreeMap::new() }
    }

    pub fn note(&mut self, at: DateTime<Utc>, person: usize, action: A) {
        let sequence = self.noted.entry(person).or_default();
        *sequence += 1;
        self.heap.push(Reverse(Slot { at, person, sequence: *sequence, action }));
    }

    pub fn next(&self) -> Option<DateTime<Utc>> {
        self.heap.peek().map(|Reverse(slot)| slot.at)
    }

    /// The earliest action due at or before `now`.
    pub fn take(&mut self, now: DateTime<Utc>) -> Option<(DateTime<Utc>, usize, A)> {
        if self.next()? > now {
            return None;
        }
        self.heap.pop().map(|Reverse(slot)| (slot.at, slot.person, slot.action))
    }
}

impl<A> Slot<A> {
    fn rank(&self) -> (DateTime<Utc>, usize, u64) {
        (self.at, self.person, self.sequence)
    }
}

impl<A> PartialEq for Slot<A> {
    fn eq(&self, other: &Self) -> bool {
        self.rank() == other.rank()
    }
}

impl<A> Eq for Slot<A> {}

impl<A> PartialOrd for Slot<A> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl<A> Ord for Slot<A> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.rank().cmp(&other.rank())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(second, 0).expect("a valid moment")
    }

    #[test]
    fn takes_by_time_then_person_then_order_of_noting() {
        let mut agenda = Agenda::new();
        for (second, person, action) in
            [(9, 1, "late"), (5, 2, "second person"), (5, 1, "first"), (5, 1, "again"), (7, 0, "between")]
        {
            agenda.note(at(second), person, action);
        }
        assert_eq!(agenda.next(), Some(at(5)));
        let mut taken = Vec::new();
        while let Some((_, _, action)) = agenda.take(at(8)) {
            taken.push(action);
        }
        assert_eq!(taken, ["first", "again", "second person", "between"]);
        assert_eq!(agenda.next(), Some(at(9)));
    }
}
