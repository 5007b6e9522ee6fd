//! `/api/referrals` and `/api/worklists/stalled`: referrals as each role sees them.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use chrono::{DateTime, Utc};
use handoff_engine::ids::ReferralId;
use handoff_operations::referrals::{OpenedReferral, PAGE_ROWS_MAX, Page, Which};
use handoff_operations::views::{MessageView, RoleView};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use super::Api;
use super::access::Caller;
use super::extract::{Asked, Body, Named};
use super::problem::{HttpProblem, ProblemKind};

/// Which referrals; all that are given must hold.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Filter {
    /// The state's name in the workflow.
    state: Option<String>,
    /// The specialist's id.
    specialist: Option<String>,
    /// Taken in at this moment or later (RFC 3339).
    #[param(value_type = Option<String>, format = DateTime)]
    since: Option<DateTime<Utc>>,
    /// No more than so many.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<usize>,
    /// What the page before gave as `next`.
    #[param(value_type = Option<String>)]
    cursor: Option<ReferralId>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Emergency {
    /// What the emergency is, in a sentence that does not name the patient. An auditor reads it.
    #[schema(min_length = 20, max_length = 500)]
    reason: String,
}

impl Filter {
    fn which(self) -> Which {
        let Filter { state, specialist, since, limit, cursor } = self;
        Which { state, specialist, since, after: cursor, limit: limit.unwrap_or(PAGE_ROWS_MAX) }
    }
}

fn id(named: &str) -> Result<ReferralId, HttpProblem> {
    named.parse().map_err(|_| HttpProblem::told(ProblemKind::NotFound, "there is no such referral"))
}

/// Referrals, oldest first.
#[utoipa::path(
    get, path = "/api/referrals", tag = "referrals", params(Filter),
    responses((status = 200, body = Page<RoleView>), HttpProblem)
)]
pub(super) async fn list(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Asked(filter): Asked<Filter>,
) -> Result<Json<Page<RoleView>>, HttpProblem> {
    api.work(move |api| Ok(Json(api.operations.referrals(&caller.person, &filter.which())?))).await
}

/// One referral.
#[utoipa::path(
    get, path = "/api/referrals/{id}", tag = "referrals", params(("id" = String, Path)),
    responses((status = 200, body = RoleView), HttpProblem)
)]
pub(super) async fn one(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Named(named): Named,
) -> Result<Json<RoleView>, HttpProblem> {
    let id = id(&named)?;
    api.work(move |api| Ok(Json(api.operations.referral(&caller.person, id)?))).await
}

/// What has happened to one.
#[utoipa::path(
    get, path = "/api/referrals/{id}/timeline", tag = "referrals", params(("id" = String, Path)),
    responses((status = 200, body = [MessageView]), HttpProblem)
)]
pub(super) async fn timeline(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Named(named): Named,
) -> Result<Json<Vec<MessageView>>, HttpProblem> {
    let id = id(&named)?;
    api.work(move |api| Ok(Json(api.operations.history(&caller.person, id)?))).await
}

/// Open somebody else's referral in an emergency.
#[utoipa::path(
    post, path = "/api/referrals/{id}/glass", tag = "referrals", request_body = Emergency,
    params(("id" = String, Path), ("X-CSRF-Token" = String, Header)),
    responses((status = 201, body = OpenedReferral, description = "Open for an hour; the journal has it"), HttpProblem)
)]
pub(super) async fn break_glass(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Named(named): Named,
    Body(Emergency { reason }): Body<Emergency>,
) -> Result<(StatusCode, Json<OpenedReferral>), HttpProblem> {
    let id = id(&named)?;
    let opened = api.work(move |api| Ok(api.operations.break_glass(&caller.person, id, &reason)?)).await?;
    Ok((StatusCode::CREATED, Json(opened)))
}

/// Referrals in flight that have had no appointment for two weeks.
#[utoipa::path(
    get, path = "/api/worklists/stalled", tag = "worklists", params(Filter),
    responses((status = 200, body = Page<RoleView>), HttpProblem)
)]
pub(super) async fn stalled(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Asked(filter): Asked<Filter>,
) -> Result<Json<Page<RoleView>>, HttpProblem> {
    api.work(move |api| Ok(Json(api.operations.stalled(&caller.person, &filter.which())?))).await
}
