//! Places for calls: as many as the pool has. Who finds none waits, and that is the back-pressure the line feels.

use std::time::Duration;

use parking_lot::{Condvar, Mutex};

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
        let mut free = self.free.lock();
        self.freed.wait_while_for(&mut free, |free| *free == 0, wait);
        *free = free.checked_sub(1)?;
        Some(Slot(self))
    }
}

impl Drop for Slot<'_> {
    fn drop(&mut self) {
        *self.0.free.lock() += 1;
        self.0.freed.notify_one();
    }
}
