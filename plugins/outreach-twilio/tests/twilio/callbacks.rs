//! Replies, statuses and signatures.

use expect_test::expect;
use outreach_twilio::*;

use crate::{NAME, PHONE, SETTINGS, attribute, say_receipt};

fn callback(headers: &[(&str, &str)], fields: &[(&str, &str)]) -> Callback {
    let attributes = |pairs: &[(&str, &str)]| pairs.iter().map(|(name, value)| attribute(name, value)).collect();
    Callback { headers: attributes(headers), fields: attributes(fields), received_at: 0 }
}

fn receive(fields: &[(&str, &str)]) -> Inbound {
    OutreachTwilio::receive(callback(&[], fields), SETTINGS.into()).expect("callbacks are always answered")
}

fn say(fields: &[(&str, &str)]) -> String {
    let events: Vec<String> = receive(fields)
        .events
        .iter()
        .map(|event| match event {
            InboundEvent::Reply(reply) => format!("reply {} from {}: {}", reply.vendor_id, reply.from, reply.text),
            InboundEvent::Status(status) => format!("status {}: {}", status.vendor_id, say_receipt(&status.receipt)),
        })
        .collect();
    if events.is_empty() { "nothing".to_owned() } else { events.join("; ") }
}

#[test]
fn callbacks_become_events() {
    let status =
        |status, code| say(&[("MessageSid", "SM1"), ("MessageStatus", status), ("ErrorCode", code), ("To", PHONE)]);
    let rows = [
        ("reply", say(&[("MessageSid", "SM2"), ("SmsStatus", "received"), ("From", PHONE), ("Body", NAME)])),
        ("reply, no status", say(&[("MessageSid", "SM2"), ("From", PHONE), ("Body", NAME)])),
        (
            "opt-out",
            say(&[
                ("MessageSid", "SM2"),
                ("SmsStatus", "received"),
                ("OptOutType", "STOP"),
                ("From", PHONE),
                ("Body", NAME),
            ]),
        ),
        (
            "picture",
            say(&[("MessageSid", "MM2"), ("SmsStatus", "received"), ("From", PHONE), ("Body", ""), ("NumMedia", "1")]),
        ),
        ("no sender", say(&[("MessageSid", "SM2"), ("SmsStatus", "received"), ("Body", NAME)])),
        ("queued", status("queued", "")),
        ("sent", status("sent", "")),
        ("delivered", status("delivered", "")),
        ("read", status("read", "")),
        ("undelivered 30003", status("undelivered", "30003")),
        ("undelivered 30004", status("undelivered", "30004")),
        ("undelivered 30034", status("undelivered", "30034")),
        ("failed 21610", status("failed", "21610")),
        ("failed 30001", status("failed", "30001")),
        ("undelivered 30005", status("undelivered", "30005")),
        ("undelivered 30006", status("undelivered", "30006")),
        ("undelivered 30007", status("undelivered", "30007")),
        ("undelivered 30008", status("undelivered", "30008")),
        ("undelivered 30022", status("undelivered", "30022")),
        ("undelivered 30023", status("undelivered", "30023")),
        ("failed 30036", status("failed", "30036")),
        ("failed 39999", status("failed", "39999")),
        ("failed, no code", status("failed", "")),
        ("canceled", status("canceled", "")),
        ("pondering", status("pondering", "")),
        ("segments", say(&[("MessageSid", "SM1"), ("SmsStatus", "sent"), ("NumSegments", "3")])),
        ("no message id", say(&[("MessageStatus", "sent")])),
        ("empty", say(&[])),
    ];
    let table: String = rows.into_iter().map(|(what, said)| format!("{what:18} -> {said}\n")).collect();
    expect![[r#"
        reply              -> reply SM2 from ZPHIG00C0123456789ABCDEFGHJKMNPQRS: ZPHIG0050123456789ABCDEFGHJKMNPQRT
        reply, no status   -> reply SM2 from ZPHIG00C0123456789ABCDEFGHJKMNPQRS: ZPHIG0050123456789ABCDEFGHJKMNPQRT
        opt-out            -> reply SM2 from ZPHIG00C0123456789ABCDEFGHJKMNPQRS: ZPHIG0050123456789ABCDEFGHJKMNPQRT
        picture            -> reply MM2 from ZPHIG00C0123456789ABCDEFGHJKMNPQRS: 
        no sender          -> nothing
        queued             -> status SM1: accepted, SM1, 1 part(s)
        sent               -> status SM1: accepted, SM1, 1 part(s)
        delivered          -> status SM1: delivered, SM1, 1 part(s)
        read               -> status SM1: delivered, SM1, 1 part(s)
        undelivered 30003  -> status SM1: undeliverable passing, SM1, 1 part(s)
        undelivered 30004  -> status SM1: undeliverable blocked, SM1, 1 part(s)
        undelivered 30034  -> status SM1: undeliverable sender, SM1, 1 part(s)
        failed 21610       -> status SM1: undeliverable opted-out, SM1, 1 part(s)
        failed 30001       -> status SM1: undeliverable sender, SM1, 1 part(s)
        undelivered 30005  -> status SM1: undeliverable unreachable, SM1, 1 part(s)
        undelivered 30006  -> status SM1: undeliverable unreachable, SM1, 1 part(s)
        undelivered 30007  -> status SM1: undeliverable filtered, SM1, 1 part(s)
        undelivered 30008  -> status SM1: undeliverable passing, SM1, 1 part(s)
        undelivered 30022  -> status SM1: undeliverable sender, SM1, 1 part(s)
        undelivered 30023  -> status SM1: undeliverable sender, SM1, 1 part(s)
        failed 30036       -> status SM1: undeliverable expired, SM1, 1 part(s)
        failed 39999       -> status SM1: undeliverable passing, SM1, 1 part(s)
        failed, no code    -> status SM1: undeliverable unreachable, SM1, 1 part(s)
        canceled           -> status SM1: undeliverable expired, SM1, 1 part(s)
        pondering          -> nothing
        segments           -> status SM1: accepted, SM1, 3 part(s)
        no message id      -> nothing
        empty              -> nothing
    "#]]
    .assert_eq(&table);
}

/// What the operator reads of a fault that is ours.
#[test]
fn a_fault_of_the_sender_comes_with_its_cure() {
    let cure = |code| {
        let inbound = receive(&[("MessageSid", "SM1"), ("MessageStatus", "undelivered"), ("ErrorCode", code)]);
        let Some(InboundEvent::Status(status)) = inbound.events.into_iter().next() else { panic!("no status") };
        status.receipt.extras.into_iter().find(|extra| extra.name == "cure").map(|extra| extra.value)
    };
    expect!["from: register the number (A2P 10DLC, toll-free verification, or sender ID) (Twilio error 30034: US A2P 10DLC - message from an unregistered number)"]
        .assert_eq(&cure("30034").expect("a cure"));
    expect!["send less, or ask for more (Twilio error 30023: US A2P 10DLC - daily message cap reached)"]
        .assert_eq(&cure("30023").expect("a cure"));
    assert_eq!((cure("30005"), cure("21610")), (None, None));
}

#[test]
fn every_documented_status_is_understood() {
    let spec: serde_json::Value =
        serde_json::from_str(include_str!("../data/messages.json")).expect("the specification");
    for status in spec["status"].as_array().expect("a list") {
        let status = status.as_str().expect("a word");
        let fields = [("MessageSid", "SM1"), ("MessageStatus", status), ("From", PHONE), ("Body", NAME)];
        assert_eq!(receive(&fields).events.len(), 1, "{status}");
    }
}

#[test]
fn twilio_is_answered_with_an_empty_document() {
    let inbound = receive(&[]);
    assert_eq!((inbound.status, inbound.content_type.as_str()), (200, "text/xml"));
    assert_eq!(inbound.body, "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Response/>");
}

#[test]
fn what_the_patient_wrote_stays_sealed() {
    let clear = OutreachTwilio::clear_fields();
    assert!(["From", "To", "Body", "FromZip", "FromCity"].iter().all(|name| !clear.contains(&(*name).to_owned())));
}

/// The signed text, as the host would put it together.
fn signed(check: &SignatureCheck, url: &str, fields: &[(&str, &str)]) -> String {
    let part = |part: &Part| match part {
        Part::Text(text) => text.clone(),
        Part::Url => url.to_owned(),
        Part::Body => "BODY".to_owned(),
        Part::BodySha256 => "SHA256".to_owned(),
        Part::Field(name) => fields.iter().filter(|(known, _)| known == name).map(|(_, value)| *value).collect(),
    };
    check.message.iter().map(part).collect()
}

/// The vector of Twilio's own libraries; the token is `12345`.
#[test]
fn signatures_cover_the_url_and_the_sorted_form() {
    let fields = [
        ("To", "+18005551212"),
        ("CallSid", "CA1234567890ABCDE"),
        ("Digits", "1234"),
        ("From", "+14158675309"),
        ("Caller", "+14158675309"),
    ];
    let headers = [("x-twilio-signature", "RSOYDt4T1cUTdK1PDd93/VVr8B8=")];
    let checks = OutreachTwilio::authenticate(callback(&headers, &fields), SETTINGS.into());
    assert_eq!(checks.len(), 1);
    assert_eq!(
        signed(&checks[0], "https://mycompany.com/myapp.php?foo=1&bar=2", &fields),
        "https://mycompany.com/myapp.php?foo=1&bar=2CallSidCA1234567890ABCDECaller+14158675309Digits1234From+14158675309To+18005551212"
    );
    assert_eq!(checks[0].signature, "RSOYDt4T1cUTdK1PDd93/VVr8B8=");
    assert_eq!(
        (checks[0].algorithm, checks[0].encoding, checks[0].secret.as_str()),
        (Algorithm::HmacSha1, Encoding::Base64, "twilio-auth-token")
    );
}

#[test]
fn a_missing_signature_stays_empty_and_so_fails() {
    let checks = OutreachTwilio::authenticate(callback(&[], &[("Body", NAME)]), SETTINGS.into());
    assert_eq!((checks.len(), checks[0].signature.as_str()), (1, ""));
}

#[test]
fn a_shared_key_is_announced_by_a_header_with_its_algorithm() {
    let shared = SETTINGS.replace("\"from\"", "\"shared_key_secret\":\"twilio-shared-key\",\"from\"");
    let (token, key) = ("twilio-auth-token", "twilio-shared-key");
    for (announced, settings, expected) in [
        ("", SETTINGS, Some((Algorithm::HmacSha1, token))),
        ("key=webhooks_sharedkey_1", &shared, Some((Algorithm::HmacSha1, token))),
        ("key=webhooks_sharedkey_1,algorithm=HMAC_SHA256", &shared, Some((Algorithm::HmacSha256, key))),
        ("key=webhooks_sharedkey_1, algorithm = hmac_sha256", &shared, Some((Algorithm::HmacSha256, key))),
        ("key=webhooks_sharedkey_1,algorithm=HMAC_SHA256", SETTINGS, Some((Algorithm::HmacSha256, token))),
        ("key=webhooks_sharedkey_1,algorithm=HMAC_SHA512", &shared, None),
    ] {
        let headers = [("X-Twilio-Signature", "abc"), ("X-Twilio-Webhooks-Signature-Settings", announced)];
        let checks = OutreachTwilio::authenticate(callback(&headers, &[]), settings.to_string());
        let keyed = checks.first().map(|check| (check.algorithm, check.secret.as_str()));
        assert_eq!(keyed, expected, "{announced}");
    }
}

#[test]
fn json_is_signed_by_its_digest_in_the_url() {
    let headers = [("content-type", "application/json"), ("x-twilio-signature", "abc")];
    let with_url = |url: &str| SETTINGS.replace("\"from\"", &format!("\"callback_url\":\"{url}\",\"from\""));
    for (url, expected) in [
        ("https://handoff.example/cb", "https://handoff.example/cb?bodySHA256=SHA256"),
        ("https://handoff.example/cb?a=1", "https://handoff.example/cb?a=1&bodySHA256=SHA256"),
    ] {
        let checks = OutreachTwilio::authenticate(callback(&headers, &[]), with_url(url));
        assert_eq!(signed(&checks[0], "elsewhere", &[]), expected);
    }
    assert_eq!(OutreachTwilio::authenticate(callback(&headers, &[]), SETTINGS.into()), vec![]);
}

#[test]
fn settings_that_cannot_be_used_refuse_every_callback() {
    assert_eq!(OutreachTwilio::authenticate(callback(&[], &[]), "{}".into()), vec![]);
}
