//! A full pool is back-pressure: callers wait their turn and only fail when the wait is over.

use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

use handoff_host::{FaultKind, Host, PluginLimits};

use crate::{fixtures, samples};

#[test]
fn a_hundred_callers_share_four_places() {
    let host = fixtures::host();
    let plugin = host.load(&fixtures::hostile()).expect("a plugin");
    let together = Barrier::new(100);
    thread::scope(|scope| {
        for caller in 0..100 {
            let (host, plugin, together) = (&host, &plugin, &together);
            scope.spawn(move || {
                together.wait();
                // Every tenth keeps its place for the whole deadline.
                let deed = if caller % 10 == 0 { "loop for ever" } else { "behave" };
                for _ in 0..5 {
                    let answer = host.call(plugin, &samples::choose(deed));
                    match deed {
                        "behave" => assert!(answer.is_ok(), "{answer:?}"),
                        _ => return assert_eq!(answer.expect_err(deed).kind, FaultKind::TimedOut),
                    }
                }
            });
        }
    });
}

#[test]
fn who_waits_too_long_is_told_that_the_host_is_busy() {
    let limits = PluginLimits { concurrent_calls: 1, wait: Duration::from_millis(50), ..fixtures::limits() };
    let host = Host::new(limits, None).expect("a host");
    let plugin = host.load(&fixtures::hostile()).expect("a plugin");
    let together = Barrier::new(2);
    let start = Instant::now();
    let faults: Vec<FaultKind> = thread::scope(|scope| {
        let callers = [(); 2].map(|()| {
            scope.spawn(|| {
                together.wait();
                host.call(&plugin, &samples::choose("loop for ever")).expect_err("it never ends").kind
            })
        });
        callers.map(|caller| caller.join().expect("no panic")).into()
    });
    assert!(faults.contains(&FaultKind::Busy) && faults.contains(&FaultKind::TimedOut), "{faults:?}");
    assert!(start.elapsed() >= Duration::from_millis(500), "the deadline is not cut short");
    host.call(&plugin, &samples::choose("behave")).expect("the place is free again");
}
