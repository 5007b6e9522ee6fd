//! `/worklist`: what wants a person, the most urgent first.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use chrono::{DateTime, TimeDelta, Utc};
use handoff_identity::role::AccessRight;
use handoff_operations::worklist::{WORK_ROWS_MAX, WorkOrder, WorkQuery, WorkRow, WorkView, Worklist};
use serde::Deserialize;
use url::form_urlencoded;

use super::acts;
use super::frame::{Frame, Visitor, render, times};
use super::rows::Row;
use super::times::Times;
use crate::api::Api;
use crate::api::extract::Asked;
use crate::api::problem::HttpProblem;

/// What stands in the address: never a patient.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Query {
    view: Option<String>,
    sort: Option<String>,
    specialist: Option<String>,
    physician: Option<String>,
    page: Option<usize>,
}

#[derive(Template)]
#[template(path = "worklist.html")]
struct WorklistPage {
    frame: Frame,
    title: &'static str,
    lead: String,
    view: &'static str,
    views: Vec<ViewLink>,
    sorts: Vec<Choice>,
    specialists: Vec<Choice>,
    physicians: Vec<Choice>,
    is_filtered: bool,
    groups: Vec<Group>,
    empty: &'static str,
    pages: Vec<(usize, String, bool)>,
    is_cut: bool,
    /// Whether tasks can be ticked, and who may be given them.
    ticks: bool,
    colleagues: Vec<String>,
    here: String,
}

struct ViewLink {
    title: &'static str,
    link: String,
    count: usize,
    is_current: bool,
}

pub(super) struct Choice {
    pub value: String,
    pub title: String,
    pub is_chosen: bool,
}

/// Rows that are due together.
struct Group {
    title: &'static str,
    is_urgent: bool,
    rows: Vec<Row>,
}

const SORTS: [(WorkOrder, &str, &str); 4] = [
    (WorkOrder::Urgent, "urgent", "Most urgent first"),
    (WorkOrder::Longest, "waiting", "Longest waiting first"),
    (WorkOrder::Specialist, "specialist", "Specialist"),
    (WorkOrder::Next, "next", "What happens next"),
];

fn title(view: WorkView) -> &'static str {
    match view {
        WorkView::NeedsMe => "Needs me",
        WorkView::Unreached => "Not reached",
        WorkView::Unscheduled => "Not booked",
        WorkView::AwaitingNote => "Waiting for the note",
        WorkView::Replies => "Replies to read",
        WorkView::InDoubt => "In doubt",
        WorkView::Dead => "Not delivered",
        WorkView::Everyone => "Everyone",
    }
}

fn empty(view: WorkView) -> &'static str {
    match view {
        WorkView::NeedsMe => "Nothing wants you now. What comes next comes by itself.",
        WorkView::Unreached => "Every patient has had a message or has answered.",
        WorkView::Unscheduled => "Everybody has an appointment.",
        WorkView::AwaitingNote => "No office owes a note.",
        WorkView::Replies => "Every reply has been read.",
        WorkView::InDoubt => "It is known of every message whether it left.",
        WorkView::Dead => "Everything could be delivered.",
        WorkView::Everyone => "No referral is under way. The first appears when the chart orders it.",
    }
}

impl Query {
    fn work(&self) -> WorkQuery {
        let view = WorkView::ALL.into_iter().find(|view| Some(view.name()) == self.view.as_deref());
        let order = SORTS.into_iter().find(|(_, name, _)| Some(*name) == self.sort.as_deref());
        let given = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
        WorkQuery {
            view: view.unwrap_or_default(),
            order: order.map(|(order, _, _)| order).unwrap_or_default(),
            specialist: given(&self.specialist),
            physician: given(&self.physician),
            page: self.page.unwrap_or(1).saturating_sub(1),
        }
    }

    /// The same with another view or page.
    fn link(&self, view: &str, page: usize) -> String {
        let mut address = form_urlencoded::Serializer::new(String::from("/worklist?"));
        address.append_pair("view", view);
        let kept = [("sort", &self.sort), ("specialist", &self.specialist), ("physician", &self.physician)];
        for (name, value) in kept {
            if let Some(value) = value.as_ref().filter(|value| !value.is_empty()) {
                address.append_pair(name, value);
            }
        }
        if page > 1 {
            address.append_pair("page", &page.to_string());
        }
        address.finish().replacen("?&", "?", 1)
    }
}

pub(super) async fn show(
    State(api): State<Arc<Api>>,
    visitor: Visitor,
    Asked(query): Asked<Query>,
) -> Result<Response, HttpProblem> {
    api.work(move |api| {
        let asked = query.work();
        let list = api.operations.worklist(visitor.person(), &asked)?;
        let times = times(api);
        let mut page = page(visitor.frame(api, title(asked.view)), &query, &asked, &list, &times);
        page.ticks =
            visitor.person().role.may(AccessRight::ChangeTasks) && list.rows.iter().any(|row| row.why.is_some());
        page.colleagues = acts::colleagues(api);
        render(&page)
    })
    .await
}

fn page(frame: Frame, query: &Query, asked: &WorkQuery, list: &Worklist, times: &Times) -> WorklistPage {
    let views = list.counts.iter().map(|(view, count)| ViewLink {
        title: title(*view),
        link: query.link(view.name(), 1),
        count: *count,
        is_current: *view == asked.view,
    });
    let sorts = SORTS.into_iter().map(|(order, value, title)| Choice {
        value: value.into(),
        title: title.into(),
        is_chosen: order == asked.order,
    });
    let last = list.total.div_ceil(WORK_ROWS_MAX).max(1);
    let pages = (1..=last).map(|page| (page, query.link(asked.view.name(), page), page == asked.page + 1));
    WorklistPage {
        frame,
        title: title(asked.view),
        lead: lead(list, asked.view, times),
        view: asked.view.name(),
        views: views.collect(),
        sorts: sorts.collect(),
        specialists: choices(&list.specialists, asked.specialist.as_ref()),
        physicians: choices(&list.physicians, asked.physician.as_ref()),
        is_filtered: asked.specialist.is_some() || asked.physician.is_some(),
        groups: groups(&list.rows, asked.order, times),
        empty: empty(asked.view),
        pages: if last > 1 { pages.collect() } else { Vec::new() },
        is_cut: list.is_cut,
        ticks: false,
        colleagues: Vec::new(),
        here: query.link(asked.view.name(), asked.page + 1),
    }
}

fn choices(known: &[(String, String)], chosen: Option<&String>) -> Vec<Choice> {
    let choice = |(value, title): &(String, String)| Choice {
        value: value.clone(),
        title: title.clone(),
        is_chosen: chosen == Some(value),
    };
    known.iter().map(choice).collect()
}

fn lead(list: &Worklist, view: WorkView, times: &Times) -> String {
    let day = times.day(times.now);
    let what = match (view, list.total) {
        (WorkView::NeedsMe, 0) => "nothing to do".to_string(),
        (WorkView::NeedsMe, total) => format!("{total} to do"),
        (_, 0) => "none".to_string(),
        (_, total) => format!("{total} {}", if total == 1 { "referral" } else { "referrals" }),
    };
    match list.urgent {
        0 => format!("{day} · {what}"),
        urgent => format!("{day} · {what}, {urgent} of them now"),
    }
}

/// Sorted by urgency, a list falls into what is for now, for today, and for later.
fn groups(rows: &[WorkRow], order: WorkOrder, times: &Times) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    for row in rows {
        let (title, is_urgent) = match (&row.why, order) {
            (Some(why), WorkOrder::Urgent) => due(why.urgent, why.due, times),
            (Some(_), _) | (None, _) => ("Referrals", false),
        };
        let row = Row::of(row, times);
        match groups.last_mut().filter(|group| group.title == title) {
            Some(group) => group.rows.push(row),
            None => groups.push(Group { title, is_urgent, rows: vec![row] }),
        }
    }
    groups
}

fn due(urgent: bool, due: DateTime<Utc>, times: &Times) -> (&'static str, bool) {
    match times.days_since(due) {
        _ if urgent => ("Now", true),
        days if days > 0 => ("Late", false),
        0 => ("Today", false),
        _ if due - times.now < TimeDelta::days(7) => ("This week", false),
        _ => ("Later", false),
    }
}
