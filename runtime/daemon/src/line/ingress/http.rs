//! Takes webhooks and vendors' callbacks over HTTP: the raw body, the headers, and the URL as the sender called it.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Path, Request, State};
use axum::http::header::{CONTENT_TYPE, HOST};
use axum::http::{HeaderMap, HeaderValue, Response, StatusCode, Uri};
use axum::routing::post;
use handoff_host::contract::types::Attribute;

use super::{Answer, DELIVERY_BYTES_MAX, Delivery, Door, Intake};
use crate::clock::Clock;

/// For the body to come in: as long as a message over MLLP may take.
const BODY_WITHIN: Duration = Duration::from_secs(60);

struct Doors<I> {
    intake: Arc<I>,
    clock: Arc<dyn Clock>,
    public_url: Option<String>,
}

/// `POST /in/{source}` for webhooks and `POST /callback/{stage}` for callbacks.
///
/// Vendors sign the URL that they called. Behind a proxy only the configuration knows it: `public_url`, such as
/// `https://handoff.example.org`. Without one it is put together from the Host header.
pub fn router<I: Intake>(intake: Arc<I>, clock: Arc<dyn Clock>, public_url: Option<String>) -> Router {
    let public_url = public_url.map(|url| url.trim_end_matches('/').to_string());
    Router::new()
        .route("/in/{source}", post(webhook::<I>))
        .route("/callback/{stage}", post(callback::<I>))
        .with_state(Arc::new(Doors { intake, clock, public_url }))
}

async fn webhook<I: Intake>(
    State(doors): State<Arc<Doors<I>>>,
    Path(source): Path<String>,
    request: Request,
) -> Response<Body> {
    doors.take(Door::Webhook, source, request).await
}

async fn callback<I: Intake>(
    State(doors): State<Arc<Doors<I>>>,
    Path(stage): Path<String>,
    request: Request,
) -> Response<Body> {
    doors.take(Door::Callback, stage, request).await
}

impl<I: Intake> Doors<I> {
    async fn take(&self, door: Door, source: String, request: Request) -> Response<Body> {
        let (head, body) = request.into_parts();
        let body = match tokio::time::timeout(BODY_WITHIN, to_bytes(body, DELIVERY_BYTES_MAX)).await {
            Err(_) => return refusal(StatusCode::REQUEST_TIMEOUT, "the body did not come in time"),
            Ok(Err(error)) => return unread(&error),
            Ok(Ok(body)) => body,
        };
        let delivery = Delivery {
            door,
            source,
            url: self.called_url(&head.headers, &head.uri),
            headers: attributes(&head.headers),
            body: body.into(),
            received_at: self.clock.now(),
        };
        respond(self.intake.take(delivery).await)
    }

    fn called_url(&self, headers: &HeaderMap, uri: &Uri) -> String {
        let path = uri.path_and_query().map_or("/", |path| path.as_str());
        match &self.public_url {
            Some(base) => format!("{base}{path}"),
            None => {
                let host = headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
                format!("http://{host}{path}")
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

fn respond(answer: Answer) -> Response<Body> {
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
    refusal(StatusCode::PAYLOAD_TOO_LARGE, "the body is longer than 16 MiB")
}

fn refusal(status: StatusCode, why: &'static str) -> Response<Body> {
    let mut response = Response::new(Body::from(why));
    *response.status_mut() = status;
    response
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use tokio::net::TcpListener;

    use super::*;
    use crate::clock::SystemClock;

    /// Serves on a port of its own; what comes in is kept, and answered with 202.
    async fn serve(public_url: Option<&str>) -> (String, Arc<Mutex<Vec<Delivery>>>) {
        let kept: Arc<Mutex<Vec<Delivery>>> = Arc::default();
        let keeper = Arc::clone(&kept);
        let intake = move |delivery: Delivery| {
            keeper.lock().expect("unpoisoned").push(delivery);
            async { Answer { status: 202, content_type: "text/xml".into(), body: b"<Response/>".to_vec() } }
        };
        let router = router(Arc::new(intake), Arc::new(SystemClock), public_url.map(str::to_string));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let base = format!("http://{}", listener.local_addr().expect("an address"));
        tokio::spawn(async move { axum::serve(listener, router).await });
        (base, kept)
    }

    #[tokio::test]
    async fn bodies_headers_and_the_called_url_come_through_as_they_are() {
        let (base, kept) = serve(Some("https://handoff.example.org/")).await;
        let client = crate::line::egress::testing::client();
        let body: Vec<u8> = (0..=255).collect();
        let request = client.post(format!("{base}/callback/sms?a=1&b=%20")).header("X-Twilio-Signature", "sig");
        let response = request.body(body.clone()).send().await.expect("answered");
        assert_eq!(response.status(), 202);
        assert_eq!(response.headers()["content-type"], "text/xml");
        assert_eq!(response.text().await.expect("text"), "<Response/>");
        client.post(format!("{base}/in/orders")).send().await.expect("answered");
        let kept = kept.lock().expect("unpoisoned");
        assert_eq!((kept[0].door, kept[0].source.as_str()), (Door::Callback, "sms"));
        assert_eq!(kept[0].url, "https://handoff.example.org/callback/sms?a=1&b=%20");
        assert_eq!(kept[0].body, body);
        assert!(kept[0].headers.iter().any(|header| header.name == "x-twilio-signature" && header.value == "sig"));
        assert_eq!((kept[1].door, kept[1].source.as_str()), (Door::Webhook, "orders"));
    }

    #[tokio::test]
    async fn without_a_public_url_the_host_header_stands_in() {
        let (base, kept) = serve(None).await;
        crate::line::egress::testing::client().post(format!("{base}/in/x")).send().await.expect("answered");
        assert_eq!(kept.lock().expect("unpoisoned")[0].url, format!("{base}/in/x"));
    }

    #[tokio::test]
    async fn what_is_too_long_or_of_another_method_is_not_taken_in() {
        let (base, kept) = serve(None).await;
        let client = crate::line::egress::testing::client();
        let long = client.post(format!("{base}/in/x")).body(vec![0; DELIVERY_BYTES_MAX + 1]);
        assert_eq!(long.send().await.expect("answered").status(), 413);
        assert_eq!(client.get(format!("{base}/in/x")).send().await.expect("answered").status(), 405);
        assert!(kept.lock().expect("unpoisoned").is_empty());
    }

    #[test]
    fn a_nonsense_status_is_no_success() {
        let answer = Answer { status: 7, content_type: "a\nb".into(), body: Vec::new() };
        let response = respond(answer);
        assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
        assert!(response.headers().get(CONTENT_TYPE).is_none());
    }
}
