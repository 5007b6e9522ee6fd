//! The control socket of a running instance: a Unix socket in its data folder, for its owner alone. It carries requests to the
//! operations and answers back, as JSON over HTTP.

use std::fs::{self, DirBuilder, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context as _;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use axum::{Json, Router};
use handoff_engine::error_code::{ErrorCode, Failure};
use handoff_instance::error_report::ErrorReport;
use handoff_vault::crypto_provider;
use serde::{Deserialize, Serialize};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::watch;

use crate::accounts::{Add, List, Lock, Remove, Reset, Unlock};
use crate::acts::{DoAct, ListActs};
use crate::backup::BackUp;
use crate::dead_letters::{Dismiss, Replay, Show};
use crate::holds::{Holds, PlaceHold, Release};
use crate::keys::{RotateMaster, RotateSigning};
use crate::operations::{Operations, Operator, Request};
use crate::pauses::{GoLive, ListPauses, PauseLetters, Resume};
use crate::replay_decisions::Prove;
use crate::retention::RunPurge;
use crate::tasks::{ChangeTask, ListTasks};
use crate::unmatched::{Assign, DismissUnmatched, ShowUnmatched};
use crate::workflow::{Apply, PlanChange, Review, RollBack, TryOut};

/// The folder keeps everybody else out: a socket's own mode can only be set once it is there.
const FOLDER: &str = "control";
const FOLDER_MODE: u32 = 0o700;

/// A workflow comes with its templates and settings, and a roster among them may be long.
const REQUEST_BYTES_MAX: usize = 64 << 20;

const SOCKET: &str = "control.sock";

#[derive(Serialize, Deserialize)]
struct Asking<R> {
    operator: Operator,
    request: R,
}

/// What went wrong, as an operator reads it.
type Told<A> = Result<A, ErrorReport>;

/// A door that somebody stands behind.
pub struct ControlClient {
    client: reqwest::Client,
}

fn unusable(text: String) -> Failure {
    Failure::new(ErrorCode::CONTROL_SOCKET, text)
}

fn misunderstood(text: String) -> Failure {
    Failure::new(ErrorCode::OTHER_VERSION, text)
}

fn socket(data: &Path) -> PathBuf {
    data.join(FOLDER).join(SOCKET)
}

/// Opens the door. Only whoever has the store open may: a socket that lies there is then a dead process's.
///
/// # Errors
/// When the folder or the socket cannot be made; a socket's whole path may have 107 bytes.
pub fn open(data: &Path) -> anyhow::Result<UnixListener> {
    let path = socket(data);
    let opened = || -> io::Result<UnixListener> {
        let folder = data.join(FOLDER);
        DirBuilder::new().recursive(true).mode(FOLDER_MODE).create(&folder)?;
        fs::set_permissions(&folder, Permissions::from_mode(FOLDER_MODE))?;
        match fs::remove_file(&path) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        UnixListener::bind(&path)
    };
    opened().with_context(|| unusable(format!("cannot open the control socket {}", path.display())))
}

/// Serves until told to stop; what has been asked is answered first.
pub async fn serve(listener: UnixListener, operations: Arc<Operations>, mut stopped: watch::Receiver<bool>) {
    let router = Router::new()
        .merge(at::<Show>())
        .merge(at::<Replay>())
        .merge(at::<Dismiss>())
        .merge(at::<ShowUnmatched>())
        .merge(at::<Assign>())
        .merge(at::<DismissUnmatched>())
        .merge(at::<Prove>())
        .merge(at::<PlaceHold>())
        .merge(at::<Release>())
        .merge(at::<Holds>())
        .merge(at::<PauseLetters>())
        .merge(at::<Resume>())
        .merge(at::<ListPauses>())
        .merge(at::<GoLive>())
        .merge(at::<RunPurge>())
        .merge(at::<BackUp>())
        .merge(at::<RotateSigning>())
        .merge(at::<RotateMaster>())
        .merge(at::<Add>())
        .merge(at::<List>())
        .merge(at::<Reset>())
        .merge(at::<Lock>())
        .merge(at::<Unlock>())
        .merge(at::<Remove>())
        .merge(at::<DoAct>())
        .merge(at::<ListActs>())
        .merge(at::<ListTasks>())
        .merge(at::<ChangeTask>())
        .merge(at::<Apply>())
        .merge(at::<PlanChange>())
        .merge(at::<Review>())
        .merge(at::<RollBack>())
        .merge(at::<TryOut>())
        .layer(DefaultBodyLimit::max(REQUEST_BYTES_MAX))
        .with_state(operations);
    let closing = async move {
        // An error means that the sender is gone, and then it is time to stop as well.
        let _closed = stopped.wait_for(|stop| *stop).await;
    };
    if let Err(error) = axum::serve(listener, router).with_graceful_shutdown(closing).await {
        tracing::error!(%error, "the control socket ended");
    }
}

fn at<R: Request>() -> Router<Arc<Operations>> {
    Router::new().route(R::PATH, post(hear::<R>))
}

async fn hear<R: Request>(State(operations): State<Arc<Operations>>, Json(asking): Json<Asking<R>>) -> Response {
    let Asking { operator, request } = asking;
    tracing::info!(request = R::PATH, who = operator.who, why = operator.why, "an operator asks");
    let performed = tokio::task::spawn_blocking(move || request.perform(&operations, operator)).await;
    let told: Told<R::Answer> = match performed {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(error)) => Err(ErrorReport::of(&error, |_| None)),
        Err(error) => {
            let error = anyhow::Error::new(error).context("the running instance failed at it; its log has more");
            Err(ErrorReport::of(&error, |_| None))
        }
    };
    let status = if told.is_ok() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    (status, Json(told)).into_response()
}

impl ControlClient {
    /// The door of Handoff that runs in this folder; nothing when none does.
    ///
    /// # Errors
    /// When it may not be used: only the owner of Handoff is heard.
    pub async fn connect(data: &Path) -> anyhow::Result<Option<ControlClient>> {
        let path = socket(data);
        match UnixStream::connect(&path).await {
            Ok(_) => {}
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused) => {
                return Ok(None);
            }
            Err(error) => {
                return Err(error)
                    .with_context(|| unusable(format!("cannot use the control socket {}", path.display())));
            }
        }
        // The client wants one even where nothing is encrypted.
        crypto_provider::install();
        let client = reqwest::Client::builder()
            .unix_socket(path)
            .build()
            .with_context(|| unusable("cannot speak to the control socket".into()))?;
        Ok(Some(ControlClient { client }))
    }

    /// Carries a request in and the answer out. Waits for as long as it takes.
    ///
    /// # Errors
    /// What Handoff says stood in the way, or that it went away.
    pub async fn ask<R: Request>(&self, operator: Operator, request: R) -> anyhow::Result<R::Answer> {
        let asking = Asking { operator, request };
        let sent = self.client.post(format!("http://house{}", R::PATH)).json(&asking).send().await;
        let response = sent.with_context(|| misunderstood("the running instance stopped before it answered".into()))?;
        if !matches!(response.status(), reqwest::StatusCode::OK | reqwest::StatusCode::UNPROCESSABLE_ENTITY) {
            let status = response.status();
            let text = format!("the running instance does not know this request ({status}): is it of another version?");
            return Err(misunderstood(text).into());
        }
        let told: Told<R::Answer> = response
            .json()
            .await
            .with_context(|| misunderstood("the running instance answered something else".into()))?;
        Ok(told?)
    }
}
