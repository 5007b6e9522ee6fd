//! The process is killed again and again under load. What was acknowledged is there afterwards, once.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use handoff_engine::ids::Digest;
use parking_lot::Mutex;
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};

use crate::house::{House, until};
use crate::mllp::{Sender, order};

const KILLS: usize = 20;
const SENDERS: usize = 4;

/// After the first acknowledgement of a life, in milliseconds: some die in their first commits, some in a busy stream.
const LIFE_MS: std::ops::Range<u64> = 0..200;

/// A sender whose peer is dead looks this often whether it is back.
const RETRY: Duration = Duration::from_millis(5);

/// What the senders and whoever kills share.
#[derive(Default)]
struct Load {
    /// Where the daemon listens now; nothing while it is dead.
    address: Mutex<Option<SocketAddr>>,
    acknowledged: Mutex<Vec<usize>>,
    next: AtomicUsize,
    over: AtomicBool,
}

impl Load {
    fn opens(&self, address: Option<SocketAddr>) {
        *self.address.lock() = address;
    }

    fn acknowledged(&self) -> Vec<usize> {
        self.acknowledged.lock().clone()
    }

    fn is_over(&self) -> bool {
        self.over.load(Ordering::Relaxed)
    }

    /// One interface of an EHR: sends an order until it is acknowledged, then the next; connects anew when it must.
    fn send(&self) {
        let mut sender = None;
        while !self.is_over() {
            let number = self.next.fetch_add(1, Ordering::Relaxed);
            let message = order(number);
            while !self.deliver(&mut sender, &message) {
                if self.is_over() {
                    return;
                }
                thread::sleep(RETRY);
            }
            self.acknowledged.lock().push(number);
        }
    }

    /// Whether this attempt was acknowledged.
    fn deliver(&self, sender: &mut Option<Sender>, message: &[u8]) -> bool {
        if sender.is_none() {
            let address = *self.address.lock();
            *sender = address.and_then(|address| Sender::connect(address).ok());
        }
        match sender.as_mut().map(|sender| sender.ask(message)) {
            Some(Ok(ack)) => {
                assert_eq!(ack.code, "AA", "{}", ack.error);
                true
            }
            Some(Err(_)) | None => {
                *sender = None;
                false
            }
        }
    }
}

/// Tells the senders to stop, also when the test fails: they are waited for.
struct Ending<'a>(&'a Load);

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        self.0.over.store(true, Ordering::Relaxed);
    }
}

/// Every acknowledged order is one delivery and one referral of its own.
fn check(house: &House, acknowledged: &[usize]) {
    let mut accepted: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for delivery in house.deliveries() {
        let digest = delivery["digest"].as_str().expect("a digest").to_string();
        let referrals = delivery["verdict"]["referrals"].as_array().expect("an accepted order");
        let referrals = referrals.iter().map(|id| id.as_str().expect("an id").to_string());
        accepted.entry(digest).or_default().extend(referrals);
    }
    let mut owners = BTreeMap::new();
    for number in acknowledged {
        let found = accepted.get(&Digest::of(&order(*number)).to_string()).map(Vec::as_slice).unwrap_or_default();
        let [referral] = found else { panic!("order {number} was acknowledged and is {} referrals", found.len()) };
        assert_eq!(owners.insert(referral.clone(), *number), None, "two orders became one referral");
    }
    let mut listed: Vec<String> =
        house.referrals().iter().map(|referral| referral["id"].as_str().expect("an id").to_string()).collect();
    listed.sort();
    // What was committed and not yet acknowledged when the process died is there as well, and once.
    let mut all: Vec<String> = accepted.into_values().flatten().collect();
    all.sort();
    assert_eq!(listed, all, "the index lists other referrals than the journal accepted");
    let verified = house.verify();
    assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stderr));
}

#[test]
fn what_was_acknowledged_survives_twenty_kills_exactly_once() {
    let house = House::new();
    let load = Load::default();
    let mut dice = StdRng::seed_from_u64(20);
    thread::scope(|scope| {
        let senders: Vec<_> = (0..SENDERS).map(|_| scope.spawn(|| load.send())).collect();
        let ending = Ending(&load);
        for _ in 0..KILLS {
            let before = load.acknowledged().len();
            let daemon = house.serve();
            load.opens(Some(daemon.mllp));
            until("an acknowledgement", || (load.acknowledged().len() > before).then_some(()));
            thread::sleep(Duration::from_millis(dice.random_range(LIFE_MS)));
            load.opens(None);
            daemon.kill();
        }
        drop(ending);
        for sender in senders {
            sender.join().expect("every answer was AA");
        }
    });
    let acknowledged = load.acknowledged();
    assert!(acknowledged.len() >= KILLS, "only {} orders were acknowledged", acknowledged.len());
    let daemon = house.serve();
    let mut sender = Sender::connect(daemon.mllp).expect("a connection");
    for number in acknowledged.iter().rev().take(SENDERS) {
        assert_eq!(sender.ask(&order(*number)).expect("an answer").code, "AA", "sent again, it is acknowledged again");
    }
    assert!(daemon.stop().0.success());
    check(&house, &acknowledged);
}

#[test]
fn the_index_may_be_deleted_between_two_runs() {
    let house = House::new();
    let orders: Vec<usize> = (0..6).collect();
    let daemon = house.serve();
    let mut sender = Sender::connect(daemon.mllp).expect("a connection");
    for number in &orders {
        assert_eq!(sender.ask(&order(*number)).expect("an answer").code, "AA");
    }
    assert_eq!(sender.ask(b"this is no message").expect("an answer").code, "AR");
    assert!(daemon.stop().0.success());
    let (referrals, dead) = (house.referrals().len(), house.dead_letters());
    assert_eq!((referrals, dead.len()), (orders.len(), 1));

    std::fs::remove_dir_all(house.path("data/index")).expect("an index");
    let daemon = house.serve();
    let mut sender = Sender::connect(daemon.mllp).expect("a connection");
    for number in &orders {
        assert_eq!(sender.ask(&order(*number)).expect("an answer").code, "AA", "it is known, and answered like before");
    }
    assert!(daemon.stop().0.success());
    assert_eq!(house.referrals().len(), orders.len());
    let recorded = house.deliveries().len();
    assert_eq!(recorded, orders.len() + 1, "a delivery that came again is not recorded again");
    assert!(house.verify().status.success());
    assert_eq!(house.dead_letters(), dead);
}
