//! What an EHR tells of patients rather than of referrals: charts merge, telephones and languages change, people die.

use chrono::{DateTime, Duration, Utc};

use crate::ehr::segment::{joined, msh, pid, segment, stamp};
use crate::hours;
use crate::ledger::{LedgerMoment, Purpose};
use crate::people::PatientLanguage;
use crate::town::SimulationState;

use super::Truth;

/// What has become of one patient's chart.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Annals {
    /// The record number before the merge, and whether Handoff has been told.
    pub former_record: Option<(String, bool)>,
    /// The number before, and when Handoff was told of the new one.
    pub former_telephone: Option<(String, Option<DateTime<Utc>>)>,
    /// Taken for dead by whoever has heard.
    pub dead: bool,
}

impl SimulationState {
    pub(super) fn merge_record(&mut self, person: usize) {
        let surviving = format!("MRN{:06}", 900_000 + person);
        self.remember_number(&surviving, person);
        let retired = std::mem::replace(&mut self.people[person].record_number, surviving);
        let mrg = segment("MRG", &[(1, &format!("{retired}^^^NPC^MR"))]);
        self.people[person].annals.former_record = Some((retired, false));
        self.administer(person, "A40", "ADT_A39", Purpose::Merge, Truth::Patient(person), &[mrg]);
    }

    pub(super) fn change_telephone(&mut self, person: usize) {
        let mut dice = self.mess_dice(person, "new telephone", 2);
        let mobile = self.people[person].home.number_elsewhere(person, &mut dice);
        let former = self.change_number(person, mobile);
        self.people[person].annals.former_telephone = Some((former, None));
        // Whoever has the number on file by mistake has it no more.
        self.courses[person].wrong_number = false;
        let event = if person.is_multiple_of(2) { "A08" } else { "A31" };
        self.administer(person, event, "ADT_A01", Purpose::Demographics, Truth::Patient(person), &[]);
    }

    pub(super) fn change_language(&mut self, person: usize) {
        let speaks = &mut self.people[person];
        speaks.language = match speaks.language {
            PatientLanguage::English => PatientLanguage::Spanish,
            PatientLanguage::Spanish | PatientLanguage::Chinese | PatientLanguage::Vietnamese => {
                PatientLanguage::English
            }
        };
        speaks.referral.tells_language = true;
        self.administer(person, "A31", "ADT_A05", Purpose::Demographics, Truth::Patient(person), &[]);
    }

    pub(super) fn die(&mut self, person: usize) {
        self.people[person].annals.dead = true;
        self.courses[person].settled = true;
        self.administer(person, "A08", "ADT_A01", Purpose::Death, Truth::Death(person), &[]);
        // The office hears of it as well.
        if self.has_trait(person, "cancelled after death", 0.5) {
            self.cancel_visit(person);
        }
    }

    /// ADT with the patient as they are by now.
    fn administer(
        &mut self,
        person: usize,
        event: &str,
        structure: &str,
        purpose: Purpose,
        truth: Truth,
        further: &[String],
    ) {
        let control_id = self.control_id(person);
        let mut segments = vec![
            msh("NPC-EHR", self.now, &format!("ADT^{event}^{structure}"), &control_id),
            segment("EVN", &[(1, event), (2, &stamp(self.now))]),
            pid(&self.people[person]),
        ];
        segments.extend_from_slice(further);
        let at = self.sent_at(person, &control_id, self.now);
        let message = self.message(Some(person), purpose, control_id, truth, &joined(segments));
        self.send_at(at, message);
    }

    /// Handoff has acknowledged what it was told of a patient. It counts where it knows the patient by this number.
    pub(crate) fn has_heard(&mut self, person: usize, purpose: Purpose) {
        let at = self.now;
        let is_known = || self.ledger.accepted_orders().any(|ordered| ordered == person);
        let is_known = matches!(purpose, Purpose::Demographics | Purpose::Death) && is_known();
        let annals = &mut self.people[person].annals;
        let is_merging = annals.former_record.as_ref().is_some_and(|(_, told)| !told);
        match purpose {
            Purpose::Merge => {
                if let Some((_, told)) = &mut annals.former_record {
                    *told = true;
                }
            }
            Purpose::Demographics if is_known && !is_merging => {
                if let Some((_, told_at @ None)) = &mut annals.former_telephone {
                    *told_at = Some(at);
                }
            }
            Purpose::Death if is_known && !is_merging => self.ledger.deaths.push(LedgerMoment { at, person }),
            Purpose::Demographics
            | Purpose::Death
            | Purpose::Order
            | Purpose::Withdrawal
            | Purpose::Scheduling
            | Purpose::Note
            | Purpose::CutNote
            | Purpose::OtherSystem
            | Purpose::Unrelated
            | Purpose::Malformed
            | Purpose::Duplicate => {}
        }
    }

    /// Somebody else may have the number by now: who of our patients had it, and told us long enough ago that they have not.
    pub(crate) fn has_moved_on(&self, number: &str, text: &str) -> Option<usize> {
        if self.plan.profile.mess.new_telephones == 0.0 {
            return None;
        }
        let has = |(person, it): (usize, &crate::people::SimulatedPatient)| {
            let (former, told_at) = it.annals.former_telephone.as_ref()?;
            let is_theirs = former == number && text.contains(&it.given);
            let is_late = told_at.is_some_and(|told_at| self.now - told_at > ON_ITS_WAY);
            (is_theirs && is_late).then_some(person)
        };
        self.people.iter().enumerate().find_map(has)
    }

    /// Corrected after a few days, in office hours.
    pub(crate) fn corrected_at(&self, person: usize) -> Option<DateTime<Utc>> {
        let is_corrected = self.has_trait(person, "corrected notes", self.plan.profile.mess.corrected_notes);
        is_corrected
            .then(|| hours::office(self.now + self.mess_dice(person, "corrected notes", 1).minutes(30, 5 * 24 * 60)))
    }
}

/// A letter that is with its vendor already cannot be called back.
const ON_ITS_WAY: Duration = Duration::minutes(5);
