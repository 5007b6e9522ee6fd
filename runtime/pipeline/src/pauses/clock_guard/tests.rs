use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

use super::*;

/// A clock that can be set, beside one that cannot.
#[derive(Default)]
struct Settable {
    set_by_seconds: AtomicI64,
    passed_seconds: AtomicI64,
    is_kept: AtomicBool,
}

impl Settable {
    fn pass(&self, seconds: i64) {
        self.passed_seconds.fetch_add(seconds, Ordering::SeqCst);
    }

    fn set(&self, by_seconds: i64) {
        self.set_by_seconds.fetch_add(by_seconds, Ordering::SeqCst);
    }
}

impl Clock for Settable {
    fn now(&self) -> DateTime<Utc> {
        let seconds = self.set_by_seconds.load(Ordering::SeqCst) + self.passed_seconds.load(Ordering::SeqCst);
        DateTime::from_timestamp(1_800_000_000 + seconds, 0).expect("a moment")
    }

    fn steady(&self) -> Duration {
        Duration::from_secs(u64::try_from(self.passed_seconds.load(Ordering::SeqCst)).expect("time passes"))
    }

    fn is_kept(&self) -> bool {
        self.is_kept.load(Ordering::SeqCst)
    }
}

const DAY: i64 = 86_400;

#[test]
fn a_clock_that_runs_is_believed_however_long_and_however_it_is_slewed() {
    let clock = Settable::default();
    let mut guard = ClockGuard::new(&clock, Some(clock.now()));
    for _ in 0..1_000 {
        clock.pass(30 * 60);
        // Half a minute an hour is more than any quartz is off.
        clock.set(-2);
        assert_eq!(guard.look(&clock), None);
        clock.set(12);
        assert_eq!(guard.look(&clock), None);
    }
}

#[test]
fn a_jump_holds_until_the_clock_agrees_again() {
    for (by, is_doubted) in [(60 * DAY, true), (3_601, true), (3_599, false), (-4, false), (-6, true), (-DAY, true)] {
        let clock = Settable::default();
        let mut guard = ClockGuard::new(&clock, None);
        clock.pass(60);
        clock.set(by);
        let doubt = guard.look(&clock);
        assert_eq!(doubt.as_ref().map(|doubt| doubt.off_seconds), is_doubted.then_some(by), "{by}");
        // It does not wear off.
        clock.pass(7 * DAY);
        assert_eq!(guard.look(&clock).is_some(), is_doubted, "{by}");
        if is_doubted {
            clock.set(-by);
            assert_eq!(guard.look(&clock), None, "{by}");
        }
    }
}

#[test]
fn a_person_or_ntp_over_some_time_may_say_that_it_is_right() {
    let clock = Settable::default();
    let mut guard = ClockGuard::new(&clock, None);
    clock.set(5 * DAY);
    assert!(guard.look(&clock).is_some());
    guard.trust(&clock);
    assert_eq!(guard.look(&clock), None);
    clock.set(5 * DAY);
    assert!(guard.look(&clock).is_some());
    clock.is_kept.store(true, Ordering::SeqCst);
    assert!(guard.look(&clock).is_some(), "it says so for the first time");
    clock.pass(599);
    assert!(guard.look(&clock).is_some());
    clock.is_kept.store(false, Ordering::SeqCst);
    assert!(guard.look(&clock).is_some(), "NTP lost it");
    clock.is_kept.store(true, Ordering::SeqCst);
    assert!(guard.look(&clock).is_some());
    clock.pass(600);
    assert_eq!(guard.look(&clock), None);
}

#[test]
fn nothing_is_earlier_than_the_journal_s_last_entry() {
    let clock = Settable::default();
    let last = clock.now() + TimeDelta::hours(3);
    let mut guard = ClockGuard::new(&clock, Some(last));
    assert_eq!(guard.look(&clock).map(|doubt| doubt.off_seconds), Some(-3 * 3_600));
    clock.pass(3_600);
    clock.set(3 * 3_600);
    assert_eq!(guard.look(&clock), None, "it was set right");
    // However long Handoff was down: nobody counted.
    let mut guard = ClockGuard::new(&clock, Some(clock.now() - TimeDelta::days(30)));
    assert_eq!(guard.look(&clock), None);
}
