//! Ordered rows: the one thing an index asks of an engine. A map in memory and a sled tree are both that.

use std::collections::BTreeMap;
use std::ops::{Bound, ControlFlow};
use std::sync::Arc;

use crate::index::{IndexError, keys};

pub type RowKey = Box<[u8]>;
/// Shared by the layers that hold it.
pub type Value = Arc<[u8]>;
/// New values by key; absent ones are removed.
pub type Changes = BTreeMap<RowKey, Option<Value>>;
/// Called with each row in key order until it breaks.
pub type RowVisitor<'a> = dyn FnMut(&[u8], &[u8]) -> Result<ControlFlow<()>, IndexError> + 'a;

pub trait Rows: Send + Sync {
    fn get(&self, key: &[u8]) -> Result<Option<Value>, IndexError>;

    /// Visits the rows whose key starts with `prefix`, from `from` on where that is later. The visitor must not come back
    /// to these rows: a lock may be held.
    fn scan(&self, prefix: &[u8], from: &[u8], visit: &mut RowVisitor<'_>) -> Result<(), IndexError>;

    /// After a crash all of it is there, or none, or a part in the order of [`in_safe_order`].
    fn write(&self, changes: Changes) -> Result<(), IndexError>;
}

impl<R: Rows> Rows for std::sync::Arc<R> {
    fn get(&self, key: &[u8]) -> Result<Option<Value>, IndexError> {
        R::get(self, key)
    }

    fn scan(&self, prefix: &[u8], from: &[u8], visit: &mut RowVisitor<'_>) -> Result<(), IndexError> {
        R::scan(self, prefix, from, visit)
    }

    fn write(&self, changes: Changes) -> Result<(), IndexError> {
        R::write(self, changes)
    }
}

/// The order in which a part of the changes does no harm, because projecting again mends the rest: first the rows that
/// follow from others, then those that the projection reads back, last how far the index got. Of those read back, removals
/// come last: a row that takes another's place is there before that one goes, and its history with it.
pub fn in_safe_order(changes: &Changes) -> impl Iterator<Item = (&RowKey, &Option<Value>)> {
    let meta = keys::meta();
    let last = changes.get_key_value(&meta);
    let others = move || changes.iter().filter(|(key, _)| key.first() != Some(&keys::META));
    let derived = others().filter(|(key, _)| !keys::is_read_back(key));
    let read_back =
        move |gone: bool| others().filter(move |(key, change)| keys::is_read_back(key) && change.is_none() == gone);
    derived.chain(read_back(false)).chain(read_back(true)).chain(last)
}

/// Changes seen over the rows they will change.
pub struct Staged<'a> {
    pub rows: &'a dyn Rows,
    pub changes: Changes,
}

impl Staged<'_> {
    pub fn get(&self, key: &[u8]) -> Result<Option<Value>, IndexError> {
        match self.changes.get(key) {
            Some(change) => Ok(change.clone()),
            None => self.rows.get(key),
        }
    }

    pub fn put(&mut self, key: RowKey, value: Value) {
        self.changes.insert(key, Some(value));
    }

    pub fn remove(&mut self, key: RowKey) {
        self.changes.insert(key, None);
    }
}

/// The rows of `layer` laid over those that `below` visits.
pub fn scan_over(
    layer: &BTreeMap<RowKey, Option<Value>>,
    prefix: &[u8],
    from: &[u8],
    below: impl FnOnce(&mut RowVisitor<'_>) -> Result<(), IndexError>,
    visit: &mut RowVisitor<'_>,
) -> Result<(), IndexError> {
    let start = prefix.max(from);
    let mut upper = layer
        .range::<[u8], _>((Bound::Included(start), Bound::Unbounded))
        .take_while(|(key, _)| key.starts_with(prefix))
        .peekable();
    let mut broken = false;
    below(&mut |key, value| {
        while let Some((above, change)) = upper.next_if(|(above, _)| above.as_ref() < key) {
            if let Some(value) = change
                && visit(above, value)?.is_break()
            {
                broken = true;
                return Ok(ControlFlow::Break(()));
            }
        }
        let flow = match upper.next_if(|(above, _)| above.as_ref() == key) {
            Some((above, Some(value))) => visit(above, value)?,
            Some((_, None)) => ControlFlow::Continue(()),
            None => visit(key, value)?,
        };
        broken = flow.is_break();
        Ok(flow)
    })?;
    if broken {
        return Ok(());
    }
    for (above, change) in upper {
        if let Some(value) = change
            && visit(above, value)?.is_break()
        {
            break;
        }
    }
    Ok(())
}
