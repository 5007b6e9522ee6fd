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

use crate::index::rows::{Changes, Rows, Value, Visit, scan_over};
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
        let key = InFlightKey::try_from(key).map_err(|_| IndexError::Row { prefix: char::from(keys::IN_FLIGHT) })?;
        match change {
            Some(value) => self.in_flight.insert(key, value.clone()),
            None => self.in_flight.remove(&key),
        };
        Ok(())
    }
}

fn is_in_flight(key: &[u8]) -> bool {
    key.first() == Some(&keys::IN_FLIGHT)
}

/// The engine below: slower to write than to read over, and durable only when told to be.
pub trait Base: Rows {
    /// Takes a whole layer over.
    fn carry(&self, layer: &Changes) -> Result<(), IndexError>;

    /// Makes all that was carried over durable. Until then a power cut loses it, and the journal gives it back.
    fn sync(&self) -> Result<(), IndexError>;
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
        let mut layers = Layers::default();
        base.scan(&[keys::IN_FLIGHT], &[], &mut |key, value| {
            layers.note_in_flight(key, Some(&value.into()))?;
            Ok(ControlFlow::Continue(()))
        })?;
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
