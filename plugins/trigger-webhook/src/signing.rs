//! What a delivery's signature has to match; the host checks it.

use crate::settings::{Settings, Signature};
use crate::types::{Algorithm, Delivery, Encoding, Part, SignatureCheck};

/// Epochs in seconds stay below this until the year 5138; epochs in milliseconds passed it in 1973.
const SECONDS_MAX: i64 = 100_000_000_000;

/// No check where the settings ask for none. Settings that cannot be read give a check that fails: an unreadable lock
/// is no open door.
pub fn checks(delivery: &Delivery, settings: &str) -> Vec<SignatureCheck> {
    match Settings::read(settings) {
        Ok(Settings { signature: Some(signature), .. }) => vec![check(delivery, &signature)],
        Ok(Settings { signature: None, .. }) => Vec::new(),
        Err(_) => vec![SignatureCheck {
            algorithm: Algorithm::HmacSha256,
            secret: String::new(),
            message: vec![Part::Body],
            signature: String::new(),
            encoding: Encoding::Hex,
            signed_at: None,
            max_age_seconds: 0,
        }],
    }
}

fn check(delivery: &Delivery, settings: &Signature) -> SignatureCheck {
    let stamp = settings.timestamp_header.as_deref().map(|name| header(delivery, name));
    let sent = header(delivery, &settings.header);
    let signed_at = stamp.and_then(signed_at);
    // A time that is asked for and missing or senseless must fail, or an old delivery could be played again without it.
    let untimed = stamp.is_some() && signed_at.is_none();
    let signature = sent.strip_prefix(settings.prefix.as_str()).filter(|_| !untimed).unwrap_or_default();
    let message = match stamp {
        Some(stamp) => vec![Part::Text(format!("{stamp}{}", settings.timestamp_separator)), Part::Body],
        None => vec![Part::Body],
    };
    SignatureCheck {
        algorithm: settings.algorithm.into(),
        secret: settings.secret.clone(),
        message,
        signature: signature.to_owned(),
        encoding: settings.encoding.into(),
        signed_at,
        max_age_seconds: stamp.map_or(0, |_| settings.max_age_seconds),
    }
}

pub fn header<'a>(delivery: &'a Delivery, name: &str) -> &'a str {
    let found = delivery.headers.iter().find(|header| header.name.eq_ignore_ascii_case(name));
    found.map(|header| header.value.trim()).unwrap_or_default()
}

/// An epoch in seconds or milliseconds, or RFC 3339.
fn signed_at(stamp: &str) -> Option<i64> {
    match stamp.parse::<i64>() {
        Ok(seconds) if (0..SECONDS_MAX).contains(&seconds) => Some(seconds * 1000),
        Ok(millis) => Some(millis).filter(|millis| *millis >= 0),
        Err(_) => moment::read_rfc3339(stamp),
    }
}
