//! `/api/people`: accounts, for whoever runs the machine. No patient is in any of it.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use handoff_identity::account::AccountSummary;
use handoff_identity::password::Password;
use handoff_identity::role::Role;
use handoff_operations::accounts::{Add, List, Lock, Remove, Reset, Unlock, Welcome};
use handoff_operations::operations::{Operator, Request};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use zeroize::Zeroizing;

use super::access::Caller;
use super::extract::{Body, Named, Reason, reason};
use super::problem::HttpProblem;
use super::{Api, refused};

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Newcomer {
    #[schema(max_length = 64, pattern = "^[a-z][a-z0-9._@-]*$")]
    name: String,
    role: Role,
    /// The number by which referrals name a physician; for no other role.
    provider: Option<String>,
    /// Whether an authenticator app is enrolled.
    #[serde(default)]
    second_factor: bool,
    #[schema(min_length = 1, max_length = 500)]
    why: String,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Anew {
    #[serde(default)]
    second_factor: bool,
    #[schema(min_length = 1, max_length = 500)]
    why: String,
}

/// What the person has to be told, now: it is not shown again.
#[derive(Serialize, ToSchema)]
pub(super) struct Credentials {
    /// Good for the first sign-in, at which another is chosen.
    #[schema(value_type = Option<String>, format = Password)]
    password: Option<Password>,
    /// A URL that an authenticator app reads.
    #[schema(value_type = Option<String>)]
    second_factor: Option<Zeroizing<String>>,
}

impl From<Welcome> for Credentials {
    fn from(welcome: Welcome) -> Credentials {
        let Welcome { password, second_factor } = welcome;
        Credentials { password, second_factor }
    }
}

impl Api {
    pub(crate) async fn carry<R: Request>(
        self: &Arc<Self>,
        caller: Caller,
        why: String,
        request: R,
    ) -> Result<R::Answer, HttpProblem> {
        let why = reason(why)?;
        let _turn = self.passwords.acquire().await;
        self.work(move |api| {
            let (who, role) = (caller.person.name, Some(caller.person.role.name().into()));
            request.perform(&api.operations, Operator { who, role, why }).map_err(refused)
        })
        .await
    }
}

/// Who has an account.
#[utoipa::path(get, path = "/api/people", tag = "people", responses((status = 200, body = [AccountSummary]), HttpProblem))]
pub(super) async fn list(
    State(api): State<Arc<Api>>,
    caller: Caller,
) -> Result<Json<Vec<AccountSummary>>, HttpProblem> {
    api.carry(caller, "to see who has an account".into(), List {}).await.map(Json)
}

/// Make an account.
#[utoipa::path(
    post, path = "/api/people", tag = "people", request_body = Newcomer, params(("X-CSRF-Token" = String, Header)),
    responses((status = 201, body = Credentials), HttpProblem)
)]
pub(super) async fn add(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Body(newcomer): Body<Newcomer>,
) -> Result<(StatusCode, Json<Credentials>), HttpProblem> {
    let Newcomer { name, role, provider, second_factor, why } = newcomer;
    let welcome = api.carry(caller, why, Add { name, role, provider, password: None, second_factor }).await?;
    Ok((StatusCode::CREATED, Json(welcome.into())))
}

/// Give somebody another one-time password, and another second factor or none.
#[utoipa::path(
    post, path = "/api/people/{name}/reset", tag = "people", request_body = Anew,
    params(("name" = String, Path), ("X-CSRF-Token" = String, Header)),
    responses((status = 200, body = Credentials), HttpProblem)
)]
pub(super) async fn reset(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Named(name): Named,
    Body(Anew { second_factor, why }): Body<Anew>,
) -> Result<Json<Credentials>, HttpProblem> {
    api.carry(caller, why, Reset { name, password: None, second_factor }).await.map(|welcome| Json(welcome.into()))
}

/// Let somebody in no more.
#[utoipa::path(
    post, path = "/api/people/{name}/lock", tag = "people", request_body = Reason,
    params(("name" = String, Path), ("X-CSRF-Token" = String, Header)),
    responses((status = 204, description = "Locked, and signed out"), HttpProblem)
)]
pub(super) async fn lock(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Named(name): Named,
    Body(reason): Body<Reason>,
) -> Result<StatusCode, HttpProblem> {
    api.carry(caller, reason.read()?, Lock { name }).await.map(|()| StatusCode::NO_CONTENT)
}

/// Let somebody in again.
#[utoipa::path(
    post, path = "/api/people/{name}/unlock", tag = "people", request_body = Reason,
    params(("name" = String, Path), ("X-CSRF-Token" = String, Header)),
    responses((status = 204, description = "Let in again"), HttpProblem)
)]
pub(super) async fn unlock(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Named(name): Named,
    Body(reason): Body<Reason>,
) -> Result<StatusCode, HttpProblem> {
    api.carry(caller, reason.read()?, Unlock { name }).await.map(|()| StatusCode::NO_CONTENT)
}

/// Take an account away.
#[utoipa::path(
    post, path = "/api/people/{name}/remove", tag = "people", request_body = Reason,
    params(("name" = String, Path), ("X-CSRF-Token" = String, Header)),
    responses((status = 204, description = "Gone, and signed out"), HttpProblem)
)]
pub(super) async fn remove(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Named(name): Named,
    Body(reason): Body<Reason>,
) -> Result<StatusCode, HttpProblem> {
    api.carry(caller, reason.read()?, Remove { name }).await.map(|()| StatusCode::NO_CONTENT)
}
