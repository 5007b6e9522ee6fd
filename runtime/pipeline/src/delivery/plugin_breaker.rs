//! A plugin that keeps failing rests: its letters go to the next vendor, or wait until it is called again. In memory: after a
//! restart every plugin is believed to be sound.
//!
//! Only those that speak for letters rest. A parser that a stranger's bytes bring down must go on reading everybody else's.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, TimeDelta, Utc};
use handoff_engine::ids::Digest;
use handoff_host::{Fault, FaultKind};
use parking_lot::{Mutex, MutexGuard};

use super::backoff::doubled;

/// One letter may be more than a plugin can bear. Five failures in a row are the plugin's.
const FAULTS_MAX: u32 = 5;

/// Its first rest; each failure after it doubles the next, up to [`REST_MAX`].
const REST: TimeDelta = TimeDelta::seconds(30);

/// What is mended is a plugin with another digest, so nobody waits for this one: it is only tried again.
const REST_MAX: TimeDelta = TimeDelta::hours(1);

#[derive(Debug, Default)]
pub(crate) struct PluginBreaker {
    failing: Mutex<HashMap<Digest, Failing>>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Failing {
    faults: u32,
    rests_until: DateTime<Utc>,
}

impl PluginBreaker {
    fn lock(&self) -> MutexGuard<'_, HashMap<Digest, Failing>> {
        self.failing.lock()
    }

    /// Until when this plugin is not called.
    pub fn rests_until(&self, plugin: Digest, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        self.lock().get(&plugin).map(|failing| failing.rests_until).filter(|until| *until > now)
    }

    /// It gave an answer.
    pub fn sound(&self, plugin: Digest) {
        self.lock().remove(&plugin);
    }

    /// It gave none.
    pub fn failed(&self, plugin: Digest, fault: &Fault, now: DateTime<Utc>) {
        let mut all = self.lock();
        let failing = all.entry(plugin).or_default();
        // A full pool did not let it run, and calls that were under way when the rest began say nothing new.
        if fault.kind == FaultKind::Busy || failing.rests_until > now {
            return;
        }
        failing.faults += 1;
        if let Some(rests) = failing.faults.checked_sub(FAULTS_MAX) {
            let rest = doubled(REST, rests, REST_MAX);
            failing.rests_until = now + rest;
            let seconds = rest.num_seconds();
            tracing::error!(%plugin, %fault, seconds, "a plugin keeps failing; it rests, and its letters go another way");
        }
    }

    /// Who rests, and until when.
    pub fn resting(&self, now: DateTime<Utc>) -> BTreeMap<String, DateTime<Utc>> {
        let all = self.lock();
        let resting = all.iter().filter(|(_, failing)| failing.rests_until > now);
        resting.map(|(plugin, failing)| (plugin.to_string(), failing.rests_until)).collect()
    }
}

#[cfg(test)]
mod tests {
    use handoff_host::Function;

    use super::*;

    #[test]
    fn only_failures_in_a_row_lead_to_a_rest_and_each_rest_is_longer() {
        let (breaker, plugin) = (PluginBreaker::default(), Digest::of(b"plugin"));
        let begun = DateTime::from_timestamp(1_790_000_000, 0).expect("a moment");
        let failed = |kind, now| {
            let fault = Fault { plugin: handoff_host::ComponentDigest(plugin.0), function: Function::Compose, kind };
            breaker.failed(plugin, &fault, now);
        };
        let rest = |now| breaker.rests_until(plugin, now).map(|until| (until - now).num_seconds());
        (1..FAULTS_MAX).for_each(|_| failed(FaultKind::Trapped, begun));
        breaker.sound(plugin);
        (1..FAULTS_MAX).for_each(|_| failed(FaultKind::Trapped, begun));
        failed(FaultKind::Busy, begun);
        assert_eq!(rest(begun), None);
        failed(FaultKind::TimedOut, begun);
        assert_eq!(rest(begun), Some(30));
        failed(FaultKind::TimedOut, begun);
        assert_eq!(rest(begun), Some(30), "it was under way already");
        let later = begun + TimeDelta::seconds(30);
        assert_eq!(rest(later), None);
        failed(FaultKind::OutOfMemory, later);
        assert_eq!(rest(later), Some(60));
        assert_eq!(breaker.resting(later).len(), 1);
    }
}
