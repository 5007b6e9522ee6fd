//! Event -> the referral it means, told in the engine's words.

use std::collections::BTreeSet;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use handoff_engine::event::{AppointmentChange, Event};
use handoff_engine::ids::{BlindedName, PatientId, ReferralId};
use handoff_engine::referral::{Appointment, AppointmentStatus, Consent, Note, Referral};
use handoff_engine::step;
use handoff_host::contract::interpreter::{self, Happening, NamedPatient, NoteStatus};
use handoff_store::entry::DeliveryVerdict;

use super::Intake;
use super::matching::{Matching, Meant, Unmatched};
use super::names::{Counted, Names};
use crate::error::PipelineError;
use crate::foreign_values::no_addresses;
use crate::transaction::Transaction;
use crate::{from_wit, search_names};

/// What the events of one delivery came to.
#[derive(Default)]
pub(super) struct Applied {
    /// On which they were.
    pub referrals: BTreeSet<ReferralId>,
    /// Whose they are.
    pub owner: Option<PatientId>,
    /// Of the first that meant none.
    pub unmatched: Option<Unmatched>,
}

/// Where an event of a delivery goes, and what derives the id of a referral that it begins.
pub(super) struct Way<'a> {
    pub names: &'a Names<'a>,
    pub seed: String,
    /// A person has said which referral is meant.
    pub assigned: Option<ReferralId>,
}

/// An order as its message has it.
struct Said<'a> {
    about: &'a interpreter::Reference,
    as_of: Option<DateTime<Utc>>,
    order: interpreter::Order,
}

impl Intake {
    /// The referrals that an event will change, as far as they are there already: to be held.
    pub(super) fn concerned(
        &self,
        transaction: &Transaction<'_>,
        names: &Names<'_>,
        event: &interpreter::Event,
    ) -> Result<Vec<ReferralId>, PipelineError> {
        let matching = Matching { transactions: &self.transactions, draft: &transaction.draft, names };
        if let Some(patient) = of_the_patient(event) {
            return Ok(matching.hear_of(&patient, &event.what)?.iter().map(|referral| referral.id).collect());
        }
        Ok(match matching.meant(event)? {
            Meant::Referral(id) => vec![id],
            Meant::Nobody(_) => Vec::new(),
        })
    }

    pub(super) fn apply(
        &self,
        transaction: &mut Transaction<'_>,
        event: interpreter::Event,
        way: &Way<'_>,
        applied: &mut Applied,
    ) -> Result<(), PipelineError> {
        let matching = Matching { transactions: &self.transactions, draft: &transaction.draft, names: way.names };
        if let Some(patient) = of_the_patient(&event) {
            let told = matching.hear_of(&patient, &event.what)?;
            return self.tell_all(transaction, &told, &event, way.names.patient(&patient), applied);
        }
        let meant = match way.assigned {
            Some(id) => Meant::Referral(id),
            None => matching.meant(&event)?,
        };
        let as_of = event.as_of.and_then(from_wit::instant);
        let id = match (meant, event.what) {
            (Meant::Referral(id), Happening::Ordered(order)) => {
                self.order_again(transaction, id, Said { about: &event.about, as_of, order }, way)?
            }
            (Meant::Referral(id), what) => {
                self.tell(transaction, id, interpreter::Event { what, ..event }, way)?;
                id
            }
            (Meant::Nobody(unmatched), Happening::Ordered(order)) if unmatched.candidates.is_empty() => {
                self.begin_referral(transaction, Said { about: &event.about, as_of, order }, way)?
            }
            (Meant::Nobody(unmatched), _) => {
                applied.unmatched.get_or_insert(unmatched);
                return Ok(());
            }
        };
        applied.note(transaction, id)
    }

    /// One referral hears of what happened to it.
    fn tell(
        &self,
        transaction: &mut Transaction<'_>,
        id: ReferralId,
        event: interpreter::Event,
        way: &Way<'_>,
    ) -> Result<(), PipelineError> {
        let referral = transaction.current(id)?;
        let patient = referral.facts.patient.id.clone();
        let as_of = event.as_of.and_then(from_wit::instant);
        self.name_further(transaction, id, &event.about, way.names);
        let now = transaction.now();
        let sealing = &mut transaction.draft.sealing;
        let told = match event.what {
            Happening::Withdrawn => Event::Withdrawn { as_of },
            Happening::Declined(reason) => Event::Declined { reason },
            Happening::Appointment(notice) => {
                let numbers = from_wit::numbers(sealing, &patient, "appointment", &event.about.appointment);
                let appointment = from_wit::appointment(&notice, numbers.clone(), as_of);
                let change = from_wit::appointment_change(notice.change);
                let known = referral.facts.appointment.as_ref().filter(|it| it.status == AppointmentStatus::Booked);
                // What changed is its time: that is what a patient wants to hear of. FHIR says `booked` of every version.
                let is_same = |known: &Appointment| numbers.iter().any(|number| known.numbers.contains(number));
                let may_move = change == AppointmentChange::Changed
                    || (change == AppointmentChange::Booked && known.is_some_and(is_same));
                let is_move = may_move
                    && appointment.as_ref().zip(known).is_some_and(|(told, known)| told.starts_at != known.starts_at);
                // An edit may be the first that is heard of a visit: its booking was lost, or comes late.
                let is_unheard_of = referral.facts.appointment.is_none() && referral.facts.visit.is_none();
                let is_first = change == AppointmentChange::Changed && appointment.is_some() && is_unheard_of;
                let change = match (is_move, is_first) {
                    (true, _) => AppointmentChange::Moved,
                    (false, true) => AppointmentChange::Booked,
                    (false, false) => change,
                };
                let with = notice.with.map(from_wit::provider);
                Event::Appointment { change, appointment, with, numbers, as_of }
            }
            Happening::Note(note) => {
                let last = note.status != NoteStatus::Preliminary;
                let number = event.about.document.first().map(|number| number.value.clone()).unwrap_or_default();
                let corrects = note.status == NoteStatus::Corrected;
                let note = from_wit::note(sealing, &patient, &number, note, now);
                // The same document with other content takes the place of what came before, whatever its status says.
                let is_again = |known: &&Note| !number.is_empty() && known.document_id == note.document_id;
                let again = referral.facts.note.as_ref().filter(is_again);
                match again {
                    Some(known) if known.content == note.content && known.attached == note.attached => {
                        transaction.draft.ignored(id, "the note came again".into());
                        return Ok(());
                    }
                    again => Event::NoteReceived { note, last, corrects: last && (corrects || again.is_some()) },
                }
            }
            Happening::NoteRetracted => Event::NoteRetracted,
            // An order is told by itself, news of a patient to all of their referrals.
            Happening::Ordered(_)
            | Happening::PatientUpdated(_)
            | Happening::PatientDied
            | Happening::PatientMerged(_) => return Ok(()),
        };
        transaction.transition(id, told)
    }

    /// By which numbers later messages may find it too.
    fn name_further(
        &self,
        transaction: &mut Transaction<'_>,
        id: ReferralId,
        about: &interpreter::Reference,
        names: &Names<'_>,
    ) {
        let counted = [(Counted::Appointment, &about.appointment), (Counted::Document, &about.document)];
        let further = counted
            .into_iter()
            .flat_map(|(counted, numbers)| numbers.iter().flat_map(move |number| names.kept(counted, number)));
        let further: Vec<BlindedName> = further.collect();
        if !further.is_empty() {
            transaction.draft.named_as(id, further);
        }
    }

    /// An order whose number is known: what it says anew, or a new beginning after it was withdrawn.
    fn order_again(
        &self,
        transaction: &mut Transaction<'_>,
        id: ReferralId,
        said: Said<'_>,
        way: &Way<'_>,
    ) -> Result<ReferralId, PipelineError> {
        let referral = transaction.current(id)?;
        if self.transactions.deployments.ended(&referral) {
            let is_newer = |withdrawn: DateTime<Utc>| said.as_of.unwrap_or(transaction.now()) > withdrawn;
            if referral.facts.withdrawn.is_some_and(is_newer) {
                return self.begin_referral(transaction, said, way);
            }
            transaction.draft.ignored(id, "the order came again after its referral had ended".into());
            return Ok(id);
        }
        if said.as_of.zip(referral.facts.order.as_of).is_some_and(|(said, known)| said < known) {
            transaction.draft.ignored(id, "an older version of the order came late".into());
            return Ok(id);
        }
        let (patient_id, country) = (&referral.facts.patient.id, self.transactions.country);
        let sealing = &mut transaction.draft.sealing;
        let consent = from_wit::consent(&said.order);
        let update = from_wit::patient_update(sealing, patient_id, &said.order.patient, consent, said.as_of, country);
        let told = from_wit::order(sealing, patient_id, said.about, said.order, said.as_of);
        // Not the one who sees the patient now: whoever was re-routed is not sent back by the same order.
        let redirected = match (&referral.facts.order.named, &told.named) {
            (Some(before), Some(now)) => !before.is_same(now),
            (None, _) | (_, None) => false,
        };
        let changed = Event::OrderChanged { order: told.into(), redirected };
        let updated = Event::PatientUpdated { update: Box::new(update) };
        let news: Vec<_> = [changed, updated].into_iter().filter(|event| step::is_news(&referral, event)).collect();
        if news.is_empty() {
            transaction.draft.ignored(id, "the order came again".into());
        }
        for event in news {
            transaction.transition(id, event)?;
        }
        Ok(id)
    }

    fn begin_referral(
        &self,
        transaction: &mut Transaction<'_>,
        said: Said<'_>,
        way: &Way<'_>,
    ) -> Result<ReferralId, PipelineError> {
        let Said { about, as_of, order } = said;
        let id = ReferralId::derive(transaction.now(), way.seed.as_bytes());
        let (vault, names) = (&self.transactions.vault, way.names);
        let patient_id = from_wit::patient_id(vault, &order.patient, names);
        let numbers = about.referral.iter().flat_map(|number| names.kept(Counted::Referral, number));
        let identifiers = order.patient.identifiers.iter().map(|identifier| names.identifier(identifier));
        let person = names.person(&order.patient.family, &order.patient.birth_date);
        let known_as = numbers.chain(identifiers).chain(person).chain(self.addresses(&order.patient));
        let known_as = known_as.chain(search_names::of_patient(vault, &order.patient)).collect();
        let draft = &mut transaction.draft;
        draft.named_as(id, known_as);
        for place in no_addresses(&order.patient) {
            draft.ignored(id, format!("{place} is no address"));
        }
        let (consent, country) = (from_wit::consent(&order), self.transactions.country);
        let (sealing, person) = (&mut draft.sealing, order.patient.clone());
        let patient = from_wit::patient(sealing, patient_id.clone(), person, consent, as_of, country);
        let order = from_wit::order(&mut draft.sealing, &patient_id, about, order, as_of);
        transaction.create_referral(id, patient.into(), order.into())?;
        Ok(id)
    }

    /// Under which a patient's replies find the referral.
    fn addresses(&self, patient: &interpreter::Patient) -> Vec<BlindedName> {
        let written = patient.phones.iter().map(|phone| &phone.number).chain(&patient.emails);
        let name = |address: &String| self.transactions.country.canonical(address);
        written.map(|address| self.transactions.vault.blind("address", &name(address))).collect()
    }

    /// These referrals of a patient hear of what happened to the patient.
    fn tell_all(
        &self,
        transaction: &mut Transaction<'_>,
        told: &[Arc<Referral>],
        event: &interpreter::Event,
        known_as: Vec<BlindedName>,
        applied: &mut Applied,
    ) -> Result<(), PipelineError> {
        for referral in told {
            let (id, patient) = (referral.id, &referral.facts.patient.id);
            let told = match &event.what {
                Happening::PatientUpdated(now) => {
                    let as_of = event.as_of.and_then(from_wit::instant);
                    let (sealing, country) = (&mut transaction.draft.sealing, self.transactions.country);
                    let update = from_wit::patient_update(sealing, patient, now, Consent::Unknown, as_of, country);
                    let updated = Event::PatientUpdated { update: Box::new(update) };
                    let is_news = step::is_news(referral, &updated);
                    if is_news {
                        transaction.draft.named_as(id, self.addresses(now));
                    }
                    is_news.then_some(updated)
                }
                Happening::PatientDied => Some(Event::PatientDied),
                Happening::PatientMerged(_) => {
                    transaction.draft.named_as(id, known_as.clone());
                    transaction.draft.ignored(id, "the patient's numbers were merged; both find the referral".into());
                    None
                }
                Happening::Ordered(_)
                | Happening::Withdrawn
                | Happening::Declined(_)
                | Happening::Appointment(_)
                | Happening::Note(_)
                | Happening::NoteRetracted => None,
            };
            if let Some(told) = told {
                transaction.transition(id, told)?;
            }
            applied.note(transaction, id)?;
        }
        Ok(())
    }
}

impl Applied {
    /// What became of the delivery as a whole. News of a patient who is nobody's here is no concern of ours: a feed carries
    /// everybody's.
    pub fn verdict(&self) -> DeliveryVerdict {
        let referrals: Vec<_> = self.referrals.iter().copied().collect();
        match &self.unmatched {
            Some(Unmatched { why, candidates }) => DeliveryVerdict::Unmatched {
                why: (*why).into(),
                candidates: candidates.iter().copied().collect(),
                applied: referrals,
            },
            None if referrals.is_empty() => {
                DeliveryVerdict::NotForUs { why: "none of our referrals is about its patient".into() }
            }
            None => DeliveryVerdict::Accepted { referrals },
        }
    }

    fn note(&mut self, transaction: &Transaction<'_>, id: ReferralId) -> Result<(), PipelineError> {
        if self.owner.is_none() {
            self.owner = Some(transaction.current(id)?.facts.patient.id.clone());
        }
        self.referrals.insert(id);
        Ok(())
    }
}

/// Whom an event concerns that is about a patient, and so about each of their referrals: by their numbers alone, since twins share
/// name and birth date. A merge finds those of the numbers that went, too.
fn of_the_patient(event: &interpreter::Event) -> Option<NamedPatient> {
    let retired = match &event.what {
        Happening::PatientUpdated(_) | Happening::PatientDied => &[][..],
        Happening::PatientMerged(retired) => retired,
        Happening::Ordered(_)
        | Happening::Withdrawn
        | Happening::Declined(_)
        | Happening::Appointment(_)
        | Happening::Note(_)
        | Happening::NoteRetracted => return None,
    };
    let surviving = event.about.patient.iter().flat_map(|patient| &patient.identifiers);
    let (given, family, birth_date) = (String::new(), String::new(), String::new());
    Some(NamedPatient { identifiers: surviving.chain(retired).cloned().collect(), given, family, birth_date })
}
