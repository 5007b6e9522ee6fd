//! What proves that a callback is Twilio's (twilio.com/docs/usage/webhooks/webhooks-security).

use crate::settings::Settings;
use crate::{Algorithm, Callback, Encoding, Part, SignatureCheck};

/// An empty list, which refuses the callback, where nothing could prove it.
pub fn checks(callback: &Callback, settings: &Settings) -> Vec<SignatureCheck> {
    let is_json = header(callback, "content-type").is_some_and(|kind| kind.to_ascii_lowercase().contains("json"));
    let message = if is_json { json_message(settings) } else { Some(form_message(callback)) };
    let Some(((algorithm, secret), message)) = keyed(callback, settings).zip(message) else { return Vec::new() };
    vec![SignatureCheck {
        algorithm,
        secret: secret.to_owned(),
        message,
        signature: header(callback, "x-twilio-signature").unwrap_or_default().to_owned(),
        encoding: Encoding::Base64,
        // Twilio signs no time; a callback that comes twice is told by what was signed.
        signed_at: None,
        max_age_seconds: 0,
    }]
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

/// `X-Twilio-Webhooks-Signature-Settings: key=…,algorithm=HMAC_SHA256` announces a signature by a shared key; without
/// an algorithm the auth token signs by HMAC-SHA1. None where the algorithm is not known.
fn keyed<'a>(callback: &Callback, settings: &'a Settings) -> Option<(Algorithm, &'a str)> {
    let announced = header(callback, "x-twilio-webhooks-signature-settings").unwrap_or_default();
    let named = announced.split(',').filter_map(|part| part.split_once('='));
    let mut algorithms = named.filter(|(name, value)| name.trim() == "algorithm" && !value.trim().is_empty());
    let algorithm = algorithms.next().map_or("HMAC_SHA1", |(_, value)| value.trim());
    match algorithm.to_ascii_uppercase().as_str() {
        "HMAC_SHA1" => Some((Algorithm::HmacSha1, settings.auth_token_secret.as_str())),
        "HMAC_SHA256" => {
            let secret = settings.shared_key_secret.as_ref().unwrap_or(&settings.auth_token_secret);
            Some((Algorithm::HmacSha256, secret.as_str()))
        }
        _ => None,
    }
}

fn header<'a>(callback: &'a Callback, name: &str) -> Option<&'a str> {
    callback.headers.iter().find(|header| header.name.eq_ignore_ascii_case(name)).map(|header| header.value.as_str())
}
