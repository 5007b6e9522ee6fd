//! Who is signed in. In memory alone: a restart signs everybody out, and no disk ever holds what would let anybody in.

use std::collections::HashMap;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, TimeDelta, Utc};
use handoff_vault::SecureRandom;
use hmac::{Hmac, KeyInit as _, Mac as _};
use parking_lot::{Mutex, MutexGuard};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use crate::accounts::Accounts;
use crate::person::Person;
use crate::sign_in::Admitted;

/// Automatic logoff (45 CFR 164.312(a)(2)(iii)): a coordinator who takes a call comes back to it, a screen that was left
/// for the day does not stay open.
pub const IDLE_MAX: TimeDelta = TimeDelta::minutes(15);

/// A long shift: a session that was stolen ends with it, however busy it is kept.
pub const LIFE_MAX: TimeDelta = TimeDelta::hours(12);

/// A desk, a laptop, a telephone, and some that were never signed out; the oldest makes room.
const PER_PERSON_MAX: usize = 8;

/// 256 bits: not to be guessed.
const TOKEN_BYTES: usize = 32;

/// Sets what a browser shows the page apart from what it sends by itself.
const CSRF_PURPOSE: &[u8] = b"handoff csrf";

/// What a browser keeps in its cookie. Whoever has it is that person.
#[derive(Clone)]
pub struct SessionToken(Zeroizing<[u8; TOKEN_BYTES]>);

/// Everyone who is signed in, by the hash of their token: a look-up tells by its time at most something of a hash.
pub struct Sessions {
    open: Mutex<HashMap<[u8; 32], Session>>,
    dice: Mutex<SecureRandom>,
}

/// Who it is, and who says so.
enum SessionOwner {
    /// An account of ours, as of this version.
    Account { name: String, version: u64 },
    /// Somebody whom the practice's directory vouched for when it began.
    Directory(Person),
}

struct Session {
    owner: SessionOwner,
    began: DateTime<Utc>,
    last_used: DateTime<Utc>,
}

impl SessionToken {
    /// Nothing when it cannot be one.
    pub fn read(text: &str) -> Option<SessionToken> {
        let bytes = Zeroizing::new(URL_SAFE_NO_PAD.decode(text).ok()?);
        bytes.as_slice().try_into().ok().map(|bytes| SessionToken(Zeroizing::new(bytes)))
    }

    pub fn as_text(&self) -> Zeroizing<String> {
        Zeroizing::new(URL_SAFE_NO_PAD.encode(*self.0))
    }

    /// What a page must send along with everything that changes something. Another site's page cannot read it.
    pub fn csrf(&self) -> String {
        let Ok(mac) = Hmac::<Sha256>::new_from_slice(&*self.0) else { return String::new() };
        URL_SAFE_NO_PAD.encode(mac.chain_update(CSRF_PURPOSE).finalize().into_bytes())
    }

    pub fn accepts_csrf(&self, csrf: &str) -> bool {
        self.csrf().as_bytes().ct_eq(csrf.as_bytes()).into()
    }

    fn hash(&self) -> [u8; 32] {
        Sha256::digest(*self.0).into()
    }
}

impl std::fmt::Debug for SessionToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SessionToken(…)")
    }
}

impl Sessions {
    pub fn new(dice: SecureRandom) -> Sessions {
        Sessions { open: Mutex::default(), dice: Mutex::new(dice) }
    }

    pub fn begin(&self, admitted: &Admitted, now: DateTime<Utc>) -> SessionToken {
        let Admitted { person, version } = admitted;
        self.open_for(SessionOwner::Account { name: person.name.clone(), version: *version }, now)
    }

    /// For somebody whom the practice's directory vouches for.
    pub fn begin_by_directory(&self, person: &Person, now: DateTime<Utc>) -> SessionToken {
        self.open_for(SessionOwner::Directory(person.clone()), now)
    }

    fn open_for(&self, owner: SessionOwner, now: DateTime<Utc>) -> SessionToken {
        let mut token = SessionToken(Zeroizing::new([0; TOKEN_BYTES]));
        self.dice.lock().fill_bytes(&mut *token.0);
        let mut open = self.open();
        open.retain(|_, session| session.lasts(now));
        let theirs = |session: &Session| session.owner.name() == owner.name();
        if open.values().filter(|session| theirs(session)).count() >= PER_PERSON_MAX {
            let oldest = open.iter().filter(|(_, session)| theirs(session)).min_by_key(|(_, session)| session.began);
            if let Some(hash) = oldest.map(|(hash, _)| *hash) {
                open.remove(&hash);
            }
        }
        open.insert(token.hash(), Session { owner, began: now, last_used: now });
        token
    }

    /// Who is meant by a token, as their account has them now. Nobody once it has lasted too long, or the account changed.
    pub fn person(&self, token: &SessionToken, now: DateTime<Utc>, accounts: &Accounts) -> Option<Person> {
        let hash = token.hash();
        let mut open = self.open();
        let session = open.get_mut(&hash)?;
        let person = session.lasts(now).then(|| session.owner.person(accounts)).flatten();
        match person {
            Some(person) => {
                session.last_used = now;
                Some(person)
            }
            None => {
                open.remove(&hash);
                None
            }
        }
    }

    pub fn end(&self, token: &SessionToken) {
        self.open().remove(&token.hash());
    }

    /// How many there are.
    pub fn count(&self, now: DateTime<Utc>) -> usize {
        self.open().values().filter(|session| session.lasts(now)).count()
    }

    fn open(&self) -> MutexGuard<'_, HashMap<[u8; 32], Session>> {
        self.open.lock()
    }
}

impl SessionOwner {
    fn name(&self) -> &str {
        match self {
            SessionOwner::Account { name, .. } => name,
            SessionOwner::Directory(person) => &person.name,
        }
    }

    fn person(&self, accounts: &Accounts) -> Option<Person> {
        match self {
            SessionOwner::Account { name, version } => accounts.present(name, *version),
            SessionOwner::Directory(person) => Some(person.clone()),
        }
    }
}

impl Session {
    fn lasts(&self, now: DateTime<Utc>) -> bool {
        now - self.last_used < IDLE_MAX && now - self.began < LIFE_MAX
    }
}
