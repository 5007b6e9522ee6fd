//! Who is at the door: how many connections each source holds, and how fast it may speak.

use std::collections::HashMap;
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use serde::Deserialize;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// `limits:` of a listener.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ConnectionLimitsConfig {
    /// A practice has some ten interfaces with a few connections each; the rest is somebody's mistake.
    pub connections_max: usize,
    /// Half Handoff: one broken interface engine, or one attacker, leaves room for the others.
    pub connections_per_source_max: usize,
    /// Messages or requests. A practice gets some a minute, and thousands at once after a night's outage; a source that
    /// keeps this up is in a loop.
    pub deliveries_per_second: u32,
}

impl Default for ConnectionLimitsConfig {
    fn default() -> ConnectionLimitsConfig {
        ConnectionLimitsConfig { connections_max: 256, connections_per_source_max: 128, deliveries_per_second: 2_000 }
    }
}

/// What a source has not said for so long, it may say at once: a queue that waited while a link was down.
const BURST: Duration = Duration::from_secs(5);

/// Sources remembered at once. Each is forgotten when it has left and its pace is made good, seconds later; so many at
/// a time is no practice's traffic, and their table must not grow without end.
const SOURCES_MAX: usize = 4_096;

/// Large deliveries under way at once in one listener. Each is in memory some ten times over while it is read.
const LARGE_AT_ONCE: usize = 2;

/// Whom limits are counted for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum LimitedPeer {
    Address(IpAddr),
    /// The allowed name that its certificate has.
    Certificate(String),
}

/// Why there is no room.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Full {
    #[error("there are as many connections as `limits: connections_max` allows")]
    Listener,
    #[error("this source has as many connections as `limits: connections_per_source_max` allows")]
    Source,
}

/// Every connection of one listener.
#[derive(Debug)]
pub struct ConnectionLimits {
    limits: ConnectionLimitsConfig,
    present: Mutex<Present>,
    large: Arc<Semaphore>,
}

#[derive(Debug, Default)]
struct Present {
    connections: usize,
    sources: HashMap<LimitedPeer, Standing>,
}

#[derive(Clone, Copy, Debug)]
struct Standing {
    connections: usize,
    /// When what it has said would have been said at its pace: the generic cell rate algorithm's theoretical arrival
    /// time (ITU-T I.371).
    paid_until: Instant,
}

/// One connection of one source. Dropped, it makes room.
#[derive(Debug)]
pub struct ConnectionPermit {
    limits: Arc<ConnectionLimits>,
    source: LimitedPeer,
}

impl LimitedPeer {
    /// Whoever is given an IPv6 address is given a /64 of them (RFC 6177): it is one source.
    pub fn of(address: IpAddr) -> LimitedPeer {
        LimitedPeer::Address(match address.to_canonical() {
            IpAddr::V4(v4) => v4.into(),
            IpAddr::V6(v6) => {
                let [a, b, c, d, ..] = v6.segments();
                [a, b, c, d, 0, 0, 0, 0].into()
            }
        })
    }
}

impl fmt::Display for LimitedPeer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LimitedPeer::Address(address) => write!(f, "{address}"),
            LimitedPeer::Certificate(name) => write!(f, "{name}"),
        }
    }
}

impl ConnectionLimits {
    pub fn new(limits: ConnectionLimitsConfig) -> Arc<ConnectionLimits> {
        let large = Arc::new(Semaphore::new(LARGE_AT_ONCE));
        Arc::new(ConnectionLimits { limits, present: Mutex::default(), large })
    }

    /// # Errors
    /// When Handoff, or the source's share of it, is full.
    pub fn enter(self: &Arc<Self>, source: LimitedPeer) -> Result<ConnectionPermit, Full> {
        self.with(|present, now| {
            if present.connections >= self.limits.connections_max {
                return Err(Full::Listener);
            }
            if present.sources.len() >= SOURCES_MAX {
                present.sources.retain(|_, standing| standing.connections > 0 || standing.paid_until > now);
            }
            let known = present.sources.contains_key(&source);
            if !known && present.sources.len() >= SOURCES_MAX {
                return Err(Full::Listener);
            }
            let fresh = Standing { connections: 0, paid_until: now };
            let standing = present.sources.entry(source.clone()).or_insert(fresh);
            if standing.connections >= self.limits.connections_per_source_max {
                return Err(Full::Source);
            }
            standing.connections += 1;
            present.connections += 1;
            Ok(())
        })?;
        Ok(ConnectionPermit { limits: Arc::clone(self), source })
    }

    fn with<T>(&self, work: impl FnOnce(&mut Present, Instant) -> T) -> T {
        work(&mut self.present.lock(), Instant::now())
    }
}

impl ConnectionPermit {
    pub fn source(&self) -> &LimitedPeer {
        &self.source
    }

    /// The same connection, now that it is known whose it is.
    ///
    /// # Errors
    /// When that source's share is full.
    pub fn known_as(self, source: LimitedPeer) -> Result<ConnectionPermit, Full> {
        let limits = Arc::clone(&self.limits);
        drop(self);
        limits.enter(source)
    }

    /// Waits until a delivery of more than [`UNPROVEN_BYTES_MAX`](crate::delivery::UNPROVEN_BYTES_MAX) may come in, and keeps its
    /// place for as long as what it returns lives. Its sender feels it as a slow link.
    pub async fn room_for_a_large_one(&self) -> Option<OwnedSemaphorePermit> {
        // Nobody closes it: there is always a place in the end.
        Arc::clone(&self.limits.large).acquire_owned().await.ok()
    }

    /// Takes a turn to speak, if the source has one left.
    ///
    /// # Errors
    /// How long until it has.
    pub fn take_token(&self) -> Result<(), Duration> {
        let turn = Duration::from_secs(1) / self.limits.limits.deliveries_per_second.max(1);
        self.limits.with(|present, now| {
            // Invariant: whoever holds a permit has a standing.
            let Some(standing) = present.sources.get_mut(&self.source) else { return Ok(()) };
            let paid_until = standing.paid_until.max(now) + turn;
            match paid_until.saturating_duration_since(now).checked_sub(BURST.max(turn)) {
                None | Some(Duration::ZERO) => {
                    standing.paid_until = paid_until;
                    Ok(())
                }
                Some(wait) => Err(wait),
            }
        })
    }
}

impl Drop for ConnectionPermit {
    fn drop(&mut self) {
        self.limits.with(|present, _| {
            present.connections -= 1;
            if let Some(standing) = present.sources.get_mut(&self.source) {
                standing.connections -= 1;
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits() -> ConnectionLimitsConfig {
        ConnectionLimitsConfig { connections_max: 3, connections_per_source_max: 2, deliveries_per_second: 10 }
    }

    fn source(address: &str) -> LimitedPeer {
        LimitedPeer::of(address.parse().expect("an address"))
    }

    #[test]
    fn each_source_has_its_share_and_gives_it_back() {
        let limits = ConnectionLimits::new(limits());
        let first = limits.enter(source("10.0.0.1")).expect("room");
        let _second = limits.enter(source("10.0.0.1")).expect("room");
        assert_eq!(limits.enter(source("10.0.0.1")).err(), Some(Full::Source));
        let other = limits.enter(source("10.0.0.2")).expect("room");
        assert_eq!(limits.enter(source("10.0.0.3")).err(), Some(Full::Listener));
        drop(other);
        let named = first.known_as(LimitedPeer::Certificate("ehr".into())).expect("room");
        assert_eq!(named.source().to_string(), "ehr");
        assert!(limits.enter(source("10.0.0.1")).is_ok(), "the first left its address");
    }

    #[test]
    fn a_neighbourhood_of_ipv6_addresses_is_one_source() {
        for (one, other, same) in [
            ("2001:db8::1", "2001:db8::ffff:2", true),
            ("2001:db8::1", "2001:db8:0:1::1", false),
            ("::ffff:10.0.0.1", "10.0.0.1", true),
            ("10.0.0.1", "10.0.0.2", false),
        ] {
            assert_eq!(source(one) == source(other), same, "{one} {other}");
        }
    }

    #[test]
    fn a_source_may_catch_up_and_then_keeps_its_pace_and_others_theirs() {
        let limits = ConnectionLimits::new(limits());
        let (busy, quiet) = (limits.enter(source("10.0.0.1")).expect("room"), limits.enter(source("10.0.0.2")));
        let at_once = (0..1_000).take_while(|_| busy.take_token().is_ok()).count();
        // Five seconds' worth, and what became due while they were counted.
        assert!((50..60).contains(&at_once), "{at_once}");
        let wait = busy.take_token().expect_err("its turn is over");
        assert!(wait <= Duration::from_millis(100), "{wait:?}");
        assert_eq!(quiet.expect("room").take_token(), Ok(()));
    }

    #[test]
    fn sources_that_have_left_are_forgotten() {
        let limits = ConnectionLimits::new(ConnectionLimitsConfig { connections_max: 10, ..limits() });
        for number in 0..2 * SOURCES_MAX as u32 {
            drop(limits.enter(LimitedPeer::Address(std::net::Ipv4Addr::from(number).into())).expect("room"));
        }
        assert!(limits.with(|present, _| present.sources.len()) <= SOURCES_MAX);
    }
}
