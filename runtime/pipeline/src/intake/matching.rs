//! Which referral an event means. A number finds it, and the patient must agree; the patient alone finds it only where it cannot be
//! another visit of theirs. What disagrees, or fits several, is a person's to decide.

use std::collections::BTreeSet;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use handoff_engine::ids::{BlindedName, ReferralId};
use handoff_engine::referral::{Provider, Referral};
use handoff_host::contract::interpreter::{
    Event, Happening, Identifier, Meaning, NamedPatient, Number, Order, Reference,
};

use super::names::{Counted, Names};
use crate::error::PipelineError;
use crate::from_wit;
use crate::transaction::Transactions;
use crate::transaction::draft::Draft;

/// How long before its order a visit may have been made out: an office books while the patient sits there, and orders after.
const BEFORE_THE_ORDER: TimeDelta = TimeDelta::days(2);

/// Whom an event means.
pub(super) enum Meant {
    Referral(ReferralId),
    Nobody(Unmatched),
}

/// Why no referral is meant.
#[derive(Clone)]
pub(super) struct Unmatched {
    pub why: &'static str,
    /// Those that it may mean after all.
    pub candidates: BTreeSet<ReferralId>,
}

/// Whether the patient whom a message names is a referral's.
#[derive(Clone, Copy, PartialEq)]
enum Agreement {
    Agrees,
    /// It names none, or only by what this referral's sender does not use.
    Silent,
    Disagrees,
}

/// Looks for referrals as a transaction has them.
pub(super) struct Matching<'a> {
    pub transactions: &'a Transactions,
    pub draft: &'a Draft<'a>,
    pub names: &'a Names<'a>,
}

impl Matching<'_> {
    /// The referral that an event means.
    pub fn meant(&self, event: &Event) -> Result<Meant, PipelineError> {
        let names = self.names;
        let about = &event.about;
        let patient = patient_of(event);
        let mut doubted = BTreeSet::new();
        for (counted, numbers) in numbers(about) {
            for number in numbers {
                for id in self.named(&names.exact(counted, number))? {
                    match self.agreement(patient.as_ref(), id)? {
                        Agreement::Agrees | Agreement::Silent => return Ok(Meant::Referral(id)),
                        Agreement::Disagrees => doubted.insert(id),
                    };
                }
            }
        }
        if !doubted.is_empty() {
            let why = "its number is one of ours, and its patient is another one";
            return Ok(Meant::Nobody(Unmatched { why, candidates: doubted }));
        }
        let group = about.group.iter().map(|number| (Counted::Referral, names.exact(Counted::Referral, number)));
        let loose = numbers(about).chain([(Counted::Referral, &about.group)]);
        let loose = loose.flat_map(|(counted, numbers)| numbers.iter().map(move |number| (counted, number)));
        let loose = loose.flat_map(|(counted, number)| names.loose(counted, number)).collect::<Vec<_>>();
        for name in group.map(|(_, name)| name).chain(loose) {
            for id in self.named(&name)? {
                match self.agreement(patient.as_ref(), id)? {
                    Agreement::Agrees => return Ok(Meant::Referral(id)),
                    Agreement::Silent => doubted.insert(id),
                    Agreement::Disagrees => false,
                };
            }
        }
        if !doubted.is_empty() && !matches!(event.what, Happening::Ordered(_)) {
            let why = "its number may be one of ours: neither its authority nor a patient says so";
            return Ok(Meant::Nobody(Unmatched { why, candidates: doubted }));
        }
        self.meant_by_patient(event, patient.as_ref())
    }

    /// By the patient alone: the same specialist, organization or specialty, after the order, and one referral only.
    fn meant_by_patient(&self, event: &Event, patient: Option<&NamedPatient>) -> Result<Meant, PipelineError> {
        let nobody = |why, candidates| Ok(Meant::Nobody(Unmatched { why, candidates }));
        let (with, at) = match &event.what {
            Happening::Appointment(notice) => (notice.with.as_ref(), notice.starts_at),
            Happening::Note(note) => (note.author.as_ref(), note.visited_at.or(note.written_at)),
            // A patient may be referred twice: an order is the same order only by its own number.
            Happening::Ordered(_) => return nobody("it is new", BTreeSet::new()),
            Happening::Withdrawn
            | Happening::Declined(_)
            | Happening::NoteRetracted
            | Happening::PatientUpdated(_)
            | Happening::PatientDied
            | Happening::PatientMerged(_) => return nobody("it names no referral of ours", BTreeSet::new()),
        };
        let Some(patient) = patient.filter(|_| event.about.by_patient) else {
            return nobody("it names no referral of ours", BTreeSet::new());
        };
        let open = self.open_referrals(patient)?;
        if open.is_empty() {
            return nobody("its patient has no referral that is open here", BTreeSet::new());
        }
        let (with, at) = (with.cloned().map(from_wit::provider), at.and_then(from_wit::instant));
        let fitting = open.iter().filter(|referral| fits(referral, with.as_ref(), at));
        let fitting: BTreeSet<_> = fitting.map(|referral| referral.id).collect();
        match (fitting.first(), fitting.len()) {
            (Some(id), 1) => Ok(Meant::Referral(*id)),
            (Some(_), _) => nobody("several referrals of its patient fit", fitting),
            (None, _) => {
                // The referring practice's own notes are about its patients all day long.
                let is_own = |referral: &&Arc<Referral>| {
                    with.as_ref().is_some_and(|with| referral.facts.order.referring.is_same(with))
                };
                let candidates = open.iter().filter(|referral| !is_own(referral)).map(|referral| referral.id).collect();
                nobody("its patient has a referral, and nothing says that this belongs to it", candidates)
            }
        }
    }

    /// Every referral of a patient that is under way.
    pub fn open_referrals(&self, patient: &NamedPatient) -> Result<Vec<Arc<Referral>>, PipelineError> {
        let mut open = self.referrals(patient)?;
        open.retain(|referral| !self.transactions.deployments.ended(referral));
        Ok(open)
    }

    /// Every referral of a patient, those that have ended among them.
    pub fn referrals(&self, patient: &NamedPatient) -> Result<Vec<Arc<Referral>>, PipelineError> {
        let mut found = BTreeSet::new();
        for name in self.names.patient(patient) {
            found.extend(self.found(&name)?);
        }
        let mut referrals = Vec::new();
        for id in found {
            referrals.extend(self.referral(id)?);
        }
        Ok(referrals)
    }

    /// Those that hear of news of a patient. A merge is about what has ended as well: its note may be corrected under the new number.
    pub fn hear_of(&self, patient: &NamedPatient, what: &Happening) -> Result<Vec<Arc<Referral>>, PipelineError> {
        match what {
            Happening::PatientMerged(_) => self.referrals(patient),
            Happening::PatientUpdated(_)
            | Happening::PatientDied
            | Happening::Ordered(_)
            | Happening::Withdrawn
            | Happening::Declined(_)
            | Happening::Appointment(_)
            | Happening::Note(_)
            | Happening::NoteRetracted => self.open_referrals(patient),
        }
    }

    /// Newest first: a number may have begun a referral again after an earlier one was withdrawn.
    fn named(&self, name: &BlindedName) -> Result<impl Iterator<Item = ReferralId>, PipelineError> {
        Ok(self.found(name)?.into_iter().rev())
    }

    fn found(&self, name: &BlindedName) -> Result<BTreeSet<ReferralId>, PipelineError> {
        let mut found: BTreeSet<_> = self.transactions.store.index().find(name)?.into_iter().collect();
        found.extend(self.draft.named(name));
        Ok(found)
    }

    fn referral(&self, id: ReferralId) -> Result<Option<Arc<Referral>>, PipelineError> {
        match self.draft.referral(id) {
            Some(referral) => Ok(Some(Arc::clone(referral))),
            None => Ok(self.transactions.store.index().referral(&id)?),
        }
    }

    fn agreement(&self, patient: Option<&NamedPatient>, id: ReferralId) -> Result<Agreement, PipelineError> {
        let Some(patient) = patient else { return Ok(Agreement::Silent) };
        for identifier in &patient.identifiers {
            for name in self.names.identifier_names(identifier) {
                if self.found(&name)?.contains(&id) {
                    return Ok(Agreement::Agrees);
                }
            }
        }
        let Some(referral) = self.referral(id)? else { return Ok(Agreement::Silent) };
        let known = &referral.facts.patient;
        let of_one_authority = |number: &Identifier| {
            let same = |authority: &str, kind: &str| authority == number.authority && kind == number.kind;
            !number.authority.is_empty() && known.identifiers.iter().any(|it| same(&it.authority, &it.kind))
        };
        // Before the name: twins share that, and the birth date.
        if patient.identifiers.iter().any(of_one_authority) {
            return Ok(Agreement::Disagrees);
        }
        let Some(person) = self.names.person(&patient.family, &patient.birth_date) else {
            return Ok(Agreement::Silent);
        };
        Ok(match (self.found(&person)?.contains(&id), &known.born) {
            (true, _) => Agreement::Agrees,
            (false, Some(_)) => Agreement::Disagrees,
            (false, None) => Agreement::Silent,
        })
    }
}

/// By which numbers an event is looked for, surest first.
fn numbers(about: &Reference) -> impl Iterator<Item = (Counted, &Vec<Number>)> {
    [
        (Counted::Referral, &about.referral),
        (Counted::Appointment, &about.appointment),
        (Counted::Document, &about.document),
    ]
    .into_iter()
}

/// Whom the event is about, as its message says.
pub(super) fn patient_of(event: &Event) -> Option<NamedPatient> {
    let named = |order: &Order| NamedPatient {
        identifiers: order.patient.identifiers.clone(),
        given: order.patient.given.clone(),
        family: order.patient.family.clone(),
        birth_date: order.patient.birth_date.clone(),
    };
    match (&event.about.patient, &event.what) {
        (None, Happening::Ordered(order)) => Some(named(order)),
        (patient, _) => patient.clone(),
    }
}

fn fits(referral: &Referral, with: Option<&Provider>, at: Option<DateTime<Utc>>) -> bool {
    let order = &referral.facts.order;
    let same = |one: &str, other: &str| !one.is_empty() && one.trim().to_lowercase() == other.trim().to_lowercase();
    let Some(with) = with else { return false };
    let specialist = order.specialist.as_ref();
    let is_meant = specialist.is_some_and(|known| known.is_same(with) || same(&with.organization, &known.organization))
        || same(&with.specialty, &order.specialty.display)
        || same(&with.specialty, &order.specialty.code)
        || specialist.is_some_and(|known| same(&with.specialty, &known.specialty));
    is_meant && at.is_none_or(|at| at >= referral.ordered_at - BEFORE_THE_ORDER)
}

/// Names that two deliveries may fight over: whoever comes second must see what the first did.
pub(super) fn fought_over(names: &Names<'_>, meaning: &Meaning) -> Vec<BlindedName> {
    let Meaning::Events(events) = meaning else { return Vec::new() };
    let of_event = |event: &Event| {
        let about = numbers(&event.about).flat_map(|(counted, numbers)| {
            let of_number =
                move |number| names.loose(counted, number).into_iter().chain([names.exact(counted, number)]);
            numbers.iter().flat_map(of_number)
        });
        let patient = patient_of(event).map(|patient| names.patient(&patient)).unwrap_or_default();
        about.chain(patient).collect::<Vec<_>>()
    };
    events.iter().flat_map(of_event).collect()
}
