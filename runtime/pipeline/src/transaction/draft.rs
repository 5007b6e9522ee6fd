//! What one transaction is going to say. Stations add to it; the journal takes it whole or not at all.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use handoff_egress::pacing::EndpointQueues;
use handoff_engine::event::Event;
use handoff_engine::ids::{BlindedName, Digest, LetterId, ReferralId, StageKey};
use handoff_engine::letter::Letter;
use handoff_engine::referral::Referral;
use handoff_store::Json;
use handoff_store::entry::{Entry, Record, Sealed};
use handoff_vault::{Sealing, VaultError};

use super::lease::{Lease, Leases};

pub struct Draft<'a> {
    pub now: DateTime<Utc>,
    pub sealing: Sealing<'a>,
    records: Vec<Record>,
    /// Referrals as this transaction leaves them; what follows in it must see them so.
    referrals: BTreeMap<ReferralId, Arc<Referral>>,
    names: BTreeMap<BlindedName, ReferralId>,
    /// Of letters that this transaction takes back: nobody may take them up before it is committed.
    taken_back: Vec<Lease>,
}

impl<'a> Draft<'a> {
    pub fn new(now: DateTime<Utc>, sealing: Sealing<'a>) -> Draft<'a> {
        Draft {
            now,
            sealing,
            records: Vec::new(),
            referrals: BTreeMap::new(),
            names: BTreeMap::new(),
            taken_back: Vec::new(),
        }
    }

    pub fn record(&mut self, record: Record) {
        self.records.push(record);
    }

    /// As this transaction leaves them.
    pub fn referrals(&self) -> impl Iterator<Item = &Arc<Referral>> {
        self.referrals.values()
    }

    pub fn records(&self) -> &[Record] {
        &self.records
    }

    pub fn referral(&self, id: ReferralId) -> Option<&Arc<Referral>> {
        self.referrals.get(&id)
    }

    /// Names under which later deliveries find the referral, blinded.
    pub fn named_as(&mut self, referral: ReferralId, names: Vec<BlindedName>) {
        self.names.extend(names.iter().map(|name| (name.clone(), referral)));
        self.record(Record::Named { referral, names });
    }

    pub fn named(&self, name: &BlindedName) -> Option<ReferralId> {
        self.names.get(name).copied()
    }

    /// Those that this transaction gives.
    pub fn names(&self) -> impl Iterator<Item = &BlindedName> {
        self.names.keys()
    }

    pub fn happened(&mut self, referral: ReferralId, event: Event) {
        self.record(Record::Happened { referral, event });
    }

    pub fn ignored(&mut self, referral: ReferralId, because: String) {
        self.record(Record::Ignored { referral, because });
    }

    pub fn stepped(&mut self, referral: Arc<Referral>, because: String) {
        self.referrals.insert(referral.id, Arc::clone(&referral));
        self.record(Record::Stepped { referral, because });
    }

    /// What `call` leaves out or has as tokens must stand in this transaction or before: see [`Record::Decided`].
    pub fn decided(
        &mut self,
        referral: Option<ReferralId>,
        stage: &StageKey,
        plugin: Digest,
        call: Json,
        answer: Digest,
    ) {
        self.record(Record::Decided { referral, stage: stage.clone(), plugin, call, answer });
    }

    /// False when somebody is carrying the letter. One that waits in a lane is carried by nobody.
    pub fn take_back(&mut self, leases: &Leases, lanes: &EndpointQueues, letter: LetterId) -> bool {
        let waited = || lanes.forget(letter).then(|| leases.take_over(letter));
        let lease = leases.take(letter).or_else(waited);
        let taken = lease.is_some();
        self.taken_back.extend(lease);
        taken
    }

    /// Letters of a referral that this transaction owes and has not taken back.
    pub fn queued(&self, referral: ReferralId) -> Vec<Letter> {
        let mut owed = BTreeMap::new();
        for record in &self.records {
            if let Record::Queued { letter, .. } = record
                && letter.id.referral == referral
            {
                owed.insert(letter.id, letter.clone());
            }
            if let Record::Dropped { letter, .. } = record {
                owed.remove(letter);
            }
        }
        owed.into_values().collect()
    }

    /// Owes a letter.
    pub fn queue(&mut self, letter: Letter) {
        self.record(Record::Queued { letter, doubt: None });
    }

    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// The transaction as the journal takes it: keys first, since what follows is sealed with them. Its last entry says what
    /// happened; those before only hold what it seals and has no room for, and without it they mean nothing. With them, the
    /// leases to be held until it is committed.
    ///
    /// # Errors
    /// When a patient's key cannot be had from the key ring; nothing is committed then.
    pub fn into_entries(self) -> Result<(Vec<Entry>, Vec<Lease>), VaultError> {
        let Draft { now, sealing, records, taken_back, .. } = self;
        let (mut keyed, sealed) = sealing.finish()?;
        let mut entries = Vec::new();
        for sealed in Sealed::by_entry(sealed).into_iter().rev() {
            entries.push(Entry { at: now, records: std::mem::take(&mut keyed), sealed });
        }
        if let Some(last) = entries.last_mut() {
            last.records.extend(records);
        }
        Ok((entries, taken_back))
    }
}
