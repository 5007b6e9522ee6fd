//! Takes out of the index what a purge took out of the journal.

use std::collections::BTreeSet;

use handoff_engine::ids::ReferralId;

use crate::index::agenda::AgendaChange;
use crate::index::history::History;
use crate::index::memory::MemoryRows;
use crate::index::project::project;
use crate::index::row::{self, Glance, Pen, ReferralRow, RowBlock};
use crate::index::rows::{Changes, RowKey, Rows, Staged};
use crate::index::{IndexError, KeyedIndex, OpenTask, keys};
use crate::journal::Numbered;
use crate::position::Position;

impl<R: Rows> KeyedIndex<R> {
    /// Removes every row that stands for one of these entries and for no other that remains. What is left is what the
    /// remaining entries alone would give.
    pub fn forget(&self, entries: &[Numbered], purged: impl Fn(Position) -> bool) -> Result<(), IndexError> {
        let _one = self.writing.lock();
        let mut shelf = self.shelf.write();
        let mut staged = Staged { rows: &shelf.rows, changes: Changes::new() };
        let mut gone = Vec::new();
        for key in keys_of(entries)? {
            forget_row(&key, &purged, &mut staged, &mut gone)?;
        }
        for (position, _) in entries {
            let (number, slot) = RowBlock::number_and_slot(*position);
            if let Some(value) = staged.get(&keys::block(number))? {
                let mut block = RowBlock::read(&value);
                block.set(slot, Glance::default());
                staged.put(keys::block(number), block.write());
            }
        }
        let changes = staged.changes;
        shelf.recent.forget();
        gone.into_iter().for_each(|task| shelf.agenda.take(AgendaChange::TaskEnded(task)));
        shelf.rows.write(changes)
    }

    /// Whether the referral is still under way: in flight, or owing a letter.
    pub fn is_under_way(&self, referral: &ReferralId) -> Result<bool, IndexError> {
        let shelf = self.view();
        if shelf.rows.get(&keys::in_flight(referral))?.is_some() {
            return Ok(true);
        }
        let mut owing = false;
        let prefix = keys::outbox_of(referral);
        shelf.rows.scan(&prefix, &prefix, &mut |_, _| {
            owing = true;
            Ok(std::ops::ControlFlow::Break(()))
        })?;
        Ok(owing)
    }

    /// Whether this entry is the one that the row under a key stands for.
    pub fn stands_for(&self, key: &[u8], position: Position) -> Result<bool, IndexError> {
        let value = self.view().rows.get(key)?;
        Ok(match value {
            Some(value) => row::position(&value, key.first().copied().unwrap_or_default())? == position,
            None => false,
        })
    }
}

/// All keys that the entries may have put.
fn keys_of(entries: &[Numbered]) -> Result<BTreeSet<RowKey>, IndexError> {
    let nothing = MemoryRows::default();
    let mut keys = BTreeSet::new();
    for (position, entry) in entries {
        let mut staged = Staged { rows: &nothing, changes: Changes::new() };
        project(*position, entry, &mut staged, &mut Vec::new())?;
        keys.extend(staged.changes.into_keys());
    }
    Ok(keys)
}

/// Takes a row out; `gone` gathers the open tasks that went with a referral.
fn forget_row(
    key: &RowKey,
    purged: &impl Fn(Position) -> bool,
    staged: &mut Staged<'_>,
    gone: &mut Vec<OpenTask>,
) -> Result<(), IndexError> {
    let prefix = key.first().copied().unwrap_or_default();
    match prefix {
        // Letters still owed, and referrals in flight, are never purged; shelves go with their referral.
        keys::BLOCK | keys::META | keys::OUTBOX => {}
        keys::BY_STATE | keys::BY_DEPLOYMENT | keys::BY_SPECIALIST | keys::OPEN_TASKS => {}
        // An entry does not tell what became of its referral afterwards.
        keys::IN_FLIGHT | keys::ENDED | keys::HISTORY => {
            if let Some(id) = keys::referral_at_end(key) {
                gone.extend(forget_referral(&id, purged, staged)?);
            }
        }
        _ => {
            if let Some(value) = staged.get(key)?
                && purged(row::position(&value, prefix)?)
            {
                staged.remove(key.clone());
            }
        }
    }
    Ok(())
}

fn forget_referral(
    id: &ReferralId,
    purged: &impl Fn(Position) -> bool,
    staged: &mut Staged<'_>,
) -> Result<Vec<OpenTask>, IndexError> {
    let (ended, history) = (keys::ended(id), keys::history(id));
    let mut asked = Vec::new();
    let remembered = match staged.get(&ended)?.map(|row| ReferralRow::read(id, &row)).transpose()? {
        Some(row) if purged(row.stepped) => {
            staged.remove(keys::by_state(&row.state, id));
            staged.remove(keys::by_deployment(&row.deployment, id));
            staged.remove(keys::by_specialist(&row.specialist, id));
            staged.remove(keys::open_tasks(id));
            staged.remove(ended);
            asked = row.tasks;
            row.history
        }
        Some(row) => {
            let history = row.history.without(purged)?;
            staged.put(ended, ReferralRow { history, ..row }.write());
            return Ok(asked);
        }
        None => staged.get(&history)?.map_or(Ok(History::default()), |row| History::read(&row))?,
    };
    match remembered.without(purged)? {
        left if left == History::default() => staged.remove(history),
        left => staged.put(history, left.write(Pen::default()).done()),
    }
    Ok(asked)
}
