//! What proves that a callback is Twilio's (twilio.com/docs/usage/webhooks/webhooks-security).

use crate::settings::Settings;
use crate::{Algorithm, Callback, Encoding, Part, SignatureCheck};

/// An empty list, which refuses the callback, where nothing could prove it.
pub fn checks(callback: &Callback, settings: &Settings) -> Vec<SignatureCheck> {
    let is_json = header(callback, "content-type").is_some_and(|kind| kind.to_ascii_lowercase().contains("json"));
    let message = if is_json { json_message(settings) } else { Some(form_message(callback)) };
    message.map_or(Vec::new(), |message| {
        vec![SignatureCheck {
            algorithm: algorithm(callback),
            secret: settings.auth_token_secret.clone(),
            message,
            signature: header(callback, "x-twilio-signature").unwrap_or_default().to_owned(),
            encoding: Encoding::Base64,
            // Twilio signs no time; a callback that comes twice is told by its message id and status.
            signed_at: None,
            max_age_seconds: 0,
        }]
    })
}

/// The URL, then each parameter's name and value without separators, sorted by name byte for byte.
fn form_message(callback: &Callback) -> Vec<Part> {
    let mut names: Vec<&str> = callback.fields.iter().map(|field| field.name.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    let pairs = names.iter().flat_map(|name| [Part::Text((*name).to_owned()), Part::Field((*name).to_owned())]);
    [Part::Url].into_iter().chain(pairs).collect()
}

/// For a JSON body only the URL is signed; its last parameter `bodySHA256` ties it to the body. Spelling the URL out
/// with the body's own digest checks both at once, which takes knowing the URL.
fn json_message(settings: &Settings) -> Option<Vec<Part>> {
    let url = settings.callback_url.as_deref()?;
    let joint = if url.contains('?') { '&' } else { '?' };
    Some(vec![Part::Text(format!("{url}{joint}bodySHA256=")), Part::BodySha256])
}

/// `X-Twilio-Webhooks-Signature-Settings` announces the newer algorithm; without it the older holds. The auth token
/// keys both, so a sender who picks one gains nothing.
fn algorithm(callback: &Callback) -> Algorithm {
    let newer = header(callback, "x-twilio-webhooks-signature-settings")
        .is_some_and(|settings| settings.to_ascii_uppercase().contains("HMAC_SHA256"));
    if newer { Algorithm::HmacSha256 } else { Algorithm::HmacSha1 }
}

fn header<'a>(callback: &'a Callback, name: &str) -> Option<&'a str> {
    callback.headers.iter().find(|header| header.name.eq_ignore_ascii_case(name)).map(|header| header.value.as_str())
}
