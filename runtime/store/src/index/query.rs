//! Answers from rows; what they point at is read from the journal.

use std::ops::ControlFlow;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use handoff_engine::ids::{BlindedName, LetterId, PatientId, ReferralId, Token, VendorMessageId};
use handoff_engine::referral::Referral;

use crate::entry::{DeliveryVerdict, Entry, Record, Sealed};
use crate::index::agenda::{AgendaChange, moment};
use crate::index::keyed::Shelf;
use crate::index::row::{self, OutboxRow, ReferralRow};
use crate::index::rows::{Rows, Value};
use crate::index::search::{history_of, referrals_under, search};
use crate::index::{
    ConsentOnFile, DeadCount, DeadItem, Delivered, Deployed, Doubt, DueTimer, Hold, InFlight, Index, IndexError,
    KeyedIndex, Listed, OpenTask, OutboxItem, PAGE_MAX, Pause, ReferralFilter, Reported, Search, TaskFilter,
    UnmatchedItem, WhatDied, keys,
};
use crate::journal::Numbered;
use crate::position::Position;

impl<R: Rows> Index for KeyedIndex<R> {
    fn apply(&self, batch: &[Numbered]) -> Result<(), IndexError> {
        self.take(batch)
    }

    fn applied_through(&self) -> Position {
        self.view().through
    }

    fn referral(&self, id: &ReferralId) -> Result<Option<Arc<Referral>>, IndexError> {
        let row = self.view().referral_row(id)?;
        let Some((row, _)) = row else { return Ok(None) };
        self.found(row.stepped, "a referral's last step", |entry| {
            entry.records.iter().rev().find_map(|record| {
                let Record::Stepped { referral, .. } = record else { return None };
                (referral.id == *id).then(|| Arc::clone(referral))
            })
        })
    }

    fn referrals(
        &self,
        filter: &ReferralFilter,
        after: Option<ReferralId>,
        limit: usize,
    ) -> Result<Vec<Listed>, IndexError> {
        self.view().list(filter, after, limit.min(PAGE_MAX))
    }

    fn in_flight(&self) -> Vec<InFlight> {
        self.view().agenda.in_flight()
    }

    fn find(&self, name: &BlindedName) -> Result<Vec<ReferralId>, IndexError> {
        Ok(referrals_under(&self.view().rows, &keys::names(name))?.into_iter().collect())
    }

    fn delivery(&self, dedupe_key: &BlindedName) -> Result<Option<Delivered>, IndexError> {
        let Some(at) = self.place(&keys::delivery(dedupe_key), keys::DELIVERY)? else { return Ok(None) };
        self.found(at, "a delivery", |entry| {
            entry.records.iter().find_map(|record| {
                let Record::Delivery {
                    digest,
                    source,
                    kind,
                    dedupe_key: key,
                    verdict,
                    bytes,
                    answer,
                    envelope,
                    waits_for: _,
                } = record
                else {
                    return None;
                };
                (key == dedupe_key).then(|| Delivered {
                    position: at,
                    at: entry.at,
                    digest: *digest,
                    source: source.clone(),
                    kind: kind.clone(),
                    verdict: verdict.clone(),
                    bytes: bytes.clone(),
                    answer: answer.clone(),
                    envelope: envelope.clone(),
                })
            })
        })
    }

    fn sealed(&self, token: &Token) -> Result<Option<Sealed>, IndexError> {
        let Some(at) = self.sealed_at(token)? else { return Ok(None) };
        self.found(at, "sealed data", |entry| entry.sealed.iter().find(|sealed| sealed.token == *token).cloned())
    }

    fn key_slot(&self, patient: &PatientId) -> Result<Option<u64>, IndexError> {
        self.view().rows.get(&keys::key_slot(patient))?.map(|value| row::read_key_slot(&value)).transpose()
    }

    fn key_slots_taken(&self) -> Result<u64, IndexError> {
        let prefix = [keys::KEY_SLOT];
        let mut taken = 0;
        self.view().rows.scan(&prefix, &prefix, &mut |_, value| {
            taken = taken.max(row::read_key_slot(value)? + 1);
            Ok(ControlFlow::Continue(()))
        })?;
        Ok(taken)
    }

    fn consent(&self, address: &BlindedName) -> Result<Vec<ConsentOnFile>, IndexError> {
        let places = self.view().places(&keys::consents(address), keys::CONSENT)?;
        let prefix = keys::consents(address).len();
        let mut answers = Vec::new();
        for (key, at) in places {
            let wanted = String::from_utf8_lossy(&key[prefix..]).into_owned();
            answers.extend(self.found(at, "a consent", |entry| {
                entry.records.iter().rev().find_map(|record| {
                    let Record::Consented { address: of, channel, granted, why } = record else { return None };
                    (of == address && channel.as_str() == wanted).then(|| ConsentOnFile {
                        channel: *channel,
                        granted: *granted,
                        why: why.clone(),
                        at: entry.at,
                        position: at,
                    })
                })
            })?);
        }
        Ok(answers)
    }

    fn deployments(&self) -> Result<Vec<Deployed>, IndexError> {
        let places = self.view().places(&[keys::DEPLOYMENT], keys::DEPLOYMENT)?;
        let mut answers = Vec::new();
        for (key, at) in places {
            answers.extend(self.found(at, "a deployment", |entry| {
                entry.records.iter().rev().find_map(|record| {
                    let Record::Deployed { deployment, workflow, plugins, who, why, origin, returning, canary, since } =
                        record
                    else {
                        return None;
                    };
                    (key[1..] == deployment.0).then(|| Deployed {
                        deployment: *deployment,
                        workflow: workflow.clone(),
                        plugins: plugins.clone(),
                        who: who.clone(),
                        why: why.clone(),
                        origin: *origin,
                        returning: *returning,
                        canary: *canary,
                        at: since.unwrap_or(entry.at),
                        is_carried: since.is_some(),
                        position: at,
                    })
                })
            })?);
        }
        // One whose record outlived its segment is older than all that still stand where they were written.
        answers.sort_by_key(|deployed| {
            (!deployed.is_carried, deployed.is_carried.then_some(deployed.at), deployed.position)
        });
        Ok(answers)
    }

    fn timers_due(&self, now: DateTime<Utc>, limit: usize) -> Vec<DueTimer> {
        self.view().agenda.timers_due(now, limit.min(PAGE_MAX))
    }

    fn next_timer(&self) -> Option<DateTime<Utc>> {
        self.view().agenda.next_timer()
    }

    fn tasks(&self, filter: &TaskFilter, after: Option<(DateTime<Utc>, LetterId)>, limit: usize) -> Vec<OpenTask> {
        self.view().agenda.tasks(filter, after, limit.min(PAGE_MAX))
    }

    fn outbox(&self, letter: &LetterId) -> Result<Option<OutboxItem>, IndexError> {
        let row = self.view().rows.get(&keys::outbox(letter))?;
        match row {
            Some(row) => self.owed(letter, &OutboxRow::read(&row)?),
            None => Ok(None),
        }
    }

    fn letters_due(&self, now: DateTime<Utc>, limit: usize) -> Result<Vec<OutboxItem>, IndexError> {
        let due = self.letter_ids_due(now, limit);
        due.iter().filter_map(|letter| self.outbox(letter).transpose()).collect()
    }

    fn letter_ids_due(&self, now: DateTime<Utc>, limit: usize) -> Vec<LetterId> {
        // In memory, and a name is 24 bytes: whoever asks for all of them gets all of them.
        self.view().agenda.letters_due(now, limit)
    }

    fn take_letters_due(&self, now: DateTime<Utc>, limit: usize) -> Vec<LetterId> {
        self.change().agenda.take_letters_due(now, limit.min(PAGE_MAX))
    }

    fn give_letter_back(&self, letter: &LetterId) -> Result<(), IndexError> {
        let mut shelf = self.change();
        if let Some(row) = shelf.rows.get(&keys::outbox(letter))? {
            shelf.agenda.take(AgendaChange::LetterSet(OutboxRow::read(&row)?.due, *letter));
        }
        Ok(())
    }

    fn next_letter(&self) -> Option<DateTime<Utc>> {
        self.view().agenda.next_letter()
    }

    fn letters_of(&self, referral: &ReferralId) -> Result<Vec<OutboxItem>, IndexError> {
        let rows = self.view().rows_under(&keys::outbox_of(referral))?;
        let owed = rows.iter().map(|(key, value)| {
            let letter = keys::letter_at_end(key).ok_or(IndexError::Row { prefix: char::from(keys::OUTBOX) })?;
            self.owed(&letter, &OutboxRow::read(value)?)
        });
        owed.filter_map(Result::transpose).collect()
    }

    fn letter_by_vendor_id(&self, vendor_id: &VendorMessageId) -> Result<Option<LetterId>, IndexError> {
        self.view().rows.get(&keys::vendor_id(vendor_id))?.map(|value| row::read_vendor_id(&value)).transpose()
    }

    fn reported(&self, vendor_id: &VendorMessageId) -> Result<Option<Reported>, IndexError> {
        let Some(at) = self.place(&keys::reported(vendor_id), keys::REPORTED)? else { return Ok(None) };
        self.found(at, "a vendor's report", |entry| {
            entry.records.iter().rev().find_map(|record| {
                let Record::Reported { vendor_id: of, status, cure } = record else { return None };
                (of == vendor_id).then(|| Reported { status: status.clone(), cure: cure.clone() })
            })
        })
    }

    fn dead_letters(&self, after: Position, limit: usize) -> Result<Vec<DeadItem>, IndexError> {
        let places = self.view().places(&[keys::DEAD], keys::DEAD)?;
        let mut answers = Vec::new();
        for (item, at) in page(places, after, limit) {
            answers.extend(self.dead(&item, at)?);
        }
        Ok(answers)
    }

    fn dead_count(&self) -> Result<DeadCount, IndexError> {
        let mut count = DeadCount::default();
        for (key, _) in self.view().places(&[keys::DEAD], keys::DEAD)? {
            match String::from_utf8_lossy(&key[1..]).parse::<LetterId>() {
                Ok(_) => count.letters += 1,
                Err(_) => count.deliveries += 1,
            }
        }
        Ok(count)
    }

    fn dead_letter(&self, item: &str) -> Result<Option<DeadItem>, IndexError> {
        match self.place(&keys::dead(item), keys::DEAD)? {
            Some(at) => self.dead(item, at),
            None => Ok(None),
        }
    }

    fn unmatched(&self, after: Position, limit: usize) -> Result<Vec<UnmatchedItem>, IndexError> {
        let places = self.view().places(&[keys::UNMATCHED], keys::UNMATCHED)?;
        let mut answers = Vec::new();
        for (item, at) in page(places, after, limit) {
            answers.extend(self.unmatched_at(&item, at)?);
        }
        Ok(answers)
    }

    fn unmatched_item(&self, item: &str) -> Result<Option<UnmatchedItem>, IndexError> {
        match self.place(&keys::unmatched(item), keys::UNMATCHED)? {
            Some(at) => self.unmatched_at(item, at),
            None => Ok(None),
        }
    }

    fn waiting_for(&self, name: &BlindedName) -> Result<Vec<UnmatchedItem>, IndexError> {
        let prefix = keys::waiting_for(name);
        let rows = self.view().rows_under(&prefix)?;
        let items = rows.iter().map(|(key, _)| self.unmatched_item(&text(key, prefix.len())));
        // One that was settled is waited with no more.
        items.filter_map(Result::transpose).collect()
    }

    fn pauses(&self) -> Result<Vec<Pause>, IndexError> {
        let mut pauses = Vec::new();
        for (key, at) in self.view().places(&[keys::PAUSE], keys::PAUSE)? {
            pauses.extend(self.found(at, "a pause", |entry| {
                entry.records.iter().rev().find_map(|record| {
                    let Record::Paused { cause, scope, who, why } = record else { return None };
                    let pause = || {
                        let (cause, scope) = (*cause, *scope);
                        Pause { cause, scope, who: who.clone(), why: why.clone(), at: entry.at, position: at }
                    };
                    (*keys::pause(*cause) == key[..]).then(pause)
                })
            })?);
        }
        Ok(pauses)
    }

    fn holds(&self) -> Result<Vec<Hold>, IndexError> {
        let places = self.view().places(&[keys::HOLD], keys::HOLD)?;
        let mut holds = Vec::new();
        for (key, at) in places {
            let held = keys::referral_at_end(&key).ok_or(IndexError::Row { prefix: char::from(keys::HOLD) })?;
            holds.extend(self.found(at, "a hold", |entry| {
                entry.records.iter().rev().find_map(|record| {
                    let Record::Held { referral, who, why } = record else { return None };
                    let hold =
                        || Hold { referral: held, who: who.clone(), why: why.clone(), at: entry.at, position: at };
                    (*referral == held).then(hold)
                })
            })?);
        }
        Ok(holds)
    }

    fn history(&self, referral: &ReferralId) -> Result<Vec<Position>, IndexError> {
        history_of(&self.view().rows, referral)
    }

    fn search(&self, wanted: &Search) -> Result<Vec<Position>, IndexError> {
        search(&self.view().rows, wanted)
    }
}

/// The items of a list from after `after`, oldest first: at most `limit`, but for more that came in one entry.
fn page(
    mut places: Vec<(Vec<u8>, Position)>,
    after: Position,
    limit: usize,
) -> impl Iterator<Item = (String, Position)> {
    places.retain(|(_, at)| *at > after);
    places.sort_by_key(|(_, at)| *at);
    let most = limit.min(PAGE_MAX);
    let last = places.get(most.saturating_sub(1)).map(|(_, at)| *at);
    let places = places.into_iter().take_while(move |(_, at)| most > 0 && last.is_none_or(|last| *at <= last));
    places.map(|(key, at)| (text(&key, 1), at))
}

fn text(key: &[u8], from: usize) -> String {
    String::from_utf8_lossy(key.get(from..).unwrap_or_default()).into_owned()
}

fn what_died(record: &Record, item: &str) -> Option<WhatDied> {
    if let Record::Dropped { letter, dead: true, why, .. } = record {
        return (letter.to_string() == item).then(|| WhatDied::Letter { letter: *letter, why: why.clone() });
    }
    let Record::Delivery { digest, source, kind, verdict: DeliveryVerdict::Dead { location, message, help }, .. } =
        record
    else {
        return None;
    };
    (digest.to_string() == item).then(|| WhatDied::Delivery {
        source: source.clone(),
        kind: kind.clone(),
        location: location.clone(),
        message: message.clone(),
        help: help.clone(),
    })
}

impl<R: Rows> KeyedIndex<R> {
    fn place(&self, key: &[u8], prefix: u8) -> Result<Option<Position>, IndexError> {
        self.view().rows.get(key)?.map(|value| row::position(&value, prefix)).transpose()
    }

    /// Where a token was sealed last.
    pub fn sealed_at(&self, token: &Token) -> Result<Option<Position>, IndexError> {
        let prefix = keys::all_sealed(token);
        let mut last = None;
        self.view().rows.scan(&prefix, &prefix, &mut |_, value| {
            last = last.max(Some(row::position(value, keys::SEALED)?));
            Ok(ControlFlow::Continue(()))
        })?;
        Ok(last)
    }

    /// Reads what a row points at. `None` when that part of the journal was purged.
    fn found<T>(
        &self,
        at: Position,
        what: &'static str,
        pick: impl FnOnce(&Entry) -> Option<T>,
    ) -> Result<Option<T>, IndexError> {
        let recent = self.view().recent.get(at);
        let entry = match recent {
            Some(entry) => Some(entry),
            None => self.entries.entry(at).map_err(|error| IndexError::Journal(at, error))?,
        };
        match entry {
            None => Ok(None),
            Some(entry) => pick(&entry).map(Some).ok_or(IndexError::Astray { at, what }),
        }
    }

    fn dead(&self, item: &str, at: Position) -> Result<Option<DeadItem>, IndexError> {
        self.found(at, "a dead letter", |entry| {
            let what = entry.records.iter().rev().find_map(|record| what_died(record, item))?;
            Some(DeadItem { item: item.to_string(), position: at, at: entry.at, what })
        })
    }

    fn unmatched_at(&self, item: &str, at: Position) -> Result<Option<UnmatchedItem>, IndexError> {
        self.found(at, "an unmatched delivery", |entry| {
            entry.records.iter().rev().find_map(|record| {
                let Record::Delivery { digest, source, kind, verdict, .. } = record else { return None };
                let DeliveryVerdict::Unmatched { why, candidates, .. } = verdict else { return None };
                (digest.to_string() == item).then(|| UnmatchedItem {
                    item: item.to_string(),
                    position: at,
                    at: entry.at,
                    source: source.clone(),
                    kind: kind.clone(),
                    why: why.clone(),
                    candidates: candidates.clone(),
                })
            })
        })
    }

    fn owed(&self, letter: &LetterId, row: &OutboxRow) -> Result<Option<OutboxItem>, IndexError> {
        let queued = self.found(row.queued, "a letter", |entry| {
            entry.records.iter().rev().find_map(|record| {
                let Record::Queued { letter: queued, .. } = record else { return None };
                (queued.id == *letter).then(|| queued.clone())
            })
        })?;
        let Some(queued) = queued else { return Ok(None) };
        let doubt = if row.asked.is_start() { None } else { self.doubt(letter, row)? };
        Ok(Some(OutboxItem { letter: queued, attempts: row.attempts, due: moment(row.due), doubt }))
    }

    fn doubt(&self, letter: &LetterId, row: &OutboxRow) -> Result<Option<Doubt>, IndexError> {
        let response = if row.answered.is_start() {
            None
        } else {
            self.found(row.answered, "an answer", |entry| {
                entry.records.iter().rev().find_map(|record| {
                    let Record::Answered { letter: of, response, lookup: false } = record else { return None };
                    (of == letter).then(|| response.clone())
                })
            })?
        };
        self.found(row.asked, "an ask", |entry| {
            entry.records.iter().rev().find_map(|record| {
                let Record::Asked { letter: of, attempt, stage, plugin, endpoint, ask, lookup: false, agreement: _ } =
                    record
                else {
                    return None;
                };
                (of == letter).then(|| Doubt {
                    position: row.asked,
                    attempt: *attempt,
                    stage: stage.clone(),
                    plugin: *plugin,
                    endpoint: endpoint.clone(),
                    ask: ask.clone(),
                    response: response.clone(),
                })
            })
        })
    }
}

impl<R: Rows> Shelf<R> {
    /// The row, and whether the referral has ended.
    pub(super) fn referral_row(&self, id: &ReferralId) -> Result<Option<(ReferralRow, bool)>, IndexError> {
        if let Some(value) = self.rows.get(&keys::in_flight(id))? {
            return Ok(Some((ReferralRow::read(id, &value)?, false)));
        }
        let ended = self.rows.get(&keys::ended(id))?;
        ended.map(|value| Ok((ReferralRow::read(id, &value)?, true))).transpose()
    }

    fn rows_under(&self, prefix: &[u8]) -> Result<Vec<(Vec<u8>, Value)>, IndexError> {
        let mut rows = Vec::new();
        self.rows.scan(prefix, prefix, &mut |key, value| {
            rows.push((key.to_vec(), value.into()));
            Ok(ControlFlow::Continue(()))
        })?;
        Ok(rows)
    }

    fn places(&self, prefix: &[u8], of: u8) -> Result<Vec<(Vec<u8>, Position)>, IndexError> {
        let rows = self.rows_under(prefix)?;
        rows.into_iter().map(|(key, value)| Ok((key, row::position(&value, of)?))).collect()
    }
}
