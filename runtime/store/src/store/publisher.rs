//! Makes durable entries visible, then completes their tickets: whoever holds a completed ticket reads its own write.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

use crate::entry::Entry;
use crate::index::Index as _;
use crate::position::Position;
use crate::store::LiveIndex;
use crate::store::applier::Applier;
use crate::store::ticket::{CommitError, Slot};

/// Batches between the writer and the publisher: enough that neither waits for the other's hiccup.
const BATCHES_WAITING_MAX: usize = 4;

pub struct Durable {
    pub position: Position,
    pub entry: Arc<Entry>,
    pub slot: Arc<Slot>,
}

/// The writer's end.
pub struct Publisher {
    batches: SyncSender<Vec<Durable>>,
    failed: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

impl Publisher {
    /// Hands a batch over; waits when the publisher is behind. `false` once the index has failed: nothing more can be
    /// shown, so nothing more should be taken.
    pub fn publish(&self, batch: Vec<Durable>) -> bool {
        self.batches.send(batch).is_ok() && !self.failed.load(Ordering::Acquire)
    }

    /// Lets it finish what it has.
    pub fn end(self) {
        drop(self.batches);
        if self.thread.join().is_err() {
            tracing::error!("the publisher ended in a panic; the journal has what was acknowledged");
        }
    }
}

pub fn start(index: Arc<LiveIndex>, applier: Arc<Applier>) -> Publisher {
    let (batches, arriving) = sync_channel(BATCHES_WAITING_MAX);
    let failed = Arc::new(AtomicBool::new(false));
    let thread = std::thread::spawn({
        let failed = failed.clone();
        move || run(&arriving, &index, &applier, &failed)
    });
    Publisher { batches, failed, thread }
}

fn run(arriving: &Receiver<Vec<Durable>>, index: &LiveIndex, applier: &Applier, failed: &AtomicBool) {
    while let Ok(batch) = arriving.recv() {
        let entries: Vec<_> = batch.iter().map(|durable| (durable.position, durable.entry.clone())).collect();
        let visible = !failed.load(Ordering::Acquire) && {
            let applied = index.apply(&entries);
            if let Err(error) = &applied {
                tracing::error!(%error, "the index failed");
                applier.condemn();
            }
            applied.is_ok() && applier.make_room()
        };
        failed.fetch_or(!visible, Ordering::AcqRel);
        drop(entries);
        for Durable { position, entry, slot } in batch {
            // Before the ticket, so that its holder frees the entry.
            drop(entry);
            slot.complete(if visible { Ok(position) } else { Err(CommitError::IndexFailed) });
        }
    }
}
