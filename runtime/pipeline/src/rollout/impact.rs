//! Who is in flight, and what a candidate would mean for them: who stays, who moves and who would be stranded; and whom time
//! alone would write to otherwise.
//!
//! Counting costs nothing: the index knows how many stand where. A referral is read only where the answer depends on it: it
//! moves, and its course would be another.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use handoff_engine::deployment::Deployment;
use handoff_engine::ids::{Digest, ReferralId};
use handoff_engine::silence::{DueMessage, letters_in_silence};
use handoff_engine::step::{Stranded, adopt};
use handoff_engine::workflow::Moves;
use handoff_engine::workflow::moves;
use handoff_engine::workflow::parts::course;
use handoff_store::Index;
use handoff_store::index::{InFlight, IndexError, ReferralFilter};
use serde::{Deserialize, Serialize};

/// Ids shown of those who share a fate: enough to look at.
const EXAMPLES_MAX: usize = 3;

/// Referrals read by one thread before the next page is fetched: some megabytes.
const READ_AT_ONCE: usize = 512;

/// So far ahead letters are compared: longer than the longest time-out of a referral that nobody answers.
const AHEAD: TimeDelta = TimeDelta::days(60);

/// Ids kept of those who would be written to otherwise, in all.
const NAMED_MAX: usize = 10_000;

/// How much is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ImpactDepth {
    /// Who would be stranded.
    Standing,
    /// And who would be written to.
    Letters,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Impact {
    pub standing: Vec<Standing>,
    /// Letters that would be written and would not have been.
    pub gained: Vec<Tally>,
    /// Letters that would have been written.
    pub lost: Vec<Tally>,
}

/// Referrals in one state of one deployment that share a fate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standing {
    pub deployment: Digest,
    pub state: String,
    pub referrals: u64,
    #[serde(flatten)]
    pub fate: ReferralImpact,
    pub examples: Vec<ReferralId>,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "fate", rename_all = "kebab-case")]
pub enum ReferralImpact {
    /// The candidate is their own.
    AtHome,
    /// With the deployment under which they are.
    Stays,
    Moves {
        to: String,
    },
    Stranded {
        to: String,
        why: String,
    },
}

/// Letters of one kind on one day of the practice's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    pub letter: String,
    pub day: NaiveDate,
    pub letters: u64,
    /// Some of those they are for; all, as long as they are few.
    pub referrals: Vec<ReferralId>,
}

impl Impact {
    pub fn stays(&self) -> u64 {
        self.count(|fate| matches!(fate, ReferralImpact::Stays | ReferralImpact::AtHome))
    }

    pub fn moves(&self) -> u64 {
        self.count(|fate| matches!(fate, ReferralImpact::Moves { .. }))
    }

    pub fn stranded(&self) -> u64 {
        self.count(|fate| matches!(fate, ReferralImpact::Stranded { .. }))
    }

    fn count(&self, which: impl Fn(&ReferralImpact) -> bool) -> u64 {
        self.standing.iter().filter(|standing| which(&standing.fate)).map(|standing| standing.referrals).sum()
    }
}

/// What is counted on the way.
#[derive(Default)]
struct Counts {
    fates: BTreeMap<ReferralImpact, (u64, Vec<ReferralId>)>,
    gained: Tallies,
    lost: Tallies,
    named: usize,
}

type Tallies = BTreeMap<(NaiveDate, String), (u64, Vec<ReferralId>)>;

/// What one referral adds to the counts.
struct Finding {
    id: ReferralId,
    fate: ReferralImpact,
    gained: Vec<DueMessage>,
    lost: Vec<DueMessage>,
}

/// Takes stock. `older` gives the deployments that referrals in flight are under.
///
/// # Errors
/// When the index cannot be read.
pub fn take(
    index: &dyn Index,
    older: &dyn Fn(&Digest) -> Option<Arc<Deployment>>,
    candidate: &Deployment,
    moves: &Moves,
    depth: ImpactDepth,
    now: DateTime<Utc>,
) -> Result<Impact, IndexError> {
    let mut census = Impact::default();
    let (mut gained, mut lost) = (Tallies::new(), Tallies::new());
    for place in index.in_flight() {
        let mut standing = |fate: ReferralImpact, referrals: u64, examples: Vec<ReferralId>| {
            let (deployment, state) = (place.deployment, place.state.clone());
            census.standing.push(Standing { deployment, state, referrals, fate, examples });
        };
        if place.deployment == candidate.digest {
            standing(ReferralImpact::AtHome, place.referrals, Vec::new());
            continue;
        }
        // One whose deployment is not here is looked after by nobody, today as tomorrow.
        let Some(older) = older(&place.deployment) else {
            standing(ReferralImpact::Stays, place.referrals, Vec::new());
            continue;
        };
        let fate = moves.fate((&older.digest, &older.workflow), &place.state, &candidate.workflow);
        let moves::MoveOutcome::Moves(to) = fate else {
            standing(ReferralImpact::Stays, place.referrals, Vec::new());
            continue;
        };
        let same = course(&older.workflow, &place.state) == course(&candidate.workflow, to);
        if same && candidate.workflow.states.get(to).is_some_and(|state| !state.end) {
            standing(ReferralImpact::Moves { to: to.to_string() }, place.referrals, Vec::new());
            continue;
        }
        let look = PhiAccess { index, older: &older, candidate, to, depth, now, may_stay: moves.may_stay_behind() };
        let counts = look.at_all(&place)?;
        for (fate, (referrals, examples)) in counts.fates {
            standing(fate, referrals, examples);
        }
        add(&mut gained, counts.gained);
        add(&mut lost, counts.lost);
    }
    (census.gained, census.lost) = (tallies(gained), tallies(lost));
    Ok(census)
}

/// How one place is looked at.
struct PhiAccess<'a> {
    index: &'a dyn Index,
    older: &'a Deployment,
    candidate: &'a Deployment,
    to: &'a str,
    depth: ImpactDepth,
    now: DateTime<Utc>,
    may_stay: bool,
}

impl PhiAccess<'_> {
    fn at_all(&self, place: &InFlight) -> Result<Counts, IndexError> {
        let filter = ReferralFilter {
            deployment: Some(place.deployment),
            state: Some(place.state.clone()),
            ended: Some(false),
            specialist: None,
        };
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        let mut counts = Counts::default();
        let mut after = None;
        loop {
            let page = self.index.referrals(&filter, after, READ_AT_ONCE * threads)?;
            let Some(last) = page.last() else { return Ok(counts) };
            after = Some(last.id);
            let ids: Vec<ReferralId> = page.iter().map(|listed| listed.id).collect();
            let findings: Vec<Result<Vec<Finding>, IndexError>> = std::thread::scope(|scope| {
                let looks: Vec<_> =
                    ids.chunks(READ_AT_ONCE).map(|ids| scope.spawn(move || self.at_some(ids))).collect();
                looks.into_iter().map(|look| look.join().unwrap_or(Err(IndexError::Failed))).collect()
            });
            for finding in findings {
                finding?.into_iter().for_each(|finding| counts.note(finding, self.day_of()));
            }
        }
    }

    fn day_of(&self) -> impl Fn(DateTime<Utc>) -> NaiveDate {
        let zone = self.candidate.workflow.contact.zone;
        move |at| at.with_timezone(&zone).date_naive()
    }

    fn at_some(&self, ids: &[ReferralId]) -> Result<Vec<Finding>, IndexError> {
        let mut findings = Vec::with_capacity(ids.len());
        for id in ids {
            // Purged, or gone on meanwhile.
            let Some(referral) = self.index.referral(id)? else { continue };
            let moved = adopt(&self.older.workflow, self.candidate, &referral, self.to, self.now);
            let mut finding = Finding { id: *id, fate: self.fate(&moved), gained: Vec::new(), lost: Vec::new() };
            if let (Ok(moved), ImpactDepth::Letters) = (&moved, self.depth) {
                let until = self.now.checked_add_signed(AHEAD).unwrap_or(self.now);
                let before = letters_in_silence(self.older, &referral, until);
                let after = letters_in_silence(self.candidate, &moved.referral, until);
                let day_of = self.day_of();
                finding.gained = beyond(&after, &before, &day_of);
                finding.lost = beyond(&before, &after, &day_of);
            }
            findings.push(finding);
        }
        Ok(findings)
    }

    fn fate(&self, moved: &Result<handoff_engine::step::Step, Stranded>) -> ReferralImpact {
        match moved {
            Ok(_) => ReferralImpact::Moves { to: self.to.to_string() },
            Err(_) if self.may_stay => ReferralImpact::Stays,
            Err(stranded) => ReferralImpact::Stranded { to: self.to.to_string(), why: stranded.to_string() },
        }
    }
}

/// The letters of one that the other does not have on that day.
fn beyond(these: &[DueMessage], those: &[DueMessage], day_of: &impl Fn(DateTime<Utc>) -> NaiveDate) -> Vec<DueMessage> {
    let mut those: Vec<(&str, NaiveDate)> = those.iter().map(|due| (due.letter.as_str(), day_of(due.at))).collect();
    let mut rest = Vec::new();
    for due in these {
        match those.iter().position(|other| *other == (due.letter.as_str(), day_of(due.at))) {
            Some(found) => {
                those.swap_remove(found);
            }
            None => rest.push(due.clone()),
        }
    }
    rest
}

impl Counts {
    fn note(&mut self, finding: Finding, day_of: impl Fn(DateTime<Utc>) -> NaiveDate) {
        let Finding { id, fate, gained, lost } = finding;
        let (count, examples) = self.fates.entry(fate).or_default();
        *count += 1;
        if examples.len() < EXAMPLES_MAX {
            examples.push(id);
        }
        for (tallies, letters) in [(&mut self.gained, gained), (&mut self.lost, lost)] {
            for due in letters {
                let (count, named) = tallies.entry((day_of(due.at), due.letter)).or_default();
                *count += 1;
                if self.named < NAMED_MAX {
                    self.named += 1;
                    named.push(id);
                }
            }
        }
    }
}

fn add(all: &mut Tallies, more: Tallies) {
    for (key, (count, named)) in more {
        let (all_count, all_named) = all.entry(key).or_default();
        *all_count += count;
        all_named.extend(named);
    }
}

fn tallies(tallies: Tallies) -> Vec<Tally> {
    let tally = |((day, letter), (letters, referrals))| Tally { letter, day, letters, referrals };
    tallies.into_iter().map(tally).collect()
}
