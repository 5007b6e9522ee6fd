//! What each role may do. One table, and what is not in it is refused.

use std::fmt;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What somebody is to the practice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Works the referrals: sees every patient in clear.
    Coordinator,
    /// Sees the patients that they referred, and others only by breaking the glass.
    Physician,
    /// Runs the practice: figures and lists without names.
    Manager,
    /// Runs the machine: accounts, deployments, measurements; sees no patient.
    It,
    /// Looks after the others: what was done, seen and disclosed; sees no patient.
    Auditor,
}

/// One thing that may be done over HTTP.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AccessRight {
    /// Referrals, by the role's own view of them.
    Referrals,
    /// Looking for a patient by name, date of birth or number.
    FindPatients,
    /// Tasks and stalled referrals, by the role's own view of them.
    Worklists,
    /// What the workflow lets people do; it says which role may do what.
    Act,
    /// Taking tasks, giving them to others, putting them off, ending them.
    ChangeTasks,
    /// What waits for a person, without its bytes.
    DeadLetters,
    /// A dead delivery's bytes, in clear.
    DeadBytes,
    /// Taking up again or laying aside what waits for a person.
    SettleDeadLetters,
    /// Saying which referral a message means.
    AssignUnmatched,
    BreakGlass,
    /// A physician's own referrals, and what waits for their decision.
    OwnReferrals,
    Figures,
    /// How far each specialist's office closes the loop.
    Specialists,
    /// Journal search.
    Journal,
    /// Who looked at whom, and what left this instance.
    Disclosures,
    People,
    Deployments,
    /// What each plugin may do.
    Plugins,
    Metrics,
}

impl Role {
    pub const ALL: [Role; 5] = [Role::Coordinator, Role::Physician, Role::Manager, Role::It, Role::Auditor];

    pub fn name(self) -> &'static str {
        match self {
            Role::Coordinator => "coordinator",
            Role::Physician => "physician",
            Role::Manager => "manager",
            Role::It => "it",
            Role::Auditor => "auditor",
        }
    }

    pub fn may(self, right: AccessRight) -> bool {
        use Role::{Auditor, Coordinator, It, Manager, Physician};
        let roles: &[Role] = match right {
            AccessRight::Referrals => &Role::ALL,
            AccessRight::FindPatients => &[Coordinator, Physician],
            AccessRight::Worklists => &[Coordinator, Physician, Manager],
            AccessRight::Act | AccessRight::ChangeTasks => &[Coordinator, Physician, Manager],
            AccessRight::DeadLetters => &[Coordinator, Manager, It],
            AccessRight::DeadBytes | AccessRight::AssignUnmatched => &[Coordinator],
            AccessRight::SettleDeadLetters => &[Coordinator, It],
            AccessRight::BreakGlass | AccessRight::OwnReferrals => &[Physician],
            AccessRight::Figures | AccessRight::Specialists => &[Coordinator, Manager],
            AccessRight::Journal | AccessRight::Disclosures => &[Auditor],
            AccessRight::People => &[It],
            AccessRight::Deployments | AccessRight::Plugins => &[Manager, It, Auditor],
            AccessRight::Metrics => &[Manager, It],
        };
        roles.contains(&self)
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
