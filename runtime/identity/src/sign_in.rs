//! Signing in: a name, a password, and a code where one is enrolled. What is told to whoever fails does not say which was
//! wrong, nor whether there is such a person; the journal knows.

use chrono::{DateTime, Utc};
use handoff_store::{AccountChange, CommitError, Record, SignInFault};

use crate::account::Account;
use crate::accounts::{Because, People, PeopleError, Person, Recorder, changed};
use crate::password::{Password, PasswordError, Verifier};

/// What somebody brings.
pub struct Attempt<'a> {
    pub name: &'a str,
    pub password: &'a Password,
    pub code: Option<&'a str>,
    /// In the place of a one-time password, or of any other.
    pub new_password: Option<Password>,
    /// Whence, for the journal.
    pub from: &'a str,
    pub now: DateTime<Utc>,
}

/// Who was let in, and as of which version of their account.
#[derive(Debug)]
pub struct Admitted {
    pub person: Person,
    pub version: u64,
}

#[derive(Debug, thiserror::Error)]
pub enum SignInError {
    /// One sentence for every reason.
    #[error("name, password or code is wrong, or the account is locked")]
    Refused,
    #[error("a code of the authenticator app is needed as well")]
    CodeNeeded,
    #[error("the password was good for once: choose another")]
    ChoiceNeeded,
    #[error(transparent)]
    Password(#[from] PasswordError),
    #[error(transparent)]
    People(#[from] PeopleError),
    #[error("the journal did not take it, and nobody was let in")]
    Commit(#[from] CommitError),
}

impl People {
    /// # Errors
    /// When they are not let in; whatever the reason, it took the same time to find out.
    pub fn sign_in(&self, attempt: Attempt<'_>, record: Recorder<'_>) -> Result<Admitted, SignInError> {
        let Attempt { name, password, code, new_password, from, now } = attempt;
        let known = self.book().people.get(name).map(|account| (account.password.clone(), account.version));
        // The long part, with nobody waiting for the book. A name that nobody has costs as much.
        let right = known.as_ref().map_or(&self.decoy, |(verifier, _)| verifier).accepts(password);
        let refused = |person: Option<&str>, because| Record::SignInRefused {
            person: person.map(str::to_string),
            because,
            from: from.into(),
        };
        let Some((_, version)) = known else {
            record(refused(None, SignInFault::UnknownName))?;
            return Err(SignInError::Refused);
        };
        let mut book = self.book();
        let mut next = book.clone();
        let Some(account) = next.people.get_mut(name).filter(|account| account.version == version) else {
            // Changed while the password was looked at: as if it had been before.
            record(refused(Some(name), SignInFault::WrongPassword))?;
            return Err(SignInError::Refused);
        };
        if account.is_locked(now) {
            record(refused(Some(name), SignInFault::Locked))?;
            return Err(SignInError::Refused);
        }
        let step = match (&account.second_factor, code) {
            (_, _) if !right => Err(SignInFault::WrongPassword),
            (None, _) => Ok(0),
            (Some(_), None) => return Err(SignInError::CodeNeeded),
            (Some(secret), Some(code)) => secret.accepts(code, now, account.code_used).ok_or(SignInFault::WrongCode),
        };
        let step = match step {
            Ok(step) => step,
            Err(because) => {
                let locked = account.fail(now);
                self.write(&mut book, next)?;
                record(refused(Some(name), because))?;
                if let Some(until) = locked {
                    record(Record::LockedOut { person: name.into(), until })?;
                }
                return Err(SignInError::Refused);
            }
        };
        let chosen = match new_password {
            Some(chosen) => Some(self.choose(account, name, chosen)?),
            None if account.one_time => return Err(SignInError::ChoiceNeeded),
            None => None,
        };
        account.code_used = account.code_used.max(step);
        account.forgive();
        if let Some(verifier) = chosen {
            account.password = verifier;
            account.one_time = false;
            let because = Because { who: name, why: "chosen at sign-in" };
            record(changed(name, AccountChange::PasswordChosen, account.role, because))?;
        }
        let person = account.person(name);
        let changed = book.people.get(name).is_some_and(|before| differs(before, account));
        if changed {
            self.write(&mut book, next)?;
        }
        record(Record::SignedIn { person: name.into(), from: from.into() })?;
        Ok(Admitted { person, version })
    }

    fn choose(&self, account: &Account, name: &str, chosen: Password) -> Result<Verifier, SignInError> {
        let chosen = chosen.acceptable(name, account.second_factor.is_some())?;
        if account.password.accepts(&chosen) {
            return Err(PasswordError::Unchanged.into());
        }
        Ok(Verifier::of(&chosen, &mut **self.dice())?)
    }
}

/// Whether a success left something to be written down.
fn differs(before: &Account, after: &Account) -> bool {
    (before.failures, before.locked_until, before.code_used, before.one_time)
        != (after.failures, after.locked_until, after.code_used, after.one_time)
        || before.password != after.password
}
