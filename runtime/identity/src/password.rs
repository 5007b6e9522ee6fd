//! Passwords: how they are made, what a good one is, and how one is recognised without being kept (argon2id, RFC 9106).

use std::fmt;

use argon2::{Algorithm, Argon2, Params, Version};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use rand::CryptoRng;
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

/// What OWASP recommends for argon2id: 19 MiB and two passes are some tens of milliseconds here, and what a graphics card
/// cannot do by the thousand at once. Kept beside each hash, so that a later version can ask for more.
const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;

/// RFC 9106, 3.1 recommends 128 bits.
const SALT_BYTES: usize = 16;
const HASH_BYTES: usize = 32;

/// NIST SP 800-63B-4, 3.1.1.2: fifteen where the password is all there is, eight beside a second factor.
pub const CHARS_MIN: usize = 15;
pub const CHARS_MIN_BESIDE_A_SECOND: usize = 8;

/// A passphrase of twenty words; beyond it somebody sends a file.
pub const BYTES_MAX: usize = 256;

/// A shorter name is part of innocent words.
const NAME_CHARS_MIN: usize = 4;

/// Twenty letters of thirty-two: 100 bits, in groups that can be read over the telephone.
const GENERATED_CHARS: usize = 20;
const GROUP_CHARS: usize = 5;

/// Crockford's alphabet in small letters: no `i`, `l`, `o` or `u` to be misread.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// In clear, for as long as a request takes.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Password(Zeroizing<String>);

/// By which a password is recognised.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PasswordVerifier {
    salt: String,
    hash: String,
    memory_kib: u32,
    passes: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PasswordError {
    #[error("the password is too short\nhelp: {0} characters at least; a few words in a row are easy to keep in mind")]
    TooShort(usize),
    #[error("the password is longer than {BYTES_MAX} bytes\nhelp: choose a shorter one")]
    TooLong,
    #[error("the password contains the person's own name\nhelp: choose words that have nothing to do with you")]
    HoldsTheName,
    #[error("the new password is the same as the old one\nhelp: choose another")]
    Unchanged,
    #[error("the password cannot be hashed\nhelp: argon2 needs {MEMORY_KIB} KiB of free memory")]
    Argon2,
}

impl Password {
    /// As somebody typed it.
    pub fn typed(text: Zeroizing<String>) -> Password {
        Password(text)
    }

    /// One that a program chose, to be used once.
    pub fn generate(dice: &mut dyn CryptoRng) -> Password {
        let mut bytes = Zeroizing::new([0; GENERATED_CHARS]);
        dice.fill_bytes(&mut *bytes);
        let mut text = Zeroizing::new(String::with_capacity(GENERATED_CHARS + GENERATED_CHARS / GROUP_CHARS));
        for (at, byte) in bytes.iter().enumerate() {
            if at > 0 && at % GROUP_CHARS == 0 {
                text.push('-');
            }
            text.push(char::from(ALPHABET[usize::from(byte & 31)]));
        }
        Password(text)
    }

    /// # Errors
    /// When it is too short, too long, or holds the person's name.
    pub fn acceptable(self, name: &str, beside_a_second: bool) -> Result<Password, PasswordError> {
        let least = if beside_a_second { CHARS_MIN_BESIDE_A_SECOND } else { CHARS_MIN };
        if self.0.len() > BYTES_MAX {
            return Err(PasswordError::TooLong);
        }
        if self.0.chars().count() < least {
            return Err(PasswordError::TooShort(least));
        }
        match name.len() >= NAME_CHARS_MIN && Zeroizing::new(self.0.to_lowercase()).contains(name) {
            true => Err(PasswordError::HoldsTheName),
            false => Ok(self),
        }
    }

    /// To be told to its person, once.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<String> for Password {
    fn from(text: String) -> Password {
        Password(Zeroizing::new(text))
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(…)")
    }
}

impl PasswordVerifier {
    /// # Errors
    /// When there is not enough memory.
    pub fn of(password: &Password, dice: &mut dyn CryptoRng) -> Result<PasswordVerifier, PasswordError> {
        let mut salt = [0; SALT_BYTES];
        dice.fill_bytes(&mut salt);
        let hash = hash(password, &salt, MEMORY_KIB, PASSES).ok_or(PasswordError::Argon2)?;
        Ok(PasswordVerifier {
            salt: STANDARD_NO_PAD.encode(salt),
            hash: STANDARD_NO_PAD.encode(hash),
            memory_kib: MEMORY_KIB,
            passes: PASSES,
        })
    }

    /// Takes the same time whatever the password.
    pub fn accepts(&self, password: &Password) -> bool {
        let (Ok(salt), Ok(expected)) = (STANDARD_NO_PAD.decode(&self.salt), STANDARD_NO_PAD.decode(&self.hash)) else {
            return false;
        };
        let found = hash(password, &salt, self.memory_kib, self.passes);
        found.is_some_and(|found| found.ct_eq(&expected).into())
    }
}

impl fmt::Debug for PasswordVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordVerifier(…)")
    }
}

fn hash(password: &Password, salt: &[u8], memory_kib: u32, passes: u32) -> Option<[u8; HASH_BYTES]> {
    // Whoever sends more than anybody's password is hashed by its beginning, and is wrong by `acceptable`.
    let clear = &password.0.as_bytes()[..password.0.len().min(BYTES_MAX + 1)];
    let params = Params::new(memory_kib, passes, LANES, Some(HASH_BYTES)).ok()?;
    let mut hash = [0; HASH_BYTES];
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params).hash_password_into(clear, salt, &mut hash).ok()?;
    Some(hash)
}

#[cfg(test)]
mod tests {
    use super::*;
    use handoff_vault::system_dice;

    #[test]
    fn a_password_is_recognised_and_no_other() {
        let mut dice = system_dice();
        let password = Password::from("correct horse battery staple".to_string());
        let verifier = PasswordVerifier::of(&password, &mut *dice).expect("hashed");
        let kept = serde_json::to_string(&verifier).expect("written");
        assert!(!kept.contains("horse"));
        let verifier: PasswordVerifier = serde_json::from_str(&kept).expect("read");
        assert!(verifier.accepts(&password));
        assert!(!verifier.accepts(&"correct horse battery stapl".to_string().into()));
        assert!(!verifier.accepts(&String::new().into()));
        assert_ne!(
            kept,
            serde_json::to_string(&PasswordVerifier::of(&password, &mut *dice).expect("hashed")).expect("written")
        );
    }

    #[test]
    fn a_poor_password_is_refused_with_what_is_wrong() {
        for (text, beside_a_second, expected) in [
            ("correct horse battery", false, None),
            ("fourteen chars", false, Some(PasswordError::TooShort(15))),
            ("fourteen chars", true, None),
            ("seven77", true, Some(PasswordError::TooShort(8))),
            ("I am ada.l and proud of it", false, Some(PasswordError::HoldsTheName)),
            (&"x".repeat(257), false, Some(PasswordError::TooLong)),
        ] {
            let found = Password::from(text.to_string()).acceptable("ada.l", beside_a_second);
            assert_eq!(found.err(), expected, "{text}");
        }
    }

    #[test]
    fn a_generated_password_is_good_and_another_each_time() {
        let mut dice = system_dice();
        let one = Password::generate(&mut *dice);
        assert_eq!(one.as_str().len(), 23);
        assert!(one.as_str().bytes().all(|byte| byte == b'-' || ALPHABET.contains(&byte)));
        assert_ne!(one, Password::generate(&mut *dice));
        assert!(one.acceptable("ada", false).is_ok());
    }
}
