//! The accounts on disk: one file in the data folder, sealed under the instance's key, replaced whole.
//!
//! Sealed it tells a thief neither hash nor role, and nobody can write one that this instance would read.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use handoff_store::durable_file;
use handoff_vault::InstanceSeal;
use rand::CryptoRng;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::account::Account;

/// In the data folder, and in every backup.
pub const NAME: &str = "people";

const FORMAT: &str = "handoff/people@1";

const PRIVATE: u32 = 0o600;

/// What the file holds.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct AccountSet {
    format: String,
    /// The highest that an account has had.
    version: u64,
    #[serde(rename = "people")]
    pub by_name: BTreeMap<String, Account>,
}

/// Where the file lies, and what opens it.
pub struct AccountFile {
    path: PathBuf,
    key: InstanceSeal,
}

#[derive(Debug, thiserror::Error)]
pub enum AccountFileError {
    #[error("cannot read or write the accounts in {}", path.display())]
    Io { path: PathBuf, source: io::Error },
    #[error(
        "the accounts in {} are damaged, or belong to another instance of Handoff\n\
         help: restore this file from a backup of this instance; without it nobody can sign in",
        path.display()
    )]
    Sealed { path: PathBuf },
    #[error("the accounts in {} have format {found:?}; this version reads {FORMAT:?}", path.display())]
    OtherFormat { path: PathBuf, found: String },
    #[error("cannot write the accounts as JSON")]
    Json(#[from] serde_json::Error),
}

impl AccountSet {
    pub fn next_version(&mut self) -> u64 {
        self.version += 1;
        self.version
    }
}

impl Default for AccountSet {
    fn default() -> AccountSet {
        AccountSet { format: FORMAT.into(), version: 0, by_name: BTreeMap::new() }
    }
}

impl AccountFile {
    pub fn new(data: &Path, key: InstanceSeal) -> AccountFile {
        AccountFile { path: data.join(NAME), key }
    }

    /// An instance without the file has no accounts yet.
    pub fn read(&self) -> Result<AccountSet, AccountFileError> {
        let sealed = match fs::read(&self.path) {
            Ok(sealed) => sealed,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(AccountSet::default()),
            Err(source) => return Err(self.failed(source)),
        };
        let damaged = || AccountFileError::Sealed { path: self.path.clone() };
        let clear = self.key.open(&sealed).ok_or_else(damaged)?;
        let accounts: AccountSet = serde_json::from_slice(&clear).map_err(|_| damaged())?;
        match accounts.format == FORMAT {
            true => Ok(accounts),
            false => Err(AccountFileError::OtherFormat { path: self.path.clone(), found: accounts.format }),
        }
    }

    /// Returns when it is whole and durable; until then the old one is.
    pub fn write(&self, accounts: &AccountSet, dice: &mut dyn CryptoRng) -> Result<(), AccountFileError> {
        let clear = Zeroizing::new(serde_json::to_vec(accounts)?);
        let sealed = self.key.close(&clear, dice).ok_or_else(|| self.failed(io::ErrorKind::FileTooLarge.into()))?;
        durable_file::replace(&self.path, &sealed, PRIVATE).map_err(|source| self.failed(source))
    }

    fn failed(&self, source: io::Error) -> AccountFileError {
        AccountFileError::Io { path: self.path.clone(), source }
    }
}
