//! Referrals for whoever asks: listed, one by one, their history. Each as the role sees it.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use handoff_engine::ids::ReferralId;
use handoff_engine::referral::Referral;
use handoff_identity::person::Person;
use handoff_identity::role::Role;
use handoff_store::index::{IndexError, Listed, ReferralFilter};
use handoff_store::journal::ReadError;
use handoff_store::{CommitError, Record};
use serde::Serialize;
use utoipa::ToSchema;

use crate::access_log::PhiAccess;
use crate::operations::Operations;
use crate::views::{MessageView, RoleView, Visibility, is_own};
use crate::worklist::is_stalled;

/// A screen's worth, and a hundred names at most in one look.
pub const PAGE_ROWS_MAX: usize = 100;

/// Referrals read for one page, however few of them are shown: some milliseconds' work. The next page goes on from there.
const SCANNED_MAX: usize = 2_000;

/// Read from the index at once.
const STRIDE: usize = 200;

/// An emergency is told in a sentence: fewer characters are a key that was held down.
pub const REASON_CHARS_MIN: usize = 20;

/// It is read by an auditor, not kept as a chart.
pub const REASON_CHARS_MAX: usize = 500;

/// Long enough for a consultation; after it the reason has to be given anew.
pub const GLASS_OPEN_FOR: TimeDelta = TimeDelta::hours(1);

/// Which referrals.
#[derive(Clone, Debug, Default)]
pub struct Which {
    pub state: Option<String>,
    pub specialist: Option<String>,
    /// Born at this moment or later.
    pub since: Option<DateTime<Utc>>,
    /// Behind this one: the page before said so.
    pub after: Option<ReferralId>,
    /// At most [`PAGE_ROWS_MAX`].
    pub limit: usize,
}

/// Some of them, and where to go on; there may be more behind an empty page.
#[derive(Debug, Serialize, ToSchema)]
pub struct Page<T> {
    pub items: Vec<T>,
    /// Absent at the end.
    #[schema(value_type = Option<String>)]
    pub next: Option<ReferralId>,
}

/// Until when the glass is broken.
#[derive(Debug, Serialize, ToSchema)]
pub struct OpenedReferral {
    #[schema(value_type = String)]
    pub referral: ReferralId,
    #[schema(value_type = String, format = DateTime)]
    pub until: DateTime<Utc>,
}

#[derive(Debug, thiserror::Error)]
pub enum PhiAccessError {
    #[error("there is no such referral")]
    NoSuchReferral,
    #[error(
        "the reason has fewer than {REASON_CHARS_MIN} or more than {REASON_CHARS_MAX} characters\n\
         help: say in a sentence what the emergency is, without naming the patient; an auditor reads it"
    )]
    Reason,
    #[error("the index cannot be read")]
    Index(#[from] IndexError),
    #[error("the journal cannot be read")]
    Read(#[from] ReadError),
    #[error("the journal did not take it, and nothing is shown")]
    Commit(#[from] CommitError),
}

/// Why each role looks, as the journal has it.
fn purpose(person: &Person, opened: bool) -> &'static str {
    match person.role {
        Role::Physician if opened => "an emergency: the glass was broken",
        Role::Physician => "treatment of an own patient",
        Role::Coordinator | Role::Manager | Role::It | Role::Auditor => "coordination of the referral",
    }
}

impl Operations {
    /// # Errors
    /// When it cannot be read, or the journal does not take the look.
    pub fn referrals(&self, person: &Person, which: &Which) -> Result<Page<RoleView>, PhiAccessError> {
        let (seen, next) = self.scan(person, which, None, |_| true)?;
        let look = self.look_at(person, "a list of referrals", seen.iter().map(|(referral, _)| referral.id))?;
        let items = seen.iter().map(|(referral, ended)| RoleView::of(referral, *ended, look.as_ref())).collect();
        Ok(Page { items, next })
    }

    /// Those in flight that have had no appointment for two weeks.
    ///
    /// # Errors
    /// When it cannot be read, or the journal does not take the look.
    pub fn stalled(&self, person: &Person, which: &Which) -> Result<Page<RoleView>, PhiAccessError> {
        let (seen, next) = self.scan(person, which, Some(false), is_stalled)?;
        let look = self.look_at(person, "stalled referrals", seen.iter().map(|(referral, _)| referral.id))?;
        let items = seen.iter().map(|(referral, ended)| RoleView::of(referral, *ended, look.as_ref())).collect();
        Ok(Page { items, next })
    }

    /// # Errors
    /// When there is none for them, or the journal does not take the look.
    pub fn referral(&self, person: &Person, id: ReferralId) -> Result<RoleView, PhiAccessError> {
        let (referral, look) = self.one(person, id, "a referral")?;
        Ok(RoleView::of(&referral, self.pipeline.deployments.ended(&referral), look.as_ref()))
    }

    /// # Errors
    /// When there is none for them, or the journal does not take the look.
    pub fn history(&self, person: &Person, id: ReferralId) -> Result<Vec<MessageView>, PhiAccessError> {
        let (_, look) = self.one(person, id, "a referral's timeline")?;
        let mut told = Vec::new();
        for position in self.pipeline.store.index().history(&id)? {
            if let Some(entry) = self.pipeline.store.read(position)? {
                let moments = crate::reports::timeline::told(&entry, id);
                told.extend(moments.into_iter().map(|moment| MessageView::of(moment, look.as_ref())));
            }
        }
        Ok(told)
    }

    /// Opens somebody else's referral to a physician, for an hour.
    ///
    /// # Errors
    /// When there is none, the reason is none, or the journal does not take it.
    pub fn break_glass(&self, person: &Person, id: ReferralId, why: &str) -> Result<OpenedReferral, PhiAccessError> {
        let why = why.trim();
        if !(REASON_CHARS_MIN..=REASON_CHARS_MAX).contains(&why.chars().count()) {
            return Err(PhiAccessError::Reason);
        }
        self.pipeline.store.index().referral(&id)?.ok_or(PhiAccessError::NoSuchReferral)?;
        let until = self.pipeline.clock.now() + GLASS_OPEN_FOR;
        self.commit(Record::BrokeGlass { referral: id, who: person.name.clone(), until, why: why.into() })?;
        tracing::warn!(who = person.name, referral = %id, "a physician opened somebody else's referral in an emergency");
        Ok(OpenedReferral { referral: id, until })
    }

    /// A referral that there is for this person. Nothing of it is shown by that.
    pub(crate) fn visible(&self, person: &Person, id: ReferralId) -> Result<Arc<Referral>, PhiAccessError> {
        self.seen_by(person, id).map(|(referral, _, _)| referral)
    }

    /// And how they may see it; whether that is because they broke the glass before it.
    fn seen_by(&self, person: &Person, id: ReferralId) -> Result<(Arc<Referral>, Visibility, bool), PhiAccessError> {
        let referral = self.pipeline.store.index().referral(&id)?.ok_or(PhiAccessError::NoSuchReferral)?;
        let opened = person.role == Role::Physician && !is_own(person, &referral) && self.is_open(person, id)?;
        let visibility = Visibility::of(person, &referral, opened).ok_or(PhiAccessError::NoSuchReferral)?;
        Ok((referral, visibility, opened))
    }

    pub(crate) fn one(
        &self,
        person: &Person,
        id: ReferralId,
        what: &str,
    ) -> Result<(Arc<Referral>, Option<PhiAccess<'_>>), PhiAccessError> {
        let (referral, visibility, opened) = self.seen_by(person, id)?;
        let look = match visibility {
            Visibility::Clear => Some(self.look(person, what, purpose(person, opened), vec![id])?),
            Visibility::Tokens => None,
        };
        Ok((referral, look))
    }

    /// Whether the glass before it is broken: the journal says so.
    fn is_open(&self, person: &Person, id: ReferralId) -> Result<bool, PhiAccessError> {
        let now = self.pipeline.clock.now();
        for position in self.pipeline.store.index().history(&id)?.into_iter().rev() {
            let Some(entry) = self.pipeline.store.read(position)? else { continue };
            let broke = |record: &Record| {
                matches!(record, Record::BrokeGlass { referral, who, until, .. }
                    if *referral == id && *who == person.name && now < *until)
            };
            if entry.records.iter().any(broke) {
                return Ok(true);
            }
            if entry.at + GLASS_OPEN_FOR < now {
                return Ok(false);
            }
        }
        Ok(false)
    }

    /// The look that a list in clear needs; none where there is nothing on it, or only tokens.
    pub(crate) fn look_at(
        &self,
        person: &Person,
        what: &str,
        referrals: impl Iterator<Item = ReferralId>,
    ) -> Result<Option<PhiAccess<'_>>, PhiAccessError> {
        let mut referrals: Vec<ReferralId> = referrals.collect();
        referrals.dedup();
        match person.role {
            Role::Coordinator | Role::Physician if !referrals.is_empty() => {
                Ok(Some(self.look(person, what, purpose(person, false), referrals)?))
            }
            Role::Coordinator | Role::Physician | Role::Manager | Role::It | Role::Auditor => Ok(None),
        }
    }

    /// Those in flight that are wanted, for this person: no more than a page.
    pub(crate) fn in_flight(
        &self,
        person: &Person,
        which: &Which,
        wanted: impl Fn(&Referral) -> bool,
    ) -> Result<Vec<Arc<Referral>>, PhiAccessError> {
        let (seen, _) = self.scan(person, which, Some(false), wanted)?;
        Ok(seen.into_iter().map(|(referral, _)| referral).collect())
    }

    /// Referrals for this person, and whether they have ended: no more than a page, and no more work than is due to one.
    #[expect(clippy::type_complexity, reason = "a page before it has its view")]
    fn scan(
        &self,
        person: &Person,
        which: &Which,
        ended: Option<bool>,
        wanted: impl Fn(&Referral) -> bool,
    ) -> Result<(Vec<(Arc<Referral>, bool)>, Option<ReferralId>), PhiAccessError> {
        let Which { state, specialist, since, after, limit } = which.clone();
        let filter = ReferralFilter { state, specialist, ended, deployment: None };
        let limit = limit.clamp(1, PAGE_ROWS_MAX);
        let mut after = after.max(since.map(ReferralId::before));
        let (mut seen, mut scanned) = (Vec::new(), 0);
        loop {
            let page = self.pipeline.store.index().referrals(&filter, after, STRIDE)?;
            if page.is_empty() {
                return Ok((seen, None));
            }
            for Listed { id, ended, .. } in page {
                if seen.len() >= limit || scanned >= SCANNED_MAX {
                    return Ok((seen, after));
                }
                (after, scanned) = (Some(id), scanned + 1);
                let Some(referral) = self.pipeline.store.index().referral(&id)? else { continue };
                if Visibility::of(person, &referral, false).is_some() && wanted(&referral) {
                    seen.push((referral, ended));
                }
            }
        }
    }
}
