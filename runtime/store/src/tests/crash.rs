//! Power cuts, failed syncs and full disks at any moment: what was acknowledged is there, and nothing is half there.
//!
//! `STORE_SEED=n cargo nextest run -p handoff-store crash` plays one seed; `STORE_SEEDS=n` plays so many.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::entry::Entry;
use crate::index::{Index as _, KeyedIndex, LiveRows, MemoryRows, Rows, in_safe_order};
use crate::journal::{BatchError, DiskDice, DiskFault, Journal, JournalReader, SimDisk, VerifyDepth, verify_disk};
use crate::position::Position;

use super::conformance::JOURNAL;
use super::sample::{Practice, key};

/// Seeds in an ordinary run: some seconds.
const SEEDS: u64 = 200;
const LIVES: u64 = 5;
const SEGMENT_BYTES: u64 = 24 << 10;

#[test]
fn acknowledged_entries_survive_any_crash() {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let seeds = match number("STORE_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("STORE_SEEDS").unwrap_or(SEEDS),
    };
    for seed in seeds {
        let played = std::panic::catch_unwind(|| play(seed));
        if played.is_err() {
            panic!("seed {seed} failed; replay it with STORE_SEED={seed} cargo nextest run -p handoff-store crash");
        }
    }
}

struct House {
    dice: DiskDice,
    disk: SimDisk,
    practice: Practice,
    acknowledged: Vec<Entry>,
    /// The batch under way when it crashed: whole or absent afterwards.
    in_doubt: Vec<Entry>,
    /// The index on disk: never trusted, often behind.
    base: Arc<MemoryRows>,
}

fn play(seed: u64) {
    let mut dice = DiskDice::new(seed);
    let first = fault(&mut dice);
    let mut house = House {
        disk: SimDisk::new(dice.next(), first),
        practice: Practice::new(dice.next()),
        acknowledged: Vec::new(),
        in_doubt: Vec::new(),
        base: Arc::default(),
        dice,
    };
    for _ in 0..LIVES {
        house.live();
        let next = fault(&mut house.dice);
        if house.disk.power_is_off() || house.dice.below(2) == 0 {
            house.disk = house.disk.after_power_cut(next);
        } else {
            house.disk.restart(next);
        }
    }
    house.disk = house.disk.after_power_cut(None);
    house.live();
    assert!(!house.acknowledged.is_empty(), "a life without faults acknowledges something");
}

fn fault(dice: &mut DiskDice) -> Option<DiskFault> {
    match dice.below(4) {
        0 | 1 => Some(DiskFault::PowerCut { operation: dice.below(40) }),
        2 => Some(DiskFault::SyncFails { sync: dice.below(16) }),
        _ => Some(DiskFault::Full { bytes: 40_000 + dice.below(600_000) }),
    }
}

impl House {
    fn live(&mut self) {
        let opened = Journal::open(Arc::new(self.disk.clone()), key(1), VerifyDepth::Whole, SEGMENT_BYTES);
        let mut journal = match opened {
            Ok(opened) => opened.journal,
            Err(error) => {
                let faulty = matches!(error, crate::journal::OpenError::Io(_) | crate::journal::OpenError::Poisoned(_));
                assert!(faulty, "a crash is no damage: {error}");
                return;
            }
        };
        self.recovered(&journal);
        let live = Arc::new(LiveRows::over(self.base.clone()).expect("memory"));
        let index = self.indexed(&journal, live.clone());
        for _ in 0..12 {
            let count = 1 + self.dice.below(5) as usize;
            self.in_doubt = self.practice.entries(count);
            let before = journal.last();
            match journal.append_batch(&self.in_doubt) {
                Ok(last) => {
                    assert_eq!(last, Position(before.0 + count as u64));
                    let batch = std::mem::take(&mut self.in_doubt);
                    let numbered: Vec<_> =
                        (before.0 + 1..).map(Position).zip(batch.iter().cloned().map(Arc::new)).collect();
                    self.acknowledged.extend(batch);
                    if let Some(index) = &index {
                        index.apply(&numbered).expect("memory");
                        self.carry_over(&live);
                    }
                }
                Err(BatchError::Append(_)) => {
                    // For good: a second try is refused, and changes nothing.
                    assert!(journal.append_batch(&self.in_doubt).is_err());
                    assert_eq!(journal.last(), before);
                    return;
                }
                Err(BatchError::Encode(error)) => panic!("{error}"),
            }
        }
    }

    fn recovered(&mut self, journal: &Journal) {
        let found: Result<Vec<Entry>, _> =
            journal.reader().entries(Position(1)).map(|it| it.map(|(_, entry)| entry.as_ref().clone())).collect();
        let found = match found {
            Ok(found) => found,
            // The power went while reading; the next life looks again.
            Err(_) if self.disk.power_is_off() => return,
            Err(error) => panic!("{error}"),
        };
        let whole = [&self.acknowledged[..], &self.in_doubt].concat();
        assert!(found == self.acknowledged || found == whole, "{} entries came back", found.len());
        assert_eq!(journal.last().0, found.len() as u64);
        self.acknowledged = found;
        self.in_doubt.clear();
        let sound = verify_disk(&self.disk, &key(1).verifying_key()).expect("what was opened is sound");
        assert_eq!(sound.last, journal.last());
        self.single_reads(&journal.reader());
    }

    fn single_reads(&mut self, reader: &JournalReader) {
        use crate::journal::Entries as _;
        for _ in 0..self.acknowledged.len().min(4) {
            let at = self.dice.below(self.acknowledged.len() as u64);
            let read = reader.entry(Position(at + 1)).expect("read");
            assert_eq!(read.as_deref(), Some(&self.acknowledged[at as usize]));
        }
    }

    /// Brings the index up from wherever the crash left it, and holds it against one made from nothing.
    fn indexed(
        &mut self,
        journal: &Journal,
        live: Arc<LiveRows<MemoryRows>>,
    ) -> Option<KeyedIndex<Arc<LiveRows<MemoryRows>>>> {
        let reader = journal.reader();
        let entries: Result<Vec<_>, _> = reader.entries(Position(1)).collect();
        let entries = entries.ok()?;
        let index =
            KeyedIndex::open(live.clone(), Arc::new(reader.clone()), JOURNAL, journal.last()).expect("its journal");
        index.apply(&entries).expect("memory");
        let anew = Arc::new(MemoryRows::default());
        let other = KeyedIndex::open(anew.clone(), Arc::new(reader), JOURNAL, journal.last()).expect("its journal");
        other.apply(&entries).expect("memory");
        assert_eq!(dump(live.as_ref()), dump(anew.as_ref()), "the index is a function of the journal");
        let later = chrono::DateTime::<chrono::Utc>::MAX_UTC;
        assert_eq!(index.timers_due(later, 9_999), other.timers_due(later, 9_999));
        assert_eq!(index.letter_ids_due(later, 9_999), other.letter_ids_due(later, 9_999));
        assert_eq!(index.in_flight(), other.in_flight());
        Some(index)
    }

    /// Writes a layer to the index on disk, or as much of it as a crash would leave.
    fn carry_over(&mut self, live: &LiveRows<MemoryRows>) {
        if self.dice.below(3) > 0 {
            return;
        }
        let Some(layer) = live.freeze() else { return };
        let rows = layer.changes.len() as u64;
        let written = if self.dice.below(2) == 0 { rows } else { self.dice.below(rows) };
        for (key, change) in in_safe_order(&layer.changes).take(written as usize) {
            self.base.write(BTreeMap::from([(key.clone(), change.clone())])).expect("memory");
        }
        if written == rows {
            layer.done();
        }
    }
}

pub fn dump(rows: &dyn Rows) -> BTreeMap<Vec<u8>, Vec<u8>> {
    let mut all = BTreeMap::new();
    rows.scan(&[], &[], &mut |key, value| {
        all.insert(key.to_vec(), value.to_vec());
        Ok(std::ops::ControlFlow::Continue(()))
    })
    .expect("rows");
    all
}
