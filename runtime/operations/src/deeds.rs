//! What people did and saw, for an auditor: entries of the journal, the newest first. Tokens only.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use handoff_engine::ids::ReferralId;
use handoff_store::Position;
use handoff_store::index::{IndexError, Kind, Search};
use handoff_store::journal::ReadError;

use crate::operations::Operations;
use crate::reports::audit::Found;

/// What to look for; all that are given must hold.
#[derive(Clone, Debug, Default)]
pub struct DeedQuery {
    /// Any of them; everything where there is none.
    pub kinds: Vec<Kind>,
    pub referral: Option<ReferralId>,
    pub from: Option<DateTime<Utc>>,
    pub until: Option<DateTime<Utc>>,
    /// Before this one: the last of the page before.
    pub before: Option<Position>,
    pub limit: usize,
}

#[derive(Debug, thiserror::Error)]
pub enum DeedError {
    #[error("the index cannot be read")]
    Index(#[from] IndexError),
    #[error("the journal cannot be read")]
    Read(#[from] ReadError),
}

impl Operations {
    /// The newest first, and where to go on.
    ///
    /// # Errors
    /// When index or journal cannot be read.
    pub fn deeds(&self, query: &DeedQuery) -> Result<(Vec<Found>, Option<Position>), DeedError> {
        let kinds: Vec<Option<Kind>> =
            if query.kinds.is_empty() { vec![None] } else { query.kinds.iter().copied().map(Some).collect() };
        let mut positions: BTreeSet<Position> = BTreeSet::new();
        for kind in kinds {
            let DeedQuery { referral, from, until, .. } = *query;
            let mut search = Search { referral, from, until, kind, ..Search::default() };
            loop {
                let found = self.pipeline.store.index().search(&search)?;
                let Some(last) = found.last() else { break };
                search.after = *last;
                positions.extend(found.into_iter().filter(|it| query.before.is_none_or(|before| *it < before)));
                // The newest are wanted: what is older than a page of them is forgotten.
                while positions.len() > query.limit + 1 {
                    positions.pop_first();
                }
            }
        }
        let has_more = positions.len() > query.limit;
        let shown: Vec<Position> = positions.into_iter().rev().take(query.limit).collect();
        let mut entries = Vec::new();
        for position in &shown {
            if let Some(entry) = self.pipeline.store.read(*position)? {
                entries.push(Found::of(*position, &entry));
            }
        }
        Ok((entries, shown.last().copied().filter(|_| has_more)))
    }
}
