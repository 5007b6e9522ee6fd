//! What is told in a sentence, in one place: where a referral stands, what comes next, what happened and why. What a page says by
//! itself stands in its template. Another language is another of this file and another folder of templates.

use chrono::TimeDelta;
use handoff_engine::answer::AnswerKind;
use handoff_engine::event::{AppointmentChange, Intent, RerouteReason, VisitFinding};
use handoff_engine::ids::ReferralId;
use handoff_engine::letter::{Audience, ChartOutcome};
use handoff_engine::referral::{AppointmentStatus, Channel, Consent, Priority};
use handoff_engine::task::TaskChange;
use handoff_engine::workflow::{Since, When};
use handoff_identity::role::Role;
use handoff_operations::chronicle::{Cause, Told};
use handoff_operations::conversation::MessageStatus;
use handoff_operations::foresight::{Foreseen, ForeseenAct};
use handoff_operations::standing::ReferralStanding;
use handoff_operations::views::PatientName;

use super::times::{Times, span};

/// A sign, a word, a colour: never a colour alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Sign {
    pub icon: &'static str,
    pub class: &'static str,
    pub text: String,
}

impl Sign {
    pub fn new(icon: &'static str, class: &'static str, text: impl Into<String>) -> Sign {
        Sign { icon, class, text: text.into() }
    }
}

/// By which people name a referral to each other: the end of its id.
pub(super) fn number(id: ReferralId) -> String {
    let id = id.to_string();
    format!("R\u{2011}{}", &id[id.len().saturating_sub(6)..])
}

pub(super) fn role(role: Role) -> &'static str {
    match role {
        Role::Coordinator => "Coordinator",
        Role::Physician => "Physician",
        Role::Manager => "Practice manager",
        Role::It => "IT",
        Role::Auditor => "Auditor",
    }
}

pub(super) fn name(patient: &PatientName) -> String {
    let parts: Vec<&str> = [&patient.given, &patient.family].into_iter().flatten().map(String::as_str).collect();
    match parts.is_empty() {
        true => "Erased".into(),
        false => parts.join(" "),
    }
}

pub(super) fn name_and_age(patient: &PatientName, times: &Times) -> String {
    match patient.born.as_deref().and_then(|born| times.age(born)) {
        Some(age) => format!("{}, {age}", name(patient)),
        None => name(patient),
    }
}

/// For a wall that everybody sees.
pub(super) fn initials(patient: &PatientName, times: &Times) -> String {
    let first = |part: &Option<String>| part.as_ref().and_then(|part| part.chars().next());
    let letters: Vec<String> =
        [&patient.given, &patient.family].into_iter().filter_map(first).map(|c| format!("{c}.")).collect();
    let age = patient.born.as_deref().and_then(|born| times.age(born)).map(|age| format!(", {age}"));
    format!("{}{}", letters.join("\u{a0}"), age.unwrap_or_default())
}

/// What it is called, without when.
pub(super) fn stands(standing: ReferralStanding) -> &'static str {
    match standing {
        ReferralStanding::CheckingPlan => "Checking the plan",
        ReferralStanding::ReadingChart => "Reading the chart",
        ReferralStanding::NotBooked => "Not booked",
        ReferralStanding::Booked { .. } => "Booked",
        ReferralStanding::DateUnknown => "Booked, date unknown",
        ReferralStanding::NewDateWanted => "New date wanted",
        ReferralStanding::CheckingVisit => "Checking the visit",
        ReferralStanding::AwaitingNote => "Waiting for the note",
        ReferralStanding::FilingNote => "Filing the note",
        ReferralStanding::ByHand => "With a coordinator",
        ReferralStanding::ClosedWithNote => "Closed with the note",
        ReferralStanding::ClosedWithoutNote => "Closed without a note",
        ReferralStanding::Declined => "Declined",
        ReferralStanding::NotReachable => "Not reachable",
        ReferralStanding::Withdrawn => "Withdrawn",
        ReferralStanding::Died => "Closed, the patient has died",
        ReferralStanding::Closed => "Closed",
    }
}

pub(super) fn standing(standing: ReferralStanding, stalled: bool, day: i64, times: &Times) -> Sign {
    if stalled {
        return Sign::new("alert", "warn", format!("Stalled, day\u{a0}{day}"));
    }
    let told = stands(standing);
    match standing {
        ReferralStanding::NotBooked => Sign::new("wait", "", format!("{told}, day\u{a0}{day}")),
        ReferralStanding::Booked { at } => Sign::new("cal", "", format!("{told}, {}", times.exactly(at))),
        ReferralStanding::DateUnknown | ReferralStanding::NewDateWanted => Sign::new("cal", "", told),
        ReferralStanding::CheckingPlan | ReferralStanding::ReadingChart | ReferralStanding::CheckingVisit => {
            Sign::new("wait", "", told)
        }
        ReferralStanding::AwaitingNote | ReferralStanding::FilingNote => Sign::new("doc", "", told),
        ReferralStanding::ByHand => Sign::new("person", "", told),
        ReferralStanding::ClosedWithNote => Sign::new("done", "ok", told),
        ReferralStanding::ClosedWithoutNote
        | ReferralStanding::Declined
        | ReferralStanding::NotReachable
        | ReferralStanding::Withdrawn
        | ReferralStanding::Died
        | ReferralStanding::Closed => Sign::new("x", "", told),
    }
}

/// The workflow's word for a letter, as a person says it.
pub(super) fn letter(template: &str) -> String {
    match template {
        "first-contact" => "First message".into(),
        "last-reminder" => "Last reminder".into(),
        "visit-booked" => "Confirmation of the visit".into(),
        "visit-tomorrow" => "Visit reminder".into(),
        "visit-soon" => "Visit reminder of the day".into(),
        "rebook" => "Request for a new date".into(),
        "missed-visit" => "Message about the missed visit".into(),
        "help" => "Help message".into(),
        other => sentence(other),
    }
}

/// `day-21` is `Day 21`.
pub(super) fn sentence(word: &str) -> String {
    capital(&word.replace(['-', '_', '.'], " "))
}

/// What comes next. `physician` is whoever ordered it.
pub(super) fn foreseen(next: &Foreseen, now: ReferralStanding, physician: &str, times: &Times) -> String {
    let when = times.when(next.at);
    let is_due = next.at <= times.now;
    match &next.what {
        ForeseenAct::Message { letter: template, .. } if is_due => format!("{} leaves now", letter(template)),
        ForeseenAct::Message { letter: template, .. } => {
            format!("{} leaves {when}{}", letter(template), unless(now))
        }
        ForeseenAct::Asks { audience: Audience::Coordinator, .. } if now == ReferralStanding::ByHand => {
            format!("Comes back to you {when}")
        }
        ForeseenAct::Asks { audience: Audience::Coordinator, .. } => {
            format!("Comes to you {when}{}", unless(now))
        }
        ForeseenAct::Asks { audience: Audience::Physician, .. } => {
            let physician = if physician.is_empty() { "The physician" } else { physician };
            format!("{physician} is told {when}{}", unless(now))
        }
        ForeseenAct::Asks { audience: Audience::Specialist, .. } => {
            format!("The office is asked {when}{}", unless(now))
        }
        ForeseenAct::VisitChecked => format!("We ask about the visit {when}"),
        ForeseenAct::Ends(standing) => format!("{} {when}{}", closes(*standing), unless(now)),
    }
}

#[expect(clippy::wildcard_enum_match_arm, reason = "every other end needs no word of its own")]
fn closes(standing: ReferralStanding) -> &'static str {
    match standing {
        ReferralStanding::ClosedWithoutNote => "Closes without a note",
        ReferralStanding::NotReachable => "Closes as not reachable",
        ReferralStanding::Declined => "Closes as declined",
        _ => "Closes by itself",
    }
}

/// What would make it needless.
#[expect(clippy::wildcard_enum_match_arm, reason = "nothing would, anywhere else")]
fn unless(now: ReferralStanding) -> &'static str {
    match now {
        ReferralStanding::NotBooked => " unless the patient books",
        ReferralStanding::Booked { .. } => " unless the visit moves",
        ReferralStanding::DateUnknown => " unless a date comes",
        ReferralStanding::NewDateWanted => " unless there is a new date",
        ReferralStanding::AwaitingNote => " unless the note comes",
        _ => "",
    }
}

/// The button of a task: the verb, its sign, and whether it is for now.
pub(super) fn task_act(kind: &str) -> (&'static str, &'static str) {
    match kind {
        "emergency-reply" => ("phone", "Call now"),
        "read-reply" | "help" => ("msg", "Read reply"),
        "change-visit" | "rebook" | "missed-visit" => ("cal", "Move visit"),
        "no-date" => ("cal", "Add date"),
        "wrong-number" => ("plus", "Add phone"),
        "note-overdue" | "visit-unknown" => ("phone", "Call office"),
        "no-specialist" => ("swap", "Find office"),
        "stalled" | "opted-out" | "unreachable" | "rerouted" => ("phone", "Call"),
        "check-in" => ("pen", "Review"),
        _ => ("doc", "Open"),
    }
}

/// The workflow's word for a task, for whoever does not read its sentence.
pub(super) fn task(kind: &str) -> String {
    match kind {
        "emergency-reply" => "May be describing an emergency".into(),
        "read-reply" => "A reply that a person should read".into(),
        "opted-out" => "Wants no messages".into(),
        "wrong-number" => "The number belongs to somebody else".into(),
        "note-overdue" => "The note is overdue".into(),
        "no-date" => "An appointment without a date".into(),
        "change-visit" => "Wants another date".into(),
        "visit-unknown" => "Nobody knows whether the visit took place".into(),
        "no-specialist" => "No specialist fits".into(),
        "check-in" => "By hand for two weeks".into(),
        "stalled" => "No appointment after 14 days".into(),
        "day-21" => "No appointment after 21 days".into(),
        other => sentence(other),
    }
}

pub(super) fn channel(channel: Channel) -> &'static str {
    match channel {
        Channel::Sms => "Text",
        Channel::Email => "Email",
        Channel::Portal => "Portal",
    }
}

pub(super) fn by_channel(of: Channel) -> &'static str {
    match of {
        Channel::Sms => "by text",
        Channel::Email => "by email",
        Channel::Portal => "through the portal",
    }
}

/// Of BCP 47, the languages that practices have asked for; another keeps its tag.
pub(super) fn language(tag: &str) -> String {
    let name = match tag.split('-').next().unwrap_or_default() {
        "en" => "English",
        "es" => "Spanish",
        "vi" => "Vietnamese",
        "zh" => "Chinese",
        "ru" => "Russian",
        "ar" => "Arabic",
        "ht" => "Haitian Creole",
        "ko" => "Korean",
        "pt" => "Portuguese",
        "fr" => "French",
        "tl" => "Tagalog",
        "pl" => "Polish",
        _ => return tag.to_string(),
    };
    name.into()
}

/// `+14125550142` as people here write it.
pub(super) fn phone(number: &str) -> String {
    match number.strip_prefix("+1") {
        Some(digits) if digits.len() == 10 && digits.bytes().all(|byte| byte.is_ascii_digit()) => {
            format!("({})\u{a0}{}\u{2011}{}", &digits[..3], &digits[3..6], &digits[6..])
        }
        Some(_) | None => number.to_string(),
    }
}

pub(super) fn consent(consent: Consent) -> &'static str {
    match consent {
        Consent::Granted => "agreed",
        Consent::Denied => "not allowed",
        Consent::Unknown => "",
    }
}

pub(super) fn priority(priority: Priority) -> Option<Sign> {
    match priority {
        Priority::Routine => None,
        Priority::Urgent => Some(Sign::new("alert", "warn", "Urgent")),
        Priority::Stat => Some(Sign::new("urgent", "bad", "At once")),
    }
}

pub(super) fn message_status(status: &MessageStatus, times: &Times) -> Sign {
    match status {
        MessageStatus::Waiting { due } if *due <= times.now => Sign::new("clock", "", "leaves now"),
        MessageStatus::Waiting { due } => Sign::new("clock", "", format!("leaves {}", times.when(*due))),
        MessageStatus::Sent => Sign::new("check", "", "Sent"),
        MessageStatus::Delivered => Sign::new("ticks", "ok", "Delivered"),
        MessageStatus::NotDelivered => Sign::new("alert", "warn", "Did not arrive"),
        MessageStatus::NotSent { why } => Sign::new("x", "", format!("Not sent: {}", rule(why))),
        MessageStatus::InDoubt => Sign::new("alert", "warn", "Nobody knows whether it left"),
    }
}

/// A rule's code as the contact rules and vendors name it.
fn rule(code: &str) -> String {
    match code {
        "opted-out" => "the patient wants no messages".into(),
        "quiet-hours" => "it is too early or too late there".into(),
        "no-consent" => "the patient has not agreed".into(),
        other => sentence(other).to_lowercase(),
    }
}

/// What we take a reply for.
pub(super) fn reading(intent: Intent) -> &'static str {
    match intent {
        Intent::Emergency => "may be describing an emergency",
        Intent::OptOut => "wants no messages",
        Intent::WrongPerson => "is somebody else",
        Intent::OptIn => "wants messages again",
        Intent::Help => "asks for help",
        Intent::CancelVisit => "wants to cancel the visit",
        Intent::Decline => "does not want to go",
        Intent::Reschedule => "wants another date",
        Intent::Scheduled => "has an appointment",
        Intent::Attended => "has been there",
        Intent::Confirm => "says yes",
        Intent::Question => "has a question",
        Intent::Unclear => "cannot be understood for certain",
    }
}

pub(super) fn told(what: &Told, times: &Times) -> String {
    match what {
        Told::Came(cause) => came(cause, times),
        Told::MessageOwed { letter: template, channel, .. } => {
            format!("{} {}", letter(template), by_channel(*channel))
        }
        Told::MessageWaits { until, why } => format!("A message waits until {}: {}", times.exactly(*until), why),
        Told::MessageRefused { rule: code } => format!("A message was not sent: {}", rule(code)),
        Told::MessageDropped { is_dead: true, why } => format!("Given up, and put before a person: {why}"),
        Told::MessageDropped { is_dead: false, why } => format!("Called back: {why}"),
        Told::Asked { audience, kind } => format!("{}: {}", asked(*audience), task(kind)),
        Told::ChartWritten(outcome) => format!("Written to the chart: {}", outcome_told(*outcome)),
        Told::Stands(standing @ ReferralStanding::Booked { at }) => {
            format!("{}, {}", stands(*standing), times.exactly(*at))
        }
        Told::Stands(standing) => stands(*standing).into(),
        Told::HeldForCourt { who, why } => format!("Kept for a court by {who}: {why}"),
        Told::Released { who, why } => format!("No longer kept for a court, by {who}: {why}"),
        Told::GlassBroken { who, until } => {
            format!("{who} opened it in an emergency, until {}", times.exactly(*until))
        }
    }
}

fn asked(audience: Audience) -> &'static str {
    match audience {
        Audience::Coordinator => "Put before the coordinators",
        Audience::Physician => "Put before the physician",
        Audience::Specialist => "Asked of the office",
    }
}

fn outcome_told(outcome: ChartOutcome) -> &'static str {
    match outcome {
        ChartOutcome::ClosedWithNote => "closed with the note",
        ChartOutcome::ClosedWithoutNote => "closed without a note",
        ChartOutcome::Declined => "declined by the patient",
        ChartOutcome::Cancelled => "withdrawn",
        ChartOutcome::Unreachable => "not reachable",
        ChartOutcome::NoShow => "visit missed",
        ChartOutcome::NoteRetracted => "note taken back",
    }
}

fn came(cause: &Cause, times: &Times) -> String {
    match cause {
        Cause::Ordered => "Order received".into(),
        Cause::Withdrawn => "Order withdrawn by the chart".into(),
        Cause::OrderChanged { redirected: true } => "The order now names another specialist".into(),
        Cause::OrderChanged { redirected: false } => "The order was changed".into(),
        Cause::Declined { reason } if reason.is_empty() => "The specialist’s office declined".into(),
        Cause::Declined { reason } => format!("The specialist’s office declined: {reason}"),
        Cause::PatientUpdated => "The chart says anew how to reach the patient".into(),
        Cause::PatientDied => "The hospital says that the patient has died".into(),
        Cause::NoteRetracted => "The specialist took the note back".into(),
        Cause::ChartRead { found: true } => "Chart read".into(),
        Cause::ChartRead { found: false } => "The chart does not know the patient".into(),
        Cause::InPlan { office } => format!("{office} kept: in the plan, and there is room"),
        Cause::Rerouted { office, why } => format!("Sent to {office} instead: {}", rerouted(*why)),
        Cause::NobodyInPlan => "No specialist fits the plan and has room".into(),
        Cause::Replied { intent, confidence } => {
            format!("The patient wrote. We think: {} ({confidence}% sure)", reading(*intent))
        }
        Cause::Visit(change) => format!("The scheduling system says: {}", visit(*change)),
        Cause::VisitFound(finding) => found(finding, times),
        Cause::NoteCame { last: true } => "The specialist’s note came".into(),
        Cause::NoteCame { last: false } => "A first version of the specialist’s note came".into(),
        Cause::NotDelivered => "A message did not arrive".into(),
        Cause::NoWayLeft => "There is no way left to write to the patient".into(),
        Cause::ChartAnswered { written: true } => "The chart has it".into(),
        Cause::ChartAnswered { written: false } => "The chart did not take it".into(),
        Cause::Timer(_) => "Time passed".into(),
        Cause::TaskChanged { who, kind, change } => {
            format!("{}: {}, by {who}", task(kind), task_changed(change, times))
        }
        Cause::Person { who, verb, reason } => format!("{who}: {} ({reason})", sentence(verb).to_lowercase()),
    }
}

/// What a task's change is called; to whom it went, and until when, stands behind it.
fn task_changed(change: &TaskChange, times: &Times) -> String {
    match change {
        TaskChange::Assigned { to: Some(to) } => format!("given to {to}"),
        TaskChange::Assigned { to: None } => "given to nobody".into(),
        TaskChange::Snoozed { until } => format!("put off until {}", times.exactly(*until)),
        TaskChange::Done => "done".into(),
        TaskChange::Reopened => "to be done after all".into(),
    }
}

/// An answer that there is to a question, as a person chooses it.
pub(super) fn choice(kind: AnswerKind, word: &str) -> String {
    match (kind, word) {
        (AnswerKind::Channel, "sms") => "Text".into(),
        (AnswerKind::Consent, "granted") => "Agrees".into(),
        (AnswerKind::Consent, "denied") => "Does not agree".into(),
        (AnswerKind::Letter, template) => letter(template),
        (AnswerKind::ReplyIntent, word) => match word.parse::<Intent>() {
            Ok(intent) => sentence(reading(intent)),
            Err(_) => sentence(word),
        },
        (AnswerKind::RerouteReason, word) => match word.parse::<RerouteReason>() {
            Ok(why) => sentence(rerouted(why)),
            Err(_) => sentence(word),
        },
        (_, word) => sentence(word),
    }
}

/// A part of an answer.
pub(super) fn part(part: &str) -> &'static str {
    match part {
        "minutes" => "How many minutes",
        "id" => "Provider number",
        "organization" => "Office",
        "phone" => "Phone",
        "specialty" => "Specialty",
        "channel" => "Text or email",
        "replaces" => "Instead of",
        "type" => "Kind of file",
        _ => "Besides",
    }
}

/// Of a word what may stand in an address.
pub(super) fn plain(word: &str) -> String {
    word.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-').collect()
}

/// What is said of a patient without their name, which stands before it: `Has no appointment after 14 days.`
pub(super) fn without_name(summary: &str, name: &str) -> String {
    match summary.strip_prefix(name) {
        Some(rest) if rest.starts_with(' ') => capital(rest.trim_start()),
        Some(_) | None => summary.to_string(),
    }
}

pub(super) fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

fn rerouted(why: RerouteReason) -> &'static str {
    match why {
        RerouteReason::OutOfNetwork => "the office named is outside the plan",
        RerouteReason::OverBooked => "the office named has no room in time",
        RerouteReason::Declined => "the office named said no",
        RerouteReason::NoneNamed => "the order named nobody",
    }
}

fn visit(change: AppointmentChange) -> &'static str {
    match change {
        AppointmentChange::Booked => "booked",
        AppointmentChange::Moved => "moved",
        AppointmentChange::Changed => "changed",
        AppointmentChange::Cancelled => "cancelled",
        AppointmentChange::Deleted => "deleted",
        AppointmentChange::NoShow => "did not come",
        AppointmentChange::Arrived => "arrived",
        AppointmentChange::Completed => "seen",
    }
}

fn found(finding: &VisitFinding, times: &Times) -> String {
    match finding {
        VisitFinding::Attended { .. } => "The visit took place".into(),
        VisitFinding::NoShow => "The patient did not come".into(),
        VisitFinding::Cancelled => "The visit was cancelled".into(),
        VisitFinding::Moved { to } => format!("The visit was moved to {}", times.exactly(*to)),
        VisitFinding::Open { .. } => "Nobody says yet whether the visit took place".into(),
    }
}

pub(super) fn appointment(status: AppointmentStatus) -> &'static str {
    match status {
        AppointmentStatus::Booked => "booked",
        AppointmentStatus::Cancelled => "cancelled",
        AppointmentStatus::NoShow => "missed",
        AppointmentStatus::Arrived => "arrived",
        AppointmentStatus::Completed => "seen",
    }
}

/// `Because: …`.
pub(super) fn because(cause: &Cause) -> Option<String> {
    Some(match cause {
        Cause::Ordered => "the order came in.".into(),
        Cause::Withdrawn => "the order was withdrawn.".into(),
        Cause::OrderChanged { redirected: true } => "the order names another specialist.".into(),
        Cause::OrderChanged { redirected: false } => "the order was changed.".into(),
        Cause::Declined { .. } => "the specialist’s office declined.".into(),
        Cause::PatientUpdated => "the patient is to be reached otherwise.".into(),
        Cause::PatientDied => "the patient has died.".into(),
        Cause::NoteRetracted => "the note was taken back.".into(),
        Cause::ChartRead { found: true } => "the chart says how the patient may be reached.".into(),
        Cause::ChartRead { found: false } => "the chart does not know more than the order.".into(),
        Cause::InPlan { .. } => "the office is in the plan and has room.".into(),
        Cause::Rerouted { why, .. } => format!("{}.", rerouted(*why)),
        Cause::NobodyInPlan => "no specialist fits the plan and has room.".into(),
        Cause::Replied { intent, confidence } => {
            format!("the patient wrote. We were {confidence}% sure: {}.", reading(*intent))
        }
        Cause::Visit(change) => format!("the scheduling system said: {}.", visit(*change)),
        Cause::VisitFound(VisitFinding::Attended { .. }) => "the visit took place.".into(),
        Cause::VisitFound(VisitFinding::NoShow) => "the patient did not come.".into(),
        Cause::VisitFound(VisitFinding::Cancelled) => "the visit was cancelled.".into(),
        Cause::VisitFound(VisitFinding::Moved { .. }) => "the visit was moved.".into(),
        Cause::VisitFound(VisitFinding::Open { .. }) => "nobody says yet whether the visit took place.".into(),
        Cause::NoteCame { .. } => "the specialist’s note came.".into(),
        Cause::NotDelivered => "a message did not arrive.".into(),
        Cause::NoWayLeft => "there is no way left to write.".into(),
        Cause::ChartAnswered { written: true } => "the chart has it.".into(),
        Cause::ChartAnswered { written: false } => "the chart did not take it.".into(),
        Cause::Timer(when) => passed((*when)?),
        Cause::Person { who, .. } | Cause::TaskChanged { who, .. } => format!("{who} said so."),
    })
}

fn passed(when: When) -> String {
    let told = |wait: TimeDelta| span(wait);
    match when {
        When::After { wait, since: Since::Order } => format!("{} since the order.", told(wait)),
        When::After { wait, since: Since::Entry } => format!("{} without news.", told(wait)),
        When::BeforeAppointment(wait) => format!("the visit is {} away.", told(wait)),
        When::AfterAppointment(wait) => format!("the visit was {} ago.", told(wait)),
        When::VisitOpen { .. } => "nobody had said whether the visit took place.".into(),
    }
}
