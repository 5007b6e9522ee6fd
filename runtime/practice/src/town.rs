//! The state of the world outside, and what comes next in it. No socket, no wall clock: [`crate::Practice`] carries
//! what is sent here to its receiver.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use chrono::{DateTime, Duration, Timelike as _, Utc};
use parking_lot::{Mutex, MutexGuard};

use crate::agenda::Agenda;
use crate::carrier::{self, Book, Status};
use crate::dice::{Dice, name_of};
use crate::ehr::message::Slot;
use crate::ehr::webhook;
use crate::fhir::Chart;
use crate::ledger::{Ledger, LedgerMoment, Purpose, Refused, Said, Sent, TEXTING_HOURS, Text};
use crate::mess::{Mishap, Truth, share_handsets};
use crate::people::{Meaning, SimulatedPatient, phrase};
use crate::plan::PracticePlan;
use crate::practice::Handoff;
use crate::specialists::Roster;

/// Messages are sent again this long after AE or a broken line: the usual retry interval of an interface engine.
const MESSAGE_AGAIN_AFTER: Duration = Duration::minutes(5);

/// Twilio repeats a callback that failed when asked to (`#rc=5`).
const CALLBACK_ATTEMPTS_MAX: u32 = 5;
const CALLBACK_AGAIN_AFTER: Duration = Duration::minutes(1);

/// A text that sets out in time may be a minute on the line before the carrier has it.
const ON_THE_LINE: Duration = Duration::minutes(1);

/// Something in the world's agenda.
#[derive(Debug)]
pub(crate) enum Action {
    Transmit(Message),
    Withdraw,
    /// The carrier learns what became of a text; when it is delivered, the phone rings.
    Report {
        sid: String,
        status: Status,
    },
    Call(Callback),
    /// The patient writes a text.
    Say(Meaning),
    /// The patient and the specialist's office agree on a time.
    Book,
    Move,
    Cancel,
    /// The time of a visit has come. Ignored when the visit was moved or cancelled since.
    Attend {
        number: String,
        starts_at: DateTime<Utc>,
    },
    SendNote,
    /// The note was wrong in part.
    CorrectNote,
    /// The phone answers with these words.
    React(String),
    Befalls(Mishap),
}

/// An HL7 message or a webhook's JSON on its way.
#[derive(Clone, Debug)]
pub(crate) struct Message {
    pub person: Option<usize>,
    pub purpose: Purpose,
    /// Its name here, which no other message has.
    pub control_id: String,
    /// MSH-10, which another may have as well.
    pub bears: String,
    pub truth: Truth,
    pub body: Vec<u8>,
}

impl Message {
    pub fn is_json(&self) -> bool {
        self.body.starts_with(b"{")
    }
}

/// A form on its way to one of Handoff's callback URLs.
#[derive(Clone, Debug)]
pub(crate) struct Callback {
    pub person: Option<usize>,
    /// As Handoff gave it, and as it is signed.
    pub url: String,
    pub fields: Vec<(String, String)>,
    pub attempt: u32,
    pub truth: Truth,
}

/// What an action sends out.
#[derive(Clone, Debug)]
pub(crate) enum Sending {
    Message(Message),
    Callback(Callback),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum VisitStatus {
    Booked,
    Cancelled,
    Arrived,
    Fulfilled,
    Missed,
}

#[derive(Clone, Debug)]
pub(crate) struct BookedVisit {
    pub slot: Slot,
    pub status: VisitStatus,
}

/// How one patient's referral stands, out there.
#[derive(Default)]
pub(crate) struct Course {
    /// Times that somebody asked the patient to arrange the visit.
    pub contacts: u32,
    /// Another specialist than the order's, whom the patient was told of.
    pub told: Option<usize>,
    /// Oldest first.
    pub visits: Vec<BookedVisit>,
    /// Reminders heard of the next visit.
    pub reminders: u32,
    /// Has answered; the visit is being arranged.
    pub agreed: bool,
    /// Wants no more of it, or has been told that the order is withdrawn.
    pub settled: bool,
    pub withdrawn: bool,
    pub wrong_number: bool,
    pub opted_out: Option<DateTime<Utc>>,
    pub noted: bool,
    /// The specialist has been reminded of the note.
    pub nudged: bool,
    /// The number that texts came from.
    pub texted_by: String,
    /// Occasions so far, to give each its own dice and numbers.
    pub occasions: u32,
    messages: u32,
}

impl Course {
    pub fn visit(&self) -> Option<&BookedVisit> {
        self.visits.last()
    }

    pub fn upcoming(&self) -> Option<&Slot> {
        self.visit().filter(|visit| visit.status == VisitStatus::Booked).map(|visit| &visit.slot)
    }

    pub fn attended(&self) -> bool {
        self.visit().is_some_and(|visit| matches!(visit.status, VisitStatus::Arrived | VisitStatus::Fulfilled))
    }

    pub fn missed(&self) -> bool {
        self.visit().is_some_and(|visit| visit.status == VisitStatus::Missed)
    }
}

pub(crate) struct SimulationState {
    pub plan: PracticePlan,
    pub roster: Roster,
    pub now: DateTime<Utc>,
    pub people: Vec<SimulatedPatient>,
    pub courses: Vec<Course>,
    pub agenda: Agenda<Action>,
    pub ledger: Ledger,
    pub carrier: Book,
    pub chart: Chart,
    pub handoff: Option<Handoff>,
    phones: BTreeMap<String, Vec<usize>>,
    mailboxes: BTreeMap<String, usize>,
    numbers: BTreeMap<String, usize>,
    /// Control ids of messages that were sent, taken or not.
    transmitted: BTreeSet<String>,
}

#[derive(Clone)]
pub(crate) struct SharedTown(Arc<Mutex<SimulationState>>);

impl SharedTown {
    pub fn new(town: SimulationState) -> SharedTown {
        SharedTown(Arc::new(Mutex::new(town)))
    }

    pub fn lock(&self) -> MutexGuard<'_, SimulationState> {
        self.0.lock()
    }
}

impl SimulationState {
    pub fn new(plan: PracticePlan) -> SimulationState {
        let roster = plan.profile.network.roster();
        let mut people: Vec<SimulatedPatient> =
            (0..plan.referrals).map(|index| SimulatedPatient::from_seed(&plan, &roster, index)).collect();
        share_handsets(&plan, &mut people);
        let mut phones: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for (place, person) in people.iter().enumerate() {
            phones.entry(person.mobile.clone()).or_default().push(place);
        }
        let mut town = SimulationState {
            now: plan.start,
            courses: people.iter().map(|_| Course::default()).collect(),
            agenda: Agenda::new(),
            ledger: Ledger::default(),
            carrier: Book::default(),
            chart: Chart::default(),
            handoff: None,
            transmitted: BTreeSet::new(),
            phones,
            mailboxes: index(&people, |person| vec![person.email.clone()]),
            numbers: index(&people, |person| {
                let referral = &person.referral.number;
                vec![
                    person.record_number.clone(),
                    crate::fhir::patient_id(person),
                    referral.clone(),
                    format!("sr-{}", &referral[2..]),
                ]
            }),
            people,
            roster,
            plan,
        };
        town.open();
        town
    }

    pub fn end(&self) -> DateTime<Utc> {
        self.plan.start + Duration::days(i64::from(self.plan.days))
    }

    /// Twilio's account and auth token; none are right before Handoff is connected.
    pub fn credentials(&self) -> (String, String) {
        self.handoff.as_ref().map(|it| (it.twilio_account.clone(), it.twilio_auth_token.clone())).unwrap_or_default()
    }

    /// Whose handset has this number.
    pub fn people_at(&self, number: &str) -> &[usize] {
        self.phones.get(number).map(Vec::as_slice).unwrap_or_default()
    }

    /// Whom a text to this number is for: of several, the one whom it calls by name.
    pub fn person_by_phone(&self, number: &str, text: &str) -> Option<usize> {
        let people = self.people_at(number);
        let named = people.iter().find(|person| text.contains(&self.people[**person].given));
        named.or(people.first()).copied()
    }

    /// The patient has another number from now on. The one before.
    pub fn change_number(&mut self, person: usize, number: String) -> String {
        let former = std::mem::replace(&mut self.people[person].mobile, number.clone());
        self.phones.entry(former.clone()).or_default().retain(|other| *other != person);
        self.phones.entry(number).or_default().push(person);
        former
    }

    pub fn person_by_email(&self, address: &str) -> Option<usize> {
        self.mailboxes.get(&address.to_ascii_lowercase()).copied()
    }

    /// Whose record, referral or appointment has this number.
    pub fn person_numbered(&self, number: &str) -> Option<usize> {
        self.numbers.get(number).copied()
    }

    /// Whom a text is about: by record number, referral number or appointment number.
    pub fn person_in(&self, text: &str) -> Option<usize> {
        let words = text.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '-');
        words.flat_map(|word| std::iter::once(word).chain(word.split('-'))).find_map(|word| self.person_numbered(word))
    }

    pub fn remember_number(&mut self, number: &str, person: usize) {
        self.numbers.insert(number.to_string(), person);
    }

    /// Dice for something this person does now.
    pub fn dice(&mut self, person: usize, purpose: &str) -> Dice {
        let course = &mut self.courses[person];
        course.occasions += 1;
        Dice::of(self.plan.seed, person, purpose, course.occasions)
    }

    pub fn control_id(&mut self, person: usize) -> String {
        let course = &mut self.courses[person];
        course.messages += 1;
        format!("N{person:05}{:03}", course.messages)
    }

    /// Does one thing of the agenda; what it sends is for the caller to carry.
    pub fn perform(&mut self, person: usize, action: Action) -> Vec<Sending> {
        match action {
            Action::Transmit(message) => return vec![Sending::Message(self.by_its_way(message))],
            Action::Call(callback) => return vec![Sending::Callback(callback)],
            Action::Report { sid, status } => return self.report(&sid, status),
            Action::Say(meaning) => return self.say(person, meaning),
            Action::Withdraw => self.withdraw(person),
            Action::Book => self.book(person),
            Action::Move => self.move_visit(person),
            Action::Cancel => self.cancel_visit(person),
            Action::Attend { number, starts_at } => self.attend(person, &number, starts_at),
            Action::SendNote => self.send_note(person),
            Action::CorrectNote => self.correct_note(person),
            Action::React(words) => return self.react(person, words),
            Action::Befalls(mishap) => return self.befall(person, mishap),
        }
        Vec::new()
    }

    /// Some orders come from a portal, by webhook, once there is one.
    fn by_its_way(&self, message: Message) -> Message {
        let webhook = self.handoff.as_ref().and_then(|handoff| handoff.webhook.as_ref());
        match (message.person, message.purpose, webhook) {
            (Some(person), Purpose::Order, Some(_)) => {
                let mut dice = Dice::of(self.plan.seed, person, "by-webhook", 0);
                if !dice.chance(self.plan.profile.ehr.by_webhook) {
                    return message;
                }
                let ordered = &self.people[person];
                let body = webhook::order(ordered, &self.roster[ordered.referral.specialist]);
                Message { body: body.into_bytes(), ..message }
            }
            (Some(_) | None, _, Some(_) | None) => message,
        }
    }

    fn report(&mut self, sid: &str, status: Status) -> Vec<Sending> {
        let account = self.credentials().0;
        let Some(message) = self.carrier.message(sid) else { return Vec::new() };
        message.status = status;
        let fields = carrier::report(message, &account, status);
        let (to, from, body) = (message.to.clone(), message.from.clone(), message.body.clone());
        let (callback, after_opt_out, asked_at) = (message.callback.clone(), message.after_opt_out, message.created_at);
        let person = self.person_by_phone(&to, &body);
        if let (Some(person), Status::Delivered) = (person, status) {
            let hour = |at: DateTime<Utc>| at.with_timezone(&self.people[person].home.zone).hour();
            // One that set out before nine in the evening may be asked for a little after.
            let in_time = TEXTING_HOURS.contains(&hour(asked_at));
            let text = Text {
                at: self.now,
                person,
                sid: sid.to_string(),
                asked_at,
                segments: carrier::segments::segments(&body),
                local_hour: hour(if in_time { asked_at } else { asked_at - ON_THE_LINE }),
                after_opt_out,
                text: body.clone(),
            };
            self.ledger.texts.push(text);
            self.courses[person].texted_by = from;
            self.may_react(person, sid, &body);
            self.hear_text(person, &body);
        }
        let truth = Truth::Report;
        callback.map(|url| Sending::Callback(Callback { person, url, fields, attempt: 1, truth })).into_iter().collect()
    }

    pub fn say(&mut self, person: usize, meaning: Meaning) -> Vec<Sending> {
        let Some(handoff) = self.handoff.clone().filter(|_| !self.people[person].annals.dead) else {
            return Vec::new();
        };
        let mut dice = self.dice(person, "say");
        let text = phrase(self.people[person].language, meaning, &mut dice);
        let said = Said { at: self.now, person, text: text.to_string(), meaning: format!("{meaning:?}") };
        self.ledger.replies.push(said);
        // Whoever has the handset has opted out with it.
        let writers = self.writers(person);
        let is_kept = meaning == Meaning::Stops && self.vendor_keeps(person);
        if meaning == Meaning::Stops && !is_kept {
            for writer in &writers {
                let opted_out = &mut self.courses[*writer].opted_out;
                if opted_out.is_none() {
                    *opted_out = Some(self.now);
                    self.ledger.opt_outs.push(LedgerMoment { at: self.now, person: *writer });
                }
            }
        }
        let from = self.people[person].mobile.clone();
        // A messaging service answers from the number it texted by, which is not told.
        let texted_by = &self.courses[person].texted_by;
        let to = if texted_by.starts_with('+') { texted_by.clone() } else { handoff.sms_number };
        let sid = format!("SM{}", &name_of(&[&from, text, &self.courses[person].occasions.to_string()])[..32]);
        if is_kept {
            let at = self.now;
            self.ledger.vendor_stops.extend(writers.into_iter().map(|person| LedgerMoment { at, person }));
            self.carrier.hear(&from, "STOP");
            return Vec::new();
        }
        let opt_out = self.carrier.hear(&from, text);
        if opt_out == Some("START") {
            writers.iter().for_each(|writer| self.courses[*writer].opted_out = None);
        }
        let fields = carrier::inbound(&handoff.twilio_account, &from, &to, &sid, text, opt_out);
        let truth = Truth::Written(writers);
        vec![Sending::Callback(Callback { person: Some(person), url: handoff.callback_url, fields, attempt: 1, truth })]
    }

    /// Notes what became of a message; what was not taken goes back to the sender's queue.
    pub fn acknowledged(&mut self, message: Message, answer: String) {
        let sent = Sent {
            at: self.now,
            person: message.person,
            kind: if message.is_json() { "webhook order".to_string() } else { kind(&message.body) },
            control_id: message.control_id.clone(),
            purpose: message.purpose,
            answer,
        };
        let who = message.person.unwrap_or(usize::MAX);
        let accepted = sent.accepted();
        let rejected = matches!(sent.answer.as_str(), "AR" | "CR");
        let first = self.transmitted.insert(sent.control_id.clone());
        self.ledger.sent.push(sent);
        if let Some(person) = message.person.filter(|_| accepted) {
            self.has_heard(person, message.purpose);
        }
        match message.purpose {
            // Nobody repairs these; the refusal stands.
            Purpose::Malformed | Purpose::CutNote | Purpose::Duplicate => {}
            Purpose::Order
            | Purpose::Withdrawal
            | Purpose::Scheduling
            | Purpose::Note
            | Purpose::Merge
            | Purpose::Demographics
            | Purpose::Death
            | Purpose::OtherSystem
            | Purpose::Unrelated => {
                if !accepted && !rejected {
                    self.agenda.note(self.now + MESSAGE_AGAIN_AFTER, who, Action::Transmit(message));
                } else if accepted && first {
                    let mut dice = Dice::of(self.plan.seed, who, &message.control_id, 0);
                    if dice.chance(self.plan.profile.ehr.duplicated) {
                        let at = self.now + dice.minutes(1, 40);
                        self.agenda.note(at, who, Action::Transmit(Message { purpose: Purpose::Duplicate, ..message }));
                    }
                }
            }
        }
    }

    /// Notes whether a callback was taken (an HTTP status, 0 without an answer).
    pub fn called_back(&mut self, callback: Callback, status: u16) {
        if (200..300).contains(&status) {
            return;
        }
        let at = self.now;
        self.ledger.callbacks_refused.push(Refused { at, person: callback.person, status });
        if callback.attempt < CALLBACK_ATTEMPTS_MAX {
            let who = callback.person.unwrap_or(usize::MAX);
            let again = Callback { attempt: callback.attempt + 1, ..callback };
            self.agenda.note(at + CALLBACK_AGAIN_AFTER, who, Action::Call(again));
        } else if let Truth::Written(writers) = callback.truth {
            self.ledger.unheard.extend(writers.into_iter().map(|person| LedgerMoment { at, person }));
        }
    }
}

fn index(people: &[SimulatedPatient], keys: fn(&SimulatedPatient) -> Vec<String>) -> BTreeMap<String, usize> {
    people
        .iter()
        .enumerate()
        .flat_map(|(place, person)| keys(person).into_iter().map(move |key| (key, place)))
        .collect()
}

/// MSH-9 in short, `REF^I12`.
fn kind(body: &[u8]) -> String {
    let header = body.split(|byte| *byte == b'\r').next().unwrap_or_default();
    let body = String::from_utf8_lossy(header);
    let field = body.split(['|', '\r']).nth(8).filter(|_| body.starts_with("MSH|"));
    let parts: Vec<&str> = field.unwrap_or("unreadable").split('^').take(2).collect();
    parts.join("^")
}
