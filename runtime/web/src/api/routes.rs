//! The table of routes: what can be asked, and who may ask it. The whole interface is what stands here.

use std::sync::Arc;

use axum::http::Method;
use axum::routing::{MethodFilter, MethodRouter, on};
use axum::{Router, middleware};
use handoff_identity::role::AccessRight;

use super::access::{Access, guard};
use super::problem::{Problem, Wrong};
use super::{Api, dead_letters, headers, journal, oidc, openapi, people, referrals, session, system};

/// One thing that can be asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    pub method: Method,
    pub path: &'static str,
    pub access: Access,
}

macro_rules! routes {
    ($($method:ident $path:literal $access:expr => $handler:path;)*) => {
        /// Every route.
        pub const ROUTES: &[Route] = &[$(Route { method: Method::$method, path: $path, access: $access }),*];

        fn handlers() -> Vec<MethodRouter<Arc<Api>>> {
            vec![$(on(MethodFilter::$method, $handler)),*]
        }
    };
}

routes! {
    POST "/api/session" Access::Open => session::sign_in;
    GET "/api/session" Access::SignedIn => session::who;
    DELETE "/api/session" Access::SignedIn => session::sign_out;
    GET "/api/session/oidc" Access::Open => oidc::begin;
    GET "/api/session/oidc/callback" Access::Open => oidc::finish;
    GET "/api/referrals" Access::With(AccessRight::Referrals) => referrals::list;
    GET "/api/referrals/{id}" Access::With(AccessRight::Referrals) => referrals::one;
    GET "/api/referrals/{id}/timeline" Access::With(AccessRight::Referrals) => referrals::timeline;
    POST "/api/referrals/{id}/glass" Access::With(AccessRight::BreakGlass) => referrals::break_glass;
    GET "/api/worklists/tasks" Access::With(AccessRight::Worklists) => referrals::tasks;
    GET "/api/worklists/stalled" Access::With(AccessRight::Worklists) => referrals::stalled;
    GET "/api/dead-letters" Access::With(AccessRight::DeadLetters) => dead_letters::list;
    GET "/api/dead-letters/{item}" Access::With(AccessRight::DeadBytes) => dead_letters::show;
    POST "/api/dead-letters/{item}/replay" Access::With(AccessRight::SettleDeadLetters) => dead_letters::replay;
    POST "/api/dead-letters/{item}/dismiss" Access::With(AccessRight::SettleDeadLetters) => dead_letters::dismiss;
    GET "/api/figures" Access::With(AccessRight::Figures) => system::figures;
    GET "/api/deployments" Access::With(AccessRight::Deployments) => system::deployments;
    GET "/api/journal" Access::With(AccessRight::Journal) => journal::search;
    GET "/api/looks" Access::With(AccessRight::Disclosures) => journal::looks;
    GET "/api/disclosures/{referral}" Access::With(AccessRight::Disclosures) => journal::disclosures;
    GET "/api/people" Access::With(AccessRight::People) => people::list;
    POST "/api/people" Access::With(AccessRight::People) => people::add;
    POST "/api/people/{name}/reset" Access::With(AccessRight::People) => people::reset;
    POST "/api/people/{name}/lock" Access::With(AccessRight::People) => people::lock;
    POST "/api/people/{name}/unlock" Access::With(AccessRight::People) => people::unlock;
    POST "/api/people/{name}/remove" Access::With(AccessRight::People) => people::remove;
    GET "/api/openapi.json" Access::Open => openapi::document;
    GET "/metrics" Access::Metrics => system::metrics;
}

pub(super) fn router(api: &Arc<Api>) -> Router {
    let mut router = Router::new();
    for (route, handler) in ROUTES.iter().zip(handlers()) {
        let guarded = middleware::from_fn_with_state((Arc::clone(api), route.access), guard);
        router = router.route(route.path, handler.route_layer(guarded));
    }
    router
        .fallback(async || Problem::of(Wrong::NotFound))
        .method_not_allowed_fallback(async || Problem::of(Wrong::NotAllowed))
        .layer(middleware::from_fn_with_state(Arc::clone(api), headers::add))
        .with_state(Arc::clone(api))
}
