//! Which code each error of the vault has. A case that wraps another error has that one's.

use handoff_engine::error_code::{Coded, ErrorCode};

use crate::master::MalformedMasterKey;
use crate::secrets::{MissingSecret, SecretError};
use crate::{KeyringError, VaultError};

impl Coded for KeyringError {
    fn code(&self) -> ErrorCode {
        match self {
            KeyringError::Io { .. } => ErrorCode::KEYRING_FILE,
            KeyringError::InUse { .. } => ErrorCode::IN_USE,
            KeyringError::Missing { .. } | KeyringError::Short { .. } => ErrorCode::KEYRING_MISSING,
            KeyringError::WrongMaster { .. } => ErrorCode::WRONG_MASTER_KEY,
            KeyringError::Foreign { .. } | KeyringError::Damaged { .. } | KeyringError::NoSlot { .. } => {
                ErrorCode::KEYRING_DAMAGED
            }
        }
    }

    fn place(&self) -> Option<String> {
        match self {
            KeyringError::Io { path, .. }
            | KeyringError::InUse { path }
            | KeyringError::Missing { path }
            | KeyringError::Short { path, .. }
            | KeyringError::Foreign { path }
            | KeyringError::WrongMaster { path } => Some(path.display().to_string()),
            KeyringError::Damaged { path, slot } | KeyringError::NoSlot { path, slot } => {
                Some(format!("{}, slot {slot}", path.display()))
            }
        }
    }
}

impl Coded for VaultError {
    fn code(&self) -> ErrorCode {
        match self {
            VaultError::Keyring(error) => error.code(),
            VaultError::UnknownToken { .. } | VaultError::NotText { .. } => ErrorCode::TOKEN_UNKNOWN,
            VaultError::Erased { .. } => ErrorCode::ERASED,
            VaultError::Damaged { .. } => ErrorCode::SEALED_DAMAGED,
            VaultError::TooLong { .. } => ErrorCode::VALUE_TOO_LONG,
        }
    }

    fn place(&self) -> Option<String> {
        match self {
            VaultError::Keyring(error) => error.place(),
            VaultError::UnknownToken { .. }
            | VaultError::NotText { .. }
            | VaultError::Erased { .. }
            | VaultError::Damaged { .. }
            | VaultError::TooLong { .. } => None,
        }
    }
}

impl Coded for MalformedMasterKey {
    fn code(&self) -> ErrorCode {
        ErrorCode::MASTER_KEY_MALFORMED
    }

    fn place(&self) -> Option<String> {
        Some("keys: master:".into())
    }
}

impl Coded for SecretError {
    fn code(&self) -> ErrorCode {
        match self {
            SecretError::File { .. } => ErrorCode::SECRET_UNREADABLE,
            SecretError::Exposed { .. } => ErrorCode::SECRET_EXPOSED,
            SecretError::Unset { .. } => ErrorCode::SECRET_UNSET,
            SecretError::NotRun { .. } | SecretError::Failed { .. } | SecretError::NoProgram => {
                ErrorCode::SECRET_COMMAND
            }
            SecretError::NotText { .. } | SecretError::Empty { .. } => ErrorCode::SECRET_EMPTY,
            SecretError::Factory { .. } => ErrorCode::SECRET_FACTORY,
        }
    }

    fn place(&self) -> Option<String> {
        match self {
            SecretError::File { path, .. } | SecretError::Exposed { path, .. } => Some(path.display().to_string()),
            SecretError::Unset { name } => Some(format!("env: {name}")),
            SecretError::NotRun { program, .. } | SecretError::Failed { program, .. } => {
                Some(format!("command: {program}"))
            }
            SecretError::NotText { origin } | SecretError::Empty { origin } | SecretError::Factory { origin } => {
                Some(origin.clone())
            }
            SecretError::NoProgram => Some("command:".into()),
        }
    }
}

impl Coded for MissingSecret {
    fn code(&self) -> ErrorCode {
        self.source.code()
    }

    fn place(&self) -> Option<String> {
        Some(format!("secrets: {}:", self.name))
    }
}
