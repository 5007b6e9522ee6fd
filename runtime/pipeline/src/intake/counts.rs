//! What came in, by source, since the start: so that a feed that has fallen silent is noticed by those who watch.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use handoff_store::entry::DeliveryVerdict;
use parking_lot::Mutex;

/// Of one source.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SourceCount {
    pub last: Option<DateTime<Utc>>,
    /// Understood, whatever it meant: an acknowledgement that all is well.
    pub taken: u64,
    /// Kept, and waits for a person.
    pub dead: u64,
    /// Kept by its digest; names no referral that is open.
    pub unmatched: u64,
    /// Neither taken nor kept: its sender is not who it says, or is asked to try again.
    pub refused: u64,
    /// Of `refused`: unreadable beyond what is kept of it.
    pub turned_away: u64,
}

#[derive(Default)]
pub(crate) struct SourceCounts(Mutex<BTreeMap<String, SourceCount>>);

impl SourceCounts {
    pub fn note(&self, source: &str, now: DateTime<Utc>, verdict: Option<&DeliveryVerdict>, is_success: bool) {
        let mut counts = self.0.lock();
        let count = counts.entry(source.to_string()).or_default();
        count.last = Some(now);
        match verdict {
            Some(DeliveryVerdict::Dead { .. }) => count.dead += 1,
            Some(DeliveryVerdict::Unmatched { .. }) => count.unmatched += 1,
            Some(DeliveryVerdict::Accepted { .. } | DeliveryVerdict::NotForUs { .. }) => count.taken += 1,
            None if is_success => count.taken += 1,
            None => count.refused += 1,
        }
    }

    /// One that [`SourceCounts::note`] counts as refused.
    pub fn note_turned_away(&self, source: &str) {
        self.0.lock().entry(source.to_string()).or_default().turned_away += 1;
    }

    pub fn all(&self) -> BTreeMap<String, SourceCount> {
        self.0.lock().clone()
    }
}
