//! An evidence pack: a text file, one JSON object a line, the last of which signs all bytes before it.
//!
//! ```text
//! {"evidence":{"format":"handoff/evidence@1","referral":"01J…","made_at":"…","journal_through":912,"key":"5f…"}}
//! {"moment":{"at":"…","what":"ordered"}}            the timeline, for people
//! {"plugin":{"stage":"outreach.sms","digest":"…"}}  what decided, and asked
//! {"rotation":"…"}                                  a change of the journal's key, as its frame
//! {"batch":{…}}                                     entries, and the signature that holds for them
//! {"signature":"…"}
//! ```

use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::hex;

pub const FORMAT: &str = "handoff/evidence@1";

/// Tells a pack's signature from every other that the same key makes.
const CONTEXT: &[u8] = b"handoff evidence 1\0";

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Line {
    Evidence(About),
    Moment(PackMoment),
    Plugin(PackPlugin),
    /// The whole frame in hexadecimal.
    Rotation(String),
    Batch(Batch),
    /// Ed25519 over `handoff evidence 1\0` and the SHA-256 of every byte before this line.
    Signature(String),
}

/// What the pack is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct About {
    pub format: String,
    pub referral: String,
    /// RFC 3339.
    pub made_at: String,
    /// The last entry that the journal had then.
    pub journal_through: u64,
    /// The public key that signs now, in hexadecimal.
    pub key: String,
}

/// One line of the timeline; its time is its entry's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PackMoment {
    pub at: String,
    pub what: String,
}

/// A plugin by the SHA-256 of its component.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PackPlugin {
    pub stage: String,
    pub digest: String,
}

/// One signed batch of the journal; everything binary is in hexadecimal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Batch {
    pub segment: u64,
    /// Offset in the segment at which the batch begins, in bytes.
    pub begins: u64,
    /// The chain before it.
    pub head: String,
    /// The public key that signed it.
    pub key: String,
    pub frames: Vec<PackFrame>,
    /// The signature's whole frame.
    pub seal: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum PackFrame {
    /// SHA-256 of a frame that is about other referrals.
    Digest(String),
    /// A frame in two parts: its head in hexadecimal, and the entry as it stands.
    Entry { head: String, json: String },
}

/// Writes lines and signs them.
///
/// # Errors
/// When a line cannot be written as JSON.
pub fn write(lines: &[Line], key: &SigningKey) -> Result<String, serde_json::Error> {
    let mut text = String::new();
    for line in lines {
        text += &serde_json::to_string(line)?;
        text.push('\n');
    }
    let signature = key.sign(&signed(text.as_bytes())).to_bytes();
    Ok(text + &last_line(&signature))
}

/// The signature's line, the one way in which it may be written.
pub(crate) fn last_line(signature: &[u8; 64]) -> String {
    format!("{{\"signature\":\"{}\"}}\n", hex::write(signature))
}

pub(crate) fn holds(key: &VerifyingKey, text: &[u8], signature: &[u8; 64]) -> bool {
    key.verify_strict(&signed(text), &Signature::from_bytes(signature)).is_ok()
}

fn signed(text: &[u8]) -> Vec<u8> {
    [CONTEXT, &Sha256::digest(text)].concat()
}

impl PackFrame {
    /// From a frame's bytes; `None` when it is no entry in JSON.
    pub fn entry(frame: &[u8]) -> Option<PackFrame> {
        let (head, json) = frame.split_at_checked(FRAME_HEAD_BYTES)?;
        Some(PackFrame::Entry { head: hex::write(head), json: std::str::from_utf8(json).ok()?.to_string() })
    }

    pub fn digest(digest: &[u8; 32]) -> PackFrame {
        PackFrame::Digest(hex::write(digest))
    }
}

/// The plugins that an entry says have decided or asked.
pub fn plugins_of(entry: &Value) -> Vec<PackPlugin> {
    let records = entry["records"].as_array().map(Vec::as_slice).unwrap_or_default();
    let called = records.iter().filter(|record| record["record"] == "decided" || record["record"] == "asked");
    let text = |value: &Value| value.as_str().unwrap_or_default().to_string();
    called.map(|record| PackPlugin { stage: text(&record["stage"]), digest: text(&record["plugin"]) }).collect()
}

/// Bytes in hexadecimal, as the pack has them.
pub fn hexadecimal(bytes: &[u8]) -> String {
    hex::write(bytes)
}

/// Length, checksum, kind and zeros (`FORMAT.md`, Frame).
pub(crate) const FRAME_HEAD_BYTES: usize = 12;
