//! `/set-up/{token}`: the first account of a new instance, by a link that is printed where it was started. Once somebody has an
//! account it leads nowhere.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use chrono::{DateTime, TimeDelta, Utc};
use handoff_identity::password::Password;
use handoff_identity::role::Role;
use handoff_identity::sign_in::SignInAttempt;
use handoff_operations::accounts::{Add, Welcome};
use handoff_operations::operations::{Operator, Request as _};
use handoff_store::Record;
use handoff_vault::system_dice;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use super::access::Sent;
use super::assets;
use super::frame::{render, render_as};
use super::sign_in::admit;
use super::theme::Theme;
use crate::api::Api;
use crate::api::extract::{Named, Whence};
use crate::api::problem::{HttpProblem, ProblemKind};
use crate::api::refused;

/// To read the terminal and open a browser.
const GOOD_FOR: TimeDelta = TimeDelta::hours(1);

/// By what the first person is known: a hash, and until when.
pub(crate) struct SetUpLink {
    digest: [u8; 32],
    until: DateTime<Utc>,
}

#[derive(Template)]
#[template(path = "set-up.html")]
struct SetUpPage {
    style: String,
    theme: Theme,
    name: String,
    problem: Option<String>,
}

impl SetUpLink {
    /// With what stands in the link.
    pub fn new(now: DateTime<Utc>) -> (SetUpLink, Password) {
        let token = Password::generate(&mut *system_dice());
        (SetUpLink { digest: Sha256::digest(token.as_str()).into(), until: now + GOOD_FOR }, token)
    }
}

fn check(api: &Api, token: &str) -> Result<(), HttpProblem> {
    let now = api.operations.pipeline.clock.now();
    let digest: [u8; 32] = Sha256::digest(token).into();
    let opens = |link: &SetUpLink| bool::from(link.digest.ct_eq(&digest)) && now < link.until;
    match api.set_up.as_ref().is_some_and(opens) && api.operations.people.list().is_empty() {
        true => Ok(()),
        false => Err(HttpProblem::of(ProblemKind::NotFound)),
    }
}

pub(super) async fn show(
    State(api): State<Arc<Api>>,
    theme: Theme,
    Named(token): Named,
) -> Result<Response, HttpProblem> {
    check(&api, &token)?;
    render(&SetUpPage { style: assets::style(), theme, name: String::new(), problem: None })
}

pub(super) async fn add(
    State(api): State<Arc<Api>>,
    theme: Theme,
    Whence(from): Whence,
    Named(token): Named,
    sent: Sent,
) -> Result<Response, HttpProblem> {
    let name = sent.said("name").to_lowercase();
    let password = Zeroizing::new(sent.exactly("password").unwrap_or_default().to_string());
    let again = sent.exactly("again").is_some_and(|again| again == *password);
    let _turn = api.passwords.acquire().await.map_err(|_| HttpProblem::of(ProblemKind::Failed))?;
    api.work(move |api| {
        check(api, &token)?;
        let wrong = |problem: String| {
            let page = SetUpPage { style: assets::style(), theme, name: name.clone(), problem: Some(problem) };
            render_as(StatusCode::UNPROCESSABLE_ENTITY, &page)
        };
        if !again {
            return wrong("The two passwords are not the same.".into());
        }
        let operator = Operator { who: "set-up".into(), role: None, why: "the first account of this instance".into() };
        let chosen = Password::typed(password);
        let first = Add { name: name.clone(), role: Role::It, provider: None, password: None, second_factor: false };
        let made = match chosen.clone().acceptable(&name, false) {
            Ok(_) => first.perform(&api.operations, operator).map_err(refused),
            Err(error) => Err(HttpProblem::told(ProblemKind::Unfit, &error.to_string())),
        };
        let once = match made {
            Ok(Welcome { password: Some(once), .. }) => once,
            Ok(_) => return Ok(Redirect::to("/sign-in").into_response()),
            Err(problem) if problem.status < 500 => return wrong(format!("{} {}", problem.detail, problem.help)),
            Err(problem) => return Err(problem),
        };
        // As everybody signs in for the first time: with a password that is good for once, and one of their own.
        let now = api.operations.pipeline.clock.now();
        let attempt =
            SignInAttempt { name: &name, password: &once, code: None, new_password: Some(chosen), from: &from, now };
        match api.operations.people.sign_in(attempt, &|record: Record| api.operations.commit(record)) {
            Ok(admitted) => admit(api, &admitted, now),
            Err(_) => Ok(Redirect::to("/sign-in").into_response()),
        }
    })
    .await
}
