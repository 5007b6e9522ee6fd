//! Whether an endpoint answers at all: a circuit breaker. It opens when requests stay unanswered, lets one through after a
//! while, and closes with the first answer.
//!
//! The wait that doubles is not by the crate `backon`: that retries one call and sleeps between by the machine's clock, while
//! here requests come from outside, the moment is an argument, and the wait is part of a state that is compared and shown.

use chrono::{DateTime, TimeDelta, Utc};

/// One request may be lost on the way, and three may be lost together. Five in a row are no accident.
const FAILURES_MAX: u32 = 5;

/// A vendor that restarts is back within half a minute.
const OPEN_FOR: TimeDelta = TimeDelta::seconds(30);

/// Each try that fails doubles the wait, up to this: an outage's end is noticed within five minutes.
const OPEN_FOR_MAX: TimeDelta = TimeDelta::minutes(5);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CircuitBreaker {
    Closed {
        failures: u32,
    },
    /// Nothing goes until then.
    Open {
        since: DateTime<Utc>,
        until: DateTime<Utc>,
        wait: TimeDelta,
    },
    /// One request is on its way to find out.
    Probing {
        since: DateTime<Utc>,
        wait: TimeDelta,
    },
}

impl Default for CircuitBreaker {
    fn default() -> CircuitBreaker {
        CircuitBreaker::Closed { failures: 0 }
    }
}

impl CircuitBreaker {
    /// When the next request may go; nothing while one is finding out.
    pub fn opens_at(self) -> Option<DateTime<Utc>> {
        match self {
            CircuitBreaker::Closed { .. } => Some(DateTime::<Utc>::MIN_UTC),
            CircuitBreaker::Open { until, .. } => Some(until),
            CircuitBreaker::Probing { .. } => None,
        }
    }

    pub fn is_open_since(self) -> Option<DateTime<Utc>> {
        match self {
            CircuitBreaker::Closed { .. } => None,
            CircuitBreaker::Open { since, .. } | CircuitBreaker::Probing { since, .. } => Some(since),
        }
    }

    /// A request goes. Whether it is the one that finds out.
    pub fn let_through(&mut self) -> bool {
        match *self {
            CircuitBreaker::Open { since, wait, .. } => {
                *self = CircuitBreaker::Probing { since, wait };
                true
            }
            CircuitBreaker::Closed { .. } | CircuitBreaker::Probing { .. } => false,
        }
    }

    /// Any answer will do, also to a request that left before the breaker opened.
    pub fn answered(&mut self) {
        *self = CircuitBreaker::default();
    }

    /// A request stayed unanswered.
    pub fn unanswered(&mut self, was_probe: bool, now: DateTime<Utc>) {
        *self = match *self {
            CircuitBreaker::Closed { failures } if failures + 1 < FAILURES_MAX => {
                CircuitBreaker::Closed { failures: failures + 1 }
            }
            CircuitBreaker::Closed { .. } => CircuitBreaker::Open { since: now, until: now + OPEN_FOR, wait: OPEN_FOR },
            CircuitBreaker::Probing { since, wait } if was_probe => {
                let wait = (wait * 2).min(OPEN_FOR_MAX);
                CircuitBreaker::Open { since, until: now + wait, wait }
            }
            // It left before the breaker opened, and says nothing new.
            same @ (CircuitBreaker::Open { .. } | CircuitBreaker::Probing { .. }) => same,
        };
    }

    /// The request that was to find out was never sent: the next one may.
    pub fn unproven(&mut self, now: DateTime<Utc>) {
        if let CircuitBreaker::Probing { since, wait } = *self {
            *self = CircuitBreaker::Open { since, until: now, wait };
        }
    }

    pub fn shift(&mut self, back: TimeDelta) {
        match self {
            CircuitBreaker::Closed { .. } => {}
            CircuitBreaker::Open { since, until, .. } => {
                *since -= back;
                *until -= back;
            }
            CircuitBreaker::Probing { since, .. } => *since -= back,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn second(at: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_790_000_000 + at, 0).expect("a moment")
    }

    fn opened() -> CircuitBreaker {
        let mut breaker = CircuitBreaker::default();
        (0..FAILURES_MAX).for_each(|_| breaker.unanswered(false, second(0)));
        breaker
    }

    #[test]
    fn it_opens_after_so_many_in_a_row_only() {
        let mut breaker = CircuitBreaker::default();
        for _ in 0..3 {
            (1..FAILURES_MAX).for_each(|_| breaker.unanswered(false, second(0)));
            assert_eq!(breaker, CircuitBreaker::Closed { failures: FAILURES_MAX - 1 });
            breaker.answered();
        }
        assert_eq!(opened().opens_at(), Some(second(30)));
    }

    #[test]
    fn each_try_that_fails_doubles_the_wait_and_an_answer_closes() {
        let mut breaker = opened();
        let mut waits = Vec::new();
        for _ in 0..6 {
            let now = breaker.opens_at().expect("open");
            assert!(breaker.let_through(), "one finds out");
            assert!(!breaker.let_through() && breaker.opens_at().is_none(), "and nobody else goes meanwhile");
            breaker.unanswered(false, now);
            breaker.unanswered(true, now);
            waits.push((breaker.opens_at().expect("open") - now).num_seconds());
            assert_eq!(breaker.is_open_since(), Some(second(0)));
        }
        assert_eq!(waits, [60, 120, 240, 300, 300, 300]);
        breaker.let_through();
        breaker.unproven(second(5000));
        assert_eq!(breaker.opens_at(), Some(second(5000)), "it was never sent");
        breaker.let_through();
        breaker.answered();
        assert_eq!(breaker, CircuitBreaker::Closed { failures: 0 });
    }
}
