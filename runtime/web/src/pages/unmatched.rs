//! `/unmatched`: what was taken and surely means no referral; a person says which it is, or that it is none.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::{Redirect, Response};
use handoff_identity::role::AccessRight;
use handoff_operations::operations::Request as _;
use handoff_operations::unmatched::{Assign, DismissUnmatched, ShowUnmatched};
use handoff_store::Position;
use handoff_store::index::{PAGE_MAX, UnmatchedItem};
use serde::Deserialize;

use super::access::Sent;
use super::dead_letters::{as_file, operator};
use super::frame::{Frame, Visitor, render, times};
use super::rows::Row;
use super::times::Times;
use super::words;
use crate::api::Api;
use crate::api::extract::{Asked, Named};
use crate::api::problem::{HttpProblem, ProblemKind, failed};
use crate::api::refused;

/// What a person looks through without losing their place.
const ROWS_MAX: usize = 50;

const NONE_CHOSEN: &str =
    "no referral was chosen\nhelp: go back, choose one of those offered, or type another one's number";

const NOT_ONE: &str =
    "what was typed finds no referral, or several\nhelp: go back and type the order's number, or add a date of birth";

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Query {
    /// Those too that no referral is known for.
    #[serde(default)]
    all: bool,
    after: Option<u64>,
}

#[derive(Template)]
#[template(path = "unmatched.html")]
struct UnmatchedPage {
    frame: Frame,
    all: bool,
    /// Of those that may mean a referral, and of the others.
    may_be_ours: usize,
    others: usize,
    rows: Vec<Waiting>,
    may_open: bool,
    may_assign: bool,
    may_dismiss: bool,
    next: Option<u64>,
}

struct Waiting {
    item: String,
    kind: String,
    source: String,
    why: String,
    at: String,
    candidates: Vec<Row>,
}

impl Waiting {
    fn of(api: &Api, visitor: &Visitor, item: UnmatchedItem, times: &Times) -> Result<Waiting, HttpProblem> {
        let UnmatchedItem { item, position: _, at, source, kind, why, candidates } = item;
        let looked = "which referral a message means";
        let found = api.operations.rows_of(visitor.person(), candidates.into_iter(), looked)?;
        let candidates = found.rows.iter().map(|row| Row::of(row, times)).collect();
        Ok(Waiting { item, kind, source, why: words::capital(&why), at: times.exactly(at), candidates })
    }
}

pub(super) async fn list(
    State(api): State<Arc<Api>>,
    visitor: Visitor,
    Asked(Query { all, after }): Asked<Query>,
) -> Result<Response, HttpProblem> {
    api.work(move |api| {
        let (times, role) = (times(api), visitor.person().role);
        let after = Position(after.unwrap_or_default());
        let index = api.operations.pipeline.store.index();
        let waiting = index.unmatched(after, PAGE_MAX).map_err(|error| failed(&error))?;
        let total = waiting.len();
        let (ours, others): (Vec<_>, Vec<_>) = waiting.into_iter().partition(|item| !item.candidates.is_empty());
        let (may_be_ours, others_count) = (ours.len(), others.len());
        let mut shown = if all { others } else { ours };
        let is_more = shown.len() > ROWS_MAX || total >= PAGE_MAX;
        shown.truncate(ROWS_MAX);
        let next = shown.last().filter(|_| is_more).map(|last| last.position.0);
        let rows = shown.into_iter().map(|item| Waiting::of(api, &visitor, item, &times));
        render(&UnmatchedPage {
            all,
            may_be_ours,
            others: others_count,
            rows: rows.collect::<Result<_, _>>()?,
            may_open: role.may(AccessRight::DeadBytes),
            may_assign: role.may(AccessRight::AssignUnmatched),
            may_dismiss: role.may(AccessRight::SettleDeadLetters),
            next,
            frame: visitor.frame(api, "Not matched"),
        })
    })
    .await
}

/// The message itself, as a file: it was written by somebody else, and is not shown here.
pub(super) async fn bytes(
    State(api): State<Arc<Api>>,
    visitor: Visitor,
    Named(item): Named,
) -> Result<Response, HttpProblem> {
    api.work(move |api| {
        let operator = operator(&visitor, "to find out which referral it means".into());
        as_file(&ShowUnmatched { item }.perform(&api.operations, operator).map_err(refused)?)
    })
    .await
}

/// One of those that were offered, or another that is looked for by what the person typed.
pub(super) async fn assign(
    State(api): State<Arc<Api>>,
    visitor: Visitor,
    Named(item): Named,
    sent: Sent,
) -> Result<Redirect, HttpProblem> {
    let typed = sent.text("other").filter(|typed| !typed.is_empty()).map(str::to_string);
    let offered = sent.text("referral").unwrap_or_default().to_string();
    let asked = visitor.clone();
    let meant = api.work(move |api| {
        let Some(typed) = typed else {
            return offered.parse().map_err(|_| HttpProblem::told(ProblemKind::Unfit, NONE_CHOSEN));
        };
        let found = api.operations.search(asked.person(), &typed)?;
        match &found.rows[..] {
            [one] => Ok(one.id),
            _ => Err(HttpProblem::told(ProblemKind::Unfit, NOT_ONE)),
        }
    });
    let referral = meant.await?;
    api.carry(visitor.caller, sent.said("why"), Assign { item, referral }).await?;
    Ok(Redirect::to("/unmatched"))
}

pub(super) async fn dismiss(
    State(api): State<Arc<Api>>,
    visitor: Visitor,
    Named(item): Named,
    sent: Sent,
) -> Result<Redirect, HttpProblem> {
    api.carry(visitor.caller, sent.said("why"), DismissUnmatched { item }).await?;
    Ok(Redirect::to("/unmatched"))
}
