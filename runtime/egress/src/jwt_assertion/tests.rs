//! Assertions as a token server reads them.

use aws_lc_rs::signature::{
    ECDSA_P384_SHA384_FIXED, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _, RSA_PKCS1_2048_8192_SHA384,
    RsaKeyPair, UnparsedPublicKey,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::pki_types::pem::PemObject as _;
use serde_json::Value;

use super::*;

/// Made for this test; it opens nothing.
pub(crate) const RSA: &str = include_str!("rsa-2048.pem");

pub(crate) fn elliptic_curve() -> String {
    rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P384_SHA384).expect("a key").serialize_pem()
}

/// The head and the claims, when the key signed them: checked by AWS-LC itself.
fn read(pem: &str, token: &str) -> (Value, Value) {
    let parts: Vec<&str> = token.split('.').collect();
    let decoded = |part: &str| URL_SAFE_NO_PAD.decode(part).expect("base64url");
    let message = format!("{}.{}", parts[0], parts[1]);
    let signature = decoded(parts[2]);
    let der = PrivatePkcs8KeyDer::from_pem_slice(pem.as_bytes()).expect("PKCS#8");
    let der = der.secret_pkcs8_der();
    let held = match RsaKeyPair::from_pkcs8(der) {
        Ok(pair) => UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA384, pair.public_key().as_ref().to_vec())
            .verify(message.as_bytes(), &signature),
        Err(_) => {
            let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P384_SHA384_FIXED_SIGNING, der).expect("a key");
            UnparsedPublicKey::new(&ECDSA_P384_SHA384_FIXED, pair.public_key().as_ref().to_vec())
                .verify(message.as_bytes(), &signature)
        }
    };
    held.expect("the signature holds");
    let json = |part: &str| serde_json::from_slice(&decoded(part)).expect("JSON");
    (json(parts[0]), json(parts[1]))
}

#[test]
fn an_assertion_says_who_to_whom_and_for_how_long() {
    let now = DateTime::from_timestamp(1_790_000_000, 0).expect("a moment");
    for (pem, algorithm) in [(RSA.to_string(), "RS384"), (elliptic_curve(), "ES384")] {
        let key = Key::read(&Secret::new(pem.clone())).expect("a key");
        let assertion = |number| Assertion {
            client_id: "handoff",
            key_id: "2026-1",
            audience: "https://ehr.example/token",
            now,
            number,
        };
        let signed = |number| key.sign(&assertion(number)).expect("signed");
        let (head, claims) = read(&pem, signed(7).as_str());
        assert_eq!(head, json!({ "alg": algorithm, "kid": "2026-1", "typ": "JWT" }));
        assert_eq!((&claims["iss"], &claims["sub"]), (&json!("handoff"), &json!("handoff")));
        assert_eq!(claims["aud"], "https://ehr.example/token");
        let lifetime = claims["exp"].as_i64().expect("a time") - now.timestamp();
        assert!((1..=300).contains(&lifetime), "{lifetime} s");
        let (_, again) = read(&pem, signed(8).as_str());
        assert_ne!(claims["jti"], again["jti"], "each has a name of its own");
        assert_eq!(claims, read(&pem, signed(7).as_str()).1, "which is derived, not drawn");
    }
}

#[test]
fn other_keys_do_not_sign() {
    let p256 = rcgen::KeyPair::generate().expect("a key").serialize_pem();
    for text in [p256.as_str(), "hunter2", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", ""] {
        assert!(Key::read(&Secret::new(text.to_string())).is_none(), "{text}");
    }
}
