//! Twilio calls back: a patient's text, or what became of one of ours.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use handoff_host::contract::types::Attribute;
use handoff_ingress::delivery::{Delivery, SenderProof, Transport};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha1::Sha1;

use super::office::{Office, TWILIO_TOKEN};

const URL: &str = "https://handoff.example/callback/first";

/// A patient's text.
pub async fn hears(office: &Office, number: usize, from: &str, text: &str) {
    let sid = format!("SM{number:032}");
    calls(office, &[("Body", text), ("From", from), ("MessageSid", &sid), ("To", "+15555550100")]).await;
}

/// What became of the text that the first vendor called so; its answer to it was `SM0`, `SM1`, …
pub async fn reports(office: &Office, sid: &str, status: &str, code: &str) {
    calls(office, &[("MessageSid", sid), ("MessageStatus", status), ("ErrorCode", code), ("To", "+12706009800")]).await;
}

/// A form as Twilio posts it, signed as Twilio signs it (validating requests: URL, then names and values in order).
pub async fn calls(office: &Office, fields: &[(&str, &str)]) {
    let account = [("AccountSid", "AC00000000000000000000000000000000")];
    let mut fields: Vec<_> = account.iter().chain(fields).collect();
    fields.sort();
    let signed: String = fields.iter().map(|(name, value)| format!("{name}{value}")).collect();
    let mut mac = Hmac::<Sha1>::new_from_slice(TWILIO_TOKEN.as_bytes()).expect("a key");
    mac.update(format!("{URL}{signed}").as_bytes());
    let encoded = |text: &str| -> String { text.bytes().map(|byte| format!("%{byte:02X}")).collect() };
    let body: Vec<String> = fields.iter().map(|(name, value)| format!("{name}={}", encoded(value))).collect();
    let header = |name: &str, value: String| Attribute { name: name.into(), value };
    let delivery = Delivery {
        transport: Transport::Callback,
        source: "first".into(),
        url: URL.into(),
        headers: vec![
            header("content-type", "application/x-www-form-urlencoded".into()),
            header("x-twilio-signature", STANDARD.encode(mac.finalize().into_bytes())),
        ],
        body: body.join("&").into_bytes(),
        too_long: None,
        received_at: office.now(),
        sender: SenderProof::SignatureOnly,
    };
    let answer = office.pipeline.intake.take_callback(delivery).await;
    assert!(answer.status < 300, "{body:?}: {}", answer.status);
}
