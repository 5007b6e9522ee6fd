//! What is asked of a signature.

use trigger_webhook::authenticate;
use trigger_webhook::types::{Algorithm, Encoding, Part};

use crate::told::delivery;

/// Settings, headers, the signature to check, and when it was made.
type Row<'a> = (&'a str, &'a [(&'a str, &'a str)], &'a str, Option<i64>);

const PLAIN: &str = r#"{"signature": {"algorithm": "hmac-sha256", "header": "X-Signature", "secret": "portal-key", "prefix": "sha256="}}"#;
const TIMED: &str = r#"{"signature": {"algorithm": "ed25519", "header": "x-signature", "secret": "k", "encoding": "base64", "timestamp_header": "x-time", "max_age_seconds": 60}}"#;

fn signature(settings: &str, headers: &[(&str, &str)]) -> (String, Option<i64>) {
    let checks = authenticate(&delivery(b"{}", headers), settings);
    checks
        .into_iter()
        .next()
        .map(|check| (check.signature, check.signed_at))
        .unwrap_or_else(|| ("no check".to_owned(), None))
}

#[test]
fn the_header_is_checked_as_the_settings_say() {
    let rows: [Row; 9] = [
        ("{}", &[], "no check", None),
        (PLAIN, &[("x-signature", "sha256=abcd")], "abcd", None),
        (PLAIN, &[("x-signature", "abcd")], "", None),
        (PLAIN, &[], "", None),
        (TIMED, &[("x-signature", "c2ln"), ("x-time", "1783324860")], "c2ln", Some(1_783_324_860_000)),
        (TIMED, &[("x-signature", "c2ln"), ("x-time", "1783324860000")], "c2ln", Some(1_783_324_860_000)),
        (TIMED, &[("x-signature", "c2ln"), ("x-time", "2026-07-06T08:01:00Z")], "c2ln", Some(1_783_324_860_000)),
        (TIMED, &[("x-signature", "c2ln")], "", None),
        ("{\"signature\": 1}", &[("x-signature", "abcd")], "", None),
    ];
    for (settings, headers, expected, signed_at) in rows {
        assert_eq!(signature(settings, headers), (expected.to_owned(), signed_at), "{settings} {headers:?}");
    }
}

#[test]
fn the_signed_bytes_are_named() {
    let headers = [("x-signature", "c2ln"), ("x-time", "1783324860")];
    let of = |settings: &str| authenticate(&delivery(b"{}", &headers), settings);
    let plain = of(PLAIN);
    assert!(plain.iter().all(|check| check.message == [Part::Body]
        && check.algorithm == Algorithm::HmacSha256
        && check.encoding == Encoding::Hex));
    assert!(plain.iter().all(|check| check.secret == "portal-key" && check.max_age_seconds == 0));
    let timed = of(TIMED);
    assert!(timed.iter().all(|check| check.message == [Part::Text("1783324860.".to_owned()), Part::Body]));
    assert!(timed.iter().all(|check| check.algorithm == Algorithm::Ed25519
        && check.encoding == Encoding::Base64
        && check.max_age_seconds == 60));
    assert_eq!((plain.len(), timed.len()), (1, 1));
    let barred = of(&TIMED.replace("\"max_age_seconds\"", "\"timestamp_separator\": \"|\", \"max_age_seconds\""));
    assert!(barred.iter().all(|check| check.message == [Part::Text("1783324860|".to_owned()), Part::Body]));
    assert_eq!(barred.len(), 1);
}
