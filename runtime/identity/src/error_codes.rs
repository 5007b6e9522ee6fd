//! Which code each error about people has. A case that wraps another error has that one's.

use handoff_engine::error_code::{Coded, ErrorCode};

use crate::account::AccountNameError;
use crate::account_file::AccountFileError;
use crate::accounts::AccountsError;
use crate::oidc::{OidcConfigError, OidcError};
use crate::password::PasswordError;
use crate::sign_in::SignInError;

impl Coded for AccountNameError {
    fn code(&self) -> ErrorCode {
        ErrorCode::PERSON_NAME
    }
}

impl Coded for AccountFileError {
    fn code(&self) -> ErrorCode {
        match self {
            AccountFileError::Io { .. } | AccountFileError::OtherFormat { .. } | AccountFileError::Json(_) => {
                ErrorCode::ACCOUNTS_FILE
            }
            AccountFileError::Sealed { .. } => ErrorCode::ACCOUNTS_DAMAGED,
        }
    }

    fn place(&self) -> Option<String> {
        match self {
            AccountFileError::Io { path, .. }
            | AccountFileError::Sealed { path }
            | AccountFileError::OtherFormat { path, .. } => Some(path.display().to_string()),
            AccountFileError::Json(_) => None,
        }
    }
}

impl Coded for PasswordError {
    fn code(&self) -> ErrorCode {
        match self {
            PasswordError::TooShort(_)
            | PasswordError::TooLong
            | PasswordError::HoldsTheName
            | PasswordError::Unchanged => ErrorCode::PASSWORD_UNFIT,
            PasswordError::Argon2 => ErrorCode::PASSWORD_MEMORY,
        }
    }
}

impl Coded for AccountsError {
    fn code(&self) -> ErrorCode {
        match self {
            AccountsError::File(error) => error.code(),
            AccountsError::Name(error) => error.code(),
            AccountsError::Password(error) => error.code(),
            AccountsError::NoSuchPerson => ErrorCode::NO_SUCH_PERSON,
            AccountsError::NameTaken => ErrorCode::NAME_TAKEN,
            AccountsError::NoProvider | AccountsError::NotAPhysician(_) => ErrorCode::PROVIDER_NUMBER,
            AccountsError::TooMany => ErrorCode::TOO_MANY_PEOPLE,
            AccountsError::OneFactor(_) => ErrorCode::TWO_FACTORS,
            AccountsError::Commit(error) => error.code(),
        }
    }

    fn place(&self) -> Option<String> {
        match self {
            AccountsError::File(error) => error.place(),
            AccountsError::Name(_)
            | AccountsError::Password(_)
            | AccountsError::NoSuchPerson
            | AccountsError::NameTaken
            | AccountsError::NoProvider
            | AccountsError::NotAPhysician(_)
            | AccountsError::TooMany
            | AccountsError::OneFactor(_)
            | AccountsError::Commit(_) => None,
        }
    }
}

impl Coded for SignInError {
    fn code(&self) -> ErrorCode {
        match self {
            SignInError::Refused => ErrorCode::SIGN_IN_REFUSED,
            SignInError::CodeNeeded => ErrorCode::CODE_NEEDED,
            SignInError::OneFactor => ErrorCode::TWO_FACTORS,
            SignInError::ChoiceNeeded => ErrorCode::CHOICE_NEEDED,
            SignInError::Password(error) => error.code(),
            SignInError::People(error) => error.code(),
            SignInError::Commit(error) => error.code(),
        }
    }
}

impl Coded for OidcConfigError {
    fn code(&self) -> ErrorCode {
        match self {
            OidcConfigError::NoSecret(_) => ErrorCode::NO_SUCH_SECRET,
            OidcConfigError::NoPublicUrl
            | OidcConfigError::Issuer
            | OidcConfigError::NoRoles
            | OidcConfigError::Authority { .. }
            | OidcConfigError::Tls(_) => ErrorCode::OIDC_CONFIG,
        }
    }

    fn place(&self) -> Option<String> {
        match self {
            OidcConfigError::NoSecret(_) => Some("people: oidc: secret:".into()),
            OidcConfigError::NoPublicUrl => Some("listen: api: public_url:".into()),
            OidcConfigError::Issuer => Some("people: oidc: issuer:".into()),
            OidcConfigError::NoRoles => Some("people: oidc: roles:".into()),
            OidcConfigError::Authority { path, .. } => Some(path.display().to_string()),
            OidcConfigError::Tls(_) => Some("people: oidc:".into()),
        }
    }
}

impl Coded for OidcError {
    fn code(&self) -> ErrorCode {
        match self {
            OidcError::Unreachable(_) => ErrorCode::DIRECTORY_UNREACHABLE,
            OidcError::UnknownState | OidcError::Untrusted(_) => ErrorCode::DIRECTORY_UNTRUSTED,
            OidcError::NoRole => ErrorCode::NO_ROLE,
            OidcError::NoProvider => ErrorCode::PROVIDER_NUMBER,
            OidcError::OneFactor => ErrorCode::TWO_FACTORS,
        }
    }
}
