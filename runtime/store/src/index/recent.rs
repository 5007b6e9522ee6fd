//! The entries committed last, as they were given: what was just written down is what is asked for next, and reading it
//! back from the journal costs more than the commit did.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::entry::Entry;
use crate::journal::Numbered;
use crate::position::Position;

/// Entries kept: what some hundred referrals under way read back within a second. Some 16 MiB at the usual size.
const KEPT: usize = 2_048;

/// An entry that carries more sealed bytes than this is not kept: a scanned note of some MiB is read once.
const SEALED_MAX_BYTES: usize = 32 << 10;

#[derive(Default)]
pub struct Recent {
    /// Without gaps; the last one is the last that was committed.
    entries: VecDeque<Option<Arc<Entry>>>,
    last: Position,
}

impl Recent {
    pub fn take(&mut self, batch: &[Numbered]) {
        for (position, entry) in batch {
            if *position != self.last.next() {
                self.entries.clear();
            }
            if self.entries.len() == KEPT {
                self.entries.pop_front();
            }
            let sealed: usize = entry.sealed.iter().map(|it| it.bytes.len()).sum();
            self.entries.push_back((sealed <= SEALED_MAX_BYTES).then(|| entry.clone()));
            self.last = *position;
        }
    }

    pub fn get(&self, at: Position) -> Option<Arc<Entry>> {
        let back = usize::try_from(self.last.0.checked_sub(at.0)?).ok()?;
        self.entries.get(self.entries.len().checked_sub(back + 1)?)?.clone()
    }

    /// What is purged is gone from here as well.
    pub fn forget(&mut self) {
        self.entries.clear();
    }
}
