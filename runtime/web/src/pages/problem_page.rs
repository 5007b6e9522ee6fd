//! What could not be done, as a page: what was not done, why, and what to do now.

use askama::Template;
use axum::extract::{Request, State};
use axum::http::header::ACCEPT;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use std::sync::Arc;

use super::assets;
use super::frame::{self, Frame, Visitor, render_as};
use super::theme::Theme;
use crate::api::Api;
use crate::api::problem::{HttpProblem, ProblemKind};

#[derive(Template)]
#[template(path = "problem.html")]
struct ProblemPage {
    frame: Frame,
    problem: HttpProblem,
}

/// For whoever is not signed in: nothing of a person, and no way on but to sign in.
#[derive(Template)]
#[template(path = "problem-outside.html")]
struct OutsideProblemPage {
    style: String,
    theme: Theme,
    problem: HttpProblem,
}

/// Problems answer for themselves to programs; people get a page in their place.
pub(super) fn instead_of(response: Response, api: &Api, visitor: Option<&Visitor>, theme: Theme) -> Response {
    let Some(problem) = response.extensions().get::<HttpProblem>().cloned() else { return response };
    let status = StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let problem = plainly(problem);
    let page = match visitor {
        Some(visitor) => {
            // The address may hold whatever somebody typed: a problem quotes nothing.
            let visitor = Visitor { path: "/".into(), ..visitor.clone() };
            let frame = visitor.frame(api, &problem.title);
            render_as(status, &ProblemPage { frame, problem })
        }
        None => render_as(status, &OutsideProblemPage { style: assets::style(), theme, problem }),
    };
    page.unwrap_or(response)
}

/// What a program does about it is not what a person does.
fn plainly(problem: HttpProblem) -> HttpProblem {
    let said = |title: &str, detail: &str, help: &str| HttpProblem {
        title: title.into(),
        detail: detail.into(),
        help: help.into(),
        ..problem.clone()
    };
    match problem.kind.rsplit(':').next().unwrap_or_default() {
        "not-signed-in" => said(
            "You are signed out",
            "Nothing was done. A session ends after 15 minutes without a touch, and after 12 hours.",
            "Sign in, and send it again.",
        ),
        "not-found" => {
            said("There is no such page", "Perhaps it was moved, or is not yours to see.", "Go back, or use the menu.")
        }
        "not-allowed-to-you" => said(
            "This page is not for your role",
            "Nothing was shown and nothing was done.",
            "Ask somebody whose role it is; IT gives roles.",
        ),
        "no-csrf-token" | "other-origin" => said(
            "Nothing was done",
            "The request did not come from a page of Handoff’s that you have open.",
            "Open the page again, and do it there.",
        ),
        "unreadable" => said("That cannot be read", &problem.detail, "Go back and look at what you chose."),
        "unjournaled" => said(
            "Nothing was done or shown",
            "The journal could not take it down, and what is not written down does not happen here.",
            "Tell IT now.",
        ),
        "failed" => said("Handoff failed at it", "Nothing was changed.", "Try once more; if it fails again, tell IT."),
        _ => problem,
    }
}

/// What no route is for: a page where a browser asks, JSON for a program.
pub(crate) async fn nowhere(State(api): State<Arc<Api>>, request: Request) -> Response {
    let response = HttpProblem::of(ProblemKind::NotFound).into_response();
    answer(response, &api, request.headers(), request.uri().path())
}

fn answer(response: Response, api: &Api, headers: &HeaderMap, path: &str) -> Response {
    let reads_pages = headers.get(ACCEPT).and_then(|it| it.to_str().ok()).is_some_and(|it| it.contains("text/html"));
    if !reads_pages || path.starts_with("/api/") {
        return response;
    }
    let theme = Theme::of(headers);
    let visitor = api.caller(headers).map(|caller| frame::Visitor { caller, theme, path: path.to_string() });
    instead_of(response, api, visitor.as_ref(), theme)
}
