//! One at a time: whoever changes a referral holds it, and whoever may create one holds its names.

use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use tokio::sync::{Mutex, OwnedMutexGuard};

/// Enough that two of a few hundred concurrent deliveries rarely meet, few enough to cost nothing.
const STRIPES: usize = 4096;

pub type Held = OwnedMutexGuard<()>;

/// Locks by key. Two keys may share one, so several are always taken together and in order.
pub struct Locks {
    stripes: Vec<Arc<Mutex<()>>>,
}

impl Default for Locks {
    fn default() -> Locks {
        Locks { stripes: (0..STRIPES).map(|_| Arc::default()).collect() }
    }
}

impl Locks {
    fn stripe(key: &impl Hash) -> usize {
        // A fixed key: the same keys meet in every run, so a run can be repeated.
        let mut hasher = DefaultHasher::new();
        key.hash(&mut hasher);
        (hasher.finish() % STRIPES as u64) as usize
    }

    pub async fn hold<K: Hash>(&self, keys: Vec<K>) -> Vec<Held> {
        let stripes: BTreeSet<usize> = keys.iter().map(Locks::stripe).collect();
        let mut held = Vec::with_capacity(stripes.len());
        for stripe in stripes {
            held.push(self.stripes[stripe].clone().lock_owned().await);
        }
        held
    }

    pub async fn hold_one<K: Hash>(&self, key: K) -> Held {
        self.stripes[Locks::stripe(&key)].clone().lock_owned().await
    }
}
