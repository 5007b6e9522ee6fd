//! Who is signed in. In memory alone: a restart signs everybody out, and no disk ever holds what would let anybody in.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, TimeDelta, Utc};
use handoff_vault::Dice;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use crate::accounts::{People, Person};
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
pub struct Token(Zeroizing<[u8; TOKEN_BYTES]>);

/// Everyone who is signed in, by the hash of their token: a look-up tells by its time at most something of a hash.
pub struct Sessions {
    open: Mutex<HashMap<[u8; 32], Session>>,
    dice: Mutex<Dice>,
}

/// Who it is, and who says so.
enum Whose {
    /// An account of ours, as of this version.
    Account { name: String, version: u64 },
    /// Somebody whom the practice's directory vouched for when it began.
    Elsewhere(Person),
}

struct Session {
    whose: Whose,
    begun: DateTime<Utc>,
    seen: DateTime<Utc>,
}

impl Token {
    /// Nothing when it cannot be one.
    pub fn read(text: &str) -> Option<Token> {
        let bytes = Zeroizing::new(URL_SAFE_NO_PAD.decode(text).ok()?);
        bytes.as_slice().try_into().ok().map(|bytes| Token(Zeroizing::new(bytes)))
    }

    pub fn as_text(&self) -> Zeroizing<String> {
        Zeroizing::new(URL_SAFE_NO_PAD.encode(*self.0))
    }

    /// What a page must send along with everything that changes something. Another site's page cannot read it.
    pub fn csrf(&self) -> String {
        let Ok(mac) = Hmac::<Sha256>::new_from_slice(&*self.0) else { return String::new() };
        URL_SAFE_NO_PAD.encode(mac.chain_update(CSRF_PURPOSE).finalize().into_bytes())
    }

    pub fn vouches_for(&self, csrf: &str) -> bool {
        self.csrf().as_bytes().ct_eq(csrf.as_bytes()).into()
    }

    fn hash(&self) -> [u8; 32] {
        Sha256::digest(*self.0).into()
    }
}

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Token(…)")
    }
}

impl Sessions {
    pub fn new(dice: Dice) -> Sessions {
        Sessions { open: Mutex::default(), dice: Mutex::new(dice) }
    }

    pub fn begin(&self, admitted: &Admitted, now: DateTime<Utc>) -> Token {
        let Admitted { person, version } = admitted;
        self.open_for(Whose::Account { name: person.name.clone(), version: *version }, now)
    }

    /// For somebody whom the practice's directory vouches for.
    pub fn begin_elsewhere(&self, person: &Person, now: DateTime<Utc>) -> Token {
        self.open_for(Whose::Elsewhere(person.clone()), now)
    }

    fn open_for(&self, whose: Whose, now: DateTime<Utc>) -> Token {
        let mut token = Token(Zeroizing::new([0; TOKEN_BYTES]));
        self.dice.lock().unwrap_or_else(PoisonError::into_inner).fill_bytes(&mut *token.0);
        let mut open = self.open();
        open.retain(|_, session| session.lasts(now));
        let theirs = |session: &Session| session.whose.name() == whose.name();
        if open.values().filter(|session| theirs(session)).count() >= PER_PERSON_MAX {
            let oldest = open.iter().filter(|(_, session)| theirs(session)).min_by_key(|(_, session)| session.begun);
            if let Some(hash) = oldest.map(|(hash, _)| *hash) {
                open.remove(&hash);
            }
        }
        open.insert(token.hash(), Session { whose, begun: now, seen: now });
        token
    }

    /// Who is meant by a token, as their account has them now. Nobody once it has lasted too long, or the account changed.
    pub fn person(&self, token: &Token, now: DateTime<Utc>, people: &People) -> Option<Person> {
        let hash = token.hash();
        let mut open = self.open();
        let session = open.get_mut(&hash)?;
        let person = session.lasts(now).then(|| session.whose.person(people)).flatten();
        match person {
            Some(person) => {
                session.seen = now;
                Some(person)
            }
            None => {
                open.remove(&hash);
                None
            }
        }
    }

    pub fn end(&self, token: &Token) {
        self.open().remove(&token.hash());
    }

    /// How many there are.
    pub fn count(&self, now: DateTime<Utc>) -> usize {
        self.open().values().filter(|session| session.lasts(now)).count()
    }

    fn open(&self) -> MutexGuard<'_, HashMap<[u8; 32], Session>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Whose {
    fn name(&self) -> &str {
        match self {
            Whose::Account { name, .. } => name,
            Whose::Elsewhere(person) => &person.name,
        }
    }

    fn person(&self, people: &People) -> Option<Person> {
        match self {
            Whose::Account { name, version } => people.present(name, *version),
            Whose::Elsewhere(person) => Some(person.clone()),
        }
    }
}

impl Session {
    fn lasts(&self, now: DateTime<Utc>) -> bool {
        now - self.seen < IDLE_MAX && now - self.begun < LIFE_MAX
    }
}
