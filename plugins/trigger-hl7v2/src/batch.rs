//! Several orders or results in one message, one of which cannot be read: the others are not to wait for it.

use crate::message::{Message, Segment};
use crate::order;
use crate::problem::Fault;
use crate::reading::Meant;

/// What is made out of a message's orders or results, each by itself.
#[derive(Default)]
pub struct Batch<'a> {
    read: Vec<One<'a>>,
}

struct One<'a> {
    /// What it is told by, beside what stands before the first of the message.
    segments: Vec<Segment<'a>>,
    meant: Result<Meant, Fault>,
}

/// One of several, as a message of its own.
pub struct Part {
    /// Its segments, by their places in the message.
    pub segments: Vec<usize>,
    /// What is wrong with it, told by its place in the whole message.
    pub fault: Option<Fault>,
}

impl<'a> Batch<'a> {
    pub fn take(&mut self, segments: Vec<Segment<'a>>, meant: Result<Meant, Fault>) {
        self.read.push(One { segments, meant });
    }

    /// All that happened; or, where one of several is at fault, each by itself. What is no concern of ours is none of them.
    pub fn meant(self, message: &Message<'a>) -> Result<Meant, Fault> {
        let is_ours = |one: &&One<'a>| !matches!(one.meant, Ok(Meant::NotForUs(_)));
        let several = self.read.iter().filter(is_ours).count() > 1;
        if several && self.read.iter().any(|one| one.meant.is_err()) {
            let parts = self.read.into_iter().filter(|one| is_ours(&one)).map(|one| Part {
                segments: message.places(&order::scope(message, &one.segments)),
                fault: one.meant.err(),
            });
            return Ok(Meant::Parts(parts.collect()));
        }
        let (mut events, mut reasons) = (Vec::new(), Vec::new());
        for one in self.read {
            match one.meant? {
                Meant::Events(more) => events.extend(more),
                Meant::NotForUs(reason) => reasons.push(reason),
                // One order is not cut further.
                Meant::Parts(_) => {}
            }
        }
        Ok(if events.is_empty() {
            Meant::NotForUs(reasons.into_iter().next().unwrap_or_default())
        } else {
            Meant::Events(events)
        })
    }
}
