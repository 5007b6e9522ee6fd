//! How patients and offices react to what reaches them. Nobody answers because a script says so: each contact has a
//! chance to be heeded, and so reminders work about as well as they do in clinics.

use chrono::{DateTime, Duration, Utc};

use crate::dice::Dice;
use crate::hours;
use crate::ledger::{Mail, Reroute, Write};
use crate::people::{Hears, Meaning, Way};
use crate::town::{Action, SimulationState, VisitStatus};

/// A message this close to the visit reminds of it.
const REMINDS_WITHIN: Duration = Duration::hours(96);

/// Replies to a reminder, in percent.
const COMING: i64 = 40;
const MOVING: i64 = 4;
const NOT_COMING: i64 = 2;

impl SimulationState {
    /// A text has reached the phone.
    pub(crate) fn hear_text(&mut self, person: usize, text: &str) {
        self.learn_of_specialist(person, text);
        let course = &self.courses[person];
        if course.wrong_number || self.people[person].nature.hears != Hears::TextsAndMails {
            return;
        }
        if course.attended() {
            let mut dice = self.dice(person, "attended");
            if dice.chance(0.4) {
                let at = self.reply_at(person, &mut dice);
                self.agenda.note(at, person, Action::Say(Meaning::Attended));
            }
        } else if let Some(starts_at) = self.courses[person].upcoming().map(|slot| slot.starts_at) {
            self.hear_reminder(person, starts_at, true);
        } else {
            self.consider(person, true);
        }
    }

    /// A mail has reached somebody: a patient, or an office that is asked to do something about one.
    pub(crate) fn receive_mail(&mut self, mail: Mail) {
        let patient = self.person_by_email(&mail.to);
        let text = format!("{}\n{}", mail.subject, mail.text);
        let about = mail.person;
        self.ledger.mails.push(mail);
        match (patient, about) {
            (Some(person), _) => self.hear_mail(person, &text),
            (None, Some(person)) => self.hear_task(person, &text),
            (None, None) => {}
        }
    }

    fn hear_mail(&mut self, person: usize, text: &str) {
        self.learn_of_specialist(person, text);
        if self.people[person].nature.hears == Hears::Nothing || self.courses[person].attended() {
            return;
        }
        match self.courses[person].upcoming().map(|slot| slot.starts_at) {
            Some(starts_at) => self.hear_reminder(person, starts_at, false),
            None => self.consider(person, false),
        }
    }

    /// Something was written to the chart. An open task is work for a person.
    pub(crate) fn receive_write(&mut self, write: Write) {
        let work = write.person.filter(|_| write.asks_somebody());
        let text = write.resource.to_string();
        self.ledger.writes.push(write);
        if let Some(person) = work {
            self.hear_task(person, &text);
        }
    }

    /// The specialist's office sends an overdue note; otherwise a coordinator calls the patient.
    fn hear_task(&mut self, person: usize, text: &str) {
        self.learn_of_specialist(person, text);
        let mut dice = self.dice(person, "task");
        let visited = self.courses[person].visit().map(|visit| visit.slot.specialist);
        let forgets_note = visited.is_some_and(|specialist| self.roster[specialist].forgets_note);
        let coordinator_books = self.plan.profile.answers.coordinator_books;
        let course = &mut self.courses[person];
        if course.attended() {
            if !course.noted && !course.nudged && forgets_note {
                course.nudged = true;
                let at = hours::office(self.now + dice.minutes(8 * 60, 50 * 60));
                self.agenda.note(at, person, Action::SendNote);
            }
        } else if course.upcoming().is_none() && !course.settled && !course.agreed && dice.chance(coordinator_books) {
            course.agreed = true;
            let at = hours::office(self.now + dice.minutes(2 * 60, 26 * 60));
            self.agenda.note(at, person, Action::Book);
        }
    }

    /// Being told of another specialist than the order's: from now on the patient calls that one.
    fn learn_of_specialist(&mut self, person: usize, text: &str) {
        let Some(specialist) = self.roster.mentioned_in(text) else { return };
        let referral = &self.people[person].referral;
        let from = self.courses[person].told.unwrap_or(referral.specialist);
        let is_of_field = self.roster[specialist].specialties.contains(&referral.specialty.name);
        if from != specialist && is_of_field && self.courses[person].visits.is_empty() {
            self.courses[person].told = Some(specialist);
            let (from, to) = (self.roster[from].id.to_string(), self.roster[specialist].id.to_string());
            self.ledger.reroutes.push(Reroute { at: self.now, person, from, to });
        }
    }

    fn hear_reminder(&mut self, person: usize, starts_at: DateTime<Utc>, by_text: bool) {
        if starts_at - self.now > REMINDS_WITHIN {
            return;
        }
        self.courses[person].reminders += 1;
        let mut dice = self.dice(person, "reminder");
        let roll = dice.between(1, 100);
        let reply_at = self.reply_at(person, &mut dice);
        let settled_at = hours::office(reply_at + dice.minutes(30, 5 * 60));
        let (meaning, action) = if roll <= MOVING {
            (Meaning::Moves, Some(Action::Move))
        } else if roll <= MOVING + NOT_COMING {
            (Meaning::NotComing, Some(Action::Cancel))
        } else if roll <= MOVING + NOT_COMING + COMING {
            (Meaning::Coming, None)
        } else {
            return;
        };
        if reply_at >= starts_at {
            return;
        }
        if by_text {
            self.agenda.note(reply_at, person, Action::Say(meaning));
        }
        if let Some(action) = action {
            self.agenda.note(settled_at, person, action);
        }
    }

    /// Somebody asks the patient to arrange the visit: maybe this time.
    fn consider(&mut self, person: usize, by_text: bool) {
        let missed = self.courses[person].missed();
        let course = &mut self.courses[person];
        if course.settled || course.agreed {
            return;
        }
        let answers = &self.plan.profile.answers;
        let heeded = if missed { answers.heeded_after_miss } else { answers.heeded(course.contacts) };
        course.contacts += 1;
        let mut dice = self.dice(person, "consider");
        if !dice.chance(heeded) {
            return;
        }
        let reply_at = self.reply_at(person, &mut dice);
        let say = |meaning| (reply_at, Action::Say(meaning));
        let call_at = hours::office(reply_at + dice.minutes(0, 90));
        let arranged_at = hours::office(reply_at + dice.minutes(60, 20 * 60));
        let way = self.people[person].nature.way;
        let course = &mut self.courses[person];
        course.agreed = true;
        // A mail cannot be answered here: whoever heeds it picks up the phone.
        let steps = match (by_text, way) {
            (true, _) if missed => vec![say(Meaning::Moves), (arranged_at, Action::Book)],
            (true, Way::Agrees) => vec![say(Meaning::Agrees), (arranged_at, Action::Book)],
            (true, Way::CallsAndTells) => {
                let told_at = hours::awake(call_at + dice.minutes(2, 60), self.people[person].home.zone);
                vec![(call_at, Action::Book), (told_at, Action::Say(Meaning::Booked))]
            }
            (true, Way::Asks) => {
                let agreed_at = hours::awake(reply_at + dice.minutes(18 * 60, 30 * 60), self.people[person].home.zone);
                let booked_at = hours::office(agreed_at + dice.minutes(60, 10 * 60));
                vec![say(Meaning::Asks), (agreed_at, Action::Say(Meaning::Agrees)), (booked_at, Action::Book)]
            }
            (true, Way::Declines) => {
                course.settled = true;
                vec![say(Meaning::Declines)]
            }
            (true, Way::Stops) => {
                // Wants no texts; may want the visit.
                course.settled = !dice.chance(0.3);
                let books = (!course.settled).then_some((arranged_at, Action::Book));
                std::iter::once(say(Meaning::Stops)).chain(books).collect()
            }
            (true, Way::WrongPerson) => {
                course.wrong_number = true;
                course.agreed = false;
                vec![say(Meaning::WrongPerson)]
            }
            (true, Way::Emergency) => {
                course.settled = true;
                vec![say(Meaning::Emergency)]
            }
            (false, Way::Declines) => Vec::new(),
            (true, Way::Calls)
            | (
                false,
                Way::Agrees
                | Way::CallsAndTells
                | Way::Calls
                | Way::Asks
                | Way::Stops
                | Way::WrongPerson
                | Way::Emergency,
            ) => vec![(call_at, Action::Book)],
        };
        for (at, action) in steps {
            self.agenda.note(at, person, action);
        }
    }

    fn reply_at(&self, person: usize, dice: &mut Dice) -> DateTime<Utc> {
        let person = &self.people[person];
        let (shortest, longest) = person.nature.pace;
        hours::awake(self.now + dice.minutes(shortest, longest), person.home.zone)
    }

    /// How likely the patient is to miss a visit after the reminders heard.
    pub(crate) fn misses(&self, person: usize) -> f64 {
        let reminders = i32::try_from(self.courses[person].reminders.min(3)).unwrap_or(3);
        self.people[person].nature.forgetful * self.plan.profile.visits.missed_despite_reminder.powi(reminders)
    }

    pub(crate) fn set_status(&mut self, person: usize, status: VisitStatus) {
        if let Some(visit) = self.courses[person].visits.last_mut() {
            visit.status = status;
        }
    }
}
