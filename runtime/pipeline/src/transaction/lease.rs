//! One worker a letter: whoever carries a letter, or takes it back, holds its lease.

use std::collections::HashSet;
use std::sync::Arc;

use handoff_engine::error_chain::Chain;
use handoff_engine::ids::LetterId;
use handoff_store::Store;
use parking_lot::{Mutex, MutexGuard};

/// Letters that somebody is working on, or that wait for their endpoint. In memory: after a crash nobody is.
#[derive(Clone)]
pub struct Leases {
    held: Arc<Mutex<HashSet<LetterId>>>,
    store: Store,
}

/// Dropped, the letter is due again as its last record says.
pub struct Lease {
    leases: Leases,
    pub(crate) letter: LetterId,
    /// Its endpoint's queue has it: held on, without this.
    is_left: bool,
}

impl Lease {
    /// Leaves the letter to its endpoint's queue, which holds it from now on.
    pub(crate) fn leave_to_queue(mut self) {
        self.is_left = true;
    }
}

impl Leases {
    pub fn new(store: Store) -> Leases {
        Leases { held: Arc::default(), store }
    }

    pub(crate) fn take(&self, letter: LetterId) -> Option<Lease> {
        self.held().insert(letter).then(|| self.take_over(letter))
    }

    /// Takes over a letter that a queue held.
    pub(crate) fn take_over(&self, letter: LetterId) -> Lease {
        Lease { leases: self.clone(), letter, is_left: false }
    }

    fn held(&self) -> MutexGuard<'_, HashSet<LetterId>> {
        self.held.lock()
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if self.is_left {
            return;
        }
        self.leases.held().remove(&self.letter);
        if let Err(error) = self.leases.store.index().give_letter_back(&self.letter) {
            let error = Chain(&error);
            tracing::error!(letter = %self.letter, %error, "a letter is taken up again after the next start only");
        }
    }
}
