//! What is asked of Twilio, and what is made of its answers.

mod callbacks;
mod letters;
mod lookups;
mod robustness;

use outreach_twilio::*;

pub const SETTINGS: &str = r#"{"account_sid":"AC0123456789abcdef0123456789abcdef","from":"+15550100"}"#;
pub const PHONE: &str = "ZPHIG00C0123456789ABCDEFGHJKMNPQRS";
pub const NAME: &str = "ZPHIG0050123456789ABCDEFGHJKMNPQRT";

pub fn letter() -> Letter {
    Letter {
        id: "letter-1".into(),
        channel: ChannelKind::Sms,
        to: PHONE.into(),
        language: "en".into(),
        subject: String::new(),
        text: format!("Hello {NAME}, please call us."),
        callback_url: Some("https://handoff.example/callbacks/sms".into()),
        extras: vec![attribute("asked-at", "2026-07-06T08:01:00Z")],
    }
}

pub fn attribute(name: &str, value: &str) -> Attribute {
    Attribute { name: name.into(), value: value.into() }
}

pub fn answer(status: u16, headers: &[(&str, &str)], body: &str) -> Response {
    let headers = headers.iter().map(|(name, value)| attribute(name, value)).collect();
    Response::Http(HttpResponse { status, headers, body: body.into() })
}

pub fn say_receipt(receipt: &Receipt) -> String {
    let outcome = match &receipt.outcome {
        Outcome::Accepted => "accepted".to_owned(),
        Outcome::Delivered => "delivered".to_owned(),
        Outcome::Undeliverable(why) => format!("undeliverable {why}"),
        Outcome::Unknown => "unknown".to_owned(),
    };
    let id = if receipt.vendor_id.is_empty() { "-" } else { &receipt.vendor_id };
    format!("{outcome}, {id}, {} part(s)", receipt.parts)
}

pub fn say(turn: &Result<Turn, Failure>) -> String {
    match turn {
        Ok(Turn::Ask(ask)) => format!("ask {}", ask.endpoint),
        Ok(Turn::Done(receipt)) => say_receipt(receipt),
        Err(Failure::RetryAfter(retry)) => format!("retry after {} s: {}", retry.seconds, retry.reason),
        Err(Failure::Refused(refusal)) => format!("refused {}: {}", refusal.code, refusal.reason),
        Err(Failure::Misconfigured(why)) => format!("misconfigured: {why}"),
        Err(Failure::Other(why)) => format!("other: {why}"),
    }
}
