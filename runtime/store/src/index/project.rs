//! From records to rows. Pure but for reading rows back.
//!
//! Architecture Invariant: projecting entries again, over rows that already hold some of their changes, ends in the same
//! rows: a row is replaced by what its entry says, and what it made obsolete is found from the row read back.

use std::collections::BTreeSet;

use handoff_engine::answer::ActAnswer;
use handoff_engine::event::Event;
use handoff_engine::ids::{BlindedName, Digest, LetterId, ReferralId, Token};
use handoff_engine::letter::Letter;
use handoff_engine::referral::{ContactPoint, Order, Patient, Referral};

use crate::entry::{DeliveryVerdict, Entry, Record, Sealed};
use crate::index::agenda::{AgendaChange, millis};
use crate::index::history::History;
use crate::index::row::{self, Glance, OutboxRow, Pen, ReferralRow, RowBlock};
use crate::index::rows::Staged;
use crate::index::{IndexError, Kinds, OpenTask, keys};
use crate::journal::Numbered;
use crate::position::Position;

/// Stages what one entry changes, but for its block.
pub fn project(
    position: Position,
    entry: &Entry,
    rows: &mut Staged<'_>,
    agenda: &mut Vec<AgendaChange>,
) -> Result<(), IndexError> {
    let mut projection = Projection { position, entry, rows, agenda, stepped: BTreeSet::new() };
    for record in &entry.records {
        projection.record(record)?;
    }
    let Projection { rows, stepped, .. } = projection;
    let touched: BTreeSet<ReferralId> = entry.records.iter().flat_map(touched_by).collect();
    for referral in &touched {
        if !stepped.contains(referral) {
            remember(position, referral, rows)?;
        }
    }
    let place = row::place(position);
    for Sealed { token, .. } in &entry.sealed {
        touched.iter().for_each(|referral| rows.put(keys::sealed(token, Some(referral)), place.clone()));
        if touched.is_empty() {
            rows.put(keys::sealed(token, None), place.clone());
        }
    }
    Ok(())
}

/// Stages the blocks of entries that follow each other: what each holds, and when it was made.
pub fn glance_at(entries: &[Numbered], rows: &mut Staged<'_>) -> Result<(), IndexError> {
    let number_of = |position: &Position| RowBlock::number_and_slot(*position).0;
    for entries in entries.chunk_by(|(one, _), (next, _)| number_of(one) == number_of(next)) {
        let Some((first, _)) = entries.first() else { continue };
        let key = keys::block(number_of(first));
        let mut block = rows.get(&key)?.map(|row| RowBlock::read(&row)).unwrap_or_default();
        for (position, entry) in entries {
            let glance = Glance { at: millis(entry.at), kinds: Kinds::of(entry) };
            block.set(RowBlock::number_and_slot(*position).1, glance);
        }
        rows.put(key, block.write());
    }
    Ok(())
}

/// Adds the entry to the referral's history: part of its row, so that a step costs the engine one row. A referral that has
/// taken no step yet has a row for its history alone.
fn remember(position: Position, referral: &ReferralId, rows: &mut Staged<'_>) -> Result<(), IndexError> {
    for key in [keys::in_flight(referral), keys::ended(referral)] {
        if let Some(row) = rows.get(&key)? {
            let mut row = ReferralRow::read(referral, &row)?;
            row.history.add(position);
            rows.put(key, row.write());
            return Ok(());
        }
    }
    let key = keys::history(referral);
    let mut history = rows.get(&key)?.map_or(Ok(History::default()), |row| History::read(&row))?;
    history.add(position);
    rows.put(key, history.write(Pen::default()).done());
    Ok(())
}

struct Projection<'a, 'r> {
    position: Position,
    entry: &'a Entry,
    rows: &'a mut Staged<'r>,
    agenda: &'a mut Vec<AgendaChange>,
    /// Whose rows have this entry in their history already.
    stepped: BTreeSet<ReferralId>,
}

impl Projection<'_, '_> {
    #[expect(clippy::too_many_lines, reason = "what each record puts, in one place")]
    fn record(&mut self, record: &Record) -> Result<(), IndexError> {
        let here = row::place(self.position);
        match record {
            Record::Delivery { digest, dedupe_key, verdict, waits_for, bytes, .. } => {
                self.delivered(digest, dedupe_key, verdict)?;
                if bytes.is_some() {
                    self.awaits(digest, verdict, waits_for);
                }
            }
            Record::Happened { referral, event } => {
                let is_sealed = |token: &Token| self.entry.sealed.iter().any(|sealed| sealed.token == *token);
                for token in tokens_in(event).into_iter().filter(|token| !is_sealed(token)) {
                    self.rows.put(keys::token(token, referral), here.clone());
                }
            }
            Record::Stepped { referral, because: _ } => self.stepped(referral)?,
            Record::Queued { letter, doubt } => self.queued(letter, *doubt)?,
            Record::Asked { letter, attempt, lookup: false, .. } => self.change(letter, |row, here| {
                *row = OutboxRow { attempts: *attempt, asked: here, answered: Position::START, ..row.clone() };
            })?,
            Record::Answered { letter, lookup: false, .. } => self.change(letter, |row, here| row.answered = here)?,
            // Asking after an earlier request leaves it as doubtful as it was.
            Record::Asked { lookup: true, .. } | Record::Answered { lookup: true, .. } => {}
            Record::Deferred { letter, due, attempts, in_doubt, why: _ } => self.change(letter, |row, _| {
                let kept = |position| if *in_doubt { position } else { Position::START };
                *row = OutboxRow {
                    queued: row.queued,
                    due: millis(*due),
                    attempts: *attempts,
                    asked: kept(row.asked),
                    answered: kept(row.answered),
                };
            })?,
            Record::Received { letter, vendor_id, outcome: _ } => {
                self.release(letter)?;
                if let Some(vendor_id) = vendor_id {
                    self.rows.put(keys::vendor_id(vendor_id), row::vendor_id(self.position, *letter));
                    self.rows.remove(keys::reported(vendor_id));
                }
            }
            Record::Reported { vendor_id, .. } => self.rows.put(keys::reported(vendor_id), here),
            Record::Refused { letter, rule: _ } => self.release(letter)?,
            Record::Dropped { letter, dead, why: _, in_doubt: _ } => {
                self.release(letter)?;
                if *dead {
                    self.rows.put(keys::dead(&letter.to_string()), here);
                }
            }
            Record::Settled { item, .. } => {
                [keys::dead(item), keys::unmatched(item)].into_iter().for_each(|key| self.rows.remove(key));
            }
            Record::Named { referral, names } => {
                for name in names {
                    self.rows.put(keys::name(name, referral), here.clone());
                }
            }
            Record::Deployed { deployment, .. } => self.rows.put(keys::deployment(deployment), here),
            Record::Consented { address, channel, .. } => self.rows.put(keys::consent(address, *channel), here),
            Record::Held { referral, .. } => self.rows.put(keys::hold(referral), here),
            Record::Released { referral, .. } => self.rows.remove(keys::hold(referral)),
            Record::Paused { cause, .. } => self.rows.put(keys::pause(*cause), here),
            Record::Resumed { cause, .. } => self.rows.remove(keys::pause(*cause)),
            // History and blocks say enough.
            Record::Ignored { .. }
            | Record::Decided { .. }
            | Record::Looked { .. }
            | Record::Purged { .. }
            | Record::Rotated { .. }
            | Record::BackedUp { .. }
            | Record::Account { .. }
            | Record::SignedIn { .. }
            | Record::SignedOut { .. }
            | Record::SignInRefused { .. }
            | Record::LockedOut { .. }
            | Record::BrokeGlass { .. } => {}
            Record::Keyed { patient, slot } => {
                self.rows.put(keys::key_slot(patient), row::key_slot(self.position, *slot));
            }
        }
        Ok(())
    }

    /// The first delivery under a key answers for the later ones, unless it came to nothing and a later one does not.
    fn delivered(&mut self, digest: &Digest, dedupe_key: &str, verdict: &DeliveryVerdict) -> Result<(), IndexError> {
        let for_nothing = match verdict {
            DeliveryVerdict::Dead { .. } => {
                self.rows.put(keys::dead(&digest.to_string()), row::place(self.position));
                true
            }
            DeliveryVerdict::Unmatched { .. } => true,
            DeliveryVerdict::Accepted { .. } | DeliveryVerdict::NotForUs { .. } => false,
        };
        let key = keys::delivery(dedupe_key);
        let first = match self.rows.get(&key)? {
            None => true,
            Some(earlier) => !for_nothing && row::delivery_was_for_nothing(&earlier),
        };
        if first {
            self.rows.put(key, row::delivery(self.position, for_nothing));
        }
        Ok(())
    }

    /// A delivery that means no referral waits for one of these names.
    fn awaits(&mut self, digest: &Digest, verdict: &DeliveryVerdict, names: &[BlindedName]) {
        let DeliveryVerdict::Unmatched { .. } = verdict else { return };
        let (item, here) = (digest.to_string(), row::place(self.position));
        names.iter().for_each(|name| self.rows.put(keys::waiting(name, &item), here.clone()));
        self.rows.put(keys::unmatched(&item), here);
    }

    fn queued(&mut self, letter: &Letter, doubt: Option<Position>) -> Result<(), IndexError> {
        let row = OutboxRow {
            queued: self.position,
            due: millis(letter.due),
            attempts: 0,
            asked: doubt.unwrap_or(Position::START),
            answered: Position::START,
        };
        self.owe(&letter.id, row)
    }

    fn stepped(&mut self, referral: &Referral) -> Result<(), IndexError> {
        let id = referral.id;
        let (in_flight, ended) = (keys::in_flight(&id), keys::ended(&id));
        let flying = self.rows.get(&in_flight)?;
        let was_flying = flying.is_some();
        let before = match flying {
            Some(row) => Some(ReferralRow::read(&id, &row)?),
            None => self.rows.get(&ended)?.map(|row| ReferralRow::read(&id, &row)).transpose()?,
        };
        let mut history = match &before {
            Some(before) => before.history.clone(),
            None => self.adopt_history(&id)?,
        };
        history.add(self.position);
        self.stepped.insert(id);
        let after = ReferralRow::of(referral, self.position, history);
        let flies = !has_ended(referral);
        self.refile(&id, before.as_ref().map(|before| (before, was_flying)), (&after, flies));
        self.ask(&id, before.as_ref().map(|before| before.tasks.as_slice()).unwrap_or_default(), &after.tasks);
        self.schedule(&id, before.as_ref().filter(|_| was_flying), Some(&after).filter(|_| flies));
        let (stays, goes) = if flies { (in_flight, ended) } else { (ended, in_flight) };
        self.rows.put(stays, after.write());
        // A crash may have left the row that this one took the place of.
        let again = before.as_ref().is_some_and(|before| before.stepped >= self.position);
        if again || (before.is_some() && flies != was_flying) {
            self.rows.remove(goes);
        }
        if again {
            self.rows.remove(keys::history(&id));
        }
        Ok(())
    }

    /// What was remembered of a referral before its first step.
    fn adopt_history(&mut self, id: &ReferralId) -> Result<History, IndexError> {
        let key = keys::history(id);
        let Some(row) = self.rows.get(&key)? else { return Ok(History::default()) };
        self.rows.remove(key);
        History::read(&row)
    }

    /// Moves the referral to where lists look for it. What did not change costs no write.
    fn refile(&mut self, id: &ReferralId, before: Option<(&ReferralRow, bool)>, after: (&ReferralRow, bool)) {
        let shelves = |(row, flies): (&ReferralRow, bool)| {
            let specialist = (!row.specialist.is_empty()).then(|| keys::by_specialist(&row.specialist, id));
            // Those in flight are listed from the agenda.
            let state = (!flies).then(|| keys::by_state(&row.state, id));
            let deployment = (!flies).then(|| keys::by_deployment(&row.deployment, id));
            [state, deployment, specialist]
        };
        let old = before.map(shelves).unwrap_or_default();
        for (old, new) in old.into_iter().zip(shelves(after)) {
            if old == new {
                continue;
            }
            if let Some(old) = old {
                self.rows.remove(old);
            }
            if let Some(new) = new {
                self.rows.put(new, row::nothing());
            }
        }
    }

    /// What is asked of people outlives the referral.
    fn ask(&mut self, id: &ReferralId, before: &[OpenTask], after: &[OpenTask]) {
        if before == after {
            return;
        }
        self.agenda.extend(before.iter().cloned().map(AgendaChange::TaskEnded));
        self.agenda.extend(after.iter().cloned().map(AgendaChange::TaskOpen));
        match after.is_empty() {
            true => self.rows.remove(keys::open_tasks(id)),
            false => self.rows.put(keys::open_tasks(id), row::nothing()),
        }
    }

    /// Notes what changes for a referral in flight: absent before it flew, and once it has ended.
    fn schedule(&mut self, id: &ReferralId, before: Option<&ReferralRow>, after: Option<&ReferralRow>) {
        let timers = |row: Option<&ReferralRow>| row.map(|row| row.timers.clone()).unwrap_or_default();
        let place = |row: &ReferralRow| (row.deployment, row.state.clone());
        let (old, new) = (timers(before), timers(after));
        if old != new {
            self.agenda.extend(old.into_iter().map(|(due, name)| AgendaChange::TimerGone(due, *id, name)));
            self.agenda.extend(new.into_iter().map(|(due, name)| AgendaChange::TimerSet(due, *id, name)));
        }
        let (old, new) = (before.map(place), after.map(place));
        if old != new {
            self.agenda.extend(old.map(|(deployment, state)| AgendaChange::Left(deployment, state, *id)));
            self.agenda.extend(new.map(|(deployment, state)| AgendaChange::Entered(deployment, state, *id)));
        }
    }

    fn owe(&mut self, letter: &LetterId, row: OutboxRow) -> Result<(), IndexError> {
        let key = keys::outbox(letter);
        let before = self.rows.get(&key)?.map(|before| OutboxRow::read(&before)).transpose()?;
        // One that stays due when it was may be in a worker's hands, and stays there.
        if before.as_ref().is_none_or(|before| before.due != row.due) {
            self.agenda.extend(before.map(|before| AgendaChange::LetterGone(before.due, *letter)));
            self.agenda.push(AgendaChange::LetterSet(row.due, *letter));
        }
        self.rows.put(key, row.write());
        Ok(())
    }

    /// Changes a letter that is still owed; one that left the outbox is left alone.
    fn change(&mut self, letter: &LetterId, make: impl FnOnce(&mut OutboxRow, Position)) -> Result<(), IndexError> {
        let Some(before) = self.rows.get(&keys::outbox(letter))? else { return Ok(()) };
        let mut row = OutboxRow::read(&before)?;
        make(&mut row, self.position);
        self.owe(letter, row)
    }

    // Invariant: a letter leaves the outbox only by its receipt, by refusal, or by being given up.
    fn release(&mut self, letter: &LetterId) -> Result<(), IndexError> {
        let key = keys::outbox(letter);
        if let Some(before) = self.rows.get(&key)? {
            self.agenda.push(AgendaChange::LetterGone(OutboxRow::read(&before)?.due, *letter));
            self.rows.remove(key);
        }
        Ok(())
    }
}

/// The referrals that a record is about.
pub fn touched_by(record: &Record) -> Vec<ReferralId> {
    match record {
        Record::Delivery {
            verdict: DeliveryVerdict::Accepted { referrals } | DeliveryVerdict::Unmatched { applied: referrals, .. },
            ..
        } => referrals.clone(),
        Record::Happened { referral, .. }
        | Record::Ignored { referral, .. }
        | Record::Named { referral, .. }
        | Record::Held { referral, .. }
        | Record::Released { referral, .. }
        | Record::BrokeGlass { referral, .. } => vec![*referral],
        Record::Looked { referrals, .. } => referrals.clone(),
        Record::Stepped { referral, .. } => vec![referral.id],
        Record::Decided { referral, .. } => referral.iter().copied().collect(),
        Record::Queued { letter, .. } => vec![letter.id.referral],
        Record::Asked { letter, .. }
        | Record::Answered { letter, .. }
        | Record::Deferred { letter, .. }
        | Record::Received { letter, .. }
        | Record::Refused { letter, .. }
        | Record::Dropped { letter, .. } => vec![letter.referral],
        // An audit record is about no referral in particular: found by date and kind.
        Record::Delivery { verdict: DeliveryVerdict::NotForUs { .. } | DeliveryVerdict::Dead { .. }, .. }
        | Record::Settled { .. }
        | Record::Reported { .. }
        | Record::Deployed { .. }
        | Record::Consented { .. }
        | Record::Keyed { .. }
        | Record::Paused { .. }
        | Record::Resumed { .. }
        | Record::Purged { .. }
        | Record::Rotated { .. }
        | Record::BackedUp { .. }
        | Record::Account { .. }
        | Record::SignedIn { .. }
        | Record::SignedOut { .. }
        | Record::SignInRefused { .. }
        | Record::LockedOut { .. } => Vec::new(),
    }
}

/// A referral has ended when nothing will wake it again. A workflow gives every state that waits a timer, so that no
/// referral is forgotten; only final states have none.
pub fn has_ended(referral: &Referral) -> bool {
    referral.timers.is_empty()
}

/// The tokens that an event teaches. What a referral knew before is found by the event that taught it.
fn tokens_in(event: &Event) -> Vec<&Token> {
    match event {
        Event::Ordered { patient, order } => patient_tokens(patient).chain(order_tokens(order)).collect(),
        Event::Record { record } => record.iter().flat_map(|record| reach_tokens(&record.reaches)).collect(),
        Event::Reply { reply } => vec![&reply.text],
        Event::OrderChanged { order, .. } => order_tokens(order).collect(),
        Event::PatientUpdated { update } => reach_tokens(&update.reaches).collect(),
        Event::Appointment { appointment, numbers, .. } => {
            appointment.iter().flat_map(|it| &it.numbers).chain(numbers).collect()
        }
        Event::NoteReceived { note, .. } => {
            let attached = note.attached.iter().flat_map(|it| it.title.iter().chain([&it.content]));
            [&note.document_id, &note.content].into_iter().chain(attached).collect()
        }
        Event::Withdrawn { .. }
        | Event::OptedOut { .. }
        | Event::Declined { .. }
        | Event::PatientDied
        | Event::NoteRetracted
        | Event::Network { .. }
        | Event::LetterSent { .. }
        | Event::LetterStatus { .. }
        | Event::Unreachable { .. }
        | Event::Visit { .. }
        | Event::Done { .. }
        | Event::Timer { .. }
        | Event::Task { .. } => Vec::new(),
        Event::Person { answers, .. } => answers.values().flat_map(answer_tokens).collect(),
    }
}

fn answer_tokens(answer: &ActAnswer) -> Vec<&Token> {
    match answer {
        ActAnswer::Address { address, replaces, .. } => std::iter::once(address).chain(replaces).collect(),
        ActAnswer::Text { text } => vec![text],
        ActAnswer::Document { content, .. } => vec![content],
        ActAnswer::Appointment { .. }
        | ActAnswer::Specialist { .. }
        | ActAnswer::Consent { .. }
        | ActAnswer::Channel { .. }
        | ActAnswer::ReplyIntent { .. }
        | ActAnswer::CallOutcome { .. }
        | ActAnswer::RerouteReason { .. }
        | ActAnswer::Letter { .. }
        | ActAnswer::Date { .. } => Vec::new(),
    }
}

fn patient_tokens(patient: &Patient) -> impl Iterator<Item = &Token> {
    let names = [&patient.given, &patient.family].into_iter().chain(&patient.born);
    names.chain(patient.identifiers.iter().map(|it| &it.value)).chain(reach_tokens(&patient.reaches))
}

fn reach_tokens(reaches: &[ContactPoint]) -> impl Iterator<Item = &Token> {
    reaches.iter().map(|reach| &reach.address)
}

fn order_tokens(order: &Order) -> impl Iterator<Item = &Token> {
    order.numbers.iter()
}
