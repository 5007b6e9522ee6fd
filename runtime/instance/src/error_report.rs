//! An error as an operator reads it: its code, what is wrong, where, and the cure.
//!
//! ```text
//! error[H0123]: what is wrong
//!   --> where
//!   help: the cure
//! ```
//!
//! The outermost error of a chain that has a code gives it; what caused it stands behind it on the same line.

use std::error::Error;
use std::fmt;

use handoff_egress::denial::Denial;
use handoff_egress::egress::EgressError;
use handoff_egress::endpoint::EndpointError;
use handoff_egress::tls::TrustError;
use handoff_engine::error_code::{Coded, ErrorCode, Failure};
use handoff_engine::ids::MalformedReferralId;
use handoff_engine::step::Rejection;
use handoff_engine::workflow::Problem;
use handoff_host::{Fault, HostError};
use handoff_identity::account::AccountNameError;
use handoff_identity::account_file::AccountFileError;
use handoff_identity::accounts::AccountsError;
use handoff_identity::oidc::{OidcConfigError, OidcError};
use handoff_identity::password::PasswordError;
use handoff_identity::sign_in::SignInError;
use handoff_ingress::listener::ListenerError;
use handoff_ingress::signature::Forged;
use handoff_ingress::tls::TlsError;
use handoff_pipeline::deployments::InstallError;
use handoff_pipeline::error::PipelineError;
use handoff_pipeline::error_codes;
use handoff_pipeline::referrals::acts::ActError;
use handoff_pipeline::rollout::ChangeError;
use handoff_store::index::{IndexError, SledTrouble, Unusable};
use handoff_store::journal::{
    AppendError, BatchError, CheckError, CopyError, Damage, EncodeError, OpenError, Poison, PurgeError, ReadError,
    VerifyError,
};
use handoff_store::store::{ArchiveError, StorePurgeError};
use handoff_store::{CommitError, StoreError, ViewError};
use handoff_vault::master::MalformedMasterKey;
use handoff_vault::secrets::{MissingSecret, SecretError};
use handoff_vault::{KeyringError, VaultError};
use handoff_workshop::WorkshopError;
use handoff_workshop::registry::RegistryError;
use handoff_workshop::signature::Untrusted;
use serde::{Deserialize, Serialize};

use crate::config::ConfigError;
use crate::source_protection::SourceError;

/// A code, and the place that goes with it.
pub type Named = (ErrorCode, Option<String>);

/// What `Display` prints is the form above; it is the same at the control socket's other end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorReport {
    pub code: ErrorCode,
    pub what: String,
    pub place: Option<String>,
    /// The cure, in lines.
    pub help: String,
    /// Further problems of the same file, each in the form above.
    pub more: Vec<String>,
}

impl Error for ErrorReport {}

impl fmt::Display for ErrorReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ErrorReport { code, what, place, help, more } = self;
        write!(f, "error[{code}]: {what}")?;
        if let Some(place) = place {
            write!(f, "\n  --> {place}")?;
        }
        let mut lines = help.lines();
        write!(f, "\n  help: {}", lines.next().unwrap_or_default())?;
        lines.try_for_each(|line| write!(f, "\n  {line}"))?;
        more.iter().try_for_each(|more| write!(f, "\n\n{more}"))
    }
}

impl ErrorReport {
    /// `known` names the errors of whoever knows more types than those of an instance.
    pub fn of(error: &anyhow::Error, known: impl Fn(&(dyn Error + 'static)) -> Option<Named>) -> ErrorReport {
        if let Some(report) = error.downcast_ref::<ErrorReport>() {
            return report.clone();
        }
        // A context cannot be told from its chain's outside; it is always the outermost with a code.
        let outermost = error.downcast_ref::<Failure>().map(named);
        let in_chain = || error.chain().find_map(|error| known(error).or_else(|| coded(error)));
        let (code, place) = outermost.or_else(in_chain).unwrap_or_else(|| (uncoded(error), None));
        let (mut what, mut cure, mut more) = (Vec::new(), None, Vec::new());
        for error in error.chain() {
            let problems = match error.downcast_ref::<InstallError>() {
                Some(InstallError::Workflow(problems)) => problems.as_slice(),
                Some(_) | None => error.downcast_ref::<Problem>().map(std::slice::from_ref).unwrap_or_default(),
            };
            if let [first, others @ ..] = problems {
                what.push(first.message.clone());
                cure = cure.or(Some(first.help.clone()));
                more.extend(others.iter().map(ToString::to_string));
                break;
            }
            let (says, helps) = parted(&error.to_string());
            // A transparent wrapper says what it wraps.
            if what.last() != Some(&says) {
                what.push(says);
            }
            cure = cure.or(helps);
        }
        let help = cure.unwrap_or_else(|| format!("`handoff explain {code}` says how to mend it"));
        ErrorReport { code, what: what.join(": "), place, help, more }
    }
}

/// What an error says, and its cure where it brings one along.
fn parted(text: &str) -> (String, Option<String>) {
    let whole = || (text.trim_end().to_string(), None);
    let Some((says, helps)) = text.split_once("help:") else { return whole() };
    // Several faults, each with its own cure: they stay together.
    if helps.contains("help:") {
        return whole();
    }
    let mut lines = helps.trim().lines();
    let first = lines.next().unwrap_or_default().to_string();
    // Lines of YAML keep their own indentation, below the margin that the form has.
    let rest: Vec<&str> = lines.collect();
    let margin = rest.iter().filter(|line| !line.trim().is_empty()).map(|line| line.len() - line.trim_start().len());
    let margin = margin.min().unwrap_or(0);
    let rest = rest.iter().map(|line| format!("\n    {}", line.get(margin..).unwrap_or_default()));
    (says.trim_end().to_string(), Some(first + &rest.collect::<String>()))
}

fn uncoded(error: &anyhow::Error) -> ErrorCode {
    match error.chain().any(|error| error.is::<std::io::Error>()) {
        true => ErrorCode::FILE,
        false => ErrorCode::UNEXPECTED,
    }
}

fn named(error: &impl Coded) -> Named {
    (error.code(), error.place())
}

/// The code of an error of this crate or of one below it.
pub fn coded(error: &(dyn Error + 'static)) -> Option<Named> {
    macro_rules! among {
        ($($known:ty),* $(,)?) => {
            None$(.or_else(|| error.downcast_ref::<$known>().map(named)))*
        };
    }
    let ours = among!(
        AppendError,
        ArchiveError,
        BatchError,
        ChangeError,
        CheckError,
        CommitError,
        ConfigError,
        CopyError,
        Damage,
        Denial,
        EgressError,
        EncodeError,
        EndpointError,
        ListenerError,
        Failure,
        AccountFileError,
        Forged,
        IndexError,
        InstallError,
        KeyringError,
        PipelineError,
        ActError,
        MalformedMasterKey,
        MalformedReferralId,
        MissingSecret,
        AccountNameError,
        OidcConfigError,
        OidcError,
        OpenError,
        PasswordError,
        AccountsError,
        Poison,
        Problem,
        PurgeError,
        ReadError,
        Rejection,
        SecretError,
        SignInError,
        SledTrouble,
        SourceError,
        StoreError,
        StorePurgeError,
        TlsError,
        TrustError,
        Unusable,
        VaultError,
        VerifyError,
        ViewError,
    );
    let placeless = |code| (code, None);
    ours.or_else(|| error.downcast_ref::<Fault>().map(error_codes::of_fault).map(placeless))
        .or_else(|| error.downcast_ref::<HostError>().map(error_codes::of_host).map(placeless))
        .or_else(|| error.downcast_ref::<RegistryError>().map(error_codes::of_registry).map(placeless))
        .or_else(|| error.downcast_ref::<Untrusted>().map(error_codes::of_signature).map(placeless))
        .or_else(|| error.downcast_ref::<WorkshopError>().map(error_codes::of_workshop).map(placeless))
}

impl Coded for ConfigError {
    fn code(&self) -> ErrorCode {
        match self {
            ConfigError::Unreadable { .. } => ErrorCode::CONFIG_UNREADABLE,
            ConfigError::Malformed { .. } => ErrorCode::CONFIG_MALFORMED,
            ConfigError::OtherFormat { .. } => ErrorCode::CONFIG_FORMAT,
            ConfigError::Forgetful { .. } => ErrorCode::RETENTION_TOO_SHORT,
            ConfigError::NoReason { .. } => ErrorCode::EMPTY_REASON,
        }
    }

    fn place(&self) -> Option<String> {
        match self {
            ConfigError::Unreadable { path, .. } | ConfigError::Malformed { path, .. } => Some(path.clone()),
            ConfigError::OtherFormat { path, .. } => Some(format!("{path}, format:")),
            ConfigError::Forgetful { path, .. } => Some(format!("{path}, retention: years:")),
            ConfigError::NoReason { path, key } => Some(format!("{path}, {key}:")),
        }
    }
}
