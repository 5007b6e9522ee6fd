//! Sends one message: `POST /2010-04-01/Accounts/{AccountSid}/Messages.json`.

use serde_json::Value;

use crate::settings::{Sender, Settings};
use crate::{
    Ask, Attribute, Body, ChannelKind, Failure, HttpRequest, Letter, Method, Outcome, Receipt, Request, Response,
    codes, judge,
};

pub const STATE: &str = "send";

/// Read in clear: Twilio's name for the message and how many segments it bills.
const REVEAL: [&str; 2] = ["sid", "num_segments"];

pub fn ask(letter: &Letter, settings: &Settings) -> Result<Ask, Failure> {
    texts_only(letter)?;
    let mut fields = vec![field("To", &letter.to)];
    fields.push(match &settings.sender {
        Sender::Number(number) => field("From", number),
        Sender::Service(sid) => field("MessagingServiceSid", sid),
    });
    fields.push(field("Body", &letter.text));
    if let Some(url) = &letter.callback_url {
        fields.push(field("StatusCallback", url));
    }
    if let Some(seconds) = settings.validity_seconds {
        fields.push(field("ValidityPeriod", &seconds.to_string()));
    }
    if let Some(smart) = settings.smart_encoded {
        fields.push(field("SmartEncoded", &smart.to_string()));
    }
    Ok(Ask {
        endpoint: settings.endpoint.clone(),
        request: Request::Http(HttpRequest {
            method: Method::Post,
            path: settings.messages_path(),
            query: vec![],
            headers: vec![],
            body: Body::Form(fields),
        }),
        reveal: REVEAL.map(str::to_owned).to_vec(),
        state: STATE.to_owned(),
    })
}

/// 201 is a message in Twilio's queue; anything else carries an error code.
pub fn judge(response: Response) -> Result<Receipt, Failure> {
    let response = judge::http(response)?;
    let body: Value = serde_json::from_str(&response.body).unwrap_or(Value::Null);
    if matches!(response.status, 200 | 201) {
        let vendor_id = body["sid"].as_str().unwrap_or_default().to_owned();
        return Ok(Receipt { outcome: Outcome::Accepted, vendor_id, parts: codes::parts(&body), extras: vec![] });
    }
    let code = body["code"].as_u64().unwrap_or_default();
    match codes::meaning(code) {
        codes::Meaning::OptedOut => Err(judge::refused("opted-out", code)),
        codes::Meaning::Dead(word) => Ok(codes::undeliverable(word, String::new(), code, 0)),
        codes::Meaning::Letter(word) => Err(judge::refused(word, code)),
        codes::Meaning::MayPass => Err(judge::later(&response, code)),
        codes::Meaning::Limit => Err(judge::limited(code)),
        codes::Meaning::SetUp(cure) => Err(Failure::Misconfigured(format!("{cure} ({})", codes::title(code)))),
        codes::Meaning::Unlisted => Err(judge::by_status(&response, code)),
    }
}

pub fn texts_only(letter: &Letter) -> Result<(), Failure> {
    match letter.channel {
        ChannelKind::Sms => Ok(()),
        ChannelKind::Email | ChannelKind::Portal => Err(Failure::Misconfigured(
            "outreach-twilio carries sms only: give the workflow's email and portal to another plugin".to_owned(),
        )),
    }
}

fn field(name: &str, value: &str) -> Attribute {
    Attribute { name: name.to_owned(), value: value.to_owned() }
}
