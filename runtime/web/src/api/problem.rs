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
pub enum ProblemKind {
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
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Problem)]
pub struct HttpProblem {
    /// A URN that stays the same for the same kind of problem.
    #[serde(rename = "type")]
    pub kind: String,
    pub title: String,
    pub status: u16,
    pub detail: String,
    /// What to do about it.
    pub help: String,
}

impl ProblemKind {
    /// Name, status, title and help.
    #[allow(clippy::too_many_lines, reason = "a table: what is said of one problem stands in one place")]
    fn told(self) -> (&'static str, StatusCode, &'static str, &'static str) {
        match self {
            ProblemKind::Unreadable => (
                "unreadable",
                StatusCode::BAD_REQUEST,
                "The request cannot be read",
                "compare it with /api/openapi.json: names, types, and nothing else",
            ),
            ProblemKind::NotSignedIn => {
                ("not-signed-in", StatusCode::UNAUTHORIZED, "Nobody is signed in", "sign in with POST /api/session")
            }
            ProblemKind::Refused => (
                "sign-in-refused",
                StatusCode::UNAUTHORIZED,
                "Signing in failed",
                "try again; after repeated failures, ask whoever runs this instance to unlock the account",
            ),
            ProblemKind::CodeNeeded => (
                "code-needed",
                StatusCode::UNAUTHORIZED,
                "A code is needed as well",
                "send the six digits that the authenticator app shows as `code`",
            ),
            ProblemKind::ChoiceNeeded => (
                "password-choice-needed",
                StatusCode::FORBIDDEN,
                "The one-time password was already used",
                "sign in again, with another password beside it as `new_password`",
            ),
            ProblemKind::NotYours => (
                "not-allowed-to-you",
                StatusCode::FORBIDDEN,
                "Your role does not allow it",
                "ask somebody whose role does; whoever runs this instance gives roles",
            ),
            ProblemKind::OtherOrigin => (
                "other-origin",
                StatusCode::FORBIDDEN,
                "Another site's page sent it",
                "nothing was done; if it was this instance's own page, name its address as `public_url` under `api:`",
            ),
            ProblemKind::NoCsrfToken => (
                "no-csrf-token",
                StatusCode::FORBIDDEN,
                "The request does not prove that this instance's own page sent it",
                "send what GET /api/session gives as `csrf` in the header X-CSRF-Token",
            ),
            ProblemKind::NotFound => {
                ("not-found", StatusCode::NOT_FOUND, "There is no such thing", "look at the list again")
            }
            ProblemKind::NotAllowed => (
                "method-not-allowed",
                StatusCode::METHOD_NOT_ALLOWED,
                "This cannot be done here",
                "see /api/openapi.json for what can",
            ),
            ProblemKind::TooSlow => {
                ("too-slow", StatusCode::REQUEST_TIMEOUT, "The body did not come in time", "send it again")
            }
            ProblemKind::TooFast => (
                "too-fast",
                StatusCode::TOO_MANY_REQUESTS,
                "Too many requests from this source",
                "wait as long as Retry-After says; `limits:` under `api:` in the configuration sets the pace",
            ),
            ProblemKind::Conflict => ("conflict", StatusCode::CONFLICT, "It does not fit what is", "look at it again"),
            ProblemKind::TooLong => {
                ("too-long", StatusCode::PAYLOAD_TOO_LARGE, "The body is too long", "no request here needs as much")
            }
            ProblemKind::NotJson => (
                "not-json",
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "The body is not JSON",
                "send it with Content-Type: application/json",
            ),
            ProblemKind::Unfit => {
                ("unfit", StatusCode::UNPROCESSABLE_ENTITY, "It cannot be taken as it is", "mend it and send it again")
            }
            ProblemKind::Failed => (
                "failed",
                StatusCode::INTERNAL_SERVER_ERROR,
                "Handoff failed at it",
                "its log has more; tell whoever runs this instance",
            ),
            ProblemKind::DirectorySilent => (
                "directory-silent",
                StatusCode::SERVICE_UNAVAILABLE,
                "The directory that people sign in with cannot be asked",
                "try again; an account of this instance can sign in meanwhile",
            ),
            ProblemKind::Unjournaled => (
                "unjournaled",
                StatusCode::SERVICE_UNAVAILABLE,
                "The journal did not take it",
                "nothing was done or shown; tell whoever runs this instance",
            ),
        }
    }
}

impl HttpProblem {
    pub fn of(wrong: ProblemKind) -> HttpProblem {
        let (name, status, title, help) = wrong.told();
        let detail = title.to_string();
        let kind = format!("urn:handoff:problem:{name}");
        HttpProblem { kind, title: title.into(), status: status.as_u16(), detail, help: help.into() }
    }

    /// With an error's own words, and its own cure where it has one.
    pub fn told(wrong: ProblemKind, words: &str) -> HttpProblem {
        let problem = HttpProblem::of(wrong);
        match words.split_once("help:") {
            Some((detail, help)) => HttpProblem { detail: one_line(detail), help: one_line(help), ..problem },
            None => HttpProblem { detail: one_line(words), ..problem },
        }
    }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// RFC 6585, 4.
pub(super) fn too_fast(wait: Duration) -> Response {
    let mut response = HttpProblem::of(ProblemKind::TooFast).into_response();
    response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(wait.as_secs() + 1));
    response
}

impl IntoResponse for HttpProblem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (status, Json(&self)).into_response();
        // For whoever shows it as a page.
        response.extensions_mut().insert(self);
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
        response
    }
}

impl utoipa::IntoResponses for HttpProblem {
    fn responses() -> std::collections::BTreeMap<String, RefOr<utoipa::openapi::Response>> {
        let content = ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem"))).build();
        let response = ResponseBuilder::new().description("What went wrong").content(MEDIA_TYPE, content).build();
        [("default".to_string(), response.into())].into()
    }
}

impl From<PhiAccessError> for HttpProblem {
    fn from(error: PhiAccessError) -> HttpProblem {
        HttpProblem::from(&error)
    }
}

impl From<&PhiAccessError> for HttpProblem {
    fn from(error: &PhiAccessError) -> HttpProblem {
        match error {
            PhiAccessError::NoSuchReferral => HttpProblem::told(ProblemKind::NotFound, "there is no such referral"),
            PhiAccessError::Reason => HttpProblem::told(ProblemKind::Unfit, &error.to_string()),
            PhiAccessError::Commit(_) => unjournaled(error),
            PhiAccessError::Index(_) | PhiAccessError::Read(_) => failed(error),
        }
    }
}

impl From<&AccountsError> for HttpProblem {
    fn from(error: &AccountsError) -> HttpProblem {
        let told = |wrong| HttpProblem::told(wrong, &error.to_string());
        match error {
            AccountsError::NoSuchPerson => told(ProblemKind::NotFound),
            AccountsError::NameTaken | AccountsError::TooMany => told(ProblemKind::Conflict),
            AccountsError::Name(_)
            | AccountsError::Password(_)
            | AccountsError::NoProvider
            | AccountsError::OneFactor(_)
            | AccountsError::NotAPhysician(_) => told(ProblemKind::Unfit),
            AccountsError::Commit(_) => unjournaled(error),
            AccountsError::File(_) => failed(error),
        }
    }
}

impl From<SignInError> for HttpProblem {
    fn from(error: SignInError) -> HttpProblem {
        match &error {
            SignInError::Refused => HttpProblem::told(ProblemKind::Refused, &error.to_string()),
            SignInError::OneFactor => HttpProblem::told(ProblemKind::NotYours, &error.to_string()),
            SignInError::CodeNeeded => HttpProblem::of(ProblemKind::CodeNeeded),
            SignInError::ChoiceNeeded => HttpProblem::of(ProblemKind::ChoiceNeeded),
            SignInError::Password(error) => HttpProblem::told(ProblemKind::Unfit, &error.to_string()),
            SignInError::People(error) => HttpProblem::from(error),
            SignInError::Commit(_) => unjournaled(&error),
        }
    }
}

fn unjournaled(error: &dyn std::error::Error) -> HttpProblem {
    tracing::error!(
        error = handoff_engine::error_chain::Chain(error).to_string(),
        "the journal did not take what a person asked for"
    );
    HttpProblem::of(ProblemKind::Unjournaled)
}

pub(crate) fn failed(error: &dyn std::error::Error) -> HttpProblem {
    tracing::error!(error = handoff_engine::error_chain::Chain(error).to_string(), "a person's request failed");
    HttpProblem::of(ProblemKind::Failed)
}
