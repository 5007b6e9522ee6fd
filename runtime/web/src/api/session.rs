//! `/api/session`: signing in, who is signed in, signing out.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::header::SET_COOKIE;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{AppendHeaders, IntoResponse};
use handoff_identity::password::Password;
use handoff_identity::person::Person;
use handoff_identity::role::Role;
use handoff_identity::session::{IDLE_MAX, SessionToken};
use handoff_identity::sign_in::SignInAttempt;
use handoff_store::Record;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Api;
use super::access::{COOKIE_NAME, Caller};
use super::extract::{Body, Whence};
use super::problem::{HttpProblem, ProblemKind};

/// Only over TLS, only to this host, hidden from scripts, and from requests that other sites' pages cause. It ends with the
/// browser, or with the session.
pub(crate) const COOKIE_ATTRIBUTES: &str = "Path=/; Secure; HttpOnly; SameSite=Strict";

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SignIn {
    name: String,
    #[schema(value_type = String, format = Password)]
    password: Password,
    /// Six digits, where an authenticator app is enrolled.
    code: Option<String>,
    /// In the place of a password that was good for once, or of any other.
    #[schema(value_type = Option<String>, format = Password)]
    new_password: Option<Password>,
}

#[derive(Serialize, ToSchema)]
pub(super) struct Session {
    name: String,
    pub role: Role,
    /// For the header `X-CSRF-Token` of every request that changes something.
    csrf: String,
    /// So long without a request, and the session ends.
    idle_minutes: i64,
}

/// What a browser keeps of a session.
pub(crate) fn cookie_of(token: &SessionToken) -> String {
    format!("{COOKIE_NAME}={}; {COOKIE_ATTRIBUTES}", *token.as_text())
}

/// What makes a browser forget it.
pub(crate) fn gone() -> String {
    format!("{COOKIE_NAME}=; Max-Age=0; {COOKIE_ATTRIBUTES}")
}

impl Session {
    pub(super) fn of(person: &Person, token: &SessionToken) -> Session {
        let (name, role, csrf) = (person.name.clone(), person.role, token.csrf());
        Session { name, role, csrf, idle_minutes: IDLE_MAX.num_minutes() }
    }
}

/// Sign in.
#[utoipa::path(
    post, path = "/api/session", tag = "session", request_body = SignIn, security(()),
    responses((status = 200, body = Session, description = "Signed in; the cookie is the session"), HttpProblem)
)]
pub(super) async fn sign_in(
    State(api): State<Arc<Api>>,
    Whence(from): Whence,
    Body(SignIn { name, password, code, new_password }): Body<SignIn>,
) -> Result<impl IntoResponse, HttpProblem> {
    let _turn = api.passwords.acquire().await.map_err(|_| HttpProblem::of(ProblemKind::Failed))?;
    let (session, cookie) = api
        .work(move |api| {
            let now = api.operations.pipeline.clock.now();
            let (password, code) = (&password, code.as_deref());
            let attempt = SignInAttempt { name: &name, password, code, new_password, from: &from, now };
            let admitted = api.operations.people.sign_in(attempt, &|record: Record| api.operations.commit(record))?;
            let token = api.sessions.begin(&admitted, now);
            Ok((Session::of(&admitted.person, &token), cookie_of(&token)))
        })
        .await?;
    let mut cookie = HeaderValue::try_from(cookie).map_err(|_| HttpProblem::of(ProblemKind::Failed))?;
    cookie.set_sensitive(true);
    Ok((AppendHeaders([(SET_COOKIE, cookie)]), Json(session)))
}

/// Who is signed in.
#[utoipa::path(
    get, path = "/api/session", tag = "session", responses((status = 200, body = Session), HttpProblem)
)]
pub(super) async fn who(caller: Caller) -> Json<Session> {
    Json(Session::of(&caller.person, &caller.token))
}

/// Sign out.
#[utoipa::path(
    delete, path = "/api/session", tag = "session", params(("X-CSRF-Token" = String, Header)),
    responses((status = 204, description = "Signed out"), HttpProblem)
)]
pub(super) async fn sign_out(State(api): State<Arc<Api>>, caller: Caller) -> Result<impl IntoResponse, HttpProblem> {
    api.work(move |api| {
        // Whatever the journal says: nobody is kept signed in who wants out.
        api.sessions.end(&caller.token);
        let person = caller.person.name;
        api.operations.commit(Record::SignedOut { person }).map_err(|_| HttpProblem::of(ProblemKind::Unjournaled))
    })
    .await?;
    Ok((StatusCode::NO_CONTENT, AppendHeaders([(SET_COOKIE, gone())])))
}
