//! Handoff's only way out. Puts patient data and credentials in, checks where they may go, and takes patient data out
//! of what comes back before a plugin sees it.
//!
//! Architecture Invariant: nothing else in the daemon opens a connection to the outside.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::NaiveDate;
use handoff_clock::Clock;
use handoff_engine::ids::{LetterId, PatientId, StageKey};
use handoff_host::contract::exchange::{Ask, HttpRequest, HttpResponse, Mail, MailResponse, Request, Response};
use handoff_vault::Sealing;
use handoff_vault::secrets::{Secret, Secrets};
use handoff_vault::substitute::Placed;
use handoff_vault::tokenise::{Reveal, Tokeniser};
use reqwest::header::{AUTHORIZATION, HeaderValue};

pub use crate::denial::Denial;
use crate::endpoint::{Baa, Credentials, Endpoint, EndpointConfig, EndpointError, EndpointKind};
use crate::http::Failed;
use crate::oauth::{AccessTokens, Claim, NoToken, Proof};
use crate::rate::Rate;
use crate::reach::{EndpointSummaries, EndpointSummary};
use crate::smtp::Unsaid;
use crate::substitution::Filling;
use crate::tls::TrustError;
use crate::transport::{Sockets, Wire};

/// What one stage may reach and read, for one patient.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// As the workflow names it: `outreach.sms`.
    pub stage: StageKey,
    pub endpoints: Vec<String>,
    /// Paths of responses that it may read in clear.
    pub reveal: Vec<String>,
    /// Whose tokens may travel; anyone else's are refused.
    pub patient: PatientId,
    /// What is asked for: every attempt at it carries the same key.
    pub letter: LetterId,
    /// How often it is sent anew because it is known not to have arrived: each time is another request.
    pub again: u32,
}

/// What became of a request.
#[derive(Clone, Debug, PartialEq)]
pub enum Performed {
    Answered(Response),
    /// It never left: safe to send again. Why, without patient data.
    NotSent(String),
    /// It left, and no answer arrived: the vendor may have acted. Why, without patient data.
    InDoubt(String),
}

pub struct Egress {
    endpoints: BTreeMap<String, Endpoint>,
    secrets: Arc<Secrets>,
    clock: Arc<dyn Clock>,
    wire: Arc<dyn Wire>,
    access_tokens: AccessTokens,
}

/// Why there is no way out at all.
#[derive(Debug, thiserror::Error)]
pub enum EgressError {
    #[error(transparent)]
    Endpoint(#[from] EndpointError),
    #[error(transparent)]
    Trust(#[from] TrustError),
    #[error("no TLS client can be made")]
    Tls(#[from] reqwest::Error),
}

/// An exchange that came to no answer: denied, or performed without one.
enum Stopped {
    Denied(Denial),
    Performed(Performed),
}

impl From<Denial> for Stopped {
    fn from(denial: Denial) -> Stopped {
        Stopped::Denied(denial)
    }
}

impl Egress {
    /// # Errors
    /// When an endpoint cannot work: a bad URL, an unencrypted way out of Handoff, a secret that there is not.
    pub fn new(
        endpoints: BTreeMap<String, EndpointConfig>,
        secrets: Arc<Secrets>,
        clock: Arc<dyn Clock>,
    ) -> Result<Egress, EgressError> {
        let endpoints = checked(endpoints, &secrets)?;
        let wire = Arc::new(Sockets::new(&endpoints, &secrets)?);
        Ok(Egress { endpoints, secrets, clock, wire, access_tokens: AccessTokens::default() })
    }

    /// As [`Egress::new`], over another network than the machine's own.
    ///
    /// # Errors
    /// When an endpoint cannot work.
    pub fn over(
        wire: Arc<dyn Wire>,
        endpoints: BTreeMap<String, EndpointConfig>,
        secrets: Arc<Secrets>,
        clock: Arc<dyn Clock>,
    ) -> Result<Egress, EgressError> {
        let endpoints = checked(endpoints, &secrets)?;
        Ok(Egress { endpoints, secrets, clock, wire, access_tokens: AccessTokens::default() })
    }

    pub(crate) fn endpoint(&self, name: &str) -> Option<&Endpoint> {
        self.endpoints.get(name)
    }

    /// Until which day each business associate agreement holds that ends at all.
    pub fn agreements(&self) -> impl Iterator<Item = (String, NaiveDate)> {
        self.endpoints
            .iter()
            .filter_map(|(name, endpoint)| Some((name.clone(), endpoint.config.baa.as_ref()?.expires?)))
    }

    /// Under which agreement patient data goes to an endpoint.
    pub fn agreement(&self, endpoint: &str) -> Option<&str> {
        let baa = self.endpoints.get(endpoint)?.config.baa.as_ref();
        baa.map(|baa| baa.reference.as_str())
    }

    /// Where each endpoint leads, for people.
    pub fn ways(&self) -> EndpointSummaries {
        let way = |endpoint: &Endpoint| EndpointSummary::of(&endpoint.config, endpoint.secrets().map(str::to_owned));
        self.endpoints.iter().map(|(name, endpoint)| (name.clone(), way(endpoint))).collect()
    }

    /// How fast each endpoint may be asked.
    pub fn rates(&self) -> impl Iterator<Item = (String, Option<Rate>)> {
        self.endpoints.values().map(|endpoint| (endpoint.name.clone(), endpoint.config.rate))
    }

    /// Performs one request for a stage. What the response tells of the patient is sealed into `sealing`.
    ///
    /// # Errors
    /// When the request may not leave, or the set-up is wrong: a person has to look at it.
    pub async fn perform(&self, grant: &Grant, ask: &Ask, sealing: &mut Sealing<'_>) -> Result<Performed, Denial> {
        let endpoint = self.granted(grant, ask)?;
        let answered = match &ask.request {
            Request::Http(request) => self.http(grant, endpoint, request, &ask.reveal, sealing).await,
            Request::Mail(mail) => self.mail(grant, endpoint, mail, sealing).await,
            Request::Mllp(message) => self.mllp(grant, endpoint, message, sealing).await,
        };
        match answered {
            Ok(response) => Ok(Performed::Answered(response)),
            Err(Stopped::Performed(performed)) => Ok(performed),
            Err(Stopped::Denied(denial)) => Err(denial),
        }
    }

    fn granted(&self, grant: &Grant, ask: &Ask) -> Result<&Endpoint, Denial> {
        let stage = || grant.stage.clone();
        if !grant.endpoints.contains(&ask.endpoint) {
            let (endpoint, granted) = (ask.endpoint.clone(), grant.endpoints.clone());
            return Err(Denial::EndpointNotGranted { stage: stage(), endpoint, granted });
        }
        if let Some(path) = ask.reveal.iter().find(|path| !grant.reveal.contains(path)) {
            let (path, granted) = (path.clone(), grant.reveal.clone());
            return Err(Denial::RevealNotGranted { stage: stage(), path, granted });
        }
        let endpoint = self.endpoints.get(&ask.endpoint);
        let endpoint = endpoint.ok_or_else(|| Denial::UnknownEndpoint { endpoint: ask.endpoint.clone() })?;
        if let Some(Baa { expires: Some(last_day), .. }) = endpoint.config.baa
            && self.clock.now().date_naive() > last_day
        {
            return Err(Denial::AgreementExpired { endpoint: endpoint.name.clone(), expired: last_day });
        }
        let (fits, asked) = match &ask.request {
            Request::Http(_) => (endpoint.kind == EndpointKind::Http, "HTTP"),
            Request::Mail(_) => (matches!(endpoint.kind, EndpointKind::Mail | EndpointKind::MailTls), "mail"),
            Request::Mllp(_) => (endpoint.kind == EndpointKind::Mllp, "MLLP"),
        };
        let scheme = || endpoint.url.scheme().to_string();
        match fits {
            true => Ok(endpoint),
            false => {
                Err(Denial::OtherProtocol { stage: stage(), endpoint: endpoint.name.clone(), scheme: scheme(), asked })
            }
        }
    }

    async fn http(
        &self,
        grant: &Grant,
        endpoint: &Endpoint,
        request: &HttpRequest,
        reveal: &[String],
        sealing: &mut Sealing<'_>,
    ) -> Result<Response, Stopped> {
        let mut filling = Filling::new(grant, endpoint, sealing);
        let prepared = crate::http::prepare(grant, endpoint, request, &mut filling)?;
        let placed = filling.into_placed();
        let safe = prepared.method().is_safe();
        let mut request = prepared.request(endpoint);
        if let Some(credentials) = self.authorization(endpoint).await? {
            request.headers_mut().insert(AUTHORIZATION, credentials);
        }
        let bytes_max = endpoint.config.response_bytes_max;
        let received = self.wire.http(endpoint, request, bytes_max).await.map_err(|failed| {
            // Nothing was changed by asking, so a person may just raise the limit.
            if safe && matches!(failed, Failed::TooLong) {
                return Stopped::Denied(Denial::ResponseTooLong { endpoint: endpoint.name.clone(), bytes_max });
            }
            stopped(endpoint, failed)
        })?;
        if received.status == 401 {
            self.access_tokens.forget(endpoint).await;
        }
        let content_type = received.headers.get("content-type").and_then(|value| value.to_str().ok());
        let mut tokeniser = Tokeniser { patient: &grant.patient, sealing, placed: &placed };
        let body = tokeniser.body(content_type.unwrap_or_default(), &received.body, &Reveal::new(reveal));
        let headers = crate::http::revealed(&received.headers, &placed);
        Ok(Response::Http(HttpResponse { status: received.status, headers, body }))
    }

    async fn mail(
        &self,
        grant: &Grant,
        endpoint: &Endpoint,
        mail: &Mail,
        sealing: &mut Sealing<'_>,
    ) -> Result<Response, Stopped> {
        let mut filling = Filling::new(grant, endpoint, sealing);
        let message = crate::smtp::prepare(
            &grant.stage,
            mail,
            &crate::idempotency_key::of_mail(grant, mail),
            self.clock.now(),
            &mut filling,
        )?;
        let token = self.access_token(endpoint).await?;
        let login = match &endpoint.config.credentials {
            Credentials::Login { user, password } => Some((user.as_str(), self.secret(endpoint, password)?)),
            Credentials::Xoauth2 { user, .. } => token.as_ref().map(|token| (user.as_str(), token)),
            Credentials::None
            | Credentials::Basic { .. }
            | Credentials::Bearer { .. }
            | Credentials::Oauth2 { .. }
            | Credentials::SmartBackend { .. } => None,
        };
        let name = || endpoint.name.clone();
        let said = self.wire.mail(endpoint, login, &message).await;
        if matches!(said, Err(Unsaid::LoginRefused)) {
            self.access_tokens.forget(endpoint).await;
        }
        let word = said.map_err(|unsaid| match unsaid {
            Unsaid::NotSent => stopped(endpoint, Failed::NotSent),
            Unsaid::InDoubt => stopped(endpoint, Failed::InDoubt),
            Unsaid::Forbidden => stopped(endpoint, Failed::Forbidden),
            Unsaid::NotEncrypted => {
                let host = endpoint.host().to_string();
                Denial::NoStartTls { endpoint: name(), host }.into()
            }
            Unsaid::LoginRefused => {
                let lines = endpoint.config.credentials.lines();
                Denial::LoginRefused { endpoint: name(), lines }.into()
            }
        })?;
        // Servers repeat the address that they refuse.
        let mut tokeniser = Tokeniser { patient: &grant.patient, sealing, placed: &Placed::default() };
        let text = tokeniser.text(&word.text);
        Ok(Response::Mail(MailResponse { code: word.code, enhanced: word.enhanced().to_string(), text }))
    }

    async fn mllp(
        &self,
        grant: &Grant,
        endpoint: &Endpoint,
        message: &str,
        sealing: &mut Sealing<'_>,
    ) -> Result<Response, Stopped> {
        if message.contains(['\u{0b}', '\u{1c}']) {
            let (stage, place) = (grant.stage.clone(), "mllp".to_string());
            return Err(Denial::Malformed { stage, place, why: "has a character that ends the frame" }.into());
        }
        let message = Filling::new(grant, endpoint, sealing).fill(message, crate::mllp::place(message))?;
        let answer = self.wire.mllp(endpoint, &message).await.map_err(|failed| stopped(endpoint, failed))?;
        let mut tokeniser = Tokeniser { patient: &grant.patient, sealing, placed: &Placed::default() };
        Ok(Response::Mllp(tokeniser.acknowledgement(&String::from_utf8_lossy(&answer))))
    }

    /// What an HTTP endpoint is shown; nothing when it asks for nothing.
    async fn authorization(&self, endpoint: &Endpoint) -> Result<Option<HeaderValue>, Stopped> {
        let unwritable =
            || no_access_token(endpoint, "its credentials have a character that no header can carry".into());
        let value = match &endpoint.config.credentials {
            Credentials::None | Credentials::Login { .. } | Credentials::Xoauth2 { .. } => return Ok(None),
            Credentials::Basic { user, password } => crate::http::basic(user, self.secret(endpoint, password)?),
            Credentials::Bearer { token, prefix } => {
                crate::http::authorization(&format!("{prefix}{}", self.secret(endpoint, token)?.as_str()))
            }
            Credentials::Oauth2 { .. } | Credentials::SmartBackend { .. } => {
                let token = self.access_token(endpoint).await?;
                token.and_then(|token| crate::http::authorization(&format!("Bearer {}", token.as_str())))
            }
        };
        Ok(Some(value.ok_or_else(unwritable)?))
    }

    /// What an endpoint with OAuth is shown; nothing where it wants something else.
    async fn access_token(&self, endpoint: &Endpoint) -> Result<Option<Secret>, Stopped> {
        let now = self.clock.now();
        let claim = match &endpoint.config.credentials {
            Credentials::Oauth2 { token_url, client_id, client_secret, scopes }
            | Credentials::Xoauth2 { token_url, client_id, client_secret, scopes, .. } => {
                let proof = Proof::Secret(self.secret(endpoint, client_secret)?);
                Claim { token_url, client_id, proof, scopes, now }
            }
            Credentials::SmartBackend { token_url, client_id, key, key_id, scopes } => {
                let proof = Proof::Key { pem: self.secret(endpoint, key)?, id: key_id };
                Claim { token_url, client_id, proof, scopes, now }
            }
            Credentials::None | Credentials::Basic { .. } | Credentials::Bearer { .. } | Credentials::Login { .. } => {
                return Ok(None);
            }
        };
        let token = self.access_tokens.get(&*self.wire, endpoint, claim).await.map_err(|none| match none {
            NoToken::Unreachable => stopped(endpoint, Failed::NotSent),
            NoToken::Forbidden => stopped(endpoint, Failed::Forbidden),
            NoToken::Refused(what) => no_access_token(endpoint, what).into(),
        })?;
        Ok(Some(token))
    }

    /// Invariant: [`Egress::new`] has seen that every secret named is there.
    fn secret(&self, endpoint: &Endpoint, name: &str) -> Result<&Secret, Denial> {
        let missing = || no_access_token(endpoint, format!("no secret {name}"));
        self.secrets.get(name).ok_or_else(missing)
    }
}

/// Every endpoint as its entry has it, and every secret that it names.
fn checked(
    endpoints: BTreeMap<String, EndpointConfig>,
    secrets: &Secrets,
) -> Result<BTreeMap<String, Endpoint>, EndpointError> {
    let mut checked = BTreeMap::new();
    for (name, config) in endpoints {
        let endpoint = Endpoint::new(&name, config)?;
        if let Some(secret) = endpoint.secrets().find(|secret| secrets.get(secret).is_none()) {
            let secret = secret.to_string();
            return Err(EndpointError::NoSecret { name, secret });
        }
        if let Credentials::SmartBackend { key, .. } = &endpoint.config.credentials
            && secrets.get(key).and_then(crate::jwt_assertion::Key::read).is_none()
        {
            return Err(EndpointError::NotAKey { name, secret: key.clone() });
        }
        checked.insert(name, endpoint);
    }
    Ok(checked)
}

fn no_access_token(endpoint: &Endpoint, what: String) -> Denial {
    Denial::NoAccessToken { endpoint: endpoint.name.clone(), what, lines: endpoint.config.credentials.lines() }
}

fn stopped(endpoint: &Endpoint, failed: Failed) -> Stopped {
    let (name, seconds) = (&endpoint.name, endpoint.config.timeout_seconds);
    match failed {
        Failed::NotSent => Stopped::Performed(Performed::NotSent(format!("the endpoint {name} cannot be reached"))),
        Failed::InDoubt => Stopped::Performed(Performed::InDoubt(format!(
            "the endpoint {name} gave no whole answer within {seconds} s"
        ))),
        Failed::TooLong => {
            let bytes_max = endpoint.config.response_bytes_max;
            Stopped::Performed(Performed::InDoubt(format!(
                "the endpoint {name} answered with more than {bytes_max} bytes"
            )))
        }
        Failed::Forbidden => Stopped::Denied(Denial::AddressForbidden { endpoint: name.clone() }),
    }
}

#[cfg(test)]
mod tests;
