//! The directory itself: where its endpoints are, its keys, and the exchange of a code for a token.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use handoff_vault::secrets::Secret;
use jsonwebtoken::jwk::{AlgorithmParameters, Jwk};
use parking_lot::Mutex;
use reqwest::redirect::Policy;
use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Deserializer};
use url::Url;
use zeroize::Zeroizing;

use super::{OidcConfigError, is_this_machine};

/// A directory answers within a second; somebody is waiting for it.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);

/// A discovery document and a set of keys have some kilobytes each.
const ANSWER_BYTES_MAX: usize = 256 * 1024;

/// JwkSet are changed over days. A new one is looked for at once, when a token names it.
const KNOWN_FOR: TimeDelta = TimeDelta::hours(1);

/// A token that names a key which is nowhere must not make us ask each time.
const ASKED_AGAIN_AFTER: TimeDelta = TimeDelta::minutes(1);

pub struct OpenIdProvider {
    issuer: String,
    discovery: Url,
    client: reqwest::Client,
    known: Mutex<Option<Metadata>>,
}

#[derive(Clone)]
struct Metadata {
    document: DiscoveryDocument,
    keys: Vec<Jwk>,
    at: DateTime<Utc>,
}

/// OpenID Connect Discovery 1.0, 3; what we need of it.
#[derive(Clone, Deserialize)]
struct DiscoveryDocument {
    issuer: String,
    #[serde(deserialize_with = "parsed")]
    authorization_endpoint: Url,
    #[serde(deserialize_with = "parsed")]
    token_endpoint: Url,
    #[serde(deserialize_with = "parsed")]
    jwks_uri: Url,
}

fn parsed<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Url, D::Error> {
    Url::parse(&String::deserialize(deserializer)?).map_err(D::Error::custom)
}

#[derive(Deserialize)]
struct JwkSet {
    keys: Vec<serde_json::Value>,
}

#[derive(Deserialize)]
struct TokenResponse {
    id_token: Zeroizing<String>,
}

/// Its words quote no token.
#[derive(Debug, thiserror::Error)]
pub enum ProviderError {
    #[error("it does not answer")]
    Silent(#[source] reqwest::Error),
    #[error("it answered with status {0}")]
    Status(u16),
    #[error("its answer is longer than {ANSWER_BYTES_MAX} bytes, or not the JSON that was asked for")]
    Unreadable,
    #[error("it calls itself another issuer than `people: oidc: issuer:` does")]
    OtherIssuer,
    #[error("one of the endpoints that it names is not https")]
    Unencrypted,
}

impl OpenIdProvider {
    pub fn new(issuer: &str, authority: Option<Vec<u8>>) -> Result<OpenIdProvider, OidcConfigError> {
        let discovery = format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'));
        let discovery = Url::parse(&discovery).map_err(|_| OidcConfigError::Issuer)?;
        if !is_safe(&discovery) {
            return Err(OidcConfigError::Issuer);
        }
        // Fails only when one has been installed already, and any will do.
        let _installed_before = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let mut builder = reqwest::Client::builder().redirect(Policy::none()).timeout(ANSWER_WITHIN);
        if let Some(pem) = authority {
            let authorities = reqwest::Certificate::from_pem_bundle(&pem).map_err(OidcConfigError::Tls)?;
            builder = builder.tls_certs_only(authorities);
        }
        let client = builder.build().map_err(OidcConfigError::Tls)?;
        Ok(OpenIdProvider { issuer: issuer.to_string(), discovery, client, known: Mutex::default() })
    }

    pub async fn authorization_endpoint(&self, now: DateTime<Utc>) -> Result<Url, ProviderError> {
        Ok(self.known(now, KNOWN_FOR).await?.document.authorization_endpoint)
    }

    /// The ID token that a code is good for.
    pub async fn redeem(
        &self,
        form: &[(&str, &str)],
        client_id: &str,
        secret: &Secret,
        now: DateTime<Utc>,
    ) -> Result<Zeroizing<String>, ProviderError> {
        let endpoint = self.known(now, KNOWN_FOR).await?.document.token_endpoint;
        let request = self.client.post(endpoint).basic_auth(encoded(client_id), Some(encoded(secret.as_str())));
        let TokenResponse { id_token } = read(request.form(form)).await?;
        Ok(id_token)
    }

    /// The key of a name; where a token names none, the only one there is.
    pub async fn key(&self, id: Option<&str>, now: DateTime<Utc>) -> Result<Option<Jwk>, ProviderError> {
        let find = |keys: &[Jwk]| match id {
            Some(id) => keys.iter().find(|key| key.common.key_id.as_deref() == Some(id)).cloned(),
            None => <&[Jwk; 1]>::try_from(keys).ok().map(|[only]| only.clone()),
        };
        match find(&self.known(now, KNOWN_FOR).await?.keys) {
            Some(key) => Ok(Some(key)),
            None => Ok(find(&self.known(now, ASKED_AGAIN_AFTER).await?.keys)),
        }
    }

    /// What is known of it, asked for again when it is older than so much.
    async fn known(&self, now: DateTime<Utc>, age_max: TimeDelta) -> Result<Metadata, ProviderError> {
        let known = self.known.lock().clone();
        if let Some(known) = known.filter(|known| now - known.at < age_max) {
            return Ok(known);
        }
        let document: DiscoveryDocument = read(self.client.get(self.discovery.clone())).await?;
        if document.issuer != self.issuer {
            return Err(ProviderError::OtherIssuer);
        }
        let endpoints = [&document.authorization_endpoint, &document.token_endpoint, &document.jwks_uri];
        if !endpoints.into_iter().all(is_safe) {
            return Err(ProviderError::Unencrypted);
        }
        let keys: JwkSet = read(self.client.get(document.jwks_uri.clone())).await?;
        // JwkSet of other kinds are no concern of ours.
        let keys = keys.keys.into_iter().filter_map(|key| serde_json::from_value(key).ok()).filter(signs).collect();
        let known = Metadata { document, keys, at: now };
        *self.known.lock() = Some(known.clone());
        Ok(known)
    }
}

/// Whether a key is of one of the two kinds that every directory signs with.
fn signs(key: &Jwk) -> bool {
    matches!(key.algorithm, AlgorithmParameters::RSA(_) | AlgorithmParameters::EllipticCurve(_))
}

fn is_safe(url: &Url) -> bool {
    match url.scheme() {
        "https" => true,
        "http" => is_this_machine(url),
        _ => false,
    }
}

/// RFC 6749, 2.3.1: both parts are encoded as in a form before they are put together.
fn encoded(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

async fn read<T: DeserializeOwned>(request: reqwest::RequestBuilder) -> Result<T, ProviderError> {
    let silent = |error: reqwest::Error| ProviderError::Silent(error.without_url());
    let mut response = request.send().await.map_err(silent)?;
    if !response.status().is_success() {
        return Err(ProviderError::Status(response.status().as_u16()));
    }
    let mut body = Zeroizing::new(Vec::new());
    while let Some(chunk) = response.chunk().await.map_err(silent)? {
        if body.len() + chunk.len() > ANSWER_BYTES_MAX {
            return Err(ProviderError::Unreadable);
        }
        body.extend_from_slice(&chunk);
    }
    serde_json::from_slice(&body).map_err(|_| ProviderError::Unreadable)
}
