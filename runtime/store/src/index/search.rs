//! Search across referrals: by referral, token, specialist, date range and type of record.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use chrono::{DateTime, Utc};
use handoff_engine::ids::{ReferralId, Token};

use crate::index::agenda::millis;
use crate::index::history::History;
use crate::index::row::{Glance, ReferralRow, RowBlock};
use crate::index::rows::Rows;
use crate::index::{IndexError, Kind, PAGE_MAX, keys};
use crate::position::Position;

/// What to look for; absent fields match everything. [`Search::default`] finds a page of the whole journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Search {
    pub referral: Option<ReferralId>,
    pub token: Option<Token>,
    /// The specialist's id: referrals that are with this specialist now.
    pub specialist: Option<String>,
    /// From this moment on.
    pub from: Option<DateTime<Utc>>,
    /// Before this moment.
    pub until: Option<DateTime<Utc>>,
    pub kind: Option<Kind>,
    /// Entries after this one: the last of the page before.
    pub after: Position,
    /// At most [`PAGE_MAX`].
    pub limit: usize,
}

impl Default for Search {
    fn default() -> Search {
        Search {
            referral: None,
            token: None,
            specialist: None,
            from: None,
            until: None,
            kind: None,
            after: Position::START,
            limit: PAGE_MAX,
        }
    }
}

impl Search {
    fn matches(&self, position: Position, glance: Glance) -> bool {
        position > self.after
            && self.from.is_none_or(|from| glance.at >= millis(from))
            && self.until.is_none_or(|until| glance.at < millis(until))
            && self.kind.is_none_or(|kind| glance.kinds.has(kind))
    }
}

pub fn search(rows: &dyn Rows, search: &Search) -> Result<Vec<Position>, IndexError> {
    let limit = search.limit.min(PAGE_MAX);
    let by_token = search.token.as_ref().map(|token| referrals_with(rows, token)).transpose()?;
    let by_specialist =
        search.specialist.as_ref().map(|id| referrals_under(rows, &keys::by_specialists(id))).transpose()?;
    let by_id = search.referral.map(|id| BTreeSet::from([id]));
    let narrowed = [by_id, by_token, by_specialist].into_iter().flatten();
    let Some(referrals) = narrowed.reduce(|these, those| &these & &those) else {
        return through_blocks(rows, search, limit);
    };
    let mut places = BTreeSet::new();
    for referral in &referrals {
        places.extend(history_of(rows, referral)?.into_iter().filter(|at| *at > search.after));
    }
    matching(rows, search, limit, places)
}

/// Every entry that touched the referral, oldest first.
pub fn history_of(rows: &dyn Rows, referral: &ReferralId) -> Result<Vec<Position>, IndexError> {
    for key in [keys::in_flight(referral), keys::ended(referral)] {
        if let Some(row) = rows.get(&key)? {
            return ReferralRow::read(referral, &row)?.history.positions();
        }
    }
    rows.get(&keys::history(referral))?.map_or(Ok(Vec::new()), |row| History::read(&row)?.positions())
}

/// Of these entries, those that match.
fn matching(
    rows: &dyn Rows,
    search: &Search,
    limit: usize,
    places: BTreeSet<Position>,
) -> Result<Vec<Position>, IndexError> {
    let mut found = Vec::new();
    let mut present = (u64::MAX, RowBlock::default());
    for position in places {
        let (number, slot) = RowBlock::number_and_slot(position);
        if present.0 != number {
            present = (number, rows.get(&keys::block(number))?.map(|row| RowBlock::read(&row)).unwrap_or_default());
        }
        if found.len() < limit && search.matches(position, present.1.glance(slot)?) {
            found.push(position);
        }
    }
    Ok(found)
}

fn referrals_with(rows: &dyn Rows, token: &Token) -> Result<BTreeSet<ReferralId>, IndexError> {
    let mut found = referrals_under(rows, &keys::tokens(token))?;
    found.append(&mut referrals_under(rows, &keys::all_sealed(token))?);
    Ok(found)
}

/// The referrals that end the keys under a prefix.
pub fn referrals_under(rows: &dyn Rows, prefix: &[u8]) -> Result<BTreeSet<ReferralId>, IndexError> {
    let mut found = BTreeSet::new();
    rows.scan(prefix, prefix, &mut |key, _| {
        found.extend(keys::referral_at_end(key));
        Ok(ControlFlow::Continue(()))
    })?;
    Ok(found)
}

fn through_blocks(rows: &dyn Rows, search: &Search, limit: usize) -> Result<Vec<Position>, IndexError> {
    let mut found = Vec::new();
    let (first, _) = RowBlock::number_and_slot(search.after.next());
    rows.scan(&[keys::BLOCK], &keys::block(first), &mut |key, value| {
        let number = keys::number_at_end(key).ok_or(IndexError::Row { prefix: char::from(keys::BLOCK) })?;
        for (slot, glance) in RowBlock::read(value).glances()?.into_iter().enumerate() {
            let position = RowBlock::position(number, slot);
            // A slot without kinds is no entry: it was purged, or stands before the first.
            if found.len() < limit && glance.kinds.0 != 0 && search.matches(position, glance) {
                found.push(position);
            }
        }
        Ok(if found.len() < limit { ControlFlow::Continue(()) } else { ControlFlow::Break(()) })
    })?;
    Ok(found)
}
