//! What one transaction seals: tokens at once, sealed bytes and key records when it is finished.

use std::collections::BTreeMap;

use handoff_engine::ids::{PatientId, Token};
use handoff_store::entry::{Record, Sealed};

use crate::seal::ENVELOPE_BYTES;
use crate::token::{self, Hints};
use crate::{Clear, ClearBytes, Key, Lookup, Vault, VaultError, seal, text};

/// The longest value that is sealed in one: with its envelope it fits what one entry holds.
const PIECE_BYTES_MAX: usize = Sealed::BYTES_PER_ENTRY - ENVELOPE_BYTES - size_of::<u64>();

/// A transaction's sealing. Sealing itself cannot fail and touches no disk; [`Sealing::finish`] does both.
pub struct Sealing<'v> {
    vault: &'v Vault,
    lookup: &'v dyn Lookup,
    /// In token order, so that the same transaction is written the same way.
    pending: BTreeMap<Token, Pending>,
}

struct Pending {
    patient: PatientId,
    clear: ClearBytes,
}

impl<'v> Sealing<'v> {
    pub(crate) fn new(vault: &'v Vault, lookup: &'v dyn Lookup) -> Sealing<'v> {
        Sealing { vault, lookup, pending: BTreeMap::new() }
    }

    /// The token for one patient's value of a field: always the same for the same three.
    pub fn seal(&mut self, patient: &PatientId, field: &str, clear: &str) -> Token {
        self.seal_bytes(patient, field, clear.as_bytes())
    }

    /// As [`Sealing::seal`], for what need not be text: a delivery as it came in.
    pub fn seal_bytes(&mut self, patient: &PatientId, field: &str, clear: &[u8]) -> Token {
        let parts = [patient.0.as_bytes(), field.as_bytes(), clear];
        let token = token::mint(Hints::of(clear), &seal::mac(&self.vault.token_key, &parts));
        self.pending
            .entry(token.clone())
            .or_insert_with(|| Pending { patient: patient.clone(), clear: ClearBytes::new(clear.to_vec()) });
        token
    }

    /// Whose data a token stands for; `None` when it is unknown.
    pub fn patient_of(&self, token: &Token) -> Option<PatientId> {
        match self.pending.get(token) {
            Some(pending) => Some(pending.patient.clone()),
            None => self.lookup.sealed(token).map(|sealed| sealed.patient),
        }
    }

    /// Reveals what was sealed earlier or in this very transaction.
    ///
    /// # Errors
    /// When the token is unknown, its data erased or damaged, or not a text.
    pub fn reveal(&self, token: &Token) -> Result<Clear, VaultError> {
        match self.pending.get(token) {
            Some(pending) => text(token, pending.clear.clone()),
            None => self.vault.reveal(token, self.lookup),
        }
    }

    /// The records that give patients their keys, and the sealed values that the index does not yet hold.
    ///
    /// # Errors
    /// When a patient's key cannot be had from the key ring; then the transaction must not be committed.
    pub fn finish(self) -> Result<(Vec<Record>, Vec<Sealed>), VaultError> {
        let Sealing { vault, lookup, pending } = self;
        let mut keys: BTreeMap<PatientId, (u64, Key)> = BTreeMap::new();
        let mut sealed = Vec::with_capacity(pending.len());
        for (token, Pending { patient, clear }) in pending {
            let (slot, key) = match keys.get(&patient) {
                Some(known) => known.clone(),
                None => {
                    let key = vault.key_of(&patient, lookup)?;
                    keys.insert(patient.clone(), key.clone());
                    key
                }
            };
            // What lies sealed under an erased key is gone: a value learned again is sealed again.
            if lookup.sealed(&token).as_ref().and_then(parts).is_some_and(|(known, _)| known == slot) {
                continue;
            }
            let close = |token: Token, pieces: Vec<Token>, clear: &[u8]| {
                let envelope = seal::close(&key, &place(&token, &patient, &pieces), clear, &mut **vault.dice())
                    .map_err(|seal::TooLong| VaultError::TooLong { token: token.clone() })?;
                let bytes = [slot.to_le_bytes().as_slice(), &envelope].concat();
                Ok::<_, VaultError>(Sealed { token, patient: patient.clone(), bytes, pieces })
            };
            if clear.as_slice().len() <= PIECE_BYTES_MAX {
                sealed.push(close(token, Vec::new(), clear.as_slice())?);
                continue;
            }
            let mut pieces = Vec::new();
            for (number, piece) in clear.as_slice().chunks(PIECE_BYTES_MAX).enumerate() {
                let parts = [token.0.as_bytes(), &(number as u64).to_le_bytes()];
                let name = token::mint(Hints::of(piece), &seal::mac(&vault.token_key, &parts));
                sealed.push(close(name.clone(), Vec::new(), piece)?);
                pieces.push(name);
            }
            sealed.push(close(token, pieces, &[])?);
        }
        let keyed = keys.into_iter().filter(|(patient, (slot, _))| lookup.slot(patient) != Some(*slot));
        Ok((keyed.map(|(patient, (slot, _))| Record::Keyed { patient, slot }).collect(), sealed))
    }
}

impl std::fmt::Debug for Sealing<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Sealing({} values)", self.pending.len())
    }
}

/// Sealed bytes are the slot of the key, little-endian, and the envelope: a patient who was erased and came back has
/// bytes under two keys.
pub(crate) fn parts(sealed: &Sealed) -> Option<(u64, &[u8])> {
    let (slot, envelope) = sealed.bytes.split_first_chunk()?;
    Some((u64::from_le_bytes(*slot), envelope))
}

/// Ties sealed bytes to their token and patient, and to their pieces where they have some. A token's length is fixed, and a
/// patient's name is no token, so none of them runs into another.
pub(crate) fn place(token: &Token, patient: &PatientId, pieces: &[Token]) -> Vec<u8> {
    let pieces = pieces.iter().flat_map(|piece| piece.0.bytes());
    token.0.bytes().chain(patient.0.bytes()).chain(pieces).collect()
}
