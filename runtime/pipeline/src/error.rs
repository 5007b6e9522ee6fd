//! What can keep a delivery, a referral or a letter from going on.

use chrono::{DateTime, Utc};
use handoff_engine::ids::{Digest, ReferralId, StageKey};
use handoff_host::Fault;

/// Why a stage could not do its work. None of these loses anything: the sender is not acknowledged, or the letter stays.
#[derive(Debug, thiserror::Error)]
pub enum PipelineError {
    #[error("the journal takes no more entries")]
    Commit(#[from] handoff_store::CommitError),
    #[error("the index cannot be read")]
    Index(#[from] handoff_store::index::IndexError),
    #[error("the journal cannot be read")]
    Read(#[from] handoff_store::journal::ReadError),
    #[error("the vault cannot seal or reveal")]
    Vault(#[from] handoff_vault::VaultError),
    #[error("referral {0} is not known\n  help: `handoff referrals list` lists all referrals")]
    NoSuchReferral(ReferralId),
    #[error("{item} does not wait for a person\n  help: `handoff dead-letters list` lists what does")]
    NotDead { item: String },
    #[error("{item} is no delivery that waits for its referral\n  help: `handoff unmatched list` lists those that do")]
    NotUnmatched { item: String },
    #[error(
        "{item} holds an order, which begins a referral of its own\n  \
         help: see what disagrees: `handoff unmatched show {item}`; where it is no concern of yours, dismiss it"
    )]
    OrdersItself { item: String },
    #[error(
        "the referral of {item} has ended ({state}); its patient gets no more messages\n  \
         help: dismiss the letter: `handoff dead-letters dismiss {item} --why …`"
    )]
    Ended { item: String, state: String },
    #[error(
        "{item} has expired: it would reach its patient too late\n  \
         help: dismiss the letter: `handoff dead-letters dismiss {item} --why …`"
    )]
    Expired { item: String },
    #[error("{item} still cannot be read, at {location}: {message}\n  help: {help}")]
    StillDead { item: String, location: String, message: String, help: String },
    #[error("deployment {0} is not installed; its plugins are missing")]
    NoSuchDeployment(Digest),
    #[error("the workflow has no stage {stage:?}")]
    NoSuchStage { stage: StageKey },
    #[error("the workflow cannot begin a referral")]
    Begin(#[from] handoff_engine::step::Rejection),
    #[error("stage {stage} answered another question than it was asked")]
    OtherAnswer { stage: StageKey },
    #[error(transparent)]
    Fault(#[from] Fault),
    #[error(
        "the plugin of stage {stage} keeps failing; Handoff leaves it alone until {}",
        until.format("%Y-%m-%d %H:%M:%S UTC")
    )]
    Rests { stage: StageKey, until: DateTime<Utc> },
    #[error("a record cannot be written as JSON")]
    Json(#[from] serde_json::Error),
}
