//! Handoff over HTTP, for the people who work with it. It decides who may ask, and carries what is asked to the operations:
//! one piece of code does it, whoever carries it.
//!
//! Architecture Invariant: what is not in the table of routes is refused, and so is who has not the right beside it there.

pub(crate) mod access;
mod acts;
mod dead_letters;
pub(crate) mod extract;
pub(crate) mod headers;
mod journal;
mod oidc;
pub mod openapi;
mod people;
pub mod problem;
mod referrals;
mod routes;
pub(crate) mod session;
mod system;
mod unmatched;

use std::sync::Arc;

use axum::Router;
use handoff_vault::system_dice;
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};
use zeroize::Zeroizing;

use crate::pages::SetUpLink;
use crate::pages::sign_in::{SignInLinks, SignInSteps};
use handoff_identity::oidc::Oidc;
use handoff_identity::session::Sessions;
use handoff_ingress::http;
use handoff_ingress::http::Scheme;
use handoff_ingress::listener::Listener;
use handoff_operations::operations::Operations;
use handoff_operations::referrals::PhiAccessError;
use handoff_pipeline::error::PipelineError;
use handoff_pipeline::referrals::acts::ActError;
use handoff_vault::secrets::Secret;
use problem::{HttpProblem, ProblemKind};

pub use access::RouteAccess;
pub use routes::{ROUTES, Route};

/// Each takes 19 MiB and a core: more at once would only wait for each other, and a flood of sign-ins takes no more than
/// this of Handoff.
const PASSWORDS_AT_ONCE_MAX: usize = 2;

/// What every request needs.
pub struct Api {
    pub operations: Arc<Operations>,
    pub(crate) sessions: Sessions,
    /// Where browsers find us: what they must name as the origin of a request that changes something.
    public_url: Option<String>,
    scheme: Scheme,
    /// With which a monitoring system reads the metrics.
    metrics: Option<Secret>,
    pub(crate) passwords: Semaphore,
    pub(crate) oidc: Option<Oidc>,
    pub(crate) steps: SignInSteps,
    pub(crate) links: SignInLinks,
    pub(crate) set_up: Option<SetUpLink>,
}

impl Api {
    pub fn new(
        operations: Arc<Operations>,
        public_url: Option<String>,
        scheme: Scheme,
        metrics: Option<Secret>,
    ) -> Api {
        Api {
            operations,
            sessions: Sessions::new(system_dice()),
            public_url: public_url.map(|url| url.trim_end_matches('/').to_string()),
            scheme,
            metrics,
            passwords: Semaphore::new(PASSWORDS_AT_ONCE_MAX),
            oidc: None,
            steps: SignInSteps::new(system_dice()),
            links: SignInLinks::default(),
            set_up: None,
        }
    }

    /// The same, for people whom the practice's own directory vouches for as well.
    pub fn with_directory(self, oidc: Oidc) -> Api {
        Api { oidc: Some(oidc), ..self }
    }

    /// The same, with accounts that a link lets in: for a demonstration, on this machine alone.
    pub fn with_links(self, links: SignInLinks) -> Api {
        Api { links, ..self }
    }

    /// The same, and the path at which the first account is made, where there is none yet and nobody comes from a directory.
    pub fn with_set_up(self) -> (Api, Option<Zeroizing<String>>) {
        if self.oidc.is_some() || !self.operations.people.list().is_empty() {
            return (self, None);
        }
        let (link, token) = SetUpLink::new(self.operations.pipeline.clock.now());
        let path = Zeroizing::new(format!("/set-up/{}", token.as_str()));
        (Api { set_up: Some(link), ..self }, Some(path))
    }

    /// Every route, guarded.
    pub fn router(self) -> Router {
        routes::router(&Arc::new(self))
    }

    /// Serves until told to stop.
    pub async fn serve(self, listener: Listener, tcp: TcpListener, closing: watch::Receiver<bool>) {
        let (router, limits) = (self.router(), http::HttpLimits::default());
        http::serve_with(listener, tcp, router, limits, problem::too_fast, closing).await;
    }

    /// Work that reads a disk, in the operations and off the network's threads.
    pub(crate) async fn work<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&Api) -> Result<T, HttpProblem> + Send + 'static,
    ) -> Result<T, HttpProblem> {
        let api = Arc::clone(self);
        tokio::task::spawn_blocking(move || work(&api)).await.unwrap_or_else(|error| {
            tracing::error!(panicked = error.is_panic(), "a request came to nothing");
            Err(HttpProblem::of(ProblemKind::Failed))
        })
    }
}

/// What stood in the way of a request to the operations, as its sender may read it.
pub(crate) fn refused(error: anyhow::Error) -> HttpProblem {
    if let Some(error) = error.downcast_ref::<handoff_identity::accounts::AccountsError>() {
        return HttpProblem::from(error);
    }
    if let Some(error) = error.downcast_ref::<handoff_identity::account::AccountNameError>() {
        return HttpProblem::told(ProblemKind::Unfit, &error.to_string());
    }
    if let Some(error) = error.downcast_ref::<PhiAccessError>() {
        return HttpProblem::from(error);
    }
    if let Some(error) = error.downcast_ref::<ActError>() {
        let told = |wrong| HttpProblem::told(wrong, &error.to_string());
        match error {
            ActError::NoSuchAct { .. } | ActError::NoSuchTask { .. } => return told(ProblemKind::NotFound),
            ActError::NotYours { .. } => return told(ProblemKind::NotYours),
            ActError::NotTaken { .. } | ActError::NothingToRead | ActError::TaskState { .. } => {
                return told(ProblemKind::Conflict);
            }
            ActError::Answer(_) => return told(ProblemKind::Unfit),
            ActError::Pipeline(_) => {}
        }
    }
    let within = error.downcast_ref::<ActError>().and_then(ActError::pipeline);
    match within.or(error.downcast_ref::<PipelineError>()) {
        Some(PipelineError::NotDead { .. } | PipelineError::NotUnmatched { .. } | PipelineError::NoSuchReferral(_)) => {
            HttpProblem::of(ProblemKind::NotFound)
        }
        Some(
            error @ (PipelineError::Ended { .. }
            | PipelineError::Expired { .. }
            | PipelineError::OrdersItself { .. }
            | PipelineError::StillDead { .. }),
        ) => HttpProblem::told(ProblemKind::Conflict, &error.to_string()),
        Some(PipelineError::Commit(_)) => HttpProblem::of(ProblemKind::Unjournaled),
        _ if error.downcast_ref::<handoff_store::CommitError>().is_some() => HttpProblem::of(ProblemKind::Unjournaled),
        _ => {
            let told = error.chain().map(ToString::to_string).collect::<Vec<_>>().join("; ");
            tracing::error!(error = told, "a request could not be done");
            HttpProblem::of(ProblemKind::Failed)
        }
    }
}
