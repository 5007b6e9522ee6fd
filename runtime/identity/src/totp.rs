//! The second factor: a code of six digits that an authenticator app shows, another every half minute (RFC 6238).
//!
//! The codes are those of the crate `totp-rs`. Three things around them are ours, each for a reason: a code counts once, and
//! every step is tried, where the crate's `check` stops at the first that fits, used or not; the URL, because the crate's
//! `to_url` leaves copies of the secret behind in memory; the secret on disk, whose format is older than the crate.

use std::fmt;

use chrono::{DateTime, Utc};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use rand::CryptoRng;
use serde::{Deserialize, Serialize};
use subtle::{Choice, ConditionallySelectable as _, ConstantTimeEq as _};
use totp_rs::{Builder, Totp};
use zeroize::Zeroizing;

/// What every authenticator app does unless the URL says otherwise: HMAC with SHA-1, and these two.
const STEP_SECONDS: u64 = 30;
const DIGITS: u8 = 6;

/// A phone's clock is half a minute off, or its owner types slowly: one step to either side (RFC 6238, 5.2).
const STEPS_ASIDE: u64 = 1;

/// RFC 4226, 4 recommends 160 bits, the length of the hash.
const SECRET_BYTES: usize = 20;

/// Shared with one person's phone.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TotpSecret(Zeroizing<Vec<u8>>);

impl TotpSecret {
    pub fn generate(dice: &mut dyn CryptoRng) -> TotpSecret {
        let mut bytes = vec![0; SECRET_BYTES];
        dice.fill_bytes(&mut bytes);
        TotpSecret(Zeroizing::new(bytes))
    }

    /// What an app reads from a picture, or by hand (Key URI Format).
    pub fn provisioning_url(&self, person: &str) -> Zeroizing<String> {
        let person = utf8_percent_encode(person, NON_ALPHANUMERIC);
        Zeroizing::new(format!("otpauth://totp/Handoff:{person}?secret={}&issuer=Handoff", *self.base32()))
    }

    /// The step that a code belongs to, if it is later than the last one used: a code counts once.
    pub fn accepts(&self, code: &str, now: DateTime<Utc>, used: u64) -> Option<u64> {
        let present = u64::try_from(now.timestamp()).ok()? / STEP_SECONDS;
        let given = code.as_bytes();
        let codes = self.codes(DIGITS);
        let mut accepted = 0;
        // Every step is tried, whichever it was.
        for step in present.saturating_sub(STEPS_ASIDE)..=present + STEPS_ASIDE {
            let expected = codes.generate(step * STEP_SECONDS).to_string();
            let fits = given.ct_eq(expected.as_bytes()) & Choice::from(u8::from(step > used));
            accepted.conditional_assign(&step, fits);
        }
        (accepted > 0).then_some(accepted)
    }

    fn codes(&self, digits: u8) -> Totp {
        // A length that the standard does not have would make good what another version once gave somebody useless.
        Builder::new()
            .with_secret(self.secret())
            .with_digits(digits)
            .with_step_duration(STEP_SECONDS)
            .build_noncompliant()
    }

    /// What the person's phone shows.
    #[cfg(test)]
    pub(crate) fn code(&self, now: DateTime<Utc>) -> String {
        self.codes(DIGITS).generate(now.timestamp() as u64).to_string()
    }

    fn base32(&self) -> Zeroizing<String> {
        Zeroizing::new(self.secret().to_base32())
    }

    /// A copy that wipes itself as this one does.
    fn secret(&self) -> totp_rs::Secret {
        totp_rs::Secret::from(self.0.as_slice())
    }
}

impl fmt::Debug for TotpSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TotpSecret(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret() -> TotpSecret {
        TotpSecret(Zeroizing::new(b"12345678901234567890".to_vec()))
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
            assert_eq!(secret().codes(8).generate(seconds as u64).to_string(), code);
            assert_eq!(secret().accepts(&code[2..], at(seconds), 0), Some(step), "{seconds}");
        }
    }

    #[test]
    fn a_code_holds_for_a_step_to_either_side_and_once() {
        let step = 1_000_000;
        let code = secret().code(at(step as i64 * 30));
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
            assert_eq!(*TotpSecret(Zeroizing::new(clear.into())).base32(), written);
        }
        let url = secret().provisioning_url("ada@clinic");
        assert_eq!(*url, "otpauth://totp/Handoff:ada%40clinic?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Handoff");
        assert_eq!(format!("{:?}", secret()), "TotpSecret(…)");
    }
}
