//! Names of things. Identity is a type; none of these can be mistaken for another, and none says who a patient is.

use std::fmt;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use ulid::Ulid;

use crate::error_code::{Coded, ErrorCode};

/// One workflow instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ReferralId(pub Ulid);

impl ReferralId {
    /// The same order received at the same moment always becomes the same referral: no dice, so any run can be repeated.
    pub fn derive(at: DateTime<Utc>, order: &[u8]) -> ReferralId {
        let digest = Sha256::digest(order);
        let mut random = [0u8; 16];
        random[6..].copy_from_slice(&digest[..10]);
        let millis = u64::try_from(at.timestamp_millis()).unwrap_or(0);
        ReferralId(Ulid::from_parts(millis, u128::from_be_bytes(random)))
    }

    /// Stands before every referral that was born at this moment or later, and after every earlier one.
    pub fn before(at: DateTime<Utc>) -> ReferralId {
        let millis = u64::try_from(at.timestamp_millis()).unwrap_or(0);
        match millis.checked_sub(1) {
            Some(earlier) => ReferralId(Ulid::from_parts(earlier, u128::MAX)),
            None => ReferralId(Ulid::from_parts(0, 0)),
        }
    }
}

impl fmt::Display for ReferralId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::str::FromStr for ReferralId {
    type Err = MalformedReferralId;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ulid::from_string(text).map(ReferralId).map_err(|_| MalformedReferralId)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a referral id: expected 26 digits and letters, as `handoff referrals list` prints them")]
pub struct MalformedReferralId;

impl Coded for MalformedReferralId {
    fn code(&self) -> ErrorCode {
        ErrorCode::REFERRAL_ID
    }
}

impl Serialize for ReferralId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0.array_to_str(&mut [0; ulid::ULID_LEN]))
    }
}

impl<'de> Deserialize<'de> for ReferralId {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// A letter's name and idempotency key: the referral and the letter's number within it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct LetterId {
    pub referral: ReferralId,
    pub number: u32,
}

impl fmt::Display for LetterId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.referral, self.number)
    }
}

impl std::str::FromStr for LetterId {
    type Err = MalformedLetterId;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (referral, number) = text.split_once('-').ok_or(MalformedLetterId)?;
        Ok(LetterId {
            referral: referral.parse().map_err(|_| MalformedLetterId)?,
            number: number.parse().map_err(|_| MalformedLetterId)?,
        })
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a letter id: expected a referral id, a hyphen and a number")]
pub struct MalformedLetterId;

/// A name that is a text, and is not to be taken for another kind of name.
macro_rules! text_name {
    ($(#[$about:meta])* $name:ident) => {
        $(#[$about])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            pub fn new(text: impl Into<String>) -> $name {
                $name(text.into())
            }

            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl std::ops::Deref for $name {
            type Target = str;

            fn deref(&self) -> &str {
                &self.0
            }
        }

        /// Ordered and compared as the text that it is.
        impl std::borrow::Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> $name {
                $name(text.to_string())
            }
        }

        impl PartialEq<str> for $name {
            fn eq(&self, other: &str) -> bool {
                self.0 == other
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

text_name! {
    /// Under which a delivery or a callback finds a referral: what the sender calls it, blinded by the vault, behind the kind
    /// of the name: `number:…`, `appointment:…`, `patient:…`, `address:…`. Says nothing to whoever reads the journal.
    BlindedName
}

text_name! {
    /// What a vendor calls a message of ours, behind the vendor's name: `sms:SM7f…`.
    VendorMessageId
}

text_name! {
    /// Which stage of a workflow: its kind, and its own name where there are several of a kind: `channel`, `outreach.sms`.
    StageKey
}

/// SHA-256 of a plugin, a workflow or a recorded value.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest(pub [u8; 32]);

impl Digest {
    pub fn of(bytes: &[u8]) -> Digest {
        Digest(Sha256::digest(bytes).into())
    }

    /// The first twelve hexadecimal digits, for people.
    pub fn short(&self) -> String {
        self.to_string()[..12].to_string()
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // In one piece: a digest stands in every step, and byte by byte this is a tenth of the time to write one down.
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let mut text = [0; 64];
        for (pair, byte) in text.chunks_exact_mut(2).zip(self.0) {
            pair.copy_from_slice(&[DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 0xF)]]);
        }
        f.write_str(std::str::from_utf8(&text).map_err(|_| fmt::Error)?)
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Digest({self})")
    }
}

impl std::str::FromStr for Digest {
    type Err = MalformedDigest;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.len() != 64 || !text.is_ascii() {
            return Err(MalformedDigest);
        }
        let mut bytes = [0u8; 32];
        for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks(2)) {
            let pair = std::str::from_utf8(pair).map_err(|_| MalformedDigest)?;
            *byte = u8::from_str_radix(pair, 16).map_err(|_| MalformedDigest)?;
        }
        Ok(Digest(bytes))
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a SHA-256 digest: expected 64 hexadecimal digits")]
pub struct MalformedDigest;

impl Serialize for Digest {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// Stands for one sealed piece of patient data. See `wit/types.wit` for its form.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Token(pub String);

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A patient, named so that only the vault can say who it is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PatientId(pub String);

impl fmt::Display for PatientId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
