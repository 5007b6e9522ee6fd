//! Twilio's error codes (twilio.com/docs/api/errors) in the contract's words.

use serde_json::Value;

use crate::{Attribute, Outcome, Receipt};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// The address is at fault: the letter will not arrive there.
    Undeliverable(&'static str),
    /// Somebody forbids it.
    Refused(&'static str),
    /// Our set-up is at fault; how to mend it.
    Misconfigured(&'static str),
    Later,
    /// Not in this table: the HTTP status decides.
    Unlisted,
}

pub fn meaning(code: u64) -> Meaning {
    use Meaning::{Later, Misconfigured, Refused, Undeliverable, Unlisted};
    match code {
        // Not a number, or not one that Twilio can parse.
        21211 | 21217 | 21401 | 21604 => Undeliverable("invalid-address"),
        // A number, but no handset for texts: not mobile, no route, switched off, unknown, a landline, carrier trouble.
        21612 | 21614 | 30003 | 30005 | 30006 | 30008 | 30410 => Undeliverable("unreachable"),
        // The handset or the carrier blocks us.
        30004 | 30007 => Undeliverable("blocked"),
        // Too long in the queue: queue overflow, validity period over.
        30001 | 30036 => Undeliverable("expired"),

        21610 => Refused("opted-out"),
        // We may not text this country.
        21408 => Refused("blocked"),
        21605 | 21617 => Refused("too-long"),
        21619 => Refused("empty"),

        20003 | 20005 | 20006 | 20008 => {
            Misconfigured("endpoint: Twilio refused our credentials; check the endpoint's account SID and auth token")
        }
        20404 | 10001 | 30002 => Misconfigured("account_sid: the account is unknown, inactive or suspended"),
        21603 | 21606 | 21212 | 21659 | 21660 | 21661 => {
            Misconfigured("from: write an SMS-capable number of this Twilio account")
        }
        21701 | 21703 | 21704 | 21705 => {
            Misconfigured("messaging_service_sid: name a messaging service that has a sender")
        }
        21608 => Misconfigured("account_sid: a trial account texts verified numbers only; upgrade it"),
        21609 => Misconfigured("public address: Twilio cannot call the callback URL back"),
        30024 | 30032 | 30034 => Misconfigured("from: register the number (A2P 10DLC or toll-free verification)"),

        14107 | 20429 | 21611 | 21730 => Later,
        _ => Unlisted,
    }
}

/// The word for a message that Twilio reports as `failed` or `undelivered`: too late for a refusal or a retry.
pub fn undelivered_word(code: u64) -> &'static str {
    match meaning(code) {
        Meaning::Undeliverable(word) | Meaning::Refused(word) => word,
        Meaning::Misconfigured(_) => "blocked",
        Meaning::Later => "expired",
        Meaning::Unlisted => "unreachable",
    }
}

pub fn undeliverable(word: &str, vendor_id: String, code: u64, parts: u32) -> Receipt {
    let extras = vec![Attribute { name: "error-code".to_owned(), value: code.to_string() }];
    Receipt { outcome: Outcome::Undeliverable(word.to_owned()), vendor_id, parts, extras }
}

/// `num_segments` is text. It is `0` while a messaging service has not picked a sender; one is the least it will be.
pub fn parts(message: &Value) -> u32 {
    message["num_segments"].as_str().map_or(1, segments)
}

pub fn segments(text: &str) -> u32 {
    text.parse().unwrap_or(1).max(1)
}
