//! Access tokens by OAuth 2.0 client credentials (RFC 6749, 4.4), kept until shortly before they expire.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use chrono::{DateTime, Utc};
use handoff_vault::secrets::Secret;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use reqwest::{Method, Request};
use serde::Deserialize;
use tokio::sync::Mutex;
use tokio::time::Instant;
use url::form_urlencoded;
use zeroize::Zeroizing;

use crate::endpoint::Endpoint;
use crate::http::{Failed, basic};
use crate::jwt_assertion::{Assertion, Key};
use crate::transport::Wire;

/// A token that expires while the request is under way is refused: fetch the next one this much earlier.
const MARGIN: Duration = Duration::from_secs(60);

/// When the server does not say (RFC 6749, 5.1 recommends that it does): short, so that a wrong guess heals itself.
const LIFETIME_UNSAID: Duration = Duration::from_secs(300);

/// A token answer is a few kilobytes, even with a JWT in it.
const ANSWER_BYTES_MAX: usize = 64 * 1024;

/// By endpoint. One fetch at a time: a hundred letters at once need one token, not a hundred.
#[derive(Debug, Default)]
pub(super) struct AccessTokens {
    known: Mutex<HashMap<String, (Secret, Instant)>>,
    /// Assertions made.
    asserted: AtomicU64,
}

/// What the client shows the token endpoint.
pub(super) struct Claim<'c> {
    pub token_url: &'c str,
    pub client_id: &'c str,
    pub proof: Proof<'c>,
    pub scopes: &'c [String],
    pub now: DateTime<Utc>,
}

/// How the client proves who it is.
pub(super) enum Proof<'c> {
    /// By HTTP Basic (RFC 6749, 2.3.1).
    Secret(&'c Secret),
    /// By an assertion signed with this key.
    Key { pem: &'c Secret, id: &'c str },
}

pub(super) enum NoToken {
    /// Try again later.
    Unreachable,
    Forbidden,
    /// A person has to look: the answer's status, or what is wrong with it.
    Refused(String),
}

#[derive(Deserialize)]
struct Bearer {
    access_token: String,
    #[serde(default)]
    expires_in: Option<u64>,
}

impl AccessTokens {
    pub(super) async fn get(&self, wire: &dyn Wire, endpoint: &Endpoint, claim: Claim<'_>) -> Result<Secret, NoToken> {
        let mut known = self.known.lock().await;
        if let Some((token, until)) = known.get(&endpoint.name)
            && Instant::now() < *until
        {
            return Ok(token.clone());
        }
        let number = self.asserted.fetch_add(1, Ordering::Relaxed);
        let (token, lifetime) = fetch(wire, endpoint, claim, number).await?;
        known.insert(endpoint.name.clone(), (token.clone(), Instant::now() + lifetime.saturating_sub(MARGIN)));
        Ok(token)
    }

    /// The token was refused; the next request fetches another.
    pub(super) async fn forget(&self, endpoint: &Endpoint) {
        self.known.lock().await.remove(&endpoint.name);
    }
}

/// The request's body (RFC 6749, 4.4.2; with an assertion RFC 7523, 2.2). Nothing when the key cannot sign.
fn form(claim: &Claim<'_>, number: u64) -> Option<Zeroizing<String>> {
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.append_pair("grant_type", "client_credentials");
    if !claim.scopes.is_empty() {
        form.append_pair("scope", &claim.scopes.join(" "));
    }
    if let Proof::Key { pem, id } = claim.proof {
        let Claim { client_id, token_url, now, .. } = *claim;
        let assertion = Assertion { client_id, key_id: id, audience: token_url, now, number };
        let signed = Key::read(pem)?.sign(&assertion)?;
        form.append_pair("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer");
        form.append_pair("client_assertion", signed.as_str());
    }
    Some(Zeroizing::new(form.finish()))
}

async fn fetch(
    wire: &dyn Wire,
    endpoint: &Endpoint,
    claim: Claim<'_>,
    number: u64,
) -> Result<(Secret, Duration), NoToken> {
    let unusable = || NoToken::Refused("the token URL or the client's secret cannot be written into a request".into());
    let mut request = Request::new(Method::POST, claim.token_url.parse().map_err(|_| unusable())?);
    if let Proof::Secret(secret) = claim.proof {
        let authorization = basic(claim.client_id, secret).ok_or_else(unusable)?;
        request.headers_mut().insert(AUTHORIZATION, authorization);
    }
    request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
    *request.timeout_mut() = Some(endpoint.timeout());
    *request.body_mut() = Some(form(&claim, number).ok_or_else(unusable)?.to_string().into());
    let answer = wire.http(endpoint, request, ANSWER_BYTES_MAX).await.map_err(|failed| match failed {
        Failed::NotSent | Failed::InDoubt => NoToken::Unreachable,
        Failed::Forbidden => NoToken::Forbidden,
        Failed::TooLong => NoToken::Refused("the token endpoint's answer is too long".into()),
    })?;
    match answer.status {
        200 => {}
        408 | 429 | 500.. => return Err(NoToken::Unreachable),
        status => return Err(NoToken::Refused(format!("the token endpoint answered {status}"))),
    }
    let bearer: Bearer = serde_json::from_slice(&answer.body)
        .map_err(|_| NoToken::Refused("the token endpoint's answer has no access_token".into()))?;
    let lifetime = bearer.expires_in.map_or(LIFETIME_UNSAID, Duration::from_secs);
    Ok((Secret::new(bearer.access_token), lifetime))
}
