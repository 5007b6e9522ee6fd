//! A client's assertion of who it is: a JWT signed with its own key, as SMART Backend Services want it (SMART App Launch
//! 2.2.0, Client Authentication: Asymmetric; RFC 7523).

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, RSA_PKCS1_SHA384, RsaKeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, TimeDelta, Utc};
use handoff_engine::ids::Digest;
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject as _;
use serde_json::json;

use handoff_vault::secrets::Secret;

/// How long an assertion holds. Servers refuse more than five minutes; the minute less is for clocks that are apart.
const LIFETIME: TimeDelta = TimeDelta::minutes(4);

/// A private key by its algorithm: `RS384` or `ES384`, which are what every server has to support.
pub(super) enum Key {
    Rsa(RsaKeyPair),
    EllipticCurve(EcdsaKeyPair),
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
    /// RSA of 2048 bits or more, or elliptic curve P-384; PKCS#8 in PEM. Nothing when it is something else.
    pub fn read(pem: &Secret) -> Option<Key> {
        let PrivateKeyDer::Pkcs8(der) = PrivateKeyDer::from_pem_slice(pem.as_str().as_bytes()).ok()? else {
            return None;
        };
        let der = der.secret_pkcs8_der();
        let rsa = RsaKeyPair::from_pkcs8(der).ok().map(Key::Rsa);
        let curve = || EcdsaKeyPair::from_pkcs8(&ECDSA_P384_SHA384_FIXED_SIGNING, der).ok();
        rsa.or_else(|| curve().map(Key::EllipticCurve))
    }

    /// The compact JWS (RFC 7515, 3.1). Nothing when the key cannot sign.
    pub fn sign(&self, assertion: &Assertion<'_>) -> Option<Secret> {
        let algorithm = match self {
            Key::Rsa(_) => "RS384",
            Key::EllipticCurve(_) => "ES384",
        };
        let head = json!({ "alg": algorithm, "kid": assertion.key_id, "typ": "JWT" });
        let claims = json!({
            "iss": assertion.client_id,
            "sub": assertion.client_id,
            "aud": assertion.audience,
            "iat": assertion.now.timestamp(),
            "exp": (assertion.now + LIFETIME).timestamp(),
            "jti": assertion.name(),
        });
        let part = |value: serde_json::Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let message = format!("{}.{}", part(head), part(claims));
        let signature = self.signature(message.as_bytes())?;
        Some(Secret::new(format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))))
    }

    fn signature(&self, message: &[u8]) -> Option<Vec<u8>> {
        let dice = SystemRandom::new();
        match self {
            Key::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(&RSA_PKCS1_SHA384, &dice, message, &mut signature).ok()?;
                Some(signature)
            }
            // RFC 7518, 3.4 has the two numbers one after the other, not in ASN.1.
            Key::EllipticCurve(pair) => Some(pair.sign(&dice, message).ok()?.as_ref().to_vec()),
        }
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
