//! The measure over what an instance has seen: the orders that it took, and the notes that came back.
//!
//! The measure speaks of more than comes by here. What is taken for given in its place is in [`ASSUMED`], and told with every result.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry as Place;

use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;
use handoff_engine::event::Event;
use handoff_engine::ids::{PatientId, ReferralId};
use handoff_engine::referral::{Provider, Referral};
use handoff_store::index::{PAGE_MAX, ReferralFilter};
use handoff_store::journal::Entries;
use handoff_store::{Index, Record};
use serde::Serialize;

use super::{MeasurementYear, PopulationCounts};

/// What the measure asks and the journal cannot tell.
pub const ASSUMED: [&str; 4] = [
    "Handoff sees no encounter of the referring practice. Whoever was referred counts as seen there in the year.",
    "Every order that Handoff took in, and that was not withdrawn, counts as one of the value set Referral.",
    "An order counts on the day it was written, as its sender says; without that, on the day it came.",
    "A final note that came back, and was not taken back, counts as the completed Task that Handoff writes to the chart for it.",
];

/// The measure of a year.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Cms50 {
    pub year: MeasurementYear,
    /// Where its days begin and end.
    pub zone: Tz,
    pub populations: PopulationCounts,
    pub score: Option<f64>,
    /// By name. A patient counts with whoever wrote their first order, and so once.
    pub clinicians: Vec<ClinicianCounts>,
    pub assumed: [&'static str; 4],
}

/// The patients whose first order one clinician wrote.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ClinicianCounts {
    /// Their national provider identifier, where the order has it.
    pub id: String,
    pub name: String,
    pub populations: PopulationCounts,
    pub score: Option<f64>,
}

/// A patient's first order of the year.
struct FirstOrder {
    authored_at: DateTime<Utc>,
    referral: ReferralId,
    referring: Provider,
    is_noted: bool,
}

/// # Errors
/// When the index or the journal cannot be read.
pub fn of(index: &dyn Index, entries: &dyn Entries, year: MeasurementYear, zone: Tz) -> anyhow::Result<Cms50> {
    let mut clinicians: BTreeMap<(String, String), ClinicianCounts> = BTreeMap::new();
    let mut populations = PopulationCounts::default();
    for first in first_orders(index, year, zone)?.into_values() {
        let reported = if first.is_noted { reported_at(index, entries, first.referral)? } else { None };
        let is_reported =
            reported.is_some_and(|at| at > first.authored_at && is_within(at, zone, year.first_day(), year.last_day()));
        let counts = PopulationCounts::of_patient(true, is_reported);
        populations.add(counts);
        let Provider { id, name, .. } = first.referring;
        // By number where there is one: a name is spelt in many ways.
        let key = if id.is_empty() { (String::new(), name.clone()) } else { (id.clone(), String::new()) };
        let clinician = clinicians.entry(key).or_insert_with(|| ClinicianCounts {
            id,
            name: String::new(),
            populations: PopulationCounts::default(),
            score: None,
        });
        if clinician.name.is_empty() {
            clinician.name = name;
        }
        clinician.populations.add(counts);
        clinician.score = clinician.populations.score();
    }
    let mut clinicians: Vec<ClinicianCounts> = clinicians.into_values().collect();
    clinicians.sort_by(|one, other| (&one.name, &one.id).cmp(&(&other.name, &other.id)));
    Ok(Cms50 { year, zone, score: populations.score(), populations, clinicians, assumed: ASSUMED })
}

fn first_orders(index: &dyn Index, year: MeasurementYear, zone: Tz) -> anyhow::Result<BTreeMap<PatientId, FirstOrder>> {
    let mut first_orders = BTreeMap::new();
    let mut after = None;
    loop {
        let page = index.referrals(&ReferralFilter::default(), after, PAGE_MAX)?;
        let Some(last) = page.last() else { return Ok(first_orders) };
        after = Some(last.id);
        for listed in page {
            let Some(referral) = index.referral(&listed.id)? else { continue };
            let order = first_order(&referral);
            let is_in_time = is_within(order.authored_at, zone, year.first_day(), year.last_day_of_referrals());
            // A withdrawn order is neither active nor completed.
            if !is_in_time || referral.facts.withdrawn.is_some() {
                continue;
            }
            match first_orders.entry(referral.facts.patient.id.clone()) {
                Place::Vacant(place) => drop(place.insert(order)),
                Place::Occupied(mut known) if order.authored_at < known.get().authored_at => drop(known.insert(order)),
                Place::Occupied(_) => {}
            }
        }
    }
}

fn first_order(referral: &Referral) -> FirstOrder {
    let order = &referral.facts.order;
    FirstOrder {
        authored_at: order.authored_at.unwrap_or(referral.ordered_at),
        referral: referral.id,
        referring: order.referring.clone(),
        is_noted: referral.facts.note.is_some(),
    }
}

fn is_within(at: DateTime<Utc>, zone: Tz, first: NaiveDate, last: NaiveDate) -> bool {
    (first..=last).contains(&at.with_timezone(&zone).date_naive())
}

/// When the report came: the first of its notes, corrected or not, that was not taken back.
fn reported_at(
    index: &dyn Index,
    entries: &dyn Entries,
    referral: ReferralId,
) -> anyhow::Result<Option<DateTime<Utc>>> {
    let mut reported = None;
    for position in index.history(&referral)? {
        let Some(entry) = entries.entry(position)? else { continue };
        for record in &entry.records {
            let Record::Happened { referral: of, event } = record else { continue };
            if let Event::NoteReceived { note, last: true, .. } = event
                && *of == referral
            {
                reported.get_or_insert(note.received_at);
            } else if matches!(event, Event::NoteRetracted) && *of == referral {
                reported = None;
            }
        }
    }
    Ok(reported)
}
