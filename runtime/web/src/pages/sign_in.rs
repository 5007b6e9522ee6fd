//! Signing in with a browser: a name and a password, then whatever else the account asks for. What was right already is kept here
//! for the minutes that the next step takes, in memory alone and wiped after.

use std::collections::HashMap;
use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::http::header::SET_COOKIE;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{AppendHeaders, IntoResponse as _, Redirect, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, TimeDelta, Utc};
use handoff_identity::password::Password;
use handoff_identity::sign_in::{Admitted, SignInAttempt, SignInError};
use handoff_store::Record;
use handoff_vault::SecureRandom;
use parking_lot::Mutex;
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use super::access::Sent;
use super::assets;
use super::frame::{Visitor, home, render, render_as};
use super::theme::Theme;
use crate::api::Api;
use crate::api::access::cookie;
use crate::api::extract::{Named, Whence};
use crate::api::problem::{HttpProblem, ProblemKind};
use crate::api::session::{COOKIE_ATTRIBUTES, cookie_of, gone};

/// Names the step that a browser is at.
const STEP_COOKIE: &str = "__Host-handoff-step";

/// To find the telephone, or to think of a password.
const STEP_FOR: TimeDelta = TimeDelta::minutes(5);

/// More people than a practice has do not sign in within five minutes.
const STEPS_MAX: usize = 1_000;

/// What IT has to do about it, as they are asked on the same page.
const ONE_FACTOR: &str = "Your role signs in with a code of an authenticator app too, and your account has none.";

/// 256 bits: not to be guessed.
const TOKEN_BYTES: usize = 32;

/// Those who have shown a name and a password, and have something left to show.
pub(crate) struct SignInSteps {
    begun: Mutex<HashMap<[u8; 32], SignInStep>>,
    dice: Mutex<SecureRandom>,
}

#[derive(Clone)]
struct SignInStep {
    name: String,
    password: Zeroizing<String>,
    needs: StepNeeds,
    began: DateTime<Utc>,
}

/// What is left to show.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct StepNeeds {
    code: bool,
    choice: bool,
}

/// Accounts that a link lets in, by the hash of what is in it. Only a demonstration has any.
#[derive(Default)]
pub struct SignInLinks(HashMap<[u8; 32], String>);

#[derive(Template)]
#[template(path = "sign-in.html")]
struct SignInPage {
    style: String,
    theme: Theme,
    practice: String,
    name: String,
    problem: Option<String>,
    has_directory: bool,
}

#[derive(Template)]
#[template(path = "sign-in-step.html")]
struct StepPage {
    style: String,
    theme: Theme,
    name: String,
    needs: StepNeeds,
    problem: Option<String>,
}

impl SignInSteps {
    pub fn new(dice: SecureRandom) -> SignInSteps {
        SignInSteps { begun: Mutex::default(), dice: Mutex::new(dice) }
    }

    fn begin(&self, step: SignInStep, now: DateTime<Utc>) -> Zeroizing<String> {
        let mut token = Zeroizing::new([0; TOKEN_BYTES]);
        self.dice.lock().fill_bytes(&mut *token);
        let mut begun = self.begun.lock();
        begun.retain(|_, step| now - step.began < STEP_FOR);
        if begun.len() >= STEPS_MAX {
            begun.clear();
        }
        begun.insert(Sha256::digest(*token).into(), step);
        Zeroizing::new(URL_SAFE_NO_PAD.encode(*token))
    }

    /// A step is taken once; a mistake begins another.
    fn take(&self, headers: &HeaderMap, now: DateTime<Utc>) -> Option<SignInStep> {
        let token = Zeroizing::new(URL_SAFE_NO_PAD.decode(cookie(headers, STEP_COOKIE)?).ok()?);
        let step = self.begun.lock().remove(&<[u8; 32]>::from(Sha256::digest(&*token)))?;
        (now - step.began < STEP_FOR).then_some(step)
    }
}

impl SignInLinks {
    /// For one account; whoever has the link is in.
    pub fn add(&mut self, name: &str, token: &str) {
        self.0.insert(Sha256::digest(token).into(), name.to_string());
    }
}

fn page(api: &Api, theme: Theme, name: &str, problem: Option<&str>) -> Result<Response, HttpProblem> {
    let status = if problem.is_some() { StatusCode::UNAUTHORIZED } else { StatusCode::OK };
    let practice = api.operations.pipeline.deployments.current().workflow().practice.name.clone();
    let (name, problem, has_directory) = (name.to_string(), problem.map(str::to_string), api.oidc.is_some());
    render_as(status, &SignInPage { style: assets::style(), theme, practice, name, problem, has_directory })
}

pub(super) async fn show(
    State(api): State<Arc<Api>>,
    theme: Theme,
    visitor: Option<axum::Extension<Visitor>>,
) -> Result<Response, HttpProblem> {
    match visitor {
        Some(visitor) => Ok(Redirect::to(home(visitor.person().role)).into_response()),
        None => page(&api, theme, "", None),
    }
}

/// Name and password.
pub(super) async fn enter(
    State(api): State<Arc<Api>>,
    Whence(from): Whence,
    theme: Theme,
    sent: Sent,
) -> Result<Response, HttpProblem> {
    let now = api.operations.pipeline.clock.now();
    let name = sent.text("name").unwrap_or_default().to_lowercase();
    let password = Zeroizing::new(sent.exactly("password").unwrap_or_default().to_string());
    let step = SignInStep { name, password, needs: StepNeeds::default(), began: now };
    attempt(api, step, Sent::default(), from, theme).await
}

/// The code, or another password, or both.
pub(super) async fn go_on(
    State(api): State<Arc<Api>>,
    Whence(from): Whence,
    theme: Theme,
    headers: HeaderMap,
    sent: Sent,
) -> Result<Response, HttpProblem> {
    match api.steps.take(&headers, api.operations.pipeline.clock.now()) {
        Some(step) => attempt(api, step, sent, from, theme).await,
        None => page(&api, theme, "", Some("That took longer than five minutes.")),
    }
}

async fn attempt(
    api: Arc<Api>,
    step: SignInStep,
    sent: Sent,
    from: String,
    theme: Theme,
) -> Result<Response, HttpProblem> {
    let _turn = api.passwords.acquire().await.map_err(|_| HttpProblem::of(ProblemKind::Failed))?;
    api.work(move |api| {
        let now = api.operations.pipeline.clock.now();
        let code: Option<String> = sent.text("code").map(|code| code.split_whitespace().collect());
        let new = sent
            .exactly("new_password")
            .filter(|it| !it.is_empty())
            .map(|it| Password::typed(Zeroizing::new(it.to_string())));
        if new.is_some() && sent.exactly("new_password") != sent.exactly("again") {
            return next(api, step, theme, Some("The two new passwords are not the same."));
        }
        let given = Password::typed(step.password.clone());
        let (code, name) = (code.as_deref().filter(|code| !code.is_empty()), step.name.clone());
        let attempt = SignInAttempt { name: &name, password: &given, code, new_password: new, from: &from, now };
        match api.operations.people.sign_in(attempt, &|record: Record| api.operations.commit(record)) {
            Ok(admitted) => admit(api, &admitted, now),
            Err(SignInError::CodeNeeded) => {
                next(api, SignInStep { needs: StepNeeds { code: true, ..step.needs }, ..step }, theme, None)
            }
            Err(SignInError::ChoiceNeeded) => {
                next(api, SignInStep { needs: StepNeeds { choice: true, ..step.needs }, ..step }, theme, None)
            }
            Err(SignInError::Password(error)) => {
                let told = error.to_string();
                let told = told.split("help:").next().unwrap_or_default().trim().to_string();
                next(api, step, theme, Some(&told))
            }
            Err(SignInError::OneFactor) => page(api, theme, &step.name, Some(ONE_FACTOR)),
            Err(SignInError::Refused) if step.needs == StepNeeds::default() => page(
                api,
                theme,
                &step.name,
                Some("That name and password do not go together, or the account is locked."),
            ),
            Err(SignInError::Refused) => {
                next(api, step, theme, Some("That code is not right, or the account is locked."))
            }
            Err(error @ (SignInError::People(_) | SignInError::Commit(_))) => Err(error.into()),
        }
    })
    .await
}

fn next(api: &Api, step: SignInStep, theme: Theme, problem: Option<&str>) -> Result<Response, HttpProblem> {
    let status = if problem.is_some() { StatusCode::UNAUTHORIZED } else { StatusCode::OK };
    let (name, needs, problem) = (step.name.clone(), step.needs, problem.map(str::to_string));
    let now = api.operations.pipeline.clock.now();
    let token = api.steps.begin(SignInStep { began: now, ..step }, now);
    let kept =
        sensitive(&format!("{STEP_COOKIE}={}; {COOKIE_ATTRIBUTES}; Max-Age={}", *token, STEP_FOR.num_seconds()))?;
    let page = render_as(status, &StepPage { style: assets::style(), theme, name, needs, problem })?;
    Ok((AppendHeaders([(SET_COOKIE, kept)]), page).into_response())
}

pub(super) fn admit(api: &Api, admitted: &Admitted, now: DateTime<Utc>) -> Result<Response, HttpProblem> {
    let token = api.sessions.begin(admitted, now);
    let there = Redirect::to(home(admitted.person.role));
    let over = sensitive(&format!("{STEP_COOKIE}=; Max-Age=0; {COOKIE_ATTRIBUTES}"))?;
    let cookies = AppendHeaders([(SET_COOKIE, sensitive(&cookie_of(&token))?), (SET_COOKIE, over)]);
    Ok((cookies, there).into_response())
}

fn sensitive(cookie: &str) -> Result<HeaderValue, HttpProblem> {
    let mut value = HeaderValue::try_from(cookie).map_err(|_| HttpProblem::of(ProblemKind::Failed))?;
    value.set_sensitive(true);
    Ok(value)
}

/// By a link that a demonstration printed.
pub(super) async fn by_link(
    State(api): State<Arc<Api>>,
    Whence(from): Whence,
    Named(token): Named,
) -> Result<Response, HttpProblem> {
    let name = api.links.0.get(&<[u8; 32]>::from(Sha256::digest(&token))).cloned();
    let name = name.ok_or(HttpProblem::of(ProblemKind::NotFound))?;
    api.work(move |api| {
        let now = api.operations.pipeline.clock.now();
        let admitted = api.operations.people.admitted(&name).ok_or(HttpProblem::of(ProblemKind::NotFound))?;
        let signed_in = Record::SignedIn { person: name, from, second_factor: false };
        api.operations.commit(signed_in).map_err(|_| HttpProblem::of(ProblemKind::Unjournaled))?;
        admit(api, &admitted, now)
    })
    .await
}

pub(super) async fn sign_out(State(api): State<Arc<Api>>, visitor: Visitor) -> Result<Response, HttpProblem> {
    api.work(move |api| {
        // Whatever the journal says: nobody is kept signed in who wants out.
        api.sessions.end(&visitor.caller.token);
        let person = visitor.caller.person.name;
        api.operations.commit(Record::SignedOut { person }).map_err(|_| HttpProblem::of(ProblemKind::Unjournaled))
    })
    .await?;
    let cookies = AppendHeaders([(SET_COOKIE, sensitive(&gone())?)]);
    Ok((cookies, Redirect::to("/sign-in")).into_response())
}

#[derive(Template)]
#[template(path = "welcome.html")]
struct WelcomePage {
    style: String,
    home: &'static str,
}

/// Where the practice's directory sends a browser back to. A cookie of ours that is set in another site's redirect goes along with
/// nothing that the redirect leads to (RFC 6265bis, 5.2), so that a page of our own has to lead on.
pub(crate) fn welcome(role: handoff_identity::role::Role) -> Result<Response, HttpProblem> {
    render(&WelcomePage { style: assets::style(), home: home(role) })
}

/// `/`.
pub(super) async fn begin(visitor: Visitor) -> Redirect {
    Redirect::to(home(visitor.person().role))
}
