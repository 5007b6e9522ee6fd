//! What went wrong, for programs and people (RFC 9457). It quotes nothing that came in: who knows what somebody typed.

use std::time::Duration;

use axum::Json;
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use handoff_identity::accounts::AccountsError;
use handoff_identity::sign_in::SignInError;
use handoff_operations::referrals::PhiAccessError;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa::openapi::{ContentBuilder, Ref, RefOr, ResponseBuilder};

const MEDIA_TYPE: &str = "application/problem+json";

/// Every way in which a request can fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wrong {
    Unreadable,
    NotSignedIn,
    Refused,
    CodeNeeded,
    ChoiceNeeded,
    NotYours,
    OtherOrigin,
    NoCsrfToken,
    NotFound,
    NotAllowed,
    TooSlow,
    TooFast,
    Conflict,
    TooLong,
    NotJson,
    Unfit,
    Failed,
    Unjournaled,
    DirectorySilent,
}

/// An answer that is none.
#[derive(Debug, Serialize, ToSchema)]
pub struct Problem {
    /// A URN that stays the same for the same kind of problem.
    #[serde(rename = "type")]
    pub kind: String,
    pub title: String,
    pub status: u16,
    pub detail: String,
    /// What to do about it.
    pub help: String,
}

impl Wrong {
    /// Name, status, title and help.
    #[allow(clippy::too_many_lines, reason = "a table: what is said of one problem stands in one place")]
    fn told(self) -> (&'static str, StatusCode, &'static str, &'static str) {
        match self {
            Wrong::Unreadable => (
                "unreadable",
                StatusCode::BAD_REQUEST,
                "The request cannot be read",
                "compare it with /api/openapi.json: names, types, and nothing else",
            ),
            Wrong::NotSignedIn => {
                ("not-signed-in", StatusCode::UNAUTHORIZED, "Nobody is signed in", "sign in with POST /api/session")
            }
            Wrong::Refused => (
                "sign-in-refused",
                StatusCode::UNAUTHORIZED,
                "Signing in failed",
                "try again; after repeated failures, ask whoever runs this instance to unlock the account",
            ),
            Wrong::CodeNeeded => (
                "code-needed",
                StatusCode::UNAUTHORIZED,
                "A code is needed as well",
                "send the six digits that the authenticator app shows as `code`",
            ),
            Wrong::ChoiceNeeded => (
                "password-choice-needed",
                StatusCode::FORBIDDEN,
                "The one-time password was already used",
                "sign in again, with another password beside it as `new_password`",
            ),
            Wrong::NotYours => (
                "not-allowed-to-you",
                StatusCode::FORBIDDEN,
                "Your role does not allow it",
                "ask somebody whose role does; whoever runs this instance gives roles",
            ),
            Wrong::OtherOrigin => (
                "other-origin",
                StatusCode::FORBIDDEN,
                "Another site's page sent it",
                "nothing was done; if it was this instance's own page, name its address as `public_url` under `api:`",
            ),
            Wrong::NoCsrfToken => (
                "no-csrf-token",
                StatusCode::FORBIDDEN,
                "The request does not prove that this instance's own page sent it",
                "send what GET /api/session gives as `csrf` in the header X-CSRF-Token",
            ),
            Wrong::NotFound => ("not-found", StatusCode::NOT_FOUND, "There is no such thing", "look at the list again"),
            Wrong::NotAllowed => (
                "method-not-allowed",
                StatusCode::METHOD_NOT_ALLOWED,
                "This cannot be done here",
                "see /api/openapi.json for what can",
            ),
            Wrong::TooSlow => {
                ("too-slow", StatusCode::REQUEST_TIMEOUT, "The body did not come in time", "send it again")
            }
            Wrong::TooFast => (
                "too-fast",
                StatusCode::TOO_MANY_REQUESTS,
                "Too many requests from this source",
                "wait as long as Retry-After says; `limits:` under `api:` in the configuration sets the pace",
            ),
            Wrong::Conflict => ("conflict", StatusCode::CONFLICT, "It does not fit what is", "look at it again"),
            Wrong::TooLong => {
                ("too-long", StatusCode::PAYLOAD_TOO_LARGE, "The body is too long", "no request here needs as much")
            }
            Wrong::NotJson => (
                "not-json",
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "The body is not JSON",
                "send it with Content-Type: application/json",
            ),
            Wrong::Unfit => {
                ("unfit", StatusCode::UNPROCESSABLE_ENTITY, "It cannot be taken as it is", "mend it and send it again")
            }
            Wrong::Failed => (
                "failed",
                StatusCode::INTERNAL_SERVER_ERROR,
                "Handoff failed at it",
                "its log has more; tell whoever runs this instance",
            ),
            Wrong::DirectorySilent => (
                "directory-silent",
                StatusCode::SERVICE_UNAVAILABLE,
                "The directory that people sign in with cannot be asked",
                "try again; an account of this instance can sign in meanwhile",
            ),
            Wrong::Unjournaled => (
                "unjournaled",
                StatusCode::SERVICE_UNAVAILABLE,
                "The journal did not take it",
                "nothing was done or shown; tell whoever runs this instance",
            ),
        }
    }
}

impl Problem {
    pub fn of(wrong: Wrong) -> Problem {
        let (name, status, title, help) = wrong.told();
        let detail = title.to_string();
        let kind = format!("urn:handoff:problem:{name}");
        Problem { kind, title: title.into(), status: status.as_u16(), detail, help: help.into() }
    }

    /// With an error's own words, and its own cure where it has one.
    pub fn told(wrong: Wrong, words: &str) -> Problem {
        let problem = Problem::of(wrong);
        match words.split_once("help:") {
            Some((detail, help)) => Problem { detail: one_line(detail), help: one_line(help), ..problem },
            None => Problem { detail: one_line(words), ..problem },
        }
    }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// RFC 6585, 4.
pub(super) fn too_fast(wait: Duration) -> Response {
    let mut response = Problem::of(Wrong::TooFast).into_response();
    response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(wait.as_secs() + 1));
    response
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (status, Json(self)).into_response();
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
        response
    }
}

impl utoipa::IntoResponses for Problem {
    fn responses() -> std::collections::BTreeMap<String, RefOr<utoipa::openapi::Response>> {
        let content = ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem"))).build();
        let response = ResponseBuilder::new().description("What went wrong").content(MEDIA_TYPE, content).build();
        [("default".to_string(), response.into())].into()
    }
}

impl From<PhiAccessError> for Problem {
    fn from(error: PhiAccessError) -> Problem {
        match error {
            PhiAccessError::NoSuchReferral => Problem::told(Wrong::NotFound, "there is no such referral"),
            PhiAccessError::Reason => Problem::told(Wrong::Unfit, &error.to_string()),
            PhiAccessError::Commit(_) => unjournaled(&error),
            PhiAccessError::Index(_) | PhiAccessError::Read(_) => failed(&error),
        }
    }
}

impl From<&AccountsError> for Problem {
    fn from(error: &AccountsError) -> Problem {
        let told = |wrong| Problem::told(wrong, &error.to_string());
        match error {
            AccountsError::NoSuchPerson => told(Wrong::NotFound),
            AccountsError::NameTaken | AccountsError::TooMany => told(Wrong::Conflict),
            AccountsError::Name(_)
            | AccountsError::Password(_)
            | AccountsError::NoProvider
            | AccountsError::NotAPhysician(_) => told(Wrong::Unfit),
            AccountsError::Commit(_) => unjournaled(error),
            AccountsError::File(_) => failed(error),
        }
    }
}

impl From<SignInError> for Problem {
    fn from(error: SignInError) -> Problem {
        match &error {
            SignInError::Refused => Problem::told(Wrong::Refused, &error.to_string()),
            SignInError::CodeNeeded => Problem::of(Wrong::CodeNeeded),
            SignInError::ChoiceNeeded => Problem::of(Wrong::ChoiceNeeded),
            SignInError::Password(error) => Problem::told(Wrong::Unfit, &error.to_string()),
            SignInError::People(error) => Problem::from(error),
            SignInError::Commit(_) => unjournaled(&error),
        }
    }
}

fn unjournaled(error: &dyn std::error::Error) -> Problem {
    tracing::error!(
        error = handoff_engine::error_chain::Chain(error).to_string(),
        "the journal did not take what a person asked for"
    );
    Problem::of(Wrong::Unjournaled)
}

pub(super) fn failed(error: &dyn std::error::Error) -> Problem {
    tracing::error!(error = handoff_engine::error_chain::Chain(error).to_string(), "a person's request failed");
    Problem::of(Wrong::Failed)
}
