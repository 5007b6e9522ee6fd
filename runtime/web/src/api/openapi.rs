//! The interface's own description (OpenAPI 3.1), from the handlers themselves. A test holds it against the routes.

use axum::Json;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::{Modify, OpenApi};

use super::access::COOKIE_NAME;
use super::problem::HttpProblem;
use super::{acts, dead_letters, journal, oidc, people, referrals, session, system, unmatched};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Handoff",
        description = "Referrals, for the people who work them. Who sees a patient in clear, and whose, is a matter of the \
            role; each such look is in the journal before it is answered. Whatever changes something needs the header \
            X-CSRF-Token. An error is application/problem+json (RFC 9457)."
    ),
    paths(
        session::sign_in,
        session::who,
        session::sign_out,
        oidc::begin,
        oidc::finish,
        referrals::list,
        referrals::one,
        referrals::timeline,
        referrals::break_glass,
        acts::offered,
        acts::act,
        acts::tasks_of_one,
        acts::tasks,
        acts::change_task,
        referrals::stalled,
        dead_letters::list,
        dead_letters::kinds,
        dead_letters::show,
        dead_letters::replay,
        dead_letters::dismiss,
        unmatched::list,
        unmatched::show,
        unmatched::assign,
        unmatched::dismiss,
        system::figures,
        system::deployments,
        system::metrics,
        journal::search,
        journal::looks,
        journal::disclosures,
        people::list,
        people::add,
        people::reset,
        people::lock,
        people::unlock,
        people::remove,
        document,
    ),
    components(schemas(HttpProblem)),
    security(("session" = [])),
    modifiers(&Credentials)
)]
struct Document;

struct Credentials;

impl Modify for Credentials {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let components = document.components.get_or_insert_default();
        let cookie = SecurityScheme::ApiKey(ApiKey::Cookie(ApiKeyValue::new(COOKIE_NAME)));
        components.add_security_scheme("session", cookie);
        let bearer = SecurityScheme::Http(HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build());
        components.add_security_scheme("monitoring", bearer);
    }
}

/// The whole of it.
pub fn whole() -> utoipa::openapi::OpenApi {
    Document::openapi()
}

/// This document.
#[utoipa::path(
    get, path = "/api/openapi.json", tag = "instance", security(()),
    responses((status = 200, body = Object, description = "OpenAPI 3.1"), HttpProblem)
)]
pub(super) async fn document() -> Json<utoipa::openapi::OpenApi> {
    Json(whole())
}
