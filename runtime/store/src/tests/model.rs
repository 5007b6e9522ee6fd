//! An index as one would write it without thinking of speed: it looks through all entries, every time.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use chrono::{DateTime, Utc};
use handoff_engine::ids::{BlindedName, LetterId, PatientId, ReferralId, Token, VendorMessageId};
use handoff_engine::referral::{Channel, Referral};
use handoff_engine::task::ReferralTask;
use parking_lot::Mutex;

use crate::entry::{DeliveryVerdict, Entry, PauseCause, Record, Sealed};
use crate::index::{Kinds, Search, TaskFilter, touched_by};
use crate::journal::{Entries, ReadError};
use crate::position::Position;

/// Entries in memory; the model and the indexes under test read from the same.
#[derive(Clone, Default)]
pub struct Model {
    entries: Arc<Mutex<Vec<Arc<Entry>>>>,
}

impl Entries for Model {
    fn entry(&self, at: Position) -> Result<Option<Arc<Entry>>, ReadError> {
        let entries = self.entries.lock();
        entries.get(at.0 as usize - 1).cloned().map(Some).ok_or(ReadError::NotYet(at))
    }
}

/// A letter that is owed: queued at, due, attempts, asked at, answered at.
pub type Owed = (Position, i64, u32, Option<Position>, Option<Position>);

impl Model {
    pub fn push(&self, entries: Vec<Entry>) -> Vec<(Position, Arc<Entry>)> {
        let mut all = self.entries.lock();
        let before = all.len() as u64;
        let new: Vec<_> = entries.into_iter().map(Arc::new).collect();
        all.extend(new.iter().cloned());
        (before + 1..).map(Position).zip(new).collect()
    }

    pub fn all(&self) -> Vec<(Position, Arc<Entry>)> {
        let all = self.entries.lock();
        (1..).map(Position).zip(all.iter().cloned()).collect()
    }

    fn records(&self) -> Vec<(Position, Record)> {
        let with = |(at, entry): (Position, Arc<Entry>)| {
            entry.records.iter().map(|record| (at, record.clone())).collect::<Vec<_>>()
        };
        self.all().into_iter().flat_map(with).collect()
    }

    /// The last step of each referral.
    pub fn referrals(&self) -> BTreeMap<ReferralId, (Position, Arc<Referral>)> {
        let mut last = BTreeMap::new();
        for (at, record) in self.records() {
            if let Record::Stepped { referral, .. } = record {
                last.insert(referral.id, (at, referral));
            }
        }
        last
    }

    pub fn timers(&self) -> Vec<(DateTime<Utc>, ReferralId, String)> {
        let mut timers = Vec::new();
        for (id, (_, referral)) in self.referrals() {
            timers.extend(referral.timers.iter().map(|timer| (timer.due, id, timer.name.clone())));
        }
        timers.sort();
        timers
    }

    /// In order of due date.
    pub fn tasks(&self, filter: &TaskFilter) -> Vec<LetterId> {
        let mut open = Vec::new();
        for (id, (_, referral)) in self.referrals() {
            let mine = |task: &&ReferralTask| {
                task.ended.is_none()
                    && filter.referral.is_none_or(|wanted| wanted == id)
                    && filter.audience.is_none_or(|audience| audience == task.audience)
                    && filter.kind.as_ref().is_none_or(|kind| *kind == task.kind)
                    && filter.assignee.as_ref().is_none_or(|assignee| *assignee == task.assignee)
                    && filter.due_by.is_none_or(|due_by| task.due_at <= due_by)
                    && filter.awake_at.is_none_or(|now| task.snoozed_until.is_none_or(|until| until <= now))
            };
            open.extend(referral.tasks.iter().filter(mine).map(|task| (task.due_at, task.id(id))));
        }
        open.sort();
        open.into_iter().map(|(_, task)| task).collect()
    }

    pub fn find(&self, name: &BlindedName) -> Vec<ReferralId> {
        let mut found = BTreeSet::new();
        for (_, record) in self.records() {
            if let Record::Named { referral, names } = record
                && names.iter().any(|it| it == name)
            {
                found.insert(referral);
            }
        }
        found.into_iter().collect()
    }

    pub fn outbox(&self) -> BTreeMap<LetterId, Owed> {
        let mut owed: BTreeMap<LetterId, Owed> = BTreeMap::new();
        for (at, record) in self.records() {
            match record {
                Record::Queued { letter, doubt } => {
                    owed.insert(letter.id, (at, letter.due.timestamp_millis(), 0, doubt, None));
                }
                Record::Asked { letter, attempt, lookup: false, .. } => {
                    owed.entry(letter).and_modify(|it| *it = (it.0, it.1, attempt, Some(at), None));
                }
                Record::Answered { letter, lookup: false, .. } => {
                    owed.entry(letter).and_modify(|it| it.4 = Some(at));
                }
                Record::Deferred { letter, due, attempts, in_doubt, .. } => {
                    owed.entry(letter).and_modify(|it| {
                        let (asked, answered) = if in_doubt { (it.3, it.4) } else { (None, None) };
                        *it = (it.0, due.timestamp_millis(), attempts, asked, answered);
                    });
                }
                Record::Received { letter, .. } | Record::Refused { letter, .. } | Record::Dropped { letter, .. } => {
                    owed.remove(&letter);
                }
                _ => {}
            }
        }
        owed
    }

    pub fn delivery(&self, key: &BlindedName) -> Option<Position> {
        let mut answer: Option<(Position, bool)> = None;
        for (at, record) in self.records() {
            if let Record::Delivery { dedupe_key, verdict, .. } = record
                && dedupe_key == *key
            {
                let dead = matches!(verdict, DeliveryVerdict::Dead { .. } | DeliveryVerdict::Unmatched { .. });
                answer = match answer {
                    None => Some((at, dead)),
                    Some((_, true)) if !dead => Some((at, dead)),
                    first => first,
                };
            }
        }
        answer.map(|(at, _)| at)
    }

    pub fn unmatched(&self) -> BTreeSet<String> {
        let mut unmatched = BTreeSet::new();
        for (_, record) in self.records() {
            match record {
                Record::Delivery { digest, verdict: DeliveryVerdict::Unmatched { .. }, bytes: Some(_), .. } => {
                    unmatched.insert(digest.to_string());
                }
                Record::Settled { item, .. } => {
                    unmatched.remove(&item);
                }
                _ => {}
            }
        }
        unmatched
    }

    pub fn dead(&self) -> BTreeSet<String> {
        let mut dead = BTreeSet::new();
        for (_, record) in self.records() {
            match record {
                Record::Dropped { letter, dead: true, .. } => {
                    dead.insert(letter.to_string());
                }
                Record::Delivery { digest, verdict: DeliveryVerdict::Dead { .. }, .. } => {
                    dead.insert(digest.to_string());
                }
                Record::Settled { item, .. } => {
                    dead.remove(&item);
                }
                _ => {}
            }
        }
        dead
    }

    pub fn pauses(&self) -> Vec<(PauseCause, Position)> {
        let mut pauses = BTreeMap::new();
        for (at, record) in self.records() {
            match record {
                Record::Paused { cause, .. } => {
                    pauses.insert(cause, at);
                }
                Record::Resumed { cause, .. } => {
                    pauses.remove(&cause);
                }
                _ => {}
            }
        }
        pauses.into_iter().collect()
    }

    pub fn holds(&self) -> Vec<(ReferralId, Position)> {
        let mut holds = BTreeMap::new();
        for (at, record) in self.records() {
            match record {
                Record::Held { referral, .. } => {
                    holds.insert(referral, at);
                }
                Record::Released { referral, .. } => {
                    holds.remove(&referral);
                }
                _ => {}
            }
        }
        holds.into_iter().collect()
    }

    pub fn sealed(&self, token: &Token) -> Option<Sealed> {
        let last = self.all().into_iter().rev().find(|(_, entry)| entry.sealed.iter().any(|it| it.token == *token))?;
        last.1.sealed.iter().find(|it| it.token == *token).cloned()
    }

    pub fn key_slot(&self, patient: &PatientId) -> Option<u64> {
        self.records().into_iter().rev().find_map(|(_, record)| match record {
            Record::Keyed { patient: of, slot } if of == *patient => Some(slot),
            _ => None,
        })
    }

    pub fn consent(&self, address: &BlindedName) -> BTreeMap<Channel, (Position, bool)> {
        let mut last = BTreeMap::new();
        for (at, record) in self.records() {
            if let Record::Consented { address: of, channel, granted, .. } = record
                && of == *address
            {
                last.insert(channel, (at, granted));
            }
        }
        last
    }

    pub fn vendor(&self, vendor_id: &VendorMessageId) -> Option<LetterId> {
        self.records().into_iter().rev().find_map(|(_, record)| match record {
            Record::Received { letter, vendor_id: Some(id), .. } if id == *vendor_id => Some(letter),
            _ => None,
        })
    }

    pub fn reported(&self, vendor_id: &VendorMessageId) -> bool {
        let mut waits = false;
        for (_, record) in self.records() {
            match record {
                Record::Reported { vendor_id: of, .. } if of == *vendor_id => waits = true,
                Record::Received { vendor_id: Some(of), .. } if of == *vendor_id => waits = false,
                _ => {}
            }
        }
        waits
    }

    pub fn history(&self, referral: &ReferralId) -> Vec<Position> {
        let mut history = BTreeSet::new();
        for (at, record) in self.records() {
            if touched_by(&record).contains(referral) {
                history.insert(at);
            }
        }
        history.into_iter().collect()
    }

    pub fn search(&self, search: &Search) -> Vec<Position> {
        let referrals = self.referrals();
        let of_specialist = |id: &ReferralId, wanted: &String| {
            let specialist = referrals.get(id).and_then(|(_, it)| it.facts.order.specialist.as_ref());
            specialist.is_some_and(|it| it.id == *wanted)
        };
        let touched = |entry: &Entry| entry.records.iter().flat_map(touched_by).collect::<BTreeSet<_>>();
        // One and the same referral is all that is asked for.
        let narrowed = search.referral.is_some() || search.specialist.is_some();
        let meant = |id: &ReferralId| {
            search.referral.is_none_or(|wanted| wanted == *id)
                && search.specialist.as_ref().is_none_or(|wanted| of_specialist(id, wanted))
        };
        let wanted = |at: Position, entry: &Entry| {
            at > search.after
                && search.from.is_none_or(|from| entry.at >= from)
                && search.until.is_none_or(|until| entry.at < until)
                && search.kind.is_none_or(|kind| Kinds::of(entry).has(kind))
                && (!narrowed || touched(entry).iter().any(meant))
        };
        let found = self.all().into_iter().filter(|(at, entry)| wanted(*at, entry)).map(|(at, _)| at);
        found.take(search.limit).collect()
    }
}
