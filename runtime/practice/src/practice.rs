//! Opens the practice's servers, and carries what its world sends to Handoff, one thing at a time.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::carrier::severable::{SeverableListener, Shears};
use crate::ehr::line::Line;
use crate::ledger::Ledger;
use crate::people::SimulatedPatient;
use crate::plan::{PracticePlan, REFERRALS_MAX};
use crate::smtp;
use crate::world::{Outbound, OutboundAnswer, OutboundMessage, Server, Simulation};

/// A practice, its patients and its neighbours on real sockets. Its servers live as long as it does.
pub struct PracticeServers {
    world: Simulation,
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

impl PracticeServers {
    /// Opens carrier, chart and mail server on free ports of 127.0.0.1.
    pub async fn start(plan: PracticePlan) -> Result<PracticeServers, PracticeError> {
        let world = Simulation::new(plan)?;
        // Fails when somebody has installed one already, which serves as well.
        let _already_installed = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let http =
            reqwest::Client::builder().timeout(CALLBACK_WITHIN).no_proxy().build().map_err(PracticeError::Client)?;
        let (carrier, carrier_at) = listen().await?;
        let (chart, chart_at) = listen().await?;
        let (mail, smtp) = listen().await?;
        let addresses =
            Addresses { carrier: format!("http://{carrier_at}"), fhir: format!("http://{chart_at}/fhir"), smtp };
        let messages = world.routes(Server::Carrier).into_make_service_with_connect_info::<Shears>();
        let records = world.routes(Server::Chart);
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
            tokio::spawn(smtp::serve(mail, world.town())),
        ];
        Ok(PracticeServers { world, addresses, line: tokio::sync::Mutex::default(), http, servers })
    }

    pub fn addresses(&self) -> Addresses {
        self.addresses.clone()
    }

    /// Who is behind the sockets.
    pub fn world(&self) -> &Simulation {
        &self.world
    }

    /// Says where to send from now on. May be called again when Handoff has moved.
    pub fn connect(&self, handoff: Handoff) {
        self.world.connect(handoff);
    }

    /// As [`World::next_action`].
    pub fn next_action(&self) -> Option<DateTime<Utc>> {
        self.world.next_action()
    }

    /// Performs what is due up to `now`, in order, awaiting each answer. Also tells the world what time it is: call it
    /// whenever the virtual clock moves, before Handoff works at that time.
    ///
    /// # Errors
    /// When Handoff is nowhere yet.
    pub async fn act(&self, now: DateTime<Utc>) -> Result<Acts, PracticeError> {
        let mut line = self.line.lock().await;
        let handoff = self.world.town().lock().handoff.clone().ok_or(PracticeError::NotConnected)?;
        let mut acts = Acts::default();
        while let Some(errands) = self.world.act(now) {
            acts.performed += 1;
            for errand in errands {
                let reply = match self.world.parcel(&errand)? {
                    OutboundMessage::Hl7(message) => match line.send(handoff.mllp, &message).await {
                        Ok(answer) => OutboundAnswer::Acknowledged(answer),
                        Err(error) => {
                            tracing::debug!(%error, errand = errand.name(), "a message stays in the queue");
                            OutboundAnswer::None(error.name())
                        }
                    },
                    OutboundMessage::Post { url, headers, body } => self.post(&handoff, &url, headers, body).await,
                };
                acts.count(&errand, &reply);
                self.world.settle(errand, &reply);
            }
        }
        Ok(acts)
    }

    async fn post(
        &self,
        handoff: &Handoff,
        url: &str,
        headers: Vec<(&'static str, String)>,
        body: Vec<u8>,
    ) -> OutboundAnswer {
        let url = match url.strip_prefix(&handoff.public_url) {
            Some(path) => format!("{}{path}", handoff.http),
            None => url.to_string(),
        };
        let request =
            headers.into_iter().fold(self.http.post(url), |request, (name, value)| request.header(name, value));
        match request.body(body).send().await {
            Ok(response) => OutboundAnswer::Status(response.status().as_u16()),
            Err(error) => {
                tracing::debug!(%error, "no answer");
                OutboundAnswer::None("no answer")
            }
        }
    }

    /// As [`World::ledger`].
    pub fn ledger(&self) -> Ledger {
        self.world.ledger()
    }

    /// As [`World::people`].
    pub fn people(&self) -> Vec<SimulatedPatient> {
        self.world.people()
    }
}

impl Acts {
    fn count(&mut self, errand: &Outbound, reply: &OutboundAnswer) {
        let counter = match (errand.is_callback(), reply.accepts()) {
            (false, true) => &mut self.messages_accepted,
            (false, false) => &mut self.messages_refused,
            (true, true) => &mut self.callbacks_accepted,
            (true, false) => &mut self.callbacks_refused,
        };
        *counter += 1;
    }
}

impl Drop for PracticeServers {
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
