//! Our side: the engine decides, the store commits; nothing else of the house.

use std::collections::{HashSet, VecDeque};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use ed25519_dalek::SigningKey;
use handoff_engine::ids::{LetterId, ReferralId};
use handoff_store::journal::VerifyDepth;
use handoff_store::{Store, StoreOptions, Ticket};

use crate::practice::Practice;
use crate::report::out;
use crate::vendor::Vendor;

/// Threads that carry referrals: as many as keep two cores busy while the journal syncs.
const THREADS: usize = 4;

/// Referrals brought at once to where they wait.
const HOLDING: usize = 2_048;

/// Where the numbers of a run begin, so that no two runs over one journal bring the same order.
fn first_of_run() -> u64 {
    DateTime::<Utc>::from(std::time::SystemTime::now()).timestamp_millis().unsigned_abs() << 20
}

pub fn run(dir: &Path, letters: &str, mode: &[&str]) {
    let began = Instant::now();
    let options = StoreOptions { depth: VerifyDepth::Ends, ..StoreOptions::new(dir, SigningKey::from_bytes(&[1; 32])) };
    let (store, _) = Store::open(options).expect("opened");
    let house = House { store, practice: Practice::open(), vendor: Vendor::at(letters) };
    let count = |text: &str| text.parse::<u64>().expect("a number");
    match *mode {
        ["flow", referrals, at_once] => {
            let began = Instant::now();
            house.carry(first_of_run(), count(referrals), count(at_once) as usize, Stop::AtTheEnd);
            out(&began.elapsed().as_secs_f64().to_string());
        }
        ["hold", referrals] => {
            house.carry(0, count(referrals), HOLDING, Stop::Waiting);
            out("holding");
            std::thread::sleep(Duration::MAX);
        }
        ["ready", number] => {
            house.carry(first_of_run(), 1, 1, Stop::AtTheEnd);
            let mut held = house.answer(house.practice.referral_of(count(number)));
            while let Some(next) = house.advance(held, Stop::AtTheEnd) {
                held = next;
            }
            out(&began.elapsed().as_secs_f64().to_string());
        }
        ["recover"] => {
            house.recover();
            std::thread::sleep(Duration::MAX);
        }
        _ => panic!("{mode:?} is no mode"),
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stop {
    Waiting,
    AtTheEnd,
}

struct House {
    store: Store,
    practice: Practice,
    vendor: Vendor,
}

/// One referral on its way, waiting for its last commit.
struct Walk {
    referral: ReferralId,
    letter: LetterId,
    stands: Stands,
    ticket: Ticket,
}

#[derive(Clone, Copy)]
enum Stands {
    /// The letter is owed.
    Owed,
    /// The ask is written down: the letter may leave.
    Asked,
    /// The receipt is in.
    Received,
}

impl House {
    /// Takes so many referrals along, this many at once, each step durable before the next.
    fn carry(&self, first: u64, referrals: u64, at_once: usize, stop: Stop) {
        let next = AtomicU64::new(first);
        let share = at_once.div_ceil(THREADS);
        std::thread::scope(|scope| {
            for _ in 0..THREADS.min(at_once) {
                scope.spawn(|| {
                    let mut walks = VecDeque::with_capacity(share);
                    let order = || Some(next.fetch_add(1, Ordering::Relaxed)).filter(|it| *it < first + referrals);
                    loop {
                        while walks.len() < share
                            && let Some(number) = order()
                        {
                            walks.push_back(self.order(number));
                        }
                        let Some(walk) = walks.pop_front() else { return };
                        walks.extend(self.advance(walk, stop));
                    }
                });
            }
        });
    }

    fn order(&self, number: u64) -> Walk {
        let (entry, letter) = self.practice.order(number);
        let ticket = self.store.commit(entry);
        Walk { referral: letter.referral, letter, stands: Stands::Owed, ticket }
    }

    fn answer(&self, referral: ReferralId) -> Walk {
        let before = self.store.index().referral(&referral).expect("index").expect("there");
        let (entry, letter) = self.practice.reply(&before);
        Walk { referral, letter, stands: Stands::Owed, ticket: self.store.commit(entry) }
    }

    /// The next step, once the one before is durable; `None` when there is none.
    fn advance(&self, walk: Walk, stop: Stop) -> Option<Walk> {
        let Walk { referral, letter, stands, ticket } = walk;
        ticket.wait().expect("committed");
        let (stands, entry) = match stands {
            Stands::Owed => (Stands::Asked, self.practice.ask(letter)),
            Stands::Asked => {
                self.vendor.send(&letter.to_string());
                (Stands::Received, self.receipt(letter))
            }
            Stands::Received if letter.number == 1 && stop == Stop::AtTheEnd => return Some(self.answer(referral)),
            Stands::Received => return None,
        };
        Some(Walk { referral, letter, stands, ticket: self.store.commit(entry) })
    }

    fn receipt(&self, letter: LetterId) -> handoff_store::Entry {
        let item = self.store.index().outbox(&letter).expect("index").expect("owed");
        let referral = self.store.index().referral(&letter.referral).expect("index").expect("there");
        self.practice.receipt(&referral, &item.letter)
    }

    /// Does what is owed. Where a letter may have left, the vendor is asked first.
    fn recover(&self) {
        let sent: HashSet<String> = self.vendor.sent();
        let later = Utc::now() + TimeDelta::days(36_500);
        while let owed @ [_, ..] = &self.store.index().letter_ids_due(later, 1_000)[..] {
            for letter in owed {
                let item = self.store.index().outbox(letter).expect("index").expect("owed");
                if !item.in_doubt() || !sent.contains(&letter.to_string()) {
                    self.store.commit(self.practice.ask(*letter)).wait().expect("committed");
                    self.vendor.send(&letter.to_string());
                }
                self.store.commit(self.receipt(*letter)).wait().expect("committed");
            }
        }
    }
}
