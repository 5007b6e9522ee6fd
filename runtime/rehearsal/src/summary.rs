//! What came of a rehearsal, counted on both sides: our index, and the practice's own ledger.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use handoff_engine::dashboard::Dashboard;
use handoff_engine::referral::Referral;
use handoff_practice::Simulation;
use handoff_store::index::{IndexError, PAGE_MAX, ReferralFilter};
use handoff_vault::VaultError;
use serde::Serialize;

use handoff_operations::metrics::Share;
use handoff_operations::reports::timeline;
use handoff_operations::reports::timeline::TimelineMoment;
use handoff_pipeline::pipeline::Pipeline;

/// The counts are the contract of `handoff demo --json`.
#[derive(Debug, Serialize)]
pub struct Summary {
    pub referrals: usize,
    pub scheduled: usize,
    pub attended: usize,
    pub no_show: usize,
    pub closed_with_note: usize,
    pub stalled: usize,
    pub rerouted: usize,
    pub escalated: usize,
    pub opted_out: usize,
    /// Texts and mails to patients that reached the vendor, by the practice's ledger.
    pub messages_sent: usize,
    pub dead_letters: usize,
    /// Orders that we acknowledged and do not have. Counted from what the EHR sent.
    pub lost: usize,
    /// Messages that reached somebody twice, by the ledger.
    pub doubled: usize,
    pub journal_entries: u64,
    pub plugin_calls: u64,
    /// Referrals by the state they are in.
    pub states: BTreeMap<String, usize>,
    pub dashboard: Vec<Share>,
    #[serde(skip)]
    pub timeline: Vec<TimelineMoment>,
}

impl Summary {
    pub fn of(pipeline: &Pipeline, world: &Simulation, now: DateTime<Utc>) -> anyhow::Result<Summary> {
        let index = pipeline.store.index();
        let referrals = all(pipeline)?;
        let ledger = world.ledger();
        let people = world.people();
        let ours: BTreeSet<String> = numbers(pipeline, &referrals)?;
        let acknowledged: BTreeSet<usize> = ledger.accepted_orders().collect();
        let lost = acknowledged.iter().filter(|person| !ours.contains(&people[**person].referral.number)).count();
        let marked =
            |name: &str| count(&referrals, |referral| referral.facts.marks.iter().any(|mark| mark.name == name));
        let board =
            Dashboard::of(referrals.iter().map(Arc::as_ref), now, |referral| pipeline.deployments.ended(referral));
        let mut states = BTreeMap::new();
        for referral in &referrals {
            *states.entry(referral.state.clone()).or_default() += 1;
        }
        Ok(Summary {
            referrals: referrals.len(),
            scheduled: count(&referrals, |referral| referral.facts.appointment.is_some()),
            attended: count(&referrals, |referral| referral.facts.visit.as_ref().is_some_and(|visit| visit.attended)),
            no_show: marked("no-show"),
            closed_with_note: count(&referrals, |referral| referral.facts.note.is_some()),
            stalled: marked("stalled"),
            rerouted: count(&referrals, |referral| referral.facts.rerouted > 0),
            escalated: marked("escalated"),
            opted_out: marked("opted-out"),
            messages_sent: ledger.texts.len() + ledger.mails.iter().filter(|mail| mail.person.is_some()).count(),
            dead_letters: index.dead_count().map(|count| (count.letters + count.deliveries) as usize)?,
            lost,
            doubled: ledger.duplicates(),
            journal_entries: pipeline.store.last().0,
            plugin_calls: pipeline.plugin_calls(),
            states,
            dashboard: board.figures().iter().map(Share::of).collect(),
            timeline: telling(&referrals)
                .map(|id| timeline::of(index, pipeline.store.reader(), id))
                .transpose()?
                .unwrap_or_default(),
        })
    }
}

/// Every referral, a page at a time.
pub(super) fn all(pipeline: &Pipeline) -> Result<Vec<Arc<Referral>>, IndexError> {
    let index = pipeline.store.index();
    let mut referrals = Vec::new();
    let mut after = None;
    loop {
        let page = index.referrals(&ReferralFilter::default(), after, PAGE_MAX)?;
        let Some(last) = page.last() else { return Ok(referrals) };
        after = Some(last.id);
        for listed in page {
            referrals.extend(index.referral(&listed.id)?);
        }
    }
}

fn count(referrals: &[Arc<Referral>], which: impl Fn(&Referral) -> bool) -> usize {
    referrals.iter().filter(|referral| which(referral)).count()
}

/// The order numbers that we have, in clear: the rehearsal's keys are its own.
fn numbers(pipeline: &Pipeline, referrals: &[Arc<Referral>]) -> anyhow::Result<BTreeSet<String>> {
    let mut numbers = BTreeSet::new();
    for referral in referrals {
        numbers.extend(numbers_of(pipeline, referral)?);
    }
    Ok(numbers)
}

pub(super) fn numbers_of(pipeline: &Pipeline, referral: &Referral) -> Result<Vec<String>, VaultError> {
    let tokens = referral.facts.order.numbers.iter();
    tokens.map(|token| Ok(pipeline.vault.reveal(token, &pipeline.store)?.as_str().to_string())).collect()
}

/// The referral whose timeline tells most: re-routed or missed, and still closed.
fn telling(referrals: &[Arc<Referral>]) -> Option<handoff_engine::ids::ReferralId> {
    let worth = |referral: &Referral| {
        let facts = &referral.facts;
        (facts.note.is_some(), facts.rerouted > 0, facts.attempts.len(), std::cmp::Reverse(referral.id))
    };
    referrals.iter().max_by_key(|referral| worth(referral)).map(|referral| referral.id)
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for share in &self.dashboard {
            let percent = share.percent.map_or("—".to_string(), |percent| format!("{percent:.1} %"));
            let mark = match share.on_target {
                Some(true) => "✓",
                Some(false) => "✗",
                None => " ",
            };
            writeln!(f, "  {mark} {:<26} {percent:>8}   target {}", share.figure, share.target)?;
        }
        writeln!(f)?;
        for (name, number) in [
            ("referrals", self.referrals),
            ("scheduled", self.scheduled),
            ("attended", self.attended),
            ("no-show", self.no_show),
            ("closed with note", self.closed_with_note),
            ("stalled", self.stalled),
            ("re-routed", self.rerouted),
            ("escalated", self.escalated),
            ("opted out", self.opted_out),
            ("messages sent", self.messages_sent),
            ("dead letters", self.dead_letters),
            ("lost", self.lost),
            ("sent twice", self.doubled),
        ] {
            writeln!(f, "  {name:<26} {number:>6}")?;
        }
        writeln!(f, "\n  Referrals by state")?;
        for (state, number) in &self.states {
            writeln!(f, "  {state:<26} {number:>6}")?;
        }
        writeln!(f, "\n  One referral's way through Handoff")?;
        for moment in &self.timeline {
            writeln!(f, "  {moment}")?;
        }
        Ok(())
    }
}
