//! A client's assertion of who it is: a JWT signed with its own key, as SMART Backend Services want it (SMART App Launch
//! 2.2.0, Client Authentication: Asymmetric; RFC 7523).

use chrono::{DateTime, TimeDelta, Utc};
use handoff_engine::ids::Digest;
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::json;

use handoff_vault::secrets::Secret;

/// How long an assertion holds. Servers refuse more than five minutes; the minute less is for clocks that are apart.
const LIFETIME: TimeDelta = TimeDelta::minutes(4);

/// A private key and its algorithm: `RS384` or `ES384`, which are what every server has to support.
pub(super) struct Key {
    algorithm: Algorithm,
    key: EncodingKey,
}

/// What is asserted.
pub(super) struct Assertion<'a> {
    pub client_id: &'a str,
    /// By which the server finds our public key in our JWK Set.
    pub key_id: &'a str,
    /// The token URL, to which alone this speaks.
    pub audience: &'a str,
    pub now: DateTime<Utc>,
    /// One more for each assertion of this process.
    pub number: u64,
}

impl Key {
    /// RSA of 2048 bits or more, or elliptic curve P-384; PKCS#8 in PEM, alone in the text. Nothing when it is something else.
    pub fn read(pem: &Secret) -> Option<Key> {
        let pem = pem.as_str().as_bytes();
        let rsa = EncodingKey::from_rsa_pem(pem).map(|key| (Algorithm::RS384, key));
        let (algorithm, key) =
            rsa.or_else(|_| EncodingKey::from_ec_pem(pem).map(|key| (Algorithm::ES384, key))).ok()?;
        // Until its public half is asked for, nobody has looked at what is in it: its length, its curve.
        Jwk::from_encoding_key(&key, algorithm).is_ok().then_some(Key { algorithm, key })
    }

    /// The compact JWS (RFC 7515, 3.1). Nothing when the key cannot sign.
    pub fn sign(&self, assertion: &Assertion<'_>) -> Option<Secret> {
        let head = Header { kid: Some(assertion.key_id.into()), ..Header::new(self.algorithm) };
        let claims = json!({
            "iss": assertion.client_id,
            "sub": assertion.client_id,
            "aud": assertion.audience,
            "iat": assertion.now.timestamp(),
            "exp": (assertion.now + LIFETIME).timestamp(),
            "jti": assertion.name(),
        });
        jsonwebtoken::encode(&head, &claims, &self.key).ok().map(Secret::new)
    }
}

impl Assertion<'_> {
    /// Unique without dice: no two assertions of a client have the same moment and number.
    fn name(&self) -> String {
        let (moment, number) = (self.now.timestamp_micros(), self.number);
        let parts = format!("{}\u{1f}{}\u{1f}{moment}\u{1f}{number}", self.client_id, self.audience);
        Digest::of(parts.as_bytes()).to_string()[..32].to_string()
    }
}

#[cfg(test)]
pub(crate) mod tests;
