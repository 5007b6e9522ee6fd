//! Which code each error of the listeners has. A case that wraps another error has that one's.

use handoff_engine::error_code::{Coded, ErrorCode};

use crate::listener::ListenerError;
use crate::signature::Forged;
use crate::tls::TlsError;

impl Coded for TlsError {
    fn code(&self) -> ErrorCode {
        match self {
            TlsError::Pem { .. } | TlsError::NoCertificate(_) | TlsError::Unusable { .. } => {
                ErrorCode::LISTENER_CERTIFICATE
            }
            TlsError::Key(error) => error.code(),
            TlsError::Authority { .. } | TlsError::Verifier(_) => ErrorCode::CLIENT_AUTHORITY,
            TlsError::NoNames | TlsError::NotAName(_) => ErrorCode::CLIENT_NAMES,
        }
    }

    fn place(&self) -> Option<String> {
        match self {
            TlsError::Pem { path, .. } | TlsError::NoCertificate(path) | TlsError::Authority { path, .. } => {
                Some(path.display().to_string())
            }
            TlsError::Unusable { certificate, .. } => Some(certificate.display().to_string()),
            TlsError::Key(error) => error.place(),
            TlsError::Verifier(_) => Some("tls: clients: ca:".into()),
            TlsError::NoNames | TlsError::NotAName(_) => Some("tls: clients: names:".into()),
        }
    }
}

impl Coded for ListenerError {
    fn code(&self) -> ErrorCode {
        match self {
            ListenerError::Unencrypted { .. } => ErrorCode::LISTENER_UNENCRYPTED,
            ListenerError::Tls { source, .. } => source.code(),
            ListenerError::Zero { .. } => ErrorCode::LISTENER_LIMIT,
        }
    }

    fn place(&self) -> Option<String> {
        match self {
            ListenerError::Unencrypted { name, .. } | ListenerError::Zero { name, .. } => {
                Some(format!("listener {name}"))
            }
            ListenerError::Tls { name, source } => {
                Some(source.place().map_or(format!("listener {name}"), |place| format!("listener {name}, {place}")))
            }
        }
    }
}

impl Coded for Forged {
    fn code(&self) -> ErrorCode {
        match self {
            Forged::NoSecret { .. } => ErrorCode::NO_SUCH_SECRET,
            Forged::NotAKey { .. } => ErrorCode::PUBLIC_KEY,
            Forged::Unchecked
            | Forged::Unsigned
            | Forged::Malformed
            | Forged::Undated
            | Forged::Stale { .. }
            | Forged::Mismatch { .. } => ErrorCode::SIGNATURE_REFUSED,
        }
    }

    fn place(&self) -> Option<String> {
        match self {
            Forged::NoSecret { name } | Forged::NotAKey { name } | Forged::Mismatch { name } => {
                Some(format!("secrets: {name}:"))
            }
            Forged::Unchecked | Forged::Unsigned | Forged::Malformed | Forged::Undated | Forged::Stale { .. } => None,
        }
    }
}
