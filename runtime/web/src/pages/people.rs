//! `/people`: who has an account, for whoever runs the machine. No patient is in any of it.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse as _, Redirect, Response};
use handoff_identity::account::AccountSummary;
use handoff_identity::role::Role;
use handoff_operations::accounts::{Add, List, Lock, Remove, Reset, Unlock, Welcome};
use handoff_operations::operations::Request;

use super::access::Sent;
use super::frame::{Frame, Visitor, render, times};
use super::times::Times;
use super::words::{self, Sign};
use crate::api::Api;
use crate::api::extract::Named;
use crate::api::problem::HttpProblem;

#[derive(Template)]
#[template(path = "people.html")]
struct PeoplePage {
    frame: Frame,
    people: Vec<PersonRow>,
    roles: Vec<(&'static str, &'static str)>,
    problem: Option<HttpProblem>,
    /// Told once.
    welcome: Option<Told>,
}

struct PersonRow {
    name: String,
    role: &'static str,
    detail: String,
    signs: Vec<Sign>,
    is_locked: bool,
    is_self: bool,
}

/// What a person has to be told, now: it is not shown again.
struct Told {
    name: String,
    password: String,
    second_factor: String,
}

impl PersonRow {
    fn of(account: AccountSummary, visitor: &Visitor, times: &Times) -> PersonRow {
        let mut signs = Vec::new();
        let locked_until = account.locked_until.filter(|until| *until > times.now);
        if account.locked {
            signs.push(Sign::new("stop", "bad", "Locked"));
        } else if let Some(until) = locked_until {
            signs.push(Sign::new("clock", "warn", format!("Locked out until {}", times.at(until))));
        }
        if account.one_time {
            signs.push(Sign::new("wait", "", "Has not chosen a password yet"));
        }
        signs.push(match account.second_factor {
            true => Sign::new("done", "ok", "With an authenticator app"),
            false => Sign::new("pen", "", "Password alone"),
        });
        PersonRow {
            is_self: account.name == visitor.person().name,
            role: words::role(account.role),
            detail: account.provider.map(|provider| format!("Provider number {provider}")).unwrap_or_default(),
            signs,
            is_locked: account.locked || locked_until.is_some(),
            name: account.name,
        }
    }
}

fn told(name: String, welcome: Welcome) -> Told {
    let Welcome { password, second_factor } = welcome;
    Told {
        name,
        password: password.map(|password| password.as_str().to_string()).unwrap_or_default(),
        second_factor: second_factor.map(|url| url.to_string()).unwrap_or_default(),
    }
}

async fn page(
    api: &Arc<Api>,
    visitor: Visitor,
    welcome: Option<Told>,
    problem: Option<HttpProblem>,
) -> Result<Response, HttpProblem> {
    let people = api.carry(visitor.caller.clone(), "to see who has an account".into(), List {}).await?;
    api.work(move |api| {
        let times = times(api);
        let people = people.into_iter().map(|account| PersonRow::of(account, &visitor, &times));
        render(&PeoplePage {
            people: people.collect(),
            roles: Role::ALL.map(|role| (role.name(), words::role(role))).to_vec(),
            frame: visitor.frame(api, "People"),
            problem,
            welcome,
        })
    })
    .await
}

pub(super) async fn list(State(api): State<Arc<Api>>, visitor: Visitor) -> Result<Response, HttpProblem> {
    page(&api, visitor, None, None).await
}

/// What a person can mend is told on the page, beside what they typed it for.
fn mendable(problem: HttpProblem) -> Result<HttpProblem, HttpProblem> {
    if matches!(problem.status, 404 | 409 | 422) { Ok(problem) } else { Err(problem) }
}

pub(super) async fn add(State(api): State<Arc<Api>>, visitor: Visitor, sent: Sent) -> Result<Response, HttpProblem> {
    let text = |field: &str| sent.text(field).unwrap_or_default().to_string();
    let role = Role::ALL.into_iter().find(|role| role.name() == text("role")).unwrap_or(Role::Coordinator);
    let provider = Some(text("provider")).filter(|provider| !provider.is_empty());
    let second_factor = sent.text("second_factor").is_some();
    let name = text("name").to_lowercase();
    let request = Add { name: name.clone(), role, provider, password: None, second_factor };
    match api.carry(visitor.caller.clone(), text("why"), request).await {
        Ok(welcome) => page(&api, visitor, Some(told(name, welcome)), None).await,
        Err(problem) => page(&api, visitor, None, Some(mendable(problem)?)).await,
    }
}

pub(super) async fn reset(
    State(api): State<Arc<Api>>,
    visitor: Visitor,
    Named(name): Named,
    sent: Sent,
) -> Result<Response, HttpProblem> {
    let second_factor = sent.text("second_factor").is_some();
    let request = Reset { name: name.clone(), password: None, second_factor };
    match api.carry(visitor.caller.clone(), sent.said("why"), request).await {
        Ok(welcome) => page(&api, visitor, Some(told(name, welcome)), None).await,
        Err(problem) => page(&api, visitor, None, Some(mendable(problem)?)).await,
    }
}

/// What a form asks to be done with somebody; then the list, or what stood in the way.
async fn carry<R: Request<Answer = ()>>(
    api: Arc<Api>,
    visitor: Visitor,
    sent: &Sent,
    request: R,
) -> Result<Response, HttpProblem> {
    match api.carry(visitor.caller.clone(), sent.said("why"), request).await {
        Ok(()) => Ok(Redirect::to("/people").into_response()),
        Err(problem) => page(&api, visitor, None, Some(mendable(problem)?)).await,
    }
}

pub(super) async fn lock(
    State(api): State<Arc<Api>>,
    visitor: Visitor,
    Named(name): Named,
    sent: Sent,
) -> Result<Response, HttpProblem> {
    carry(api, visitor, &sent, Lock { name }).await
}

pub(super) async fn unlock(
    State(api): State<Arc<Api>>,
    visitor: Visitor,
    Named(name): Named,
    sent: Sent,
) -> Result<Response, HttpProblem> {
    carry(api, visitor, &sent, Unlock { name }).await
}

pub(super) async fn remove(
    State(api): State<Arc<Api>>,
    visitor: Visitor,
    Named(name): Named,
    sent: Sent,
) -> Result<Response, HttpProblem> {
    carry(api, visitor, &sent, Remove { name }).await
}
