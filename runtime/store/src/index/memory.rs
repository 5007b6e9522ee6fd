//! Rows in memory: the model that the others are held against, and the index of a simulated practice.

use std::ops::Bound;

use parking_lot::RwLock;

use crate::index::live::Base;
use crate::index::rows::{Changes, RowKey, RowVisitor, Rows, Value};
use crate::index::{IndexError, KeyedIndex};

pub type MemoryIndex = KeyedIndex<MemoryRows>;

#[derive(Default)]
pub struct MemoryRows {
    rows: RwLock<std::collections::BTreeMap<RowKey, Value>>,
}

impl Rows for MemoryRows {
    fn get(&self, key: &[u8]) -> Result<Option<Value>, IndexError> {
        Ok(self.rows.read().get(key).cloned())
    }

    fn scan(&self, prefix: &[u8], from: &[u8], visit: &mut RowVisitor<'_>) -> Result<(), IndexError> {
        let rows = self.rows.read();
        let start = prefix.max(from);
        for (key, value) in rows.range::<[u8], _>((Bound::Included(start), Bound::Unbounded)) {
            if !key.starts_with(prefix) || visit(key, value)?.is_break() {
                break;
            }
        }
        Ok(())
    }

    fn write(&self, changes: Changes) -> Result<(), IndexError> {
        let mut rows = self.rows.write();
        for (key, change) in changes {
            match change {
                Some(value) => rows.insert(key, value),
                None => rows.remove(&key),
            };
        }
        Ok(())
    }
}

impl Base for MemoryRows {
    fn carry(&self, layer: &Changes) -> Result<(), IndexError> {
        self.write(layer.clone())
    }

    fn sync(&self) -> Result<(), IndexError> {
        Ok(())
    }
}
