//! `/dead-letters`: what could not be delivered or read, and waits for a person.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse as _, Redirect, Response};
use handoff_identity::role::AccessRight;
use handoff_operations::dead_letters::{Dismiss, Replay, Show, Shown};
use handoff_operations::operations::{Operator, Request as _};
use handoff_store::Position;
use handoff_store::index::{DeadItem, WhatDied};
use serde::Deserialize;

use super::access::Sent;
use super::frame::{Frame, Visitor, render, times};
use super::times::Times;
use super::words;
use crate::api::Api;
use crate::api::extract::{Asked, Named};
use crate::api::problem::{HttpProblem, failed};
use crate::api::refused;

/// What a person looks through without losing their place.
const ROWS_MAX: usize = 50;

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Query {
    after: Option<u64>,
}

#[derive(Template)]
#[template(path = "dead-letters.html")]
struct DeadLettersPage {
    frame: Frame,
    letters: u64,
    deliveries: u64,
    rows: Vec<Dead>,
    may_settle: bool,
    next: Option<u64>,
}

struct Dead {
    item: String,
    title: String,
    from: String,
    why: String,
    help: Option<String>,
    at: String,
    /// Of a letter, the referral's page; a delivery belongs to none.
    referral: Option<String>,
    /// Whoever may see what came in, to mend it.
    may_open: bool,
}

impl Dead {
    fn of(dead: DeadItem, opens: bool, times: &Times) -> Dead {
        let DeadItem { item, position: _, at, what } = dead;
        let at = times.exactly(at);
        match what {
            WhatDied::Letter { letter, why } => Dead {
                item,
                title: format!("A letter of {}", words::number(letter.referral)),
                from: String::new(),
                why,
                help: None,
                at,
                referral: Some(letter.referral.to_string()),
                may_open: false,
            },
            WhatDied::Delivery { source, kind, location, message, help } => Dead {
                item,
                title: format!("A message {kind}"),
                from: format!("from {source}"),
                why: format!("{message} (at {location})"),
                help: Some(help),
                at,
                referral: None,
                may_open: opens,
            },
        }
    }
}

pub(super) async fn list(
    State(api): State<Arc<Api>>,
    visitor: Visitor,
    Asked(query): Asked<Query>,
) -> Result<Response, HttpProblem> {
    api.work(move |api| {
        let (index, times, role) = (api.operations.pipeline.store.index(), times(api), visitor.person().role);
        let after = Position(query.after.unwrap_or_default());
        let dead = index.dead_letters(after, ROWS_MAX).map_err(|error| failed(&error))?;
        let next = dead.last().filter(|_| dead.len() >= ROWS_MAX).map(|last| last.position.0);
        let count = index.dead_count().map_err(|error| failed(&error))?;
        let opens = role.may(AccessRight::DeadBytes);
        render(&DeadLettersPage {
            frame: visitor.frame(api, "Not delivered"),
            letters: count.letters,
            deliveries: count.deliveries,
            rows: dead.into_iter().map(|dead| Dead::of(dead, opens, &times)).collect(),
            may_settle: role.may(AccessRight::SettleDeadLetters),
            next,
        })
    })
    .await
}

/// Who does something, and why.
pub(super) fn operator(visitor: &Visitor, why: String) -> Operator {
    let person = visitor.person();
    Operator { who: person.name.clone(), role: Some(person.role.name().into()), why }
}

/// What came in, as a file.
pub(super) fn as_file(shown: &Shown) -> Result<Response, HttpProblem> {
    let bytes = shown.bytes().map_err(refused)?;
    let headers =
        [(CONTENT_TYPE, "application/octet-stream"), (CONTENT_DISPOSITION, "attachment; filename=\"message.txt\"")];
    Ok((headers, bytes).into_response())
}

/// What came in, as a file: it was written by somebody else, and is not shown here.
pub(super) async fn bytes(
    State(api): State<Arc<Api>>,
    visitor: Visitor,
    Named(item): Named,
) -> Result<Response, HttpProblem> {
    api.work(move |api| {
        let operator = operator(&visitor, "to mend what could not be read".into());
        let shown = Show { item }.perform(&api.operations, operator).map_err(refused)?;
        as_file(&shown)
    })
    .await
}

pub(super) async fn replay(
    State(api): State<Arc<Api>>,
    visitor: Visitor,
    Named(item): Named,
    sent: Sent,
) -> Result<Redirect, HttpProblem> {
    api.carry(visitor.caller, sent.said("why"), Replay { item }).await?;
    Ok(Redirect::to("/dead-letters"))
}

pub(super) async fn dismiss(
    State(api): State<Arc<Api>>,
    visitor: Visitor,
    Named(item): Named,
    sent: Sent,
) -> Result<Redirect, HttpProblem> {
    api.carry(visitor.caller, sent.said("why"), Dismiss { item }).await?;
    Ok(Redirect::to("/dead-letters"))
}
