//! An index over any ordered rows: takes entries in through the projection, keeps the agenda beside them.

use std::ops::ControlFlow;
use std::sync::Arc;

use parking_lot::{Mutex, RwLock, RwLockReadGuard, RwLockWriteGuard};

use crate::index::agenda::{Agenda, Gathered};
use crate::index::project::{glance_at, project};
use crate::index::recent::Recent;
use crate::index::row::{self, Meta, OutboxRow, ReferralRow};
use crate::index::rows::{Changes, Rows, Staged};
use crate::index::{IndexError, keys};
use crate::journal::{Entries, Numbered};
use crate::position::Position;

pub struct KeyedIndex<R> {
    pub(super) shelf: RwLock<Shelf<R>>,
    /// One projection at a time: it reads back what the one before it wrote.
    pub(super) writing: Mutex<()>,
    pub(super) entries: Arc<dyn Entries>,
    journal: [u8; 32],
}

pub(super) struct Shelf<R> {
    pub rows: R,
    pub agenda: Agenda,
    pub through: Position,
    pub recent: Recent,
}

/// Why rows that were read are of no use.
#[derive(Debug, thiserror::Error)]
pub enum Unusable {
    #[error("the index belongs to another journal")]
    OtherJournal,
    #[error("the index is of an older form")]
    OtherForm,
    #[error("the index knows of entry {0}, which the journal does not have")]
    Ahead(Position),
    #[error("the index cannot be read")]
    Unreadable(#[source] IndexError),
}

impl From<IndexError> for Unusable {
    fn from(error: IndexError) -> Unusable {
        Unusable::Unreadable(error)
    }
}

impl<R: Rows> KeyedIndex<R> {
    /// Takes rows over as they are, empty or not. `journal` names the journal that they index; `last` is its last entry.
    pub fn open(
        rows: R,
        entries: Arc<dyn Entries>,
        journal: [u8; 32],
        last: Position,
    ) -> Result<KeyedIndex<R>, Unusable> {
        let through = match rows.get(&keys::meta())? {
            None => Position::START,
            Some(value) => {
                let meta = Meta::read(&value)?;
                if meta.form != row::FORM {
                    return Err(Unusable::OtherForm);
                }
                if meta.journal != journal {
                    return Err(Unusable::OtherJournal);
                }
                if meta.applied_through > last {
                    return Err(Unusable::Ahead(meta.applied_through));
                }
                meta.applied_through
            }
        };
        let agenda = agenda_of(&rows)?;
        let shelf = RwLock::new(Shelf { rows, agenda, through, recent: Recent::default() });
        Ok(KeyedIndex { shelf, writing: Mutex::new(()), entries, journal })
    }

    /// A consistent view: no entry is half visible in it.
    pub(super) fn view(&self) -> RwLockReadGuard<'_, Shelf<R>> {
        self.shelf.read()
    }

    pub(super) fn change(&self) -> RwLockWriteGuard<'_, Shelf<R>> {
        self.shelf.write()
    }

    pub(super) fn take(&self, batch: &[Numbered]) -> Result<(), IndexError> {
        let _one = self.writing.lock();
        let mut agenda = Vec::new();
        let (changes, batch, through) = {
            let shelf = self.view();
            let mut staged = Staged { rows: &shelf.rows, changes: Changes::new() };
            let batch = &batch[batch.partition_point(|(position, _)| *position <= shelf.through)..];
            let Some((through, _)) = batch.last() else { return Ok(()) };
            let through = *through;
            for (position, entry) in batch {
                project(*position, entry, &mut staged, &mut agenda)?;
            }
            glance_at(batch, &mut staged)?;
            let meta = Meta { applied_through: through, form: row::FORM, journal: self.journal };
            staged.put(keys::meta(), meta.write());
            (staged.changes, batch, through)
        };
        let mut shelf = self.change();
        shelf.rows.write(changes)?;
        agenda.into_iter().for_each(|change| shelf.agenda.take(change));
        shelf.recent.take(batch);
        shelf.through = through;
        Ok(())
    }

    pub fn with_rows<T>(&self, read: impl FnOnce(&R) -> T) -> T {
        read(&self.view().rows)
    }
}

fn agenda_of(rows: &dyn Rows) -> Result<Agenda, IndexError> {
    let mut gathered = Gathered::default();
    rows.scan(&[keys::IN_FLIGHT], &[], &mut |key, value| {
        let id = keys::referral_at_end(key).ok_or(IndexError::Row { prefix: char::from(keys::IN_FLIGHT) })?;
        let row = ReferralRow::read(&id, value)?;
        row.timers.iter().for_each(|(due, name)| gathered.timer(*due, id, name));
        gathered.stands(row.deployment, row.state, id);
        Ok(ControlFlow::Continue(()))
    })?;
    let mut asking = Vec::new();
    rows.scan(&[keys::OPEN_TASKS], &[], &mut |key, _| {
        asking.extend(keys::referral_at_end(key));
        Ok(ControlFlow::Continue(()))
    })?;
    // Referrals that have ended are not read for this, but for those that still ask something of somebody.
    for id in asking {
        for key in [keys::in_flight(&id), keys::ended(&id)] {
            if let Some(row) = rows.get(&key)? {
                ReferralRow::read(&id, &row)?.tasks.into_iter().for_each(|task| gathered.task(task));
                break;
            }
        }
    }
    rows.scan(&[keys::OUTBOX], &[], &mut |key, value| {
        let letter = keys::letter_at_end(key).ok_or(IndexError::Row { prefix: char::from(keys::OUTBOX) })?;
        gathered.letter(OutboxRow::read(value)?.due, letter);
        Ok(ControlFlow::Continue(()))
    })?;
    Ok(gathered.agenda())
}
