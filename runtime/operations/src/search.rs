//! Looking for a patient: by words of the name, the date of birth, a number, an address. What is typed is blinded and compared with
//! what was blinded when the order came in; nobody's name is read to find another's.

use std::collections::BTreeSet;

use handoff_engine::ids::ReferralId;
use handoff_identity::person::Person;
use handoff_pipeline::search_names;
use handoff_store::index::IndexError;

use crate::operations::Operations;
use crate::referrals::PhiAccessError;
use crate::views::Visibility;
use crate::worklist::{WORK_ROWS_MAX, WorkRow};

/// What was found, newest first.
#[derive(Debug, Default)]
pub struct SearchResult {
    pub rows: Vec<WorkRow>,
    /// There are more than a page has.
    pub is_cut: bool,
}

impl Operations {
    /// # Errors
    /// When it cannot be read, or the journal does not take the look.
    pub fn search(&self, person: &Person, typed: &str) -> Result<SearchResult, PhiAccessError> {
        let index = self.pipeline.store.index();
        let mut found: Option<BTreeSet<ReferralId>> = None;
        for names in search_names::of_typed(&self.pipeline.vault, self.pipeline.country(), typed) {
            let ids = names.iter().map(|name| index.find(name)).collect::<Result<Vec<_>, IndexError>>()?;
            let ids: BTreeSet<ReferralId> = ids.into_iter().flatten().collect();
            found = Some(found.map_or(ids.clone(), |found| found.intersection(&ids).copied().collect()));
        }
        self.rows_of(person, found.unwrap_or_default().into_iter().rev(), "what a search found")
    }

    /// These referrals as rows of a list, as far as the person may see them in clear; `what` is what the journal says of the look.
    ///
    /// # Errors
    /// When they cannot be read, or the journal does not take the look.
    pub fn rows_of(
        &self,
        person: &Person,
        ids: impl Iterator<Item = ReferralId>,
        what: &str,
    ) -> Result<SearchResult, PhiAccessError> {
        let index = self.pipeline.store.index();
        let mut seen = Vec::new();
        for id in ids {
            let Some(referral) = index.referral(&id)? else { continue };
            if Visibility::of(person, &referral, false) == Some(Visibility::Clear) {
                seen.push(referral);
            }
        }
        let is_cut = seen.len() > WORK_ROWS_MAX;
        seen.truncate(WORK_ROWS_MAX);
        let look = self.look_at(person, what, seen.iter().map(|referral| referral.id))?;
        let rows = seen.into_iter().map(|referral| self.row_of(person, referral, look.as_ref()));
        Ok(SearchResult { rows: rows.collect::<Result<_, _>>()?, is_cut })
    }
}
