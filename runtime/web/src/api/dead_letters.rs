//! `/api/dead-letters`: what waits for a person.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use chrono::{DateTime, Utc};
use handoff_operations::dead_letters::{DeadGroup, Dismiss, Replay, Show, Shown, all, grouped};
use handoff_store::Position;
use handoff_store::index::{DeadItem, PAGE_MAX, WhatDied};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::Api;
use super::access::Caller;
use super::extract::{Asked, Body, Named, Reason};
use super::problem::{HttpProblem, failed};

/// A letter that could not be carried, or a delivery that could not be read.
#[derive(Serialize, ToSchema)]
pub(super) struct Dead {
    item: String,
    /// Its place in the journal; a list goes on `after` it.
    position: u64,
    #[schema(value_type = String, format = DateTime)]
    at: DateTime<Utc>,
    /// `letter` or `delivery`.
    what: &'static str,
    why: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    help: Option<String>,
}

/// What has one fault, and is looked at once.
#[derive(Serialize, ToSchema)]
pub(super) struct DeadKind {
    count: usize,
    first: Dead,
    #[schema(value_type = String, format = DateTime)]
    last: DateTime<Utc>,
}

/// A dead delivery's bytes.
#[derive(Serialize, ToSchema)]
pub(super) struct Bytes {
    #[schema(format = Byte)]
    pub(super) base64: String,
}

/// What became of something that was taken up again.
#[derive(Serialize, ToSchema)]
pub(super) struct Again {
    #[schema(value_type = Object)]
    outcome: handoff_pipeline::intake::redelivery::Replayed,
}

impl From<DeadItem> for Dead {
    fn from(dead: DeadItem) -> Dead {
        let DeadItem { item, position: Position(position), at, what } = dead;
        match what {
            WhatDied::Letter { letter: _, why } => Dead { item, position, at, what: "letter", why, help: None },
            WhatDied::Delivery { source, kind, location, message, help } => {
                let why = format!("from {source} ({kind}), at {location}: {message}");
                Dead { item, position, at, what: "delivery", why, help: Some(help) }
            }
        }
    }
}

/// Where to go on: a list ends where no more is left, not where a page does.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct After {
    /// The `position` of the last one that is known.
    pub(super) after: Option<u64>,
}

/// What waits for a person, oldest first, some 10,000 at a time.
#[utoipa::path(
    get, path = "/api/dead-letters", tag = "dead letters", params(After),
    responses((status = 200, body = [Dead]), HttpProblem)
)]
pub(super) async fn list(
    State(api): State<Arc<Api>>,
    Asked(after): Asked<After>,
) -> Result<Json<Vec<Dead>>, HttpProblem> {
    api.work(move |api| {
        let after = Position(after.after.unwrap_or_default());
        let dead =
            api.operations.pipeline.store.index().dead_letters(after, PAGE_MAX).map_err(|error| failed(&error))?;
        Ok(Json(dead.into_iter().map(Dead::from).collect()))
    })
    .await
}

/// What waits for a person, by what is wrong with it.
#[utoipa::path(
    get, path = "/api/dead-letters/kinds", tag = "dead letters",
    responses((status = 200, body = [DeadKind]), HttpProblem)
)]
pub(super) async fn kinds(State(api): State<Arc<Api>>) -> Result<Json<Vec<DeadKind>>, HttpProblem> {
    api.work(move |api| {
        let items = all(api.operations.pipeline.store.index()).map_err(|error| failed(&error))?;
        let told = |DeadGroup { count, first, last }| DeadKind { count, first: first.into(), last };
        Ok(Json(grouped(items).into_iter().map(told).collect()))
    })
    .await
}

/// A dead delivery's bytes, in clear: for whoever mends it.
#[utoipa::path(
    get, path = "/api/dead-letters/{item}", tag = "dead letters", params(("item" = String, Path)),
    responses((status = 200, body = Bytes), HttpProblem)
)]
pub(super) async fn show(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Named(item): Named,
) -> Result<Json<Bytes>, HttpProblem> {
    let Shown { base64 } = api.carry(caller, "to mend what could not be read".into(), Show { item }).await?;
    Ok(Json(Bytes { base64 }))
}

/// Take a dead delivery in again, or owe a dead letter anew.
#[utoipa::path(
    post, path = "/api/dead-letters/{item}/replay", tag = "dead letters", request_body = Reason,
    params(("item" = String, Path), ("X-CSRF-Token" = String, Header)),
    responses((status = 200, body = Again), HttpProblem)
)]
pub(super) async fn replay(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Named(item): Named,
    Body(reason): Body<Reason>,
) -> Result<Json<Again>, HttpProblem> {
    let outcome = api.carry(caller, reason.read()?, Replay { item }).await?;
    Ok(Json(Again { outcome }))
}

/// Lay a dead letter or delivery aside.
#[utoipa::path(
    post, path = "/api/dead-letters/{item}/dismiss", tag = "dead letters", request_body = Reason,
    params(("item" = String, Path), ("X-CSRF-Token" = String, Header)),
    responses((status = 204, description = "Nothing more is to be done about it"), HttpProblem)
)]
pub(super) async fn dismiss(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Named(item): Named,
    Body(reason): Body<Reason>,
) -> Result<StatusCode, HttpProblem> {
    api.carry(caller, reason.read()?, Dismiss { item }).await?;
    Ok(StatusCode::NO_CONTENT)
}
