//! A text message carrier that speaks Twilio's REST API, with its bad days.
//!
//! <https://www.twilio.com/docs/messaging/api/message-resource>

pub(crate) mod segments;
pub(crate) mod severable;
pub(crate) mod signature;

use std::collections::{BTreeMap, BTreeSet};

use axum::extract::{ConnectInfo, Form, Path, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Duration, Utc};
use serde_json::{Value, json};

use crate::dice::{Dice, name_of};
use crate::ledger::{LedgerMoment, Refused};
use crate::town::{Action, SharedTown, SimulationState};
use severable::Shears;

/// Twilio's limit for a message body.
const BODY_CHARACTERS_MAX: usize = 1600;

/// The words that Twilio's own opt-out handling knows; others are for the practice to understand.
const STOP_WORDS: [&str; 8] = ["STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT"];
const START_WORDS: [&str; 3] = ["START", "YES", "UNSTOP"];

/// What the carrier keeps.
#[derive(Default)]
pub(crate) struct Book {
    messages: BTreeMap<String, Message>,
    /// Numbers that have opted out: Twilio refuses them with 21610.
    blocked: BTreeSet<String>,
    /// Requests per number, for the dice.
    requests: BTreeMap<String, u32>,
}

pub(crate) struct Message {
    pub sid: String,
    pub to: String,
    pub from: String,
    pub body: String,
    pub status: Status,
    pub created_at: DateTime<Utc>,
    pub callback: Option<String>,
    /// Asked for after the patient had opted out by any wording.
    pub after_opt_out: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    Queued,
    Sent,
    Delivered,
    Undelivered,
    /// Taken, and not carried to a number that has opted out.
    Blocked,
}

impl Status {
    pub fn word(self) -> &'static str {
        match self {
            Status::Queued => "queued",
            Status::Sent => "sent",
            Status::Delivered => "delivered",
            Status::Undelivered => "undelivered",
            Status::Blocked => "failed",
        }
    }

    /// Twilio's code for a message that did not arrive: unknown destination handset, or one that has opted out.
    pub fn error_code(self) -> Option<u32> {
        match self {
            Status::Undelivered => Some(30005),
            Status::Blocked => Some(21610),
            Status::Queued | Status::Sent | Status::Delivered => None,
        }
    }
}

impl Book {
    pub fn message(&mut self, sid: &str) -> Option<&mut Message> {
        self.messages.get_mut(sid)
    }

    /// Applies Twilio's own handling of a reply; the word for `OptOutType` when there is one.
    pub fn hear(&mut self, from: &str, text: &str) -> Option<&'static str> {
        let word = text.trim().to_ascii_uppercase();
        if STOP_WORDS.contains(&word.as_str()) {
            self.blocked.insert(from.to_string());
            return Some("STOP");
        }
        let lifted = START_WORDS.contains(&word.as_str()) && self.blocked.remove(from);
        lifted.then_some("START")
    }
}

pub(crate) fn routes(town: SharedTown) -> Router {
    Router::new()
        .route("/2010-04-01/Accounts/{account}/Messages.json", post(create).get(list))
        .route("/2010-04-01/Accounts/{account}/Messages/{sid}", get(fetch))
        .with_state(town)
}

/// A refusal as Twilio words it.
struct Refusal {
    status: u16,
    code: u32,
    message: &'static str,
}

const fn refusal(status: u16, code: u32, message: &'static str) -> Refusal {
    Refusal { status, code, message }
}

async fn create(
    State(town): State<SharedTown>,
    Path(account): Path<String>,
    ConnectInfo(shears): ConnectInfo<Shears>,
    headers: HeaderMap,
    Form(fields): Form<Vec<(String, String)>>,
) -> Response {
    let mut town = town.lock();
    if let Err(refused) = authorised(&town, &account, &headers) {
        return answer(&town, refused);
    }
    let field = |name: &str| fields.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
    let to = field("To").unwrap_or_default().to_string();
    let person = town.person_by_phone(&to, field("Body").unwrap_or_default());
    match town.accept(&to, person, &field) {
        Ok((body, dropped)) => {
            if dropped {
                shears.cut();
            }
            dated(&town, (StatusCode::CREATED, Json(body)))
        }
        Err(refused) => {
            let at = town.now;
            town.ledger.texts_refused.push(Refused { at, person, status: refused.status });
            answer(&town, refused)
        }
    }
}

impl SimulationState {
    /// The message as Twilio shows it, and whether the connection drops before anybody sees it.
    fn accept<'a>(
        &mut self,
        to: &str,
        person: Option<usize>,
        field: &impl Fn(&str) -> Option<&'a str>,
    ) -> Result<(Value, bool), Refusal> {
        let from = field("From").or(field("MessagingServiceSid"));
        let from = from.ok_or(refusal(400, 21603, "A 'From' phone number is required."))?.to_string();
        let body = field("Body").filter(|body| !body.is_empty());
        let body = body.ok_or(refusal(400, 21602, "Message body is required."))?.to_string();
        if body.chars().count() > BODY_CHARACTERS_MAX {
            return Err(refusal(400, 21617, "The concatenated message body exceeds the 1600 character limit."));
        }
        if !is_e164(to) {
            return Err(refusal(400, 21211, "The 'To' number is not a valid phone number."));
        }
        let is_blocked = self.carrier.blocked.contains(to);
        if is_blocked && !person.is_some_and(|person| self.vendor_tells_later(person)) {
            return Err(refusal(400, 21610, "Attempt to send to unsubscribed recipient"));
        }
        let request = self.carrier.requests.entry(to.to_string()).or_default();
        *request += 1;
        let who = person.unwrap_or(usize::MAX);
        let mut dice = Dice::of(self.plan.seed, who, "carrier", *request);
        let name = name_of(&[to, &body, &request.to_string()]);
        let weather = self.plan.profile.carrier;
        if dice.chance(weather.throttled) {
            return Err(refusal(429, 20429, "Too Many Requests"));
        }
        if dice.chance(weather.failing) {
            return Err(refusal(500, 20500, "An internal server error has occurred"));
        }
        let dropped = dice.chance(weather.dropped);
        if let Some(person) = self.has_moved_on(to, &body) {
            self.ledger.misdirected.push(LedgerMoment { at: self.now, person });
        }
        let arrives = person.is_some() && !dice.chance(weather.undelivered);
        let sid = format!("SM{}", &name[..32]);
        let message = Message {
            sid: sid.clone(),
            to: to.to_string(),
            from,
            body,
            status: Status::Queued,
            created_at: self.now,
            callback: field("StatusCallback").map(str::to_string),
            after_opt_out: person.is_some_and(|person| self.courses[person].opted_out.is_some()),
        };
        let shown = shown(&message, &self.credentials().0);
        self.carrier.messages.insert(sid.clone(), message);
        let sent_at = self.now + Duration::seconds(dice.between(1, 3));
        let rings_at = self.now + Duration::seconds(dice.between(3, 25));
        self.agenda.note(sent_at, who, Action::Report { sid: sid.clone(), status: Status::Sent });
        let arrival = match (is_blocked, arrives) {
            (true, _) => Status::Blocked,
            (false, true) => Status::Delivered,
            (false, false) => Status::Undelivered,
        };
        self.agenda.note(rings_at, who, Action::Report { sid, status: arrival });
        Ok((shown, dropped))
    }
}

async fn list(
    State(town): State<SharedTown>,
    Path(account): Path<String>,
    Query(filters): Query<BTreeMap<String, String>>,
    headers: HeaderMap,
) -> Response {
    let town = town.lock();
    if let Err(refused) = authorised(&town, &account, &headers) {
        return answer(&town, refused);
    }
    let equal = |name: &str, value: &str| filters.get(name).is_none_or(|wanted| wanted == value);
    let size = filters.get("PageSize").and_then(|size| size.parse().ok()).unwrap_or(50);
    let day = |message: &Message| message.created_at.format("%Y-%m-%d").to_string();
    let mut found: Vec<&Message> = town.carrier.messages.values().collect();
    found.retain(|message| {
        equal("To", &message.to)
            && equal("From", &message.from)
            && equal("DateSent", &day(message))
            && filters.get("DateSent>").is_none_or(|from| day(message).as_str() >= from.get(..10).unwrap_or(from))
            && filters.get("DateSent<").is_none_or(|until| day(message).as_str() <= until.get(..10).unwrap_or(until))
    });
    found.sort_by(|a, b| (b.created_at, &a.sid).cmp(&(a.created_at, &b.sid)));
    let messages: Vec<Value> = found.into_iter().take(size).map(|message| shown(message, &account)).collect();
    let page = json!({ "messages": messages, "page": 0, "page_size": size, "next_page_uri": null });
    dated(&town, Json(page))
}

async fn fetch(
    State(town): State<SharedTown>,
    Path((account, sid)): Path<(String, String)>,
    headers: HeaderMap,
) -> Response {
    let town = town.lock();
    if let Err(refused) = authorised(&town, &account, &headers) {
        return answer(&town, refused);
    }
    match town.carrier.messages.get(sid.trim_end_matches(".json")) {
        Some(message) => dated(&town, Json(shown(message, &account))),
        None => answer(&town, refusal(404, 20404, "The requested resource was not found")),
    }
}

fn authorised(town: &SimulationState, account: &str, headers: &HeaderMap) -> Result<(), Refusal> {
    let (owner, token) = town.credentials();
    let expected = format!("Basic {}", STANDARD.encode(format!("{owner}:{token}")));
    let given = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    if given == Some(expected.as_str()) && account == owner { Ok(()) } else { Err(refusal(401, 20003, "Authenticate")) }
}

fn answer(town: &SimulationState, refused: Refusal) -> Response {
    let status = StatusCode::from_u16(refused.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let body = json!({
        "code": refused.code,
        "message": refused.message,
        "more_info": format!("https://www.twilio.com/docs/errors/{}", refused.code),
        "status": refused.status,
    });
    dated(town, (status, Json(body)))
}

/// With the time of the rehearsal in the Date header: callers take it for the carrier's clock.
fn dated(town: &SimulationState, response: impl IntoResponse) -> Response {
    let date = town.now.format("%a, %d %b %Y %H:%M:%S GMT").to_string();
    ([(header::DATE, date)], response).into_response()
}

fn shown(message: &Message, account: &str) -> Value {
    let created = message.created_at.to_rfc2822();
    let sent = (message.status != Status::Queued).then_some(&created);
    let is_service = message.from.starts_with("MG");
    json!({
        "account_sid": account,
        "api_version": "2010-04-01",
        "body": message.body,
        "date_created": created,
        "date_sent": sent,
        "date_updated": created,
        "direction": "outbound-api",
        "error_code": message.status.error_code(),
        "error_message": null,
        "from": if is_service { Value::Null } else { json!(message.from) },
        "messaging_service_sid": if is_service { json!(message.from) } else { Value::Null },
        "num_media": "0",
        "num_segments": segments::segments(&message.body).to_string(),
        "price": null,
        "price_unit": "USD",
        "sid": message.sid,
        "status": message.status.word(),
        "subresource_uris": { "media": format!("/2010-04-01/Accounts/{account}/Messages/{}/Media.json", message.sid) },
        "to": message.to,
        "uri": format!("/2010-04-01/Accounts/{account}/Messages/{}.json", message.sid),
    })
}

fn is_e164(number: &str) -> bool {
    number.strip_prefix('+').is_some_and(|digits| {
        (8..=15).contains(&digits.len())
            && digits.bytes().all(|digit| digit.is_ascii_digit())
            && !digits.starts_with('0')
    })
}

/// The form of a delivery report.
pub(crate) fn report(message: &Message, account: &str, status: Status) -> Vec<(String, String)> {
    let mut fields = vec![
        ("AccountSid", account),
        ("ApiVersion", "2010-04-01"),
        ("From", &message.from),
        ("MessageSid", &message.sid),
        ("MessageStatus", status.word()),
        ("SmsSid", &message.sid),
        ("SmsStatus", status.word()),
        ("To", &message.to),
    ];
    let code = status.error_code().map(|code| code.to_string());
    if let Some(code) = &code {
        fields.push(("ErrorCode", code));
    }
    owned(&fields)
}

/// The form of a text from a patient.
pub(crate) fn inbound(
    account: &str,
    from: &str,
    to: &str,
    sid: &str,
    text: &str,
    opt_out: Option<&str>,
) -> Vec<(String, String)> {
    let segments = segments::segments(text).to_string();
    let mut fields = vec![
        ("AccountSid", account),
        ("ApiVersion", "2010-04-01"),
        ("Body", text),
        ("From", from),
        ("FromCountry", "US"),
        ("MessageSid", sid),
        ("NumMedia", "0"),
        ("NumSegments", &segments),
        ("SmsMessageSid", sid),
        ("SmsSid", sid),
        ("SmsStatus", "received"),
        ("To", to),
        ("ToCountry", "US"),
    ];
    if let Some(kind) = opt_out {
        fields.push(("OptOutType", kind));
    }
    owned(&fields)
}

fn owned(fields: &[(&str, &str)]) -> Vec<(String, String)> {
    fields.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect()
}
