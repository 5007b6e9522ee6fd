//! Telephones as people use them: two share one, charts spell numbers as people write them, phones answer with reactions, and
//! whoever finds our number in a phone writes to it.

use crate::carrier;
use crate::dice::{Dice, name_of};
use crate::ledger::Said;
use crate::people::{Meaning, SimulatedPatient};
use crate::plan::PracticePlan;
use crate::town::{Action, Callback, Sending, SimulationState};

use super::Truth;

/// `(312) 555-0140`.
pub(crate) fn as_people_write(number: &str) -> String {
    let digits = number.trim_start_matches("+1");
    format!("({}) {}-{}", &digits[..3], &digits[3..6], &digits[6..])
}

/// Some have the number of the patient before them, who is called otherwise.
pub(crate) fn share_handsets(plan: &PracticePlan, people: &mut [SimulatedPatient]) {
    for person in 1..people.len() {
        let mut dice = Dice::of(plan.seed, person, "mess shared handset", 0);
        let is_shared = plan.profile.mess.shared_handsets > 0.0 && dice.chance(plan.profile.mess.shared_handsets);
        if is_shared && people[person].given != people[person - 1].given {
            people[person].mobile = people[person - 1].mobile.clone();
        }
    }
}

/// Patients count upwards from nought, strangers down from here.
const LAST_DIGITS_MAX: usize = 9_999;

/// What stands before a text of ours in iOS and Android, in several languages.
const REACTIONS: [(&str, &str); 6] = [
    ("Liked \u{201c}", "\u{201d}"),
    ("Loved \u{201c}", "\u{201d}"),
    ("Emphasized \u{201c}", "\u{201d}"),
    ("👍 to \u{201c}", "\u{201d}"),
    ("Le gustó \u{201c}", "\u{201d}"),
    ("Removed a like from \u{201c}", "\u{201d}"),
];

impl SimulationState {
    /// A phone may answer a text by a reaction that quotes it.
    pub(crate) fn may_react(&mut self, person: usize, sid: &str, text: &str) {
        let purpose = format!("tapback {sid}");
        if self.has_trait(person, &purpose, self.plan.profile.mess.tapbacks) {
            let mut dice = self.mess_dice(person, &purpose, 1);
            let (before, after) = dice.pick(&REACTIONS);
            let at = crate::hours::awake(self.now + dice.minutes(1, 240), self.people[person].home.zone);
            self.agenda.note(at, person, Action::React(format!("{before}{text}{after}")));
        }
    }

    pub(crate) fn react(&mut self, person: usize, words: String) -> Vec<Sending> {
        if self.people[person].annals.dead {
            return Vec::new();
        }
        let (at, meaning) = (self.now, "Reacts".to_string());
        self.ledger.replies.push(Said { at, person, text: words.clone(), meaning });
        let from = self.people[person].mobile.clone();
        let writers = self.writers(person);
        self.text_from(&from, &words, Truth::Written(writers))
    }

    /// Whoever writes, and then whoever else has their handset.
    pub(crate) fn writers(&self, person: usize) -> Vec<usize> {
        let others = self.people_at(&self.people[person].mobile).iter().copied().filter(|other| *other != person);
        std::iter::once(person).chain(others).collect()
    }

    /// Somebody of the family, or whoever has a number that was somebody's.
    pub(super) fn stranger_writes(&mut self, person: usize) -> Vec<Sending> {
        let mut dice = self.mess_dice(person, "stranger", 2);
        let unknown = self.people[person].home.number_elsewhere(LAST_DIGITS_MAX - person, &mut dice);
        // The number was given to somebody else, who answers what still came there.
        let former = self.people[person].annals.former_telephone.clone();
        let (from, is_former) = match former {
            Some((number, Some(_))) => (number, true),
            Some((_, None)) | None => (unknown, false),
        };
        let given = &self.people[person].given;
        let words = dice.pick(&[0, 1, 2, 3]);
        let words = match words {
            0 => format!("This is {given}'s husband. She has chest pain and can't breathe"),
            1 => format!("Is {given}'s appointment still on? This is her daughter"),
            2 => "STOP".to_string(),
            _ if is_former => "Yes".to_string(),
            _ => "Who is this?".to_string(),
        };
        if !self.people_at(&from).is_empty() {
            return Vec::new();
        }
        self.text_from(&from, &words, Truth::NotOurs)
    }

    /// Long after, the number is still in the phone.
    pub(super) fn reply_late(&mut self, person: usize) -> Vec<Sending> {
        let course = &self.courses[person];
        if !(course.noted || course.withdrawn || course.settled) || self.people[person].annals.dead {
            return Vec::new();
        }
        let mut dice = self.mess_dice(person, "late reply", 2);
        let meaning = dice.pick(&[Meaning::Asks, Meaning::Moves, Meaning::NotComing, Meaning::Agrees, Meaning::Stops]);
        self.say(person, meaning)
    }

    fn text_from(&mut self, from: &str, words: &str, truth: Truth) -> Vec<Sending> {
        let Some(handoff) = self.handoff.clone() else { return Vec::new() };
        let person = match &truth {
            Truth::Written(writers) => writers.first().copied(),
            Truth::NotOurs
            | Truth::Of(_)
            | Truth::Cut(_)
            | Truth::Visit(_)
            | Truth::Patient(_)
            | Truth::Death(_)
            | Truth::Report => None,
        };
        let sid = format!("SM{}", &name_of(&[from, words, &self.now.to_rfc3339()])[..32]);
        let opt_out = self.carrier.hear(from, words);
        let fields = carrier::inbound(&handoff.twilio_account, from, &handoff.sms_number, &sid, words, opt_out);
        vec![Sending::Callback(Callback { person, url: handoff.callback_url, fields, attempt: 1, truth })]
    }

    /// Whether the vendor keeps a STOP to itself: our next text is refused, or taken and not delivered.
    pub(crate) fn vendor_keeps(&self, person: usize) -> bool {
        self.has_trait(person, "vendor stops", self.plan.profile.mess.vendor_stops)
    }

    /// Whether a number that has opted out is told of by a report and not by a refusal.
    pub(crate) fn vendor_tells_later(&self, person: usize) -> bool {
        self.vendor_keeps(person) && self.has_trait(person, "vendor tells later", 0.5)
    }
}
