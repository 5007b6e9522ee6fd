//! Who may ask for a page: as for everything else over HTTP (`api/access.rs`), but that a form brings the proof that our own page
//! sent it in a field, and that whoever is not signed in is led to where they can.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::extract::{FromRequestParts, Request, State};
use axum::http::Method;
use axum::http::header::CONTENT_TYPE;
use axum::http::request::Parts;
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Redirect, Response};
use url::form_urlencoded;

use super::files;
use super::frame::Visitor;
use super::problem_page;
use super::theme::Theme;
use crate::api::Api;
use crate::api::access::RouteAccess;
use crate::api::problem::{HttpProblem, ProblemKind};

/// Fifty rows that are ticked, and a sentence.
const FORM_BYTES_MAX: usize = 64 * 1024;

/// A slow line carries that much in less.
const FORM_WITHIN: Duration = Duration::from_secs(20);

/// The field of every form that changes something.
pub(super) const CSRF_FIELD: &str = "csrf";

/// What a form sent.
#[derive(Clone, Default)]
pub(super) struct Sent(pub(super) Vec<(String, String)>);

impl Sent {
    /// What stands in a field, without blanks around it.
    pub fn text(&self, field: &str) -> Option<&str> {
        self.exactly(field).map(str::trim)
    }

    /// The same, and nothing where there is no such field.
    pub fn said(&self, field: &str) -> String {
        self.text(field).unwrap_or_default().to_string()
    }

    pub fn all<'s>(&'s self, field: &'s str) -> impl Iterator<Item = &'s str> {
        self.fields().filter(move |(name, _)| *name == field).map(|(_, text)| text.trim())
    }

    pub fn fields(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, text)| (name.as_str(), text.as_str()))
    }

    /// Where it was sent from: a path of ours, and never another site's address.
    pub fn back(&self, instead: &str) -> String {
        let plain = |c: char| c.is_ascii_alphanumeric() || "/-_.?=&".contains(c);
        let back = self.text("back").filter(|back| back.starts_with('/') && !back.starts_with("//"));
        back.filter(|back| back.chars().all(plain)).unwrap_or(instead).to_string()
    }

    /// As it was typed: a password may begin with a blank.
    pub fn exactly(&self, field: &str) -> Option<&str> {
        self.0.iter().find(|(name, _)| name == field).map(|(_, text)| text.as_str())
    }
}

pub(super) async fn guard(
    State((api, access)): State<(Arc<Api>, RouteAccess)>,
    mut request: Request,
    next: Next,
) -> Response {
    let (theme, path) = (Theme::of(request.headers()), request.uri().path().to_string());
    let visitor = api.caller(request.headers()).map(|caller| Visitor { caller, theme, path });
    let checked = check(&api, access, visitor.as_ref(), &mut request).await;
    let response = match checked {
        Ok(()) => {
            if let Some(visitor) = &visitor {
                request.extensions_mut().insert(visitor.clone());
            }
            request.extensions_mut().insert(theme);
            next.run(request).await
        }
        Err(problem) if is_signed_out(&problem) && *request.method() == Method::GET => {
            return Redirect::to("/sign-in").into_response();
        }
        Err(problem) => problem.into_response(),
    };
    problem_page::instead_of(response, &api, visitor.as_ref(), theme)
}

fn is_signed_out(problem: &HttpProblem) -> bool {
    problem.status == 401
}

async fn check(
    api: &Api,
    access: RouteAccess,
    visitor: Option<&Visitor>,
    request: &mut Request,
) -> Result<(), HttpProblem> {
    let changes = !matches!(*request.method(), Method::GET | Method::HEAD);
    if changes && !api.is_ours(request.headers()) {
        return Err(HttpProblem::of(ProblemKind::OtherOrigin));
    }
    let sent = if changes { read(request, visitor.is_some()).await? } else { Sent::default() };
    let right = match access {
        RouteAccess::Open => None,
        RouteAccess::SignedIn | RouteAccess::Metrics => Some(None),
        RouteAccess::With(right) => Some(Some(right)),
    };
    if let Some(right) = right {
        let visitor = visitor.ok_or(HttpProblem::of(ProblemKind::NotSignedIn))?;
        if changes && !sent.text(CSRF_FIELD).is_some_and(|csrf| visitor.caller.token.accepts_csrf(csrf)) {
            return Err(HttpProblem::of(ProblemKind::NoCsrfToken));
        }
        if right.is_some_and(|right| !visitor.person().role.may(right)) {
            return Err(HttpProblem::of(ProblemKind::NotYours));
        }
    }
    request.extensions_mut().insert(sent);
    Ok(())
}

async fn read(request: &mut Request, is_somebody: bool) -> Result<Sent, HttpProblem> {
    let media_type = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let boundary = multer::parse_boundary(media_type);
    if boundary.is_err() && !media_type.starts_with("application/x-www-form-urlencoded") {
        return Err(HttpProblem::told(ProblemKind::Unreadable, "what was sent is no form"));
    }
    let body = std::mem::replace(request.body_mut(), Body::empty());
    if let Ok(boundary) = boundary {
        // Nobody who has not signed in sends us files.
        return match is_somebody {
            true => files::read(body, boundary).await,
            false => Err(HttpProblem::of(ProblemKind::NotSignedIn)),
        };
    }
    match tokio::time::timeout(FORM_WITHIN, to_bytes(body, FORM_BYTES_MAX)).await {
        Err(_) => Err(HttpProblem::of(ProblemKind::TooSlow)),
        Ok(Err(_)) => Err(HttpProblem::of(ProblemKind::TooLong)),
        Ok(Ok(bytes)) => Ok(Sent(form_urlencoded::parse(&bytes).into_owned().collect())),
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Sent {
    type Rejection = Infallible;
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Sent, Infallible> {
        Ok(parts.extensions.get::<Sent>().cloned().unwrap_or_default())
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Visitor {
    type Rejection = HttpProblem;
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Visitor, HttpProblem> {
        parts.extensions.get::<Visitor>().cloned().ok_or(HttpProblem::of(ProblemKind::NotSignedIn))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Theme {
    type Rejection = Infallible;
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Theme, Infallible> {
        Ok(parts.extensions.get::<Theme>().copied().unwrap_or_default())
    }
}
