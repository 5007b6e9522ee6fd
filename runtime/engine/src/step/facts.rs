//! What an event teaches us, before anything is decided.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use crate::answer::{ActAnswer, ActAnswers};
use crate::event::{
    AppointmentChange, Assessment, Delegated, Event, Intent, LetterStatus, PatientRecord, PatientUpdate, Reply,
    RerouteReason, VisitFinding,
};
use crate::ids::{LetterId, Token};
use crate::referral::{
    ATTEMPTS_MAX, Appointment, AppointmentStatus, Attached, Attempt, AttemptOutcome, Channel, Code, Consent,
    ContactPoint, Facts, Note, NotedCall, Order, Patient, Provider, SentLetter, Visit,
};
use crate::workflow::OptOutScope;

/// Addresses kept per patient: charts carry a handful; a sender gone wild must not swell the state.
const REACHES_MAX: usize = 16;
/// Specialists remembered as tried.
const TRIED_MAX: usize = 16;

/// Updates the facts; whether anything is now different.
pub(super) fn learn(facts: &mut Facts, event: &Event, opt_out: OptOutScope, now: DateTime<Utc>) -> bool {
    match event {
        Event::Record { record: Some(record) } => learn_record(&mut facts.patient, record),
        Event::Network { assessment } => learn_assessment(facts, assessment),
        Event::LetterSent { letter, .. } => learn_sent(facts, letter),
        Event::LetterStatus { letter, status, channel } => {
            learn_status(facts, *letter, outcome_of(status), *channel, now)
        }
        Event::Reply { reply } => learn_reply(facts, reply, opt_out),
        Event::OptedOut { channel, .. } => opted_out(facts, &Meant::opted_out(opt_out, *channel)),
        Event::OrderChanged { order, .. } => learn_order(&mut facts.order, order),
        Event::Withdrawn { as_of } => {
            let is_news = facts.withdrawn.is_none();
            facts.withdrawn = facts.withdrawn.max(Some(as_of.unwrap_or(now)));
            is_news
        }
        Event::PatientUpdated { update } => learn_update(&mut facts.patient, update),
        Event::PatientDied => {
            let known = facts.patient.deceased;
            Arc::make_mut(&mut facts.patient).deceased = true;
            !known
        }
        Event::Appointment { change, appointment, with, as_of, numbers: _ } => {
            let told = Told { appointment: appointment.as_ref(), with: with.as_ref(), as_of: *as_of };
            learn_appointment(facts, *change, told, now)
        }
        Event::NoteReceived { note, last, corrects } => {
            // A preliminary note never takes the place of a final one; the line hands the final one over last.
            let newer = facts.note.is_none() || *last;
            if newer && *last {
                facts.note = Some(after(facts.note.take(), note, *corrects));
                // A consultation note is proof of the visit.
                let at = facts.appointment.as_ref().map_or(note.received_at, |it| it.starts_at.min(note.received_at));
                facts.visit.get_or_insert(Visit { attended: true, at }).attended = true;
            }
            newer && *last
        }
        Event::NoteRetracted => learn_retracted(&mut facts.note),
        Event::Visit { finding } => learn_finding(facts, finding, now),
        Event::Person { answers, .. } => learn_answers(facts, answers, now),
        Event::Done { what: Delegated::Chart, succeeded: true, reference } => learn_written(facts, reference),
        Event::Record { record: None }
        | Event::Ordered { .. }
        | Event::Declined { .. }
        | Event::Unreachable { .. }
        | Event::Done { .. }
        | Event::Timer { .. }
        | Event::Task { .. } => false,
    }
}

/// The chart adds to the order's own data. What a patient told us to stop, no chart starts again.
fn learn_record(known: &mut Arc<Patient>, record: &PatientRecord) -> bool {
    let mut patient = Patient::clone(known);
    for reach in &record.reaches {
        let (reaches, refused) = (&mut patient.reaches, patient.refused);
        match reaches.iter().position(|it| it.channel == reach.channel && it.address == reach.address) {
            Some(known) => reaches[known].confirmed |= reach.confirmed,
            None if reaches.len() < REACHES_MAX => {
                let reach = newly_known(&patient.opted_out, reach);
                let consent = if refused { Consent::Denied } else { reach.consent };
                reaches.push(ContactPoint { consent, ..reach });
            }
            None => {}
        }
    }
    for (channel, consent) in &record.consents {
        let meant = |reach_channel: Channel| channel.is_none_or(|channel| channel == reach_channel);
        for reach in patient.reaches.iter_mut().filter(|reach| meant(reach.channel)) {
            if reach.consent != Consent::Denied {
                reach.consent = *consent;
            }
        }
    }
    if !record.languages.is_empty() {
        let others = patient.languages.iter().filter(|language| !record.languages.contains(language));
        patient.languages = record.languages.iter().chain(others).cloned().collect();
    }
    patient.preferred = record.preferred.or(patient.preferred);
    // What the chart knows for sure ends a doubt of the order's; what it is in doubt of is no better than what is known.
    if record.zone.is_some() && (record.other_zone.is_none() || patient.zone.is_none()) {
        (patient.zone, patient.other_zone) = (record.zone, record.other_zone);
    }
    patient.deceased |= record.deceased;
    let is_news = patient != **known;
    if is_news {
        *known = Arc::new(patient);
    }
    is_news
}

/// The order as it is now. What a later version leaves out stays as it was: many systems send only what they changed.
fn learn_order(known: &mut Arc<Order>, newer: &Order) -> bool {
    let said = |code: &Code| !code.code.is_empty() || !code.display.is_empty();
    let order = Order {
        numbers: known
            .numbers
            .iter()
            .chain(newer.numbers.iter().filter(|it| !known.numbers.contains(it)))
            .cloned()
            .collect(),
        priority: newer.priority,
        specialty: if said(&newer.specialty) { newer.specialty.clone() } else { known.specialty.clone() },
        services: if newer.services.is_empty() { known.services.clone() } else { newer.services.clone() },
        diagnoses: if newer.diagnoses.is_empty() { known.diagnoses.clone() } else { newer.diagnoses.clone() },
        plan_id: if newer.plan_id.is_empty() { known.plan_id.clone() } else { newer.plan_id.clone() },
        plan_name: if newer.plan_name.is_empty() { known.plan_name.clone() } else { newer.plan_name.clone() },
        referring: known.referring.told_again(&newer.referring),
        specialist: told_again(known.specialist.as_ref(), newer.specialist.as_ref()),
        expires_at: newer.expires_at.or(known.expires_at),
        named: told_again(known.named.as_ref(), newer.named.as_ref()),
        as_of: newer.as_of.or(known.as_of),
        authored_at: known.authored_at.or(newer.authored_at),
    };
    let is_news = Order { as_of: known.as_of, authored_at: known.authored_at, ..order.clone() } != **known;
    *known = Arc::new(order);
    is_news
}

fn told_again(known: Option<&Provider>, newer: Option<&Provider>) -> Option<Provider> {
    match (known, newer) {
        (Some(known), Some(newer)) => Some(known.told_again(newer)),
        (known, newer) => newer.or(known).cloned(),
    }
}

/// A number that is the patient's no more is written to no more: whoever has it now is a stranger.
fn learn_update(known: &mut Arc<Patient>, update: &PatientUpdate) -> bool {
    if update.as_of.zip(known.as_of).is_some_and(|(told, known)| told < known) {
        return false;
    }
    let mut patient = Patient::clone(known);
    for channel in Channel::ALL {
        let told: Vec<_> = update.reaches.iter().filter(|reach| reach.channel == *channel).collect();
        if told.is_empty() {
            continue;
        }
        // What the patient said of an address stands.
        let otherwise = |reach: &ContactPoint| match patient.refused {
            true => Consent::Denied,
            false => newly_known(&patient.opted_out, reach).consent,
        };
        let consent = |reach: &ContactPoint| {
            let known = patient.reaches.iter().find(|it| it.channel == *channel && it.address == reach.address);
            known.map_or_else(|| otherwise(reach), |known| known.consent)
        };
        let told: Vec<_> =
            told.into_iter().map(|reach| ContactPoint { consent: consent(reach), ..reach.clone() }).collect();
        patient.reaches.retain(|reach| reach.channel != *channel);
        patient.reaches.extend(told);
        patient.reaches.truncate(REACHES_MAX);
    }
    // Said anew of a patient of whom it was known, it is no news: what they agreed to since stands.
    if update.refused && !patient.refused {
        patient.refused = true;
        patient.reaches.iter_mut().for_each(|reach| reach.consent = Consent::Denied);
    }
    if !update.languages.is_empty() {
        patient.languages.clone_from(&update.languages);
    }
    patient.preferred = update.preferred.or(patient.preferred);
    if update.zone.is_some() {
        (patient.zone, patient.other_zone) = (update.zone, update.other_zone);
    }
    let is_news = patient != **known;
    patient.as_of = update.as_of.or(patient.as_of);
    *known = Arc::new(patient);
    is_news
}

/// An address that was not known before. What the patient said of its channel holds for it as well.
fn newly_known(opted_out: &[Channel], reach: &ContactPoint) -> ContactPoint {
    let consent = if opted_out.contains(&reach.channel) { Consent::Denied } else { reach.consent };
    ContactPoint { consent, ..reach.clone() }
}

/// The note as the chart is to have it. A second one that comes before the first is in the chart goes there with it.
fn after(earlier: Option<Note>, note: &Note, corrects: bool) -> Note {
    let mut note = note.clone();
    match earlier {
        Some(earlier) if corrects => note.replaces = [earlier.in_chart, earlier.replaces].concat(),
        Some(earlier) if earlier.in_chart.is_empty() && earlier.document_id != note.document_id => {
            let first = Attached { media_type: note.media_type, title: None, content: note.content };
            note = Note { attached: [earlier.attached, vec![first], note.attached].concat(), ..earlier };
        }
        Some(_) | None => {}
    }
    note
}

/// What is in the chart is known until it is marked there; what is not, has never been.
fn learn_retracted(known: &mut Option<Note>) -> bool {
    match known {
        None => false,
        Some(note) if note.in_chart.is_empty() => {
            *known = None;
            true
        }
        Some(note) => !std::mem::replace(&mut note.retracted, true),
    }
}

/// What the chart calls the note that was written to it.
fn learn_written(facts: &mut Facts, reference: &str) -> bool {
    let Some(note) = &mut facts.note else { return false };
    let written: Vec<_> = reference.split_whitespace().map(|it| it.trim_matches(',').to_string()).collect();
    let is_news = !written.is_empty() && note.in_chart != written;
    if is_news {
        note.in_chart = written;
    }
    is_news
}

fn learn_assessment(facts: &mut Facts, assessment: &Assessment) -> bool {
    match assessment {
        Assessment::InNetwork { specialist, .. } => refer_to(&mut facts.order, specialist),
        Assessment::Alternative { specialist, why, .. } => {
            match why {
                // Choosing one where none was named is no re-routing.
                RerouteReason::NoneNamed => {}
                RerouteReason::OutOfNetwork | RerouteReason::OverBooked | RerouteReason::Declined => {
                    facts.rerouted = facts.rerouted.saturating_add(1);
                }
            }
            let former = Arc::make_mut(&mut facts.order).specialist.replace(specialist.clone());
            if let Some(former) = former.filter(|former| former.id != specialist.id && !former.id.is_empty())
                && !facts.tried.contains(&former.id)
                && facts.tried.len() < TRIED_MAX
            {
                facts.tried.push(former.id);
            }
            // An appointment with the former specialist is void.
            facts.appointment = None;
            facts.visit = None;
            true
        }
        Assessment::Nobody { .. } => false,
    }
}

fn refer_to(order: &mut Arc<Order>, specialist: &Provider) -> bool {
    let told = order.specialist.as_ref().map_or_else(|| specialist.clone(), |known| known.told_again(specialist));
    let differs = order.specialist.as_ref() != Some(&told);
    if differs {
        Arc::make_mut(order).specialist = Some(told);
    }
    differs
}

fn learn_sent(facts: &mut Facts, letter: &SentLetter) -> bool {
    let attempt =
        Attempt { letter: letter.id, channel: letter.channel, at: letter.at, outcome: AttemptOutcome::Pending };
    match facts.attempts.iter_mut().find(|known| known.letter == letter.id) {
        // It had been given up, and a person sent it after all.
        Some(known) if matches!(known.outcome, AttemptOutcome::Undeliverable | AttemptOutcome::Unsent) => {
            *known = attempt;
        }
        // It was in doubt, and left again or is known to have left.
        Some(known) if known.outcome == AttemptOutcome::Pending && known.at != attempt.at => *known = attempt,
        Some(_) => return false,
        None => note(facts, attempt),
    }
    facts.last_letter = Some(letter.clone());
    true
}

fn note(facts: &mut Facts, attempt: Attempt) {
    if facts.attempts.len() >= ATTEMPTS_MAX {
        facts.attempts.remove(0);
    }
    facts.attempts.push(attempt);
}

/// Whether a status is no news: a vendor says it when it is asked and calls back as well. An answer is the surest sign of
/// delivery; a late status does not undo it.
pub(super) fn knows(facts: &Facts, letter: LetterId, status: &LetterStatus) -> bool {
    let attempt = facts.attempts.iter().find(|attempt| attempt.letter == letter);
    attempt.is_some_and(|attempt| [outcome_of(status), AttemptOutcome::Answered].contains(&attempt.outcome))
}

/// A letter that never left was an attempt as well: who chooses the next way must know which ones are barred.
fn learn_status(
    facts: &mut Facts,
    letter: LetterId,
    outcome: AttemptOutcome,
    channel: Option<Channel>,
    at: DateTime<Utc>,
) -> bool {
    match (facts.attempts.iter_mut().find(|attempt| attempt.letter == letter), channel) {
        (Some(attempt), _) => attempt.outcome = outcome,
        (None, Some(channel)) => note(facts, Attempt { letter, channel, at, outcome }),
        (None, None) => return false,
    }
    true
}

fn outcome_of(status: &LetterStatus) -> AttemptOutcome {
    match status {
        LetterStatus::Delivered => AttemptOutcome::Delivered,
        LetterStatus::Undeliverable { .. } | LetterStatus::Refused { .. } if status.blames_address() => {
            AttemptOutcome::Undeliverable
        }
        LetterStatus::Undeliverable { .. } | LetterStatus::Refused { .. } => AttemptOutcome::Unsent,
    }
}

fn learn_reply(facts: &mut Facts, reply: &Reply, opt_out: OptOutScope) -> bool {
    let mut changed = false;
    let answered = facts.attempts.iter_mut().rev().find(|attempt| attempt.channel == reply.channel);
    if let Some(attempt) = answered.filter(|attempt| attempt.outcome != AttemptOutcome::Answered) {
        attempt.outcome = AttemptOutcome::Answered;
        changed = true;
    }
    let consent = match reply.intent {
        Intent::OptOut => Some((Meant::opted_out(opt_out, reply.channel), Consent::Denied)),
        // Someone else's phone: never again. The patient's other numbers are still theirs.
        Intent::WrongPerson => match &reply.from {
            Some(address) => Some((Meant::Address(reply.channel, address), Consent::Denied)),
            None => Some((Meant::Channel(reply.channel), Consent::Denied)),
        },
        Intent::OptIn => Some((Meant::Channel(reply.channel), Consent::Granted)),
        Intent::Emergency
        | Intent::Help
        | Intent::CancelVisit
        | Intent::Decline
        | Intent::Reschedule
        | Intent::Scheduled
        | Intent::Attended
        | Intent::Confirm
        | Intent::Question
        | Intent::Unclear => None,
    };
    if let Some(address) = reply.from.as_ref().filter(|_| is_the_patients(reply.intent)) {
        let meant = Meant::Address(reply.channel, address);
        for reach in Arc::make_mut(&mut facts.patient).reaches.iter_mut().filter(|it| meant.has(it) && !it.confirmed) {
            reach.confirmed = true;
            changed = true;
        }
    }
    changed |= match consent {
        Some((meant, Consent::Denied)) if reply.intent == Intent::OptOut => opted_out(facts, &meant),
        Some((meant, consent)) => consented(facts, &meant, consent),
        None => false,
    };
    if reply.intent == Intent::OptIn && facts.patient.opted_out.contains(&reply.channel) {
        Arc::make_mut(&mut facts.patient).opted_out.retain(|channel| *channel != reply.channel);
        changed = true;
    }
    changed
}

/// Whether whoever answers so takes the referral for their own.
fn is_the_patients(intent: Intent) -> bool {
    match intent {
        Intent::OptIn
        | Intent::CancelVisit
        | Intent::Decline
        | Intent::Reschedule
        | Intent::Scheduled
        | Intent::Attended
        | Intent::Confirm => true,
        Intent::Emergency
        | Intent::OptOut
        | Intent::WrongPerson
        | Intent::Help
        | Intent::Question
        | Intent::Unclear => false,
    }
}

/// No more messages by these ways, nor by another address that becomes known.
fn opted_out(facts: &mut Facts, meant: &Meant<'_>) -> bool {
    let mut changed = consented(facts, meant, Consent::Denied);
    let channels = meant.channels();
    let new: Vec<Channel> = channels.filter(|channel| !facts.patient.opted_out.contains(channel)).collect();
    if !new.is_empty() {
        Arc::make_mut(&mut facts.patient).opted_out.extend(new);
        changed = true;
    }
    changed
}

/// Notes the patient's word on the ways that it is about; whether any is new.
fn consented(facts: &mut Facts, meant: &Meant<'_>, consent: Consent) -> bool {
    let patient = Arc::make_mut(&mut facts.patient);
    let mut changed = false;
    for reach in patient.reaches.iter_mut().filter(|it| meant.has(it) && it.consent != consent) {
        reach.consent = consent;
        changed = true;
    }
    changed
}

/// Whether an opt-out is no news: every way that it is about is denied by now.
pub(super) fn knows_opt_out(facts: &Facts, event: &Event, scope: OptOutScope) -> bool {
    let channel = if let Event::OptedOut { channel, .. } = event {
        *channel
    } else if let Event::Reply { reply } = event
        && reply.intent == Intent::OptOut
    {
        reply.channel
    } else {
        return false;
    };
    let meant = Meant::opted_out(scope, channel);
    let mut reaches = facts.patient.reaches.iter().filter(|reach| meant.has(reach)).peekable();
    reaches.peek().is_some() && reaches.all(|reach| reach.consent == Consent::Denied)
}

/// Which ways to the patient a reply speaks of.
enum Meant<'a> {
    Every,
    Channel(Channel),
    Address(Channel, &'a Token),
}

impl Meant<'_> {
    fn opted_out(scope: OptOutScope, channel: Channel) -> Self {
        match scope {
            OptOutScope::Everything => Meant::Every,
            OptOutScope::Channel => Meant::Channel(channel),
        }
    }

    /// Those that are meant whole.
    fn channels(&self) -> impl Iterator<Item = Channel> {
        Channel::ALL.iter().copied().filter(|channel| match self {
            Meant::Every => true,
            Meant::Channel(meant) => meant == channel,
            Meant::Address(..) => false,
        })
    }

    fn has(&self, reach: &ContactPoint) -> bool {
        match self {
            Meant::Every => true,
            Meant::Channel(channel) => reach.channel == *channel,
            Meant::Address(channel, address) => reach.channel == *channel && reach.address == **address,
        }
    }
}

/// What a person has found out of themselves; what they tell of others follows as an event.
fn learn_answers(facts: &mut Facts, answers: &ActAnswers, now: DateTime<Utc>) -> bool {
    let mut learned = false;
    if let Some(outcome) = answers.values().find_map(ActAnswer::call) {
        if facts.calls.len() >= ATTEMPTS_MAX {
            facts.calls.remove(0);
        }
        facts.calls.push(NotedCall { at: now, outcome: *outcome });
        learned = true;
    }
    for answer in answers.values() {
        let ActAnswer::Address { channel, address, replaces, consent } = answer else { continue };
        let reaches = &mut Arc::make_mut(&mut facts.patient).reaches;
        reaches.retain(|reach| Some(&reach.address) != replaces.as_ref());
        let stated = ContactPoint { channel: *channel, address: address.clone(), consent: *consent, confirmed: true };
        match reaches.iter_mut().find(|reach| reach.channel == *channel && reach.address == *address) {
            Some(reach) => *reach = stated,
            // A person looks at what they write: the oldest makes room.
            None => {
                if reaches.len() >= REACHES_MAX {
                    reaches.remove(0);
                }
                reaches.push(stated);
            }
        }
        learned = true;
    }
    learned
}

/// What the scheduling system said of an appointment.
struct Told<'a> {
    appointment: Option<&'a Appointment>,
    with: Option<&'a Provider>,
    as_of: Option<DateTime<Utc>>,
}

fn learn_appointment(facts: &mut Facts, change: AppointmentChange, told: Told<'_>, now: DateTime<Utc>) -> bool {
    let before = (facts.appointment.clone(), facts.visit.clone(), facts.order.specialist.clone());
    let status = change.status();
    match (told.appointment, &mut facts.appointment) {
        (Some(told), _) => facts.appointment = Some(Appointment { status, ..told.clone() }),
        (None, Some(known)) => (known.status, known.as_of) = (status, told.as_of.or(known.as_of)),
        (None, None) => {}
    }
    let at = facts.appointment.as_ref().map_or(now, |appointment| appointment.starts_at);
    match status {
        AppointmentStatus::Booked => facts.visit = None,
        AppointmentStatus::Arrived | AppointmentStatus::Completed => facts.visit = Some(Visit { attended: true, at }),
        AppointmentStatus::NoShow => facts.visit = Some(Visit { attended: false, at }),
        AppointmentStatus::Cancelled => {}
    }
    // Whoever sees the patient owes the note.
    if let Some(with) = told.with.filter(|with| !with.id.is_empty() || !with.name.is_empty()) {
        refer_to(&mut facts.order, with);
    }
    before != (facts.appointment.clone(), facts.visit.clone(), facts.order.specialist.clone())
}

fn learn_finding(facts: &mut Facts, finding: &VisitFinding, now: DateTime<Utc>) -> bool {
    let before = (facts.appointment.clone(), facts.visit.clone());
    let status = match finding {
        VisitFinding::Attended { at } => {
            facts.visit = Some(Visit { attended: true, at: *at });
            AppointmentStatus::Completed
        }
        VisitFinding::NoShow => {
            let at = facts.appointment.as_ref().map_or(now, |appointment| appointment.starts_at);
            facts.visit = Some(Visit { attended: false, at });
            AppointmentStatus::NoShow
        }
        VisitFinding::Cancelled => AppointmentStatus::Cancelled,
        VisitFinding::Moved { to } => {
            facts.visit = None;
            if let Some(appointment) = &mut facts.appointment {
                appointment.starts_at = *to;
            }
            AppointmentStatus::Booked
        }
        VisitFinding::Open { .. } => return false,
    };
    if let Some(appointment) = &mut facts.appointment {
        appointment.status = status;
    }
    before != (facts.appointment.clone(), facts.visit.clone())
}
