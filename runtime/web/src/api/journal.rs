//! `/api/journal`, `/api/looks` and `/api/disclosures`: what was done, who looked at whom, what left Handoff. Tokens only.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use chrono::{DateTime, Utc};
use handoff_engine::ids::{ReferralId, Token};
use handoff_operations::reports::audit::Found;
use handoff_operations::reports::disclosures::{self, DisclosureOutcome};
use handoff_store::Position;
use handoff_store::index::{self, Kind};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::Api;
use super::extract::{Asked, Named};
use super::problem::{HttpProblem, ProblemKind, failed};

/// A screen's worth.
const PAGE_ROWS_MAX: usize = 200;

/// What an auditor looks for; all that are given must hold.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Criteria {
    #[param(value_type = Option<String>)]
    referral: Option<ReferralId>,
    /// A token, as entries hold them.
    token: Option<String>,
    /// The id of the specialist that referrals are with now.
    specialist: Option<String>,
    /// From this moment on (RFC 3339).
    #[param(value_type = Option<String>, format = DateTime)]
    from: Option<DateTime<Utc>>,
    /// Before this moment (RFC 3339).
    #[param(value_type = Option<String>, format = DateTime)]
    until: Option<DateTime<Utc>>,
    /// A record's type, or an event's: `signed-in`, `event.reply`.
    #[serde(rename = "type")]
    kind: Option<String>,
    /// What the page before gave as `next`.
    after: Option<u64>,
    /// No more than so many.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<usize>,
}

/// Which looks.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Looks {
    #[param(value_type = Option<String>)]
    referral: Option<ReferralId>,
    #[param(value_type = Option<String>, format = DateTime)]
    from: Option<DateTime<Utc>>,
    #[param(value_type = Option<String>, format = DateTime)]
    until: Option<DateTime<Utc>>,
    after: Option<u64>,
    #[param(minimum = 1, maximum = 200)]
    limit: Option<usize>,
}

/// Some entries, oldest first.
#[derive(Serialize, ToSchema)]
pub(super) struct Entries {
    items: Vec<Found>,
    /// Absent at the end.
    next: Option<u64>,
}

/// One request that carried data of a patient.
#[derive(Serialize, ToSchema)]
pub(super) struct Disclosed {
    #[schema(value_type = String, format = DateTime)]
    at: DateTime<Utc>,
    #[schema(value_type = String)]
    referral: ReferralId,
    /// The endpoint as the configuration names it.
    to: String,
    agreement: Option<String>,
    why: &'static str,
    /// The tokens in it.
    what: Vec<String>,
    /// Whether an answer is on record; without one it may have arrived, and counts.
    answered: bool,
}

fn rows(limit: Option<usize>) -> usize {
    limit.unwrap_or(PAGE_ROWS_MAX).clamp(1, PAGE_ROWS_MAX)
}

/// Which entries speak of something.
#[utoipa::path(
    get, path = "/api/journal", tag = "audit", params(Criteria), responses((status = 200, body = Entries), HttpProblem)
)]
pub(super) async fn search(
    State(api): State<Arc<Api>>,
    Asked(criteria): Asked<Criteria>,
) -> Result<Json<Entries>, HttpProblem> {
    let Criteria { referral, token, specialist, from, until, kind, after, limit } = criteria;
    let unknown = |_| HttpProblem::told(ProblemKind::Unreadable, "there is no such type of record");
    let kind: Option<Kind> = kind.map(|kind| kind.parse()).transpose().map_err(unknown)?;
    let (token, limit, after) = (token.map(Token), rows(limit), Position(after.unwrap_or_default()));
    let search = index::Search { referral, token, specialist, from, until, kind, after, limit };
    api.work(move |api| {
        let found = api.operations.pipeline.store.index().search(&search).map_err(|error| failed(&error))?;
        api.read(found, limit).map(Json)
    })
    .await
}

/// Who looked at patient data, when and why; broken glass among them.
#[utoipa::path(
    get, path = "/api/looks", tag = "audit", params(Looks), responses((status = 200, body = Entries), HttpProblem)
)]
pub(super) async fn looks(
    State(api): State<Arc<Api>>,
    Asked(looks): Asked<Looks>,
) -> Result<Json<Entries>, HttpProblem> {
    let Looks { referral, from, until, after, limit } = looks;
    let (limit, after) = (rows(limit), Position(after.unwrap_or_default()));
    api.work(move |api| {
        let mut found = BTreeSet::new();
        for kind in [Kind::Looked, Kind::BrokeGlass] {
            let search =
                index::Search { referral, from, until, kind: Some(kind), after, limit, ..index::Search::default() };
            found.extend(api.operations.pipeline.store.index().search(&search).map_err(|error| failed(&error))?);
        }
        api.read(found.into_iter().take(limit).collect(), limit).map(Json)
    })
    .await
}

/// What of a referral's patient left Handoff (45 CFR 164.528).
#[utoipa::path(
    get, path = "/api/disclosures/{referral}", tag = "audit", params(("referral" = String, Path)),
    responses((status = 200, body = [Disclosed]), HttpProblem)
)]
pub(super) async fn disclosures(
    State(api): State<Arc<Api>>,
    Named(referral): Named,
) -> Result<Json<Vec<Disclosed>>, HttpProblem> {
    let none = || HttpProblem::told(ProblemKind::NotFound, "there is no such referral");
    let id: ReferralId = referral.parse().map_err(|_| none())?;
    api.work(move |api| {
        let store = &api.operations.pipeline.store;
        let referral = store.index().referral(&id).map_err(|error| failed(&error))?.ok_or_else(none)?;
        let told = disclosures::of(store.index(), store.reader(), &referral.facts.patient.id);
        let told = told.map_err(super::refused)?.into_iter().map(|it| Disclosed {
            at: it.at,
            referral: it.referral,
            to: it.to,
            agreement: it.agreement,
            why: it.why,
            what: it.what,
            answered: it.outcome == DisclosureOutcome::Answered,
        });
        Ok(Json(told.collect()))
    })
    .await
}

impl Api {
    fn read(&self, found: Vec<Position>, limit: usize) -> Result<Entries, HttpProblem> {
        let next = found.last().filter(|_| found.len() >= limit).map(|position| position.0);
        let mut items = Vec::with_capacity(found.len());
        for position in found {
            if let Some(entry) = self.operations.pipeline.store.read(position).map_err(|error| failed(&error))? {
                items.push(Found::of(position, &entry));
            }
        }
        Ok(Entries { items, next })
    }
}
