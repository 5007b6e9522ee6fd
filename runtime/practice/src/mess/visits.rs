//! What schedulers do beside booking, moving and cancelling.

use chrono::Duration;

use crate::ehr::message::{Notice, Slot};
use crate::ledger::SimulatedChange;
use crate::town::{Action, SimulationState};

use super::Mishap;

impl SimulationState {
    /// Somebody will edit a comment of this visit, once or several times.
    pub(crate) fn note_edits(&mut self, person: usize, slot: &Slot) {
        let purpose = format!("edited {} {}", slot.number, slot.starts_at);
        if !self.has_trait(person, &purpose, self.plan.profile.mess.edited_visits) {
            return;
        }
        let mut dice = self.mess_dice(person, &purpose, 1);
        for _ in 0..dice.between(1, 3) {
            let at = self.now + dice.minutes(1, 4 * 24 * 60);
            self.agenda.note(at, person, Action::Befalls(Mishap::Edited));
        }
    }

    pub(super) fn edit_visit(&mut self, person: usize) {
        let Some(slot) = self.courses[person].upcoming().cloned() else { return };
        if slot.starts_at > self.now {
            self.notify(self.now, person, &slot, Notice::Edited);
        }
    }

    /// Whether this move is a new appointment, after which the old one is cancelled. Says so, where it is.
    pub(crate) fn rebooks(&mut self, person: usize, former: &Slot, moved: &Slot) -> bool {
        if former.number == moved.number {
            return false;
        }
        self.remember_number(&moved.number, person);
        self.record(person, moved, SimulatedChange::Booked);
        self.record(person, former, SimulatedChange::Cancelled);
        self.notify(self.now, person, moved, Notice::Booked);
        self.notify(self.now + Duration::minutes(4), person, former, Notice::Cancelled);
        true
    }

    /// The number under which a visit goes on after it has moved.
    pub(crate) fn number_after_move(&self, person: usize, number: &str) -> String {
        let purpose = format!("rebooked {number}");
        let is_new = self.has_trait(person, &purpose, self.plan.profile.mess.rebooked);
        if is_new { format!("{number}R") } else { number.to_string() }
    }
}
