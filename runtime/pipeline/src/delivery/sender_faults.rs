//! Faults of our own that vendors tell us of, since the start: a number that is not registered, a limit that is spent, credentials that
//! are refused. They are nobody's address, and somebody has to mend them.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use parking_lot::Mutex;

/// Different faults that are told apart; a plugin that invents more is a fault of its own.
const FAULTS_MAX: usize = 64;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SenderFault {
    pub last: DateTime<Utc>,
    pub times: u64,
}

#[derive(Default)]
pub(crate) struct SenderFaults(Mutex<BTreeMap<String, SenderFault>>);

impl SenderFaults {
    /// `cure` is what a plugin says is to be done.
    pub fn note(&self, cure: &str, now: DateTime<Utc>) {
        let mut faults = self.0.lock();
        if faults.len() >= FAULTS_MAX && !faults.contains_key(cure) {
            return;
        }
        let fault = faults.entry(cure.to_string()).or_insert(SenderFault { last: now, times: 0 });
        fault.last = now;
        fault.times += 1;
    }

    pub fn all(&self) -> BTreeMap<String, SenderFault> {
        self.0.lock().clone()
    }
}
