//! `/api/session/oidc`: signing in with the practice's own directory.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::header::{ACCEPT, LOCATION, SET_COOKIE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{AppendHeaders, IntoResponse, Response};
use handoff_identity::oidc::{Oidc, OidcError};
use handoff_store::{Record, SignInFault};
use serde::Deserialize;
use utoipa::IntoParams;

use super::Api;
use super::access::cookie;
use super::extract::{Asked, Whence};
use super::problem::{HttpProblem, ProblemKind};
use super::session::{Session, cookie_of};
use crate::pages;

/// Says that this browser was sent there from here. The way back is another site's doing, so that it must come along then:
/// Lax, not Strict.
const STATE_COOKIE: &str = "__Host-handoff-oidc";
const STATE_ATTRIBUTES: &str = "Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=600";

/// What the directory sends back; it may send more.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Back {
    code: Option<String>,
    state: Option<String>,
}

fn directory(api: &Api) -> Result<&Oidc, HttpProblem> {
    api.oidc.as_ref().ok_or(HttpProblem::told(ProblemKind::NotFound, "people sign in here by name and password"))
}

/// Go to the practice's directory and sign in there.
#[utoipa::path(
    get, path = "/api/session/oidc", tag = "session", security(()),
    responses((status = 303, description = "To the directory; it sends the browser back"), HttpProblem)
)]
pub(super) async fn begin(State(api): State<Arc<Api>>) -> Result<impl IntoResponse, HttpProblem> {
    let begun = directory(&api)?.begin(api.operations.pipeline.clock.now()).await.map_err(problem)?;
    let kept = sensitive(format!("{STATE_COOKIE}={}; {STATE_ATTRIBUTES}", *begun.state))?;
    let there = HeaderValue::try_from(begun.url).map_err(|_| HttpProblem::of(ProblemKind::Failed))?;
    Ok((StatusCode::SEE_OTHER, AppendHeaders([(SET_COOKIE, kept), (LOCATION, there)])))
}

/// Where the directory sends the browser back to.
#[utoipa::path(
    get, path = "/api/session/oidc/callback", tag = "session", security(()), params(Back),
    responses((status = 200, body = Session, description = "Signed in; the cookie is the session"), HttpProblem)
)]
pub(super) async fn finish(
    State(api): State<Arc<Api>>,
    Whence(from): Whence,
    headers: HeaderMap,
    Asked(Back { code, state }): Asked<Back>,
) -> Result<Response, HttpProblem> {
    let now = api.operations.pipeline.clock.now();
    let kept = cookie(&headers, STATE_COOKIE).unwrap_or_default();
    let finished = match (&code, &state) {
        (Some(code), Some(state)) if !kept.is_empty() => directory(&api)?.finish(code, state, kept, now).await,
        _ => directory(&api).map(|_| Err(OidcError::UnknownState))?,
    };
    let (session, cookie) = api
        .work(move |api| {
            let admitted = finished.and_then(|vouched| {
                let people = &api.operations.people;
                vouched.admitted(|role| people.takes_two_factors(role))
            });
            let (person, second_factor) = match admitted {
                Ok(admitted) => admitted,
                Err(error) => {
                    let because = match error {
                        OidcError::NoRole | OidcError::NoProvider => SignInFault::NoRole,
                        OidcError::OneFactor => SignInFault::OneFactor,
                        OidcError::UnknownState | OidcError::Untrusted(_) | OidcError::Unreachable(_) => {
                            SignInFault::Untrusted
                        }
                    };
                    let refused = Record::SignInRefused { person: None, because, from };
                    api.operations.commit(refused).map_err(|_| HttpProblem::of(ProblemKind::Unjournaled))?;
                    return Err(problem(error));
                }
            };
            let signed_in = Record::SignedIn { person: person.name.clone(), from, second_factor };
            api.operations.commit(signed_in).map_err(|_| HttpProblem::of(ProblemKind::Unjournaled))?;
            let token = api.sessions.begin_by_directory(&person, now);
            Ok((Session::of(&person, &token), cookie_of(&token)))
        })
        .await?;
    let gone = HeaderValue::from_static("__Host-handoff-oidc=; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=0");
    let cookies = AppendHeaders([(SET_COOKIE, sensitive(cookie)?), (SET_COOKIE, gone)]);
    match reads_pages(&headers) {
        true => Ok((cookies, pages::sign_in::welcome(session.role)?).into_response()),
        false => Ok((cookies, Json(session)).into_response()),
    }
}

fn reads_pages(headers: &HeaderMap) -> bool {
    headers.get(ACCEPT).and_then(|it| it.to_str().ok()).is_some_and(|it| it.contains("text/html"))
}

fn sensitive(cookie: String) -> Result<HeaderValue, HttpProblem> {
    let mut value = HeaderValue::try_from(cookie).map_err(|_| HttpProblem::of(ProblemKind::Failed))?;
    value.set_sensitive(true);
    Ok(value)
}

fn problem(error: OidcError) -> HttpProblem {
    let chain = handoff_engine::error_chain::Chain(&error).to_string();
    tracing::warn!(error = chain, "nobody was let in by the directory");
    match error {
        OidcError::Unreachable(_) => HttpProblem::of(ProblemKind::DirectorySilent),
        OidcError::NoRole | OidcError::NoProvider | OidcError::OneFactor => {
            HttpProblem::told(ProblemKind::NotYours, &error.to_string())
        }
        OidcError::UnknownState => HttpProblem::told(ProblemKind::Refused, &error.to_string()),
        OidcError::Untrusted(_) => HttpProblem::told(ProblemKind::Refused, "the directory's answer cannot be trusted"),
    }
}
