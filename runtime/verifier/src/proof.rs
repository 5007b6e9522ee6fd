//! Checks a pack: the signature over all of it, then each entry's own proof, then that the parts tell one story.

use std::collections::BTreeSet;

use ed25519_dalek::{Signature, VerifyingKey};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::hex;
use crate::pack::{self, About, Batch, FORMAT, FRAME_HEAD_BYTES, Line, PackFrame, PackMoment, PackPlugin};

/// A batch's signature: its frame is 140 bytes, its payload the segment, the batch's begin, the last entry's number, the
/// chain, and the signature over those (`FORMAT.md`, Signature).
const SEAL_CONTEXT: &[u8] = b"handoff journal 1 signature\0";
const SEAL_BYTES: usize = 140;
const SEAL_WORDS: std::ops::Range<usize> = 12..68;
const SEAL_SIGNATURE: std::ops::Range<usize> = 68..132;

/// A change of key: its frame is 188 bytes, its payload the segment, the old key, the new key, the chain, and the old
/// key's signature over those (`FORMAT.md`, Rotation).
const ROTATION_CONTEXT: &[u8] = b"handoff journal 1 rotation\0\0";
const ROTATION_BYTES: usize = 188;
const ROTATION_WORDS: std::ops::Range<usize> = 12..116;
const ROTATION_SIGNATURE: std::ops::Range<usize> = 116..180;

/// What a pack proves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedProof {
    pub about: About,
    pub entries: usize,
    pub batches: usize,
    /// The referral's own count of its steps, of which none between the two is missing. A pack that does not begin with
    /// the first was made after the retention period took the rest.
    pub first_step: u64,
    pub last_step: u64,
    /// When the first and the last entry were made, RFC 3339.
    pub from: String,
    pub to: String,
}

/// Where a pack is not what it says.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {what}")]
pub struct ProofFault {
    pub line: usize,
    pub what: &'static str,
}

/// Checks every byte of a pack. `trusted` is the public key that the practice has published; without it the pack is
/// checked against the key that it names itself, which whoever made it could have made for it.
///
/// # Errors
/// The first thing that does not hold.
pub fn verify(pack: &[u8], trusted: Option<&[u8; 32]>) -> Result<VerifiedProof, ProofFault> {
    let lines = pack.split_inclusive(|byte| *byte == b'\n').collect::<Vec<_>>();
    let (Some(last), count) = (lines.last(), lines.len()) else { return Err(fault(1, "the file is empty")) };
    let text = &pack[..pack.len() - last.len()];
    let Line::Signature(signature) = read(last, count)? else {
        return Err(fault(count, "the last line is not the signature; the end is missing"));
    };
    let signature = hex::array::<64>(&signature).ok_or(fault(count, "the signature is not 64 bytes in hexadecimal"))?;
    if pack::last_line(&signature).as_bytes() != *last {
        return Err(fault(count, "the signature's line is not written as it has to be"));
    }
    let Some(Line::Evidence(about)) = lines.first().map(|line| read(line, 1)).transpose()? else {
        return Err(fault(1, "the first line does not say what the pack is about"));
    };
    if about.format != FORMAT {
        return Err(fault(1, "the pack is of another format than this program reads"));
    }
    let key = hex::array::<32>(&about.key).ok_or(fault(1, "the key is not 32 bytes in hexadecimal"))?;
    if trusted.is_some_and(|trusted| *trusted != key) {
        return Err(fault(1, "the pack is signed by another key than the one given"));
    }
    let verifying = VerifyingKey::from_bytes(&key).map_err(|_| fault(1, "the key is no Ed25519 public key"))?;
    if !pack::holds(&verifying, text, &signature) {
        return Err(fault(count, "the signature does not hold: a byte before it was altered"));
    }
    let mut story = Story::about(&about, key);
    for (index, line) in lines[1..count - 1].iter().enumerate() {
        let number = index + 2;
        match read(line, number)? {
            Line::Evidence(_) | Line::Signature(_) => return Err(fault(number, "a line that may stand only once")),
            Line::Moment(moment) => story.moments.push((number, moment)),
            Line::Plugin(plugin) => drop(story.plugins.insert(plugin)),
            Line::Rotation(frame) => story.rotations.push((number, frame)),
            Line::Batch(batch) => story.batches.push((number, batch)),
        }
    }
    story.check(about)
}

fn read(line: &[u8], number: usize) -> Result<Line, ProofFault> {
    serde_json::from_slice(line).map_err(|_| fault(number, "the line is none of a pack's"))
}

fn fault(line: usize, what: &'static str) -> ProofFault {
    ProofFault { line, what }
}

/// A pack's parts, with the line that each stands in.
struct Story {
    referral: String,
    /// Keys whose signatures count: the pack's, and those that it was handed on from.
    keys: BTreeSet<[u8; 32]>,
    moments: Vec<(usize, PackMoment)>,
    plugins: BTreeSet<PackPlugin>,
    rotations: Vec<(usize, String)>,
    batches: Vec<(usize, Batch)>,
}

/// What the proven entries say of themselves.
#[derive(Default)]
struct Told {
    entries: usize,
    times: Vec<String>,
    steps: Vec<u64>,
    plugins: BTreeSet<PackPlugin>,
}

impl Story {
    fn about(about: &About, key: [u8; 32]) -> Story {
        Story {
            referral: about.referral.clone(),
            keys: BTreeSet::from([key]),
            moments: Vec::new(),
            plugins: BTreeSet::new(),
            rotations: Vec::new(),
            batches: Vec::new(),
        }
    }

    fn check(mut self, about: About) -> Result<VerifiedProof, ProofFault> {
        self.hand_on_keys()?;
        let mut told = Told::default();
        let mut last = 0;
        for (line, batch) in &self.batches {
            last = self.prove(*line, batch, last, &mut told)?;
        }
        if last > about.journal_through {
            return Err(fault(1, "an entry has a higher number than the journal had entries"));
        }
        if told.steps.windows(2).any(|pair| pair[1] != pair[0] + 1) {
            return Err(fault(1, "a step of the referral is missing between two others"));
        }
        for (line, moment) in &self.moments {
            if !told.times.contains(&moment.at) {
                return Err(fault(*line, "no entry was made at this time"));
            }
        }
        if told.plugins != self.plugins {
            return Err(fault(1, "the plugins named are not those that the entries name"));
        }
        match (told.steps.first(), told.steps.last(), told.times.first(), told.times.last()) {
            (Some(&first_step), Some(&last_step), Some(from), Some(to)) => Ok(VerifiedProof {
                entries: told.entries,
                batches: self.batches.len(),
                first_step,
                last_step,
                from: from.clone(),
                to: to.clone(),
                about,
            }),
            _ => Err(fault(1, "no entry tells of the referral")),
        }
    }

    /// From the youngest rotation back: whoever handed on to a key that counts, counts.
    fn hand_on_keys(&mut self) -> Result<(), ProofFault> {
        for (line, frame) in self.rotations.iter().rev() {
            let frame = hex::array::<ROTATION_BYTES>(frame).ok_or(fault(*line, "this is no rotation's frame"))?;
            let (old, new) = (part::<32>(&frame, 20), part::<32>(&frame, 52));
            if !self.keys.contains(&new) {
                return Err(fault(*line, "this rotation leads to a key that is not the pack's"));
            }
            if !signed(&old, ROTATION_CONTEXT, &frame[ROTATION_WORDS], &frame[ROTATION_SIGNATURE]) {
                return Err(fault(*line, "the rotation's signature does not hold"));
            }
            self.keys.insert(old);
        }
        Ok(())
    }

    /// Proves one batch and takes up what its entries tell. Gives the number of its last entry.
    fn prove(&self, line: usize, batch: &Batch, before: u64, told: &mut Told) -> Result<u64, ProofFault> {
        let key = hex::array(&batch.key).filter(|key| self.keys.contains(key));
        let key = key.ok_or(fault(line, "the batch is signed by a key that does not count"))?;
        let mut head = hex::array::<32>(&batch.head).ok_or(fault(line, "the chain's value is not in hexadecimal"))?;
        let seal = hex::array::<SEAL_BYTES>(&batch.seal).ok_or(fault(line, "this is no signature's frame"))?;
        let mut entries = Vec::new();
        for (index, frame) in batch.frames.iter().enumerate() {
            let digest: [u8; 32] = match frame {
                PackFrame::Digest(digest) => hex::array(digest).ok_or(fault(line, "a digest is not in hexadecimal"))?,
                PackFrame::Entry { head, json } => {
                    let head = hex::array::<FRAME_HEAD_BYTES>(head).ok_or(fault(line, "this is no frame's head"))?;
                    entries.push((index, json));
                    Sha256::new().chain_update(head).chain_update(json).finalize().into()
                }
            };
            head = Sha256::new().chain_update(head).chain_update(digest).finalize().into();
        }
        let number = |at: usize| u64::from_le_bytes(part(&seal, at));
        if (number(12), number(20), part::<32>(&seal, 36)) != (batch.segment, batch.begins, head) {
            return Err(fault(line, "the signature is over other entries than these"));
        }
        if !signed(&key, SEAL_CONTEXT, &seal[SEAL_WORDS], &seal[SEAL_SIGNATURE]) {
            return Err(fault(line, "the batch's signature does not hold"));
        }
        let last = number(28);
        let first = last.checked_sub(batch.frames.len() as u64).ok_or(fault(line, "there are too many entries"))? + 1;
        if first <= before {
            return Err(fault(line, "the batch does not come after the one before it"));
        }
        for (_, json) in &entries {
            let entry: Value = serde_json::from_str(json).map_err(|_| fault(line, "an entry is not JSON"))?;
            told.hear(&entry, &self.referral).ok_or(fault(line, "an entry does not tell of the referral"))?;
        }
        match entries.is_empty() {
            true => Err(fault(line, "the batch has no entry")),
            false => Ok(last),
        }
    }
}

impl Told {
    /// Nothing when the entry is about other referrals.
    fn hear(&mut self, entry: &Value, referral: &str) -> Option<()> {
        if !entry.to_string().contains(referral) {
            return None;
        }
        self.entries += 1;
        self.times.push(entry["at"].as_str()?.to_string());
        self.plugins.extend(pack::plugins_of(entry));
        for record in entry["records"].as_array()? {
            if record["record"] == "stepped" && record["referral"]["id"] == referral {
                self.steps.push(record["referral"]["version"].as_u64()?);
            }
        }
        Some(())
    }
}

/// Invariant: callers know that the bytes are there.
fn part<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    bytes.get(at..at + N).and_then(|part| part.try_into().ok()).unwrap_or([0; N])
}

fn signed(key: &[u8; 32], context: &[u8], words: &[u8], signature: &[u8]) -> bool {
    let (Ok(key), Ok(signature)) = (VerifyingKey::from_bytes(key), Signature::from_slice(signature)) else {
        return false;
    };
    key.verify_strict(&[context, words].concat(), &signature).is_ok()
}
