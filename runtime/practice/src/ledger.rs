//! What really happened, as the outside world saw it. Owes nothing to anybody's own records, so it can contradict them.

use chrono::{DateTime, Duration, Utc};
use serde::Serialize;

/// Everything in the order of time, and for one moment in the order of people.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Ledger {
    /// HL7 messages and webhook orders, with the answer each got. One entry per attempt.
    pub sent: Vec<Sent>,
    /// Texts that reached a phone.
    pub texts: Vec<Text>,
    /// Requests to send a text that the carrier refused or failed, with the HTTP status given.
    pub texts_refused: Vec<Refused>,
    /// Mails that reached a mailbox, of patients and offices alike.
    pub mails: Vec<Mail>,
    /// Resources that Handoff created in the chart; tasks among them.
    pub writes: Vec<Write>,
    /// What patients wrote.
    pub replies: Vec<Said>,
    /// Status reports and replies that Handoff did not take, with the HTTP status it gave (0: no answer).
    pub callbacks_refused: Vec<Refused>,
    /// Replies that the carrier gave up handing over: Handoff cannot know of them.
    pub unheard: Vec<LedgerMoment>,
    pub bookings: Vec<Booking>,
    pub visits: Vec<SimulatedVisit>,
    /// Notes the specialists sent.
    pub notes: Vec<LedgerMoment>,
    pub opt_outs: Vec<LedgerMoment>,
    /// Patients who were told of another specialist than the order named.
    pub reroutes: Vec<Reroute>,
    pub withdrawals: Vec<LedgerMoment>,
    /// STOPs that the text vendor heeded and kept to itself.
    pub vendor_stops: Vec<LedgerMoment>,
    /// Handoff was told that these patients have died.
    pub deaths: Vec<LedgerMoment>,
    /// Texts that went to a number which is, as Handoff was told, the patient's no more.
    pub misdirected: Vec<LedgerMoment>,
    /// Documents that specialists sent and Handoff took.
    pub documents: Vec<SentDocument>,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SentDocument {
    pub at: DateTime<Utc>,
    pub person: usize,
    pub bytes: usize,
    pub sha256: [u8; 32],
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Sent {
    pub at: DateTime<Utc>,
    /// None for messages that concern no referral.
    pub person: Option<usize>,
    /// `REF^I12`, `webhook order`.
    pub kind: String,
    pub control_id: String,
    pub purpose: Purpose,
    /// MSA-1, the HTTP status (0: no answer), or the reason why there was no acknowledgement.
    pub answer: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Purpose {
    Order,
    Withdrawal,
    Scheduling,
    Note,
    /// A note whose document is not whole: must come back AE.
    CutNote,
    /// A merge of two charts.
    Merge,
    /// Where and how to reach a patient.
    Demographics,
    Death,
    /// Another system's, with a number of ours.
    OtherSystem,
    /// No concern of a referral.
    Unrelated,
    /// Must come back AE or AR.
    Malformed,
    /// The same bytes once more.
    Duplicate,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Text {
    pub at: DateTime<Utc>,
    pub person: usize,
    pub sid: String,
    /// When the carrier was asked to send it.
    pub asked_at: DateTime<Utc>,
    pub text: String,
    pub segments: u32,
    /// Local hour of the patient when it set out, for the quiet hours.
    pub local_hour: u32,
    /// The patient had asked for no more texts before this one was sent.
    pub after_opt_out: bool,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Refused {
    pub at: DateTime<Utc>,
    pub person: Option<usize>,
    pub status: u16,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Mail {
    pub at: DateTime<Utc>,
    pub person: Option<usize>,
    pub to: String,
    pub message_id: String,
    pub subject: String,
    pub text: String,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Write {
    pub at: DateTime<Utc>,
    pub person: Option<usize>,
    /// `Task/1f…`.
    pub reference: String,
    /// A conditional create found it there already.
    pub repeated: bool,
    pub resource: serde_json::Value,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Said {
    pub at: DateTime<Utc>,
    pub person: usize,
    pub text: String,
    /// What was meant: `Agrees`, `Stops`.
    pub meaning: String,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Booking {
    pub at: DateTime<Utc>,
    pub person: usize,
    pub number: String,
    pub change: SimulatedChange,
    pub starts_at: DateTime<Utc>,
    /// National Provider Identifier.
    pub specialist: String,
    /// Whether the specialist takes the patient's plan.
    pub in_network: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum SimulatedChange {
    Booked,
    Moved,
    Cancelled,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SimulatedVisit {
    pub at: DateTime<Utc>,
    pub person: usize,
    pub number: String,
    pub attended: bool,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LedgerMoment {
    pub at: DateTime<Utc>,
    pub person: usize,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Reroute {
    pub at: DateTime<Utc>,
    pub person: usize,
    pub from: String,
    pub to: String,
}

/// Two equal texts or mails within an hour are one letter sent twice; further apart they may be meant.
const DUPLICATE_WITHIN: Duration = Duration::hours(1);

/// Texting law: from eight in the morning to nine in the evening.
pub(crate) const TEXTING_HOURS: std::ops::Range<u32> = 8..21;

/// A letter that is with its vendor cannot be called back.
const ON_ITS_WAY: Duration = Duration::minutes(5);

/// The one text that confirms an opt-out comes at once.
const OPT_OUT_CONFIRMED_WITHIN: Duration = Duration::minutes(5);

impl Ledger {
    /// People whose order was acknowledged and who then saw nothing: no text, no mail, no task, no chart write. What
    /// Handoff has acknowledged and forgotten shows here, once its first contact is overdue.
    pub fn untouched(&self) -> Vec<usize> {
        let mut people: Vec<usize> = self.accepted_orders().collect();
        people.sort_unstable();
        people.dedup();
        people.retain(|person| {
            !self.texts.iter().any(|text| text.person == *person)
                && !self.mails.iter().any(|mail| mail.person == Some(*person))
                && !self.writes.iter().any(|write| write.person == Some(*person))
                && !self.texts_refused.iter().any(|refused| refused.person == Some(*person))
                && !self.withdrawals.iter().any(|withdrawal| withdrawal.person == *person)
        });
        people
    }

    /// People whose order was acknowledged, once per acknowledged order.
    pub fn accepted_orders(&self) -> impl Iterator<Item = usize> {
        self.sent.iter().filter(|sent| sent.purpose == Purpose::Order && sent.accepted()).filter_map(|sent| sent.person)
    }

    /// Texts and mails that reached somebody twice.
    pub fn duplicates(&self) -> usize {
        let texts = self.texts.iter().enumerate().filter(|(index, text)| {
            self.texts[..*index]
                .iter()
                .rev()
                .take_while(|earlier| text.at - earlier.at <= DUPLICATE_WITHIN)
                .any(|earlier| earlier.person == text.person && earlier.text == text.text)
        });
        let mails =
            self.mails.iter().enumerate().filter(|(index, mail)| {
                self.mails[..*index].iter().rev().take_while(|earlier| mail.at - earlier.at <= DUPLICATE_WITHIN).any(
                    |earlier| earlier.to == mail.to && earlier.subject == mail.subject && earlier.text == mail.text,
                )
            });
        texts.count() + mails.count()
    }

    /// Texts that a patient got after asking for no more, but for the one that confirms it, and where we could hear it.
    pub fn texts_after_opt_out(&self) -> usize {
        let confirms = |text: &Text| {
            self.opt_outs.iter().any(|stop| {
                stop.person == text.person && text.at >= stop.at && text.at - stop.at <= OPT_OUT_CONFIRMED_WITHIN
            })
        };
        let unheard = |text: &Text| self.unheard.iter().any(|said| said.person == text.person);
        self.texts.iter().filter(|text| text.after_opt_out && !confirms(text) && !unheard(text)).count()
    }

    /// Texts that were asked for after Handoff was told that their patient has died, those aside that were on their way.
    pub fn texts_after_death(&self) -> Vec<&Text> {
        let told_before = |text: &Text| {
            self.deaths.iter().any(|death| death.person == text.person && text.asked_at - death.at > ON_ITS_WAY)
        };
        self.texts.iter().filter(|text| told_before(text)).collect()
    }

    /// Texts outside the lawful hours of the patient's own zone. Answers to what the patient has just written are
    /// lawful at any hour, and not counted.
    pub fn texts_at_night(&self) -> usize {
        let answers = |text: &Text| {
            self.replies.iter().any(|said| {
                said.person == text.person && text.at >= said.at && text.at - said.at <= OPT_OUT_CONFIRMED_WITHIN
            })
        };
        self.texts.iter().filter(|text| !TEXTING_HOURS.contains(&text.local_hour) && !answers(text)).count()
    }

    pub(crate) fn in_order(mut self) -> Ledger {
        self.sent.sort_by(|a, b| (a.at, a.person, &a.control_id).cmp(&(b.at, b.person, &b.control_id)));
        self.texts.sort_by(|a, b| (a.at, a.person, &a.sid).cmp(&(b.at, b.person, &b.sid)));
        self.mails.sort_by(|a, b| (a.at, &a.to, &a.message_id).cmp(&(b.at, &b.to, &b.message_id)));
        self.writes.sort_by(|a, b| (a.at, a.person, &a.reference).cmp(&(b.at, b.person, &b.reference)));
        self.texts_refused.sort_by_key(|refused| (refused.at, refused.person, refused.status));
        self
    }
}

/// Task states that ask somebody to do something. FHIR R4 section 13.3.2.
const OPEN_TASK: [&str; 6] = ["draft", "requested", "received", "accepted", "ready", "in-progress"];

impl Write {
    /// A task that is new and open: work for a person.
    pub fn asks_somebody(&self) -> bool {
        let is_open = self.resource["status"].as_str().is_some_and(|status| OPEN_TASK.contains(&status));
        self.resource["resourceType"] == "Task" && is_open && !self.repeated
    }
}

impl Sent {
    pub fn accepted(&self) -> bool {
        matches!(self.answer.as_str(), "AA" | "CA") || self.answer.starts_with('2')
    }
}
