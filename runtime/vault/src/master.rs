//! The master key: the one secret a practice keeps outside the data directory.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rand::CryptoRng;
use zeroize::Zeroizing;

use crate::clear::Key;

/// Wraps every patient's key. 256 bits, written as 64 hexadecimal digits or in base64.
#[derive(Clone, Debug)]
pub struct MasterKey(pub(crate) Key);

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the master key is not a key\nhelp: write 64 hexadecimal digits, or 32 bytes in base64")]
pub struct MalformedMasterKey;

impl MasterKey {
    pub fn generate(dice: &mut dyn CryptoRng) -> MasterKey {
        let mut bytes = Zeroizing::new([0; Key::BYTES]);
        dice.fill_bytes(&mut *bytes);
        MasterKey(Key::new(*bytes))
    }

    /// Reads the written form; white space around it is nothing.
    ///
    /// # Errors
    /// When it is neither 64 hexadecimal digits nor 32 bytes in base64.
    pub fn parse(text: &str) -> Result<MasterKey, MalformedMasterKey> {
        let text = text.trim();
        let bytes = match text.len() {
            HEX_DIGITS => hex::decode(text).ok(),
            _ => STANDARD.decode(text).ok(),
        };
        let bytes = Zeroizing::new(bytes.ok_or(MalformedMasterKey)?);
        Key::from_slice(&bytes).map(MasterKey).ok_or(MalformedMasterKey)
    }

    /// The written form: 64 hexadecimal digits.
    pub fn to_hex(&self) -> Zeroizing<String> {
        Zeroizing::new(hex::encode(self.0.as_bytes()))
    }
}

const HEX_DIGITS: usize = 2 * Key::BYTES;

#[cfg(test)]
mod tests {
    use super::*;

    const WRITTEN: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

    #[test]
    fn a_key_is_read_in_either_form() {
        for (text, good) in [
            (WRITTEN, true),
            (&format!("{WRITTEN}\n"), true),
            ("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", true),
            (&WRITTEN[..62], false),
            (&WRITTEN.replace('0', "x"), false),
            (&"é".repeat(32), false),
            ("", false),
        ] {
            match MasterKey::parse(text) {
                Ok(key) => assert!(good && *key.to_hex() == WRITTEN, "{text}"),
                Err(MalformedMasterKey) => assert!(!good, "{text}"),
            }
        }
    }

    #[test]
    fn debug_shows_no_key() {
        assert_eq!(format!("{:?}", MasterKey::parse(WRITTEN)), "Ok(MasterKey(Key(…)))");
    }
}
