//! A vault and an index for this crate's tests.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Mutex;

use handoff_engine::ids::{PatientId, Token};
use handoff_store::entry::{Record, Sealed};
use rand::SeedableRng as _;
use rand::rngs::StdRng;

use super::{Dice, Lookup, MasterKey, Vault};

/// An index of two maps.
#[derive(Default)]
pub(crate) struct Index {
    sealed: Mutex<HashMap<Token, Sealed>>,
    slots: Mutex<HashMap<PatientId, u64>>,
}

impl Lookup for Index {
    fn sealed(&self, token: &Token) -> Option<Sealed> {
        self.sealed.lock().expect("unpoisoned").get(token).cloned()
    }

    fn slot(&self, patient: &PatientId) -> Option<u64> {
        self.slots.lock().expect("unpoisoned").get(patient).copied()
    }
}

impl Index {
    /// What applying a journal entry does.
    pub(crate) fn apply(&self, (records, sealed): (Vec<Record>, Vec<Sealed>)) {
        for record in records {
            if let Record::Keyed { patient, slot } = record {
                self.slots.lock().expect("unpoisoned").insert(patient, slot);
            }
        }
        for sealed in sealed {
            self.sealed.lock().expect("unpoisoned").insert(sealed.token.clone(), sealed);
        }
    }
}

pub(crate) fn dice(seed: u64) -> Dice {
    Box::new(StdRng::seed_from_u64(seed))
}

pub(crate) fn master() -> MasterKey {
    MasterKey::generate(&mut StdRng::seed_from_u64(1))
}

pub(crate) fn vault(dir: &Path) -> Vault {
    Vault::open(dir, master(), dice(2), 0).expect("opened")
}
