//! Rows that are durable in the journal and not yet in the engine below: visible at once, written when there is time.
//!
//! Two layers over the base. New changes fall on the upper one; a layer that is being written stands frozen in between.
//! A key changed often is written once.
//!
//! Referrals in flight and letters owed are held beside them as well, all of them: each step reads back what the one before
//! it left, and a million of them scattered over the engine's pages would cost it a page for every step.

use std::collections::BTreeMap;
use std::ops::{Bound, ControlFlow};
use std::sync::Arc;

use parking_lot::RwLock;

use crate::index::rows::{Changes, RowKey, RowVisitor, Rows, Value, scan_over};
use crate::index::{IndexError, keys};

/// Bytes that a row costs in a layer besides its own: tree node, two boxes, their allocations.
const ROW_OVERHEAD_BYTES: usize = 96;

pub struct LiveRows<B: ?Sized> {
    layers: RwLock<Layers>,
    base: Arc<B>,
}

#[derive(Default)]
struct Layers {
    active: Changes,
    active_bytes: usize,
    frozen: Arc<Changes>,
    frozen_bytes: usize,
    /// Some 300 bytes for each referral.
    in_flight: Held<17>,
    owed: Held<21>,
}

impl Layers {
    /// The held rows among which a key, or all keys of a prefix, would be.
    fn held(&self, key: &[u8]) -> Option<&dyn HeldRows> {
        match *key.first()? {
            keys::IN_FLIGHT => Some(&self.in_flight),
            keys::OUTBOX => Some(&self.owed),
            _ => None,
        }
    }

    fn held_mut(&mut self, key: &[u8]) -> Option<&mut dyn HeldRows> {
        match *key.first()? {
            keys::IN_FLIGHT => Some(&mut self.in_flight),
            keys::OUTBOX => Some(&mut self.owed),
            _ => None,
        }
    }
}

/// All rows of one kind, whose keys are so many bytes. Invariant: what the layers over the base would give.
///
/// Keys lie in place: a pointer to follow for each comparison would cost more than all else that a step reads.
#[derive(Default)]
struct Held<const N: usize>(BTreeMap<[u8; N], Value>);

trait HeldRows {
    fn get(&self, key: &[u8]) -> Option<Value>;
    fn scan(&self, prefix: &[u8], from: &[u8], visit: &mut RowVisitor<'_>) -> Result<(), IndexError>;
    fn note(&mut self, key: &[u8], change: Option<&Value>) -> Result<(), IndexError>;
}

impl<const N: usize> HeldRows for Held<N> {
    fn get(&self, key: &[u8]) -> Option<Value> {
        self.0.get(key).cloned()
    }

    fn scan(&self, prefix: &[u8], from: &[u8], visit: &mut RowVisitor<'_>) -> Result<(), IndexError> {
        for (key, value) in self.0.range::<[u8], _>((Bound::Included(prefix.max(from)), Bound::Unbounded)) {
            if !key.starts_with(prefix) || visit(key, value)?.is_break() {
                break;
            }
        }
        Ok(())
    }

    fn note(&mut self, key: &[u8], change: Option<&Value>) -> Result<(), IndexError> {
        let key = held_key(key)?;
        match change {
            Some(value) => self.0.insert(key, value.clone()),
            None => self.0.remove(&key),
        };
        Ok(())
    }
}

fn held_key<const N: usize>(key: &[u8]) -> Result<[u8; N], IndexError> {
    key.try_into().map_err(|_| IndexError::Row { prefix: key.first().copied().map_or('?', char::from) })
}

/// The engine below: slower to write than to read over, and durable only when told to be.
pub trait Base: Rows {
    /// Takes a whole layer over.
    fn carry(&self, layer: &Changes) -> Result<(), IndexError>;

    /// A key with about as many of the prefix's rows before it as after it, where two who read side by side are faster
    /// than one.
    fn halfway(&self, _prefix: &[u8]) -> Result<Option<RowKey>, IndexError> {
        Ok(None)
    }

    /// Makes all that was carried over durable. Until then a power cut loses it, and the journal gives it back.
    fn sync(&self) -> Result<(), IndexError>;
}

/// The rows of a kind from one key up to another.
fn held_in<const N: usize>(
    base: &(impl Base + ?Sized),
    prefix: u8,
    from: &[u8],
    until: Option<&[u8]>,
) -> Result<Vec<([u8; N], Value)>, IndexError> {
    let mut rows = Vec::new();
    base.scan(&[prefix], from, &mut |key, value| {
        if until.is_some_and(|until| key >= until) {
            return Ok(ControlFlow::Break(()));
        }
        rows.push((held_key(key)?, Value::from(value)));
        Ok(ControlFlow::Continue(()))
    })?;
    Ok(rows)
}

/// A layer on its way to the base.
pub struct Written<'a, B: ?Sized> {
    live: &'a LiveRows<B>,
    pub changes: Arc<Changes>,
}

impl<B: Base + ?Sized> LiveRows<B> {
    /// # Errors
    /// When the base cannot be read.
    pub fn over(base: Arc<B>) -> Result<LiveRows<B>, IndexError> {
        let in_flight = match base.halfway(&[keys::IN_FLIGHT])? {
            Some(middle) => std::thread::scope(|scope| {
                let second = scope.spawn(|| held_in(base.as_ref(), keys::IN_FLIGHT, &middle, None));
                let mut rows = held_in(base.as_ref(), keys::IN_FLIGHT, &[], Some(&middle))?;
                rows.extend(second.join().unwrap_or(Err(IndexError::Failed))?);
                Ok::<_, IndexError>(rows)
            })?,
            None => held_in(base.as_ref(), keys::IN_FLIGHT, &[], None)?,
        };
        let owed = held_in(base.as_ref(), keys::OUTBOX, &[], None)?;
        // Built of all rows at once, a tree takes a third less memory, and no search for each.
        let (in_flight, owed) = (Held(in_flight.into_iter().collect()), Held(owed.into_iter().collect()));
        let layers = Layers { in_flight, owed, ..Layers::default() };
        Ok(LiveRows { layers: RwLock::new(layers), base })
    }

    /// Makes durable what was carried over.
    pub fn sync(&self) -> Result<(), IndexError> {
        self.base.sync()
    }

    /// Carries the uppermost changes over to the base; false when there are none. One caller at a time.
    pub fn carry_over(&self) -> Result<bool, IndexError> {
        let Some(layer) = self.freeze() else { return Ok(false) };
        self.base.carry(&layer.changes)?;
        layer.done();
        Ok(true)
    }

    /// Makes all changes durable in the base.
    pub fn settle(&self) -> Result<(), IndexError> {
        while self.carry_over()? {}
        self.sync()
    }

    /// Memory that changes not yet in the base take.
    pub fn backlog_bytes(&self) -> usize {
        let layers = self.layers.read();
        layers.active_bytes + layers.frozen_bytes
    }

    /// Freezes the upper layer for writing; `None` when there is nothing to write. One caller at a time.
    pub fn freeze(&self) -> Option<Written<'_, B>> {
        let mut layers = self.layers.write();
        if layers.frozen.is_empty() {
            layers.frozen = Arc::new(std::mem::take(&mut layers.active));
            layers.frozen_bytes = std::mem::take(&mut layers.active_bytes);
        }
        let changes = layers.frozen.clone();
        (!changes.is_empty()).then_some(Written { live: self, changes })
    }
}

impl<B: ?Sized> Written<'_, B> {
    /// The base has it all: the layer can go.
    pub fn done(self) {
        let mut layers = self.live.layers.write();
        let gone = std::mem::take(&mut layers.frozen);
        layers.frozen_bytes = 0;
        drop(layers);
        // Freed here, outside the lock: readers need not wait for it.
        drop(gone);
    }
}

impl<B: Base + ?Sized> Rows for LiveRows<B> {
    fn get(&self, key: &[u8]) -> Result<Option<Value>, IndexError> {
        let layers = self.layers.read();
        if let Some(held) = layers.held(key) {
            return Ok(held.get(key));
        }
        match layers.active.get(key).or_else(|| layers.frozen.get(key)) {
            Some(change) => Ok(change.clone()),
            None => self.base.get(key),
        }
    }

    fn scan(&self, prefix: &[u8], from: &[u8], visit: &mut RowVisitor<'_>) -> Result<(), IndexError> {
        let layers = self.layers.read();
        if let Some(held) = layers.held(prefix) {
            return held.scan(prefix, from, visit);
        }
        let below = |visit: &mut RowVisitor<'_>| {
            scan_over(&layers.frozen, prefix, from, |visit| self.base.scan(prefix, from, visit), visit)
        };
        scan_over(&layers.active, prefix, from, below, visit)
    }

    fn write(&self, changes: Changes) -> Result<(), IndexError> {
        let size = |key: &[u8], change: &Option<Value>| {
            ROW_OVERHEAD_BYTES + key.len() + change.as_ref().map_or(0, |value| value.len())
        };
        let mut layers = self.layers.write();
        for (key, change) in changes {
            layers.active_bytes += size(&key, &change);
            if let Some(held) = layers.held_mut(&key) {
                held.note(&key, change.as_ref())?;
            }
            match layers.active.entry(key) {
                std::collections::btree_map::Entry::Vacant(place) => {
                    place.insert(change);
                }
                std::collections::btree_map::Entry::Occupied(mut place) => {
                    let before = place.insert(change);
                    let freed = size(place.key(), &before);
                    layers.active_bytes -= freed;
                }
            }
        }
        Ok(())
    }
}
