//! The threads' work, done by whoever commits: for a simulation, which has to come out the same each time. The index is
//! carried over when somebody settles it, and lags behind until then.

use std::sync::Arc;

use ed25519_dalek::SigningKey;
use parking_lot::{Mutex, MutexGuard};

use crate::entry::Entry;
use crate::index::{Index as _, IndexError};
use crate::journal::{Encoded, Journal};
use crate::store::ticket::{CommitError, Committed};
use crate::store::{Live, LiveIndex};

pub struct Inline {
    journal: Mutex<Journal>,
    live: Arc<Live>,
}

impl Inline {
    pub fn new(journal: Journal, live: Arc<Live>) -> Inline {
        Inline { journal: Mutex::new(journal), live }
    }

    pub fn commit(&self, encoded: Encoded, entry: Arc<Entry>, index: &LiveIndex) -> Committed {
        let mut journal = self.journal();
        let position = journal.append_encoded(&[encoded])?;
        index.apply(&[(position, entry)]).map(|()| position).map_err(|_| CommitError::IndexFailed)
    }

    pub fn rotate(&self, key: SigningKey) -> Result<(), CommitError> {
        Ok(self.journal().rotate(key)?)
    }

    pub fn healthy(&self) -> Result<(), CommitError> {
        self.journal().poison().map_or(Ok(()), |poison| Err(poison.clone().into()))
    }

    pub fn settle(&self) -> Result<(), IndexError> {
        self.live.settle()
    }

    pub fn backlog_bytes(&self) -> usize {
        self.live.backlog_bytes()
    }

    fn journal(&self) -> MutexGuard<'_, Journal> {
        self.journal.lock()
    }
}
