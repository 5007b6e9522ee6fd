//! What a candidate would have made of the last days: their recorded events once more, through the candidate beside the
//! deployment that decided then. Nothing is sent and nothing is written down. What was asked of a stage is answered as it was
//! answered then; where the candidate has another plugin, it is asked the recorded question too.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use handoff_engine::deployment::Deployment;
use handoff_engine::event::Event;
use handoff_engine::ids::{Digest, ReferralId, StageKey};
use handoff_engine::referral::{Referral, Timer};
use handoff_engine::step::{Effect, Step, adopt, begin, step};
use handoff_engine::workflow::StageKind;
use handoff_engine::workflow::moves::MoveOutcome;
use handoff_host::Call;
use handoff_store::index::{PAGE_MAX, ReferralFilter, Search};
use handoff_store::journal::ReadError;
use handoff_store::{Entry, Index, Json, Position, Record};
use serde::{Deserialize, Serialize};

use super::ChangeError;

/// Referrals named one by one; all are counted.
const NAMED_MAX: usize = 1_000;

/// The stages that decide without asking anybody, and see no patient data in clear.
const DECIDERS: [StageKind; 2] = [StageKind::Channel, StageKind::Network];

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shadow {
    pub days: u32,
    /// Referrals to whom something happened in these days.
    pub referrals: u64,
    pub same: u64,
    /// Those that would have gone otherwise, by what was otherwise first.
    pub otherwise: BTreeMap<DivergenceKind, u64>,
    /// Those that stand where the candidate has no place for them.
    pub elsewhere: u64,
    /// The first of those that would have gone otherwise.
    pub named: Vec<Divergence>,
    /// What the candidate's plugins answer to recorded questions, by stage.
    pub decisions: BTreeMap<String, Decisions>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DivergenceKind {
    /// It would have come to another state.
    State,
    /// Something else would have been sent, asked or raised.
    Effects,
    /// Only one of the two has anything to say to the event.
    Taken,
}

/// Where a referral would first have gone another way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Divergence {
    pub referral: ReferralId,
    pub at: DateTime<Utc>,
    pub event: String,
    pub kind: DivergenceKind,
    pub recorded: String,
    pub candidate: String,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decisions {
    pub same: u64,
    pub otherwise: u64,
    /// The plugin failed, or its record cannot be read.
    pub failed: u64,
}

/// Asks a stage of the candidate a recorded question, with the candidate's own settings; the digest of its answer.
pub type Ask<'a> = &'a dyn Fn(&StageKey, Call) -> Option<Digest>;

/// Where the past is read.
pub struct RecordedPast<'a> {
    pub index: &'a dyn Index,
    pub read: &'a dyn Fn(Position) -> Result<Option<Arc<Entry>>, ReadError>,
    pub older: &'a dyn Fn(&Digest) -> Option<Arc<Deployment>>,
    /// Absent where no plugin can be called.
    pub ask: Option<Ask<'a>>,
    pub now: DateTime<Utc>,
}

/// Lives through the last days again, one referral after the other.
///
/// # Errors
/// When index or journal cannot be read.
pub fn cast(past: &RecordedPast<'_>, candidate: &Deployment, days: u32) -> Result<Shadow, ChangeError> {
    let mut shadow = Shadow { days, ..Shadow::default() };
    let from = past.now - TimeDelta::days(i64::from(days));
    let first = Search { from: Some(from), limit: 1, ..Search::default() };
    let Some(first) = past.index.search(&first)?.first().copied() else { return Ok(shadow) };
    let mut after = None;
    loop {
        let page = past.index.referrals(&ReferralFilter::default(), after, PAGE_MAX)?;
        let Some(last) = page.last() else { return Ok(shadow) };
        after = Some(last.id);
        for listed in page.iter().filter(|listed| listed.stepped >= first) {
            shadow.referrals += 1;
            let mut walk =
                Walk { past, candidate, id: listed.id, beside: None, born: None, decisions: &mut shadow.decisions };
            match walk.through(first)? {
                Came::Through => shadow.same += 1,
                Came::Elsewhere => shadow.elsewhere += 1,
                Came::Apart(divergence) => {
                    *shadow.otherwise.entry(divergence.kind).or_default() += 1;
                    if shadow.named.len() < NAMED_MAX {
                        shadow.named.push(divergence);
                    }
                }
            }
        }
    }
}

/// How a walk ended.
enum Came {
    Through,
    /// The candidate has no state for it.
    Elsewhere,
    Apart(Divergence),
}

/// One referral, twice: as it was recorded, and beside it as the candidate has it.
struct Walk<'a> {
    past: &'a RecordedPast<'a>,
    candidate: &'a Deployment,
    id: ReferralId,
    beside: Option<Pair>,
    /// By the candidate; its birth as recorded is yet to come.
    born: Option<Step>,
    decisions: &'a mut BTreeMap<String, Decisions>,
}

struct Pair {
    recorded: Referral,
    shadow: Referral,
}

impl Walk<'_> {
    fn through(&mut self, first: Position) -> Result<Came, ChangeError> {
        let history = self.past.index.history(&self.id)?;
        let (before, within): (Vec<Position>, Vec<Position>) = history.into_iter().partition(|at| *at < first);
        if let Some(referral) = self.last_step(&before)? {
            match self.put_beside(referral) {
                Some(pair) => self.beside = Some(pair),
                None => return Ok(Came::Elsewhere),
            }
        }
        for position in within {
            let Some(entry) = (self.past.read)(position)? else { continue };
            if let Some(came) = self.live(&entry) {
                return Ok(came);
            }
        }
        let now = self.past.now;
        Ok(self.own_timers(now).map_or(Came::Through, Came::Apart))
    }

    /// As it stood when the days began.
    fn last_step(&self, before: &[Position]) -> Result<Option<Referral>, ChangeError> {
        for position in before.iter().rev() {
            let Some(entry) = (self.past.read)(*position)? else { continue };
            let steps = entry.records.iter().rev().filter_map(|record| self.stepped(record));
            if let Some(referral) = steps.into_iter().next() {
                return Ok(Some(referral.clone()));
            }
        }
        Ok(None)
    }

    fn stepped<'r>(&self, record: &'r Record) -> Option<&'r Referral> {
        let Record::Stepped { referral, .. } = record else { return None };
        (referral.id == self.id).then_some(referral)
    }

    /// Into the state that the candidate would move it to, or that of its own name.
    fn put_beside(&self, recorded: Referral) -> Option<Pair> {
        let older = (self.past.older)(&recorded.deployment)?;
        let workflow = &self.candidate.workflow;
        let fate = workflow.moves.fate((&older.digest, &older.workflow), &recorded.state, workflow);
        let to = match fate {
            MoveOutcome::Moves(to) => to,
            MoveOutcome::Stays => &recorded.state,
        };
        if older.workflow.is_end(&recorded.state) && workflow.is_end(to) {
            let shadow = Referral { deployment: self.candidate.digest, state: to.to_string(), ..recorded.clone() };
            return Some(Pair { recorded, shadow });
        }
        let moved = adopt(&older.workflow, self.candidate, &recorded, to, recorded.entered_at).ok()?;
        Some(Pair { recorded, shadow: moved.referral })
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "every other record may hold a step")]
    /// One entry. Records of one event follow each other; what it came to is its step.
    fn live(&mut self, entry: &Entry) -> Option<Came> {
        for record in &entry.records {
            match record {
                Record::Happened { referral, event } if *referral == self.id => {
                    if let Some(came) = self.happens(event, entry.at) {
                        return Some(came);
                    }
                }
                Record::Decided { referral: Some(referral), stage, plugin, call, answer } if *referral == self.id => {
                    self.decide(stage, plugin, call, answer);
                }
                record => {
                    let Some(referral) = self.stepped(record) else { continue };
                    if let Some(divergence) = self.born.take().and_then(|born| self.birth(&born, referral, entry.at)) {
                        return Some(Came::Apart(divergence));
                    }
                    if let Some(pair) = &mut self.beside {
                        pair.recorded = referral.clone();
                    }
                }
            }
        }
        None
    }

    fn birth(&self, born: &Step, recorded: &Referral, at: DateTime<Utc>) -> Option<Divergence> {
        let older = (self.past.older)(&recorded.deployment)?;
        let facts = &recorded.facts;
        let recorded = begin(&older, self.id, facts.patient.clone(), facts.order.clone(), at).ok()?;
        let (kind, recorded, candidate) = compare((&older, Some(&recorded)), (self.candidate, Some(born)))?;
        Some(Divergence { referral: self.id, at, event: "ordered".into(), kind, recorded, candidate })
    }

    fn happens(&mut self, event: &Event, at: DateTime<Utc>) -> Option<Came> {
        if let Event::Ordered { patient, order } = event {
            let born = begin(self.candidate, self.id, patient.clone(), order.clone(), at).ok()?;
            // Its birth as recorded follows at once, and takes this place.
            let recorded = Referral { deployment: Digest([0; 32]), timers: Vec::new(), ..born.referral.clone() };
            self.beside = Some(Pair { recorded, shadow: born.referral.clone() });
            self.born = Some(born);
            return None;
        }
        if let Some(divergence) = self.own_timers(at) {
            return Some(Came::Apart(divergence));
        }
        let pair = self.beside.as_mut()?;
        let Some(older) = (self.past.older)(&pair.recorded.deployment) else { return Some(Came::Elsewhere) };
        let recorded = step(&older, &pair.recorded, event, at).ok();
        let shadow = step(self.candidate, &pair.shadow, event, at).ok();
        let apart = compare((&older, recorded.as_ref()), (self.candidate, shadow.as_ref()));
        let divergence = apart.map(|(kind, recorded, candidate)| Divergence {
            referral: self.id,
            at,
            event: event.name().into_owned(),
            kind,
            recorded,
            candidate,
        });
        match (recorded, shadow, event) {
            (recorded, Some(shadow), _) => {
                pair.shadow = shadow.referral;
                if let Some(recorded) = recorded {
                    pair.recorded = recorded.referral;
                }
            }
            (_, None, Event::Timer { name }) => {
                pair.shadow.timers.retain(|timer| timer.name != *name || timer.due > at)
            }
            (_, None, _) => {}
        }
        divergence.map(Came::Apart)
    }

    /// Timers that the candidate alone has set, up to then.
    fn own_timers(&mut self, until: DateTime<Utc>) -> Option<Divergence> {
        loop {
            let Pair { recorded, shadow } = self.beside.as_mut()?;
            let is_own = |timer: &&Timer| timer.due <= until && !recorded.timers.contains(timer);
            let timer = shadow.timers.iter().filter(is_own).min_by_key(|timer| timer.due)?.clone();
            let event = Event::Timer { name: timer.name.clone() };
            let taken = step(self.candidate, shadow, &event, timer.due).ok();
            let state = shadow.state.clone();
            match taken {
                None => shadow.timers.retain(|set| set.name != timer.name),
                Some(Step { referral, effects, .. }) => {
                    let speaks = !effects.is_empty() || referral.state != state;
                    let candidate = told(&referral.state, &effects);
                    *shadow = referral;
                    if speaks {
                        let (referral, event) = (self.id, event.name().into_owned());
                        let recorded = "nothing".to_string();
                        return Some(Divergence {
                            referral,
                            at: timer.due,
                            event,
                            kind: DivergenceKind::Taken,
                            recorded,
                            candidate,
                        });
                    }
                }
            }
        }
    }

    fn decide(&mut self, stage: &StageKey, plugin: &Digest, call: &Json, answer: &Digest) {
        let Some(ask) = self.past.ask.filter(|_| DECIDERS.iter().any(|kind| kind.as_str() == stage.as_str())) else {
            return;
        };
        let own = self.candidate.plugins.get(stage);
        let settings = self.candidate.workflow.stages.get(stage).map(|stage| stage.settings.to_string());
        let (Some(own), Some(settings)) = (own, settings) else { return };
        let decisions = self.decisions.entry(stage.to_string()).or_default();
        let Some((call, theirs)) = with_settings(call, settings) else {
            decisions.failed += 1;
            return;
        };
        // The same plugin, told the same: it is pure.
        if own == plugin && theirs {
            decisions.same += 1;
            return;
        }
        match ask(stage, call) {
            Some(again) if again == *answer => decisions.same += 1,
            Some(_) => decisions.otherwise += 1,
            None => decisions.failed += 1,
        }
    }
}

/// The recorded question with the candidate's settings, and whether they were the same.
fn with_settings(call: &Json, settings: String) -> Option<(Call, bool)> {
    let mut call: Call = call.read().ok()?;
    let (Call::Choose { settings: theirs, .. } | Call::Assess { settings: theirs, .. }) = &mut call else {
        return None;
    };
    let same = *theirs == settings;
    *theirs = settings;
    Some((call, same))
}

/// What is otherwise, and how both tell it.
fn compare(
    recorded: (&Deployment, Option<&Step>),
    shadow: (&Deployment, Option<&Step>),
) -> Option<(DivergenceKind, String, String)> {
    let ((older, recorded), (newer, shadow)) = (recorded, shadow);
    let tell = |step: &Step| told(&step.referral.state, &step.effects);
    let silent = |step: &Step| step.effects.is_empty();
    match (recorded, shadow) {
        (None, None) => None,
        // Noted, and nothing done about it.
        (Some(one), None) | (None, Some(one)) if silent(one) && !one.because.contains(" -> ") => None,
        (Some(recorded), None) => Some((DivergenceKind::Taken, tell(recorded), "nothing".into())),
        (None, Some(shadow)) => Some((DivergenceKind::Taken, "nothing".into(), tell(shadow))),
        (Some(recorded), Some(shadow)) => {
            let moves = &newer.workflow.moves;
            let state = &recorded.referral.state;
            let same_place = match moves.fate((&older.digest, &older.workflow), state, &newer.workflow) {
                MoveOutcome::Moves(to) => to == shadow.referral.state,
                MoveOutcome::Stays => *state == shadow.referral.state,
            };
            let kind = match (same_place, words(&recorded.effects) == words(&shadow.effects)) {
                (true, true) => return None,
                (false, _) => DivergenceKind::State,
                (true, false) => DivergenceKind::Effects,
            };
            Some((kind, tell(recorded), tell(shadow)))
        }
    }
}

fn told(state: &str, effects: &[Effect]) -> String {
    std::iter::once(state.to_string()).chain(words(effects)).collect::<Vec<_>>().join(", ")
}

/// What is done, without when it expires and how a task words it.
fn words(effects: &[Effect]) -> Vec<String> {
    let word = |effect: &Effect| match effect {
        Effect::Send { template, channel: Some(channel), .. } => format!("send {template} by {}", channel.name()),
        Effect::Send { template, channel: None, .. } => format!("send {template}"),
        Effect::ReadRecord => "read-record".into(),
        Effect::AssessNetwork { cause } => format!("assess-network {cause:?}"),
        Effect::CheckVisit => "check-visit".into(),
        Effect::WriteChart { outcome } => format!("write-chart {outcome:?}"),
        Effect::Raise { task } => format!("raise {}", task.kind),
        Effect::RecallLetters => "recall-letters".into(),
    };
    effects.iter().map(word).collect()
}
