//! Signing in: a name, a password, and a code where one is enrolled. What is told to whoever fails does not say which was
//! wrong, nor whether there is such a person; the journal knows.

use chrono::{DateTime, Utc};
use handoff_store::{AccountChange, CommitError, Record, SignInFault};

use crate::account::Account;
use crate::accounts::{Accounts, AccountsError, ChangedBy, changed};
use crate::password::{Password, PasswordError, PasswordVerifier};
use crate::person::{Person, Recorder};

/// What somebody brings.
pub struct SignInAttempt<'a> {
    pub name: &'a str,
    pub password: &'a Password,
    pub code: Option<&'a str>,
    /// In the place of a one-time password, or of any other.
    pub new_password: Option<Password>,
    /// The address that it came from, for the journal.
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
    #[error("this account also needs a code of its authenticator app\nhelp: type the six digits that the app shows")]
    CodeNeeded,
    #[error(
        "this role takes a password and a code of an authenticator app, and the account has none\n\
         help: ask whoever runs Handoff for `handoff people reset NAME --totp`"
    )]
    OneFactor,
    #[error("a one-time password has to be replaced before it lets anybody in\nhelp: choose a new password")]
    ChoiceNeeded,
    #[error(transparent)]
    Password(#[from] PasswordError),
    #[error(transparent)]
    People(#[from] AccountsError),
    #[error("nobody was signed in, because the journal could not record it")]
    Commit(#[from] CommitError),
}

impl Accounts {
    /// # Errors
    /// When they are not let in; whatever the reason, it took the same time to find out.
    pub fn sign_in(&self, attempt: SignInAttempt<'_>, record: Recorder<'_>) -> Result<Admitted, SignInError> {
        let SignInAttempt { name, password, code, new_password, from, now } = attempt;
        let known = self.accounts().by_name.get(name).map(|account| (account.password.clone(), account.version));
        // The long part, with nobody waiting for the accounts. A name that nobody has costs as much.
        let right = known.as_ref().map_or(&self.decoy, |(verifier, _)| verifier).accepts(password);
        let refused = |person: Option<&str>, because| Record::SignInRefused {
            person: person.map(str::to_string),
            because,
            from: from.into(),
        };
        let Some((_, version)) = known else {
            return self.refuse(refused(None, SignInFault::UnknownName), record);
        };
        let mut accounts = self.accounts();
        let mut next = accounts.clone();
        let Some(account) = next.by_name.get_mut(name).filter(|account| account.version == version) else {
            // Changed while the password was looked at: as if it had been before.
            drop(accounts);
            return self.refuse(refused(Some(name), SignInFault::WrongPassword), record);
        };
        if account.is_locked(now) {
            drop(accounts);
            return self.refuse(refused(Some(name), SignInFault::Locked), record);
        }
        let step = match (&account.second_factor, code) {
            (_, _) if !right => Err(SignInFault::WrongPassword),
            (None, _) if self.takes_two_factors(account.role) => {
                record(refused(Some(name), SignInFault::OneFactor))?;
                return Err(SignInError::OneFactor);
            }
            (None, _) => Ok(0),
            (Some(_), None) => {
                record(refused(Some(name), SignInFault::NoCode))?;
                return Err(SignInError::CodeNeeded);
            }
            (Some(secret), Some(code)) => secret.accepts(code, now, account.code_used).ok_or(SignInFault::WrongCode),
        };
        let step = match step {
            Ok(step) => step,
            Err(because) => {
                let locked = account.fail(now);
                self.write(&mut accounts, next)?;
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
            let by = ChangedBy { who: name, why: "chosen at sign-in" };
            record(changed(name, AccountChange::PasswordChosen, account, by))?;
        }
        let (person, second_factor) = (account.person(name), account.second_factor.is_some());
        let changed = accounts.by_name.get(name).is_some_and(|before| differs(before, account));
        if changed {
            self.write(&mut accounts, next)?;
        }
        record(Record::SignedIn { person: name.into(), from: from.into(), second_factor })?;
        Ok(Admitted { person, version })
    }

    /// Where no account is changed: as much is written as for one whose failures are counted, so that whoever measures learns
    /// nothing.
    fn refuse(&self, refusal: Record, record: Recorder<'_>) -> Result<Admitted, SignInError> {
        let mut accounts = self.accounts();
        let same = accounts.clone();
        self.write(&mut accounts, same)?;
        drop(accounts);
        record(refusal)?;
        Err(SignInError::Refused)
    }

    fn choose(&self, account: &Account, name: &str, chosen: Password) -> Result<PasswordVerifier, SignInError> {
        let chosen = chosen.acceptable(name, account.second_factor.is_some())?;
        if account.password.accepts(&chosen) {
            return Err(PasswordError::Unchanged.into());
        }
        Ok(PasswordVerifier::of(&chosen, &mut **self.dice())?)
    }
}

/// Whether a success left something to be written down.
fn differs(before: &Account, after: &Account) -> bool {
    (before.failures, before.locked_until, before.code_used, before.one_time)
        != (after.failures, after.locked_until, after.code_used, after.one_time)
        || before.password != after.password
}
