//! Carries between a line and the world without a socket: the same requests and answers, in one process. A rehearsal of a
//! year takes this way, and a simulation puts its bad weather over it.

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::Request;
use axum::http::request::Builder;
use handoff_egress::endpoint::Endpoint;
use handoff_egress::http::{Failed, Received};
use handoff_egress::smtp::{Unsaid, Word};
use handoff_egress::transport::{Carried, Login, Wire};
use handoff_ingress::delivery::{Delivery, DeliverySink, SenderProof, Transport};
use handoff_ingress::http;
use handoff_pipeline::pipeline::Pipeline;
use handoff_practice::{OutboundAnswer, OutboundMessage, Refusal, Server, Simulation};
use lettre::message::Message;
use tower::ServiceExt as _;
use zeroize::Zeroizing;

use crate::rehearsal::{CARRIER_HOST, CHART_HOST, PUBLIC_URL};
use crate::script;

/// The way out: to the servers of the world.
pub struct Outward {
    pub world: Simulation,
}

impl Outward {
    async fn ask(&self, server: Server, request: reqwest::Request, bytes_max: usize) -> Result<Received, Failed> {
        let path = request.url()[url::Position::BeforePath..].to_string();
        let mut asked = Request::builder().method(request.method().clone()).uri(path);
        if let Some(headers) = asked.headers_mut() {
            *headers = request.headers().clone();
        }
        let body = request.body().and_then(reqwest::Body::as_bytes).unwrap_or_default().to_vec();
        let asked = asked.body(Body::from(body)).map_err(|_| Failed::NotSent)?;
        let answer = self.world.answer(server, asked).await.ok_or(Failed::InDoubt)?;
        let (head, body) = answer.into_parts();
        let body = to_bytes(body, bytes_max).await.map_err(|_| Failed::TooLong)?;
        Ok(Received { status: head.status.as_u16(), headers: head.headers, body: Zeroizing::new(body.into()) })
    }
}

impl Wire for Outward {
    fn http<'w>(
        &'w self,
        _endpoint: &'w Endpoint,
        request: reqwest::Request,
        bytes_max: usize,
    ) -> Carried<'w, Result<Received, Failed>> {
        Box::pin(async move {
            match request.url().host_str() {
                Some(CARRIER_HOST) => self.ask(Server::Carrier, request, bytes_max).await,
                Some(CHART_HOST) => self.ask(Server::Chart, request, bytes_max).await,
                Some(_) | None => Err(Failed::NotSent),
            }
        })
    }

    fn mail<'w>(
        &'w self,
        _endpoint: &'w Endpoint,
        _login: Option<Login<'w>>,
        mail: &'w Message,
    ) -> Carried<'w, Result<Word, Unsaid>> {
        Box::pin(async move {
            let to: Vec<String> = mail.envelope().to().iter().map(ToString::to_string).collect();
            let said = match self.world.mail(&to, &mail.formatted()) {
                Ok(()) => "250 2.0.0 OK",
                Err(Refusal(said)) => said,
            };
            let (code, text) = said.split_once(' ').unwrap_or((said, ""));
            Ok(Word { code: code.parse().map_err(|_| Unsaid::InDoubt)?, text: text.to_string() })
        })
    }

    fn mllp<'w>(&'w self, _: &'w Endpoint, _: &'w str) -> Carried<'w, Result<Zeroizing<Vec<u8>>, Failed>> {
        // Nobody in the world listens there.
        Box::pin(async { Err(Failed::NotSent) })
    }
}

/// The way in: what a listener would hand on.
#[derive(Clone)]
pub struct InProcessTransport {
    pipeline: Arc<Pipeline>,
    router: Router,
    /// The source of HL7 messages, as the workflow names it.
    hl7: String,
}

impl InProcessTransport {
    pub fn new(pipeline: Arc<Pipeline>) -> InProcessTransport {
        InProcessTransport::from(pipeline, script::HL7, Some("webhook"))
    }

    /// With other names for the sources than the bundled workflow's.
    pub fn from(pipeline: Arc<Pipeline>, hl7: &str, webhook: Option<&str>) -> InProcessTransport {
        let (scheme, limits) = (http::Scheme::Https, http::HttpLimits::default());
        let sources = webhook.map(|source| (source.to_string(), SenderProof::SignatureOnly)).into_iter().collect();
        let router = http::router(
            Arc::clone(&pipeline.intake),
            sources,
            Arc::clone(&pipeline.clock),
            Some(PUBLIC_URL.into()),
            scheme,
            limits,
        );
        InProcessTransport { pipeline, router, hl7: hl7.into() }
    }

    /// Hands a parcel in and waits for the answer.
    pub async fn carry(&self, parcel: OutboundMessage) -> OutboundAnswer {
        match parcel {
            OutboundMessage::Hl7(body) => self.hl7(body).await,
            OutboundMessage::Post { url, headers, body } => {
                let path = url.strip_prefix(PUBLIC_URL).unwrap_or(&url);
                let request = headers
                    .into_iter()
                    .fold(Request::post(path), |request: Builder, (name, value)| request.header(name, value));
                let Ok(request) = request.body(Body::from(body)) else { return OutboundAnswer::None("no request") };
                let Ok(answer) = self.router.clone().oneshot(request).await;
                OutboundAnswer::Status(answer.status().as_u16())
            }
        }
    }

    async fn hl7(&self, body: Vec<u8>) -> OutboundAnswer {
        let delivery = Delivery {
            transport: Transport::Mllp,
            source: self.hl7.clone(),
            url: String::new(),
            headers: Vec::new(),
            body,
            too_long: None,
            received_at: self.pipeline.clock.now(),
            sender: SenderProof::Connection,
        };
        let answer = DeliverySink::take(&*self.pipeline.intake, delivery).await;
        if answer.body.is_empty() {
            OutboundAnswer::None("no acknowledgement")
        } else {
            OutboundAnswer::Acknowledged(answer.body)
        }
    }
}
