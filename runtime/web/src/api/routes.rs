//! The table of routes: what can be asked, and who may ask it. The whole interface is what stands here.

use std::sync::Arc;

use axum::http::Method;
use axum::routing::{MethodFilter, MethodRouter, on};
use axum::{Router, middleware};
use handoff_identity::role::AccessRight;

use super::access::{RouteAccess, guard};
use super::problem::{HttpProblem, ProblemKind};
use super::{Api, acts, dead_letters, headers, journal, oidc, openapi, people, referrals, session, system, unmatched};
use crate::pages;

/// One thing that can be asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    pub method: Method,
    pub path: &'static str,
    pub access: RouteAccess,
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
    POST "/api/session" RouteAccess::Open => session::sign_in;
    GET "/api/session" RouteAccess::SignedIn => session::who;
    DELETE "/api/session" RouteAccess::SignedIn => session::sign_out;
    GET "/api/session/oidc" RouteAccess::Open => oidc::begin;
    GET "/api/session/oidc/callback" RouteAccess::Open => oidc::finish;
    GET "/api/referrals" RouteAccess::With(AccessRight::Referrals) => referrals::list;
    GET "/api/referrals/{id}" RouteAccess::With(AccessRight::Referrals) => referrals::one;
    GET "/api/referrals/{id}/timeline" RouteAccess::With(AccessRight::Referrals) => referrals::timeline;
    POST "/api/referrals/{id}/glass" RouteAccess::With(AccessRight::BreakGlass) => referrals::break_glass;
    GET "/api/referrals/{id}/acts" RouteAccess::With(AccessRight::Act) => acts::offered;
    POST "/api/referrals/{id}/acts" RouteAccess::With(AccessRight::Act) => acts::act;
    GET "/api/referrals/{id}/tasks" RouteAccess::With(AccessRight::Worklists) => acts::tasks_of_one;
    GET "/api/worklists/tasks" RouteAccess::With(AccessRight::Worklists) => acts::tasks;
    POST "/api/tasks/{task}" RouteAccess::With(AccessRight::ChangeTasks) => acts::change_task;
    GET "/api/worklists/stalled" RouteAccess::With(AccessRight::Worklists) => referrals::stalled;
    GET "/api/dead-letters" RouteAccess::With(AccessRight::DeadLetters) => dead_letters::list;
    GET "/api/dead-letters/kinds" RouteAccess::With(AccessRight::DeadLetters) => dead_letters::kinds;
    GET "/api/dead-letters/{item}" RouteAccess::With(AccessRight::DeadBytes) => dead_letters::show;
    POST "/api/dead-letters/{item}/replay" RouteAccess::With(AccessRight::SettleDeadLetters) => dead_letters::replay;
    POST "/api/dead-letters/{item}/dismiss" RouteAccess::With(AccessRight::SettleDeadLetters) => dead_letters::dismiss;
    GET "/api/unmatched" RouteAccess::With(AccessRight::DeadLetters) => unmatched::list;
    GET "/api/unmatched/{item}" RouteAccess::With(AccessRight::DeadBytes) => unmatched::show;
    POST "/api/unmatched/{item}/assign" RouteAccess::With(AccessRight::AssignUnmatched) => unmatched::assign;
    POST "/api/unmatched/{item}/dismiss" RouteAccess::With(AccessRight::SettleDeadLetters) => unmatched::dismiss;
    GET "/api/figures" RouteAccess::With(AccessRight::Figures) => system::figures;
    GET "/api/deployments" RouteAccess::With(AccessRight::Deployments) => system::deployments;
    GET "/api/journal" RouteAccess::With(AccessRight::Journal) => journal::search;
    GET "/api/looks" RouteAccess::With(AccessRight::Disclosures) => journal::looks;
    GET "/api/disclosures/{referral}" RouteAccess::With(AccessRight::Disclosures) => journal::disclosures;
    GET "/api/people" RouteAccess::With(AccessRight::People) => people::list;
    POST "/api/people" RouteAccess::With(AccessRight::People) => people::add;
    POST "/api/people/{name}/reset" RouteAccess::With(AccessRight::People) => people::reset;
    POST "/api/people/{name}/lock" RouteAccess::With(AccessRight::People) => people::lock;
    POST "/api/people/{name}/unlock" RouteAccess::With(AccessRight::People) => people::unlock;
    POST "/api/people/{name}/remove" RouteAccess::With(AccessRight::People) => people::remove;
    GET "/api/openapi.json" RouteAccess::Open => openapi::document;
    GET "/metrics" RouteAccess::Metrics => system::metrics;
}

pub(super) fn router(api: &Arc<Api>) -> Router {
    let mut router = Router::new();
    for (route, handler) in ROUTES.iter().zip(handlers()) {
        let guarded = middleware::from_fn_with_state((Arc::clone(api), route.access), guard);
        router = router.route(route.path, handler.route_layer(guarded));
    }
    router
        .merge(pages::router(api))
        .fallback(pages::nowhere)
        .method_not_allowed_fallback(async || HttpProblem::of(ProblemKind::NotAllowed))
        .layer(middleware::from_fn_with_state(Arc::clone(api), headers::add))
        .with_state(Arc::clone(api))
}
