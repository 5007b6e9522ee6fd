//! What neighbours do that no manual says: [`crate::Mess`] says how often, and these files what. Their dice are their own, so that a
//! tidy practice lives as if they were not here.

mod documents;
mod envelope;
mod handsets;
mod other_systems;
mod providers;
mod records;
mod truth;
mod visits;

pub(crate) use documents::{Shape, pieces};
pub(crate) use envelope::{CharacterSet, unusual_name};
pub(crate) use handsets::{as_people_write, share_handsets};
pub(crate) use providers::Staff;
pub(crate) use records::Annals;
pub use truth::{Truth, VisitTold};

use chrono::{DateTime, Duration, Utc};

use crate::dice::Dice;
use crate::hours;
use crate::town::{Action, Sending, SimulationState};

/// Something of this kind happens by itself to a patient.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mishap {
    /// Two charts turn out to be one patient's.
    Merged,
    NewTelephone,
    NewLanguage,
    Dies,
    /// Another system sends something with one of our numbers.
    SharedNumber,
    /// Somebody writes from a number that nobody has.
    Stranger,
    LateReply,
    /// The same visit is told again.
    Edited,
}

/// Late news is at most so late: a weekend.
const HELD_BACK_MINUTES_MAX: i64 = 48 * 60;

impl SimulationState {
    /// Dice for a trait, which no other trait and no tidy behaviour draws from.
    pub(crate) fn mess_dice(&self, person: usize, purpose: &str, nth: u32) -> Dice {
        Dice::of(self.plan.seed, person, &format!("mess {purpose}"), nth)
    }

    pub(crate) fn has_trait(&self, person: usize, purpose: &str, chance: f64) -> bool {
        chance > 0.0 && self.mess_dice(person, purpose, 0).chance(chance)
    }

    /// Notes down what will happen to each patient, whatever Handoff does.
    pub(crate) fn note_mishaps(&mut self) {
        let mess = self.plan.profile.mess;
        for person in 0..self.people.len() {
            for (mishap, purpose, chance, days) in [
                (Mishap::Merged, "merged", mess.merged_records, (0, 14)),
                (Mishap::NewTelephone, "new telephone", mess.new_telephones, (1, 18)),
                (Mishap::NewLanguage, "new language", mess.new_languages, (1, 18)),
                // After the order: of somebody who is not referred nobody is told.
                (Mishap::Dies, "dies", mess.deaths, (3, 20)),
                (Mishap::SharedNumber, "shared number", mess.shared_numbers, (1, 18)),
                (Mishap::Stranger, "stranger", mess.strangers, (1, 18)),
                (Mishap::LateReply, "late reply", mess.late_replies, (12, 20)),
            ] {
                if self.has_trait(person, purpose, chance) {
                    let mut dice = self.mess_dice(person, purpose, 1);
                    let (from, until) = days;
                    let after = dice.minutes(from * 24 * 60, until * 24 * 60);
                    let at = hours::office(self.people[person].referral.ordered_at + after);
                    self.agenda.note(at, person, Action::Befalls(mishap));
                }
            }
        }
    }

    pub(crate) fn befall(&mut self, person: usize, mishap: Mishap) -> Vec<Sending> {
        match mishap {
            Mishap::Merged => self.merge_record(person),
            Mishap::NewTelephone => self.change_telephone(person),
            Mishap::NewLanguage => self.change_language(person),
            Mishap::Dies => self.die(person),
            Mishap::SharedNumber => self.share_number(person),
            Mishap::Edited => self.edit_visit(person),
            Mishap::Stranger => return self.stranger_writes(person),
            Mishap::LateReply => return self.reply_late(person),
        }
        Vec::new()
    }

    /// When news leaves its sender that was written at this moment.
    pub(crate) fn sent_at(&self, person: usize, control_id: &str, written_at: DateTime<Utc>) -> DateTime<Utc> {
        let purpose = format!("held back {control_id}");
        if !self.has_trait(person, &purpose, self.plan.profile.mess.held_back) {
            return written_at;
        }
        written_at + self.mess_dice(person, &purpose, 1).minutes(10, HELD_BACK_MINUTES_MAX)
    }

    /// How long after it was signed an order is sent. The office has booked the visit by then.
    pub(crate) fn order_waits(&mut self, person: usize) -> Duration {
        if !self.has_trait(person, "booked before order", self.plan.profile.mess.booked_before_order) {
            return Duration::zero();
        }
        let ordered_at = self.people[person].referral.ordered_at;
        let mut dice = self.mess_dice(person, "booked before order", 1);
        self.agenda.note(ordered_at + dice.minutes(1, 30), person, Action::Book);
        dice.minutes(45, 30 * 60)
    }
}
