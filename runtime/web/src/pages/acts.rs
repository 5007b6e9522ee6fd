//! What people do: the acts that a referral offers where it stands, each a form made of what the workflow asks; and each task's
//! life, one by one on its referral's page and several at once on the worklist.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::State;
use axum::response::Redirect;
use chrono::{DateTime, Days, NaiveTime, Utc};
use handoff_engine::act::GivenAnswers;
use handoff_engine::answer::AnswerKind;
use handoff_engine::ids::{LetterId, ReferralId};
use handoff_engine::task::TaskChange;
use handoff_identity::role::Role;
use handoff_operations::acts::{AskedQuestion, DoAct, OfferedAct};
use handoff_operations::tasks::ChangeTask;

use super::access::Sent;
use super::frame::{Visitor, times};
use super::times::Times;
use super::words;
use crate::api::Api;
use crate::api::extract::{Named, reason};
use crate::api::problem::{HttpProblem, ProblemKind};
use crate::api::refused;

/// Stands before a question's name in a form, so that no question is taken for a field of the form's own.
const ANSWER: &str = "a.";

/// An act as a form.
pub(super) struct ActForm {
    pub name: String,
    pub label: String,
    pub icon: &'static str,
    /// It ends something: it asks once more.
    pub is_grave: bool,
    pub has_file: bool,
    pub fields: Vec<ActField>,
}

pub(super) struct ActField {
    pub name: String,
    pub label: String,
    pub is_optional: bool,
    /// `text`, `line`, `date`, `datetime`, `file` or `choice`.
    pub kind: &'static str,
    pub choices: Vec<(String, String)>,
    /// What can be answered besides: name and label.
    pub parts: Vec<(String, &'static str)>,
}

pub(super) fn forms(offered: Vec<OfferedAct>) -> Vec<ActForm> {
    offered.into_iter().map(form).collect()
}

fn form(act: OfferedAct) -> ActForm {
    let (icon, is_grave) = match act.name.as_str() {
        "call" => ("phone", false),
        "book" | "move" => ("cal", false),
        "write" | "send-letter" | "read-reply" => ("msg", false),
        "reroute" | "specialist-declined" | "refer-to" => ("swap", false),
        "attended" | "missed" | "opt-in" => ("check", false),
        "request-note" => ("doc", false),
        "address" => ("plus", false),
        "take-over" => ("person", false),
        "resume" | "reopen" => ("undo", false),
        "close" | "decline" | "cancel-visit" => ("x", true),
        "opt-out" => ("stop", true),
        _ => ("pen", false),
    };
    let fields: Vec<ActField> = act.asks.iter().map(field).collect();
    let has_file = fields.iter().any(|field| field.kind == "file");
    ActForm { fields, has_file, name: act.name, label: act.label, icon, is_grave }
}

fn field(question: &AskedQuestion) -> ActField {
    let kind = match question.kind {
        AnswerKind::Appointment => "datetime",
        AnswerKind::Date => "date",
        AnswerKind::Text => "text",
        AnswerKind::Specialist | AnswerKind::Address => "line",
        AnswerKind::Document => "file",
        AnswerKind::Consent
        | AnswerKind::Channel
        | AnswerKind::ReplyIntent
        | AnswerKind::CallOutcome
        | AnswerKind::RerouteReason
        | AnswerKind::Letter => "choice",
    };
    let choices = question.choices.iter().map(|choice| (choice.clone(), words::choice(question.kind, choice)));
    // What kind of file it is, the browser says.
    let parts = question
        .parts
        .iter()
        .filter(|_| kind != "file")
        .map(|part| (format!("{ANSWER}{}.{part}", question.name), words::part(part)));
    ActField {
        name: format!("{ANSWER}{}", question.name),
        label: question.label.clone(),
        is_optional: question.optional,
        kind,
        choices: choices.collect(),
        parts: parts.collect(),
    }
}

/// `POST /referrals/{id}/acts`.
pub(super) async fn act(
    State(api): State<Arc<Api>>,
    visitor: Visitor,
    Named(named): Named,
    sent: Sent,
) -> Result<Redirect, HttpProblem> {
    let referral: ReferralId = named.parse().map_err(|_| HttpProblem::of(ProblemKind::NotFound))?;
    let act = sent.text("act").unwrap_or_default().to_string();
    let given = sent.fields().filter_map(|(name, text)| Some((name.strip_prefix(ANSWER)?.to_string(), text.trim())));
    let given = given.filter(|(_, text)| !text.is_empty()).map(|(name, text)| (name, text.to_string()));
    let answers = GivenAnswers(given.collect::<BTreeMap<_, _>>());
    // Whoever presses a button has said why, unless they say more.
    let why = reason(sent.text("why").filter(|why| !why.is_empty()).unwrap_or(&act).to_string())?;
    api.work(move |api| {
        let doing = DoAct { referral, act: act.clone(), answers };
        api.operations.do_act(visitor.person(), doing, why).map_err(refused)?;
        Ok(Redirect::to(&format!("/referrals/{referral}?done={}", words::plain(&act))))
    })
    .await
}

/// What is to become of tasks, as a form says it.
fn change(sent: &Sent, times: &Times, who: &str) -> Result<TaskChange, HttpProblem> {
    let unfit = |told: &str| HttpProblem::told(ProblemKind::Unfit, told);
    match sent.text("change").unwrap_or_default() {
        "done" => Ok(TaskChange::Done),
        "take" => Ok(TaskChange::Assigned { to: Some(who.to_string()) }),
        "give" => match sent.text("to").unwrap_or_default() {
            "" => Err(unfit("nobody was chosen to give it to")),
            "nobody" => Ok(TaskChange::Assigned { to: None }),
            name => Ok(TaskChange::Assigned { to: Some(name.to_string()) }),
        },
        "snooze" => {
            let days = sent.text("days").and_then(|days| days.parse().ok()).filter(|days| (1..=90).contains(days));
            let days = days.ok_or(unfit("no day was chosen until when it is put off"))?;
            Ok(TaskChange::Snoozed { until: morning(times, days) })
        }
        _ => Err(unfit("nothing was chosen to be done")),
    }
}

/// When the practice opens, so many days on.
fn morning(times: &Times, days: u64) -> DateTime<Utc> {
    let opens = NaiveTime::from_hms_opt(8, 0, 0).unwrap_or_default();
    let at = (times.today() + Days::new(days)).and_time(opens).and_local_timezone(times.zone).earliest();
    at.map_or(times.now, |at| at.with_timezone(&Utc))
}

/// `POST /tasks`: one, or all that are ticked.
pub(super) async fn tasks(State(api): State<Arc<Api>>, visitor: Visitor, sent: Sent) -> Result<Redirect, HttpProblem> {
    api.work(move |api| {
        let tasks = sent.all("t").map(|task| task.parse::<LetterId>());
        let tasks: Vec<LetterId> =
            tasks.collect::<Result<_, _>>().map_err(|_| HttpProblem::of(ProblemKind::NotFound))?;
        if tasks.is_empty() {
            return Err(HttpProblem::told(ProblemKind::Unfit, "nothing was ticked"));
        }
        let change = change(&sent, &times(api), &visitor.person().name)?;
        let why = sent.text("why").filter(|why| !why.is_empty()).unwrap_or("on the worklist").to_string();
        let why = reason(why)?;
        for task in tasks {
            let asked = ChangeTask { task, change: change.clone() };
            api.operations.change_task(visitor.person(), asked, why.clone()).map_err(refused)?;
        }
        Ok(Redirect::to(&sent.back("/worklist")))
    })
    .await
}

/// What the workflow says once an act is done.
pub(super) fn confirmed(api: &Api, act: &str) -> Option<String> {
    let current = api.operations.pipeline.deployments.current();
    current.workflow().acts.iter().find(|known| known.name == act).map(|known| known.confirm.clone())
}

/// Who may be given a task.
pub(super) fn colleagues(api: &Api) -> Vec<String> {
    let people = api.operations.people.list().into_iter();
    let may = |role: Role| matches!(role, Role::Coordinator | Role::Physician | Role::Manager);
    people.filter(|account| may(account.role) && !account.locked).map(|account| account.name).collect()
}
