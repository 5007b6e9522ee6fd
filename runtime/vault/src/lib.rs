//! Keeps patient data: seals it under its patient's own key, hands out tokens in its place, and forgets on demand.
//!
//! Architecture Invariant: the journal and the index hold sealed bytes and tokens only; keys lie in the key ring alone.
//! Erase a patient's slot there, and every copy of the journal has forgotten the patient.
//!
//! A value crosses twice: [`tokenise`] takes it out of what came in, [`substitute`] puts it where its token stands in what
//! goes out.

#![forbid(unsafe_code)]

use std::collections::{HashMap, VecDeque};
use std::io::ErrorKind;
use std::path::Path;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use handoff_engine::ids::{BlindedName, PatientId, Token};
use handoff_store::Store;
use handoff_store::entry::Sealed;
use handoff_store::journal::{Disk, RealDisk};
use parking_lot::{Mutex, MutexGuard};
use rand::CryptoRng;
use rand::rngs::StdRng;
use zeroize::Zeroizing;

mod clear;
pub mod crypto_provider;
mod error_codes;
mod instance_seal;
mod keyring;
pub mod master;
mod memory;
mod seal;
mod sealing;
pub mod secrets;
pub mod substitute;
pub mod token;
pub mod tokenise;

pub use clear::{Clear, ClearBytes};
pub use instance_seal::InstanceSeal;
pub use keyring::{EXTENT_SLOTS, FILE as KEYRING_FILE, KeyringError};
pub use master::MasterKey;
pub use memory::MemoryLookup;
pub use sealing::Sealing;

use clear::Key;
use keyring::Keyring;

/// Assignments of slots remembered until the index knows them. One that is older than this many others was committed or
/// abandoned long ago; the memory they take is about 8 MiB.
const RECENT_MAX: usize = 65_536;

/// Free slots below which `provision` makes more: a busy practice's new patients of a quarter of a year.
const FREE_SLOTS_MIN: u64 = EXTENT_SLOTS / 2;

/// Where randomness comes from; seeded in a simulation.
pub type SecureRandom = Box<dyn CryptoRng + Send>;

/// The data directory, for this process alone.
///
/// # Errors
/// When another process has it, or it cannot be used.
pub fn private_disk(dir: &Path) -> Result<RealDisk, VaultError> {
    RealDisk::private(dir).map_err(|source| {
        let path = dir.to_path_buf();
        let in_use = source.kind() == ErrorKind::WouldBlock;
        if in_use { KeyringError::InUse { path } } else { KeyringError::Io { path, source } }.into()
    })
}

/// Dice seeded by the operating system.
pub fn system_dice() -> SecureRandom {
    Box::new(rand::make_rng::<StdRng>())
}

/// What the index knows of sealed data.
pub trait Lookup: Send + Sync {
    fn sealed(&self, token: &Token) -> Option<Sealed>;
    /// The slot that the patient's latest `Keyed` record names.
    fn slot(&self, patient: &PatientId) -> Option<u64>;
}

/// What was sealed is found through the index.
impl Lookup for Store {
    fn sealed(&self, token: &Token) -> Option<Sealed> {
        let found = self.index().sealed(token);
        found.inspect_err(|error| tracing::error!(%error, "a token cannot be looked up")).ok()?
    }

    fn slot(&self, patient: &PatientId) -> Option<u64> {
        let found = self.index().key_slot(patient);
        found.inspect_err(|error| tracing::error!(%error, "a key cannot be looked up")).ok()?
    }
}

pub struct Vault {
    keyring: Keyring,
    /// Derived from the house key, one per purpose.
    token_key: Key,
    patient_key: Key,
    name_key: Key,
    people_key: Key,
    backup_key: Key,
    dice: Mutex<SecureRandom>,
    slots: Mutex<Slots>,
}

/// Who takes which slot.
struct Slots {
    next: u64,
    recent: HashMap<PatientId, u64>,
    /// Oldest first.
    order: VecDeque<PatientId>,
}

#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    #[error(transparent)]
    Keyring(#[from] KeyringError),
    #[error("{token} stands for nothing that this instance has sealed")]
    UnknownToken { token: Token },
    #[error("the data behind {token} has been erased")]
    Erased { token: Token },
    #[error("the sealed bytes of {token} are damaged\nhelp: run `handoff journal verify`")]
    Damaged { token: Token },
    #[error("{token} stands for bytes, not for a text")]
    NotText { token: Token },
    #[error("the value for {token} is too long to be sealed")]
    TooLong { token: Token },
}

impl Vault {
    /// Opens the vault in the data directory `dir`. `slots_taken` is one more than the highest slot in the journal.
    ///
    /// # Errors
    /// When the key ring is missing though patients have keys, older than the journal, in use, or not opened by
    /// `master`.
    pub fn open(dir: &Path, master: MasterKey, dice: SecureRandom, slots_taken: u64) -> Result<Vault, VaultError> {
        Vault::on(Arc::new(private_disk(dir)?), dir, master, dice, slots_taken)
    }

    /// As [`Vault::open`], on a disk that stands for `dir` and that no other process uses.
    ///
    /// # Errors
    /// As those of [`Vault::open`].
    pub fn on(
        disk: Arc<dyn Disk>,
        dir: &Path,
        master: MasterKey,
        mut dice: SecureRandom,
        slots_taken: u64,
    ) -> Result<Vault, VaultError> {
        let keyring = Keyring::open(disk, dir, master, slots_taken, &mut *dice)?;
        let house = keyring.house_key()?;
        let derived = |purpose: &str| Key::new(seal::mac(&house, &[purpose.as_bytes()]));
        let vault = Vault {
            token_key: derived("token"),
            patient_key: derived("patient"),
            name_key: derived("name"),
            people_key: derived("people"),
            backup_key: derived("backup"),
            keyring,
            dice: Mutex::new(dice),
            slots: Mutex::new(Slots { next: slots_taken, recent: HashMap::new(), order: VecDeque::new() }),
        };
        vault.provision()?;
        Ok(vault)
    }

    /// Collects what one transaction seals.
    pub fn sealing<'v>(&'v self, lookup: &'v dyn Lookup) -> Sealing<'v> {
        Sealing::new(self, lookup)
    }

    /// A patient's name in this house: the same for the same number from the same authority.
    pub fn patient_id(&self, authority: &str, identifier: &str) -> PatientId {
        let mac = seal::mac(&self.patient_key, &[authority.as_bytes(), identifier.as_bytes()]);
        PatientId(format!("P{}", token::opaque(&mac)))
    }

    /// Whom a delivery that names no patient is sealed under: one reserved name a month, so that it can be erased too.
    pub fn intake(&self, received_at: DateTime<Utc>) -> PatientId {
        PatientId(received_at.format("intake-%Y-%m").to_string())
    }

    /// A name for the index that says nothing: `number:4F…`. The same value of the same kind has the same name.
    pub fn blind(&self, kind: &str, value: &str) -> BlindedName {
        let mac = seal::mac(&self.name_key, &[kind.as_bytes(), value.as_bytes()]);
        BlindedName::new(format!("{kind}:{}", token::opaque(&mac)))
    }

    /// For the accounts of those who work here.
    pub fn people_seal(&self) -> InstanceSeal {
        InstanceSeal { key: self.people_key.clone(), place: b"handoff people" }
    }

    /// For what a backup holds that whoever finds it must not have.
    pub fn backup_seal(&self) -> InstanceSeal {
        InstanceSeal { key: self.backup_key.clone(), place: b"handoff backup" }
    }

    /// # Errors
    /// When the token is unknown, its data erased or damaged, or not a text.
    pub fn reveal(&self, token: &Token, lookup: &dyn Lookup) -> Result<Clear, VaultError> {
        text(token, self.reveal_bytes(token, lookup)?)
    }

    /// # Errors
    /// When the token is unknown or its data erased or damaged.
    pub fn reveal_bytes(&self, token: &Token, lookup: &dyn Lookup) -> Result<ClearBytes, VaultError> {
        let sealed = lookup.sealed(token).ok_or_else(|| VaultError::UnknownToken { token: token.clone() })?;
        let whole = self.unseal(&sealed)?;
        if sealed.pieces.is_empty() {
            return Ok(ClearBytes::from(whole));
        }
        // Room for all of it at once: a buffer that grows leaves what it held behind, in clear.
        let mut clear = Zeroizing::new(Vec::with_capacity(sealed.pieces.len() * Sealed::BYTES_PER_ENTRY));
        for piece in &sealed.pieces {
            let piece = lookup.sealed(piece).ok_or_else(|| VaultError::UnknownToken { token: piece.clone() })?;
            clear.extend_from_slice(&self.unseal(&piece)?);
        }
        Ok(ClearBytes::from(clear))
    }

    /// Makes slots ahead of need. Called from time to time, off the hot path.
    ///
    /// # Errors
    /// When the key ring cannot be written.
    pub fn provision(&self) -> Result<(), VaultError> {
        while self.keyring.slots().saturating_sub(self.slots().next) < FREE_SLOTS_MIN {
            self.keyring.extend(&mut **self.dice())?;
        }
        Ok(())
    }

    /// Forgets a patient: overwrites the patient's key and returns when that is on disk. What is sealed for the patient
    /// later gets a new key. The journal should note who asked for it and why.
    ///
    /// # Errors
    /// When the key ring cannot be written; then nothing may be taken as forgotten.
    pub fn erase(&self, patient: &PatientId, lookup: &dyn Lookup) -> Result<(), VaultError> {
        let mut slots = self.slots();
        let recent = slots.recent.get(patient).copied();
        for slot in lookup.slot(patient).into_iter().chain(recent) {
            self.keyring.erase(slot)?;
        }
        slots.recent.remove(patient);
        Ok(())
    }

    /// Wraps every key under another master key, atomically.
    ///
    /// # Errors
    /// When the key ring cannot be read or written; the old master key then stays in force.
    pub fn rotate(&self, master: MasterKey) -> Result<(), VaultError> {
        Ok(self.keyring.rotate(master, &mut **self.dice())?)
    }

    /// Copies the key ring, still wrapped, to another directory. No rotation comes in between.
    ///
    /// # Errors
    /// When it cannot be read, or the copy cannot be written.
    pub fn copy_keyring(&self, to: &Path) -> Result<(), VaultError> {
        Ok(self.keyring.copy(&private_disk(to)?, to)?)
    }

    fn unseal(&self, sealed: &Sealed) -> Result<Zeroizing<Vec<u8>>, VaultError> {
        let token = &sealed.token;
        let damaged = || VaultError::Damaged { token: token.clone() };
        let (slot, envelope) = sealing::parts(sealed).ok_or_else(damaged)?;
        let key = self.keyring.key(slot)?.ok_or_else(|| VaultError::Erased { token: token.clone() })?;
        seal::open(&key, &sealing::place(token, &sealed.patient, &sealed.pieces), envelope).map_err(|_| damaged())
    }

    /// The patient's slot and key: as the index knows it, as lately assigned, or the next free one.
    fn key_of(&self, patient: &PatientId, lookup: &dyn Lookup) -> Result<(u64, Key), VaultError> {
        let mut slots = self.slots();
        let known = lookup.slot(patient).into_iter().chain(slots.recent.get(patient).copied());
        for slot in known {
            if let Some(key) = self.keyring.key(slot)? {
                return Ok((slot, key));
            }
        }
        loop {
            let slot = slots.next;
            if slot >= self.keyring.slots() {
                self.keyring.extend(&mut **self.dice())?;
            }
            slots.next += 1;
            // A crash while extending can leave a slot that was never whole and never given out: pass it over.
            if let Ok(Some(key)) = self.keyring.key(slot) {
                slots.remember(patient.clone(), slot);
                return Ok((slot, key));
            }
        }
    }

    fn dice(&self) -> MutexGuard<'_, SecureRandom> {
        self.dice.lock()
    }

    fn slots(&self) -> MutexGuard<'_, Slots> {
        self.slots.lock()
    }
}

impl std::fmt::Debug for Vault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Vault(…)")
    }
}

impl Slots {
    fn remember(&mut self, patient: PatientId, slot: u64) {
        self.recent.insert(patient.clone(), slot);
        self.order.push_back(patient);
        if self.order.len() > RECENT_MAX
            && let Some(oldest) = self.order.pop_front()
        {
            self.recent.remove(&oldest);
        }
    }
}

fn text(token: &Token, bytes: ClearBytes) -> Result<Clear, VaultError> {
    match std::str::from_utf8(bytes.as_slice()) {
        Ok(text) => Ok(Clear::new(text.to_string())),
        Err(_) => Err(VaultError::NotText { token: token.clone() }),
    }
}

#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
