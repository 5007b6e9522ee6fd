//! Rows that are durable in the journal and not yet in the engine below: visible at once, written when there is time.
//!
//! Two layers over the base. New changes fall on the upper one; a layer that is being written stands frozen in between.
//! A key changed often is written once.
//!
//! Referrals in flight are held beside them as well, all of them: each step reads back what the one before it left, and a
//! million of them scattered over the engine's pages would cost it a page for every step.

use std::collections::BTreeMap;
use std::ops::{Bound, ControlFlow};
use std::sync::{Arc, PoisonError, RwLock};

use crate::index::rows::{Changes, Key, Rows, Value, Visit, scan_over};
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
    /// Invariant: under [`keys::IN_FLIGHT`], what the layers over the base would give. Some 300 bytes for each referral.
    in_flight: BTreeMap<InFlightKey, Value>,
}

/// Held in place: a pointer to follow for each comparison would cost more than all else that a step reads.
type InFlightKey = [u8; 17];

impl Layers {
    fn note_in_flight(&mut self, key: &[u8], change: Option<&Value>) -> Result<(), IndexError> {
        let key = in_flight_key(key)?;
        match change {
            Some(value) => self.in_flight.insert(key, value.clone()),
            None => self.in_flight.remove(&key),
        };
        Ok(())
    }
}

fn in_flight_key(key: &[u8]) -> Result<InFlightKey, IndexError> {
    key.try_into().map_err(|_| IndexError::Row { prefix: char::from(keys::IN_FLIGHT) })
}

fn is_in_flight(key: &[u8]) -> bool {
    key.first() == Some(&keys::IN_FLIGHT)
}

/// The engine below: slower to write than to read over, and durable only when told to be.
pub trait Base: Rows {
    /// Takes a whole layer over.
    fn carry(&self, layer: &Changes) -> Result<(), IndexError>;

    /// A key with about as many of the prefix's rows before it as after it, where two who read side by side are faster
    /// than one.
    fn halfway(&self, _prefix: &[u8]) -> Result<Option<Key>, IndexError> {
        Ok(None)
    }

    /// Makes all that was carried over durable. Until then a power cut loses it, and the journal gives it back.
    fn sync(&self) -> Result<(), IndexError>;
}

/// The rows in flight from one key up to another.
fn in_flight_in(
    base: &(impl Base + ?Sized),
    from: &[u8],
    until: Option<&[u8]>,
) -> Result<Vec<(InFlightKey, Value)>, IndexError> {
    let mut rows = Vec::new();
    base.scan(&[keys::IN_FLIGHT], from, &mut |key, value| {
        if until.is_some_and(|until| key >= until) {
            return Ok(ControlFlow::Break(()));
        }
        rows.push((in_flight_key(key)?, Value::from(value)));
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
                let second = scope.spawn(|| in_flight_in(base.as_ref(), &middle, None));
                let mut rows = in_flight_in(base.as_ref(), &[], Some(&middle))?;
                rows.extend(second.join().unwrap_or(Err(IndexError::Failed))?);
                Ok::<_, IndexError>(rows)
            })?,
            None => in_flight_in(base.as_ref(), &[], None)?,
        };
        // Built of all rows at once, a tree takes a third less memory, and no search for each.
        let layers = Layers { in_flight: in_flight.into_iter().collect(), ..Layers::default() };
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
        let layers = self.layers.read().unwrap_or_else(PoisonError::into_inner);
        layers.active_bytes + layers.frozen_bytes
    }

    /// Freezes the upper layer for writing; `None` when there is nothing to write. One caller at a time.
    pub fn freeze(&self) -> Option<Written<'_, B>> {
        let mut layers = self.layers.write().unwrap_or_else(PoisonError::into_inner);
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
        let mut layers = self.live.layers.write().unwrap_or_else(PoisonError::into_inner);
        let gone = std::mem::take(&mut layers.frozen);
        layers.frozen_bytes = 0;
        drop(layers);
        // Freed here, outside the lock: readers need not wait for it.
        drop(gone);
    }
}

impl<B: Base + ?Sized> Rows for LiveRows<B> {
    fn get(&self, key: &[u8]) -> Result<Option<Value>, IndexError> {
        let layers = self.layers.read().unwrap_or_else(PoisonError::into_inner);
        if is_in_flight(key) {
            return Ok(layers.in_flight.get(key).cloned());
        }
        match layers.active.get(key).or_else(|| layers.frozen.get(key)) {
            Some(change) => Ok(change.clone()),
            None => self.base.get(key),
        }
    }

    fn scan(&self, prefix: &[u8], from: &[u8], visit: &mut Visit<'_>) -> Result<(), IndexError> {
        let layers = self.layers.read().unwrap_or_else(PoisonError::into_inner);
        if is_in_flight(prefix) {
            let start = (Bound::Included(prefix.max(from)), Bound::Unbounded);
            for (key, value) in layers.in_flight.range::<[u8], _>(start) {
                if !key.starts_with(prefix) || visit(key, value)?.is_break() {
                    break;
                }
            }
            return Ok(());
        }
        let below = |visit: &mut Visit<'_>| {
            scan_over(&layers.frozen, prefix, from, |visit| self.base.scan(prefix, from, visit), visit)
        };
        scan_over(&layers.active, prefix, from, below, visit)
    }

    fn write(&self, changes: Changes) -> Result<(), IndexError> {
        let size = |key: &[u8], change: &Option<Value>| {
            ROW_OVERHEAD_BYTES + key.len() + change.as_ref().map_or(0, |value| value.len())
        };
        let mut layers = self.layers.write().unwrap_or_else(PoisonError::into_inner);
        for (key, change) in changes {
            layers.active_bytes += size(&key, &change);
            if is_in_flight(&key) {
                layers.note_in_flight(&key, change.as_ref())?;
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
