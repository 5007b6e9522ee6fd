//! Opens the listeners of a pipeline, MLLP and HTTP, and keeps its clock going. Closes them in order.

use std::future::Future;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::task::Poll;

use anyhow::Context as _;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use axum::{Json, Router};
use handoff_engine::error_chain::Chain;
use handoff_engine::error_code::{ErrorCode, Failure};
use handoff_identity::oidc::Oidc;
use handoff_ingress::http::Scheme;
use handoff_ingress::listener::{Listener, ListenerProtection};
use handoff_ingress::{http, mllp};
use handoff_instance::config::{ApiListener, HttpListener, Listen, PeopleConfig};
use handoff_instance::source_protection;
use handoff_operations::control_socket;
use handoff_operations::operations::Operations;
use handoff_pipeline::pipeline::Pipeline;
use handoff_pipeline::rollout;
use handoff_vault::system_dice;
use handoff_web::api::Api;
use serde_json::{Value, json};
use tokio::net::{TcpListener, UnixListener};
use tokio::sync::watch;
use tokio::task::JoinSet;
use zeroize::Zeroizing;

use crate::journal_scrub;

/// Where people find the pages.
pub struct Invitation {
    pub address: SocketAddr,
    /// The link at which the first account is made, where nobody has one: for whoever started this, and for nobody's log.
    pub set_up: Option<Zeroizing<String>>,
}

/// A pipeline with its listeners open.
pub struct Service {
    /// Where each MLLP listener really listens: port 0 in the configuration means any free one.
    pub mllp: Vec<SocketAddr>,
    pub http: Option<SocketAddr>,
    stop: watch::Sender<bool>,
    listeners: JoinSet<()>,
    pipeline: Arc<Pipeline>,
}

/// Opens every listener. Deliveries are taken from here on; letters wait for [`Service::run_until`].
///
/// # Errors
/// When an address cannot be listened on, or may not be: the network could reach it unencrypted, or anybody could speak for a
/// source there.
pub async fn start(listen: &Listen, pipeline: Arc<Pipeline>) -> anyhow::Result<Service> {
    source_protection::check(listen, &pipeline.deployments.current(), &pipeline.host)?;
    let (stop, stopped) = watch::channel(false);
    let mut listeners = JoinSet::new();
    let mut addresses = Vec::new();
    for configured in &listen.mllp {
        let (listener, tcp, address) = open(&configured.source, configured.address, &configured.guard()).await?;
        addresses.push(address);
        let tls = listener.is_encrypted();
        tracing::info!(source = configured.source, %address, tls, "listening for HL7 v2 over MLLP");
        let mllp = mllp::MllpServer {
            source: configured.source.clone(),
            intake: Arc::clone(&pipeline.intake),
            clock: Arc::clone(&pipeline.clock),
            limits: mllp::MllpLimits::default(),
        };
        listeners.spawn(mllp.serve(listener, tcp, stopped.clone()));
    }
    let http = match &listen.http {
        Some(configured) => Some(serve_http(configured, &pipeline, &mut listeners, stopped).await?),
        None => None,
    };
    Ok(Service { mllp: addresses, http, stop, listeners, pipeline })
}

/// Webhooks, callbacks and the instance's health.
async fn serve_http(
    configured: &HttpListener,
    pipeline: &Arc<Pipeline>,
    listeners: &mut JoinSet<()>,
    stopped: watch::Receiver<bool>,
) -> anyhow::Result<SocketAddr> {
    let (listener, tcp, address) = open("http", configured.address, &configured.guard()).await?;
    let tls = listener.is_encrypted();
    tracing::info!(%address, tls, "listening for webhooks and callbacks over HTTP");
    let (scheme, limits) = (if tls { Scheme::Https } else { Scheme::Http }, http::HttpLimits::default());
    let (intake, clock) = (Arc::clone(&pipeline.intake), Arc::clone(&pipeline.clock));
    let router = http::router(intake, configured.senders(), clock, configured.public_url.clone(), scheme, limits);
    let router = router.merge(health(Arc::clone(pipeline)));
    listeners.spawn(http::serve(listener, tcp, router, limits, stopped));
    Ok(address)
}

impl Service {
    /// Opens the control socket as well.
    pub fn admit(&mut self, socket: UnixListener, operations: Arc<Operations>) {
        self.listeners.spawn(control_socket::serve(socket, operations, self.stop.subscribe()));
    }

    /// Opens the listener for people as well, and says where it really listens.
    ///
    /// # Errors
    /// When its address cannot be listened on, or may not be, or its secret is not among the secrets.
    pub async fn invite(
        &mut self,
        configured: &ApiListener,
        people: &PeopleConfig,
        operations: Arc<Operations>,
    ) -> anyhow::Result<Invitation> {
        let metrics = match &configured.metrics {
            Some(name) => Some(operations.pipeline.secrets.get(name).cloned().with_context(|| {
                let text = format!(
                    "`listen: api: metrics:` names the secret {name}, which is not among `secrets:`\n  \
                         help: add to the configuration:\n    secrets:\n      {name}:\n        file: keys/{name}"
                );
                Failure::new(ErrorCode::NO_SUCH_SECRET, text)
            })?),
            None => None,
        };
        let directory = match &people.oidc {
            Some(oidc) => {
                let (secrets, public_url) = (&operations.pipeline.secrets, configured.public_url.as_deref());
                Some(Oidc::new(oidc.clone(), secrets, public_url, system_dice())?)
            }
            None => None,
        };
        let (listener, tcp, address) = open("api", configured.address, &configured.guard()).await?;
        let tls = listener.is_encrypted();
        tracing::info!(%address, tls, "listening for people over HTTP");
        let scheme = if tls { Scheme::Https } else { Scheme::Http };
        let api = Api::new(operations, configured.public_url.clone(), scheme, metrics);
        let api = match directory {
            Some(directory) => api.with_directory(directory),
            None => api,
        };
        let (api, path) = api.with_set_up();
        let base = configured.public_url.clone().unwrap_or_else(|| format!("{scheme}://{address}"));
        let set_up = path.map(|path| Zeroizing::new(format!("{}{}", base.trim_end_matches('/'), *path)));
        self.listeners.spawn(api.serve(listener, tcp, self.stop.subscribe()));
        Ok(Invitation { address, set_up })
    }

    /// Watches how a canary fares.
    pub fn watch_canary(&mut self) {
        self.listeners.spawn(rollout::canary::keep(Arc::clone(&self.pipeline), self.stop.subscribe()));
    }

    /// Watches the workflow that the configuration names.
    pub fn watch(&mut self, workflow: PathBuf) {
        self.listeners.spawn(rollout::watch::keep(workflow, Arc::clone(&self.pipeline), self.stop.subscribe()));
    }

    /// Watches over the journal's closed segments.
    pub fn go_rounds(&mut self) {
        let (pipeline, stopped) = (Arc::clone(&self.pipeline), self.stop.subscribe());
        self.listeners.spawn(journal_scrub::keep(pipeline, stopped));
    }

    /// Carries letters out and keeps time until `end`; then closes the listeners and finishes what was begun.
    ///
    /// # Errors
    /// When the journal or the index fails: nothing may go on then.
    pub async fn run_until(self, end: impl Future<Output = ()>) -> anyhow::Result<()> {
        let stopped = self.stop.subscribe();
        let pipeline = Arc::clone(&self.pipeline);
        let mut keeper = tokio::spawn(async move { pipeline.keep_time(stopped).await });
        let kept = tokio::select! {
            () = end => None,
            kept = &mut keeper => Some(kept),
        };
        tracing::info!("closing");
        self.close().await;
        let kept = match kept {
            Some(kept) => kept,
            None => keeper.await,
        };
        Ok(kept.context("the timekeeper ended early")??)
    }

    /// Closes the listeners; what has wholly come in is answered.
    pub async fn close(mut self) {
        // Nobody listening means that they are closed already.
        let _told = self.stop.send(true);
        while self.listeners.join_next().await.is_some() {}
    }
}

/// Resolves when Handoff is to stop: SIGTERM from systemd, Ctrl-C, a terminal that closes, or whoever means to dump core. All of
/// them end in order. Listens from the moment it is called.
pub fn terminated() -> impl Future<Output = ()> {
    use tokio::signal::unix::{Signal, SignalKind, signal};
    let kinds = [SignalKind::terminate(), SignalKind::interrupt(), SignalKind::hangup(), SignalKind::quit()];
    let heard = |kind: SignalKind| match signal(kind) {
        Ok(signal) => Some(signal),
        Err(error) => {
            tracing::warn!(%error, ?kind, "a signal cannot be waited for");
            None
        }
    };
    let mut signals: Vec<Signal> = kinds.into_iter().filter_map(heard).collect();
    std::future::poll_fn(move |context| {
        let heard = signals.iter_mut().any(|signal| signal.poll_recv(context).is_ready());
        if heard { Poll::Ready(()) } else { Poll::Pending }
    })
}

/// A listener that may be opened, at its address, and where that really is.
pub(crate) async fn open(
    name: &str,
    address: SocketAddr,
    protection: &ListenerProtection,
) -> anyhow::Result<(Listener, TcpListener, SocketAddr)> {
    let listener = Listener::open(name, address, protection)?;
    let tcp = TcpListener::bind(address).await.with_context(|| {
        let text =
            format!("cannot listen on {address}: is another program using it, or this instance running already?");
        Failure::new(ErrorCode::CANNOT_LISTEN, text)
    })?;
    let address = tcp.local_addr()?;
    Ok((listener, tcp, address))
}

/// `/healthz` says that the process lives, `/readyz` that it takes deliveries.
fn health(pipeline: Arc<Pipeline>) -> Router {
    Router::new().route("/healthz", get(|| async { "ok" })).route("/readyz", get(ready)).with_state(pipeline)
}

async fn ready(State(pipeline): State<Arc<Pipeline>>) -> (StatusCode, Json<Value>) {
    let state = pipeline.readiness();
    let (status, problem) = match state {
        Ok(()) => (StatusCode::OK, None),
        Err(error) => (StatusCode::SERVICE_UNAVAILABLE, Some(Chain(&error).to_string())),
    };
    let damage = pipeline.store.reader().damaged();
    let body = json!({
        "ready": problem.is_none(),
        "problem": problem,
        "deployment": pipeline.deployments.current().deployment.digest,
        "plugin_calls": pipeline.plugin_calls(),
        "endpoints": pipeline.endpoints(),
        "plugins_resting": pipeline.resting(),
        "paused": pipeline.pauses.state(),
        "journal_damage": damage.iter().map(ToString::to_string).collect::<Vec<_>>(),
    });
    (status, Json(body))
}
