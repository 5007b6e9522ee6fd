//! Which code each error of the pipeline has. A case that wraps another error has that one's.
//!
//! Host and workshop know no code, since they know nothing of ours: what their errors are called stands here as well.

use handoff_engine::error_code::{Coded, ErrorCode};
use handoff_host::{Fault, FaultKind, HostError};
use handoff_workshop::WorkshopError;
use handoff_workshop::registry::RegistryError;
use handoff_workshop::signature::Untrusted;

use crate::deployments::InstallError;
use crate::error::PipelineError;
use crate::referrals::acts::ActError;
use crate::rollout::ChangeError;

pub fn of_fault(fault: &Fault) -> ErrorCode {
    match fault.kind {
        FaultKind::Busy => ErrorCode::PLUGINS_BUSY,
        FaultKind::Trapped
        | FaultKind::StackExhausted
        | FaultKind::TimedOut
        | FaultKind::OutOfMemory
        | FaultKind::BadOutput
        | FaultKind::OutputTooLarge
        | FaultKind::NotExported => ErrorCode::PLUGIN_FAULT,
    }
}

pub fn of_host(error: &HostError) -> ErrorCode {
    match error {
        HostError::Setup(_) => ErrorCode::SANDBOX,
        HostError::Cache { .. } => ErrorCode::COMPILED_FOLDER,
        HostError::NotAComponent { .. } => ErrorCode::NOT_A_COMPONENT,
        HostError::Imports { .. } => ErrorCode::PLUGIN_IMPORTS,
        HostError::ServesNothing { .. } => ErrorCode::SERVES_NO_STAGE,
        HostError::OtherContract { .. } => ErrorCode::OTHER_CONTRACT,
        HostError::DoesNotFit { .. } => ErrorCode::PLUGIN_TOO_LARGE,
        HostError::DoesNotStart { .. } => ErrorCode::PLUGIN_DOES_NOT_START,
    }
}

pub fn of_registry(error: &RegistryError) -> ErrorCode {
    match error {
        RegistryError::Reference(_) => ErrorCode::REFERENCE,
        RegistryError::PlainHttp(_) => ErrorCode::PLAIN_HTTP,
        RegistryError::Asked(..) => ErrorCode::REGISTRY_REFUSED,
        RegistryError::Put(..) => ErrorCode::PUSH_REFUSED,
        RegistryError::NoComponent { .. } => ErrorCode::NOT_AN_ARTIFACT,
        RegistryError::TooLarge { .. } => ErrorCode::ARTIFACT_TOO_LARGE,
        RegistryError::OtherBytes { .. } => ErrorCode::OTHER_BYTES,
        RegistryError::File { .. } => ErrorCode::FILE,
        RegistryError::Damaged(_) => ErrorCode::PULLED_DAMAGED,
    }
}

pub fn of_signature(error: &Untrusted) -> ErrorCode {
    match error {
        Untrusted::Unsigned | Untrusted::Garbled | Untrusted::Stranger => ErrorCode::PLUGIN_UNTRUSTED,
    }
}

pub fn of_workshop(error: &WorkshopError) -> ErrorCode {
    match error {
        WorkshopError::File { .. } => ErrorCode::FILE,
        WorkshopError::There(_) => ErrorCode::PROJECT_THERE,
        WorkshopError::Name(_) => ErrorCode::PLUGIN_NAME,
        WorkshopError::NoProject(_) | WorkshopError::Project { .. } => ErrorCode::NO_PROJECT,
        WorkshopError::Contract { .. } => ErrorCode::CONTRACT,
        WorkshopError::Tool { .. } | WorkshopError::Failed { .. } | WorkshopError::Compile(_) => {
            ErrorCode::BUILD_FAILED
        }
        WorkshopError::Case { .. } | WorkshopError::NoCases(_) => ErrorCode::CASE,
        WorkshopError::Host(error) => of_host(error),
        WorkshopError::Fault(fault) => of_fault(fault),
        WorkshopError::Key { .. } => ErrorCode::PLUGIN_KEY,
    }
}

impl Coded for InstallError {
    fn code(&self) -> ErrorCode {
        match self {
            InstallError::Unreadable { .. } => ErrorCode::WORKFLOW_UNREADABLE,
            // Each problem has its own, and each is printed with it.
            InstallError::Workflow(problems) => problems.first().map_or(ErrorCode::BAD_VALUE, Coded::code),
            InstallError::NoSuchPlugin { .. } => ErrorCode::NO_SUCH_PLUGIN,
            InstallError::Registry { source, .. } => of_registry(source),
            InstallError::NotPulled { .. } => ErrorCode::PLUGIN_NOT_PULLED,
            InstallError::Untrusted { why, .. } => of_signature(why),
            InstallError::NotPinned { .. } => ErrorCode::DEPLOYMENT_NOT_READY,
            InstallError::Plugin { source, .. } => of_host(source),
            InstallError::ClearWithWayOut { .. } => ErrorCode::CLEAR_WITH_WAY_OUT,
            InstallError::Mute { source, .. } => of_fault(source),
            InstallError::Replaced { .. } => ErrorCode::PLUGIN_REPLACED,
            InstallError::Unkept { .. } => ErrorCode::COMPONENT_NOT_KEPT,
            InstallError::Damaged { .. } => ErrorCode::COMPONENT_DAMAGED,
            InstallError::OtherWorld { .. } => ErrorCode::OTHER_WORLD,
        }
    }

    fn place(&self) -> Option<String> {
        match self {
            InstallError::Unreadable { path, .. }
            | InstallError::Unkept { path, .. }
            | InstallError::Damaged { path } => Some(path.display().to_string()),
            InstallError::Workflow(problems) => problems.first().and_then(Coded::place),
            InstallError::NoSuchPlugin { stage, .. }
            | InstallError::Registry { stage, .. }
            | InstallError::NotPulled { stage, .. }
            | InstallError::Untrusted { stage, .. }
            | InstallError::NotPinned { stage }
            | InstallError::Plugin { stage, .. }
            | InstallError::ClearWithWayOut { stage, .. }
            | InstallError::Mute { stage, .. }
            | InstallError::Replaced { stage, .. }
            | InstallError::OtherWorld { stage, .. } => Some(format!("stage {stage}")),
        }
    }
}

impl Coded for ChangeError {
    fn code(&self) -> ErrorCode {
        match self {
            ChangeError::Install(error) => error.code(),
            ChangeError::NoSuchEndpoint { .. } => ErrorCode::NO_SUCH_ENDPOINT,
            ChangeError::Scenarios(_) => ErrorCode::SCENARIOS_FAIL,
            ChangeError::Strands(_) => ErrorCode::STRANDS_REFERRALS,
            ChangeError::InForce(_) => ErrorCode::IN_FORCE_ALREADY,
            ChangeError::NoSuchDeployment(_) => ErrorCode::NO_SUCH_DEPLOYMENT,
            ChangeError::NothingBefore => ErrorCode::NOTHING_BEFORE,
            ChangeError::Unreadable(_) => ErrorCode::RECORDED_WORKFLOW,
            ChangeError::Commit(error) => error.code(),
            ChangeError::Index(error) => error.code(),
            ChangeError::Read(error) => error.code(),
        }
    }

    fn place(&self) -> Option<String> {
        match self {
            ChangeError::Install(error) => error.place(),
            ChangeError::NoSuchEndpoint { stage, .. } => Some(format!("stage {stage}")),
            ChangeError::Index(error) => error.place(),
            ChangeError::Read(error) => error.place(),
            ChangeError::Scenarios(_)
            | ChangeError::Strands(_)
            | ChangeError::InForce(_)
            | ChangeError::NoSuchDeployment(_)
            | ChangeError::NothingBefore
            | ChangeError::Unreadable(_)
            | ChangeError::Commit(_) => None,
        }
    }
}

impl Coded for ActError {
    fn code(&self) -> ErrorCode {
        match self {
            ActError::NoSuchAct { .. } => ErrorCode::NO_SUCH_ACT,
            ActError::NotYours { .. } => ErrorCode::ACT_NOT_YOURS,
            ActError::NotTaken { .. } | ActError::NothingToRead => ErrorCode::ACT_NOT_TAKEN,
            ActError::Answer(_) => ErrorCode::ANSWER_UNFIT,
            ActError::NoSuchTask { .. } => ErrorCode::NO_SUCH_TASK,
            ActError::TaskState { .. } => ErrorCode::TASK_ENDED,
            ActError::Pipeline(error) => error.code(),
        }
    }

    fn place(&self) -> Option<String> {
        match self {
            ActError::Pipeline(error) => error.place(),
            ActError::NoSuchAct { .. }
            | ActError::NotYours { .. }
            | ActError::NotTaken { .. }
            | ActError::NothingToRead
            | ActError::Answer(_)
            | ActError::NoSuchTask { .. }
            | ActError::TaskState { .. } => None,
        }
    }
}

impl Coded for PipelineError {
    fn code(&self) -> ErrorCode {
        match self {
            PipelineError::Commit(error) => error.code(),
            PipelineError::Index(error) => error.code(),
            PipelineError::Read(error) => error.code(),
            PipelineError::Vault(error) => error.code(),
            PipelineError::NoSuchReferral(_) => ErrorCode::NO_SUCH_REFERRAL,
            PipelineError::NotDead { .. } => ErrorCode::NOT_DEAD,
            PipelineError::NotUnmatched { .. } => ErrorCode::NOT_UNMATCHED,
            PipelineError::OrdersItself { .. } => ErrorCode::ORDER_OF_ITS_OWN,
            PipelineError::Ended { .. } => ErrorCode::REFERRAL_ENDED,
            PipelineError::Expired { .. } => ErrorCode::LETTER_EXPIRED,
            PipelineError::StillDead { .. } => ErrorCode::STILL_UNREADABLE,
            PipelineError::NoSuchDeployment(_) => ErrorCode::DEPLOYMENT_NOT_READY,
            PipelineError::NoSuchStage { .. } => ErrorCode::NO_SUCH_STAGE,
            PipelineError::Begin(error) => error.code(),
            PipelineError::OtherAnswer { .. } => ErrorCode::OTHER_ANSWER,
            PipelineError::Fault(fault) => of_fault(fault),
            PipelineError::Rests { .. } => ErrorCode::PLUGIN_RESTS,
            PipelineError::Json(_) => ErrorCode::ENTRY_UNWRITABLE,
        }
    }

    fn place(&self) -> Option<String> {
        match self {
            PipelineError::StillDead { item, location, .. } => Some(format!("delivery {item}, {location}")),
            PipelineError::NoSuchStage { stage }
            | PipelineError::OtherAnswer { stage }
            | PipelineError::Rests { stage, .. } => Some(format!("stage {stage}")),
            PipelineError::Index(error) => error.place(),
            PipelineError::Read(error) => error.place(),
            PipelineError::Vault(error) => error.place(),
            PipelineError::Commit(_)
            | PipelineError::NoSuchReferral(_)
            | PipelineError::NotDead { .. }
            | PipelineError::NotUnmatched { .. }
            | PipelineError::OrdersItself { .. }
            | PipelineError::Ended { .. }
            | PipelineError::Expired { .. }
            | PipelineError::NoSuchDeployment(_)
            | PipelineError::Begin(_)
            | PipelineError::Fault(_)
            | PipelineError::Json(_) => None,
        }
    }
}
