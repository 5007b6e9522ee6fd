//! Who may ask: the origin, the session, the proof that our own page sent it, the role. In this order, before anything of
//! the request is looked at.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::header::{AUTHORIZATION, COOKIE, HOST, ORIGIN};
use axum::http::{HeaderMap, Method};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use handoff_identity::person::Person;
use handoff_identity::role::AccessRight;
use handoff_identity::session::SessionToken;
use subtle::ConstantTimeEq as _;

use super::Api;
use super::problem::{HttpProblem, ProblemKind};

/// A browser sends it to this host alone, over TLS alone, and lets no page set or read it (RFC 6265bis, 4.1.3.2).
pub(crate) const COOKIE_NAME: &str = "__Host-handoff";

/// What a page sends along with everything that changes something.
pub(crate) const CSRF_HEADER: &str = "x-csrf-token";

/// Whom a route is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RouteAccess {
    /// Anybody: to sign in, and to read what there is.
    Open,
    /// Whoever is signed in.
    SignedIn,
    /// Whoever's role has this right.
    With(AccessRight),
    /// As `With(AccessRight::Metrics)`, and the monitoring system by its own token.
    Metrics,
}

/// Who asks, and by which session.
#[derive(Clone)]
pub(crate) struct Caller {
    pub person: Person,
    pub token: SessionToken,
}

pub(crate) async fn guard(
    State((api, access)): State<(Arc<Api>, RouteAccess)>,
    mut request: Request,
    next: Next,
) -> Response {
    match api.check(access, request.method(), request.headers()) {
        Err(problem) => problem.into_response(),
        Ok(caller) => {
            if let Some(caller) = caller {
                request.extensions_mut().insert(caller);
            }
            next.run(request).await
        }
    }
}

impl Api {
    fn check(&self, access: RouteAccess, method: &Method, headers: &HeaderMap) -> Result<Option<Caller>, HttpProblem> {
        let changes = !matches!(*method, Method::GET | Method::HEAD);
        if changes && !self.is_ours(headers) {
            return Err(HttpProblem::of(ProblemKind::OtherOrigin));
        }
        let right = match access {
            RouteAccess::Open => return Ok(None),
            RouteAccess::Metrics if self.is_monitoring(headers) => return Ok(None),
            RouteAccess::SignedIn => None,
            RouteAccess::With(right) => Some(right),
            RouteAccess::Metrics => Some(AccessRight::Metrics),
        };
        let caller = self.caller(headers).ok_or(HttpProblem::of(ProblemKind::NotSignedIn))?;
        if changes && !header(headers, CSRF_HEADER).is_some_and(|csrf| caller.token.accepts_csrf(csrf)) {
            return Err(HttpProblem::of(ProblemKind::NoCsrfToken));
        }
        match right {
            Some(right) if !caller.person.role.may(right) => Err(HttpProblem::of(ProblemKind::NotYours)),
            Some(_) | None => Ok(Some(caller)),
        }
    }

    /// Whose session a browser has.
    pub(crate) fn caller(&self, headers: &HeaderMap) -> Option<Caller> {
        let token = token(headers)?;
        let now = self.operations.pipeline.clock.now();
        let person = self.sessions.person(&token, now, &self.operations.people)?;
        Some(Caller { person, token })
    }

    /// Browsers name the origin of whatever changes something; whoever names none is no browser, and has no cookie that
    /// another site's page could use.
    pub(crate) fn is_ours(&self, headers: &HeaderMap) -> bool {
        let Some(origin) = headers.get(ORIGIN) else { return true };
        let Ok(origin) = origin.to_str() else { return false };
        match &self.public_url {
            Some(ours) => origin == ours,
            None => header(headers, HOST.as_str()).is_some_and(|host| origin == format!("{}://{host}", self.scheme)),
        }
    }

    fn is_monitoring(&self, headers: &HeaderMap) -> bool {
        let given = header(headers, AUTHORIZATION.as_str()).and_then(|value| value.strip_prefix("Bearer "));
        match (&self.metrics, given) {
            (Some(ours), Some(given)) => ours.as_str().as_bytes().ct_eq(given.as_bytes()).into(),
            (Some(_) | None, _) => false,
        }
    }
}

fn header<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name)?.to_str().ok()
}

fn token(headers: &HeaderMap) -> Option<SessionToken> {
    cookie(headers, COOKIE_NAME).and_then(SessionToken::read)
}

/// One cookie, among whatever others there are.
pub(crate) fn cookie<'h>(headers: &'h HeaderMap, wanted: &str) -> Option<&'h str> {
    let cookies = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = cookies.flat_map(|cookies| cookies.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(name, _)| *name == wanted).map(|(_, text)| text)
}
