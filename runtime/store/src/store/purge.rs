//! Retention: forgets what is old enough, and nothing that is still needed or held.
//!
//! Whole segments go; their seals stay, so the chain remains proven. A segment stays while any referral in it is under
//! way or held, or anything in it waits for a person. What outlives a referral (consent, key slots, deployments) and what
//! a younger referral still leans on (names, sealed data) is committed anew before its segment goes.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use handoff_engine::ids::{BlindedName, PatientId, ReferralId};

use crate::entry::{Entry, Record, Sealed};
use crate::index::{IndexError, PAGE_MAX, ReferralFilter, RowKey, keys, touched_by};
use crate::journal::{Closed, Numbered, PurgeError, ReadError};
use crate::position::Position;
use crate::store::applier::{absolve, condemn};
use crate::store::{CommitError, Store};

/// What to forget.
#[derive(Clone, Debug)]
pub struct Purge {
    /// Entries before this moment. A segment goes only when all of its entries are.
    pub before: DateTime<Utc>,
    /// The present, for what is committed anew.
    pub now: DateTime<Utc>,
}

/// What was forgotten.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Purged {
    pub segments: Vec<u64>,
    pub entries: u64,
    /// Entries that were committed anew to keep what is still needed.
    pub carried: u64,
}

#[derive(Debug, thiserror::Error)]
pub enum StorePurgeError {
    #[error("the journal cannot be read")]
    Read(#[from] ReadError),
    #[error("the index cannot be read")]
    Index(#[from] IndexError),
    #[error("what is still needed could not be committed anew; nothing was purged")]
    Carry(#[from] CommitError),
    #[error("a segment was not purged")]
    Purge(#[from] PurgeError),
    #[error("the store's folder cannot be written")]
    Folder(#[source] std::io::Error),
}

impl Store {
    /// Purges what retention allows and no legal hold keeps. Commits go on meanwhile. Interrupted, it can simply be run
    /// again.
    pub fn purge(&self, purge: &Purge) -> Result<Purged, StorePurgeError> {
        let held: BTreeSet<ReferralId> = self.index().holds()?.iter().map(|hold| hold.referral).collect();
        let mut going = Vec::new();
        for closed in self.inner.reader.closed_before(purge.before.timestamp_millis()) {
            let entries = self.entries_of(closed)?;
            if !self.is_needed(&entries, &held)? {
                going.push((closed, entries));
            }
        }
        if going.is_empty() {
            return Ok(Purged::default());
        }
        let gone = |at: Position| going.iter().any(|(closed, _)| closed.first <= at && at <= closed.last);
        let carried = self.carry(going.iter().flat_map(|(_, entries)| entries), &gone, purge.now)?;
        // From here until the end a crash leaves rows that point nowhere: the next start would build the index anew.
        condemn(&self.inner.dir).map_err(StorePurgeError::Folder)?;
        let mut purged = Purged { carried, ..Purged::default() };
        for (closed, entries) in &going {
            self.inner.reader.purge(closed.number)?;
            self.inner.index.forget(entries, gone)?;
            purged.segments.push(closed.number);
            purged.entries += entries.len() as u64;
        }
        self.settle()?;
        absolve(&self.inner.dir).map_err(StorePurgeError::Folder)?;
        Ok(purged)
    }

    fn entries_of(&self, closed: Closed) -> Result<Vec<Numbered>, ReadError> {
        let within = |entry: &Result<Numbered, ReadError>| match entry {
            Ok((position, _)) => *position <= closed.last,
            Err(_) => true,
        };
        self.entries(closed.first).take_while(within).collect()
    }

    fn is_needed(&self, entries: &[Numbered], held: &BTreeSet<ReferralId>) -> Result<bool, StorePurgeError> {
        let index = &self.inner.index;
        let mut seen = BTreeSet::new();
        for (position, entry) in entries {
            for record in &entry.records {
                for referral in touched_by(record) {
                    if held.contains(&referral) || (seen.insert(referral) && index.is_under_way(&referral)?) {
                        return Ok(true);
                    }
                }
                if let Some(item) = dead_item(record)
                    && index.stands_for(&keys::dead(&item), *position)?
                {
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }

    /// Commits anew what must outlive its segment, and returns in how many entries.
    fn carry<'a>(
        &self,
        entries: impl Iterator<Item = &'a Numbered> + Clone,
        gone: &impl Fn(Position) -> bool,
        now: DateTime<Utc>,
    ) -> Result<u64, StorePurgeError> {
        let index = &self.inner.index;
        let staying = self.staying(gone)?;
        let patients: BTreeSet<&PatientId> = staying.values().collect();
        let mut lasting = Vec::new();
        let mut names: BTreeMap<ReferralId, BTreeSet<BlindedName>> = BTreeMap::new();
        let mut sealed: BTreeMap<&PatientId, Vec<Sealed>> = BTreeMap::new();
        for (position, entry) in entries {
            for record in &entry.records {
                if let Record::Named { referral, names: given } = record
                    && staying.contains_key(referral)
                {
                    names.entry(*referral).or_default().extend(given.iter().cloned());
                }
                if let Some(row) = lasting_row(record)
                    && index.stands_for(&row, *position)?
                {
                    lasting.push(record.clone().carried_from(entry.at));
                }
            }
            for piece in &entry.sealed {
                if patients.contains(&piece.patient) && index.sealed_at(&piece.token)? == Some(*position) {
                    sealed.entry(&piece.patient).or_default().push(piece.clone());
                }
            }
        }
        let mut tickets = Vec::new();
        for records in lasting.chunks(RECORDS_AT_ONCE) {
            tickets.push(self.commit(Entry { at: now, records: records.to_vec(), sealed: Vec::new() }));
        }
        for (referral, patient) in &staying {
            let names = names.remove(referral).unwrap_or_default();
            let pieces = sealed.get(patient).cloned().unwrap_or_default();
            if names.is_empty() && pieces.is_empty() {
                continue;
            }
            let record = Record::Named { referral: *referral, names: names.into_iter().collect() };
            let mut records = vec![record];
            for sealed in Sealed::by_entry(pieces) {
                tickets.push(self.commit(Entry { at: now, records: std::mem::take(&mut records), sealed }));
            }
        }
        let carried = tickets.len() as u64;
        tickets.into_iter().try_for_each(|ticket| ticket.wait().map(|_| ()))?;
        Ok(carried)
    }

    /// Referrals whose last step stays, with their patients.
    fn staying(&self, gone: &impl Fn(Position) -> bool) -> Result<BTreeMap<ReferralId, PatientId>, IndexError> {
        let mut staying = BTreeMap::new();
        let mut after = None;
        loop {
            let page = self.index().referrals(&ReferralFilter::default(), after, PAGE_MAX)?;
            let Some(last) = page.last() else { return Ok(staying) };
            after = Some(last.id);
            staying.extend(page.into_iter().filter(|it| !gone(it.stepped)).map(|it| (it.id, it.patient)));
        }
    }
}

/// What may wait for a person because of this record.
fn dead_item(record: &Record) -> Option<String> {
    match record {
        Record::Dropped { letter, dead, .. } => dead.then(|| letter.to_string()),
        Record::Delivery { digest, .. } => Some(digest.to_string()),
        Record::Named { .. }
        | Record::Consented { .. }
        | Record::Keyed { .. }
        | Record::Deployed { .. }
        | Record::Happened { .. }
        | Record::Stepped { .. }
        | Record::Ignored { .. }
        | Record::Decided { .. }
        | Record::Queued { .. }
        | Record::Asked { .. }
        | Record::Answered { .. }
        | Record::Deferred { .. }
        | Record::Received { .. }
        | Record::Reported { .. }
        | Record::Refused { .. }
        | Record::Settled { .. }
        | Record::Looked { .. }
        | Record::Account { .. }
        | Record::SignedIn { .. }
        | Record::SignedOut { .. }
        | Record::SignInRefused { .. }
        | Record::LockedOut { .. }
        | Record::BrokeGlass { .. }
        | Record::Held { .. }
        | Record::Released { .. }
        | Record::Paused { .. }
        | Record::Resumed { .. }
        | Record::Purged { .. }
        | Record::Rotated { .. }
        | Record::BackedUp { .. } => None,
    }
}

/// The row of what outlives the referrals that it came with, if the record is of that sort.
fn lasting_row(record: &Record) -> Option<RowKey> {
    match record {
        Record::Consented { address, channel, .. } => Some(keys::consent(address, *channel)),
        Record::Keyed { patient, .. } => Some(keys::key_slot(patient)),
        Record::Deployed { deployment, .. } => Some(keys::deployment(deployment)),
        Record::Paused { cause, .. } => Some(keys::pause(*cause)),
        // A referral's names last as long as the referral does.
        Record::Named { .. } => None,
        Record::Dropped { .. }
        | Record::Delivery { .. }
        | Record::Happened { .. }
        | Record::Stepped { .. }
        | Record::Ignored { .. }
        | Record::Decided { .. }
        | Record::Queued { .. }
        | Record::Asked { .. }
        | Record::Answered { .. }
        | Record::Deferred { .. }
        | Record::Received { .. }
        | Record::Reported { .. }
        | Record::Refused { .. }
        | Record::Settled { .. }
        | Record::Looked { .. }
        | Record::Account { .. }
        | Record::SignedIn { .. }
        | Record::SignedOut { .. }
        | Record::SignInRefused { .. }
        | Record::LockedOut { .. }
        | Record::BrokeGlass { .. }
        | Record::Held { .. }
        | Record::Released { .. }
        | Record::Resumed { .. }
        | Record::Purged { .. }
        | Record::Rotated { .. }
        | Record::BackedUp { .. } => None,
    }
}

/// Records in one entry of what lasts: far below the largest entry.
const RECORDS_AT_ONCE: usize = 1_000;
