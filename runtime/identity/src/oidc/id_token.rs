//! The directory's word: a signed ID token (RFC 7515, RFC 7519), believed only when everything about it holds (OpenID Connect
//! Core 1.0, 3.1.3.7).

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents, UnparsedPublicKey,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, TimeDelta, Utc};
use serde::Deserialize;
use serde_json::Value;
use subtle::ConstantTimeEq as _;

use super::texts;

/// Clocks are apart.
const LEEWAY: TimeDelta = TimeDelta::minutes(1);

/// SEC 1, 2.3.3: an uncompressed point.
const UNCOMPRESSED: u8 = 4;

/// A public key as a directory shows it (RFC 7517), of the two kinds that every directory has.
#[derive(Clone, Deserialize)]
#[serde(tag = "kty")]
pub enum Jwk {
    #[serde(rename = "RSA")]
    Rsa { kid: Option<String>, n: String, e: String },
    #[serde(rename = "EC")]
    EllipticCurve { kid: Option<String>, crv: String, x: String, y: String },
}

/// What a token has to say.
pub struct Expected<'a> {
    pub issuer: &'a str,
    pub client_id: &'a str,
    pub nonce: &'a str,
    pub now: DateTime<Utc>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IdTokenError {
    #[error("it is no token")]
    Malformed,
    #[error("it is signed by another algorithm than RS256 or ES256, or by one that does not fit its key")]
    Algorithm,
    #[error("it names a key that the directory does not show")]
    UnknownKey,
    #[error("its signature does not hold")]
    Signature,
    #[error("it is of another issuer")]
    Issuer,
    #[error("it is for somebody else")]
    Audience,
    #[error("it has expired, or is of the future")]
    Time,
    #[error("it answers another request")]
    Nonce,
}

/// Taken apart, and not yet believed.
pub struct Unverified<'t> {
    message: &'t str,
    algorithm: Algorithm,
    key_id: Option<String>,
    claims: Value,
    signature: Vec<u8>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
enum Algorithm {
    #[serde(rename = "RS256")]
    Rsa,
    #[serde(rename = "ES256")]
    EllipticCurve,
}

impl<'t> Unverified<'t> {
    pub fn read(token: &'t str) -> Result<Unverified<'t>, IdTokenError> {
        let (message, signature) = token.rsplit_once('.').ok_or(IdTokenError::Malformed)?;
        let (head, claims) = message.split_once('.').ok_or(IdTokenError::Malformed)?;
        let decode = |part: &str| URL_SAFE_NO_PAD.decode(part).map_err(|_| IdTokenError::Malformed);
        let json = |part: &str| serde_json::from_slice::<Value>(&decode(part)?).map_err(|_| IdTokenError::Malformed);
        let (head, claims) = (json(head)?, json(claims)?);
        // An extension that must be understood is one that we do not know (RFC 7515, 4.1.11).
        if !head["crit"].is_null() {
            return Err(IdTokenError::Malformed);
        }
        let algorithm = serde_json::from_value(head["alg"].clone()).map_err(|_| IdTokenError::Algorithm)?;
        let key_id = head["kid"].as_str().map(str::to_string);
        Ok(Unverified { message, algorithm, key_id, claims, signature: decode(signature)? })
    }

    pub fn key_id(&self) -> Option<&str> {
        self.key_id.as_deref()
    }

    /// The claims, once all holds.
    pub fn verify(self, key: &Jwk, expected: &Expected<'_>) -> Result<Value, IdTokenError> {
        key.verify(self.algorithm, self.message.as_bytes(), &self.signature)?;
        let claims = self.claims;
        if claims["iss"] != expected.issuer {
            return Err(IdTokenError::Issuer);
        }
        let audience = texts(&claims["aud"]);
        let party = claims["azp"].as_str();
        let for_us = audience.contains(&expected.client_id)
            && (audience.len() == 1 || party.is_some())
            && party.is_none_or(|party| party == expected.client_id);
        if !for_us {
            return Err(IdTokenError::Audience);
        }
        let moment = |claim: &str| claims[claim].as_i64().and_then(|seconds| DateTime::from_timestamp(seconds, 0));
        let (Some(expires), Some(issued)) = (moment("exp"), moment("iat")) else { return Err(IdTokenError::Time) };
        let begins = moment("nbf").unwrap_or(issued);
        if expected.now >= expires + LEEWAY || issued > expected.now + LEEWAY || begins > expected.now + LEEWAY {
            return Err(IdTokenError::Time);
        }
        let nonce = claims["nonce"].as_str().unwrap_or_default();
        match bool::from(nonce.as_bytes().ct_eq(expected.nonce.as_bytes())) {
            true => Ok(claims),
            false => Err(IdTokenError::Nonce),
        }
    }
}

impl Jwk {
    pub fn is_called(&self, id: &str) -> bool {
        let (Jwk::Rsa { kid, .. } | Jwk::EllipticCurve { kid, .. }) = self;
        kid.as_deref() == Some(id)
    }

    /// The key says which algorithm it is for; a token that says another is not believed.
    fn verify(&self, algorithm: Algorithm, message: &[u8], signature: &[u8]) -> Result<(), IdTokenError> {
        let decode = |part: &str| URL_SAFE_NO_PAD.decode(part).map_err(|_| IdTokenError::Algorithm);
        let held = match (self, algorithm) {
            (Jwk::Rsa { n, e, .. }, Algorithm::Rsa) => {
                let key = RsaPublicKeyComponents { n: decode(n)?, e: decode(e)? };
                key.verify(&RSA_PKCS1_2048_8192_SHA256, message, signature)
            }
            (Jwk::EllipticCurve { crv, x, y, .. }, Algorithm::EllipticCurve) if crv == "P-256" => {
                let point = [&[UNCOMPRESSED][..], &decode(x)?, &decode(y)?].concat();
                UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).verify(message, signature)
            }
            (Jwk::Rsa { .. } | Jwk::EllipticCurve { .. }, Algorithm::Rsa | Algorithm::EllipticCurve) => {
                return Err(IdTokenError::Algorithm);
            }
        };
        held.map_err(|_| IdTokenError::Signature)
    }
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::rand::SystemRandom;
    use aws_lc_rs::signature::{
        ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _, RSA_PKCS1_SHA256, RsaKeyPair,
    };
    use rustls::pki_types::PrivateKeyDer;
    use rustls::pki_types::pem::PemObject as _;
    use serde_json::json;

    use super::*;

    /// Made for tests; it opens nothing.
    const RSA: &str = include_str!("../../../egress/src/jwt_assertion/rsa-2048.pem");

    const NOW: i64 = 1_790_000_000;

    struct Directory {
        rsa: RsaKeyPair,
        curve: EcdsaKeyPair,
    }

    fn encode(bytes: &[u8]) -> String {
        URL_SAFE_NO_PAD.encode(bytes)
    }

    impl Directory {
        fn new() -> Directory {
            let PrivateKeyDer::Pkcs8(der) = PrivateKeyDer::from_pem_slice(RSA.as_bytes()).expect("PEM") else {
                panic!("not PKCS#8")
            };
            let rsa = RsaKeyPair::from_pkcs8(der.secret_pkcs8_der()).expect("a key");
            let dice = SystemRandom::new();
            let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &dice).expect("a key");
            let curve = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8.as_ref());
            Directory { rsa, curve: curve.expect("a key") }
        }

        fn key(&self, algorithm: &str) -> Jwk {
            let kid = Some("1".to_string());
            match algorithm {
                "RS256" => {
                    let public: RsaPublicKeyComponents<Vec<u8>> = self.rsa.public_key().into();
                    Jwk::Rsa { kid, n: encode(&public.n), e: encode(&public.e) }
                }
                _ => {
                    let point = self.curve.public_key().as_ref();
                    let (x, y) = (encode(&point[1..33]), encode(&point[33..]));
                    Jwk::EllipticCurve { kid, crv: "P-256".into(), x, y }
                }
            }
        }

        fn sign(&self, algorithm: &str, head: &Value, claims: &Value) -> String {
            let message = format!("{}.{}", encode(head.to_string().as_bytes()), encode(claims.to_string().as_bytes()));
            let dice = SystemRandom::new();
            let signature = match algorithm {
                "RS256" => {
                    let mut signature = vec![0; self.rsa.public_modulus_len()];
                    self.rsa.sign(&RSA_PKCS1_SHA256, &dice, message.as_bytes(), &mut signature).expect("signed");
                    signature
                }
                _ => self.curve.sign(&dice, message.as_bytes()).expect("signed").as_ref().to_vec(),
            };
            format!("{message}.{}", encode(&signature))
        }
    }

    fn claims() -> Value {
        json!({
            "iss": "https://login.example", "aud": "handoff", "sub": "17", "nonce": "n1",
            "iat": NOW - 5, "exp": NOW + 300,
        })
    }

    fn verify(token: &str, key: &Jwk) -> Result<Value, IdTokenError> {
        let now = DateTime::from_timestamp(NOW, 0).expect("a moment");
        let expected = Expected { issuer: "https://login.example", client_id: "handoff", nonce: "n1", now };
        Unverified::read(token)?.verify(key, &expected)
    }

    #[test]
    fn a_token_is_believed_by_either_algorithm_and_by_its_own_key() {
        let (directory, other) = (Directory::new(), Directory::new());
        for algorithm in ["RS256", "ES256"] {
            let token = directory.sign(algorithm, &json!({ "alg": algorithm, "kid": "1" }), &claims());
            assert_eq!(verify(&token, &directory.key(algorithm)), Ok(claims()));
            let forged = token.replacen('.', ".e", 1);
            assert!(verify(&forged, &directory.key(algorithm)).is_err());
        }
        let token = directory.sign("ES256", &json!({ "alg": "ES256" }), &claims());
        assert_eq!(verify(&token, &other.key("ES256")), Err(IdTokenError::Signature));
    }

    #[test]
    fn a_token_that_says_how_it_is_to_be_checked_is_not_obeyed() {
        let directory = Directory::new();
        for (head, key) in [
            (json!({ "alg": "none" }), "RS256"),
            (json!({ "alg": "HS256" }), "RS256"),
            (json!({ "alg": "RS512" }), "RS256"),
            (json!({ "alg": "ES256" }), "RS256"),
            (json!({ "alg": "RS256" }), "ES256"),
        ] {
            let token = directory.sign("RS256", &head, &claims());
            assert_eq!(verify(&token, &directory.key(key)), Err(IdTokenError::Algorithm), "{head}");
        }
        let token = directory.sign("RS256", &json!({ "alg": "RS256", "crit": ["exp"] }), &claims());
        assert_eq!(verify(&token, &directory.key("RS256")), Err(IdTokenError::Malformed));
        for text in ["", ".", "..", "a.b.c", "e30.e30."] {
            assert!(verify(text, &directory.key("RS256")).is_err(), "{text}");
        }
    }

    #[test]
    fn every_claim_has_to_hold() {
        let directory = Directory::new();
        for (claim, value, expected) in [
            ("iss", json!("https://login.example/"), Err(IdTokenError::Issuer)),
            ("iss", json!(null), Err(IdTokenError::Issuer)),
            ("aud", json!("other"), Err(IdTokenError::Audience)),
            ("aud", json!([]), Err(IdTokenError::Audience)),
            ("aud", json!(["handoff"]), Ok(())),
            ("aud", json!(["handoff", "other"]), Err(IdTokenError::Audience)),
            ("azp", json!("other"), Err(IdTokenError::Audience)),
            ("azp", json!("handoff"), Ok(())),
            ("exp", json!(NOW - 61), Err(IdTokenError::Time)),
            ("exp", json!(NOW - 30), Ok(())),
            ("exp", json!("tomorrow"), Err(IdTokenError::Time)),
            ("iat", json!(NOW + 120), Err(IdTokenError::Time)),
            ("nbf", json!(NOW + 120), Err(IdTokenError::Time)),
            ("nonce", json!("n2"), Err(IdTokenError::Nonce)),
            ("nonce", json!(null), Err(IdTokenError::Nonce)),
        ] {
            let mut claims = claims();
            claims[claim] = value.clone();
            let token = directory.sign("ES256", &json!({ "alg": "ES256" }), &claims);
            assert_eq!(verify(&token, &directory.key("ES256")).map(drop), expected, "{claim}: {value}");
        }
    }
}
