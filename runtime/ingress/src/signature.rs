//! Checks that a delivery is from whom it says. The plugin says what to check; the secret and the clear bytes are here.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use ed25519_dalek::{Signature, VerifyingKey};
use handoff_engine::ids::Digest;
use handoff_host::contract::signature::{Algorithm, Encoding, Part, SignatureCheck};
use handoff_vault::secrets::Secrets;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha1::Sha1;
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use crate::callback_fields::Fields;
use crate::delivery::SenderProof;

/// What was signed, as it came in.
#[derive(Clone, Copy, Debug)]
pub struct Signed<'a> {
    pub url: &'a str,
    pub body: &'a [u8],
    pub fields: &'a Fields,
}

/// What its signatures vouch for, less the time of signing. The same words signed again an hour later are the same
/// delivery; and one signature does not vouch for two, however its fields were reordered, encoded anew, or cut at other
/// places than where the sender cut them (Twilio joins names and values without a separator).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Vouched(pub Digest);

/// Why a delivery is not believed. Names the check, never what was signed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Forged {
    #[error("nothing was named by which this delivery could be checked")]
    Unchecked,
    #[error(
        "there is no secret {name}\nhelp: add to the configuration:\n  secrets:\n    {name}:\n      file: keys/{name}"
    )]
    NoSecret { name: String },
    #[error(
        "the secret {name} is not an Ed25519 public key\nhelp: 32 bytes in base64 or hexadecimal, as the vendor shows it"
    )]
    NotAKey { name: String },
    #[error("the delivery is not signed")]
    Unsigned,
    #[error("the signature is not written as its vendor writes it")]
    Malformed,
    #[error("the delivery does not say when it was signed")]
    Undated,
    #[error("the signature is {off_seconds} s away from our clock; {allowed_seconds} s are allowed")]
    Stale { off_seconds: u64, allowed_seconds: u32 },
    #[error(
        "the signature does not match the secret {name}\nhelp: does the secret, or the public URL, differ from what the vendor has?"
    )]
    Mismatch { name: String },
}

/// Believes a delivery only if every check holds.
///
/// # Errors
/// The first check that does not hold, and why.
pub fn verify(
    checks: &[SignatureCheck],
    signed: Signed<'_>,
    secrets: &Secrets,
    now: DateTime<Utc>,
    sender: SenderProof,
) -> Result<Vouched, Forged> {
    match sender {
        SenderProof::SignatureOnly if checks.is_empty() => return Err(Forged::Unchecked),
        SenderProof::SignatureOnly | SenderProof::Connection | SenderProof::Earlier => {}
    }
    let mut words = Zeroizing::new(Vec::new());
    for check in checks {
        hold(check, signed, secrets, now)?;
        let came = check.message.iter().filter(|part| !matches!(part, Part::Text(_)));
        words.extend_from_slice(&match (check.signed_at, came.clone().next()) {
            // The time of signing is among the plugin's own texts.
            (Some(_), Some(_)) => message(came, signed),
            (Some(_), None) | (None, _) => message(check.message.iter(), signed),
        });
    }
    Ok(Vouched(Digest::of(&words)))
}

fn hold(check: &SignatureCheck, signed: Signed<'_>, secrets: &Secrets, now: DateTime<Utc>) -> Result<(), Forged> {
    let name = &check.secret;
    let secret = secrets.get(name).ok_or_else(|| Forged::NoSecret { name: name.clone() })?;
    in_time(check, now)?;
    if check.signature.is_empty() {
        return Err(Forged::Unsigned);
    }
    let signature = decode(&check.signature, check.encoding).ok_or(Forged::Malformed)?;
    let message = message(check.message.iter(), signed);
    let mismatch = || Forged::Mismatch { name: name.clone() };
    // `verify_slice` compares in constant time; HMAC takes keys of any length.
    match check.algorithm {
        Algorithm::HmacSha1 => {
            let mac = Hmac::<Sha1>::new_from_slice(secret.as_str().as_bytes()).map_err(|_| mismatch())?;
            mac.chain_update(&*message).verify_slice(&signature).map_err(|_| mismatch())
        }
        Algorithm::HmacSha256 => {
            let mac = Hmac::<Sha256>::new_from_slice(secret.as_str().as_bytes()).map_err(|_| mismatch())?;
            mac.chain_update(&*message).verify_slice(&signature).map_err(|_| mismatch())
        }
        Algorithm::Ed25519 => {
            let key = public_key(secret.as_str()).ok_or_else(|| Forged::NotAKey { name: name.clone() })?;
            let signature = Signature::from_slice(&signature).map_err(|_| Forged::Malformed)?;
            key.verify_strict(&message, &signature).map_err(|_| mismatch())
        }
    }
}

fn in_time(check: &SignatureCheck, now: DateTime<Utc>) -> Result<(), Forged> {
    let Some(signed_at) = check.signed_at else {
        return match check.max_age_seconds {
            0 => Ok(()),
            _ => Err(Forged::Undated),
        };
    };
    let off_seconds = now.timestamp_millis().abs_diff(signed_at).div_ceil(1000);
    match off_seconds > u64::from(check.max_age_seconds) {
        true => Err(Forged::Stale { off_seconds, allowed_seconds: check.max_age_seconds }),
        false => Ok(()),
    }
}

fn message<'p>(parts: impl Iterator<Item = &'p Part>, signed: Signed<'_>) -> Zeroizing<Vec<u8>> {
    let mut message = Zeroizing::new(Vec::new());
    for part in parts {
        match part {
            Part::Text(text) => message.extend_from_slice(text.as_bytes()),
            Part::Url => message.extend_from_slice(signed.url.as_bytes()),
            Part::Body => message.extend_from_slice(signed.body),
            Part::BodySha256 => {
                message.extend_from_slice(hex::encode(Sha256::digest(signed.body)).as_bytes());
            }
            Part::Field(name) => {
                signed.fields.values(name).for_each(|value| message.extend_from_slice(value.as_bytes()));
            }
        }
    }
    message
}

fn decode(text: &str, encoding: Encoding) -> Option<Vec<u8>> {
    match encoding {
        Encoding::Base64 => STANDARD.decode(text).ok(),
        Encoding::Hex => hex::decode(text).ok(),
    }
}

fn public_key(text: &str) -> Option<VerifyingKey> {
    let bytes = hex::decode(text).ok().filter(|bytes| bytes.len() == 32).or_else(|| STANDARD.decode(text).ok())?;
    VerifyingKey::from_bytes(bytes.as_slice().try_into().ok()?).ok()
}

#[cfg(test)]
mod tests;
