//! How attempts at letters ended, by stage, since the start.

use std::collections::BTreeMap;

use handoff_engine::ids::StageKey;
use handoff_store::Record;
use parking_lot::Mutex;

/// The ends that are told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, strum::Display)]
#[strum(serialize_all = "kebab-case")]
pub enum LetterEnd {
    /// Its receipt is in.
    Received,
    /// It is tried again later.
    Deferred,
    /// It is tried again later, and nobody knows whether it arrived.
    InDoubt,
    /// The contact rules refused it.
    Refused,
    /// It waits for a person.
    Dead,
}

#[derive(Default)]
pub(crate) struct LetterEnds(Mutex<BTreeMap<(StageKey, LetterEnd), u64>>);

impl LetterEnds {
    pub fn note(&self, stage: &StageKey, records: &[Record]) {
        let mut ends = self.0.lock();
        for end in records.iter().filter_map(end_of) {
            *ends.entry((stage.clone(), end)).or_default() += 1;
        }
    }

    pub fn all(&self) -> BTreeMap<(StageKey, LetterEnd), u64> {
        self.0.lock().clone()
    }
}

#[expect(clippy::wildcard_enum_match_arm, reason = "every other record ends no attempt")]
fn end_of(record: &Record) -> Option<LetterEnd> {
    match record {
        Record::Received { .. } => Some(LetterEnd::Received),
        Record::Deferred { in_doubt: true, .. } => Some(LetterEnd::InDoubt),
        Record::Deferred { in_doubt: false, .. } => Some(LetterEnd::Deferred),
        Record::Refused { .. } => Some(LetterEnd::Refused),
        Record::Dropped { dead: true, .. } => Some(LetterEnd::Dead),
        _ => None,
    }
}
