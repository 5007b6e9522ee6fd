//! The `settings:` block.

use serde::Deserialize;

use crate::Failure;

/// As written in the workflow.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Block {
    account_sid: String,
    from: Option<String>,
    messaging_service_sid: Option<String>,
    #[serde(default = "endpoint")]
    endpoint: String,
    #[serde(default = "auth_token_secret")]
    auth_token_secret: String,
    shared_key_secret: Option<String>,
    callback_url: Option<String>,
    validity_seconds: Option<u32>,
    smart_encoded: Option<bool>,
}

pub struct Settings {
    pub account_sid: String,
    pub sender: Sender,
    /// The endpoint's name in the workflow.
    pub endpoint: String,
    /// The name of the secret with which Twilio signs callbacks.
    pub auth_token_secret: String,
    /// The name of the shared key's secret, for an account that signs by HMAC-SHA256.
    pub shared_key_secret: Option<String>,
    /// Where callbacks arrive, as Twilio knows it. Only needed for callbacks with a JSON body.
    pub callback_url: Option<String>,
    /// Twilio drops a text that is still queued after so long.
    pub validity_seconds: Option<u32>,
    /// Lets Twilio replace typographic characters that GSM-7 does not have.
    pub smart_encoded: Option<bool>,
}

pub enum Sender {
    /// Our number in E.164, or a short code.
    Number(String),
    /// Twilio picks one of the service's numbers.
    Service(String),
}

/// A message lives in Twilio's queue for 1 second to 10 hours (Messages resource, `ValidityPeriod`).
const VALIDITY_SECONDS_MAX: u32 = 36_000;

impl Settings {
    /// Refuses what it cannot use and names the key.
    pub fn read(text: &str) -> Result<Settings, Failure> {
        let block: Block = serde_json::from_str(if text.is_empty() { "{}" } else { text })
            .map_err(|error| Failure::Misconfigured(format!("settings of outreach-twilio: {error}")))?;
        if !is_sid(&block.account_sid, "AC") {
            return Err(wrong("account_sid: write the account's SID, AC and 32 hexadecimal digits"));
        }
        if block.validity_seconds.is_some_and(|seconds| !(1..=VALIDITY_SECONDS_MAX).contains(&seconds)) {
            return Err(wrong("validity_seconds: write 1 to 36000"));
        }
        Ok(Settings {
            sender: Sender::read(block.from, block.messaging_service_sid)?,
            account_sid: block.account_sid,
            endpoint: block.endpoint,
            auth_token_secret: block.auth_token_secret,
            shared_key_secret: block.shared_key_secret,
            callback_url: block.callback_url,
            validity_seconds: block.validity_seconds,
            smart_encoded: block.smart_encoded,
        })
    }

    pub fn messages_path(&self) -> String {
        format!("/2010-04-01/Accounts/{}/Messages.json", self.account_sid)
    }
}

impl Sender {
    fn read(from: Option<String>, service: Option<String>) -> Result<Sender, Failure> {
        match (from, service) {
            (Some(from), None) if from.trim().is_empty() => Err(wrong("from: write your number, such as +15550100")),
            (Some(from), None) => Ok(Sender::Number(from)),
            (None, Some(sid)) if is_sid(&sid, "MG") => Ok(Sender::Service(sid)),
            (None, Some(_)) => {
                Err(wrong("messaging_service_sid: write the service's SID, MG and 32 hexadecimal digits"))
            }
            (None, None) => Err(wrong("from: write your number, or name a messaging_service_sid instead")),
            (Some(_), Some(_)) => Err(wrong("from: leave it out where there is a messaging_service_sid")),
        }
    }
}

fn wrong(cure: &str) -> Failure {
    Failure::Misconfigured(cure.to_owned())
}

fn is_sid(text: &str, prefix: &str) -> bool {
    text.strip_prefix(prefix).is_some_and(|rest| rest.len() == 32 && rest.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

fn endpoint() -> String {
    "sms".to_owned()
}

fn auth_token_secret() -> String {
    "twilio-auth-token".to_owned()
}
