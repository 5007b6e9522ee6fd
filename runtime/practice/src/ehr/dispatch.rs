//! A message on its way into the line: written at one moment, and sent then or when whatever holds it back has let go.

use chrono::{DateTime, SubsecRound as _, Utc};

use super::message::{self, Notice, Slot};
use crate::ledger::Purpose;
use crate::mess::{Truth, VisitTold};
use crate::town::{Action, Message, SimulationState};

impl SimulationState {
    pub fn message(
        &self,
        person: Option<usize>,
        purpose: Purpose,
        control_id: String,
        truth: Truth,
        body: &str,
    ) -> Message {
        let (bears, body) = self.on_the_wire(person, &control_id, body);
        Message { person, purpose, control_id, bears, truth, body }
    }

    pub fn send_at(&mut self, at: DateTime<Utc>, message: Message) {
        self.agenda.note(at, message.person.unwrap_or(usize::MAX), Action::Transmit(message));
    }

    /// News of this person's referral.
    pub fn transmit(&mut self, at: DateTime<Utc>, person: usize, purpose: Purpose, control_id: String, body: &str) {
        let message = self.message(Some(person), purpose, control_id, Truth::Of(person), body);
        self.send_at(at, message);
    }

    /// Written at this moment, and sent then unless something holds it back.
    pub fn notify(&mut self, at: DateTime<Utc>, person: usize, slot: &Slot, notice: Notice) {
        self.notify_late(at, at, person, slot, notice);
    }

    /// Written at one moment, and not sent before another.
    pub fn notify_late(
        &mut self,
        at: DateTime<Utc>,
        not_before: DateTime<Utc>,
        person: usize,
        slot: &Slot,
        notice: Notice,
    ) {
        let control_id = self.control_id(person);
        let specialist = &self.roster[slot.specialist];
        let staff = self.staff(person, &control_id);
        let body = message::scheduling(&self.people[person], specialist, slot, notice, staff, at, &control_id);
        let told = VisitTold {
            person,
            number: slot.number.clone(),
            said_at: at.trunc_subsecs(0),
            starts_at: slot.starts_at,
            stands: notice.stands(),
            names_referral: slot.names_referral,
        };
        let sent_at = self.sent_at(person, &control_id, at).max(not_before);
        let message = self.message(Some(person), Purpose::Scheduling, control_id, Truth::Visit(told), &body);
        self.send_at(sent_at, message);
    }
}
