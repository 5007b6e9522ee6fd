//! Pages of referrals: by which shelf they are found, and what a list tells of each.

use std::ops::ControlFlow;

use handoff_engine::ids::ReferralId;

use crate::index::agenda::moment;
use crate::index::keyed::Shelf;
use crate::index::row::ReferralRow;
use crate::index::rows::Rows;
use crate::index::{IndexError, Listed, ReferralFilter, keys};

impl<R: Rows> Shelf<R> {
    pub(super) fn list(
        &self,
        filter: &ReferralFilter,
        after: Option<ReferralId>,
        limit: usize,
    ) -> Result<Vec<Listed>, IndexError> {
        let shelf = match filter {
            ReferralFilter { specialist: Some(specialist), .. } => Some(keys::by_specialists(specialist)),
            ReferralFilter { state: Some(state), .. } => Some(keys::states(state)),
            ReferralFilter { deployment: Some(deployment), .. } => Some(keys::by_deployments(deployment)),
            ReferralFilter { state: None, deployment: None, specialist: None, ended: _ } => None,
        };
        if let Some(shelf) = shelf {
            return self.list_under(&shelf, filter, after, limit);
        }
        let mut listed = Vec::new();
        for (prefix, ended) in [(keys::IN_FLIGHT, false), (keys::ENDED, true)] {
            if filter.ended.is_none_or(|wanted| wanted == ended) {
                listed.extend(self.list_under(&[prefix], filter, after, limit)?);
            }
        }
        listed.sort_by_key(|it| it.id);
        listed.truncate(limit);
        Ok(listed)
    }

    fn list_under(
        &self,
        shelf: &[u8],
        filter: &ReferralFilter,
        after: Option<ReferralId>,
        limit: usize,
    ) -> Result<Vec<Listed>, IndexError> {
        let mut listed = Vec::new();
        let mut last = after;
        loop {
            let ids = self.ids_after(shelf, filter, last)?;
            let Some(newest) = ids.last() else { return Ok(listed) };
            last = Some(*newest);
            for id in ids {
                if listed.len() >= limit {
                    return Ok(listed);
                }
                if let Some((row, ended)) = self.referral_row(&id)?
                    && wanted(filter, &row, ended)
                {
                    listed.push(row.listed(id, ended));
                }
            }
        }
    }

    /// Some of the referrals on a shelf, and of those in flight that would stand there once they have ended. Collected
    /// first: rows must not be read while rows are visited.
    fn ids_after(
        &self,
        shelf: &[u8],
        filter: &ReferralFilter,
        after: Option<ReferralId>,
    ) -> Result<Vec<ReferralId>, IndexError> {
        let ReferralFilter { state, deployment, .. } = filter;
        let mut ids = match shelf.first() {
            Some(&(keys::BY_STATE | keys::BY_DEPLOYMENT)) => self.agenda.standing(
                |in_deployment, in_state| {
                    state.as_ref().is_none_or(|state| state == in_state)
                        && deployment.is_none_or(|deployment| deployment == *in_deployment)
                },
                after,
                IDS_AT_ONCE,
            ),
            Some(_) | None => Vec::new(),
        };
        let mut from = shelf.to_vec();
        if let Some(after) = after {
            let Some(next) = after.0.0.checked_add(1) else { return Ok(ids) };
            from.extend_from_slice(&next.to_be_bytes());
        }
        let mut on_shelf = 0;
        self.rows.scan(shelf, &from, &mut |key, _| {
            ids.push(keys::referral_at_end(key).ok_or(IndexError::Row { prefix: char::from(key[0]) })?);
            on_shelf += 1;
            Ok(if on_shelf < IDS_AT_ONCE { ControlFlow::Continue(()) } else { ControlFlow::Break(()) })
        })?;
        ids.sort_unstable();
        ids.truncate(IDS_AT_ONCE);
        Ok(ids)
    }
}

/// Ids collected in one visit of a shelf: 16 KiB.
const IDS_AT_ONCE: usize = 1_024;

fn wanted(filter: &ReferralFilter, row: &ReferralRow, has_ended: bool) -> bool {
    let ReferralFilter { state, deployment, specialist, ended } = filter;
    state.as_ref().is_none_or(|state| *state == row.state)
        && deployment.is_none_or(|deployment| deployment == row.deployment)
        && specialist.as_ref().is_none_or(|specialist| *specialist == row.specialist)
        && ended.is_none_or(|ended| ended == has_ended)
}

impl ReferralRow {
    fn listed(self, id: ReferralId, ended: bool) -> Listed {
        Listed {
            id,
            deployment: self.deployment,
            patient: self.patient,
            version: self.version,
            ordered_at: moment(self.ordered_at),
            entered_at: moment(self.entered_at),
            next_timer: self.timers.iter().map(|(due, _)| *due).min().map(moment),
            state: self.state,
            specialist: self.specialist,
            ended,
            stepped: self.stepped,
        }
    }
}
