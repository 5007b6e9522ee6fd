//! Referrals counted: the five figures of the whole practice, of each week and month, and of whoever orders and receives; and how
//! far each office closes the loop. One pass over all of them, kept for a minute.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, Datelike as _, Days, TimeDelta, Utc};
use handoff_engine::dashboard::{Dashboard, Figure, marks};
use handoff_engine::referral::{AppointmentStatus, Referral};
use handoff_store::index::{IndexError, PAGE_MAX, ReferralFilter};
use parking_lot::Mutex;

use crate::operations::Operations;
use crate::worklist::office;

/// A hundred thousand referrals are read in seconds; a page that is asked for again and again must not cost that each time.
const COUNTED_FOR: TimeDelta = TimeDelta::minutes(1);

/// As they were counted last.
#[derive(Default)]
pub(crate) struct LastCensus(Mutex<Option<Arc<Census>>>);

/// By what referrals are put together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum CountedBy {
    /// The Monday of the week in which they were ordered.
    Week,
    Month,
    Specialist,
    Specialty,
    Physician,
}

#[derive(Debug)]
pub struct Census {
    pub counted_at: DateTime<Utc>,
    pub all: Cohort,
    cohorts: BTreeMap<(CountedBy, String), Cohort>,
    offices: BTreeMap<String, OfficeRecord>,
}

/// Referrals that have something in common.
#[derive(Clone, Debug)]
pub struct Cohort {
    /// `2026-03-02`, `2026-03`, or a name.
    pub name: String,
    pub referrals: u64,
    pub board: Dashboard,
}

/// How far a specialist's office closes the loop.
#[derive(Clone, Debug, Default)]
pub struct OfficeRecord {
    pub id: String,
    pub name: String,
    pub phone: String,
    pub specialty: String,
    pub referrals: u64,
    pub in_flight: u64,
    pub unbooked: u64,
    pub stalled: u64,
    pub missed: u64,
    pub attended: u64,
    pub noted: u64,
    /// Seen, and no note yet.
    pub awaited: u64,
    /// Days from the order to the appointment.
    days_to_visit: Vec<i64>,
    /// Days from the visit to its note.
    days_to_note: Vec<i64>,
}

impl CountedBy {
    pub const ALL: [CountedBy; 5] =
        [CountedBy::Month, CountedBy::Week, CountedBy::Specialist, CountedBy::Specialty, CountedBy::Physician];
}

impl Cohort {
    fn named(name: String) -> Cohort {
        Cohort { name, referrals: 0, board: Dashboard::empty() }
    }

    pub fn figures(&self) -> [Figure; 5] {
        self.board.figures()
    }
}

impl OfficeRecord {
    pub fn median_days_to_visit(&self) -> Option<i64> {
        median(&self.days_to_visit)
    }

    pub fn median_days_to_note(&self) -> Option<i64> {
        median(&self.days_to_note)
    }

    fn count(&mut self, referral: &Referral, ended: bool) {
        let facts = &referral.facts;
        let marked = |name: &str| facts.marks.iter().any(|mark| mark.name == name);
        let attended = facts.visit.as_ref().filter(|visit| visit.attended);
        let booked = facts.appointment.as_ref().filter(|it| it.status != AppointmentStatus::Cancelled);
        self.referrals += 1;
        self.in_flight += u64::from(!ended);
        self.unbooked += u64::from(!ended && booked.is_none() && attended.is_none() && facts.note.is_none());
        self.stalled += u64::from(!ended && crate::worklist::is_stalled(referral));
        self.missed += u64::from(marked(marks::NO_SHOW));
        self.attended += u64::from(attended.is_some());
        self.noted += u64::from(attended.is_some() && facts.note.is_some());
        self.awaited += u64::from(!ended && attended.is_some() && facts.note.is_none());
        if let Some(visit) = booked {
            self.days_to_visit.push((visit.starts_at - referral.ordered_at).num_days().max(0));
        }
        if let (Some(visit), Some(note)) = (attended, &facts.note) {
            self.days_to_note.push((note.received_at - visit.at).num_days().max(0));
        }
    }
}

fn median(days: &[i64]) -> Option<i64> {
    let mut days = days.to_vec();
    days.sort_unstable();
    days.get(days.len() / 2).copied()
}

impl Census {
    /// In order of their names, or of time.
    pub fn cohorts(&self, by: CountedBy) -> impl Iterator<Item = &Cohort> {
        self.cohorts.iter().filter(move |((of, _), _)| *of == by).map(|(_, cohort)| cohort)
    }

    /// The busiest first.
    pub fn offices(&self) -> Vec<&OfficeRecord> {
        let mut offices: Vec<&OfficeRecord> = self.offices.values().collect();
        offices.sort_by(|one, other| (other.referrals, &one.name).cmp(&(one.referrals, &other.name)));
        offices
    }

    fn count(&mut self, referral: &Referral, ended: bool, zone: chrono_tz::Tz) {
        let order = &referral.facts.order;
        let day = referral.ordered_at.with_timezone(&zone).date_naive();
        let monday = day - Days::new(u64::from(day.weekday().num_days_from_monday()));
        let named = |name: &str| if name.is_empty() { "not named".to_string() } else { name.to_string() };
        let groups = [
            (CountedBy::Week, monday.to_string()),
            (CountedBy::Month, day.format("%Y-%m").to_string()),
            (CountedBy::Specialist, named(&order.specialist.as_ref().map(office).unwrap_or_default())),
            (CountedBy::Specialty, named(&order.specialty.display)),
            (CountedBy::Physician, named(&order.referring.name)),
        ];
        let now = self.counted_at;
        for group in groups {
            let cohort = self.cohorts.entry(group.clone()).or_insert_with(|| Cohort::named(group.1));
            cohort.referrals += 1;
            cohort.board.count(referral, now, ended);
        }
        self.all.referrals += 1;
        self.all.board.count(referral, now, ended);
        if let Some(specialist) = &order.specialist {
            let record = self.offices.entry(specialist.id.clone()).or_insert_with(|| OfficeRecord {
                id: specialist.id.clone(),
                name: office(specialist),
                phone: specialist.phone.clone(),
                specialty: order.specialty.display.clone(),
                ..OfficeRecord::default()
            });
            record.count(referral, ended);
        }
    }
}

impl Operations {
    /// # Errors
    /// When the index cannot be read.
    pub fn census(&self) -> Result<Arc<Census>, IndexError> {
        let now = self.pipeline.clock.now();
        // Whoever asks meanwhile waits for the same count.
        let mut last = self.census.0.lock();
        if let Some(census) = last.as_ref().filter(|census| now - census.counted_at < COUNTED_FOR) {
            return Ok(Arc::clone(census));
        }
        let zone = self.pipeline.deployments.current().workflow().contact.zone;
        let (all, cohorts, offices) = (Cohort::named("all".into()), BTreeMap::new(), BTreeMap::new());
        let mut census = Census { counted_at: now, all, cohorts, offices };
        let index = self.pipeline.store.index();
        let mut after = None;
        loop {
            let page = index.referrals(&ReferralFilter::default(), after, PAGE_MAX)?;
            let Some(last) = page.last() else { break };
            after = Some(last.id);
            for listed in page {
                if let Some(referral) = index.referral(&listed.id)? {
                    census.count(&referral, self.pipeline.deployments.ended(&referral), zone);
                }
            }
        }
        let census = Arc::new(census);
        *last = Some(Arc::clone(&census));
        Ok(census)
    }
}
