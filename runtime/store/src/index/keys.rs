//! Row keys. One tree holds all; the first byte says what a row is, and a text is preceded by its length.

use handoff_engine::ids::{Digest, LetterId, PatientId, ReferralId, Token};
use handoff_engine::referral::Channel;

use crate::entry::PauseCause;
use crate::index::rows::RowKey;

pub const IN_FLIGHT: u8 = b'r';
pub const ENDED: u8 = b'z';
pub const BY_STATE: u8 = b's';
pub const BY_DEPLOYMENT: u8 = b'd';
pub const BY_SPECIALIST: u8 = b'p';
pub const OPEN_TASKS: u8 = b'a';
pub const HISTORY: u8 = b'h';
pub const NAME: u8 = b'n';
pub const TOKEN: u8 = b'w';
pub const VENDOR_ID: u8 = b'v';
pub const REPORTED: u8 = b'u';
pub const DELIVERY: u8 = b'k';
pub const SEALED: u8 = b't';
pub const KEY_SLOT: u8 = b'y';
pub const CONSENT: u8 = b'c';
pub const DEPLOYMENT: u8 = b'e';
pub const OUTBOX: u8 = b'o';
pub const DEAD: u8 = b'x';
pub const UNMATCHED: u8 = b'f';
pub const WAITING: u8 = b'g';
pub const HOLD: u8 = b'l';
pub const PAUSE: u8 = b'q';
pub const BLOCK: u8 = b'b';
pub const META: u8 = b'm';

/// Rows that the projection reads back. A crash must not leave them newer than the rows derived from them.
pub fn is_read_back(key: &[u8]) -> bool {
    matches!(key.first(), Some(&(IN_FLIGHT | ENDED | HISTORY | OUTBOX)))
}

fn key(prefix: u8, parts: &[&[u8]]) -> RowKey {
    let mut key = Vec::with_capacity(1 + parts.iter().map(|part| part.len()).sum::<usize>());
    key.push(prefix);
    parts.iter().for_each(|part| key.extend_from_slice(part));
    key.into_boxed_slice()
}

fn text_key(prefix: u8, text: &str, rest: &[u8]) -> RowKey {
    // Invariant: a text is shorter than an entry, and that is shorter than 4 GiB.
    let length = u32::try_from(text.len()).unwrap_or(u32::MAX).to_be_bytes();
    key(prefix, &[&length, text.as_bytes(), rest])
}

fn id(referral: &ReferralId) -> [u8; 16] {
    referral.0.0.to_be_bytes()
}

/// The referral whose id ends the key.
pub fn referral_at_end(key: &[u8]) -> Option<ReferralId> {
    let bytes = key.get(key.len().checked_sub(16)?..)?;
    Some(ReferralId(ulid::Ulid(u128::from_be_bytes(bytes.try_into().ok()?))))
}

pub fn letter_at_end(key: &[u8]) -> Option<LetterId> {
    let (front, number) = key.split_last_chunk::<4>()?;
    Some(LetterId { referral: referral_at_end(front)?, number: u32::from_be_bytes(*number) })
}

/// The position or block number that ends the key.
pub fn number_at_end(key: &[u8]) -> Option<u64> {
    Some(u64::from_be_bytes(*key.last_chunk::<8>()?))
}

pub fn in_flight(referral: &ReferralId) -> RowKey {
    key(IN_FLIGHT, &[&id(referral)])
}

pub fn ended(referral: &ReferralId) -> RowKey {
    key(ENDED, &[&id(referral)])
}

pub fn states(state: &str) -> RowKey {
    text_key(BY_STATE, state, &[])
}

pub fn by_state(state: &str, referral: &ReferralId) -> RowKey {
    text_key(BY_STATE, state, &id(referral))
}

pub fn by_deployments(deployment: &Digest) -> RowKey {
    key(BY_DEPLOYMENT, &[&deployment.0])
}

pub fn by_deployment(deployment: &Digest, referral: &ReferralId) -> RowKey {
    key(BY_DEPLOYMENT, &[&deployment.0, &id(referral)])
}

pub fn by_specialists(specialist: &str) -> RowKey {
    text_key(BY_SPECIALIST, specialist, &[])
}

pub fn by_specialist(specialist: &str, referral: &ReferralId) -> RowKey {
    text_key(BY_SPECIALIST, specialist, &id(referral))
}

/// What a referral has asked of people stands in its row.
pub fn open_tasks(referral: &ReferralId) -> RowKey {
    key(OPEN_TASKS, &[&id(referral)])
}

pub fn history(referral: &ReferralId) -> RowKey {
    key(HISTORY, &[&id(referral)])
}

pub fn names(name: &str) -> RowKey {
    text_key(NAME, name, &[])
}

pub fn name(name: &str, referral: &ReferralId) -> RowKey {
    text_key(NAME, name, &id(referral))
}

/// Spoken of where it is not sealed.
pub fn tokens(token: &Token) -> RowKey {
    text_key(TOKEN, &token.0, &[])
}

pub fn token(token: &Token, referral: &ReferralId) -> RowKey {
    text_key(TOKEN, &token.0, &id(referral))
}

pub fn vendor_id(vendor_id: &str) -> RowKey {
    text_key(VENDOR_ID, vendor_id, &[])
}

pub fn reported(vendor_id: &str) -> RowKey {
    text_key(REPORTED, vendor_id, &[])
}

pub fn delivery(dedupe_key: &str) -> RowKey {
    text_key(DELIVERY, dedupe_key, &[])
}

pub fn all_sealed(token: &Token) -> RowKey {
    text_key(SEALED, &token.0, &[])
}

/// Sealed in an entry that touches this referral; where it touches none, under none.
pub fn sealed(token: &Token, referral: Option<&ReferralId>) -> RowKey {
    text_key(SEALED, &token.0, &referral.map(id).unwrap_or_default())
}

pub fn key_slot(patient: &PatientId) -> RowKey {
    text_key(KEY_SLOT, &patient.0, &[])
}

pub fn consents(address: &str) -> RowKey {
    text_key(CONSENT, address, &[])
}

pub fn consent(address: &str, channel: Channel) -> RowKey {
    text_key(CONSENT, address, channel.as_str().as_bytes())
}

pub fn deployment(deployment: &Digest) -> RowKey {
    key(DEPLOYMENT, &[&deployment.0])
}

pub fn outbox_of(referral: &ReferralId) -> RowKey {
    key(OUTBOX, &[&id(referral)])
}

pub fn outbox(letter: &LetterId) -> RowKey {
    key(OUTBOX, &[&id(&letter.referral), &letter.number.to_be_bytes()])
}

pub fn dead(item: &str) -> RowKey {
    key(DEAD, &[item.as_bytes()])
}

pub fn unmatched(item: &str) -> RowKey {
    key(UNMATCHED, &[item.as_bytes()])
}

/// Of what waits for a referral of this name.
pub fn waiting_for(name: &str) -> RowKey {
    text_key(WAITING, name, &[])
}

pub fn waiting(name: &str, item: &str) -> RowKey {
    text_key(WAITING, name, item.as_bytes())
}

pub fn hold(referral: &ReferralId) -> RowKey {
    key(HOLD, &[&id(referral)])
}

pub fn pause(cause: PauseCause) -> RowKey {
    key(PAUSE, &[cause.to_string().as_bytes()])
}

pub fn block(number: u64) -> RowKey {
    key(BLOCK, &[&number.to_be_bytes()])
}

/// How far the index got, and of which journal.
pub fn meta() -> RowKey {
    key(META, &[])
}
