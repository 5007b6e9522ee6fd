//! Light, dark, or as the machine has it. A browser keeps it in a cookie of its own: it is nobody's secret.

use axum::extract::State;
use axum::http::header::SET_COOKIE;
use axum::http::{HeaderMap, HeaderValue};
use axum::response::{AppendHeaders, IntoResponse as _, Redirect, Response};
use std::fmt;
use std::sync::Arc;

use super::access::Sent;
use crate::api::Api;
use crate::api::access::cookie;
use crate::api::problem::HttpProblem;

const COOKIE: &str = "handoff-theme";

/// A year.
const KEPT: &str = "Path=/; Max-Age=31536000; SameSite=Strict; HttpOnly";

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Theme {
    #[default]
    Auto,
    Light,
    Dark,
}

impl Theme {
    pub const ALL: [Theme; 3] = [Theme::Auto, Theme::Light, Theme::Dark];

    pub fn of(headers: &HeaderMap) -> Theme {
        cookie(headers, COOKIE).and_then(Theme::read).unwrap_or_default()
    }

    fn read(name: &str) -> Option<Theme> {
        Theme::ALL.into_iter().find(|theme| theme.name() == name)
    }

    pub fn name(self) -> &'static str {
        match self {
            Theme::Auto => "auto",
            Theme::Light => "light",
            Theme::Dark => "dark",
        }
    }

    pub fn title(self) -> &'static str {
        match self {
            Theme::Auto => "Auto",
            Theme::Light => "Light",
            Theme::Dark => "Dark",
        }
    }
}

impl fmt::Display for Theme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

pub(super) async fn choose(State(_): State<Arc<Api>>, sent: Sent) -> Result<Response, HttpProblem> {
    let theme = sent.text("theme").and_then(Theme::read).unwrap_or_default();
    let kept = HeaderValue::from_str(&format!("{COOKIE}={theme}; {KEPT}"));
    let redirect = Redirect::to(&sent.back("/"));
    match kept {
        Ok(kept) => Ok((AppendHeaders([(SET_COOKIE, kept)]), redirect).into_response()),
        Err(_) => Ok(redirect.into_response()),
    }
}
