//! Which code each error of the way out has. A case that wraps another error has that one's.

use handoff_engine::error_code::{Coded, ErrorCode};

use crate::denial::Denial;
use crate::egress::EgressError;
use crate::endpoint::EndpointError;
use crate::tls::TrustError;

impl Coded for EndpointError {
    fn code(&self) -> ErrorCode {
        match self {
            EndpointError::NotAUrl { .. }
            | EndpointError::OtherScheme { .. }
            | EndpointError::NotABase { .. }
            | EndpointError::NoPort { .. } => ErrorCode::ENDPOINT_URL,
            EndpointError::NotEncrypted { .. } => ErrorCode::ENDPOINT_UNENCRYPTED,
            EndpointError::Forbidden { .. } => ErrorCode::ENDPOINT_PRIVATE,
            EndpointError::OtherCredentials { .. } => ErrorCode::ENDPOINT_CREDENTIALS,
            EndpointError::Zero { .. } | EndpointError::NotAPath { .. } | EndpointError::OfNoUse { .. } => {
                ErrorCode::ENDPOINT_SETTING
            }
            EndpointError::NoAuthority { .. } => ErrorCode::ENDPOINT_NO_AUTHORITY,
            EndpointError::NotAKey { .. } => ErrorCode::ENDPOINT_SIGNING_KEY,
            EndpointError::NoSecret { .. } => ErrorCode::NO_SUCH_SECRET,
        }
    }

    fn place(&self) -> Option<String> {
        let (name, key) = match self {
            EndpointError::NotAUrl { name, .. }
            | EndpointError::OtherScheme { name, .. }
            | EndpointError::NotABase { name }
            | EndpointError::NoPort { name }
            | EndpointError::NotEncrypted { name }
            | EndpointError::Forbidden { name } => (name, "url"),
            EndpointError::OtherCredentials { name, .. }
            | EndpointError::NotAKey { name, .. }
            | EndpointError::NoSecret { name, .. } => (name, "credentials"),
            EndpointError::Zero { name, key } | EndpointError::OfNoUse { name, key, .. } => (name, *key),
            EndpointError::NotAPath { name } => (name, "paths"),
            EndpointError::NoAuthority { name } => (name, "ca"),
        };
        Some(format!("endpoints: {name}: {key}:"))
    }
}

impl Coded for TrustError {
    fn code(&self) -> ErrorCode {
        match self {
            TrustError::Unreadable { .. }
            | TrustError::NoCertificate { .. }
            | TrustError::Http { .. }
            | TrustError::Mail { .. }
            | TrustError::Mllp { .. } => ErrorCode::ENDPOINT_TLS,
        }
    }

    fn place(&self) -> Option<String> {
        match self {
            TrustError::Unreadable { name, path, .. } | TrustError::NoCertificate { name, path } => {
                Some(format!("endpoints: {name}:, {}", path.display()))
            }
            TrustError::Http { name, .. } | TrustError::Mail { name, .. } | TrustError::Mllp { name, .. } => {
                Some(format!("endpoints: {name}:"))
            }
        }
    }
}

impl Coded for EgressError {
    fn code(&self) -> ErrorCode {
        match self {
            EgressError::Endpoint(error) => error.code(),
            EgressError::Trust(error) => error.code(),
            EgressError::Tls(_) => ErrorCode::ENDPOINT_TLS,
        }
    }

    fn place(&self) -> Option<String> {
        match self {
            EgressError::Endpoint(error) => error.place(),
            EgressError::Trust(error) => error.place(),
            EgressError::Tls(_) => None,
        }
    }
}

impl Coded for Denial {
    fn code(&self) -> ErrorCode {
        match self {
            Denial::EndpointNotGranted { .. } => ErrorCode::ENDPOINT_NOT_GRANTED,
            Denial::RevealNotGranted { .. } => ErrorCode::REVEAL_NOT_GRANTED,
            Denial::UnknownEndpoint { .. } => ErrorCode::NO_SUCH_ENDPOINT,
            Denial::NoAgreement { .. } => ErrorCode::NO_AGREEMENT,
            Denial::AgreementExpired { .. } => ErrorCode::AGREEMENT_EXPIRED,
            Denial::MethodNotAllowed { .. } => ErrorCode::METHOD_NOT_ALLOWED,
            Denial::PathNotAllowed { .. } => ErrorCode::PATH_NOT_ALLOWED,
            Denial::OtherProtocol { .. } => ErrorCode::OTHER_PROTOCOL,
            Denial::AddressForbidden { .. } => ErrorCode::ENDPOINT_PRIVATE,
            Denial::ResponseTooLong { .. } => ErrorCode::RESPONSE_TOO_LONG,
            Denial::NoAccessToken { .. } => ErrorCode::NO_ACCESS_TOKEN,
            Denial::NoStartTls { .. } => ErrorCode::NO_STARTTLS,
            Denial::LoginRefused { .. } => ErrorCode::LOGIN_REFUSED,
            Denial::ForeignToken { .. } => ErrorCode::FOREIGN_TOKEN,
            Denial::OtherRecipient { .. } => ErrorCode::OTHER_RECIPIENT,
            Denial::Sealed { source, .. } => source.code(),
            Denial::Unplaceable { .. } | Denial::Malformed { .. } => ErrorCode::REQUEST_UNFIT,
        }
    }

    fn place(&self) -> Option<String> {
        match self {
            Denial::EndpointNotGranted { stage, .. }
            | Denial::RevealNotGranted { stage, .. }
            | Denial::ForeignToken { stage, .. }
            | Denial::OtherRecipient { stage }
            | Denial::Sealed { stage, .. }
            | Denial::Malformed { stage, .. } => Some(format!("stage {stage}")),
            Denial::NoAgreement { stage, endpoint } | Denial::OtherProtocol { stage, endpoint, .. } => {
                Some(format!("stage {stage}, endpoints: {endpoint}:"))
            }
            Denial::UnknownEndpoint { endpoint }
            | Denial::AgreementExpired { endpoint, .. }
            | Denial::MethodNotAllowed { endpoint, .. }
            | Denial::PathNotAllowed { endpoint, .. }
            | Denial::AddressForbidden { endpoint }
            | Denial::ResponseTooLong { endpoint, .. }
            | Denial::NoAccessToken { endpoint, .. }
            | Denial::NoStartTls { endpoint, .. }
            | Denial::LoginRefused { endpoint, .. } => Some(format!("endpoints: {endpoint}:")),
            Denial::Unplaceable { .. } => None,
        }
    }
}
