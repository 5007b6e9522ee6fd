//! Who works with the house: their accounts, roles and passwords. Whoever is not in here sees nothing over HTTP.
//!
//! Architecture Invariant: a change counts only after the journal has it, and nobody is let in before the journal knows.

use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use handoff_store::{AccountChange, CommitError, Record};
use handoff_vault::{Dice, PeopleKey};
use zeroize::Zeroizing;

use crate::account::{Account, Listed, Name, NameError};
pub use crate::account_file::NAME as FILE;
use crate::account_file::{Book, FileError, Shelf};
use crate::password::{Password, PasswordError, Verifier};
pub use crate::role::{Right, Role};
use crate::totp::Secret;

/// A practice has dozens of people; a list that grows beyond this is somebody's mistake.
const PEOPLE_MAX: usize = 1_000;

/// One who was let in, or whom the control door vouches for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    pub name: String,
    pub role: Role,
    /// By which a physician's own referrals name them.
    pub provider: Option<String>,
}

/// Writes one thing down, durably; given by whoever holds the journal.
pub type Recorder<'a> = &'a dyn Fn(Record) -> Result<(), CommitError>;

/// Every account of the house.
pub struct People {
    shelf: Shelf,
    book: Mutex<Book>,
    dice: Mutex<Dice>,
    /// What a name that no account has is checked against, so that it costs the same time.
    pub(crate) decoy: Verifier,
}

#[derive(Debug, thiserror::Error)]
pub enum PeopleError {
    #[error(transparent)]
    File(#[from] FileError),
    #[error(transparent)]
    Name(#[from] NameError),
    #[error(transparent)]
    Password(#[from] PasswordError),
    #[error("nobody here is called that\nhelp: `handoff people list` names everybody")]
    NoSuchPerson,
    #[error("somebody here is called that already\nhelp: `handoff people reset` gives them another password")]
    NameTaken,
    #[error(
        "a physician needs the number by which referrals name them\n\
         help: --provider NPI, as the EHR's messages have it in PRD-7"
    )]
    NoProvider,
    #[error("only a physician has a provider's number; {0} sees no patients of their own")]
    NotAPhysician(Role),
    #[error("there are {PEOPLE_MAX} accounts already\nhelp: remove those of people who have left")]
    TooMany,
    #[error("the journal did not take it, and it was not done")]
    Commit(#[from] CommitError),
}

/// What a new person is told once, and nobody ever again.
#[derive(Debug)]
pub struct Told {
    /// Absent where the operator brought one.
    pub password: Option<Password>,
    /// What an authenticator app is shown.
    pub second_factor: Option<Zeroizing<String>>,
}

/// Who is to be added.
pub struct Newcomer {
    pub name: Name,
    pub role: Role,
    pub provider: Option<String>,
    pub password: Option<Password>,
    pub second_factor: bool,
}

/// Who changes an account, and why.
#[derive(Clone, Copy)]
pub struct Because<'a> {
    pub who: &'a str,
    pub why: &'a str,
}

impl People {
    /// # Errors
    /// When the file is there and cannot be read, or was written under another house's key.
    pub fn open(data: &Path, key: PeopleKey, mut dice: Dice) -> Result<People, PeopleError> {
        let shelf = Shelf::new(data, key);
        let book = shelf.read()?;
        let decoy = Verifier::of(&Password::generate(&mut *dice), &mut *dice)?;
        Ok(People { shelf, book: Mutex::new(book), dice: Mutex::new(dice), decoy })
    }

    /// Everybody, by name.
    pub fn list(&self) -> Vec<Listed> {
        self.book().people.iter().map(Listed::of).collect()
    }

    /// Somebody as they are now; nothing once they are locked or gone.
    pub fn present(&self, name: &str, version: u64) -> Option<Person> {
        let book = self.book();
        let account = book.people.get(name)?;
        (account.version == version && !account.locked).then(|| account.person(name))
    }

    /// # Errors
    /// When the name is taken, a physician has no number, or the journal or the file does not take it.
    pub fn add(&self, newcomer: Newcomer, because: Because<'_>, record: Recorder<'_>) -> Result<Told, PeopleError> {
        let Newcomer { name, role, provider, password, second_factor } = newcomer;
        let provider = provider.filter(|provider| !provider.trim().is_empty());
        match (role, &provider) {
            (Role::Physician, None) => return Err(PeopleError::NoProvider),
            (Role::Coordinator | Role::Manager | Role::It | Role::Auditor, Some(_)) => {
                return Err(PeopleError::NotAPhysician(role));
            }
            (Role::Physician, Some(_)) | (_, None) => {}
        }
        let (told, verifier, secret) = self.credentials(name.as_str(), password, second_factor)?;
        let mut book = self.book();
        if book.people.contains_key(name.as_str()) {
            return Err(PeopleError::NameTaken);
        }
        if book.people.len() >= PEOPLE_MAX {
            return Err(PeopleError::TooMany);
        }
        let mut account = Account::new(role, provider, verifier);
        account.second_factor = secret;
        account.version = book.next_version();
        record(changed(name.as_str(), AccountChange::Added, role, because))?;
        let mut next = book.clone();
        next.people.insert(name.as_str().to_string(), account);
        self.write(&mut book, next)?;
        Ok(told)
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
        because: Because<'_>,
        record: Recorder<'_>,
    ) -> Result<Told, PeopleError> {
        let (told, verifier, secret) = self.credentials(name, password, second_factor)?;
        self.change(name, AccountChange::Reset, because, record, |account| {
            account.password = verifier;
            account.one_time = true;
            account.second_factor = secret;
            account.code_used = 0;
            account.forgive();
        })?;
        Ok(told)
    }

    /// Lets somebody in no more, from this moment on.
    ///
    /// # Errors
    /// When there is nobody of the name, or the journal or the file does not take it.
    pub fn lock(&self, name: &str, because: Because<'_>, record: Recorder<'_>) -> Result<(), PeopleError> {
        self.change(name, AccountChange::Locked, because, record, |account| account.locked = true)
    }

    /// Undoes a lock, and the one that failed attempts led to.
    ///
    /// # Errors
    /// When there is nobody of the name, or the journal or the file does not take it.
    pub fn unlock(&self, name: &str, because: Because<'_>, record: Recorder<'_>) -> Result<(), PeopleError> {
        self.change(name, AccountChange::Unlocked, because, record, |account| {
            account.locked = false;
            account.forgive();
        })
    }

    /// # Errors
    /// When there is nobody of the name, or the journal or the file does not take it.
    pub fn remove(&self, name: &str, because: Because<'_>, record: Recorder<'_>) -> Result<(), PeopleError> {
        let mut book = self.book();
        let role = book.people.get(name).ok_or(PeopleError::NoSuchPerson)?.role;
        record(changed(name, AccountChange::Removed, role, because))?;
        let mut next = book.clone();
        next.people.remove(name);
        self.write(&mut book, next)
    }

    fn change(
        &self,
        name: &str,
        what: AccountChange,
        because: Because<'_>,
        record: Recorder<'_>,
        make: impl FnOnce(&mut Account),
    ) -> Result<(), PeopleError> {
        let mut book = self.book();
        let mut next = book.clone();
        let version = next.next_version();
        let account = next.people.get_mut(name).ok_or(PeopleError::NoSuchPerson)?;
        make(account);
        account.version = version;
        record(changed(name, what, account.role, because))?;
        self.write(&mut book, next)
    }

    fn credentials(
        &self,
        name: &str,
        password: Option<Password>,
        second_factor: bool,
    ) -> Result<(Told, Verifier, Option<Secret>), PeopleError> {
        let mut dice = self.dice();
        let brought = password.is_some();
        let password = match password {
            Some(password) => password.acceptable(name, second_factor)?,
            None => Password::generate(&mut **dice),
        };
        let verifier = Verifier::of(&password, &mut **dice)?;
        let secret = second_factor.then(|| Secret::generate(&mut **dice));
        let shown = secret.as_ref().map(|secret| secret.provisioning_url(name));
        let told = Told { password: (!brought).then_some(password), second_factor: shown };
        Ok((told, verifier, secret))
    }

    /// Whole on disk first, in force after.
    pub(crate) fn write(&self, book: &mut Book, next: Book) -> Result<(), PeopleError> {
        self.shelf.write(&next, &mut **self.dice())?;
        *book = next;
        Ok(())
    }

    pub(crate) fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn dice(&self) -> MutexGuard<'_, Dice> {
        self.dice.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(crate) fn changed(person: &str, change: AccountChange, role: Role, because: Because<'_>) -> Record {
    let Because { who, why } = because;
    Record::Account { person: person.into(), change, role: role.name().into(), who: who.into(), why: why.into() }
}

#[cfg(test)]
mod tests;
