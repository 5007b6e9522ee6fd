//! Vendors' own examples, and what an attacker would try.

use ed25519_dalek::{Signer as _, SigningKey};
use handoff_vault::secrets::Secret;

use super::*;

const FORM: &str = "application/x-www-form-urlencoded";

fn secrets() -> Secrets {
    let key = SigningKey::from_bytes(&[7; 32]).verifying_key();
    Secrets::from_iter([
        ("twilio".to_string(), Secret::new("12345".into())),
        ("telnyx".to_string(), Secret::new(STANDARD.encode(key.as_bytes()))),
    ])
}

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_790_000_000, 0).expect("a moment")
}

fn twilio(message: Vec<Part>, signature: &str) -> SignatureCheck {
    SignatureCheck {
        algorithm: Algorithm::HmacSha1,
        secret: "twilio".into(),
        message,
        signature: signature.into(),
        encoding: Encoding::Base64,
        signed_at: None,
        max_age_seconds: 0,
    }
}

/// The URL, then each field's name and value, sorted by name.
fn url_and_fields() -> Vec<Part> {
    let fields = ["CallSid", "Caller", "Digits", "From", "To"];
    let parts = fields.into_iter().flat_map(|name| [Part::Text(name.into()), Part::Field(name.into())]);
    std::iter::once(Part::Url).chain(parts).collect()
}

/// <https://www.twilio.com/docs/usage/security#validating-requests>, as the example stands in Twilio's documentation and in
/// the tests of its client libraries.
#[test]
fn twilios_own_examples_hold() {
    let url = "https://mycompany.com/myapp.php?foo=1&bar=2";
    let older = "Digits=1234&CallSid=CA1234567890ABCDE&Caller=%2B14158675309&From=%2B14158675309&To=%2B18005551212";
    let newer = older.replace("14158675309", "12349013030");
    let json = r#"{"property": "value", "boolean": true}"#;
    let json_url = format!("{url}&bodySHA256=0a1ff7634d9ab3b95db5c9a2dfe9416e41502b283a80c7cf19632632f96e6620");
    let url_and_digest = || vec![Part::Text(format!("{url}&bodySHA256=")), Part::BodySha256];
    let mismatch = Err(Forged::Mismatch { name: "twilio".into() });
    for (content_type, url, body, parts, signature, expected) in [
        (FORM, url, older, url_and_fields(), "RSOYDt4T1cUTdK1PDd93/VVr8B8=", Ok(())),
        (FORM, url, &newer, url_and_fields(), "0/KCTR6DLpKmkAf8muzZqo1nDgQ=", Ok(())),
        (FORM, url, older, url_and_fields(), "0/KCTR6DLpKmkAf8muzZqo1nDgQ=", mismatch.clone()),
        (FORM, "http://mycompany.com/", older, url_and_fields(), "RSOYDt4T1cUTdK1PDd93/VVr8B8=", mismatch.clone()),
        (FORM, url, older, url_and_fields(), "RSOYDt4T1cUTdK1PDd93", mismatch.clone()),
        (FORM, url, older, url_and_fields(), "not base64!", Err(Forged::Malformed)),
        (FORM, url, older, url_and_fields(), "", Err(Forged::Unsigned)),
        ("application/json", &json_url, json, vec![Part::Url], "a9nBmqA0ju/hNViExpshrM61xv4=", Ok(())),
        ("application/json", &json_url, json, url_and_digest(), "a9nBmqA0ju/hNViExpshrM61xv4=", Ok(())),
        ("application/json", &json_url, "{}", url_and_digest(), "a9nBmqA0ju/hNViExpshrM61xv4=", mismatch),
    ] {
        let fields = Fields::open(content_type, body.as_bytes()).expect("opened");
        let signed = Signed { url, body: body.as_bytes(), fields: &fields };
        let held =
            verify(&[twilio(parts, signature)], signed, &secrets(), now(), SenderProof::SignatureOnly).map(|_| ());
        assert_eq!(held, expected, "{url} {body} {signature}");
    }
}

#[test]
fn hmac_sha256_in_hexadecimal_holds() {
    // RFC 4231, 4.3.
    let body = b"what do ya want for nothing?";
    let digest = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
    let secrets = Secrets::from_iter([("jefe".to_string(), Secret::new("Jefe".into()))]);
    let signed = Signed { url: "", body, fields: &Fields::default() };
    for (signature, expected) in [
        (digest.to_string(), Ok(())),
        (digest.to_uppercase(), Ok(())),
        (digest.replace('5', "6"), Err(Forged::Mismatch { name: "jefe".into() })),
        (digest[1..].to_string(), Err(Forged::Malformed)),
    ] {
        let check = SignatureCheck {
            algorithm: Algorithm::HmacSha256,
            secret: "jefe".into(),
            message: vec![Part::Body],
            signature,
            encoding: Encoding::Hex,
            signed_at: None,
            max_age_seconds: 0,
        };
        assert_eq!(verify(&[check], signed, &secrets, now(), SenderProof::Connection).map(|_| ()), expected);
    }
}

/// As Telnyx signs: Ed25519 over `timestamp|raw body`, believed for five minutes.
#[test]
fn ed25519_holds_within_its_window_only() {
    let body = br#"{"data":{"event_type":"message.received"}}"#;
    let check = |off_seconds: i64| {
        let at = now().timestamp() + off_seconds;
        let message = [format!("{at}|").as_bytes(), body].concat();
        SignatureCheck {
            algorithm: Algorithm::Ed25519,
            secret: "telnyx".into(),
            message: vec![Part::Text(format!("{at}|")), Part::Body],
            signature: STANDARD.encode(SigningKey::from_bytes(&[7; 32]).sign(&message).to_bytes()),
            encoding: Encoding::Base64,
            signed_at: Some(at * 1000),
            max_age_seconds: 300,
        }
    };
    let signed = Signed { url: "", body, fields: &Fields::default() };
    let held =
        |check: SignatureCheck| verify(&[check], signed, &secrets(), now(), SenderProof::SignatureOnly).map(|_| ());
    let stale = |off_seconds| Err(Forged::Stale { off_seconds, allowed_seconds: 300 });
    for (off_seconds, expected) in
        [(0, Ok(())), (-300, Ok(())), (300, Ok(())), (-301, stale(301)), (301, stale(301)), (-86_400, stale(86_400))]
    {
        assert_eq!(held(check(off_seconds)), expected, "{off_seconds} s");
    }
    assert_eq!(held(SignatureCheck { signed_at: None, ..check(0) }), Err(Forged::Undated));
    assert!(held(SignatureCheck { signed_at: Some(i64::MIN), ..check(0) }).is_err());
    let telnyx = || "telnyx".to_string();
    assert_eq!(
        held(SignatureCheck { message: vec![Part::Body], ..check(0) }),
        Err(Forged::Mismatch { name: telnyx() })
    );
    assert_eq!(held(SignatureCheck { signature: "AAAA".into(), ..check(0) }), Err(Forged::Malformed));
    let no_key = SignatureCheck { secret: "twilio".into(), ..check(0) };
    assert_eq!(held(no_key), Err(Forged::NotAKey { name: "twilio".into() }));
}

#[test]
fn every_check_counts_and_no_check_is_no_proof() {
    let signed = Signed { url: "https://x", body: b"", fields: &Fields::default() };
    let held = |checks: &[SignatureCheck], unsigned| verify(checks, signed, &secrets(), now(), unsigned).map(|_| ());
    assert_eq!(held(&[], SenderProof::SignatureOnly), Err(Forged::Unchecked));
    assert_eq!(held(&[], SenderProof::Connection), Ok(()));
    let good = {
        let mac = Hmac::<Sha1>::new_from_slice(b"12345").expect("any length").chain_update(b"https://x");
        twilio(vec![Part::Url], &STANDARD.encode(mac.finalize().into_bytes()))
    };
    assert_eq!(held(&[good.clone(), good.clone()], SenderProof::SignatureOnly), Ok(()));
    let bad = SignatureCheck { message: vec![], ..good.clone() };
    assert_eq!(held(&[good.clone(), bad], SenderProof::Connection), Err(Forged::Mismatch { name: "twilio".into() }));
    let unknown = SignatureCheck { secret: "nobody's".into(), ..good };
    assert_eq!(held(&[unknown], SenderProof::Connection), Err(Forged::NoSecret { name: "nobody's".into() }));
}

#[test]
fn a_signature_vouches_for_one_delivery_however_it_is_written() {
    let secrets = secrets();
    let vouched = |body: &str, timed_at: Option<i64>| {
        let fields = Fields::open(FORM, body.as_bytes()).expect("opened");
        let signed = Signed { url: "https://h/callback/sms", body: body.as_bytes(), fields: &fields };
        let mut names: Vec<String> =
            url::form_urlencoded::parse(body.as_bytes()).map(|(name, _)| name.into()).collect();
        names.sort();
        let pairs = names.into_iter().flat_map(|name| [Part::Text(name.clone()), Part::Field(name)]);
        let stamp = timed_at.map(|at| Part::Text(format!("{at}|")));
        let parts: Vec<Part> = stamp.into_iter().chain([Part::Url]).chain(pairs).collect();
        let mac =
            Hmac::<Sha1>::new_from_slice(b"12345").expect("any length").chain_update(&*message(parts.iter(), signed));
        let signature = STANDARD.encode(mac.finalize().into_bytes());
        let check = SignatureCheck { signed_at: timed_at, max_age_seconds: 300, ..twilio(parts, &signature) };
        let check = SignatureCheck { max_age_seconds: timed_at.map_or(0, |_| 300), ..check };
        verify(&[check], signed, &secrets, now(), SenderProof::SignatureOnly).expect("believed")
    };
    let came = "Body=yes&From=%2B15125550143&MessageSid=SM1&NumMedia=0";
    let (today, later) = (now().timestamp_millis(), now().timestamp_millis() + 60_000);
    for (what, one, other, same) in [
        ("as it came", (came, None), (came, None), true),
        ("reordered", (came, None), ("MessageSid=SM1&NumMedia=0&From=%2B15125550143&Body=yes", None), true),
        ("encoded anew", (came, None), ("Body=%79es&From=%2b15125550143&MessageSid=SM1&NumMedia=0", None), true),
        ("cut elsewhere", (came, None), ("Body=yes&From=%2B15125550143&MessageSid=SM1NumMedia0", None), true),
        ("other words", (came, None), ("Body=no&From=%2B15125550143&MessageSid=SM1&NumMedia=0", None), false),
        ("signed again", (came, Some(today)), (came, Some(later)), true),
        ("other words, signed", (came, Some(today)), ("Body=no", Some(today)), false),
    ] {
        assert_eq!(vouched(one.0, one.1) == vouched(other.0, other.1), same, "{what}");
    }
}
