//! Twilio's error codes in the contract's words, with Twilio's own titles.
//!
//! Source: the error and warning dictionary, <https://www.twilio.com/docs/api/errors>, each code on a page of its own
//! (`/docs/api/errors/30007`). Whose fault each is, is our reading of what the page gives as cause.

use serde_json::Value;

use crate::{Attribute, Outcome, Receipt};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// The patient has said STOP to Twilio or to the carrier.
    OptedOut,
    /// The address is at fault: no letter will arrive there.
    Dead(&'static str),
    /// This letter is at fault, or was too late; the next may arrive.
    Letter(&'static str),
    /// A handset that is off, a carrier that is busy.
    MayPass,
    /// We send more than we may; ends by itself.
    Limit,
    /// Our set-up is at fault; how to mend it.
    SetUp(&'static str),
    /// Not in this table.
    Unlisted,
}

use Meaning::{Dead, Letter, Limit, MayPass, OptedOut, SetUp};

const ACCOUNT: Meaning = SetUp("account_sid: the account is unknown, inactive, suspended or out of funds");
const CREDENTIALS: Meaning =
    SetUp("endpoint: Twilio refused our credentials; check the endpoint's account SID and auth token");
const REGISTER: Meaning = SetUp("from: register the number (A2P 10DLC, toll-free verification, or sender ID)");
const SENDER: Meaning = SetUp("from: write an SMS-capable number of this Twilio account");
const SERVICE: Meaning = SetUp("messaging_service_sid: name a messaging service that has a sender");

/// By code. What is about media, voice, WhatsApp or the console cannot answer a text of ours.
const TABLE: &[(u64, &str, Meaning)] = &[
    (10001, "Account is not active", ACCOUNT),
    (14107, "SMS send rate limit exceeded", MayPass),
    (20003, "Permission denied", CREDENTIALS),
    (20005, "Account not active", CREDENTIALS),
    (20006, "Access denied", CREDENTIALS),
    (20008, "Cannot access this resource with test credentials", CREDENTIALS),
    (20404, "Not found", ACCOUNT),
    (20429, "Too many requests", MayPass),
    (21211, "Invalid 'To' phone number", Dead("invalid-address")),
    (21212, "Invalid 'From' number", SENDER),
    (21217, "Phone number does not appear to be valid", Dead("invalid-address")),
    (21401, "Invalid phone number", Dead("invalid-address")),
    // Another way is taken at once: few practices text abroad. `Messaging, Geo Permissions` is where it is enabled.
    (21408, "Permission to send an SMS has not been enabled for the region", Letter("blocked")),
    (21603, "A 'From' phone number is required", SENDER),
    (21604, "'To' phone number is required", Dead("invalid-address")),
    (21605, "Maximum body length is 160 characters", Letter("too-long")),
    (21606, "The 'From' phone number is not a message-capable number for this destination", SENDER),
    (
        21608,
        "The 'To' number is unverified",
        SetUp("account_sid: a trial account texts verified numbers only; upgrade it"),
    ),
    (21609, "Invalid 'StatusCallback' URL", SetUp("public address: Twilio cannot call the callback URL back")),
    (21610, "Attempt to send to unsubscribed recipient", OptedOut),
    (21611, "This 'From' number has exceeded the maximum number of queued messages", Limit),
    (21612, "Message cannot be sent with the current combination of 'To' and 'From'", Dead("unreachable")),
    (21614, "'To' number is not a valid mobile number", Dead("unreachable")),
    (21617, "The concatenated message body exceeds the 1600 character limit", Letter("too-long")),
    (21619, "A message body is required", Letter("empty")),
    (21635, "'To' number cannot be a landline", Dead("unreachable")),
    (21659, "'From' is not a Twilio number", SENDER),
    (21660, "Mismatch between the 'From' number and the account", SENDER),
    (21661, "'From' number is not SMS-capable", SENDER),
    (21701, "The messaging service does not exist", SERVICE),
    (21703, "The messaging service does not have a phone number available", SERVICE),
    (21704, "The messaging service contains no phone numbers", SERVICE),
    (21705, "The messaging service is invalid", SERVICE),
    (21709, "Alpha sender ID is invalid or not authorized", SENDER),
    (21729, "Cannot perform operation on suspended campaign", REGISTER),
    (21730, "System under maintenance", MayPass),
    (30001, "Queue overflow", Limit),
    (30002, "Account suspended", ACCOUNT),
    (30003, "Unreachable destination handset", MayPass),
    (30004, "Message blocked", Dead("blocked")),
    (30005, "Unknown destination handset", Dead("unreachable")),
    (30006, "Landline or unreachable carrier", Dead("unreachable")),
    (30007, "Message filtered", Letter("filtered")),
    (30008, "Unknown error", MayPass),
    (30010, "Message price exceeds max price", SetUp("account: a maximum price forbids texts to this carrier")),
    (30017, "Carrier network congestion", MayPass),
    (30018, "Destination carrier requires sender ID pre-registration", REGISTER),
    (30019, "Content size exceeds carrier limit", Letter("too-long")),
    (30020, "Internal failure with message scheduling", MayPass),
    (30021, "Internal failure with messaging service orchestrator", MayPass),
    (30022, "US A2P 10DLC - rate limits exceeded", Limit),
    (30023, "US A2P 10DLC - daily message cap reached", Limit),
    (30024, "Numeric sender ID not provisioned on carrier", REGISTER),
    (30027, "US A2P 10DLC - T-Mobile daily message limit reached", Limit),
    (30032, "Toll-free number has not been verified", REGISTER),
    (30033, "US A2P 10DLC - campaign suspended", REGISTER),
    (30034, "US A2P 10DLC - message from an unregistered number", REGISTER),
    (30035, "US A2P 10DLC - message from a number that is being configured", REGISTER),
    (30036, "Validity period expired", Letter("expired")),
    (30037, "Outbound messaging disabled", ACCOUNT),
    (30038, "OTP message body filtered", Letter("filtered")),
    (30039, "Message blocked as a loop", Letter("filtered")),
    (30040, "Destination carrier requires sender ID pre-registration", REGISTER),
    (30041, "Message from an unregistered number sent to a United Kingdom number", REGISTER),
    (30044, "Trial message length exceeded", SetUp("account_sid: a trial account sends short texts only; upgrade it")),
    (30125, "The phone number could not be registered with US A2P 10DLC", REGISTER),
    (30410, "Provider timeout error", MayPass),
    (30450, "Message delivery blocked", Letter("filtered")),
    (30454, "Account exceeded the messages limit", Limit),
    (30485, "Message could not be delivered", MayPass),
    (63038, "Account exceeded the daily messages limit", Limit),
];

pub fn meaning(code: u64) -> Meaning {
    row(code).map_or(Meaning::Unlisted, |(_, _, meaning)| *meaning)
}

/// As people read it: `Twilio error 30006: Landline or unreachable carrier`.
pub fn title(code: u64) -> String {
    match row(code) {
        Some((_, title, _)) => format!("Twilio error {code}: {title}"),
        None => format!("Twilio error {code}"),
    }
}

fn row(code: u64) -> Option<&'static (u64, &'static str, Meaning)> {
    TABLE.iter().find(|(known, _, _)| *known == code)
}

/// The word for a message that Twilio reports as `failed` or `undelivered`. An error that nobody has told us of may pass.
pub fn undelivered_word(code: u64) -> &'static str {
    match meaning(code) {
        Meaning::OptedOut => "opted-out",
        Meaning::Dead(word) | Meaning::Letter(word) => word,
        Meaning::MayPass => "passing",
        Meaning::Limit | Meaning::SetUp(_) => "sender",
        Meaning::Unlisted if code == 0 => "unreachable",
        Meaning::Unlisted => "passing",
    }
}

pub fn undeliverable(word: &str, vendor_id: String, code: u64, parts: u32) -> Receipt {
    let extra = |name: &str, value: String| Attribute { name: name.to_owned(), value };
    let mut extras = vec![extra("error-code", code.to_string())];
    match meaning(code) {
        Meaning::SetUp(cure) => extras.push(extra("cure", format!("{cure} ({})", title(code)))),
        Meaning::Limit => extras.push(extra("cure", format!("send less, or ask for more ({})", title(code)))),
        Meaning::OptedOut | Meaning::Dead(_) | Meaning::Letter(_) | Meaning::MayPass | Meaning::Unlisted => {}
    }
    Receipt { outcome: Outcome::Undeliverable(word.to_owned()), vendor_id, parts, extras }
}

/// `num_segments` is text. It is `0` while a messaging service has not picked a sender; one is the least it will be.
pub fn parts(message: &Value) -> u32 {
    message["num_segments"].as_str().map_or(1, segments)
}

pub fn segments(text: &str) -> u32 {
    text.parse().unwrap_or(1).max(1)
}
