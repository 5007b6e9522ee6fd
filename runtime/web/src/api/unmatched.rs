//! `/api/unmatched`: what was taken and surely means no referral.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use chrono::{DateTime, Utc};
use handoff_engine::ids::ReferralId;
use handoff_operations::dead_letters::Shown;
use handoff_operations::unmatched::{Assign, DismissUnmatched, ShowUnmatched};
use handoff_store::Position;
use handoff_store::index::{PAGE_MAX, UnmatchedItem};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Api;
use super::access::Caller;
use super::dead_letters::{After, Bytes};
use super::extract::{Asked, Body, Named, Reason};
use super::problem::{HttpProblem, ProblemKind, failed};

/// A message that waits for its referral.
#[derive(Serialize, ToSchema)]
pub(super) struct Waiting {
    item: String,
    /// Its place in the journal; a list goes on `after` it.
    position: u64,
    #[schema(value_type = String, format = DateTime)]
    at: DateTime<Utc>,
    source: String,
    kind: String,
    why: String,
    /// Referrals that it may mean.
    #[schema(value_type = Vec<String>)]
    candidates: Vec<ReferralId>,
}

/// Which referral is meant, and why it is thought so.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Assignment {
    referral: String,
    /// Journaled: it must name no patient.
    why: String,
}

impl From<UnmatchedItem> for Waiting {
    fn from(item: UnmatchedItem) -> Waiting {
        let UnmatchedItem { item, position: Position(position), at, source, kind, why, candidates } = item;
        Waiting { item, position, at, source, kind, why, candidates }
    }
}

/// Messages that wait for their referral, oldest first, some 10,000 at a time.
#[utoipa::path(
    get, path = "/api/unmatched", tag = "unmatched", params(After),
    responses((status = 200, body = [Waiting]), HttpProblem)
)]
pub(super) async fn list(
    State(api): State<Arc<Api>>,
    Asked(after): Asked<After>,
) -> Result<Json<Vec<Waiting>>, HttpProblem> {
    api.work(move |api| {
        let after = Position(after.after.unwrap_or_default());
        let items = api.operations.pipeline.store.index().unmatched(after, PAGE_MAX).map_err(|error| failed(&error))?;
        Ok(Json(items.into_iter().map(Waiting::from).collect()))
    })
    .await
}

/// The message itself, in clear.
#[utoipa::path(
    get, path = "/api/unmatched/{item}", tag = "unmatched", params(("item" = String, Path)),
    responses((status = 200, body = Bytes), HttpProblem)
)]
pub(super) async fn show(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Named(item): Named,
) -> Result<Json<Bytes>, HttpProblem> {
    let Shown { base64 } =
        api.carry(caller, "to find out which referral it means".into(), ShowUnmatched { item }).await?;
    Ok(Json(Bytes { base64 }))
}

/// Say which referral a message means; it is applied there.
#[utoipa::path(
    post, path = "/api/unmatched/{item}/assign", tag = "unmatched", request_body = Assignment,
    params(("item" = String, Path), ("X-CSRF-Token" = String, Header)),
    responses((status = 204, description = "It was applied"), HttpProblem)
)]
pub(super) async fn assign(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Named(item): Named,
    Body(Assignment { referral, why }): Body<Assignment>,
) -> Result<StatusCode, HttpProblem> {
    let referral = referral.parse().map_err(|_| HttpProblem::of(ProblemKind::NotFound))?;
    api.carry(caller, why, Assign { item, referral }).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Lay a message aside.
#[utoipa::path(
    post, path = "/api/unmatched/{item}/dismiss", tag = "unmatched", request_body = Reason,
    params(("item" = String, Path), ("X-CSRF-Token" = String, Header)),
    responses((status = 204, description = "Nothing more is to be done about it"), HttpProblem)
)]
pub(super) async fn dismiss(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Named(item): Named,
    Body(reason): Body<Reason>,
) -> Result<StatusCode, HttpProblem> {
    api.carry(caller, reason.read()?, DismissUnmatched { item }).await?;
    Ok(StatusCode::NO_CONTENT)
}
