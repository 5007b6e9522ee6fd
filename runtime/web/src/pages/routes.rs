//! The table of pages: what a browser can ask for, and who may. Every page and every form stands here.

use std::sync::Arc;

use axum::http::Method;
use axum::routing::{MethodFilter, MethodRouter, on};
use axum::{Router, middleware};
use handoff_identity::role::AccessRight;

use super::access::guard;
use super::{
    acts, assets, audit, dead_letters, figures, huddle, mine, people, plugins, referral, search, set_up, sign_in,
    specialists, system, theme, unmatched, workflow, worklist,
};
use crate::api::Api;
use crate::api::access::RouteAccess;

/// One page, or one form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageRoute {
    pub method: Method,
    pub path: &'static str,
    pub access: RouteAccess,
}

macro_rules! pages {
    ($($method:ident $path:literal $access:expr => $handler:path;)*) => {
        /// Every one of them.
        pub const PAGES: &[PageRoute] =
            &[$(PageRoute { method: Method::$method, path: $path, access: $access }),*];

        fn handlers() -> Vec<MethodRouter<Arc<Api>>> {
            vec![$(on(MethodFilter::$method, $handler)),*]
        }
    };
}

pages! {
    GET "/assets/{name}" RouteAccess::Open => assets::one;
    GET "/" RouteAccess::SignedIn => sign_in::begin;
    GET "/sign-in" RouteAccess::Open => sign_in::show;
    POST "/sign-in" RouteAccess::Open => sign_in::enter;
    POST "/sign-in/step" RouteAccess::Open => sign_in::go_on;
    GET "/sign-in/link/{token}" RouteAccess::Open => sign_in::by_link;
    GET "/set-up/{token}" RouteAccess::Open => set_up::show;
    POST "/set-up/{token}" RouteAccess::Open => set_up::add;
    POST "/sign-out" RouteAccess::SignedIn => sign_in::sign_out;
    POST "/theme" RouteAccess::SignedIn => theme::choose;
    POST "/search" RouteAccess::With(AccessRight::FindPatients) => search::find;
    GET "/worklist" RouteAccess::With(AccessRight::Worklists) => worklist::show;
    GET "/referrals/{id}" RouteAccess::With(AccessRight::Referrals) => referral::show;
    POST "/referrals/{id}/glass" RouteAccess::With(AccessRight::BreakGlass) => referral::break_glass;
    POST "/referrals/{id}/acts" RouteAccess::With(AccessRight::Act) => acts::act;
    POST "/tasks" RouteAccess::With(AccessRight::ChangeTasks) => acts::tasks;
    GET "/referrals/{id}/note" RouteAccess::With(AccessRight::Referrals) => referral::note;
    GET "/referrals/{id}/note/{nth}" RouteAccess::With(AccessRight::Referrals) => referral::further;
    GET "/huddle" RouteAccess::With(AccessRight::Figures) => huddle::show;
    POST "/huddle" RouteAccess::With(AccessRight::Figures) => huddle::names;
    GET "/mine" RouteAccess::With(AccessRight::OwnReferrals) => mine::show;
    GET "/specialists" RouteAccess::With(AccessRight::Specialists) => specialists::show;
    GET "/figures" RouteAccess::With(AccessRight::Figures) => figures::show;
    GET "/figures.csv" RouteAccess::With(AccessRight::Figures) => figures::file;
    GET "/dead-letters" RouteAccess::With(AccessRight::DeadLetters) => dead_letters::list;
    GET "/dead-letters/{item}/bytes" RouteAccess::With(AccessRight::DeadBytes) => dead_letters::bytes;
    POST "/dead-letters/{item}/replay" RouteAccess::With(AccessRight::SettleDeadLetters) => dead_letters::replay;
    POST "/dead-letters/{item}/dismiss" RouteAccess::With(AccessRight::SettleDeadLetters) => dead_letters::dismiss;
    GET "/unmatched" RouteAccess::With(AccessRight::DeadLetters) => unmatched::list;
    GET "/unmatched/{item}/bytes" RouteAccess::With(AccessRight::DeadBytes) => unmatched::bytes;
    POST "/unmatched/{item}/assign" RouteAccess::With(AccessRight::AssignUnmatched) => unmatched::assign;
    POST "/unmatched/{item}/dismiss" RouteAccess::With(AccessRight::SettleDeadLetters) => unmatched::dismiss;
    GET "/workflow" RouteAccess::With(AccessRight::Deployments) => workflow::show;
    POST "/workflow" RouteAccess::With(AccessRight::Deployments) => workflow::plan_file;
    GET "/plugins" RouteAccess::With(AccessRight::Plugins) => plugins::show;
    GET "/system" RouteAccess::With(AccessRight::Metrics) => system::show;
    GET "/audit" RouteAccess::With(AccessRight::Journal) => audit::show;
    GET "/people" RouteAccess::With(AccessRight::People) => people::list;
    POST "/people" RouteAccess::With(AccessRight::People) => people::add;
    POST "/people/{name}/reset" RouteAccess::With(AccessRight::People) => people::reset;
    POST "/people/{name}/lock" RouteAccess::With(AccessRight::People) => people::lock;
    POST "/people/{name}/unlock" RouteAccess::With(AccessRight::People) => people::unlock;
    POST "/people/{name}/remove" RouteAccess::With(AccessRight::People) => people::remove;
}

pub(crate) fn router(api: &Arc<Api>) -> Router<Arc<Api>> {
    let mut router = Router::new();
    for (route, handler) in PAGES.iter().zip(handlers()) {
        let guarded = middleware::from_fn_with_state((Arc::clone(api), route.access), guard);
        router = router.route(route.path, handler.route_layer(guarded));
    }
    router
}
