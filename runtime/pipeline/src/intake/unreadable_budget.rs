//! How much of what cannot be read is kept whole: garbage fills no disk, and nothing is acknowledged that is not kept.
//!
//! The first of each kind is kept whatever came before it, so that somebody can see what is wrong. The same bytes again are known by
//! their digest, and cost nothing. Past its budget a source is asked to try again: what is no garbage is still in its queue when its
//! trigger is mended.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use parking_lot::Mutex;

/// The limits on what comes in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct IntakeLimits {
    /// Of each source, kept for a person because it could not be read.
    pub unreadable_bytes_per_hour_max: Option<u64>,
}

/// What a delivery's record takes in the journal beside its bytes.
const RECORD_BYTES: u64 = 2 * 1024;

/// Kinds of which a source has the first kept beyond its budget. Somebody who makes up kinds gets no more.
const KINDS_MAX: usize = 32;

pub(crate) struct UnreadableBudget {
    bytes_per_hour: Option<u64>,
    sources: Mutex<BTreeMap<String, Spent>>,
}

#[derive(Default)]
struct Spent {
    /// Kept and not yet made good by the time that has passed.
    bytes: f64,
    at: DateTime<Utc>,
    kinds: BTreeSet<String>,
}

impl UnreadableBudget {
    pub fn new(limits: IntakeLimits) -> UnreadableBudget {
        UnreadableBudget { bytes_per_hour: limits.unreadable_bytes_per_hour_max, sources: Mutex::default() }
    }

    /// Whether so many bytes more are kept of what has this fault.
    pub fn admits(&self, source: &str, fault: &str, bytes: usize, now: DateTime<Utc>) -> bool {
        let Some(most) = self.bytes_per_hour else { return true };
        let most = most as f64;
        let mut sources = self.sources.lock();
        let spent = sources.entry(source.to_string()).or_default();
        // A clock that was set back makes nothing good, and takes nothing away.
        let passed = (now - spent.at).num_milliseconds().max(0) as f64 / 3_600_000.0;
        spent.bytes = (spent.bytes - passed * most).max(0.0);
        spent.at = now;
        let more = (bytes as u64).saturating_add(RECORD_BYTES) as f64;
        let is_new = spent.kinds.len() < KINDS_MAX && spent.kinds.insert(fault.to_string());
        let admitted = is_new || spent.bytes + more <= most;
        if admitted {
            spent.bytes += more;
        }
        admitted
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use proptest::prelude::*;

    use super::*;

    const HOUR: u64 = 100 * 1024;

    fn budget() -> UnreadableBudget {
        UnreadableBudget::new(IntakeLimits { unreadable_bytes_per_hour_max: Some(HOUR) })
    }

    fn at(minutes: i64) -> DateTime<Utc> {
        DateTime::<Utc>::UNIX_EPOCH + TimeDelta::days(20_000) + TimeDelta::minutes(minutes)
    }

    #[test]
    fn a_source_that_sends_garbage_has_its_hour_and_others_theirs() {
        let budget = budget();
        let kept = |source: &str, minutes| {
            (0..1_000).filter(|_| budget.admits(source, "PID-3", 8 * 1024, at(minutes))).count()
        };
        assert_eq!(kept("hl7", 0), 10, "ten of ten kibibytes");
        assert_eq!(kept("lab", 0), 10);
        assert_eq!(kept("hl7", 6), 1, "a tenth of an hour later");
        assert_eq!(kept("hl7", -60), 0, "the clock was set back");
        assert_eq!(kept("hl7", 10_000), 10, "what was saved up is an hour's");
    }

    #[test]
    fn the_first_of_a_kind_is_kept_and_made_up_kinds_end() {
        let budget = budget();
        while budget.admits("hl7", "PID-3", 0, at(0)) {}
        let kept = |number: usize| budget.admits("hl7", &format!("OBX-{number}"), 50 * 1024, at(0));
        assert!(kept(1));
        assert!(!kept(1), "the second is none more to learn from");
        assert_eq!((2..10_000).filter(|number| kept(*number)).count(), KINDS_MAX - 2);
    }

    proptest! {
        #[test]
        fn no_day_keeps_more_than_its_hours(sent in prop::collection::vec((0_u64..20_000, 0_i64..10), 0..400)) {
            let budget = budget();
            let (mut minutes, mut kept) = (0, 0);
            for (bytes, later) in sent {
                minutes += later;
                if budget.admits("hl7", "PID-3", bytes as usize, at(minutes)) {
                    kept += bytes + RECORD_BYTES;
                }
            }
            // An hour at once, one for each that passed, and the first of its kind.
            prop_assert!(kept as f64 <= HOUR as f64 * (1.0 + minutes as f64 / 60.0) + 20_000.0 + RECORD_BYTES as f64);
        }
    }
}
