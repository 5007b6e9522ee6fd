//! One person's account, as it lies sealed on disk.

use std::fmt;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::password::PasswordVerifier;
use crate::person::Person;
use crate::role::Role;
use crate::totp::TotpSecret;

/// Five slips of the finger are a bad morning; more are a guess.
pub const FAILURES_MAX: u32 = 5;

/// So an attacker has some 480 guesses a day at one account, against passwords of fifteen characters or a code besides;
/// and its owner, if locked out on purpose, loses a quarter of an hour, or a call to whoever runs `handoff people unlock`.
pub const LOCKED_OUT_FOR: TimeDelta = TimeDelta::minutes(15);

/// Longer than any mail address that a practice gives its people; it stands in every record of what they do.
const NAME_CHARS_MAX: usize = 64;

/// By which somebody signs in: `ada`, `ada.lovelace`, `ada@clinic.example`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct AccountName(String);

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "an account's name has 1 to {NAME_CHARS_MAX} lower-case letters, digits, `.`, `-`, `_` or `@`, and begins with a letter\n\
     help: for example ada.lovelace"
)]
pub struct AccountNameError;

#[derive(Clone, Serialize, Deserialize)]
pub struct Account {
    pub role: Role,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
    pub password: PasswordVerifier,
    /// Somebody else knows it: good for choosing another, and for nothing more.
    pub one_time: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub second_factor: Option<TotpSecret>,
    /// The last code's step: a code counts once (RFC 6238, 5.2).
    pub code_used: u64,
    /// Since the last success.
    pub failures: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub locked_until: Option<DateTime<Utc>>,
    /// Until somebody unlocks it.
    pub locked: bool,
    /// Another after each change: sessions that began before it have ended.
    pub version: u64,
}

/// An account as a list shows it: nothing that lets anybody in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AccountSummary {
    pub name: String,
    pub role: Role,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
    pub second_factor: bool,
    /// It still has the password that somebody else gave it.
    pub one_time: bool,
    pub locked: bool,
    #[schema(value_type = Option<String>, format = DateTime)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub locked_until: Option<DateTime<Utc>>,
}

impl Account {
    pub fn new(role: Role, provider: Option<String>, password: PasswordVerifier) -> Account {
        Account {
            role,
            provider,
            password,
            one_time: true,
            second_factor: None,
            code_used: 0,
            failures: 0,
            locked_until: None,
            locked: false,
            version: 0,
        }
    }

    pub fn person(&self, name: &str) -> Person {
        Person { name: name.into(), role: self.role, provider: self.provider.clone() }
    }

    pub fn is_locked(&self, now: DateTime<Utc>) -> bool {
        self.locked || self.locked_until.is_some_and(|until| now < until)
    }

    /// One attempt more that failed. Until when the account is locked, if that was one too many.
    pub fn fail(&mut self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        if self.locked_until.is_some_and(|until| until <= now) {
            self.forgive();
        }
        self.failures += 1;
        if self.failures >= FAILURES_MAX {
            self.locked_until = Some(now + LOCKED_OUT_FOR);
        }
        self.locked_until
    }

    pub fn forgive(&mut self) {
        self.failures = 0;
        self.locked_until = None;
    }
}

impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Account({})", self.role)
    }
}

impl AccountSummary {
    pub fn of((name, account): (&String, &Account)) -> AccountSummary {
        AccountSummary {
            name: name.clone(),
            role: account.role,
            provider: account.provider.clone(),
            second_factor: account.second_factor.is_some(),
            one_time: account.one_time,
            locked: account.locked,
            locked_until: account.locked_until,
        }
    }
}

impl AccountName {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::str::FromStr for AccountName {
    type Err = AccountNameError;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let letter = |byte: u8| byte.is_ascii_lowercase();
        let good = |byte: u8| letter(byte) || byte.is_ascii_digit() || b".-_@".contains(&byte);
        let begins = text.bytes().next().is_some_and(letter);
        match begins && text.len() <= NAME_CHARS_MAX && text.bytes().all(good) {
            true => Ok(AccountName(text.to_string())),
            false => Err(AccountNameError),
        }
    }
}
