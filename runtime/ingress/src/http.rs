//! Takes webhooks and vendors' callbacks over HTTP: the raw body, the headers, and the URL as the sender called it.

use std::collections::BTreeMap;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, HttpBody as _, to_bytes};
use axum::extract::{Path, Request, State};
use axum::http::header::{CONTENT_TYPE, HOST, RETRY_AFTER};
use axum::http::{HeaderMap, HeaderValue, Response, StatusCode, Uri};
use axum::routing::{post, put};
use handoff_clock::Clock;
use handoff_host::contract::types::Attribute;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tower::Service as _;

use crate::connection_limits::ConnectionPermit;
use crate::delivery::{
    Acknowledgement, CALLBACK_BYTES_MAX, DELIVERY_BYTES_MAX, Delivery, DeliverySink, SenderProof, Transport,
    UNPROVEN_BYTES_MAX,
};
use crate::listener::{Connection, Listener};

/// What a listener puts up with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HttpLimits {
    /// For a request's head to come in, and between two requests of a connection.
    pub head: Duration,
    /// Vendors' heads have some two kilobytes, a signature and a tracing header among them.
    pub head_bytes_max: usize,
    /// For the body to come in: as long as a message over MLLP may take.
    pub body: Duration,
}

impl Default for HttpLimits {
    fn default() -> HttpLimits {
        HttpLimits { head: Duration::from_secs(20), head_bytes_max: 64 * 1024, body: Duration::from_secs(5 * 60) }
    }
}

/// The base of the URLs that senders call, where the configuration does not say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, strum::Display)]
#[strum(serialize_all = "lowercase")]
pub enum Scheme {
    Http,
    Https,
}

/// The sources that a listener takes in, and by what each one's sender may be believed.
pub type Sources = BTreeMap<String, SenderProof>;

struct Inlet<I> {
    intake: Arc<I>,
    sources: Sources,
    clock: Arc<dyn Clock>,
    public_url: Option<String>,
    scheme: Scheme,
    limits: HttpLimits,
}

/// `POST /in/{source}` for webhooks of these sources, and `POST /callback/{stage}` for callbacks, which only a signature
/// vouches for. `PUT` is taken as `POST` is, and with a resource's type and id behind it: so HAPI's rest-hook subscriptions send what
/// changed (FHIR R4, 3.1.0.4).
///
/// Vendors sign the URL that they called. Behind a proxy only the configuration knows it: `public_url`, such as
/// `https://handoff.example.org`. Without one it is put together from the Host header.
pub fn router<I: DeliverySink>(
    intake: Arc<I>,
    sources: Sources,
    clock: Arc<dyn Clock>,
    public_url: Option<String>,
    scheme: Scheme,
    limits: HttpLimits,
) -> Router {
    let public_url = public_url.map(|url| url.trim_end_matches('/').to_string());
    Router::new()
        .route("/in/{source}", post(webhook::<I>).put(webhook::<I>))
        .route("/in/{source}/{resource}/{id}", put(changed_resource::<I>))
        .route("/callback/{stage}", post(callback::<I>))
        .with_state(Arc::new(Inlet { intake, sources, clock, public_url, scheme, limits }))
}

/// What a source is told that speaks too fast.
pub type TooFast = fn(Duration) -> Response<Body>;

/// Serves until `closing` turns true; then answers the requests that are under way, and returns. `axum::serve` would set
/// a slow head no limit.
pub async fn serve(
    listener: Listener,
    tcp: TcpListener,
    router: Router,
    limits: HttpLimits,
    closing: watch::Receiver<bool>,
) {
    serve_with(listener, tcp, router, limits, too_fast, closing).await;
}

/// As [`serve`], with another answer for whoever is too fast.
pub async fn serve_with(
    listener: Listener,
    tcp: TcpListener,
    router: Router,
    limits: HttpLimits,
    too_fast: TooFast,
    closing: watch::Receiver<bool>,
) {
    listener
        .serve(tcp, closing, move |connection| serve_connection(connection, router.clone(), limits, too_fast))
        .await;
}

/// One connection, until either side closes it.
async fn serve_connection(connection: Connection, router: Router, limits: HttpLimits, too_fast: TooFast) {
    let Connection { socket, permit, mut closing } = connection;
    let permit = Arc::new(permit);
    let service = service_fn(|request: hyper::Request<Incoming>| {
        let mut router = router.clone();
        let turn = permit.take_token();
        let (source, permit) = (permit.source().clone(), Arc::clone(&permit));
        async move {
            match turn {
                Ok(()) => {
                    let mut request = request.map(Body::new);
                    request.extensions_mut().insert(source);
                    request.extensions_mut().insert(permit);
                    router.call(request).await
                }
                Err(wait) => Ok(too_fast(wait)),
            }
        }
    });
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(limits.head).max_buf_size(limits.head_bytes_max);
    let mut connection = pin!(builder.serve_connection(TokioIo::new(socket), service));
    let closed = async {
        // An error means that the sender of the word is gone, and then it is time to stop as well.
        let _closed = closing.wait_for(|closing| *closing).await;
    };
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = closed => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        // Its text says where HTTP was broken, and quotes nothing.
        tracing::info!(peer = %permit.source(), %error, "connection ended");
    }
}

/// RFC 6585, 4.
fn too_fast(wait: Duration) -> Response<Body> {
    let mut response = refusal(StatusCode::TOO_MANY_REQUESTS, "too many requests from this source");
    response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(wait.as_secs() + 1));
    response
}

async fn webhook<I: DeliverySink>(
    State(inlet): State<Arc<Inlet<I>>>,
    Path(source): Path<String>,
    request: Request,
) -> Response<Body> {
    // Before a byte of the body is read: a source that this listener does not take in is nobody's.
    match inlet.sources.get(&source) {
        Some(sender) => inlet.take(Transport::Webhook, *sender, source, request).await,
        None => refusal(StatusCode::NOT_FOUND, "this listener takes in no such source"),
    }
}

/// The body says itself which resource it is.
async fn changed_resource<I: DeliverySink>(
    inlet: State<Arc<Inlet<I>>>,
    Path((source, _resource, _id)): Path<(String, String, String)>,
    request: Request,
) -> Response<Body> {
    webhook(inlet, Path(source), request).await
}

async fn callback<I: DeliverySink>(
    State(inlet): State<Arc<Inlet<I>>>,
    Path(stage): Path<String>,
    request: Request,
) -> Response<Body> {
    inlet.take(Transport::Callback, SenderProof::SignatureOnly, stage, request).await
}

impl<I: DeliverySink> Inlet<I> {
    async fn take(
        &self,
        transport: Transport,
        sender: SenderProof,
        source: String,
        request: Request,
    ) -> Response<Body> {
        let (head, body) = request.into_parts();
        let bytes_max = match (transport, sender) {
            (Transport::Callback, _) => CALLBACK_BYTES_MAX,
            (Transport::Mllp | Transport::Webhook, SenderProof::Connection | SenderProof::Earlier) => {
                DELIVERY_BYTES_MAX
            }
            (Transport::Mllp | Transport::Webhook, SenderProof::SignatureOnly) => UNPROVEN_BYTES_MAX,
        };
        // A body of unknown length may be as long as any.
        let bytes = body.size_hint().upper().unwrap_or(u64::MAX).min(bytes_max as u64);
        let _large = match head.extensions.get::<Arc<ConnectionPermit>>() {
            // Who has proved nothing yet keeps nobody waiting who has.
            Some(permit) if bytes > UNPROVEN_BYTES_MAX as u64 => permit.room_for_a_large_one().await,
            Some(_) | None => None,
        };
        let body = match tokio::time::timeout(self.limits.body, to_bytes(body, bytes_max)).await {
            Err(_) => return refusal(StatusCode::REQUEST_TIMEOUT, "the body did not come in time"),
            Ok(Err(error)) => return unread(&error),
            Ok(Ok(body)) => body,
        };
        let delivery = Delivery {
            transport,
            source,
            url: self.called_url(&head.headers, &head.uri),
            headers: attributes(&head.headers),
            body: body.into(),
            too_long: None,
            received_at: self.clock.now(),
            sender,
        };
        respond(self.intake.take(delivery).await)
    }

    fn called_url(&self, headers: &HeaderMap, uri: &Uri) -> String {
        let path = uri.path_and_query().map_or("/", |path| path.as_str());
        match &self.public_url {
            Some(base) => format!("{base}{path}"),
            None => {
                let host = headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
                format!("{}://{host}{path}", self.scheme)
            }
        }
    }
}

/// Names come in lower case already (RFC 9113, 8.2; the `http` crate for HTTP/1.1).
fn attributes(headers: &HeaderMap) -> Vec<Attribute> {
    let attribute = |(name, value): (&axum::http::HeaderName, &HeaderValue)| Attribute {
        name: name.as_str().to_string(),
        value: String::from_utf8_lossy(value.as_bytes()).into_owned(),
    };
    headers.iter().map(attribute).collect()
}

fn respond(answer: Acknowledgement) -> Response<Body> {
    let mut response = Response::new(Body::from(answer.body));
    // A plugin's nonsense status must not pass for success: the sender has to try again.
    *response.status_mut() = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    if let Ok(content_type) = HeaderValue::from_str(&answer.content_type)
        && !answer.content_type.is_empty()
    {
        response.headers_mut().insert(CONTENT_TYPE, content_type);
    }
    response
}

/// The only errors of reading a body are its length and a broken connection, which nobody is left to read about.
fn unread(error: &axum::Error) -> Response<Body> {
    tracing::info!(%error, "a request's body could not be read");
    refusal(StatusCode::PAYLOAD_TOO_LARGE, "the body is too long")
}

fn refusal(status: StatusCode, why: &'static str) -> Response<Body> {
    let mut response = Response::new(Body::from(why));
    *response.status_mut() = status;
    response
}

#[cfg(test)]
mod tests;
