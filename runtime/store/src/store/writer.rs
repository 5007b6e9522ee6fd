//! The one thread that writes the journal.

use std::sync::Arc;
use std::thread::JoinHandle;

use crate::journal::{Encoded, Journal};
use crate::position::Position;
use crate::store::publisher::{Durable, Publisher};
use crate::store::queue::{Job, Next, Queue};
use crate::store::ticket::CommitError;

pub fn start(journal: Journal, queue: Arc<Queue>, publisher: Publisher) -> JoinHandle<()> {
    std::thread::spawn(move || run(journal, &queue, publisher))
}

fn run(mut journal: Journal, queue: &Queue, publisher: Publisher) {
    while let Some(next) = queue.next() {
        match next {
            Next::Batch(jobs) => write(&mut journal, queue, &publisher, jobs),
            Next::Rotate { key, slot } => {
                let rotated = journal.rotate(*key).map(|()| journal.last());
                slot.complete(rotated.map_err(CommitError::from));
            }
        }
        if let Some(poison) = journal.poison() {
            queue.fail(&CommitError::from(poison.clone()));
        }
    }
    publisher.end();
}

fn write(journal: &mut Journal, queue: &Queue, publisher: &Publisher, jobs: Vec<Job>) {
    let before = journal.last();
    let mut encoded: Vec<Encoded> = Vec::with_capacity(jobs.len());
    let mut waiting = Vec::with_capacity(jobs.len());
    for (job, number) in jobs.into_iter().zip(before.0 + 1..) {
        encoded.push(job.encoded);
        waiting.push(Durable { position: Position(number), entry: job.entry, slot: job.slot });
    }
    match journal.append_encoded(&encoded) {
        Ok(_) => {
            if !publisher.publish(waiting) {
                queue.fail(&CommitError::IndexFailed);
            }
        }
        Err(error) => {
            let error = CommitError::from(error);
            waiting.into_iter().for_each(|durable| durable.slot.complete(Err(error.clone())));
        }
    }
}
