//! `/search`: a patient by name, date of birth or number. Asked by POST alone, so that no address, log or history of a browser ever
//! has a patient in it.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::Response;

use super::access::Sent;
use super::frame::{Frame, Visitor, render, times};
use super::rows::Row;
use crate::api::Api;
use crate::api::problem::HttpProblem;

/// A name and a date of birth are shorter.
const TYPED_CHARS_MAX: usize = 120;

#[derive(Template)]
#[template(path = "search.html")]
struct SearchPage {
    frame: Frame,
    typed: String,
    rows: Vec<Row>,
    is_cut: bool,
    ticks: bool,
}

pub(super) async fn find(State(api): State<Arc<Api>>, visitor: Visitor, sent: Sent) -> Result<Response, HttpProblem> {
    api.work(move |api| {
        let typed: String = sent.text("q").unwrap_or_default().chars().take(TYPED_CHARS_MAX).collect();
        let found = api.operations.search(visitor.person(), &typed)?;
        let times = times(api);
        let rows = found.rows.iter().map(|row| Row::of(row, &times)).collect();
        render(&SearchPage {
            frame: visitor.frame(api, "Find a patient"),
            typed,
            rows,
            is_cut: found.is_cut,
            ticks: false,
        })
    })
    .await
}
