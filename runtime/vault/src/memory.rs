//! What an index knows of sealed data, in memory: for whoever has no store.

use std::collections::HashMap;

use handoff_engine::ids::{PatientId, Token};
use handoff_store::entry::{Record, Sealed};
use parking_lot::Mutex;

use crate::Lookup;

#[derive(Default)]
pub struct MemoryLookup(Mutex<Known>);

#[derive(Default)]
struct Known {
    sealed: HashMap<Token, Sealed>,
    slots: HashMap<PatientId, u64>,
}

impl MemoryLookup {
    /// Takes over what [`crate::Sealing::finish`] gave, as a store does with a journal entry.
    pub fn apply(&self, (records, sealed): (Vec<Record>, Vec<Sealed>)) {
        let mut known = self.0.lock();
        for record in records {
            if let Record::Keyed { patient, slot } = record {
                known.slots.insert(patient, slot);
            }
        }
        known.sealed.extend(sealed.into_iter().map(|sealed| (sealed.token.clone(), sealed)));
    }
}

impl Lookup for MemoryLookup {
    fn sealed(&self, token: &Token) -> Option<Sealed> {
        self.0.lock().sealed.get(token).cloned()
    }

    fn slot(&self, patient: &PatientId) -> Option<u64> {
        self.0.lock().slots.get(patient).copied()
    }
}
