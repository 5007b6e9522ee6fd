//! Which entries touched a referral, in some three bytes each. When an entry was made and what it holds stands in its
//! block already; here are positions alone, as differences.

use crate::index::row::{Eye, Pen};
use crate::index::{IndexError, keys};
use crate::position::Position;

/// Positions in rising order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct History {
    last: Position,
    /// Each position less the one before it, as LEB128.
    steps: Vec<u8>,
}

impl History {
    /// Adds an entry later than all before; an earlier one is projected again, and is here already.
    pub fn add(&mut self, at: Position) {
        if at <= self.last {
            return;
        }
        let mut step = at.0 - self.last.0;
        while step > 0x7F {
            self.steps.push(step as u8 | 0x80);
            step >>= 7;
        }
        self.steps.push(step as u8);
        self.last = at;
    }

    pub fn positions(&self) -> Result<Vec<Position>, IndexError> {
        let mut eye = Eye::new(&self.steps, keys::HISTORY);
        let mut positions = Vec::new();
        let mut at = 0u64;
        while !eye.is_done() {
            at = at.checked_add(eye.leb128()?).ok_or_else(|| eye.unreadable())?;
            positions.push(Position(at));
        }
        Ok(positions)
    }

    /// Ends a row.
    pub fn write(&self, pen: Pen) -> Pen {
        pen.u64(self.last.0).bytes(&self.steps)
    }

    pub fn read(value: &[u8]) -> Result<History, IndexError> {
        History::at_end(&mut Eye::new(value, keys::HISTORY))
    }

    /// Reads what ends a row.
    pub fn at_end(eye: &mut Eye<'_>) -> Result<History, IndexError> {
        Ok(History { last: eye.position()?, steps: eye.rest().to_vec() })
    }

    /// What is left when entries are purged.
    pub fn without(&self, purged: impl Fn(Position) -> bool) -> Result<History, IndexError> {
        let mut left = History::default();
        self.positions()?.into_iter().filter(|at| !purged(*at)).for_each(|at| left.add(at));
        Ok(left)
    }
}
