//! `/mine`: a physician's own referrals. First what waits for their decision, then the rest.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use handoff_operations::worklist::{WorkQuery, WorkView};

use super::frame::{Frame, Visitor, render, times};
use super::rows::Row;
use crate::api::Api;
use crate::api::problem::HttpProblem;

#[derive(Template)]
#[template(path = "mine.html")]
struct MinePage {
    frame: Frame,
    lead: String,
    decide: Vec<(Row, String)>,
    rows: Vec<Row>,
    more: usize,
    ticks: bool,
}

pub(super) async fn show(State(api): State<Arc<Api>>, visitor: Visitor) -> Result<Response, HttpProblem> {
    api.work(move |api| {
        let times = times(api);
        let ask = |view| WorkQuery { view, ..WorkQuery::default() };
        let wanted = api.operations.worklist(visitor.person(), &ask(WorkView::NeedsMe))?;
        let all = api.operations.worklist(visitor.person(), &ask(WorkView::Everyone))?;
        let due = |row: &handoff_operations::worklist::WorkRow| {
            let due = row.why.as_ref().map(|why| times.when(why.due));
            due.map(|due| format!("Due {due}")).unwrap_or_default()
        };
        let decide: Vec<(Row, String)> = wanted.rows.iter().map(|row| (Row::of(row, &times), due(row))).collect();
        let rest = all.rows.iter().filter(|row| !wanted.rows.iter().any(|known| known.id == row.id));
        let lead = match wanted.total {
            0 => "No referral waits for a decision of yours.".to_string(),
            1 => "One referral waits for a decision of yours.".to_string(),
            more => format!("{more} referrals wait for a decision of yours."),
        };
        render(&MinePage {
            frame: visitor.frame(api, "My referrals"),
            lead: format!("{lead} Everything else is on its way or with the coordinators."),
            decide,
            rows: rest.map(|row| Row::of(row, &times)).collect(),
            more: all.total.saturating_sub(all.rows.len()),
            ticks: false,
        })
    })
    .await
}
