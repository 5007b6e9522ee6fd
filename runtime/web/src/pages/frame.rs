//! What stands around every page: who is signed in, where they can go, how to look for a patient, and in which zone times are.

use askama::Template;
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse as _, Response};
use handoff_identity::person::Person;
use handoff_identity::role::{AccessRight, Role};

use super::routes::{PAGES, PageRoute};
use super::theme::Theme;
use super::times::Times;
use super::{assets, words};
use crate::api::Api;
use crate::api::access::{Caller, RouteAccess};
use crate::api::problem::{HttpProblem, ProblemKind};

/// Who asks for a page.
#[derive(Clone)]
pub(super) struct Visitor {
    pub caller: Caller,
    pub theme: Theme,
    /// As it was asked for, without the query.
    pub path: String,
}

/// Around a page.
pub(super) struct Frame {
    pub title: String,
    pub style: String,
    pub script: String,
    pub theme: Theme,
    pub themes: [Theme; 3],
    pub path: String,
    pub csrf: String,
    pub name: String,
    pub role: &'static str,
    pub groups: Vec<NavGroup>,
    pub finds_patients: bool,
    pub zone: String,
}

pub(super) struct NavGroup {
    pub title: &'static str,
    pub links: Vec<NavLink>,
}

pub(super) struct NavLink {
    pub path: &'static str,
    pub title: &'static str,
    pub is_current: bool,
    pub count: Option<u64>,
}

/// Every page of the navigation, in its order; whoever lacks the right of its route does not get it.
const NAVIGATION: &[(&str, &[(&str, &str)])] = &[
    (
        "Today",
        &[
            ("/huddle", "Huddle"),
            ("/mine", "My referrals"),
            ("/worklist", "Worklist"),
            ("/unmatched", "Not matched"),
            ("/dead-letters", "Not delivered"),
        ],
    ),
    ("Looking back", &[("/specialists", "Specialists"), ("/figures", "Figures")]),
    (
        "How it runs",
        &[
            ("/system", "System"),
            ("/workflow", "Workflow"),
            ("/plugins", "Plugins"),
            ("/people", "People"),
            ("/audit", "Audit"),
        ],
    ),
];

/// The page that each role begins with.
pub(super) fn home(role: Role) -> &'static str {
    match role {
        Role::Coordinator => "/worklist",
        Role::Physician => "/mine",
        Role::Manager => "/huddle",
        Role::It => "/system",
        Role::Auditor => "/audit",
    }
}

impl Visitor {
    pub fn person(&self) -> &Person {
        &self.caller.person
    }

    pub fn frame(&self, api: &Api, title: &str) -> Frame {
        let Person { name, role, .. } = &self.caller.person;
        let dead = role.may(AccessRight::DeadLetters).then(|| api.operations.pipeline.store.index().dead_count());
        let dead = dead.and_then(Result::ok).map(|count| count.letters + count.deliveries);
        let link = |(path, title): &(&'static str, &'static str)| NavLink {
            path,
            title,
            is_current: self.path == *path || self.path.starts_with(&format!("{path}/")),
            count: dead.filter(|count| *count > 0 && *path == "/dead-letters"),
        };
        let groups = NAVIGATION.iter().map(|(title, links)| NavGroup {
            title,
            links: links.iter().filter(|(path, _)| may_open(*role, path)).map(link).collect(),
        });
        Frame {
            title: title.into(),
            style: assets::style(),
            script: assets::script(),
            theme: self.theme,
            themes: Theme::ALL,
            path: self.path.clone(),
            csrf: self.caller.token.csrf(),
            // The practice's directory knows people by more than their name.
            name: name.rsplit(':').next().unwrap_or(name).to_string(),
            role: words::role(*role),
            groups: groups.filter(|group| !group.links.is_empty()).collect(),
            finds_patients: role.may(AccessRight::FindPatients),
            zone: times(api).zone_told(),
        }
    }
}

/// The practice's clock.
pub(super) fn times(api: &Api) -> Times {
    let pipeline = &api.operations.pipeline;
    Times { zone: pipeline.deployments.current().workflow().contact.zone, now: pipeline.clock.now() }
}

fn may_open(role: Role, path: &str) -> bool {
    let route = PAGES.iter().find(|route: &&PageRoute| route.path == path);
    match route.map(|route| route.access) {
        Some(RouteAccess::With(right)) => role.may(right) && (path != "/worklist" || role != Role::Physician),
        Some(RouteAccess::SignedIn | RouteAccess::Open) => true,
        Some(RouteAccess::Metrics) | None => false,
    }
}

/// A template, filled in.
pub(super) fn render(page: &impl Template) -> Result<Response, HttpProblem> {
    render_as(StatusCode::OK, page)
}

pub(super) fn render_as(status: StatusCode, page: &impl Template) -> Result<Response, HttpProblem> {
    match page.render() {
        Ok(text) => Ok((status, Html(text)).into_response()),
        Err(error) => {
            tracing::error!(%error, "a page could not be put together");
            Err(HttpProblem::of(ProblemKind::Failed))
        }
    }
}
