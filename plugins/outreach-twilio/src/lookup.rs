//! Did Twilio take a letter that is in doubt?
//!
//! Twilio's messages carry no idempotency key, and the list does not return the callback URL, so nothing of ours comes
//! back by which a message could be recognised for certain. What can be known:
//!
//! - *No message to this number since we first asked, but such as are known to be other letters*: Twilio never saw the
//!   letter. Only this is answered `unknown`, and only once the list has had time to settle.
//! - *One of exactly our length since then*: it is taken for ours. The body comes back as a token, and a token tells
//!   its length. A second letter of the same length to the same number, in doubt in the same minutes, would be mistaken
//!   for this one; the gate's cap of messages per day keeps that from happening.
//! - *Anything else*: a person looks. A text too many is worse than a text too late.
//!
//! The list is not filtered by `DateSent`: a message in the queue has none yet.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::settings::Settings;
use crate::{
    Ask, Attribute, Body, Failure, HttpRequest, HttpResponse, Letter, Method, Outcome, Receipt, Refusal, Request,
    Response, callback, codes, judge, send, size,
};

/// Read in clear: what each message is called, when it was made, which way it went and how it fared. Not its body.
const REVEAL: [&str; 5] = [
    "messages[].sid",
    "messages[].date_created",
    "messages[].direction",
    "messages[].status",
    "messages[].num_segments",
];

/// The newest so many messages to this number. The gate sends a patient at most a few texts a week.
const PAGE_SIZE: usize = 100;

/// `date_created` has whole seconds, and the two clocks differ.
const CLOCK_SKEW_MILLIS: i64 = 5_000;

/// Our own clock may have been wrong when we asked. Where the host says which messages are other letters', so much may be
/// looked back without mistaking one of them for this one.
const WRONG_CLOCK_MILLIS: i64 = 15 * 60_000;

/// A message that was just made may not be in the list yet.
const SETTLING_MILLIS: i64 = 60_000;

#[derive(Serialize, Deserialize)]
struct Sought {
    asked_at: i64,
    /// By the same clock, where the host says.
    now: Option<i64>,
    /// Other letters' message ids, where the host says.
    known: Option<Vec<String>>,
    characters: usize,
}

impl Sought {
    /// No message of ours was made before.
    fn earliest(&self) -> i64 {
        let slack = if self.known.is_some() { WRONG_CLOCK_MILLIS } else { CLOCK_SKEW_MILLIS };
        self.asked_at.saturating_sub(slack)
    }
}

pub fn ask(letter: &Letter, settings: &Settings) -> Result<Ask, Failure> {
    send::texts_only(letter)?;
    let extra = |name: &str| letter.extras.iter().find(|extra| extra.name == name).map(|extra| extra.value.as_str());
    let Some(asked_at) = extra("asked-at").and_then(moment::read_rfc3339) else {
        return Err(Failure::Refused(Refusal {
            code: "no-lookup".to_owned(),
            reason: "it is not known when the letter was first asked for (extra `asked-at`)".to_owned(),
        }));
    };
    let sought = Sought {
        asked_at,
        now: extra("now").and_then(moment::read_rfc3339),
        known: extra("known-ids").map(|ids| ids.split_whitespace().map(str::to_owned).collect()),
        characters: size::characters(&letter.text),
    };
    Ok(Ask {
        endpoint: settings.endpoint.clone(),
        request: Request::Http(HttpRequest {
            method: Method::Get,
            path: settings.messages_path(),
            query: vec![
                Attribute { name: "To".to_owned(), value: letter.to.clone() },
                Attribute { name: "PageSize".to_owned(), value: PAGE_SIZE.to_string() },
            ],
            headers: vec![],
            body: Body::Empty,
        }),
        reveal: REVEAL.map(str::to_owned).to_vec(),
        state: serde_json::to_string(&sought).unwrap_or_default(),
    })
}

pub fn judge(state: &str, response: Response) -> Result<Receipt, Failure> {
    let sought: Sought = serde_json::from_str(state)
        .map_err(|error| Failure::Other(format!("the state of a look-up cannot be read: {error}")))?;
    let response = judge::http(response)?;
    let body: Value = serde_json::from_str(&response.body).unwrap_or(Value::Null);
    if response.status != 200 {
        return Err(refusal(&response, &body));
    }
    let Some(messages) = body["messages"].as_array() else {
        return Err(unsure("Twilio's list of messages cannot be read"));
    };
    let mut candidates: Vec<&Value> = messages.iter().filter(|message| may_be_ours(message, &sought)).collect();
    if candidates.is_empty() {
        if messages.len() >= PAGE_SIZE && messages.iter().all(|message| since(message, &sought)) {
            return Err(unsure("there are more messages to this number than one page holds"));
        }
        return settled(&response, &sought).map(|()| Receipt {
            outcome: Outcome::Unknown,
            vendor_id: String::new(),
            parts: 0,
            extras: vec![],
        });
    }
    // The earliest: a letter that went twice is still one letter.
    candidates.sort_by_key(|message| created(message));
    let ours = candidates.iter().find(|message| {
        let body = message["body"].as_str().unwrap_or_default();
        !body.is_empty() && size::characters(body) == sought.characters
    });
    match ours {
        Some(message) => Ok(receipt(message)),
        None => Err(unsure("a message to this number was sent since, and it cannot be told whether it is this letter")),
    }
}

/// Ours go out by the API; what cannot be read might be ours.
fn may_be_ours(message: &Value, sought: &Sought) -> bool {
    let known = |sid: &str| sought.known.iter().flatten().any(|known| known == sid);
    message["direction"].as_str() != Some("inbound")
        && since(message, sought)
        && !message["sid"].as_str().is_some_and(known)
}

fn since(message: &Value, sought: &Sought) -> bool {
    created(message).is_none_or(|created| created >= sought.earliest())
}

fn created(message: &Value) -> Option<i64> {
    moment::read_mail_date(message["date_created"].as_str()?)
}

/// An empty list means something only once the list has had time to fill, by Twilio's own Date and by our clock. One that
/// is missing, or says that we asked in the future, cannot time anything.
fn settled(response: &HttpResponse, sought: &Sought) -> Result<(), Failure> {
    let theirs = judge::header(response, "date").and_then(moment::read_mail_date);
    let elapsed =
        [theirs, sought.now].map(|now| now.map(|now| now.saturating_sub(sought.asked_at) + CLOCK_SKEW_MILLIS));
    let timed = elapsed.into_iter().flatten().filter(|elapsed| *elapsed >= 0).min();
    let unsettled = match timed {
        Some(elapsed) => SETTLING_MILLIS - elapsed,
        // Both clocks say that we asked in the future: ours was wrong then, and time heals it.
        None if sought.now.is_some() => SETTLING_MILLIS,
        None => 0,
    };
    match u32::try_from(unsettled / 1_000) {
        Ok(seconds) if unsettled > 0 => {
            Err(judge::retry(seconds + 1, "Twilio's list of messages may not show the letter yet"))
        }
        Ok(_) | Err(_) => Ok(()),
    }
}

fn receipt(message: &Value) -> Receipt {
    let vendor_id = message["sid"].as_str().unwrap_or_default().to_owned();
    let code = message["error_code"].as_u64().unwrap_or_default();
    let status = message["status"].as_str().unwrap_or_default();
    callback::receipt(status, code, vendor_id.clone(), codes::parts(message)).unwrap_or(Receipt {
        outcome: Outcome::Accepted,
        vendor_id,
        parts: codes::parts(message),
        extras: vec![],
    })
}

fn refusal(response: &HttpResponse, body: &Value) -> Failure {
    let code = body["code"].as_u64().unwrap_or_default();
    match codes::meaning(code) {
        codes::Meaning::SetUp(cure) => Failure::Misconfigured(format!("{cure} ({})", codes::title(code))),
        codes::Meaning::MayPass => judge::later(response, code),
        codes::Meaning::Limit => judge::limited(code),
        codes::Meaning::OptedOut | codes::Meaning::Dead(_) | codes::Meaning::Letter(_) | codes::Meaning::Unlisted => {
            judge::by_status(response, code)
        }
    }
}

fn unsure(what: &str) -> Failure {
    Failure::Other(format!("{what}: look the letter up in Twilio's message log"))
}
