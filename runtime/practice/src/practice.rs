//! Opens the practice's servers, and carries what its world sends to Handoff, one thing at a time.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::carrier::severable::{SeverableListener, Shears};
use crate::carrier::{self, signature::signature};
use crate::ehr::line::Line;
use crate::ehr::webhook;
use crate::fhir;
use crate::ledger::Ledger;
use crate::people::Person;
use crate::plan::{Plan, REFERRALS_MAX};
use crate::smtp;
use crate::town::{Callback, Message, Sending, SharedTown, Town};

/// A practice, its patients and its neighbours. Its servers live as long as it does.
pub struct Practice {
    town: SharedTown,
    addresses: Addresses,
    // One at a time: whoever acts holds the line.
    line: tokio::sync::Mutex<Line>,
    http: reqwest::Client,
    servers: Vec<JoinHandle<()>>,
}

/// What belongs into Handoff's endpoints.
#[derive(Clone, Debug, PartialEq)]
pub struct Addresses {
    /// Base URL of the carrier, `http://127.0.0.1:PORT`, to which `/2010-04-01/…` is added.
    pub carrier: String,
    /// Base URL of the chart, ending in `/fhir`.
    pub fhir: String,
    /// Opens the chart: as a bearer token, or as the password of basic authentication.
    pub fhir_token: String,
    /// Takes mail without TLS, with or without authentication.
    pub smtp: SocketAddr,
}

/// Where Handoff listens, and what it shares with the carrier.
#[derive(Clone)]
pub struct Handoff {
    pub mllp: SocketAddr,
    /// Base URL of Handoff's HTTP listener.
    pub http: String,
    /// Base URL that Handoff believes to have; callbacks are signed for it and sent to `http`.
    pub public_url: String,
    /// Under `public_url`: where the carrier sends the texts of patients.
    pub callback_url: String,
    pub twilio_account: String,
    pub twilio_auth_token: String,
    /// E.164: the number to which patients text when they were texted by a messaging service.
    pub sms_number: String,
    /// Takes some of the orders as JSON; without one, all come as HL7.
    pub webhook: Option<Webhook>,
}

/// Where Handoff takes orders as JSON.
#[derive(Clone)]
pub struct Webhook {
    /// In full, as it is called.
    pub url: String,
    /// Signs the body: `x-signature: sha256=` and HMAC-SHA256 in hexadecimal.
    pub secret: String,
}

/// What [`Practice::act`] did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Acts {
    pub performed: u32,
    /// HL7 messages that were acknowledged AA, and webhooks answered 2xx.
    pub messages_accepted: u32,
    /// HL7 messages and webhooks that were refused or not acknowledged.
    pub messages_refused: u32,
    pub callbacks_accepted: u32,
    pub callbacks_refused: u32,
}

#[derive(Debug, thiserror::Error)]
pub enum PracticeError {
    #[error("a rehearsal has at most {REFERRALS_MAX} referrals, the plan says {0}: run several seeds instead")]
    TooManyReferrals(usize),
    #[error("cannot listen on 127.0.0.1: does the machine have a loopback interface?")]
    Listen(#[source] std::io::Error),
    #[error("cannot build the HTTP client")]
    Client(#[source] reqwest::Error),
    #[error("the practice does not know where Handoff is: call connect first")]
    NotConnected,
}

/// Callbacks are answered from a journal commit; Twilio itself gives up after 15 s.
const CALLBACK_WITHIN: Duration = Duration::from_secs(15);

impl Practice {
    /// Opens carrier, chart and mail server on free ports of 127.0.0.1.
    pub async fn start(plan: Plan) -> Result<Practice, PracticeError> {
        if plan.referrals > REFERRALS_MAX {
            return Err(PracticeError::TooManyReferrals(plan.referrals));
        }
        // Fails when somebody has installed one already, which serves as well.
        let _already_installed = rustls::crypto::ring::default_provider().install_default();
        let http =
            reqwest::Client::builder().timeout(CALLBACK_WITHIN).no_proxy().build().map_err(PracticeError::Client)?;
        let (carrier, carrier_at) = listen().await?;
        let (chart, chart_at) = listen().await?;
        let (mail, smtp) = listen().await?;
        let addresses = Addresses {
            carrier: format!("http://{carrier_at}"),
            fhir: format!("http://{chart_at}/fhir"),
            fhir_token: fhir::ACCESS_TOKEN.to_string(),
            smtp,
        };
        let town = SharedTown::new(Town::new(plan));
        let messages = carrier::routes(town.clone()).into_make_service_with_connect_info::<Shears>();
        let records = fhir::routes(town.clone());
        let servers = vec![
            tokio::spawn(async move {
                if let Err(error) = axum::serve(SeverableListener(carrier), messages).await {
                    tracing::error!(%error, "the carrier stopped");
                }
            }),
            tokio::spawn(async move {
                if let Err(error) = axum::serve(chart, records).await {
                    tracing::error!(%error, "the chart stopped");
                }
            }),
            tokio::spawn(smtp::serve(mail, town.clone())),
        ];
        Ok(Practice { town, addresses, line: tokio::sync::Mutex::default(), http, servers })
    }

    pub fn addresses(&self) -> Addresses {
        self.addresses.clone()
    }

    /// Says where to send from now on. May be called again when Handoff has moved.
    pub fn connect(&self, handoff: Handoff) {
        self.town.lock().handoff = Some(handoff);
    }

    /// When something happens next; none when nothing does within the plan's days.
    pub fn next_action(&self) -> Option<DateTime<Utc>> {
        let town = self.town.lock();
        town.agenda.next().filter(|at| *at <= town.end())
    }

    /// Performs what is due up to `now`, in order, awaiting each answer. Also tells the world what time it is: call it
    /// whenever the virtual clock moves, before Handoff works at that time.
    pub async fn act(&self, now: DateTime<Utc>) -> Result<Acts, PracticeError> {
        let mut line = self.line.lock().await;
        let handoff = self.town.lock().handoff.clone().ok_or(PracticeError::NotConnected)?;
        let mut acts = Acts::default();
        loop {
            let sendings = {
                let mut town = self.town.lock();
                let until = now.min(town.end());
                match town.agenda.take(until) {
                    Some((at, person, action)) => {
                        // Time never runs backwards, even if something was noted for a moment gone by.
                        town.now = town.now.max(at);
                        town.perform(person, action)
                    }
                    None => {
                        town.now = town.now.max(now);
                        return Ok(acts);
                    }
                }
            };
            acts.performed += 1;
            for sending in sendings {
                match sending {
                    Sending::Message(message) => self.transmit(&mut line, &handoff, message, &mut acts).await,
                    Sending::Callback(callback) => self.call_back(&handoff, callback, &mut acts).await,
                }
            }
        }
    }

    async fn transmit(&self, line: &mut Line, handoff: &Handoff, message: Message, acts: &mut Acts) {
        if message.is_json() {
            return self.post(handoff, message, acts).await;
        }
        let answer = match line.send(handoff.mllp, message.body.as_bytes()).await {
            Ok(found) if found.code == "AA" && found.control_id != message.control_id => {
                format!("AA for another message than {}", message.control_id)
            }
            Ok(found) => found.code,
            Err(error) => {
                tracing::debug!(%error, control_id = message.control_id, "a message stays in the queue");
                error.name().to_string()
            }
        };
        match answer.as_str() {
            "AA" => acts.messages_accepted += 1,
            _ => acts.messages_refused += 1,
        }
        self.town.lock().acknowledged(message, answer);
    }

    async fn post(&self, handoff: &Handoff, message: Message, acts: &mut Acts) {
        let status = match &handoff.webhook {
            Some(webhook) => {
                let request = self.http.post(&webhook.url).header("content-type", "application/json");
                let signature = webhook::signature(&webhook.secret, &message.body);
                self.status_of(request.header("x-signature", signature).body(message.body.clone())).await
            }
            None => 0,
        };
        match status {
            200..300 => acts.messages_accepted += 1,
            _ => acts.messages_refused += 1,
        }
        self.town.lock().acknowledged(message, status.to_string());
    }

    /// The HTTP status of the answer, 0 when there is none.
    async fn status_of(&self, request: reqwest::RequestBuilder) -> u16 {
        match request.send().await {
            Ok(response) => response.status().as_u16(),
            Err(error) => {
                tracing::debug!(%error, "no answer");
                0
            }
        }
    }

    async fn call_back(&self, handoff: &Handoff, callback: Callback, acts: &mut Acts) {
        let url = match callback.url.strip_prefix(&handoff.public_url) {
            Some(path) => format!("{}{path}", handoff.http),
            None => callback.url.clone(),
        };
        let signature = signature(&handoff.twilio_auth_token, &callback.url, &callback.fields);
        let request = self.http.post(url).header("X-Twilio-Signature", signature).form(&callback.fields);
        let status = self.status_of(request).await;
        match status {
            200..300 => acts.callbacks_accepted += 1,
            _ => acts.callbacks_refused += 1,
        }
        self.town.lock().called_back(callback, status);
    }

    /// What has happened so far.
    pub fn ledger(&self) -> Ledger {
        self.town.lock().ledger.clone().in_order()
    }

    /// The patients; a place in this list is a `person` of the [`Ledger`].
    pub fn people(&self) -> Vec<Person> {
        self.town.lock().people.clone()
    }
}

impl Drop for Practice {
    fn drop(&mut self) {
        for server in &self.servers {
            server.abort();
        }
    }
}

async fn listen() -> Result<(TcpListener, SocketAddr), PracticeError> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.map_err(PracticeError::Listen)?;
    let address = listener.local_addr().map_err(PracticeError::Listen)?;
    Ok((listener, address))
}
