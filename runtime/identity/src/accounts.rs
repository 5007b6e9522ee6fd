//! Who works with this instance: their accounts, roles and passwords. Whoever is not in here sees nothing over HTTP.
//!
//! Architecture Invariant: a change counts only after the journal has it, and nobody is let in before the journal knows.

use std::path::Path;

use handoff_store::{AccountChange, CommitError, Record};
use handoff_vault::{InstanceSeal, SecureRandom};
use parking_lot::{Mutex, MutexGuard};
use zeroize::Zeroizing;

use crate::account::{Account, AccountName, AccountNameError, AccountSummary};
pub use crate::account_file::NAME as FILE;
use crate::account_file::{AccountFile, AccountFileError, AccountSet};
use crate::password::{Password, PasswordError, PasswordVerifier};
use crate::person::{Person, Recorder};
use crate::role::Role;
use crate::sign_in::Admitted;
use crate::totp::TotpSecret;

/// A practice has dozens of people; a list that grows beyond this is somebody's mistake.
const ACCOUNTS_MAX: usize = 1_000;

/// Every account of this instance.
pub struct Accounts {
    file: AccountFile,
    accounts: Mutex<AccountSet>,
    dice: Mutex<SecureRandom>,
    /// What a name that no account has is checked against, so that it costs the same time.
    pub(crate) decoy: PasswordVerifier,
    /// Whom a password alone does not let in.
    pub(crate) two_factors: Vec<Role>,
}

#[derive(Debug, thiserror::Error)]
pub enum AccountsError {
    #[error(transparent)]
    File(#[from] AccountFileError),
    #[error(transparent)]
    Name(#[from] AccountNameError),
    #[error(transparent)]
    Password(#[from] PasswordError),
    #[error("there is no account of that name\nhelp: `handoff people list` shows every account")]
    NoSuchPerson,
    #[error("there is an account of that name already\nhelp: `handoff people reset` gives it another password")]
    NameTaken,
    #[error(
        "a physician needs the provider number by which referrals name them\n\
         help: add --provider with the NPI that the EHR's messages have in PRD-7"
    )]
    NoProvider,
    #[error("only a physician has a provider number, and this account's role is {0}\nhelp: leave out --provider")]
    NotAPhysician(Role),
    #[error(
        "there are {ACCOUNTS_MAX} accounts already, which is the limit\nhelp: remove the accounts of people who have left"
    )]
    TooMany,
    #[error("the role {0} takes two factors to sign in (`people: two_factors:`)\nhelp: add --totp")]
    OneFactor(Role),
    #[error("nothing was changed, because the journal could not record it")]
    Commit(#[from] CommitError),
}

/// What a new person is told once, and nobody ever again.
#[derive(Debug)]
pub struct IssuedCredentials {
    /// Absent where the operator brought one.
    pub password: Option<Password>,
    /// What an authenticator app is shown.
    pub second_factor: Option<Zeroizing<String>>,
}

/// The account that is to be made.
pub struct NewAccount {
    pub name: AccountName,
    pub role: Role,
    pub provider: Option<String>,
    pub password: Option<Password>,
    pub second_factor: bool,
}

/// Who changes an account, and why.
#[derive(Clone, Copy)]
pub struct ChangedBy<'a> {
    pub who: &'a str,
    pub why: &'a str,
}

impl Accounts {
    /// # Errors
    /// When the file is there and cannot be read, or was written under another instance's key.
    pub fn open(data: &Path, key: InstanceSeal, mut dice: SecureRandom) -> Result<Accounts, AccountsError> {
        let file = AccountFile::new(data, key);
        let accounts = file.read()?;
        let decoy = PasswordVerifier::of(&Password::generate(&mut *dice), &mut *dice)?;
        Ok(Accounts { file, accounts: Mutex::new(accounts), dice: Mutex::new(dice), decoy, two_factors: Vec::new() })
    }

    /// Nobody in one of these roles signs in with a password alone from here on.
    pub fn require_two_factors(&mut self, roles: &[Role]) {
        self.two_factors = roles.to_vec();
    }

    /// Whether a password alone does not let anybody of this role in.
    pub fn takes_two_factors(&self, role: Role) -> bool {
        self.two_factors.contains(&role)
    }

    /// Everybody, by name.
    pub fn list(&self) -> Vec<AccountSummary> {
        self.accounts().by_name.iter().map(AccountSummary::of).collect()
    }

    /// Somebody as they are now; nothing once they are locked or gone.
    pub fn present(&self, name: &str, version: u64) -> Option<Person> {
        let accounts = self.accounts();
        let account = accounts.by_name.get(name)?;
        (account.version == version && !account.locked).then(|| account.person(name))
    }

    /// Somebody for whom this instance vouches itself, as a demonstration does for its own; nothing once they are locked or gone.
    pub fn admitted(&self, name: &str) -> Option<Admitted> {
        let accounts = self.accounts();
        let account = accounts.by_name.get(name).filter(|account| !account.locked)?;
        Some(Admitted { person: account.person(name), version: account.version })
    }

    /// # Errors
    /// When the name is taken, a physician has no number, or the journal or the file does not take it.
    pub fn add(
        &self,
        new: NewAccount,
        by: ChangedBy<'_>,
        record: Recorder<'_>,
    ) -> Result<IssuedCredentials, AccountsError> {
        let NewAccount { name, role, provider, password, second_factor } = new;
        let provider = provider.filter(|provider| !provider.trim().is_empty());
        match (role, &provider) {
            (Role::Physician, None) => return Err(AccountsError::NoProvider),
            (Role::Coordinator | Role::Manager | Role::It | Role::Auditor, Some(_)) => {
                return Err(AccountsError::NotAPhysician(role));
            }
            (Role::Physician, Some(_)) | (_, None) => {}
        }
        if self.takes_two_factors(role) && !second_factor {
            return Err(AccountsError::OneFactor(role));
        }
        let (issued, verifier, secret) = self.credentials(name.as_str(), password, second_factor)?;
        let mut accounts = self.accounts();
        if accounts.by_name.contains_key(name.as_str()) {
            return Err(AccountsError::NameTaken);
        }
        if accounts.by_name.len() >= ACCOUNTS_MAX {
            return Err(AccountsError::TooMany);
        }
        let mut account = Account::new(role, provider, verifier);
        account.second_factor = secret;
        account.version = accounts.next_version();
        record(changed(name.as_str(), AccountChange::Added, &account, by))?;
        let mut next = accounts.clone();
        next.by_name.insert(name.as_str().to_string(), account);
        self.write(&mut accounts, next)?;
        Ok(issued)
    }

    /// Gives somebody another one-time password, and another second factor or none. Whoever was signed in is out.
    ///
    /// # Errors
    /// When there is nobody of the name, or the journal or the file does not take it.
    pub fn reset(
        &self,
        name: &str,
        password: Option<Password>,
        second_factor: bool,
        by: ChangedBy<'_>,
        record: Recorder<'_>,
    ) -> Result<IssuedCredentials, AccountsError> {
        let role = self.accounts().by_name.get(name).map(|account| account.role);
        if let Some(role) = role.filter(|role| self.takes_two_factors(*role) && !second_factor) {
            return Err(AccountsError::OneFactor(role));
        }
        let (issued, verifier, secret) = self.credentials(name, password, second_factor)?;
        self.change(name, AccountChange::Reset, by, record, |account| {
            account.password = verifier;
            account.one_time = true;
            account.second_factor = secret;
            account.code_used = 0;
            account.forgive();
        })?;
        Ok(issued)
    }

    /// Lets somebody in no more, from this moment on.
    ///
    /// # Errors
    /// When there is nobody of the name, or the journal or the file does not take it.
    pub fn lock(&self, name: &str, by: ChangedBy<'_>, record: Recorder<'_>) -> Result<(), AccountsError> {
        self.change(name, AccountChange::Locked, by, record, |account| account.locked = true)
    }

    /// Undoes a lock, and the one that failed attempts led to.
    ///
    /// # Errors
    /// When there is nobody of the name, or the journal or the file does not take it.
    pub fn unlock(&self, name: &str, by: ChangedBy<'_>, record: Recorder<'_>) -> Result<(), AccountsError> {
        self.change(name, AccountChange::Unlocked, by, record, |account| {
            account.locked = false;
            account.forgive();
        })
    }

    /// # Errors
    /// When there is nobody of the name, or the journal or the file does not take it.
    pub fn remove(&self, name: &str, by: ChangedBy<'_>, record: Recorder<'_>) -> Result<(), AccountsError> {
        let mut accounts = self.accounts();
        let account = accounts.by_name.get(name).ok_or(AccountsError::NoSuchPerson)?;
        record(changed(name, AccountChange::Removed, account, by))?;
        let mut next = accounts.clone();
        next.by_name.remove(name);
        self.write(&mut accounts, next)
    }

    fn change(
        &self,
        name: &str,
        what: AccountChange,
        by: ChangedBy<'_>,
        record: Recorder<'_>,
        make: impl FnOnce(&mut Account),
    ) -> Result<(), AccountsError> {
        let mut accounts = self.accounts();
        let mut next = accounts.clone();
        let version = next.next_version();
        let account = next.by_name.get_mut(name).ok_or(AccountsError::NoSuchPerson)?;
        make(account);
        account.version = version;
        record(changed(name, what, account, by))?;
        self.write(&mut accounts, next)
    }

    fn credentials(
        &self,
        name: &str,
        password: Option<Password>,
        second_factor: bool,
    ) -> Result<(IssuedCredentials, PasswordVerifier, Option<TotpSecret>), AccountsError> {
        let mut dice = self.dice();
        let brought = password.is_some();
        let password = match password {
            Some(password) => password.acceptable(name, second_factor)?,
            None => Password::generate(&mut **dice),
        };
        let verifier = PasswordVerifier::of(&password, &mut **dice)?;
        let secret = second_factor.then(|| TotpSecret::generate(&mut **dice));
        let shown = secret.as_ref().map(|secret| secret.provisioning_url(name));
        let issued = IssuedCredentials { password: (!brought).then_some(password), second_factor: shown };
        Ok((issued, verifier, secret))
    }

    /// Whole on disk first, in force after.
    pub(crate) fn write(&self, accounts: &mut AccountSet, next: AccountSet) -> Result<(), AccountsError> {
        self.file.write(&next, &mut **self.dice())?;
        *accounts = next;
        Ok(())
    }

    pub(crate) fn accounts(&self) -> MutexGuard<'_, AccountSet> {
        self.accounts.lock()
    }

    pub(crate) fn dice(&self) -> MutexGuard<'_, SecureRandom> {
        self.dice.lock()
    }
}

pub(crate) fn changed(person: &str, change: AccountChange, account: &Account, by: ChangedBy<'_>) -> Record {
    let ChangedBy { who, why } = by;
    Record::Account {
        person: person.into(),
        change,
        role: account.role.name().into(),
        who: who.into(),
        why: why.into(),
        second_factor: account.second_factor.is_some(),
    }
}

#[cfg(test)]
mod tests;
