//! The practice and its neighbours without a single socket: what they answer, and what they want carried to Handoff.
//! [`crate::Practice`] puts sockets around it; a simulation carries everything itself, and loses some of it.

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{Request, Response};
use chrono::{DateTime, Utc};
use tower::ServiceExt as _;
use url::form_urlencoded;

use crate::carrier::severable::Shears;
use crate::carrier::{self, signature::signature};
use crate::ehr::line::acknowledgement;
use crate::ehr::webhook;
use crate::fhir;
use crate::ledger::Ledger;
use crate::mess::Truth;
use crate::people::SimulatedPatient;
use crate::plan::{PracticePlan, REFERRALS_MAX};
use crate::practice::{Handoff, PracticeError};
use crate::smtp::Refusal;
use crate::town::{Sending, SharedTown, SimulationState};

/// Cheap to clone; clones are the same world.
#[derive(Clone)]
pub struct Simulation {
    town: SharedTown,
    carrier: Router,
    chart: Router,
}

/// The two that speak HTTP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Server {
    Carrier,
    Chart,
}

/// Something on its way to Handoff.
#[derive(Clone, Debug)]
pub struct Outbound(Sending);

/// What an errand carries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OutboundMessage {
    /// An HL7 message, without its frame.
    Hl7(Vec<u8>),
    Post {
        url: String,
        headers: Vec<(&'static str, String)>,
        body: Vec<u8>,
    },
}

/// What became of an errand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OutboundAnswer {
    /// The bytes that came back over MLLP.
    Acknowledged(Vec<u8>),
    /// The status of an HTTP answer.
    Status(u16),
    /// No answer, and why in a word.
    None(&'static str),
}

impl Simulation {
    /// # Errors
    /// When the plan has more referrals than there are telephone numbers.
    pub fn new(plan: PracticePlan) -> Result<Simulation, PracticeError> {
        if plan.referrals > REFERRALS_MAX {
            return Err(PracticeError::TooManyReferrals(plan.referrals));
        }
        let town = SharedTown::new(SimulationState::new(plan));
        let (carrier, chart) = (carrier::routes(town.clone()), fhir::routes(town.clone()));
        Ok(Simulation { town, carrier, chart })
    }

    /// Says where Handoff believes to be, and what it shares with the carrier. May be called again when it has moved.
    pub fn connect(&self, handoff: Handoff) {
        self.town.lock().handoff = Some(handoff);
    }

    /// When something happens next; none when nothing does within the plan's days.
    pub fn next_action(&self) -> Option<DateTime<Utc>> {
        let town = self.town.lock();
        town.agenda.next().filter(|at| *at <= town.end())
    }

    /// Does the next thing that is due up to `now`, and gives what it wants carried. Nothing once all is done: then the
    /// world knows what time it is. Call it whenever the clock moves, before Handoff works at that time.
    pub fn act(&self, now: DateTime<Utc>) -> Option<Vec<Outbound>> {
        let mut town = self.town.lock();
        let until = now.min(town.end());
        match town.agenda.take(until) {
            Some((at, person, action)) => {
                // Time never runs backwards, even if something was noted for a moment gone by.
                town.now = town.now.max(at);
                Some(town.perform(person, action).into_iter().map(Outbound).collect())
            }
            None => {
                town.now = town.now.max(now);
                None
            }
        }
    }

    /// Tells the world what time it is, before somebody asks it something. Time never runs backwards.
    pub fn tell_time(&self, now: DateTime<Utc>) {
        let mut town = self.town.lock();
        town.now = town.now.max(now);
    }

    /// What an errand carries, and to where.
    ///
    /// # Errors
    /// When Handoff is nowhere yet.
    pub fn parcel(&self, errand: &Outbound) -> Result<OutboundMessage, PracticeError> {
        let handoff = self.town.lock().handoff.clone().ok_or(PracticeError::NotConnected)?;
        Ok(match &errand.0 {
            Sending::Message(message) if message.is_json() => {
                let webhook = handoff.webhook.ok_or(PracticeError::NotConnected)?;
                let signature = webhook::signature(&webhook.secret, &message.body);
                let headers = vec![("content-type", "application/json".into()), ("x-signature", signature)];
                OutboundMessage::Post { url: webhook.url, headers, body: message.body.clone() }
            }
            Sending::Message(message) => OutboundMessage::Hl7(message.body.clone()),
            Sending::Callback(callback) => {
                let signature = signature(&handoff.twilio_auth_token, &callback.url, &callback.fields);
                let headers = vec![
                    ("content-type", "application/x-www-form-urlencoded".into()),
                    ("x-twilio-signature", signature),
                ];
                let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(&callback.fields).finish();
                OutboundMessage::Post { url: callback.url.clone(), headers, body: body.into_bytes() }
            }
        })
    }

    /// Notes what became of an errand; what was not taken is sent again as such senders do.
    pub fn settle(&self, errand: Outbound, reply: &OutboundAnswer) {
        let mut town = self.town.lock();
        match errand.0 {
            Sending::Message(message) => {
                let answer = match reply {
                    OutboundAnswer::Acknowledged(bytes) => match acknowledgement(bytes) {
                        Some(found) if found.code == "AA" && found.control_id != message.bears => {
                            format!("AA for another message than {}", message.control_id)
                        }
                        Some(found) => found.code,
                        None => "no acknowledgement".to_string(),
                    },
                    OutboundAnswer::Status(status) => status.to_string(),
                    OutboundAnswer::None(why) if message.is_json() => format!("0 ({why})"),
                    OutboundAnswer::None(why) => (*why).to_string(),
                };
                town.acknowledged(message, answer);
            }
            Sending::Callback(callback) => {
                let status = match reply {
                    OutboundAnswer::Status(status) => *status,
                    OutboundAnswer::Acknowledged(_) | OutboundAnswer::None(_) => 0,
                };
                town.called_back(callback, status);
            }
        }
    }

    /// What one of the servers answers; none when it cut the connection after it had acted.
    pub async fn answer(&self, server: Server, mut request: Request<Body>) -> Option<Response<Body>> {
        let shears = Shears::default();
        request.extensions_mut().insert(ConnectInfo(shears.clone()));
        let router = match server {
            Server::Carrier => self.carrier.clone(),
            Server::Chart => self.chart.clone(),
        };
        let Ok(response) = router.oneshot(request).await;
        (!shears.are_closed()).then_some(response)
    }

    /// Takes a mail in, whole.
    ///
    /// # Errors
    /// When one of the recipients has no mailbox: nobody gets it then.
    pub fn mail(&self, recipients: &[String], message: &[u8]) -> Result<(), Refusal> {
        let mut town = self.town.lock();
        recipients.iter().try_for_each(|to| town.accepts_mail(to))?;
        town.deliver(recipients, message);
        Ok(())
    }

    /// What has happened so far.
    pub fn ledger(&self) -> Ledger {
        self.town.lock().ledger.clone().in_order()
    }

    /// Reads the ledger as it grows, without a copy: its entries as they came.
    pub fn read_ledger<T>(&self, read: impl FnOnce(&Ledger) -> T) -> T {
        read(&self.town.lock().ledger)
    }

    /// The patients; a place in this list is a `person` of the [`Ledger`].
    pub fn people(&self) -> Vec<SimulatedPatient> {
        self.town.lock().people.clone()
    }

    /// Patients whose charts were merged, of which Handoff has yet to be told.
    pub fn merging(&self) -> Vec<usize> {
        let town = self.town.lock();
        let is_merging =
            |person: &usize| town.people[*person].annals.former_record.as_ref().is_some_and(|(_, told)| !told);
        (0..town.people.len()).filter(is_merging).collect()
    }

    /// The physicians of the region, by their National Provider Identifiers.
    pub fn physicians(&self) -> Vec<&'static str> {
        self.town.lock().roster.ids().collect()
    }

    pub(crate) fn town(&self) -> SharedTown {
        self.town.clone()
    }

    pub(crate) fn routes(&self, server: Server) -> Router {
        match server {
            Server::Carrier => self.carrier.clone(),
            Server::Chart => self.chart.clone(),
        }
    }
}

impl OutboundAnswer {
    /// Whether the errand is done: `AA`, or a status of 2xx.
    pub fn accepts(&self) -> bool {
        match self {
            OutboundAnswer::Acknowledged(bytes) => acknowledgement(bytes).is_some_and(|found| found.code == "AA"),
            OutboundAnswer::Status(status) => (200..300).contains(status),
            OutboundAnswer::None(_) => false,
        }
    }
}

impl Outbound {
    /// What it really is.
    pub fn truth(&self) -> &Truth {
        match &self.0 {
            Sending::Message(message) => &message.truth,
            Sending::Callback(callback) => &callback.truth,
        }
    }

    pub(crate) fn is_callback(&self) -> bool {
        matches!(self.0, Sending::Callback(_))
    }

    /// A word for the errand that says nothing of whom it is about: the same again has the same word.
    pub fn name(&self) -> String {
        match &self.0 {
            Sending::Message(message) => format!("message {}", message.control_id),
            Sending::Callback(callback) => {
                let sid = callback.fields.iter().find(|(name, _)| name == "MessageSid").map(|(_, sid)| sid.as_str());
                format!("callback {}", sid.unwrap_or_default())
            }
        }
    }
}
