//! One endpoint's queue: who waits, who is under way, and when the next may go.

use std::collections::{BTreeSet, HashMap};

use chrono::{DateTime, SubsecRound as _, TimeDelta, Utc};
use handoff_engine::ids::LetterId;
use serde::Serialize;

use super::circuit_breaker::CircuitBreaker;
use super::health::Health;
use super::token_bucket::TokenBucket;
use super::{Patience, Waiter};
use crate::rate::Rate;

/// Conversations with one endpoint at once. Vendors and charts allow some tens of connections; we are not their only caller.
const UNDER_WAY_MAX: usize = 16;

/// When a letter was due, and which it is.
type Place = (DateTime<Utc>, LetterId);

#[derive(Debug)]
pub(super) struct EndpointQueue {
    bucket: Option<TokenBucket>,
    breaker: CircuitBreaker,
    /// The endpoint's own wish (Retry-After).
    pause: Option<Pause>,
    under_way: usize,
    waiting: Waiting,
    /// The latest that its clock showed.
    seen: DateTime<Utc>,
}

/// Those that wait, in due order, told apart by how long they do.
#[derive(Debug, Default)]
struct Waiting {
    for_next_vendor: BTreeSet<Place>,
    for_next_channel: BTreeSet<Place>,
    endlessly: BTreeSet<Place>,
    /// Where to look for a letter by its name.
    known: HashMap<LetterId, (DateTime<Utc>, Patience)>,
}

#[derive(Clone, Copy, Debug)]
struct Pause {
    since: DateTime<Utc>,
    until: DateTime<Utc>,
}

/// A letter that need not wait any longer.
#[derive(Clone, Copy, Debug)]
pub(super) enum Ready {
    ToGo { place: Place },
    ToLeave { place: Place },
}

/// How an endpoint is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct QueueState {
    /// `open` (requests go), `paused` (it asked for it), `down` (it does not answer), `trying` (one request finds out).
    pub state: &'static str,
    /// Since when it is paused or down.
    pub since: Option<DateTime<Utc>>,
    /// When it is asked again.
    pub until: Option<DateTime<Utc>>,
    pub waiting: usize,
    pub under_way: usize,
}

impl EndpointQueue {
    pub fn new(rate: Option<Rate>) -> EndpointQueue {
        EndpointQueue {
            bucket: rate.map(TokenBucket::new),
            breaker: CircuitBreaker::default(),
            pause: None,
            under_way: 0,
            waiting: Waiting::default(),
            seen: DateTime::<Utc>::MIN_UTC,
        }
    }

    /// A clock that was set back would else keep the queue closed until it has caught up.
    pub fn see(&mut self, now: DateTime<Utc>) {
        if now < self.seen {
            let back = self.seen - now;
            self.breaker.shift(back);
            self.bucket.iter_mut().for_each(|bucket| bucket.shift(back));
            if let Some(pause) = &mut self.pause {
                pause.since -= back;
                pause.until -= back;
            }
        }
        self.seen = now;
    }

    /// When the next may go, places permitting; nothing while one finds out whether anybody is there.
    fn opens_at(&self) -> Option<DateTime<Utc>> {
        let bucket = self.bucket.as_ref().map(TokenBucket::opens_at);
        let pause = self.pause.map(|pause| pause.until);
        let opens_at = self.breaker.opens_at()?;
        Some([bucket, pause].into_iter().flatten().fold(opens_at, DateTime::max))
    }

    fn is_open(&self, now: DateTime<Utc>) -> bool {
        self.under_way < UNDER_WAY_MAX && self.opens_at().is_some_and(|opens_at| opens_at <= now)
    }

    /// Whether this letter may go, and nobody who was due before it waits.
    pub fn is_next(&self, comer: Waiter) -> bool {
        self.is_open(self.seen) && self.waiting.first().is_none_or(|(first, _)| (comer.due, comer.letter) <= first)
    }

    /// One goes. Whether it is the one that finds out.
    pub fn let_through(&mut self, now: DateTime<Utc>) -> bool {
        self.under_way += 1;
        self.take_token(now);
        self.breaker.let_through()
    }

    pub fn take_token(&mut self, now: DateTime<Utc>) {
        self.bucket.iter_mut().for_each(|bucket| bucket.take(now));
    }

    pub fn wait(&mut self, comer: Waiter) {
        self.waiting.known.insert(comer.letter, (comer.due, comer.patience));
        self.waiting.of(comer.patience).insert((comer.due, comer.letter));
    }

    pub fn remove(&mut self, ready: Ready) {
        self.forget(ready.place().1);
    }

    pub fn forget(&mut self, letter: LetterId) -> bool {
        let known = self.waiting.known.remove(&letter);
        known.is_some_and(|(due, patience)| self.waiting.of(patience).remove(&(due, letter)))
    }

    /// Since when nobody answers, if that is longer than this patience.
    pub fn given_up(&self, patience: Patience, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let since = self.closed_since()?;
        (now - since >= patience.lasts()?).then_some(since)
    }

    fn closed_since(&self) -> Option<DateTime<Utc>> {
        let pause = self.pause.filter(|pause| pause.until > self.seen).map(|pause| pause.since);
        [self.breaker.is_open_since(), pause].into_iter().flatten().min()
    }

    pub fn ready(&self, now: DateTime<Utc>) -> Option<Ready> {
        if self.is_open(now) {
            return self.waiting.first().map(|(place, _)| Ready::ToGo { place });
        }
        let leaving = self.waiting.firsts().filter(|(_, patience)| self.given_up(*patience, now).is_some());
        leaving.map(|(place, _)| place).min().map(|place| Ready::ToLeave { place })
    }

    pub fn next_call(&self) -> Option<DateTime<Utc>> {
        self.waiting.first()?;
        let goes = self.opens_at().filter(|_| self.under_way < UNDER_WAY_MAX);
        let leaves = self.closed_since().and_then(|since| {
            let limits = self.waiting.firsts().filter_map(|(_, patience)| patience.lasts());
            limits.map(|lasts| since + lasts).min()
        });
        // Clocks show milliseconds: not before the first at which it has come.
        [goes, leaves].into_iter().flatten().min().map(|at| match at.trunc_subsecs(3) {
            whole if whole == at => whole,
            whole => whole + TimeDelta::milliseconds(1),
        })
    }

    /// What became of a request.
    pub fn note(&mut self, endpoint: &str, word: Health, was_probe: bool, now: DateTime<Utc>) {
        self.see(now);
        let before = self.breaker;
        match word {
            Health::Answered => self.breaker.answered(),
            Health::NotBefore(wait) => {
                self.breaker.answered();
                let until = now + wait;
                let lasting = self.pause.filter(|pause| pause.until > now);
                let since = lasting.map_or(now, |pause| pause.since);
                self.pause = Some(Pause { since, until: lasting.map_or(until, |pause| pause.until.max(until)) });
                tracing::warn!(endpoint, seconds = wait.num_seconds(), "the endpoint asks to be left alone");
            }
            Health::Unanswered => self.breaker.unanswered(was_probe, now),
        }
        match (before, self.breaker) {
            (CircuitBreaker::Closed { .. }, CircuitBreaker::Open { .. }) => {
                tracing::error!(endpoint, "the endpoint does not answer; its letters wait");
            }
            (CircuitBreaker::Probing { .. }, CircuitBreaker::Open { since, wait, .. }) => {
                let seconds = wait.num_seconds();
                tracing::warn!(endpoint, %since, seconds, "the endpoint still does not answer; it is asked again");
            }
            (
                CircuitBreaker::Open { since, .. } | CircuitBreaker::Probing { since, .. },
                CircuitBreaker::Closed { .. },
            ) => {
                tracing::info!(endpoint, %since, "the endpoint answers again");
            }
            (CircuitBreaker::Closed { .. }, CircuitBreaker::Closed { .. })
            | (_, CircuitBreaker::Probing { .. })
            | (CircuitBreaker::Open { .. }, CircuitBreaker::Open { .. }) => {}
        }
    }

    /// A conversation is over.
    pub fn leave(&mut self, is_unused_probe: bool) {
        self.under_way = self.under_way.saturating_sub(1);
        if is_unused_probe {
            self.breaker.unproven(self.seen);
        }
    }

    pub fn state(&mut self, now: DateTime<Utc>) -> QueueState {
        self.see(now);
        let pause = self.pause.filter(|pause| pause.until > now);
        let (state, since, until) = match (self.breaker, pause) {
            (CircuitBreaker::Closed { .. }, None) => ("open", None, None),
            (CircuitBreaker::Closed { .. }, Some(pause)) => ("paused", Some(pause.since), Some(pause.until)),
            (CircuitBreaker::Open { since, until, .. }, _) => ("down", Some(since), Some(until)),
            (CircuitBreaker::Probing { since, .. }, _) => ("trying", Some(since), None),
        };
        QueueState { state, since, until, waiting: self.waiting.count(), under_way: self.under_way }
    }
}

impl Waiting {
    fn of(&mut self, patience: Patience) -> &mut BTreeSet<Place> {
        match patience {
            Patience::UntilNextVendor => &mut self.for_next_vendor,
            Patience::UntilNextChannel => &mut self.for_next_channel,
            Patience::Endless => &mut self.endlessly,
        }
    }

    fn firsts(&self) -> impl Iterator<Item = (Place, Patience)> {
        let firsts = [
            (self.for_next_vendor.first(), Patience::UntilNextVendor),
            (self.for_next_channel.first(), Patience::UntilNextChannel),
            (self.endlessly.first(), Patience::Endless),
        ];
        firsts.into_iter().filter_map(|(first, patience)| Some((*first?, patience)))
    }

    fn first(&self) -> Option<(Place, Patience)> {
        self.firsts().min_by_key(|(place, _)| *place)
    }

    fn count(&self) -> usize {
        self.known.len()
    }
}

impl Ready {
    pub fn place(&self) -> Place {
        let (Ready::ToGo { place } | Ready::ToLeave { place }) = self;
        *place
    }
}
