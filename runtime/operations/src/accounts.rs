//! Accounts, as an operator makes and changes them.

use handoff_identity::account::{AccountName, AccountSummary};
use handoff_identity::accounts::{ChangedBy, IssuedCredentials, NewAccount};
use handoff_identity::password::Password;
use handoff_identity::role::Role;
use handoff_store::Record;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::operations::{Operations, Operator, Request};

/// Somebody new. Without a password Handoff makes one; either is good for one sign-in, at which another is chosen.
#[derive(Serialize, Deserialize)]
pub struct Add {
    pub name: String,
    pub role: Role,
    pub provider: Option<String>,
    pub password: Option<Password>,
    pub second_factor: bool,
}

/// What its person has to be told. It can be told once.
#[derive(Serialize, Deserialize)]
pub struct Welcome {
    pub password: Option<Password>,
    /// A URL that an authenticator app reads.
    pub second_factor: Option<Zeroizing<String>>,
}

impl From<IssuedCredentials> for Welcome {
    fn from(told: IssuedCredentials) -> Welcome {
        let IssuedCredentials { password, second_factor } = told;
        Welcome { password, second_factor }
    }
}

impl Request for Add {
    const PATH: &'static str = "/people/add";
    const WHY: Option<&'static str> = None;
    type Answer = Welcome;

    fn perform(self, operations: &Operations, operator: Operator) -> anyhow::Result<Welcome> {
        let Add { name, role, provider, password, second_factor } = self;
        let name: AccountName = name.parse()?;
        let newcomer = NewAccount { name, role, provider, password, second_factor };
        let told = operations.people.add(newcomer, operator.because(), &|record: Record| operations.commit(record))?;
        Ok(told.into())
    }
}

/// Another one-time password, and another second factor or none.
#[derive(Serialize, Deserialize)]
pub struct Reset {
    pub name: String,
    pub password: Option<Password>,
    pub second_factor: bool,
}

impl Request for Reset {
    const PATH: &'static str = "/people/reset";
    const WHY: Option<&'static str> = None;
    type Answer = Welcome;

    fn perform(self, operations: &Operations, operator: Operator) -> anyhow::Result<Welcome> {
        let Reset { name, password, second_factor } = self;
        let record = |record: Record| operations.commit(record);
        let told = operations.people.reset(&name, password, second_factor, operator.because(), &record)?;
        Ok(told.into())
    }
}

/// Somebody is let in no more.
#[derive(Serialize, Deserialize)]
pub struct Lock {
    pub name: String,
}

impl Request for Lock {
    const PATH: &'static str = "/people/lock";
    const WHY: Option<&'static str> = None;
    type Answer = ();

    fn perform(self, operations: &Operations, operator: Operator) -> anyhow::Result<()> {
        Ok(operations.people.lock(&self.name, operator.because(), &|record: Record| operations.commit(record))?)
    }
}

/// Somebody is let in again.
#[derive(Serialize, Deserialize)]
pub struct Unlock {
    pub name: String,
}

impl Request for Unlock {
    const PATH: &'static str = "/people/unlock";
    const WHY: Option<&'static str> = None;
    type Answer = ();

    fn perform(self, operations: &Operations, operator: Operator) -> anyhow::Result<()> {
        Ok(operations.people.unlock(&self.name, operator.because(), &|record: Record| operations.commit(record))?)
    }
}

/// Somebody has left.
#[derive(Serialize, Deserialize)]
pub struct Remove {
    pub name: String,
}

impl Request for Remove {
    const PATH: &'static str = "/people/remove";
    const WHY: Option<&'static str> = None;
    type Answer = ();

    fn perform(self, operations: &Operations, operator: Operator) -> anyhow::Result<()> {
        Ok(operations.people.remove(&self.name, operator.because(), &|record: Record| operations.commit(record))?)
    }
}

/// Who has an account.
#[derive(Serialize, Deserialize)]
pub struct List {}

impl Request for List {
    const PATH: &'static str = "/people";
    const WHY: Option<&'static str> = Some("to see who has an account");
    type Answer = Vec<AccountSummary>;

    fn perform(self, operations: &Operations, _: Operator) -> anyhow::Result<Vec<AccountSummary>> {
        Ok(operations.people.list())
    }
}

impl Operator {
    fn because(&self) -> ChangedBy<'_> {
        ChangedBy { who: &self.who, why: &self.why }
    }
}
