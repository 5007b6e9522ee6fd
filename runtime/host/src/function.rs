//! What a plugin can be asked: the worlds of the contract and the functions of each.

use std::fmt;

use serde::{Deserialize, Serialize};
use strum::VariantArray as _;

/// The contract's package in `wit/`.
pub(crate) const PACKAGE: &str = "handoff:stage";

/// A version of the contract that this host serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, strum::VariantArray)]
pub enum ContractVersion {
    #[serde(rename = "0.1.0")]
    V0_1,
    #[serde(rename = "0.2.0")]
    V0_2,
}

impl ContractVersion {
    /// Oldest first.
    pub const ALL: &[ContractVersion] = ContractVersion::VARIANTS;

    /// As the package in `wit/` is numbered.
    pub fn number(self) -> &'static str {
        match self {
            ContractVersion::V0_1 => "0.1.0",
            ContractVersion::V0_2 => "0.2.0",
        }
    }
}

impl fmt::Display for ContractVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.number())
    }
}

/// A stage's world in `wit/`. Each exports one interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[derive(strum::Display, strum::EnumString, strum::IntoStaticStr, strum::VariantArray)]
#[strum(serialize_all = "kebab-case")]
pub enum WitWorld {
    Trigger,
    Records,
    Channel,
    Outreach,
    Reply,
    Network,
    Visit,
    Chart,
    Escalation,
}

impl WitWorld {
    pub const ALL: &[WitWorld] = WitWorld::VARIANTS;

    /// The world's name in `wit/`.
    pub fn name(self) -> &'static str {
        self.into()
    }

    /// The name of the interface that a plugin of this world exports.
    pub fn interface(self) -> &'static str {
        match self {
            WitWorld::Trigger => "interpreter",
            WitWorld::Records => "retrieval",
            WitWorld::Channel => "choice",
            WitWorld::Outreach => "carrier",
            WitWorld::Reply => "understanding",
            WitWorld::Network => "roster",
            WitWorld::Visit => "attendance",
            WitWorld::Chart => "write-back",
            WitWorld::Escalation => "hand-over",
        }
    }

    /// The interface's full name, under which a component exports it.
    pub(crate) fn export(self, version: ContractVersion) -> String {
        format!("{PACKAGE}/{}@{version}", self.interface())
    }
}

/// A function of the contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, strum::VariantArray)]
#[serde(rename_all = "kebab-case")]
pub enum Function {
    AuthenticateDelivery,
    Interpret,
    Retrieve,
    ResumeRetrieval,
    Choose,
    Compose,
    ResumeCarrier,
    Lookup,
    ClearFields,
    AuthenticateCallback,
    Receive,
    Understand,
    Assess,
    CheckVisit,
    ResumeVisit,
    WriteChart,
    ResumeChart,
    Raise,
    ResumeTask,
}

impl Function {
    pub const ALL: &[Function] = Function::VARIANTS;

    /// The world whose plugins answer it.
    pub fn world(self) -> WitWorld {
        match self {
            Function::AuthenticateDelivery | Function::Interpret => WitWorld::Trigger,
            Function::Retrieve | Function::ResumeRetrieval => WitWorld::Records,
            Function::Choose => WitWorld::Channel,
            Function::Compose
            | Function::ResumeCarrier
            | Function::Lookup
            | Function::ClearFields
            | Function::AuthenticateCallback
            | Function::Receive => WitWorld::Outreach,
            Function::Understand => WitWorld::Reply,
            Function::Assess => WitWorld::Network,
            Function::CheckVisit | Function::ResumeVisit => WitWorld::Visit,
            Function::WriteChart | Function::ResumeChart => WitWorld::Chart,
            Function::Raise | Function::ResumeTask => WitWorld::Escalation,
        }
    }

    /// The function's name within its interface.
    pub fn name(self) -> &'static str {
        match self {
            Function::AuthenticateDelivery | Function::AuthenticateCallback => "authenticate",
            Function::Interpret => "interpret",
            Function::Retrieve => "retrieve",
            Function::Choose => "choose",
            Function::Compose => "compose",
            Function::Lookup => "lookup",
            Function::ClearFields => "clear-fields",
            Function::Receive => "receive",
            Function::Understand => "understand",
            Function::Assess => "assess",
            Function::CheckVisit => "check",
            Function::WriteChart => "write",
            Function::Raise => "raise",
            Function::ResumeRetrieval
            | Function::ResumeCarrier
            | Function::ResumeVisit
            | Function::ResumeChart
            | Function::ResumeTask => "resume",
        }
    }
}

impl fmt::Display for Function {
    /// As in `wit/`: `carrier.compose`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.world().interface(), self.name())
    }
}
