//! The second factor: a code of six digits that an authenticator app shows, another every half minute (RFC 6238).

use std::fmt;

use chrono::{DateTime, Utc};
use hmac::{Hmac, KeyInit as _, Mac as _};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use rand::CryptoRng;
use serde::{Deserialize, Serialize};
use sha1::Sha1;
use subtle::{Choice, ConditionallySelectable as _, ConstantTimeEq as _};
use zeroize::Zeroizing;

/// What every authenticator app does when it is told nothing else.
const STEP_SECONDS: u64 = 30;
const DIGITS: usize = 6;

/// A phone's clock is half a minute off, or its owner types slowly: one step to either side (RFC 6238, 5.2).
const STEPS_ASIDE: u64 = 1;

/// RFC 4226, 4 recommends 160 bits, the length of the hash.
const SECRET_BYTES: usize = 20;

/// RFC 4648, 6.
const BASE32: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// Shared with one person's phone.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Secret(Zeroizing<Vec<u8>>);

impl Secret {
    pub fn generate(dice: &mut dyn CryptoRng) -> Secret {
        let mut bytes = vec![0; SECRET_BYTES];
        dice.fill_bytes(&mut bytes);
        Secret(Zeroizing::new(bytes))
    }

    /// What an app reads from a picture, or by hand (Key URI Format).
    pub fn provisioning_url(&self, person: &str) -> Zeroizing<String> {
        let person = utf8_percent_encode(person, NON_ALPHANUMERIC);
        Zeroizing::new(format!("otpauth://totp/Handoff:{person}?secret={}&issuer=Handoff", *base32(&self.0)))
    }

    /// The step that a code belongs to, if it is later than the last one used: a code counts once.
    pub fn accepts(&self, code: &str, now: DateTime<Utc>, used: u64) -> Option<u64> {
        let present = u64::try_from(now.timestamp()).ok()? / STEP_SECONDS;
        let given = code.as_bytes();
        let mut accepted = 0;
        // Every step is tried, whichever it was.
        for step in present.saturating_sub(STEPS_ASIDE)..=present + STEPS_ASIDE {
            let fits = given.ct_eq(self.code(step).as_bytes()) & Choice::from(u8::from(step > used));
            accepted.conditional_assign(&step, fits);
        }
        (accepted > 0).then_some(accepted)
    }

    /// RFC 4226, 5.3.
    fn code(&self, step: u64) -> String {
        let number = self.truncated(step) % 10_u32.pow(DIGITS as u32);
        format!("{number:0DIGITS$}")
    }

    fn truncated(&self, step: u64) -> u32 {
        // HMAC takes keys of any length.
        let Ok(mac) = Hmac::<Sha1>::new_from_slice(&self.0) else { return 0 };
        let hash = mac.chain_update(step.to_be_bytes()).finalize().into_bytes();
        let offset = usize::from(hash[hash.len() - 1] & 0xF);
        let word = [hash[offset], hash[offset + 1], hash[offset + 2], hash[offset + 3]];
        u32::from_be_bytes(word) & 0x7FFF_FFFF
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

fn base32(bytes: &[u8]) -> Zeroizing<String> {
    let mut text = Zeroizing::new(String::with_capacity(bytes.len().div_ceil(5) * 8));
    for group in bytes.chunks(5) {
        let word = group.iter().enumerate().fold(0u64, |word, (at, byte)| word | u64::from(*byte) << (32 - 8 * at));
        for digit in 0..(group.len() * 8).div_ceil(5) {
            text.push(char::from(BASE32[(word >> (35 - 5 * digit) & 31) as usize]));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret() -> Secret {
        Secret(Zeroizing::new(b"12345678901234567890".to_vec()))
    }

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(seconds, 0).expect("a moment")
    }

    #[test]
    fn codes_are_those_of_the_standard() {
        // RFC 6238, appendix B, SHA-1; its eight digits end in our six.
        for (seconds, code) in [
            (59, "94287082"),
            (1_111_111_109, "07081804"),
            (1_111_111_111, "14050471"),
            (1_234_567_890, "89005924"),
            (2_000_000_000, "69279037"),
            (20_000_000_000, "65353130"),
        ] {
            let step = seconds as u64 / STEP_SECONDS;
            assert_eq!(format!("{:08}", secret().truncated(step) % 100_000_000), code);
            assert_eq!(secret().accepts(&code[2..], at(seconds), 0), Some(step), "{seconds}");
        }
    }

    #[test]
    fn a_code_holds_for_a_step_to_either_side_and_once() {
        let step = 1_000_000;
        let code = secret().code(step);
        for (seconds, used, expected) in [
            (step * 30, 0, Some(step)),
            (step * 30 - 1, 0, Some(step)),
            (step * 30 + 59, 0, Some(step)),
            (step * 30 + 60, 0, None),
            (step * 30 - 31, 0, None),
            (step * 30, step, None),
            (step * 30, step - 1, Some(step)),
        ] {
            assert_eq!(secret().accepts(&code, at(seconds as i64), used), expected, "{seconds} {used}");
        }
        for wrong in ["", "12345", "1234567", "abcdef", "００００００"] {
            assert_eq!(secret().accepts(wrong, at(step as i64 * 30), 0), None, "{wrong}");
        }
    }

    #[test]
    fn an_app_is_told_the_secret_in_base32() {
        // RFC 4648, 10.
        for (clear, written) in [("", ""), ("f", "MY"), ("fo", "MZXQ"), ("foo", "MZXW6"), ("foob", "MZXW6YQ")] {
            assert_eq!(*base32(clear.as_bytes()), written);
        }
        let url = secret().provisioning_url("ada@clinic");
        assert_eq!(*url, "otpauth://totp/Handoff:ada%40clinic?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Handoff");
        assert_eq!(format!("{:?}", secret()), "Secret(…)");
    }
}
