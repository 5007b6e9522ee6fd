//! Places for calls: as many as the pool has. Who finds none waits, and that is the back-pressure the line feels.

use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

pub(crate) struct Slots {
    free: Mutex<u32>,
    freed: Condvar,
}

/// A taken place; dropping it gives it back.
pub(crate) struct Slot<'a>(&'a Slots);

impl Slots {
    pub fn new(count: u32) -> Slots {
        Slots { free: Mutex::new(count), freed: Condvar::new() }
    }

    /// Waits for a place, at most for `wait`.
    pub fn take(&self, wait: Duration) -> Option<Slot<'_>> {
        let free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        let (mut free, _) =
            self.freed.wait_timeout_while(free, wait, |free| *free == 0).unwrap_or_else(PoisonError::into_inner);
        *free = free.checked_sub(1)?;
        Some(Slot(self))
    }
}

impl Drop for Slot<'_> {
    fn drop(&mut self) {
        *self.0.free.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        self.0.freed.notify_one();
    }
}
