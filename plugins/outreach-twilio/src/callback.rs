//! What Twilio tells us: a patient's reply, or how a message fared.

use crate::{Attribute, Callback, Inbound, InboundEvent, InboundReply, InboundStatus, Outcome, Receipt, codes};

/// Message ids, status words, codes and counts. Not `From`, `To` and `Body`.
pub const CLEAR_FIELDS: [&str; 5] = ["MessageSid", "MessageStatus", "SmsStatus", "ErrorCode", "NumSegments"];

/// An empty TwiML document: Twilio sends nothing back to the patient. The workflow does.
const NO_ANSWER: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Response/>";

pub fn read(callback: &Callback) -> Inbound {
    Inbound {
        events: event(callback).into_iter().collect(),
        status: 200,
        content_type: "text/xml".to_owned(),
        body: NO_ANSWER.to_owned(),
    }
}

/// A message that came in has the status `received`; one of ours has one of the others. What is neither, such as a
/// status that Twilio invents tomorrow, is acknowledged and changes nothing.
fn event(callback: &Callback) -> Option<InboundEvent> {
    let vendor_id = field(callback, "MessageSid")?.to_owned();
    let status = field(callback, "MessageStatus").or(field(callback, "SmsStatus")).unwrap_or("received");
    if matches!(status, "received" | "receiving") {
        let from = field(callback, "From")?.to_owned();
        // A picture without words has an empty Body; a person reads it.
        let text = field(callback, "Body")?.to_owned();
        return Some(InboundEvent::Reply(InboundReply { from, text, vendor_id }));
    }
    let code = field(callback, "ErrorCode").and_then(|code| code.parse().ok()).unwrap_or_default();
    let parts = field(callback, "NumSegments").map_or(1, codes::segments);
    let receipt = receipt(status, code, vendor_id.clone(), parts)?;
    Some(InboundEvent::Status(InboundStatus { vendor_id, receipt }))
}

/// Messages resource, `status`.
pub fn receipt(status: &str, code: u64, vendor_id: String, parts: u32) -> Option<Receipt> {
    let outcome = match status {
        "accepted" | "scheduled" | "queued" | "sending" | "sent" => Outcome::Accepted,
        "delivered" | "partially_delivered" | "read" => Outcome::Delivered,
        "undelivered" | "failed" => {
            return Some(codes::undeliverable(codes::undelivered_word(code), vendor_id, code, parts));
        }
        "canceled" => Outcome::Undeliverable("expired".to_owned()),
        _ => return None,
    };
    Some(Receipt { outcome, vendor_id, parts, extras: vec![] })
}

fn field<'a>(callback: &'a Callback, name: &str) -> Option<&'a str> {
    let named = |field: &&'a Attribute| field.name == name;
    callback.fields.iter().find(named).map(|field| field.value.as_str())
}
