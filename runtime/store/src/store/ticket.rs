//! A promise that an entry is durable, signed and visible. Works with any executor, and without one.

use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::Thread;

use parking_lot::Mutex;

use crate::entry::Entry;
use crate::journal::{AppendError, EncodeError, PAYLOAD_MAX_BYTES, Poison, SEGMENT_MAX_BYTES};
use crate::position::Position;

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CommitError {
    #[error(
        "an entry of {size} bytes is beyond the journal's limit of {PAYLOAD_MAX_BYTES}; refuse such deliveries earlier"
    )]
    TooLarge { size: usize },
    #[error("a batch of {size} bytes does not fit a journal segment of {SEGMENT_MAX_BYTES}; commit it in parts")]
    BatchTooLarge { size: u64 },
    #[error("an entry cannot be written as JSON; a number in it is not finite, or a map's key is no text")]
    NotJson,
    #[error(transparent)]
    Poisoned(#[from] Poison),
    #[error("the entry is durable, but the index failed and cannot show it; start again, and the index is rebuilt")]
    IndexFailed,
    #[error("the store is closed")]
    Closed,
}

impl From<EncodeError> for CommitError {
    fn from(error: EncodeError) -> CommitError {
        match error {
            EncodeError::TooLarge { size } => CommitError::TooLarge { size },
            EncodeError::Json(_) => CommitError::NotJson,
        }
    }
}

impl From<AppendError> for CommitError {
    fn from(error: AppendError) -> CommitError {
        match error {
            AppendError::Poisoned(poison) => CommitError::Poisoned(poison),
            AppendError::BatchTooLarge { size } => CommitError::BatchTooLarge { size },
        }
    }
}

pub type Committed = Result<Position, CommitError>;

/// Resolves to the entry's position.
#[must_use = "an entry counts only once its ticket says so"]
pub struct Ticket {
    slot: Arc<Slot>,
    /// Freed by the thread that made it, where that costs least: an entry is some dozens of allocations.
    _entry: Option<Arc<Entry>>,
}

/// Where the store puts the answer.
pub struct Slot {
    state: Mutex<State>,
}

enum State {
    Waiting(Option<Waker>),
    Done(Committed),
}

impl Slot {
    pub fn new(entry: Option<Arc<Entry>>) -> (Ticket, Arc<Slot>) {
        let slot = Arc::new(Slot { state: Mutex::new(State::Waiting(None)) });
        (Ticket { slot: slot.clone(), _entry: entry }, slot)
    }

    pub fn complete(&self, result: Committed) {
        let before = {
            let mut state = self.state.lock();
            std::mem::replace(&mut *state, State::Done(result))
        };
        if let State::Waiting(Some(waker)) = before {
            waker.wake();
        }
    }
}

impl Future for Ticket {
    type Output = Committed;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Committed> {
        let mut state = self.slot.state.lock();
        match &mut *state {
            State::Done(result) => Poll::Ready(result.clone()),
            State::Waiting(Some(waker)) if waker.will_wake(context.waker()) => Poll::Pending,
            State::Waiting(waker) => {
                *waker = Some(context.waker().clone());
                Poll::Pending
            }
        }
    }
}

impl Ticket {
    /// Blocks this thread until the answer is there. Not for use inside an async task.
    pub fn wait(self) -> Committed {
        let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
        let mut context = Context::from_waker(&waker);
        let mut ticket = pin!(self);
        loop {
            match ticket.as_mut().poll(&mut context) {
                Poll::Ready(result) => return result,
                Poll::Pending => std::thread::park(),
            }
        }
    }
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}
