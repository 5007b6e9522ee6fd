//! The offices at work: orders go out, visits are booked, moved and kept or missed, notes are written.

use std::collections::BTreeSet;

use chrono::{DateTime, Duration, Utc};
use sha2::{Digest as _, Sha256};

use crate::dice::Dice;
use crate::ehr::message::{self, NoteForm, Notice, Slot, Wording};
use crate::hours;
use crate::ledger::{Booking, LedgerMoment, Purpose, SentDocument, SimulatedChange, SimulatedVisit};
use crate::mess::Truth;
use crate::town::{Action, BookedVisit, SimulationState, VisitStatus};

/// A message that was held back follows the one that overtook it after so long.
const OVERTAKEN_BY: Duration = Duration::minutes(10);

/// An analyst looks at what was refused, and sends the document again.
const RESENT_WHOLE_AFTER: Duration = Duration::minutes(40);

impl SimulationState {
    /// Notes down everything that happens whatever Handoff does.
    pub(crate) fn open(&mut self) {
        for person in 0..self.people.len() {
            let at = self.people[person].referral.ordered_at;
            let control_id = self.control_id(person);
            let ordered = &self.people[person];
            let body = message::order(ordered, &self.roster[ordered.referral.specialist], &control_id);
            let sent_at = at + self.order_waits(person);
            self.transmit(sent_at, person, Purpose::Order, control_id, &body);
            if self.people[person].nature.self_starting {
                let mut dice = self.dice(person, "self-starting");
                let booked_at = hours::office(at + dice.minutes(24 * 60, 5 * 24 * 60));
                self.agenda.note(booked_at, person, Action::Book);
            }
        }
        for person in self.chosen("withdrawn", self.plan.profile.ehr.withdrawn) {
            let mut dice = self.dice(person, "withdrawn");
            let at = hours::office(self.people[person].referral.ordered_at + dice.minutes(20 * 60, 48 * 60));
            self.agenda.note(at, person, Action::Withdraw);
        }
        self.note_mishaps();
        self.note_noise();
    }

    /// Messages that are no order: of other things, or broken.
    fn note_noise(&mut self) {
        let ehr = self.plan.profile.ehr;
        for (purpose, count) in [(Purpose::Unrelated, ehr.unrelated), (Purpose::Malformed, ehr.malformed)] {
            for nth in 0..if self.people.is_empty() { 0 } else { count } {
                let mut dice = Dice::of(self.plan.seed, nth, &format!("{purpose:?}"), 0);
                let at = hours::office(self.plan.start + dice.minutes(0, 10 * 24 * 60));
                let person = &self.people[nth % self.people.len()];
                let control_id = format!("{purpose:?}{nth:03}").to_uppercase();
                let body = match purpose {
                    Purpose::Malformed => message::malformed(person, at, nth, &control_id),
                    Purpose::Order
                    | Purpose::Withdrawal
                    | Purpose::Scheduling
                    | Purpose::Note
                    | Purpose::CutNote
                    | Purpose::Merge
                    | Purpose::Demographics
                    | Purpose::Death
                    | Purpose::OtherSystem
                    | Purpose::Unrelated
                    | Purpose::Duplicate => {
                        message::unrelated(person, if nth.is_multiple_of(2) { "A08" } else { "A04" }, at, &control_id)
                    }
                };
                // An A08 of a patient of ours says again what is known.
                let truth = if purpose == Purpose::Malformed {
                    Truth::NotOurs
                } else {
                    Truth::Patient(nth % self.people.len())
                };
                let message = self.message(None, purpose, control_id, truth, &body);
                self.send_at(at, message);
            }
        }
    }

    fn chosen(&self, purpose: &str, count: usize) -> BTreeSet<usize> {
        let last = i64::try_from(self.people.len()).unwrap_or(i64::MAX) - 1;
        let count = count.min(self.people.len());
        let mut chosen = BTreeSet::new();
        let mut dice = Dice::of(self.plan.seed, usize::MAX, purpose, 0);
        while chosen.len() < count {
            chosen.insert(usize::try_from(dice.between(0, last)).unwrap_or_default());
        }
        chosen
    }

    pub(crate) fn withdraw(&mut self, person: usize) {
        if self.courses[person].attended() {
            return;
        }
        self.cancel_visit(person);
        let course = &mut self.courses[person];
        course.settled = true;
        course.withdrawn = true;
        let control_id = self.control_id(person);
        let ordered = &self.people[person];
        let specialist = &self.roster[ordered.referral.specialist];
        let body = message::withdrawal(ordered, specialist, self.now, &control_id);
        self.ledger.withdrawals.push(LedgerMoment { at: self.now, person });
        self.transmit(self.now, person, Purpose::Withdrawal, control_id, &body);
    }

    pub(crate) fn book(&mut self, person: usize) {
        let course = &self.courses[person];
        if course.settled || course.attended() || course.upcoming().is_some() {
            return;
        }
        let nth = course.visits.len() + 1;
        let specialist = course.told.unwrap_or(self.people[person].referral.specialist);
        let opens_in_days = self.roster[specialist].next_available_days;
        let mut dice = self.dice(person, "book");
        let wait = i64::from(opens_in_days) / if self.people[person].referral.urgent { 2 } else { 1 };
        let earliest = self.now + Duration::days(wait + dice.between(0, 2)) + dice.minutes(0, 8 * 60);
        let slot = Slot {
            number: format!("AP{person:05}{nth}"),
            starts_at: hours::slot(earliest),
            minutes: 30,
            specialist,
            names_referral: !dice.chance(0.04),
        };
        self.remember_number(&slot.number, person);
        self.record(person, &slot, SimulatedChange::Booked);
        let moves = self.people[person].nature.moves && nth == 1;
        let move_at = moves.then(|| hours::office(self.now + (slot.starts_at - self.now) / 2));
        let move_at = move_at.filter(|at| *at < slot.starts_at);
        // Held back by the interface until the news of the move has overtaken it.
        let overtaken = move_at.filter(|_| dice.chance(self.plan.profile.ehr.overtaken));
        let not_before = overtaken.map_or(self.now, |at| at + OVERTAKEN_BY);
        self.notify_late(self.now, not_before, person, &slot, Notice::Booked);
        self.note_edits(person, &slot);
        if let Some(at) = move_at {
            self.agenda.note(at, person, Action::Move);
        }
        self.expect(person, slot);
    }

    pub(crate) fn move_visit(&mut self, person: usize) {
        let Some(slot) = self.courses[person].upcoming().cloned() else { return };
        if self.people[person].annals.dead {
            return;
        }
        let mut dice = self.dice(person, "move");
        let starts_at = hours::slot(slot.starts_at + Duration::days(dice.between(1, 5)));
        let number = self.number_after_move(person, &slot.number);
        let moved = Slot { starts_at, number, ..slot.clone() };
        self.courses[person].visits.pop();
        if !self.rebooks(person, &slot, &moved) {
            self.record(person, &moved, SimulatedChange::Moved);
            self.notify(self.now, person, &moved, Notice::Moved);
        }
        self.note_edits(person, &moved);
        self.expect(person, moved);
    }

    /// The patient cannot come. Most ask for another time when somebody reminds them.
    pub(crate) fn cancel_visit(&mut self, person: usize) {
        let Some(slot) = self.courses[person].upcoming().cloned() else { return };
        self.set_status(person, VisitStatus::Cancelled);
        self.courses[person].agreed = false;
        self.record(person, &slot, SimulatedChange::Cancelled);
        self.notify(self.now, person, &slot, Notice::Cancelled);
    }

    pub(crate) fn record(&mut self, person: usize, slot: &Slot, change: SimulatedChange) {
        let office = &self.roster[slot.specialist];
        self.ledger.bookings.push(Booking {
            at: self.now,
            person,
            number: slot.number.clone(),
            change,
            starts_at: slot.starts_at,
            specialist: office.id.to_string(),
            in_network: office.takes(self.people[person].health_plan.id),
        });
    }

    fn expect(&mut self, person: usize, slot: Slot) {
        let course = &mut self.courses[person];
        course.agreed = true;
        course.reminders = 0;
        course.visits.push(BookedVisit { slot: slot.clone(), status: VisitStatus::Booked });
        let action = Action::Attend { number: slot.number, starts_at: slot.starts_at };
        self.agenda.note(slot.starts_at, person, action);
    }

    pub(crate) fn attend(&mut self, person: usize, number: &str, starts_at: DateTime<Utc>) {
        let upcoming = self.courses[person].upcoming();
        let Some(slot) = upcoming.filter(|slot| slot.number == number && slot.starts_at == starts_at).cloned() else {
            return;
        };
        let mut dice = self.dice(person, "attend");
        let attended = !dice.chance(self.misses(person)) && !self.people[person].annals.dead;
        self.ledger.visits.push(SimulatedVisit { at: self.now, person, number: slot.number.clone(), attended });
        if !attended {
            self.set_status(person, VisitStatus::Missed);
            self.courses[person].agreed = false;
            // Not every office reports it.
            if dice.chance(0.6) {
                self.notify(self.now + dice.minutes(60, 180), person, &slot, Notice::NoShow);
            }
            return;
        }
        self.set_status(person, VisitStatus::Arrived);
        let (forgets_note, reports_arrival) = {
            let office = &self.roster[slot.specialist];
            (office.forgets_note, office.reports_arrival)
        };
        let note_at = hours::office(self.now + dice.minutes(24 * 60, 10 * 24 * 60));
        let is_early = self.has_trait(person, "early notes", self.plan.profile.mess.early_notes);
        let note_at = if is_early { self.now + Duration::minutes(7) } else { note_at };
        if !forgets_note {
            self.agenda.note(note_at, person, Action::SendNote);
        }
        if reports_arrival {
            let overtaken = !forgets_note && dice.chance(self.plan.profile.ehr.overtaken);
            let at = self.now + dice.minutes(0, 20);
            let not_before = if overtaken { note_at + OVERTAKEN_BY } else { at };
            self.notify_late(at, not_before, person, &slot, Notice::Arrived);
        }
    }

    pub(crate) fn send_note(&mut self, person: usize) {
        let Some(slot) = self.courses[person].visit().map(|visit| visit.slot.clone()) else { return };
        if self.courses[person].noted {
            return;
        }
        self.courses[person].noted = true;
        self.set_status(person, VisitStatus::Fulfilled);
        let wording = Wording::first(&self.people[person], &self.roster[slot.specialist], &slot);
        let at = self.write_note(person, &slot, &wording);
        self.ledger.notes.push(LedgerMoment { at: self.now, person });
        if let Some(corrected_at) = self.corrected_at(person) {
            self.agenda.note(corrected_at.max(at), person, Action::CorrectNote);
        }
    }

    pub(crate) fn correct_note(&mut self, person: usize) {
        let Some(slot) = self.courses[person].visit().map(|visit| visit.slot.clone()) else { return };
        let wording = Wording::first(&self.people[person], &self.roster[slot.specialist], &slot).corrected();
        self.write_note(person, &slot, &wording);
    }

    /// Sends a note, first cut where that happens. When the whole one goes.
    fn write_note(&mut self, person: usize, slot: &Slot, wording: &Wording) -> DateTime<Utc> {
        // Each office has one system, and so one form.
        let form = match slot.specialist.is_multiple_of(2) {
            true => NoteForm::Text,
            false => NoteForm::Document(self.shape_of_document(person)),
        };
        let write = |town: &SimulationState, control_id: &str| {
            let specialist = &town.roster[slot.specialist];
            message::note(&town.people[person], specialist, slot, &form, wording, town.now, control_id)
        };
        let control_id = self.control_id(person);
        let mut at = self.sent_at(person, &control_id, self.now);
        let body = write(self, &control_id);
        let cut = if form == NoteForm::Text { None } else { self.cut(person, &body) };
        if let Some(cut) = cut {
            let message = self.message(Some(person), Purpose::CutNote, control_id, Truth::Cut(person), &cut);
            self.send_at(at, message);
            at += RESENT_WHOLE_AFTER;
        }
        let control_id = self.control_id(person);
        let body = write(self, &control_id);
        self.transmit(at, person, Purpose::Note, control_id, &body);
        let document = form.document(&wording.text);
        let (bytes, sha256) = (document.len(), Sha256::digest(&document).into());
        self.ledger.documents.push(SentDocument { at, person, bytes, sha256 });
        at
    }
}
