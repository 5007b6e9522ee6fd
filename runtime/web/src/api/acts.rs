//! `/api/referrals/{id}/acts` and `/api/tasks`: what people do, in their role's name.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use chrono::{DateTime, Utc};
use handoff_engine::act::GivenAnswers;
use handoff_engine::ids::{LetterId, ReferralId};
use handoff_engine::letter::Audience;
use handoff_engine::task::TaskChange;
use handoff_operations::acts::{DoAct, OfferedAct};
use handoff_operations::referrals::PAGE_ROWS_MAX;
use handoff_operations::tasks::{ChangeTask, TaskCursor, TaskPage, WhichTasks};
use handoff_operations::views::TaskView;
use handoff_pipeline::referrals::acts::Acted;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::access::Caller;
use super::extract::{Asked, Body, LongBody, Named, reason};
use super::problem::{HttpProblem, ProblemKind};
use super::{Api, refused};

/// What is to be done.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Doing {
    /// An act that the referral offers.
    act: String,
    /// Texts by the question's name, as somebody typed them; parts under `question.part`.
    #[serde(default)]
    #[schema(value_type = std::collections::BTreeMap<String, String>)]
    answers: GivenAnswers,
    /// Why, without naming the patient: the journal has it.
    #[schema(min_length = 1, max_length = 500)]
    why: String,
}

/// What came of it.
#[derive(Serialize, ToSchema)]
pub(super) struct Done {
    #[schema(value_type = String)]
    referral: ReferralId,
    /// Where the referral stands now.
    state: String,
    confirm: String,
    /// Messages to the patient that are owed for it.
    owed: Vec<Owed>,
    /// Rules that keep a message from the patient.
    refused: Vec<String>,
    /// Kinds of tasks that are moot by it.
    moot: Vec<String>,
}

#[derive(Serialize, ToSchema)]
pub(super) struct Owed {
    letter: String,
    channel: String,
    #[schema(value_type = String, format = DateTime)]
    due: DateTime<Utc>,
}

impl From<Acted> for Done {
    fn from(acted: Acted) -> Done {
        let Acted { referral, state, confirm, owed, refused, moot } = acted;
        let owed = owed.into_iter().map(|it| Owed { letter: it.letter, channel: it.channel, due: it.due }).collect();
        Done { referral, state, confirm, owed, refused, moot }
    }
}

/// Which open tasks; all that are given must hold.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct WorklistFilter {
    /// `coordinator`, `physician` or `specialist`.
    #[param(value_type = Option<String>)]
    audience: Option<Audience>,
    /// The workflow's word for it.
    kind: Option<String>,
    /// Whose: a person's name, or empty for what nobody has.
    assignee: Option<String>,
    /// Due at this moment or before (RFC 3339).
    #[param(value_type = Option<String>, format = DateTime)]
    due_by: Option<DateTime<Utc>>,
    /// Those put off as well.
    #[serde(default)]
    snoozed: bool,
    /// No more than so many.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<usize>,
    /// What the page before gave as `next`.
    cursor: Option<String>,
}

/// What is to become of a task.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Changing {
    /// `{"change": "done"}`, `{"change": "assigned", "to": "ana"}` (or `null`), `{"change": "snoozed", "until": …}`,
    /// `{"change": "reopened"}`.
    #[schema(value_type = Object)]
    what: TaskChange,
    #[schema(min_length = 1, max_length = 500)]
    why: String,
}

fn referral(named: &str) -> Result<ReferralId, HttpProblem> {
    named.parse().map_err(|_| HttpProblem::told(ProblemKind::NotFound, "there is no such referral"))
}

/// What you may do to a referral where it stands.
#[utoipa::path(
    get, path = "/api/referrals/{id}/acts", tag = "acts", params(("id" = String, Path)),
    responses((status = 200, body = [OfferedAct]), HttpProblem)
)]
pub(super) async fn offered(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Named(named): Named,
) -> Result<Json<Vec<OfferedAct>>, HttpProblem> {
    let id = referral(&named)?;
    api.work(move |api| Ok(Json(api.operations.offered_acts(&caller.person, id).map_err(refused)?))).await
}

/// Do it. A document among the answers may make the body fifteen megabytes long.
#[utoipa::path(
    post, path = "/api/referrals/{id}/acts", tag = "acts", request_body = Doing,
    params(("id" = String, Path), ("X-CSRF-Token" = String, Header)),
    responses((status = 200, body = Done), HttpProblem)
)]
pub(super) async fn act(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Named(named): Named,
    LongBody(Doing { act, answers, why }): LongBody<Doing>,
) -> Result<Json<Done>, HttpProblem> {
    let (referral, why) = (referral(&named)?, reason(why)?);
    let doing = DoAct { referral, act, answers };
    api.work(move |api| Ok(Json(api.operations.do_act(&caller.person, doing, why).map_err(refused)?.into()))).await
}

/// Every task of one referral, those that have ended with how and by whom.
#[utoipa::path(
    get, path = "/api/referrals/{id}/tasks", tag = "tasks", params(("id" = String, Path)),
    responses((status = 200, body = [TaskView]), HttpProblem)
)]
pub(super) async fn tasks_of_one(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Named(named): Named,
) -> Result<Json<Vec<TaskView>>, HttpProblem> {
    let id = referral(&named)?;
    api.work(move |api| Ok(Json(api.operations.referral_tasks(&caller.person, id)?))).await
}

/// Open tasks, the first due first.
#[utoipa::path(
    get, path = "/api/worklists/tasks", tag = "worklists", params(WorklistFilter),
    responses((status = 200, body = TaskPage), HttpProblem)
)]
pub(super) async fn tasks(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Asked(filter): Asked<WorklistFilter>,
) -> Result<Json<TaskPage>, HttpProblem> {
    let WorklistFilter { audience, kind, assignee, due_by, snoozed, limit, cursor } = filter;
    let unreadable = |_| HttpProblem::told(ProblemKind::Unreadable, "the cursor is none");
    let after = cursor.map(|cursor| cursor.parse::<TaskCursor>()).transpose().map_err(unreadable)?;
    let assignee = assignee.map(|name| Some(name).filter(|name| !name.is_empty()));
    let limit = limit.unwrap_or(PAGE_ROWS_MAX);
    let which = WhichTasks { audience, kind, assignee, due_by, snoozed, after, limit };
    api.work(move |api| Ok(Json(api.operations.tasks(&caller.person, &which)?))).await
}

/// Take a task, give it to somebody, put it off, end it, open it again.
#[utoipa::path(
    post, path = "/api/tasks/{task}", tag = "tasks", request_body = Changing,
    params(("task" = String, Path), ("X-CSRF-Token" = String, Header)),
    responses((status = 200, body = TaskView), HttpProblem)
)]
pub(super) async fn change_task(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Named(named): Named,
    Body(Changing { what, why }): Body<Changing>,
) -> Result<Json<TaskView>, HttpProblem> {
    let no_such_task = |_| HttpProblem::told(ProblemKind::NotFound, "there is no such task");
    let task: LetterId = named.parse().map_err(no_such_task)?;
    let why = reason(why)?;
    api.work(move |api| {
        let change = ChangeTask { task, change: what };
        let changed = api.operations.change_task(&caller.person, change, why).map_err(refused)?;
        let now = api.operations.pipeline.clock.now();
        Ok(Json(TaskView::of(task.referral, &changed, None, now, None)))
    })
    .await
}
