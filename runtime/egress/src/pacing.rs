//! Letters wait here for their endpoint, each endpoint's in a queue of its own: how fast it may be asked, and whether it
//! answers at all. In memory: after a restart every endpoint is believed to be well until it proves otherwise.
//!
//! Invariants: a letter that waits burns no attempt and keeps its place in due order. A queue never holds up another.

mod circuit_breaker;
mod health;
mod queue;
mod token_bucket;

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use handoff_engine::ids::LetterId;
use parking_lot::{Mutex, MutexGuard};

use self::health::Health;
pub use self::queue::QueueState;
use self::queue::{EndpointQueue, Ready};
use crate::egress::Performed;
use crate::rate::Rate;

/// A vendor that has not answered for so long is passed over, where the workflow names another.
const NEXT_VENDOR_AFTER: TimeDelta = TimeDelta::minutes(15);

/// The only vendor of a channel is waited for until now: a text that is hours late is worth more than none, one that is
/// half a day late is not. Then the referral hears of it, and its workflow chooses another channel.
const NEXT_CHANNEL_AFTER: TimeDelta = TimeDelta::hours(4);

/// How long a letter waits for an endpoint that does not answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Patience {
    UntilNextVendor,
    UntilNextChannel,
    /// There is nowhere else to go, or it is in doubt whether this vendor has acted: only it can say.
    Endless,
}

impl Patience {
    fn lasts(self) -> Option<TimeDelta> {
        match self {
            Patience::UntilNextVendor => Some(NEXT_VENDOR_AFTER),
            Patience::UntilNextChannel => Some(NEXT_CHANNEL_AFTER),
            Patience::Endless => None,
        }
    }
}

/// A letter that wants to ask.
#[derive(Clone, Copy, Debug)]
pub struct Waiter {
    pub letter: LetterId,
    /// Its place among those that wait.
    pub due: DateTime<Utc>,
    pub patience: Patience,
}

/// What a letter hears at its endpoint.
pub enum Admission {
    Go(Permit),
    /// It is called when its turn has come.
    Wait,
    /// The endpoint has not answered since then, which is longer than the letter's patience.
    Leave {
        since: DateTime<Utc>,
    },
}

/// Leave to ask one endpoint, for one conversation. Dropped, it is given back.
pub struct Permit {
    queues: Arc<EndpointQueues>,
    endpoint: String,
    is_probe: bool,
    /// Whether the next request has been counted already.
    prepaid: bool,
}

pub struct EndpointQueues {
    queues: Mutex<BTreeMap<String, EndpointQueue>>,
}

impl EndpointQueues {
    pub fn new(rates: impl Iterator<Item = (String, Option<Rate>)>) -> EndpointQueues {
        EndpointQueues { queues: Mutex::new(rates.map(|(name, rate)| (name, EndpointQueue::new(rate))).collect()) }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, EndpointQueue>> {
        self.queues.lock()
    }

    fn pass(self: &Arc<Self>, endpoint: &str, is_probe: bool) -> Permit {
        Permit { queues: Arc::clone(self), endpoint: endpoint.into(), is_probe, prepaid: true }
    }

    /// Asks for leave to begin a conversation.
    pub fn enter(self: &Arc<Self>, endpoint: &str, comer: Waiter, now: DateTime<Utc>) -> Admission {
        let mut queues = self.lock();
        // An endpoint that there is not has no queue; egress will say so.
        let Some(queue) = queues.get_mut(endpoint) else { return Admission::Go(self.pass(endpoint, false)) };
        queue.see(now);
        if queue.is_next(comer) {
            let is_probe = queue.let_through(now);
            return Admission::Go(self.pass(endpoint, is_probe));
        }
        match queue.given_up(comer.patience, now) {
            Some(since) => Admission::Leave { since },
            None => {
                queue.wait(comer);
                Admission::Wait
            }
        }
    }

    /// A conversation that is under way already has to ask another endpoint as well: it does not wait in the middle.
    pub fn join(self: &Arc<Self>, endpoint: &str, now: DateTime<Utc>) -> Permit {
        let mut queues = self.lock();
        let is_probe = queues.get_mut(endpoint).is_some_and(|queue| queue.let_through(now));
        self.pass(endpoint, is_probe)
    }

    /// Since when an endpoint has not answered, if that is longer than this patience.
    pub fn given_up(&self, endpoint: &str, patience: Patience, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let mut queues = self.lock();
        let queue = queues.get_mut(endpoint)?;
        queue.see(now);
        queue.given_up(patience, now)
    }

    /// The letter, of all that wait, that may go now and was due first; without a pass where its patience is at an end.
    pub fn call(self: &Arc<Self>, now: DateTime<Utc>) -> Option<(LetterId, Option<Permit>)> {
        let mut queues = self.lock();
        queues.values_mut().for_each(|queue| queue.see(now));
        let ready = queues.iter().filter_map(|(name, queue)| Some((queue.ready(now)?, name.clone())));
        let (ready, name) = ready.min_by_key(|(ready, _)| ready.place())?;
        let queue = queues.get_mut(&name)?;
        queue.remove(ready);
        Some(match ready {
            Ready::ToGo { place: (_, letter) } => (letter, Some(self.pass(&name, queue.let_through(now)))),
            Ready::ToLeave { place: (_, letter) } => (letter, None),
        })
    }

    /// Takes a letter out of the queue that it waits in. False when it waits in none.
    pub fn forget(&self, letter: LetterId) -> bool {
        self.lock().values_mut().any(|queue| queue.forget(letter))
    }

    /// When a letter that waits may go, or gives up waiting.
    pub fn next_call(&self) -> Option<DateTime<Utc>> {
        self.lock().values().filter_map(EndpointQueue::next_call).min()
    }

    /// How each endpoint is, for people and monitoring.
    pub fn states(&self, now: DateTime<Utc>) -> BTreeMap<String, QueueState> {
        let mut queues = self.lock();
        queues.iter_mut().map(|(name, queue)| (name.clone(), queue.state(now))).collect()
    }
}

impl Permit {
    pub fn is_for(&self, endpoint: &str) -> bool {
        self.endpoint == endpoint
    }

    /// One request leaves. Only the first of a conversation waits for its token; what the others take is waited for by
    /// whoever comes next, so that the rate holds over all.
    pub fn spend(&mut self, now: DateTime<Utc>) {
        if !std::mem::take(&mut self.prepaid)
            && let Some(queue) = self.queues.lock().get_mut(&self.endpoint)
        {
            queue.take_token(now);
        }
    }

    /// How the request ended.
    pub fn note(&mut self, performed: &Performed, now: DateTime<Utc>) {
        if let Some(queue) = self.queues.lock().get_mut(&self.endpoint) {
            let word = Health::of(performed, now);
            queue.note(&self.endpoint, word, std::mem::take(&mut self.is_probe), now);
        }
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        if let Some(queue) = self.queues.lock().get_mut(&self.endpoint) {
            queue.leave(self.is_probe);
        }
    }
}

#[cfg(test)]
mod tests;
