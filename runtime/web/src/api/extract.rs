//! What is asked, read from path, query and body. What cannot be read is refused without being quoted.

use std::convert::Infallible;
use std::time::Duration;

use axum::RequestPartsExt as _;
use axum::body::to_bytes;
use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use axum::http::header::CONTENT_TYPE;
use axum::http::request::Parts;
use handoff_engine::act::DOCUMENT_BASE64_MAX;
use handoff_ingress::connection_limits::LimitedPeer;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use utoipa::ToSchema;

use super::access::Caller;
use super::problem::{HttpProblem, ProblemKind};

/// The longest is a sign-in with two passwords, or a reason: some kilobytes at most.
const BODY_BYTES_MAX: usize = 64 * 1024;

/// A scanned note in base64, and what is said beside it.
const LONG_BODY_BYTES_MAX: usize = DOCUMENT_BASE64_MAX + BODY_BYTES_MAX;

/// A slow line carries that much in less.
const BODY_WITHIN: Duration = Duration::from_secs(20);

/// As much takes a minute at two megabits a second.
const LONG_BODY_WITHIN: Duration = Duration::from_secs(60);

/// A reason is a sentence in the journal.
const WHY_CHARS_MAX: usize = 500;

/// The path's one part that varies.
pub(crate) struct Named(pub String);

/// The query, as far as it is known.
pub(crate) struct Asked<T>(pub T);

/// A body in JSON.
pub(crate) struct Body<T>(pub T);

/// A body in JSON with a document in it.
pub(crate) struct LongBody<T>(pub T);

/// Whence a request comes, for the journal.
pub(crate) struct Whence(pub String);

/// Why something is to be done. It stands in the journal, and names no patient.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Reason {
    #[schema(min_length = 1, max_length = 500)]
    why: String,
}

impl Reason {
    pub fn read(self) -> Result<String, HttpProblem> {
        reason(self.why)
    }
}

/// A reason that says something.
pub(crate) fn reason(why: String) -> Result<String, HttpProblem> {
    let why = why.trim();
    match why.is_empty() || why.chars().count() > WHY_CHARS_MAX {
        true => Err(HttpProblem::told(ProblemKind::Unfit, "the reason is empty or longer than 500 characters")),
        false => Ok(why.to_string()),
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Named {
    type Rejection = HttpProblem;
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Named, HttpProblem> {
        let Path(name) = parts.extract::<Path<String>>().await.map_err(|_| HttpProblem::of(ProblemKind::NotFound))?;
        Ok(Named(name))
    }
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Asked<T> {
    type Rejection = HttpProblem;
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Asked<T>, HttpProblem> {
        let unreadable = |_| HttpProblem::told(ProblemKind::Unreadable, "the query cannot be read");
        let Query(asked) = Query::<T>::try_from_uri(&parts.uri).map_err(unreadable)?;
        Ok(Asked(asked))
    }
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = HttpProblem;
    async fn from_request(request: Request, _: &S) -> Result<Body<T>, HttpProblem> {
        json(request, BODY_BYTES_MAX, BODY_WITHIN).await.map(Body)
    }
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for LongBody<T> {
    type Rejection = HttpProblem;
    async fn from_request(request: Request, _: &S) -> Result<LongBody<T>, HttpProblem> {
        json(request, LONG_BODY_BYTES_MAX, LONG_BODY_WITHIN).await.map(LongBody)
    }
}

async fn json<T: DeserializeOwned>(request: Request, bytes_max: usize, within: Duration) -> Result<T, HttpProblem> {
    let media_type = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let media_type = media_type.split(';').next().unwrap_or_default().trim();
    if !media_type.eq_ignore_ascii_case("application/json") {
        return Err(HttpProblem::of(ProblemKind::NotJson));
    }
    let body = match tokio::time::timeout(within, to_bytes(request.into_body(), bytes_max)).await {
        Err(_) => return Err(HttpProblem::of(ProblemKind::TooSlow)),
        Ok(Err(_)) => return Err(HttpProblem::of(ProblemKind::TooLong)),
        Ok(Ok(body)) => body,
    };
    let unreadable = |_| HttpProblem::told(ProblemKind::Unreadable, "the body cannot be read");
    serde_json::from_slice(&body).map_err(unreadable)
}

impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = HttpProblem;
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Caller, HttpProblem> {
        parts.extensions.get::<Caller>().cloned().ok_or(HttpProblem::of(ProblemKind::NotSignedIn))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Whence {
    type Rejection = Infallible;
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Whence, Infallible> {
        let source = parts.extensions.get::<LimitedPeer>();
        Ok(Whence(source.map_or("this process".to_string(), ToString::to_string)))
    }
}
