//! What falls due when, in memory: a disk engine's scan is slow, and a clinic's timers are few bytes each.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use handoff_engine::ids::{Digest, LetterId, ReferralId};

use crate::index::{InFlight, OpenTask, TaskFilter};

/// A timer that has fallen due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DueTimer {
    pub due: DateTime<Utc>,
    pub referral: ReferralId,
    pub name: String,
}

/// One change to the agenda, in the order in which the records made it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AgendaChange {
    TimerSet(i64, ReferralId, String),
    TimerGone(i64, ReferralId, String),
    LetterSet(i64, LetterId),
    LetterGone(i64, LetterId),
    Entered(Digest, String, ReferralId),
    Left(Digest, String, ReferralId),
    TaskOpen(OpenTask),
    TaskEnded(OpenTask),
}

/// 70 to 95 bytes for each timer, as full as the nodes of the tree are, and 25 for where a referral stands: a million
/// referrals with two timers each take up to 215 MB.
#[derive(Default)]
pub struct Agenda {
    timers: BTreeSet<(i64, ReferralId, Arc<str>)>,
    letters: BTreeSet<(i64, LetterId)>,
    /// Referrals in flight, by deployment and state. Kept here alone: a step that changes the state then costs the engine
    /// below no more than one that does not.
    standing: BTreeMap<(Digest, String), BTreeSet<ReferralId>>,
    /// In order of due date: what a worklist reads is what is open, however much has been done.
    tasks: BTreeMap<(i64, LetterId), OpenTask>,
    names: Names,
}

/// What an agenda begins with. A tree that is built of all its rows at once costs a sort, where one that grows by each in
/// turn costs a search for each, and its nodes are full.
#[derive(Default)]
pub struct Gathered {
    timers: Vec<(i64, ReferralId, Arc<str>)>,
    letters: Vec<(i64, LetterId)>,
    standing: BTreeMap<(Digest, String), Vec<ReferralId>>,
    tasks: Vec<OpenTask>,
    names: Names,
}

impl Gathered {
    pub fn timer(&mut self, due: i64, referral: ReferralId, name: &str) {
        self.timers.push((due, referral, self.names.one(name)));
    }

    pub fn letter(&mut self, due: i64, letter: LetterId) {
        self.letters.push((due, letter));
    }

    pub fn stands(&mut self, deployment: Digest, state: String, referral: ReferralId) {
        self.standing.entry((deployment, state)).or_default().push(referral);
    }

    pub fn task(&mut self, task: OpenTask) {
        self.tasks.push(task);
    }

    pub fn agenda(self) -> Agenda {
        Agenda {
            timers: self.timers.into_iter().collect(),
            letters: self.letters.into_iter().collect(),
            standing: self.standing.into_iter().map(|(place, ids)| (place, ids.into_iter().collect())).collect(),
            tasks: self.tasks.into_iter().map(|task| (place(&task), task)).collect(),
            names: self.names,
        }
    }
}

/// A task's due date never changes.
fn place(task: &OpenTask) -> (i64, LetterId) {
    (millis(task.due_at), task.task)
}

/// Timer names repeat; each is kept once. A workflow has a few dozen.
#[derive(Default)]
struct Names(BTreeSet<Arc<str>>);

impl Names {
    fn one(&mut self, name: &str) -> Arc<str> {
        match self.0.get(name) {
            Some(known) => known.clone(),
            None => {
                let name: Arc<str> = name.into();
                self.0.insert(name.clone());
                name
            }
        }
    }
}

impl Agenda {
    pub fn take(&mut self, change: AgendaChange) {
        match change {
            AgendaChange::TimerSet(due, referral, name) => {
                let name = self.names.one(&name);
                self.timers.insert((due, referral, name));
            }
            AgendaChange::TimerGone(due, referral, name) => {
                let name = self.names.one(&name);
                self.timers.remove(&(due, referral, name));
            }
            AgendaChange::LetterSet(due, letter) => {
                self.letters.insert((due, letter));
            }
            AgendaChange::LetterGone(due, letter) => {
                self.letters.remove(&(due, letter));
            }
            AgendaChange::TaskOpen(task) => {
                self.tasks.insert(place(&task), task);
            }
            AgendaChange::TaskEnded(task) => {
                self.tasks.remove(&place(&task));
            }
            AgendaChange::Entered(deployment, state, referral) => {
                self.standing.entry((deployment, state)).or_default().insert(referral);
            }
            AgendaChange::Left(deployment, state, referral) => {
                let place = (deployment, state);
                if let Some(standing) = self.standing.get_mut(&place) {
                    standing.remove(&referral);
                    if standing.is_empty() {
                        self.standing.remove(&place);
                    }
                }
            }
        }
    }

    pub fn timers_due(&self, now: DateTime<Utc>, limit: usize) -> Vec<DueTimer> {
        let now = now.timestamp_millis();
        self.timers
            .iter()
            .take_while(|(due, ..)| *due <= now)
            .take(limit)
            .map(|(due, referral, name)| DueTimer { due: moment(*due), referral: *referral, name: name.to_string() })
            .collect()
    }

    pub fn next_timer(&self) -> Option<DateTime<Utc>> {
        self.timers.first().map(|(due, ..)| moment(*due))
    }

    pub fn letters_due(&self, now: DateTime<Utc>, limit: usize) -> Vec<LetterId> {
        let now = now.timestamp_millis();
        self.letters.iter().take_while(|(due, _)| *due <= now).take(limit).map(|(_, letter)| *letter).collect()
    }

    /// Hands letters out: until they are given back, or due at another moment, they are nobody else's.
    pub fn take_letters_due(&mut self, now: DateTime<Utc>, limit: usize) -> Vec<LetterId> {
        let now = now.timestamp_millis();
        let due = |first: &(i64, LetterId)| first.0 <= now;
        let mut taken = Vec::new();
        while taken.len() < limit && self.letters.first().is_some_and(due) {
            taken.extend(self.letters.pop_first().map(|(_, letter)| letter));
        }
        taken
    }

    pub fn next_letter(&self) -> Option<DateTime<Utc>> {
        self.letters.first().map(|(due, _)| moment(*due))
    }

    /// Open tasks in order of due date, after the one given.
    pub fn tasks(&self, filter: &TaskFilter, after: Option<(DateTime<Utc>, LetterId)>, limit: usize) -> Vec<OpenTask> {
        let from = after.map_or(Bound::Unbounded, |(due, task)| Bound::Excluded((millis(due), task)));
        let open = self.tasks.range((from, Bound::Unbounded)).map(|(_, task)| task);
        open.filter(|task| filter.takes(task)).take(limit).cloned().collect()
    }

    pub fn in_flight(&self) -> Vec<InFlight> {
        self.standing
            .iter()
            .map(|((deployment, state), referrals)| InFlight {
                deployment: *deployment,
                state: state.clone(),
                referrals: referrals.len() as u64,
            })
            .collect()
    }

    /// The first of the referrals in flight, in order of id, that stand where `wanted` says, after the one given.
    pub fn standing(
        &self,
        wanted: impl Fn(&Digest, &str) -> bool,
        after: Option<ReferralId>,
        limit: usize,
    ) -> Vec<ReferralId> {
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let places = self.standing.iter().filter(|((deployment, state), _)| wanted(deployment, state));
        let mut ids: Vec<ReferralId> =
            places.flat_map(|(_, standing)| standing.range((from, Bound::Unbounded)).take(limit)).copied().collect();
        ids.sort_unstable();
        ids.truncate(limit);
        ids
    }
}

/// Milliseconds since 1970 as a moment; beyond chrono's range, its farthest moment.
pub fn moment(millis: i64) -> DateTime<Utc> {
    let farthest = if millis < 0 { DateTime::<Utc>::MIN_UTC } else { DateTime::<Utc>::MAX_UTC };
    DateTime::from_timestamp_millis(millis).unwrap_or(farthest)
}

/// The first millisecond at which a moment has come: never before it.
pub fn millis(at: DateTime<Utc>) -> i64 {
    let millis = at.timestamp_millis();
    if at.timestamp_subsec_nanos().is_multiple_of(1_000_000) { millis } else { millis + 1 }
}
