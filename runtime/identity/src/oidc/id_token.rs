//! The directory's word: a signed ID token (RFC 7515, RFC 7519), believed only when everything about it holds (OpenID Connect
//! Core 1.0, 3.1.3.7).
//!
//! The crate `jsonwebtoken` takes a token apart and checks its algorithm and signature. The claims are checked here: the crate
//! reads the machine's clock where ours is an argument, takes one of several issuers or audiences for enough, and knows
//! neither `azp` nor `nonce`.

use chrono::{DateTime, TimeDelta, Utc};
use jsonwebtoken::errors::{Error, ErrorKind};
use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk};
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde_json::Value;
use subtle::ConstantTimeEq as _;

use super::texts;

/// Clocks are apart.
const LEEWAY: TimeDelta = TimeDelta::minutes(1);

/// Of the two kinds that every directory has.
const ALGORITHMS: [Algorithm; 2] = [Algorithm::RS256, Algorithm::ES256];

/// What a token has to say.
pub struct ExpectedClaims<'a> {
    pub issuer: &'a str,
    pub client_id: &'a str,
    pub nonce: &'a str,
    pub now: DateTime<Utc>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IdTokenError {
    #[error("it is not a signed token")]
    Malformed,
    #[error("it is signed by another algorithm than RS256 or ES256, or by one that does not fit its key")]
    Algorithm,
    #[error("it names a key that the directory does not publish")]
    UnknownKey,
    #[error("its signature is wrong")]
    Signature,
    #[error("its issuer (`iss`) is not the one in the configuration")]
    Issuer,
    #[error("its audience (`aud`, `azp`) is another client")]
    Audience,
    #[error("it has expired, or is not valid yet, by this machine's clock")]
    Time,
    #[error("it answers another request than this one (`nonce`)")]
    Nonce,
}

/// Its head read, and nothing of it believed.
pub struct UnverifiedIdToken<'t> {
    token: &'t str,
    key_id: Option<String>,
}

impl<'t> UnverifiedIdToken<'t> {
    pub fn read(token: &'t str) -> Result<UnverifiedIdToken<'t>, IdTokenError> {
        let head = jsonwebtoken::decode_header(token).map_err(|error| {
            // JSON, and its `alg` none that the crate knows.
            let unknown = matches!(error.kind(), ErrorKind::Json(error) if error.is_data());
            if unknown { IdTokenError::Algorithm } else { IdTokenError::Malformed }
        })?;
        match ALGORITHMS.contains(&head.alg) {
            true => Ok(UnverifiedIdToken { token, key_id: head.kid }),
            false => Err(IdTokenError::Algorithm),
        }
    }

    pub fn key_id(&self) -> Option<&str> {
        self.key_id.as_deref()
    }

    /// The claims, once all holds.
    pub fn verify(self, key: &Jwk, expected: &ExpectedClaims<'_>) -> Result<Value, IdTokenError> {
        let claims = signed_claims(self.token, key)?;
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

/// The claims, which the key signed.
fn signed_claims(token: &str, key: &Jwk) -> Result<Value, IdTokenError> {
    // The key says which algorithm it is for; a token that says another is not believed.
    let algorithm = algorithm_of(key).ok_or(IdTokenError::Algorithm)?;
    let key = DecodingKey::from_jwk(key).map_err(|_| IdTokenError::Algorithm)?;
    let mut signature_alone = Validation::new(algorithm);
    signature_alone.required_spec_claims.clear();
    signature_alone.validate_exp = false;
    signature_alone.validate_aud = false;
    let decoded = jsonwebtoken::decode(token, &key, &signature_alone);
    decoded.map(|decoded| decoded.claims).map_err(|error| refused(&error))
}

fn refused(error: &Error) -> IdTokenError {
    if matches!(error.kind(), ErrorKind::InvalidSignature) {
        IdTokenError::Signature
    } else if matches!(error.kind(), ErrorKind::InvalidAlgorithm) {
        IdTokenError::Algorithm
    } else {
        IdTokenError::Malformed
    }
}

fn algorithm_of(key: &Jwk) -> Option<Algorithm> {
    if let AlgorithmParameters::EllipticCurve(key) = &key.algorithm {
        return (key.curve == EllipticCurve::P256).then_some(Algorithm::ES256);
    }
    matches!(key.algorithm, AlgorithmParameters::RSA(_)).then_some(Algorithm::RS256)
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::rand::SystemRandom;
    use aws_lc_rs::signature::{
        ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _, RSA_PKCS1_SHA256, RsaKeyPair,
        RsaPublicKeyComponents,
    };
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
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
            let key = match algorithm {
                "RS256" => {
                    let public: RsaPublicKeyComponents<Vec<u8>> = self.rsa.public_key().into();
                    json!({ "kty": "RSA", "kid": "1", "n": encode(&public.n), "e": encode(&public.e) })
                }
                _ => {
                    let point = self.curve.public_key().as_ref();
                    let (x, y) = (encode(&point[1..33]), encode(&point[33..]));
                    json!({ "kty": "EC", "kid": "1", "crv": "P-256", "x": x, "y": y })
                }
            };
            serde_json::from_value(key).expect("a JWK")
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
        let expected = ExpectedClaims { issuer: "https://login.example", client_id: "handoff", nonce: "n1", now };
        UnverifiedIdToken::read(token)?.verify(key, &expected)
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
